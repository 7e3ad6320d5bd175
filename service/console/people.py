"""Administrators' pages: who works here, taking people on, keeping them out, asking for rights.

An administrator gives a lost password or a lost second factor anew by handing over a code, and
never both to the same person (see ``service.staff.resets``): with both they could be anybody.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, abort, flash, request
from flask.typing import ResponseReturnValue

from service.access import access
from service.approvals import operations as changes
from service.approvals import queries
from service.approvals.refusals import Refused
from service.approvals.states import State
from service.console import guard, shell
from service.staff import Me, branches_of, door, operations, passwords, resets, rights
from service.staff.grants_section import KIND, SECTION_NAME, is_in_reach
from service.staff.operations import Person, StaffRefused
from service.wiring import Unit, wiring

people = Blueprint("console_people", __name__, url_prefix=f"{guard.ROOT}/people")


@people.get("")
@access("staff", may="manage_staff")
def listing() -> Response:
    """Everybody within the administrator's jurisdiction, and whoever has no rights yet."""
    me = guard.me()
    with wiring().reading() as unit:
        found = [one for one in operations.everybody(unit) if is_in_reach(unit, me, one)]
        names = unit.wiring.tables.branch_names(unit)
    return shell.page(
        "console/people.html",
        title="人员",
        people=found,
        names=names,
        states=operations.STATES,
    )


@people.get("/new")
@access("staff", may="manage_staff")
def new() -> Response:
    return shell.page("console/person_new.html", title="添加人员", given={})


@people.post("/new")
@access("staff", may="manage_staff", fresh=True)
def add() -> Response:
    """Take somebody on. The password is shown this once, and changed at the first sign-in."""
    by_sso = request.form.get("subject", "").strip()
    password = "" if by_sso else passwords.generated()
    # A hash takes as long as forty queries, so nothing is open meanwhile.
    hashed = passwords.hashed(password) if password else None
    try:
        with wiring().unit() as unit:
            operations.add(
                unit,
                login=request.form.get("login", ""),
                name=request.form.get("name", ""),
                by=guard.me(),
                password_hash=hashed,
                email=request.form.get("email", ""),
                oidc_subject=by_sso[:255],
            )
    except StaffRefused as refused:
        return shell.page(
            "console/person_new.html", title="添加人员", problem=str(refused),
            given=request.form, status=422,
        )  # fmt: skip
    return shell.page(
        "console/person_added.html", title="已添加", password=password,
        login=operations.login_of(request.form.get("login", "")), days=operations.FIRST_LIFE.days,
    )  # fmt: skip


@people.get("/<login>")
@access("staff", may="manage_staff")
def person(login: str) -> Response:
    """One person: what they may do where, and asking for more or less of it."""
    with wiring().reading() as unit:
        return _page_of(unit, _in_reach(unit, login))


@people.post("/<login>/grants")
@access("staff", may="manage_staff", fresh=True)
def ask_for_grants(login: str) -> ResponseReturnValue:
    """Propose what the person is to be allowed at one branch; a second person decides."""
    me, code = guard.me(), request.form.get("code", "")
    roles = sorted(set(request.form.getlist("roles")))
    problem = ""
    try:
        with wiring().unit() as unit:
            one = _in_reach(unit, login)
            door(unit, me, code, "manage_staff")
            draft = changes.open_draft(unit, KIND, branch=code, by=me, key=one.login)
            content = {SECTION_NAME: {"roles": roles}}
            saved = changes.save(unit, draft.id, content=content, seen=draft.hash, by=me)
            why = request.form.get("why", "")
            changes.propose(unit, saved.id, why=why, seen=saved.hash, by=me)
    except Refused as refused:
        problem = f"{refused.says}。{refused.way_out}"
    except StaffRefused as refused:
        problem = str(refused)
    if problem:
        with wiring().reading() as unit:
            return _page_of(unit, _in_reach(unit, login), problem=problem, status=422)
    flash("授权申请已提交，由该机构的复核人员审批后生效。", "success")
    return guard.go(f"{guard.ROOT}/people/{login}")


@people.post("/<login>/lock")
@access("staff", may="manage_staff", fresh=True)
def lock(login: str) -> ResponseReturnValue:
    """Keep somebody out at once: that takes one person, always."""
    with wiring().unit() as unit:
        one = _in_reach(unit, login, wholly=True)
        if one.id == guard.me().id:
            abort(403)
        operations.lock(unit, login=one.login, by=guard.me(), why=request.form.get("why", ""))
    flash(f"{one.name}的账号已停用，所有登录都已退出。", "success")
    return guard.go(f"{guard.ROOT}/people/{login}")


@people.post("/<login>/unlock")
@access("staff", may="manage_staff", fresh=True)
def unlock(login: str) -> ResponseReturnValue:
    """Let somebody in again, with the rights they had."""
    with wiring().unit() as unit:
        one = _in_reach(unit, login, wholly=True)
        operations.unlock(unit, login=one.login, by=guard.me(), why=request.form.get("why", ""))
    flash(f"{one.name}的账号已启用。", "success")
    return guard.go(f"{guard.ROOT}/people/{login}")


@people.post("/<login>/reset")
@access("staff", may="manage_staff", fresh=True)
def reset(login: str) -> Response:
    """Give a lost password or second factor anew; the code for it is shown this once."""
    what, code = request.form.get("what", ""), passwords.spoken()
    hashed = passwords.hashed(code)
    why = request.form.get("why", "").strip()[:200]
    try:
        with wiring().unit() as unit:
            one = _in_reach(unit, login, wholly=True)
            if not why:
                raise StaffRefused("请写明怎样核实是本人的，例如：回拨登记的手机，核对了工号")
            resets.start(unit, one, what=what, code=code, hashed=hashed, by=guard.me(), why=why)
    except StaffRefused as refused:
        with wiring().reading() as unit:
            return _page_of(unit, _in_reach(unit, login), problem=str(refused), status=422)
    minutes = int(resets.LIFE.total_seconds() // 60)
    return shell.page(
        "console/person_reset.html", title=f"已重置{resets.TITLES[what]}", one=one, what=what,
        code=code, minutes=minutes,
    )  # fmt: skip


def _page_of(unit: Unit, one: Person, *, problem: str = "", status: int = 200) -> Response:
    me = guard.me()
    within = branches_of(unit, me, "manage_staff")
    at = _branch_shown(one, within)
    held = [grant.role for grant in one.grants if grant.branch == at]
    waiting = queries.open_of(unit, KIND, branch=at, key=one.login) if at else []
    return shell.page(
        "console/person.html", title=one.name, one=one, within=within, at=at, problem=problem,
        names=unit.wiring.tables.branch_names(unit), roles=rights.ROLES, states=operations.STATES,
        chosen=request.form.getlist("roles") if request.method == "POST" else held,
        why=request.form.get("why", ""), is_me=one.id == me.id,
        is_wholly_mine=_is_wholly_in_reach(unit, me, one),
        resets=resets.open_of(unit, one.id), lost=resets.TITLES,
        is_waiting=any(version.state is State.PROPOSED for version in waiting), status=status,
    )  # fmt: skip


def _branch_shown(one: Person, within: Mapping[str, str]) -> str:
    """The branch whose roles are ticked: as asked for, else where the person has any."""
    asked = request.values.get("code", "")
    own = [grant.branch for grant in one.grants]
    return next((code for code in (asked, *own, *within) if code in within), "")


def _in_reach(unit: Unit, login: str, *, wholly: bool = False) -> Person:
    """The person; foreign and absent look alike."""
    found = operations.person(unit, login)
    if found is None or not is_in_reach(unit, guard.me(), found):
        abort(404)
    if wholly and not _is_wholly_in_reach(unit, guard.me(), found):
        abort(403)
    return found


def _is_wholly_in_reach(unit: Unit, me: Me, one: Person) -> bool:
    """Whether all this person may do lies where the administrator may decide on it."""
    lineage = unit.wiring.tables.lineage
    return all(
        rights.may(me.grants, "manage_staff", lineage(unit, grant.branch)) for grant in one.grants
    )
