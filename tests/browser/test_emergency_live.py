"""What an emergency's page does by itself: counts arrive, layers go on, and faults are said."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from lightservices.emergency.models import Record
from tests.browser.test_console_signin import sign_in
from tests.browser.test_emergency_page import ROOT, person
from tests.browser.test_emergency_page import calm as calm  # A fixture.
from tests.journeys.town import Town
from tests.lightservices.emergency.duty import key_of, opened, proposed
from tests.screens import chrome as chrome  # A fixture.
from tests.screens import complaints, is_readable

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def standing(town: Town) -> Record:
    with town.wiring.unit() as unit:
        return opened(unit, person(town, "ops.li"), proposer=person(town, "ops.wang"))


def fails(route: Route) -> None:
    route.fulfill(status=500, content_type="text/html", body="<p>坏了</p>")


def look(page: Page, name: str) -> None:
    """Readable, and pictured for whoever asked."""
    is_readable(page)
    if folder := os.environ.get("TEST_SCREENS"):
        is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        named = f"{name}-{'dark' if is_dark else 'light'}.png"
        page.screenshot(path=Path(folder) / named, full_page=True)


@pytest.fixture(params=["light", "dark"])
def desk(chrome: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A branch's computer, whose browser may complain of faults that are made on purpose."""
    context = chrome.new_context(
        viewport={"width": 1366, "height": 768}, color_scheme=request.param
    )
    yield context.new_page()
    context.close()


def test_the_counts_arrive_by_themselves_and_can_be_ticked(desk: Page, calm: Town) -> None:
    with calm.wiring.unit() as unit:
        key = key_of(unit, proposed(unit, person(calm, "ops.wang")))
    sign_in(desk, calm, "ops.li")
    wrong = complaints(desk)
    desk.goto(f"{calm.web}{ROOT}/{key}")
    expect(desk.get_by_label("我核对过区域和内容")).to_be_visible()
    expect(desk.locator("[data-counting]")).to_have_count(0)
    look(desk, "60-to-open")
    desk.get_by_label("我核对过区域和内容").check()
    desk.get_by_role("button", name="开启").click()
    expect(desk.locator("#channels").get_by_text("不按标签群发")).to_be_visible()
    expect(desk.locator("#moving")).to_contain_text("等换菜单")
    look(desk, "61-open")
    assert wrong == []


def test_the_layers_go_on_by_themselves_after_a_fault_that_is_said(desk: Page, calm: Town) -> None:
    record = standing(calm)
    sign_in(desk, calm, "ops.li")
    desk.goto(f"{calm.web}{ROOT}/{record.key}")
    layers, old = desk.locator("#layers"), desk.locator("#layers-old")
    expect(layers.get_by_text("等待发布")).to_be_visible()
    desk.route("**/layers", fails)
    expect(old).to_be_visible(timeout=20_000)
    expect(layers.get_by_text("等待发布")).to_be_visible()
    expect(old.get_by_role("link", name="刷新页面")).to_be_visible()
    look(desk, "62-fault")
    desk.unroute("**/layers")
    calm.settle()
    expect(layers.get_by_text("已发布")).to_be_visible(timeout=20_000)
    expect(old).to_be_hidden()


def test_a_fault_or_an_ended_session_leaves_the_link_that_counts(desk: Page, calm: Town) -> None:
    record = standing(calm)
    sign_in(desk, calm, "ops.li")
    desk.route("**/messages", fails)
    desk.goto(f"{calm.web}{ROOT}/{record.key}")
    channels = desk.locator("#channels")
    expect(channels).to_contain_text("刚才没有数出来")
    expect(channels.get_by_role("link", name="数一数，再选择渠道")).to_be_visible()

    def signed_out(route: Route) -> None:
        desk.context.clear_cookies()
        route.continue_(headers={**route.request.headers, "cookie": ""})

    desk.unroute("**/messages")
    desk.route("**/messages", signed_out)
    desk.goto(f"{calm.web}{ROOT}/{record.key}")
    expect(channels).to_contain_text("刚才没有数出来")
    # The layers find nobody signed in either; all that was shown is still there.
    expect(desk.locator("#layers-old")).to_be_visible(timeout=20_000)
    expect(desk.locator("#layers")).to_contain_text("已生效")
    channels.get_by_role("link").click()
    expect(desk.get_by_label("登录名")).to_be_visible()
