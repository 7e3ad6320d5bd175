"""Whoever is signed out by a reset is told so by their own browser, and nobody by any other."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from service import clock
from service.staff import endings, operations, passwords, resets
from service.staff.models import StaffEnding
from tests.service.console.conftest import Browser, Office
from tests.service.console.test_resets import MINE, Colleague, ask
from tests.service.console.test_resets import admin as admin  # A fixture.
from tests.service.console.test_resets import colleague as colleague  # A fixture.

TOLD = "您的登录已被退出，因为账号已被重置"


@pytest.mark.parametrize("what", [resets.PASSWORD, resets.SECOND_FACTOR, "both"])
def test_whoever_is_signed_out_by_a_reset_is_told_why_once_and_nobody_else(
    office: Office, admin: Browser, colleague: Colleague, what: str
) -> None:
    inside, half_way, elsewhere = (office.browser(address=f"192.0.2.{n}") for n in (70, 71, 72))
    assert colleague.come_in(inside) == 200
    half_way.give_password(colleague.login, MINE)
    elsewhere.client.set_cookie("console", "no-session-was-ever-called-so")
    if what == "both":
        with office.wiring.unit() as unit:
            operations.reset(unit, login="he.mei", password_hash=passwords.hashed(MINE), by=None)
    else:
        code = ask(admin, what)
    token = inside.cookie
    assert inside.get("/console/").location == "/console/sign-in"
    told = inside.get("/console/sign-in").text
    assert TOLD in told
    assert "he.mei" not in told
    assert what == "both" or code not in told
    assert TOLD not in inside.get("/console/sign-in").text
    inside.client.set_cookie("console", token)
    assert TOLD not in inside.get("/console/sign-in").text
    assert inside.get("/console/").location == "/console/sign-in", "the cookie opens nothing"
    for browser in (half_way, elsewhere, office.browser(address="192.0.2.73")):
        assert TOLD not in browser.get("/console/sign-in").text
        assert TOLD not in browser.give_password("he.mei", "wrong").text


def test_whoever_left_or_comes_a_day_later_is_told_of_no_reset(
    office: Office, admin: Browser, colleague: Colleague
) -> None:
    gone, late = office.browser(), office.browser(address="192.0.2.74")
    for browser in (gone, late):
        assert colleague.come_in(browser) == 200
    token = gone.cookie
    gone.post("/console/sign-out")
    ask(admin, resets.PASSWORD)
    gone.client.set_cookie("console", token)
    assert TOLD not in gone.get("/console/sign-in").text
    with time_machine.travel(clock.now() + timedelta(days=1), tick=False):
        assert TOLD not in late.get("/console/sign-in").text
        with office.wiring.unit() as unit:
            endings.tidy(unit)
            assert unit.db.execute(select(StaffEnding.digest)).all() == []
