"""Whoever tries and tries again waits longer and longer, on any worker, and never for ever."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import time_machine

from service import clock
from service.staff import throttle
from tests.service.console.conftest import Browser, Office

WRONG = "Not-the-password-1"


def wait_told(browser: Browser, login: str = "gd.editor", password: str = WRONG) -> int:
    """Seconds to wait as the page says; 0 when the try was looked at."""
    answer = browser.give_password(login, password)
    if answer.status_code != 429:
        return 0
    found = re.search(r"请等 (\d+) (秒|分钟)", answer.text)
    assert found
    return int(found[1]) * (1 if found[2] == "秒" else 60)


def tried_from_many_addresses(office: Office, login: str) -> None:
    """Twenty tries on an account, each from elsewhere."""
    with office.wiring.unit() as unit:
        for number in range(20):
            assert not throttle.spend(unit, address=f"198.51.100.{number}", login=login)


def test_five_tries_in_twenty_seconds_from_an_address(office: Office) -> None:
    with time_machine.travel(clock.now(), tick=False) as travel:
        browser = office.browser()
        assert [wait_told(browser, f"nobody{n}") for n in range(6)] == [0, 0, 0, 0, 0, 21]
        assert wait_told(browser, "gd.editor", office.password) > 0, "not even the right password"
        assert wait_told(office.browser(address="192.0.2.9")) == 0, "others are not concerned"
        travel.shift(timedelta(seconds=20))
        assert wait_told(browser) == 0


def test_slow_typing_is_no_attack(office: Office) -> None:
    with time_machine.travel(clock.now(), tick=False) as travel:
        browser = office.browser()
        for _ in range(8):
            assert wait_told(browser, "nobody") == 0
            travel.shift(timedelta(seconds=5))


def test_twenty_tries_in_five_minutes_on_an_account_from_anywhere(office: Office) -> None:
    with time_machine.travel(clock.now(), tick=False) as travel:
        tried_from_many_addresses(office, "gd.editor")
        owner = office.browser(address="203.0.113.7")
        assert wait_told(owner, "gd.editor", office.password) == 61
        assert wait_told(owner, " GD.Editor ", office.password) > 0, "it is the same account"
        assert wait_told(office.browser(address="203.0.113.8"), "sh.editor") == 0
        travel.shift(timedelta(seconds=61))
        owner.sign_in("gd.editor")


def test_a_stranger_keeps_nobody_from_a_browser_they_came_in_with_before(office: Office) -> None:
    with time_machine.travel(clock.now(), tick=False) as travel:
        owner = office.browser(address="203.0.113.7").sign_in("gd.editor")
        owner.post("/console/sign-out")
        tried_from_many_addresses(office, "gd.editor")
        assert wait_told(office.browser(address="203.0.113.8")) > 0, "strangers wait"
        travel.shift(timedelta(seconds=30))
        owner.sign_in("gd.editor")
        # Nor does their coming in give the stranger new tries.
        assert wait_told(office.browser(address="203.0.113.9")) > 0
        owner.post("/console/sign-out")
        assert wait_told(owner, "sh.editor", WRONG) == 0
        tried_from_many_addresses(office, "ops.li")
        assert wait_told(owner, "ops.li") > 0, "for others it is a stranger's browser"


def test_a_known_browser_has_as_few_tries_as_anybody(office: Office) -> None:
    with time_machine.travel(clock.now(), tick=False):
        owner = office.browser(address="203.0.113.7").sign_in("gd.editor")
        owner.post("/console/sign-out")
        waits = []
        for number in range(25):
            owner.client.environ_base["REMOTE_ADDR"] = f"198.51.100.{number}"
            waits.append(wait_told(owner))
        assert waits.index(61) == 20
        owner.client.environ_base["REMOTE_ADDR"] = "203.0.113.7"
        assert [wait_told(owner, "sh.editor") for _ in range(6)][-1] > 0, "an address has five"


def test_a_stranger_keeps_nobody_from_proving_who_they_are(office: Office) -> None:
    with time_machine.travel(clock.now(), tick=False):
        owner = office.browser(address="203.0.113.7").sign_in("gd.editor")
        tried_from_many_addresses(office, "gd.editor")
        office.forget_codes("gd.editor")
        owner.get("/console/prove")
        answer = owner.post("/console/prove", code=office.code("gd.editor"))
        assert answer.status_code == 303


def test_the_password_alone_makes_no_browser_a_known_one(office: Office) -> None:
    browser = office.browser()
    browser.give_password("gd.editor")
    assert browser.client.get_cookie("console-device") is None
    browser.get("/console/second-factor")
    browser.post("/console/second-factor", code="000000")
    assert browser.client.get_cookie("console-device") is None


def test_an_unknown_account_is_limited_in_the_same_words(office: Office) -> None:
    with time_machine.travel(clock.now(), tick=False):
        tried_from_many_addresses(office, "nobody")
        assert wait_told(office.browser(address="203.0.113.7"), "nobody") == 61


def test_a_whole_branch_may_sign_in_at_half_past_eight(office: Office) -> None:
    """Right passwords do not count, however many come from one address."""
    with time_machine.travel(clock.now(), tick=False):
        for _ in range(8):
            answer = office.browser().give_password("gd.editor")
            assert answer.status_code == 303


def test_codes_are_limited_as_passwords_are(office: Office) -> None:
    with time_machine.travel(clock.now(), tick=False):
        browser = office.browser()
        browser.give_password("gd.editor")
        browser.get("/console/second-factor")
        tried = [browser.post("/console/second-factor", code=f"{n:06}") for n in range(6)]
    assert [answer.status_code for answer in tried] == [401] * 5 + [429]


def test_whoever_has_the_password_cannot_guess_the_code(office: Office) -> None:
    """Giving the right password again, from anywhere, wipes out no wrong code."""
    looked_at = 0
    with time_machine.travel(clock.now(), tick=False):
        for number in range(30):
            browser = office.browser(address=f"198.51.100.{number}")
            if browser.give_password("gd.editor").status_code == 303:
                browser.get("/console/second-factor")
                tried = browser.post("/console/second-factor", code=f"{number:06}")
                looked_at += tried.status_code == 401
    assert looked_at == 20


def test_many_tries_at_once_do_not_slip_through(office: Office) -> None:
    statuses: list[int] = []
    browsers = [office.browser() for _ in range(12)]
    for browser in browsers:
        browser.get("/console/sign-in")

    def attempt(browser: Browser) -> None:
        answer = browser.post("/console/sign-in", login="gd.editor", password=WRONG)
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=attempt, args=(one,)) for one in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(401) <= 5
    assert len(statuses) == 12


def test_behind_our_proxy_the_address_is_what_the_proxy_says(office: Office) -> None:
    from dataclasses import replace

    from service.console import guard

    def seen(hops: int, *, peer: str = "10.0.0.1", said: str = "") -> str:
        headers = {"X-Forwarded-For": said} if said else {}
        app, before = office.app, office.wiring
        settings = replace(before.settings, proxy_hops=hops)
        app.extensions["wiring"] = replace(before, settings=settings)
        try:
            with app.test_request_context(headers=headers, environ_base={"REMOTE_ADDR": peer}):
                return guard.address()
        finally:
            app.extensions["wiring"] = before

    assert seen(0, said="1.2.3.4") == "10.0.0.1", "anybody may write this header"
    assert seen(1, said="6.6.6.6, 1.2.3.4") == "1.2.3.4"
    assert seen(2, said="6.6.6.6, 1.2.3.4, 10.0.0.2") == "1.2.3.4"
    assert seen(1) == "10.0.0.1"
    assert seen(1, said="not an address") == "10.0.0.1"
    assert seen(0, peer="2001:db8:1:2:3:4:5:6") == seen(0, peer="2001:db8:1:2::9")
    assert seen(0, peer="2001:db8:1:2::9") != seen(0, peer="2001:db8:1:3::9")
