"""Administrators take people on and ask for their rights; a second person gives them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyotp
import pytest
import time_machine
from sqlalchemy import delete

from service import audit, clock
from service.approvals import operations as changes
from service.approvals import queries
from service.approvals.models import Document, VersionRow
from service.approvals.refusals import NotAllowed, NotYours, OwnWork
from service.staff import operations, sessions
from service.staff.grants_section import KIND, OwnRights
from service.staff.people import Me
from service.staff.rights import Grant
from tests.service.console.conftest import Browser, Office


@pytest.fixture
def admin(office: Office) -> Iterator[Browser]:
    yield office.browser().sign_in("admin")
    with office.wiring.unit() as unit:
        unit.db.execute(Document.__table__.update().values(live=None))
        unit.db.execute(delete(VersionRow))
        unit.db.execute(delete(Document))


def as_me(office: Office, login: str) -> Me:
    with office.wiring.reading() as unit:
        one = operations.required(unit, login)
    return Me(one.id, one.login, one.name, one.grants)


def grants(office: Office, login: str) -> tuple[Grant, ...]:
    with office.wiring.reading() as unit:
        return operations.required(unit, login).grants


def open_change(office: Office, login: str, code: str) -> tuple[int, str]:
    with office.wiring.unit() as unit:
        (version,) = queries.open_of(unit, KIND, branch=code, key=login)
        return version.id, version.hash


def ask(admin: Browser, login: str, code: str, *roles: str, why: str = "岗位需要") -> int:
    admin.get(f"/console/people/{login}")
    answer = admin.post(f"/console/people/{login}/grants", code=code, roles=list(roles), why=why)
    return answer.status_code


def test_a_new_person_comes_with_a_password_for_once_and_no_rights(
    office: Office, admin: Browser
) -> None:
    admin.get("/console/people/new")
    added = admin.post("/console/people/new", login="Li.Wei", name="李伟", email="", subject="")
    password = re.search(r'id="initial-password">([^<]+)<', added.text)
    assert password
    assert "没有任何权限" in admin.get("/console/people/li.wei").text
    assert password[1] not in admin.get("/console/people").text
    assert "7 天内有效" in added.text
    assert "初始密码到" in admin.get("/console/people/li.wei").text
    assert office.browser().give_password("li.wei", password[1]).status_code == 303
    with time_machine.travel(clock.now() + operations.FIRST_LIFE, tick=True):
        late = office.browser(address="192.0.2.3").give_password("li.wei", password[1])
    assert late.status_code == 401, "a first password that nobody used lapses"


def test_whoever_approves_rights_reads_when_the_persons_phone_was_bound(
    office: Office, admin: Browser
) -> None:
    """An administrator who bound one in the person's place is found out by asking the person."""
    admin.get("/console/people/new")
    added = admin.post("/console/people/new", login="li.wei", name="李伟", email="", subject="")
    password = re.search(r'id="initial-password">([^<]+)<', added.text)
    assert password
    assert ask(admin, "li.wei", "B440000", "checker") == 303
    assert "本人登录、绑定以后才能批准" in admin.get("/console/people/li.wei").text
    number, _hash = open_change(office, "li.wei", "B440000")
    checker = office.browser(address="192.0.2.4").sign_in("gd.checker")
    where = f"/console/changes/{number}/approve"
    page = checker.get(where).text
    assert "还没有绑定动态码" in page
    seal = re.search(r'name="seal" value="([^"]+)"', page)
    assert seal
    refused = checker.post(where, seal=seal[1])
    assert "证明不了登录的是本人" in refused.text
    assert grants(office, "li.wei") == ()
    first = office.browser(address="192.0.2.5")
    first.give_password("li.wei", password[1])
    secret = re.search(r'id="secret">(\w+)<', first.get("/console/second-factor").text)
    assert secret
    code = pyotp.TOTP(secret[1]).at(clock.epoch())
    assert "恢复码" in first.post("/console/second-factor", code=code).text
    assert re.search(
        r"李伟（li.wei）在 [-0-9]+ [0-9:]+ 绑定了现在的动态码", checker.get(where).text
    )
    checker.post(where, seal=seal[1])
    assert grants(office, "li.wei") == (Grant("checker", "B440000"),)


def test_what_is_wrong_with_a_new_person_is_told_and_what_was_typed_stays(admin: Browser) -> None:
    admin.get("/console/people/new")
    again = admin.post("/console/people/new", login="gd.editor", name='<b>"李"</b>')
    assert again.status_code == 422
    assert "已经有人使用" in again.text
    assert "&lt;b&gt;" in again.text
    assert "<b>" not in again.text


def test_rights_count_only_after_a_second_person_of_the_branch_said_yes(
    office: Office, admin: Browser
) -> None:
    office.take_on("li.wei")
    office.bind("li.wei")
    assert ask(admin, "li.wei", "B440000", "editor") == 303
    assert grants(office, "li.wei") == ()
    number, seal = open_change(office, "li.wei", "B440000")
    with pytest.raises(NotAllowed), office.wiring.unit() as unit:
        changes.approve(unit, number, seal=seal, by=as_me(office, "admin"))
    with pytest.raises(NotYours), office.wiring.unit() as unit:
        changes.approve(unit, number, seal=seal, by=as_me(office, "sh.editor"))
    assert grants(office, "li.wei") == ()
    with office.wiring.unit() as unit:
        seal = queries.find(unit, number, by=as_me(office, "gd.checker")).seal
        changes.approve(unit, number, seal=seal, by=as_me(office, "gd.checker"))
    assert grants(office, "li.wei") == (Grant("editor", "B440000"),)
    with office.wiring.reading() as unit:
        told = [
            entry for entry in audit.between(unit, audit.Filters()) if entry.act == "staff.granted"
        ]
    assert (told[-1].actor, told[-1].subject) == ("gd.checker", "staff:li.wei")
    assert told[-1].branch == "B440000"


def test_nobody_gives_themselves_rights(office: Office, admin: Browser) -> None:
    assert ask(admin, "admin", "HQ", "administrator", "operations") == 422
    assert "不能为自己申请权限" in admin.seen[-1].text
    # Nor do they say yes to what another asked for them.
    assert ask(admin, "gd.checker", "B440000", "checker", "editor") == 303
    number, _seal = open_change(office, "gd.checker", "B440000")
    me = as_me(office, "gd.checker")
    with office.wiring.reading() as unit:
        seal = queries.find(unit, number, by=me).seal
    with pytest.raises((OwnRights, OwnWork)), office.wiring.unit() as unit:
        changes.approve(unit, number, seal=seal, by=me)
    assert grants(office, "gd.checker") == (Grant("checker", "B440000"),)


@pytest.mark.parametrize(
    ("code", "roles", "why", "told"),
    [
        ("B440000", ["editor", "auditor"], "岗位需要", "不能兼任"),
        ("B440000", ["root"], "岗位需要", "没有「root」"),
        ("B440000", ["editor"], " ", "没有填写原因"),
    ],
)
def test_what_cannot_be_asked_for_is_told(
    office: Office, admin: Browser, code: str, roles: list[str], why: str, told: str
) -> None:
    office.take_on("li.wei")
    assert ask(admin, "li.wei", code, *roles, why=why) == 422
    assert told in admin.seen[-1].text
    assert ask(admin, "li.wei", "B999999", "editor") == 404


def test_locking_ends_every_session_at_once(office: Office, admin: Browser) -> None:
    editor = office.browser(address="192.0.2.2").sign_in("gd.editor")
    admin.get("/console/people/gd.editor")
    assert admin.post("/console/people/gd.editor/lock").status_code == 303
    assert editor.get("/console/").location == "/console/sign-in"
    assert "账号已停用" in admin.get("/console/people/gd.editor").text
    assert admin.post("/console/people/gd.editor/unlock").status_code == 303
    assert admin.post("/console/people/admin/lock").status_code == 403


@pytest.fixture
def local_admin(office: Office) -> Browser:
    """An administrator of 广东 alone, signed in."""
    with office.wiring.unit() as unit:
        staff_id = operations.add(unit, login="gd.admin", name="钱管理", by=None)
        operations.set_grants(
            unit, staff_id=staff_id, branch="B440000", roles=["administrator"], by=None
        )
        token = sessions.open_session(unit, staff_id=staff_id, stage=sessions.SIGNED_IN)
    browser = office.browser()
    browser.client.set_cookie("console", token)
    browser.get("/console/")
    return browser


@pytest.mark.parametrize(
    ("login", "status"),
    [("gd.editor", 200), ("sh.editor", 404), ("ops.wang", 404), ("nobody", 404)],
)
def test_a_branchs_administrator_sees_the_branchs_people(
    local_admin: Browser, login: str, status: int
) -> None:
    assert local_admin.get(f"/console/people/{login}").status_code == status
    assert (login in local_admin.get("/console/people").text) == (status == 200)
    for verb in ("lock", "unlock", "grants"):
        sent = local_admin.post(
            f"/console/people/{login}/{verb}", code="B440000", roles=["editor"], why="x"
        )
        assert (sent.status_code == 404) == (status == 404)


def test_whoever_works_for_others_as_well_is_not_theirs_to_lock(
    office: Office, local_admin: Browser
) -> None:
    staff_id = office.take_on("both.sides")
    with office.wiring.unit() as unit:
        for code in ("B440000", "B310000"):
            operations.set_grants(unit, staff_id=staff_id, branch=code, roles=["reader"], by=None)
    assert local_admin.get("/console/people/both.sides").status_code == 200
    assert local_admin.post("/console/people/both.sides/lock").status_code == 403


@pytest.mark.parametrize("login", ["gd.editor", "gd.checker", "ops.wang", "auditor", "reader"])
def test_these_pages_are_for_administrators(office: Office, login: str) -> None:
    browser = office.browser().sign_in(login)
    assert "/console/people" not in browser.get("/console/").text
    for path in ("/console/people", "/console/people/new", "/console/people/sh.editor"):
        assert browser.get(path).status_code == 403
    assert browser.post("/console/people/sh.editor/lock").status_code == 403


def test_the_roles_a_person_has_are_ticked_branch_by_branch(admin: Browser) -> None:
    """Or asking for one more role would take the others away unnoticed."""

    def ticked(path: str) -> list[str]:
        return re.findall(r'value="(\w+)" checked', admin.get(path).text)

    assert ticked("/console/people/gd.editor") == ["editor"]
    assert ticked("/console/people/gd.editor?code=B440000") == ["editor"]
    assert ticked("/console/people/gd.editor?code=B310000") == []
    assert ticked("/console/people/gd.editor?code=B999999") == ["editor"]


def test_a_change_that_waits_is_told(office: Office, admin: Browser) -> None:
    office.take_on("li.wei")
    ask(admin, "li.wei", "B310000", "editor")
    assert "等待审批" in admin.get("/console/people/li.wei?code=B310000").text
    assert "等待审批" not in admin.get("/console/people/li.wei?code=B440000").text
