"""Whoever forgot the password or lost the phone gets back in; no administrator in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pyotp
import pytest
import time_machine
from sqlalchemy import delete, update

from service import audit, clock
from service.staff import cast, operations, passwords, resets, second_factor, sessions
from service.staff.models import Staff, StaffReset
from service.staff.rights import Grant
from tests.service.console.conftest import Browser, Office

MINE = "Only-I-know-this-1"


@dataclass(frozen=True)
class Colleague:
    """Somebody of 广东 with a password and a phone of their own."""

    office: Office
    secret: str
    login: str = "he.mei"

    def code(self, secret: str = "") -> str:
        return pyotp.TOTP(secret or self.secret).at(clock.epoch())

    def forget_codes(self) -> None:
        self.office.forget_codes(self.login)

    def come_in(self, browser: Browser, password: str = MINE, code: str = "") -> int:
        """The status of the page one ends on: 200 inside, 401 refused."""
        self.forget_codes()
        if browser.give_password(self.login, password).status_code != 303:
            return browser.seen[-1].status_code
        browser.get("/console/second-factor")
        answer = browser.post("/console/second-factor", code=code or self.code())
        return (
            answer.status_code
            if answer.status_code != 303
            else browser.get("/console/").status_code
        )


@pytest.fixture
def colleague(office: Office) -> Iterator[Colleague]:
    staff_id = office.take_on("he.mei", password_hash=passwords.hashed(MINE))
    found = Colleague(office, second_factor.new_secret())
    with office.wiring.unit() as unit:
        operations.set_grants(unit, staff_id=staff_id, branch="B440000", roles=["editor"], by=None)
        second_factor.settle(
            unit, staff_id, seal=second_factor.sealed(unit, found.secret), code=found.code()
        )
        unit.db.execute(
            update(Staff).where(Staff.id == staff_id).values(must_change_password=False)
        )
    yield found
    with office.wiring.unit() as unit:
        unit.db.execute(delete(StaffReset))


@pytest.fixture
def admin(office: Office) -> Browser:
    return office.browser(address="192.0.2.50").sign_in("admin")


@pytest.fixture
def second_admin(office: Office) -> Browser:
    """Another administrator of head office, signed in."""
    with office.wiring.unit() as unit:
        staff_id = operations.add(unit, login="admin.two", name="孙管理", by=None)
        operations.set_grants(
            unit, staff_id=staff_id, branch="HQ", roles=["administrator"], by=None
        )
        token = sessions.open_session(unit, staff_id=staff_id, stage=sessions.SIGNED_IN)
    browser = office.browser(address="192.0.2.51")
    browser.client.set_cookie("console", token)
    browser.get("/console/")
    return browser


def ask(admin: Browser, what: str, login: str = "he.mei") -> str:
    """The code that is shown, "" when none is."""
    admin.get(f"/console/people/{login}")
    answer = admin.post(f"/console/people/{login}/reset", what=what, why="电话核实工号")
    found = re.search(r'id="reset-code">([^<]+)<', answer.text)
    assert (found is not None) == (answer.status_code == 200), answer.text
    return found[1] if found else ""


def acts(office: Office) -> list[audit.Entry]:
    with office.wiring.reading() as unit:
        return list(audit.between(unit, audit.Filters(subject="staff:he.mei")))


def test_a_lost_password_is_given_anew_and_chosen_by_the_person(
    office: Office, admin: Browser, colleague: Colleague
) -> None:
    inside = office.browser()
    assert colleague.come_in(inside) == 200
    code = ask(admin, resets.PASSWORD)
    assert inside.get("/console/").location == "/console/sign-in", "every session ends"
    assert colleague.come_in(office.browser()) == 401, "the old password is gone"
    browser = office.browser()
    assert colleague.come_in(browser, code) == 303
    assert browser.seen[-1].location == "/console/password"
    browser.get("/console/password")
    same = browser.post("/console/password", password=code, again=code)
    assert "不能和原来的密码一样" in same.text, "the administrator knows that one"
    answer = browser.post("/console/password", password="Quite-another-7", again="Quite-another-7")
    assert answer.location == "/console/"
    assert browser.get("/console/").status_code == 200
    assert colleague.come_in(office.browser(), "Quite-another-7") == 200
    with office.wiring.reading() as unit:
        assert operations.required(unit, "he.mei").grants == (Grant("editor", "B440000"),)
    started = next(one for one in acts(office) if one.act == "staff.reset_started")
    assert (started.actor, started.why) == ("admin", "电话核实工号")
    assert code not in str(acts(office)), "the audit knows no code"


def test_a_lost_phone_is_replaced_by_whoever_knows_the_password(
    office: Office, admin: Browser, colleague: Colleague
) -> None:
    code = ask(admin, resets.SECOND_FACTOR)
    assert colleague.come_in(office.browser()) == 200, "who finds the phone again goes on with it"
    browser = office.browser()
    assert colleague.come_in(browser, code=code.lower()) == 303
    assert browser.seen[-1].location == "/console/second-factor"
    secret = re.search(r'id="secret">(\w+)<', browser.get("/console/second-factor").text)
    assert secret
    assert secret[1] != colleague.secret
    elsewhere = office.browser(address="192.0.2.9")
    elsewhere.give_password(colleague.login, MINE)
    assert 'id="secret"' not in elsewhere.get("/console/second-factor").text
    assert browser.post("/console/second-factor", code="000000").status_code == 401
    bound = browser.post("/console/second-factor", code=colleague.code(secret[1]))
    assert "恢复码" in bound.text
    assert browser.get("/console/").status_code == 200
    assert colleague.come_in(office.browser()) == 401, "the old phone is worth nothing"
    assert "staff.reset_used" in [one.act for one in acts(office)]


def test_a_code_works_once(office: Office, admin: Browser, colleague: Colleague) -> None:
    code = ask(admin, resets.PASSWORD)
    first, second = office.browser(), office.browser(address="192.0.2.9")
    for browser in (first, second):
        browser.give_password("he.mei", code)
        browser.get("/console/second-factor")
    colleague.forget_codes()
    assert first.post("/console/second-factor", code=colleague.code()).status_code == 303
    colleague.forget_codes()
    assert second.post("/console/second-factor", code=colleague.code()).status_code == 401
    assert office.browser(address="192.0.2.10").give_password("he.mei", code).status_code == 401
    again = ask(admin, resets.PASSWORD)
    assert colleague.come_in(office.browser(address="192.0.2.11"), again) == 303


@pytest.mark.parametrize("what", [resets.PASSWORD, resets.SECOND_FACTOR])
def test_a_code_lapses(office: Office, admin: Browser, colleague: Colleague, what: str) -> None:
    code = ask(admin, what)
    given = {"password": code} if what == resets.PASSWORD else {"code": code}
    with time_machine.travel(clock.now() + resets.LIFE + timedelta(seconds=1), tick=False):
        assert colleague.come_in(office.browser(), **given) == 401


def test_no_administrator_gets_both_into_their_hands(
    office: Office, admin: Browser, second_admin: Browser, colleague: Colleague
) -> None:
    password = ask(admin, resets.PASSWORD)
    assert ask(admin, resets.SECOND_FACTOR) == ""
    assert "请由另一位用户管理员重置另一项" in admin.seen[-1].text
    code = ask(second_admin, resets.SECOND_FACTOR)
    assert code
    browser = office.browser()
    assert colleague.come_in(browser, password, code) == 303
    assert ask(admin, resets.PASSWORD), "the same thing once more is no second thing"
    assert ask(second_admin, resets.PASSWORD) == "", "the phone's code is used, and none bound yet"


def test_a_code_for_the_password_is_worth_nothing_while_another_phone_is_being_bound(
    office: Office, admin: Browser, second_admin: Browser, colleague: Colleague
) -> None:
    """Or the administrator who knows it could be quicker than the person."""
    password, code = ask(admin, resets.PASSWORD), ask(second_admin, resets.SECOND_FACTOR)
    person, thief = office.browser(), office.browser(address="192.0.2.66")
    thief.give_password(colleague.login, password)
    assert colleague.come_in(person, password, code) == 303
    assert 'id="secret"' in person.get("/console/second-factor").text
    assert 'id="secret"' not in thief.get("/console/second-factor").text
    assert thief.post("/console/second-factor", code=code).status_code == 401


def test_a_set_up_that_was_left_open_replaces_no_phone(office: Office) -> None:
    """Whoever told somebody their first password could otherwise wait for them to come in."""
    office.take_on("new.one")
    early, owner = office.browser(address="192.0.2.66"), office.browser()
    secrets = []
    for browser in (early, owner):
        browser.give_password("new.one")
        found = re.search(r'id="secret">(\w+)<', browser.get("/console/second-factor").text)
        assert found
        secrets.append(found[1])
    code = pyotp.TOTP(secrets[1]).at(clock.epoch())
    assert "恢复码" in owner.post("/console/second-factor", code=code).text
    late = pyotp.TOTP(secrets[0]).at(clock.epoch())
    assert early.post("/console/second-factor", code=late).status_code == 401


def test_a_password_alone_lets_nobody_in_whose_phone_is_not_bound_any_more(
    office: Office, admin: Browser, colleague: Colleague
) -> None:
    assert colleague.come_in(office.browser()) == 200
    with office.wiring.unit() as unit:
        operations.reset(unit, login="he.mei", password_hash=passwords.hashed(MINE), by=None)
    assert ask(admin, resets.PASSWORD) == ""
    assert "flask staff reset" in admin.seen[-1].text
    office.take_on("new.one")
    assert ask(admin, resets.PASSWORD, "new.one"), "who never came in is told a first one again"


def test_nobody_is_told_a_password_that_is_all_there_is_of_somebody_with_rights(
    office: Office, admin: Browser
) -> None:
    """With it an administrator would bind a phone of their own, and be a checker."""
    staff_id = office.take_on("new.one")
    with office.wiring.unit() as unit:
        operations.set_grants(unit, staff_id=staff_id, branch="B440000", roles=["checker"], by=None)
    assert ask(admin, resets.PASSWORD, "new.one") == ""
    assert "flask staff reset" in admin.seen[-1].text


def test_whoever_told_the_first_password_gives_no_second_factor_until_it_is_changed(
    office: Office, admin: Browser, second_admin: Browser
) -> None:
    admin.get("/console/people/new")
    added = admin.post("/console/people/new", login="he.xin", name="何新", email="", subject="")
    password = re.search(r'id="initial-password">([^<]+)<', added.text)
    assert password
    office.bind("he.xin")
    assert ask(admin, resets.SECOND_FACTOR, "he.xin") == ""
    assert "初始密码是您给的" in admin.seen[-1].text
    assert ask(second_admin, resets.SECOND_FACTOR, "he.xin")


@pytest.mark.parametrize("path", ["/console/password", "/console/account/password"])
def test_a_reset_that_comes_while_a_password_is_hashed_is_not_overwritten(
    office: Office,
    admin: Browser,
    colleague: Colleague,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    """Whoever held the old browser would be inside past what the administrator just did."""
    browser, told = office.browser(), []
    given = ask(admin, resets.PASSWORD) if path == "/console/password" else MINE
    assert colleague.come_in(browser, given) in (200, 303)
    browser.get(path if path == "/console/password" else "/console/account")
    hashed = passwords.hashed

    def meanwhile(password: str) -> str:
        if password == "Quite-another-7":  # What the browser below chooses.
            told.append(ask(admin, resets.PASSWORD))
        return hashed(password)

    monkeypatch.setattr(passwords, "hashed", meanwhile)
    chosen = {"password": "Quite-another-7", "again": "Quite-another-7", "current": MINE}
    assert browser.post(path, **chosen).location == "/console/sign-in"
    assert "密码没有更改" in browser.get("/console/sign-in").text
    assert colleague.come_in(office.browser(address="192.0.2.12"), "Quite-another-7") == 401
    assert colleague.come_in(office.browser(address="192.0.2.13"), told[0]) == 303


def test_through_with_one_the_other_may_be_asked_for(
    office: Office, admin: Browser, colleague: Colleague
) -> None:
    code = ask(admin, resets.PASSWORD)
    browser = office.browser()
    colleague.come_in(browser, code)
    assert ask(admin, resets.SECOND_FACTOR) == "", "the code is used, no password is chosen yet"
    browser.get("/console/password")
    browser.post("/console/password", password="Quite-another-7", again="Quite-another-7")
    assert ask(admin, resets.SECOND_FACTOR)


def test_what_lapsed_unused_is_in_nobodys_way(
    office: Office, admin: Browser, colleague: Colleague
) -> None:
    assert ask(admin, resets.SECOND_FACTOR)
    later = clock.now() + resets.LIFE + timedelta(seconds=1)
    with time_machine.travel(later, tick=False):
        browser = office.browser(address="192.0.2.60").sign_in("admin")
        assert ask(browser, resets.PASSWORD)


@pytest.mark.parametrize(
    ("login", "what", "told"),
    [
        ("he.mei", "everything", "请选择"),
        ("new.one", resets.SECOND_FACTOR, "还没有绑定动态码"),
        ("by.sso", resets.PASSWORD, "行内统一认证"),
        ("gone", resets.PASSWORD, "已停用"),
        ("admin", resets.PASSWORD, "不能重置自己的登录"),
    ],
)
def test_what_cannot_be_given_anew_is_told_with_the_way_out(
    office: Office, admin: Browser, colleague: Colleague, login: str, what: str, told: str
) -> None:
    office.take_on("new.one")
    office.take_on("by.sso", password_hash=None, oidc_subject="e-1")
    office.take_on("gone")
    with office.wiring.unit() as unit:
        operations.lock(unit, login="gone", by=None)
    assert ask(admin, what, login) == ""
    assert admin.seen[-1].status_code == 422
    assert told in admin.seen[-1].text


def test_whoever_works_elsewhere_as_well_or_only_there_is_not_theirs_to_reset(
    office: Office, colleague: Colleague
) -> None:
    with office.wiring.unit() as unit:
        staff_id = operations.add(unit, login="gd.admin", name="钱管理", by=None)
        operations.set_grants(
            unit, staff_id=staff_id, branch="B440000", roles=["administrator"], by=None
        )
        both = operations.required(unit, colleague.login)
        operations.set_grants(unit, staff_id=both.id, branch="B310000", roles=["reader"], by=None)
        token = sessions.open_session(unit, staff_id=staff_id, stage=sessions.SIGNED_IN)
    browser = office.browser()
    browser.client.set_cookie("console", token)
    browser.get("/console/")
    for login, status in (("he.mei", 403), ("sh.editor", 404), ("nobody", 404)):
        answer = browser.post(
            f"/console/people/{login}/reset", what=resets.PASSWORD, why="电话核实"
        )
        assert answer.status_code == status, login


def test_it_asks_for_a_fresh_proof_and_is_for_administrators(
    office: Office, admin: Browser, colleague: Colleague
) -> None:
    editor = office.browser(address="192.0.2.70").sign_in("gd.editor")
    editor.get("/console/account")
    assert editor.post("/console/people/he.mei/reset", what=resets.PASSWORD).status_code == 403
    admin.get("/console/people/he.mei")
    with time_machine.travel(clock.now() + sessions.FRESH + timedelta(seconds=1), tick=False):
        answer = admin.post("/console/people/he.mei/reset", what=resets.PASSWORD, why="电话核实")
    assert answer.location.startswith("/console/prove")
    assert colleague.come_in(office.browser()) == 200


def test_the_machines_own_reset_ends_what_was_under_way(
    office: Office, admin: Browser, colleague: Colleague
) -> None:
    code = ask(admin, resets.SECOND_FACTOR)
    with office.wiring.unit() as unit:
        operations.reset(unit, login="he.mei", password_hash=passwords.hashed(MINE), by=None)
        assert resets.open_of(unit, operations.required(unit, "he.mei").id) == []
    browser = office.browser()
    browser.give_password("he.mei", MINE)
    browser.get("/console/second-factor")
    assert browser.post("/console/second-factor", code=code).status_code == 401


def test_the_page_says_what_is_under_way(
    office: Office, admin: Browser, colleague: Colleague
) -> None:
    assert "flask staff reset he.mei" in admin.get("/console/people/he.mei").text
    ask(admin, resets.SECOND_FACTOR)
    page = admin.get("/console/people/he.mei").text
    assert "动态码的重置码到" in page
    assert "flask staff reset admin" not in admin.get("/console/people/admin").text
    assert cast.password(office.settings) not in page
