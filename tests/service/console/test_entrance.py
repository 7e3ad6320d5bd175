"""Coming in: password, code, rotation, time-outs; and every way that must not lead in."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from markupsafe import escape
from sqlalchemy import select

from service import clock
from service.staff import cast, operations
from service.staff.models import Staff, StaffSession
from tests.service.console.conftest import Browser, Office


def test_password_and_code_lead_in(browser: Browser) -> None:
    browser.sign_in("gd.editor")
    home = browser.get("/console/")
    assert "陈小燕" in home.text
    assert "广东省分行" in home.text
    assert "上海市分行" not in home.text


def test_the_password_alone_opens_nothing(browser: Browser) -> None:
    browser.give_password("gd.editor")
    assert browser.get("/console/").location == "/console/second-factor"
    assert browser.get("/console/account").location == (
        "/console/second-factor?next=/console/account"
    )


def test_whoever_asked_for_a_page_gets_there_after_both_steps(office: Office) -> None:
    browser = office.browser()
    office.forget_codes("admin")
    asked = browser.get("/console/people")
    assert asked.location == "/console/sign-in?next=/console/people"
    browser.get(asked.location)
    given = browser.post(
        "/console/sign-in", login="admin", password=office.password, next="/console/people"
    )
    assert given.location == "/console/people"
    form = browser.get(browser.get("/console/people").location or "")
    assert 'action="/console/second-factor?next=/console/people"' in form.text
    done = browser.post("/console/second-factor?next=/console/people", code=office.code("admin"))
    assert done.location == "/console/people"
    assert browser.get("/console/people").status_code == 200


@pytest.mark.parametrize(
    "away",
    [
        "https://evil.example/",
        "//evil.example/console/",
        "/\\evil.example",
        "/console/\\evil.example",
        "/console/..//evil.example",
        "/console//evil.example",
        "javascript:alert(1)",
        "/console/\nSet-Cookie:x=1",
        "/console/sign-in",
        "/console/nothing",
        "/s/outlets",
        "/console/people#x",
        "/console/people\u3000",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(office: Office, away: str) -> None:
    browser = office.browser()
    answer = browser.give_password("gd.editor", next=away)
    assert answer.location == "/console/"


def test_every_wrong_answer_looks_the_same(office: Office) -> None:
    office.take_on("locked.one")
    with office.wiring.unit() as unit:
        operations.lock(unit, login="locked.one", by=None)
    office.take_on("sso.only", password_hash=None, oidc_subject="sub-1")
    answers = set()
    for number, (login, password) in enumerate(
        [
            ("nobody", "whatever-It-1s"),
            ("gd.editor", "whatever-It-1s"),
            ("locked.one", office.password),
            ("sso.only", office.password),
            ("", ""),
            ("gd.editor", ""),
            ("x" * 4000, "y" * 4000),
            ("gd.editor'--", office.password),
        ]
    ):
        browser = office.browser(address=f"192.0.2.{number}")
        answer = browser.give_password(login, password)
        shown = answer.text.replace(f'value="{escape(login[:80])}"', 'value=""')
        shown = shown.replace(f'value="{browser.token}"', "").replace(" autofocus", "")
        answers.add((answer.status_code, shown))
        assert browser.cookie == ""
    assert [status for status, _shown in answers] == [401]


def test_an_unknown_login_costs_the_same_work(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.staff import passwords

    hashes: list[str] = []

    class Counting:
        """The hasher itself, noting the parameters of what it is asked to verify."""

        def __init__(self, inside: object) -> None:
            self.inside = inside

        def __getattr__(self, name: str) -> object:
            return getattr(self.inside, name)

        def verify(self, kept: str, password: str) -> bool:
            hashes.append(kept.rsplit("$", 2)[0])
            return self.inside.verify(kept, password)  # type: ignore[attr-defined,no-any-return]  # a hasher

    monkeypatch.setattr(passwords, "_HASHER", Counting(passwords._HASHER))
    office.browser().give_password("nobody", "whatever-It-1s")
    office.browser().give_password("gd.editor", "whatever-It-1s")
    assert len(hashes) == 2
    assert hashes[0] == hashes[1]


def test_a_code_counts_once_even_in_another_browser(office: Office) -> None:
    noon = clock.now().replace(second=5)
    with time_machine.travel(noon, tick=False):
        office.browser().sign_in("gd.editor")
        thief = office.browser()
        thief.give_password("gd.editor")
        thief.get("/console/second-factor")
        assert (
            thief.post("/console/second-factor", code=office.code("gd.editor")).status_code == 401
        )
    # Not even while the window still holds it, and no older one either.
    with time_machine.travel(noon + timedelta(seconds=30), tick=False):
        next_code = office.code("gd.editor")
        assert thief.post("/console/second-factor", code=next_code).status_code == 303


def test_a_code_may_be_one_step_off_and_no_more(office: Office) -> None:
    noon = clock.now().replace(second=0, microsecond=0)
    for late, status in ((60, 401), (30, 303)):
        office.forget_codes("gd.editor")
        with time_machine.travel(noon, tick=False):
            code = office.code("gd.editor")
        with time_machine.travel(noon + timedelta(seconds=late), tick=False):
            browser = office.browser()
            browser.give_password("gd.editor")
            browser.get("/console/second-factor")
            assert browser.post("/console/second-factor", code=code).status_code == status


def test_the_session_is_another_after_each_step(office: Office) -> None:
    browser = office.browser()
    office.forget_codes("gd.editor")
    browser.client.set_cookie("console", "planted-by-somebody", httponly=True)
    browser.give_password("gd.editor")
    half_way = browser.cookie
    assert half_way != "planted-by-somebody"
    browser.get("/console/second-factor")
    browser.post("/console/second-factor", code=office.code("gd.editor"))
    assert browser.cookie not in ("", half_way)
    inside = browser.cookie
    browser.client.set_cookie("console", half_way, httponly=True)
    assert "/console/sign-in" in (browser.get("/console/").location or "")
    with office.wiring.reading() as unit:
        kept = str(unit.db.execute(select(StaffSession.__table__)).all())
    assert inside not in kept
    assert half_way not in kept


def test_an_idle_session_ends_and_a_busy_one_goes_on(office: Office) -> None:
    morning = clock.now()
    with time_machine.travel(morning, tick=False) as travel:
        browser = office.browser().sign_in("gd.editor")
        for _ in range(4):
            travel.shift(timedelta(minutes=14))
            assert browser.get("/console/").status_code == 200
        travel.shift(timedelta(minutes=15, seconds=1))
        assert browser.get("/console/").location == "/console/sign-in"


def test_after_eight_hours_everybody_signs_in_again(office: Office) -> None:
    morning = clock.now()
    with time_machine.travel(morning, tick=False) as travel:
        browser = office.browser().sign_in("gd.editor")
        for _ in range(8 * 6):
            travel.shift(timedelta(minutes=10))
            assert browser.get("/console/").status_code == 200
        travel.shift(timedelta(seconds=1))
        assert browser.get("/console/").location == "/console/sign-in"


def test_half_way_in_lasts_ten_minutes(office: Office) -> None:
    with time_machine.travel(clock.now(), tick=False) as travel:
        browser = office.browser()
        browser.give_password("gd.editor")
        travel.shift(timedelta(minutes=10, seconds=1))
        answer = browser.get("/console/second-factor")
        assert answer.location == "/console/sign-in"


def test_signing_out_ends_the_session_itself(office: Office) -> None:
    browser = office.browser().sign_in("gd.editor")
    kept = browser.cookie
    assert browser.post("/console/sign-out").location == "/console/sign-in"
    assert browser.cookie == ""
    browser.client.set_cookie("console", kept)
    assert browser.get("/console/").location == "/console/sign-in"


def test_signing_out_everywhere_ends_every_browser(office: Office) -> None:
    here, there = office.browser().sign_in("gd.editor"), office.browser().sign_in("gd.editor")
    other = office.browser().sign_in("sh.editor")
    there.get("/console/account")
    there.post("/console/account/sign-out-everywhere")
    assert here.get("/console/").location == "/console/sign-in"
    assert other.get("/console/").status_code == 200


def test_who_is_locked_out_is_out_at_once(office: Office) -> None:
    browser = office.browser().sign_in("gd.editor")
    with office.wiring.unit() as unit:
        operations.lock(unit, login="gd.editor", by=None)
    assert browser.get("/console/").location == "/console/sign-in"
    with office.wiring.unit() as unit:
        operations.unlock(unit, login="gd.editor", by=None)
    assert browser.get("/console/").location == "/console/sign-in"
    browser.sign_in("gd.editor")


def test_a_new_person_sets_up_a_code_and_a_password_of_their_own(office: Office) -> None:
    import re

    import pyotp

    office.take_on("new.one")
    browser = office.browser()
    browser.give_password("NEW.One")
    page = browser.get("/console/second-factor")
    assert "data:image/svg+xml" in page.text
    secret = re.search(r'id="secret">([A-Z2-7]+)<', page.text)
    assert secret
    assert secret[1] in browser.get("/console/second-factor").text, "a reload keeps the square"
    assert browser.post("/console/second-factor", code="000000").status_code == 401
    codes = browser.post("/console/second-factor", code=pyotp.TOTP(secret[1]).now())
    recovery = re.findall(r"<code>([A-Z2-7]{5}-[A-Z2-7]{5})</code>", codes.text)
    assert len(set(recovery)) == 10
    assert browser.get("/console/account").location == "/console/password?next=/console/account"
    browser.get("/console/password")
    for bad, again in (
        (office.password, office.password),
        ("short", "short"),
        ("Other-Pass-77", "x"),
    ):
        assert browser.post("/console/password", password=bad, again=again).status_code == 422
    browser.post("/console/password", password="Eigene-Worte-77", again="Eigene-Worte-77")
    assert browser.get("/console/").status_code == 200

    later = office.browser()
    assert later.give_password("new.one").status_code == 401, "the old password is gone"
    later.give_password("new.one", "Eigene-Worte-77")
    later.get("/console/second-factor")
    typed = recovery[0].lower().replace("-", " ")
    assert later.post("/console/second-factor", code=typed).location == "/console/"
    again = office.browser()
    again.give_password("new.one", "Eigene-Worte-77")
    again.get("/console/second-factor")
    assert again.post("/console/second-factor", code=recovery[0]).status_code == 401


def test_nothing_secret_lies_readable_in_the_table(office: Office) -> None:
    with office.wiring.reading() as unit:
        kept = str(unit.db.execute(select(Staff.__table__)).all())
    assert office.password not in kept
    assert not any(cast.secret_of(office.settings, one.login) in kept for one in cast.CAST)
