"""The ticket desk and the people's page in a real browser: everything readable, one answer sent."""

from __future__ import annotations

import secrets

import pytest
from playwright.sync_api import Page, expect

from lightservices.tickets import operations
from lightservices.tickets.contents import Content
from tests.browser.test_console_signin import desk as desk  # A fixture.
from tests.browser.test_console_signin import sign_in
from tests.journeys.town import Town
from tests.screens import chrome as chrome  # A fixture.
from tests.screens import is_readable

pytestmark = pytest.mark.browser


def test_the_desk_is_readable_and_answers_a_ticket(desk: Page, town: Town) -> None:
    with town.wiring.unit() as unit:
        asked = operations.Request(
            category="投诉", service="complaint", branch="B310000", openid=None,
            token=secrets.token_hex(32), content=Content((("事情经过", "久等"),), "13800138000"),
        )  # fmt: skip
        number, _is_new = operations.open_ticket(unit, asked)
    sign_in(desk, town, "sh.editor")
    for path in ("tickets", f"tickets/{number}", "tickets/figures", "contacts/B310000"):
        desk.goto(f"{town.web}/console/{path}")
        is_readable(desk)
    desk.goto(f"{town.web}/console/tickets/{number}")
    desk.get_by_role("button", name="填入").click()
    desk.get_by_role("button", name="发送答复").click()
    expect(desk.get_by_text("答复已保存")).to_be_visible()
    is_readable(desk)
    desk.get_by_role("button", name="显示完整号码").click()
    expect(desk.get_by_text("13800138000")).to_be_visible()
