"""Rights as a reviewed change: what one person may do at one branch is a document like any other.

Its key is the person's login, its branch where the roles count, its content ``{"roles": [...]}``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from service import audit, clock
from service.approvals.kinds import ChangeKind, Content, Difference, Fault, Section
from service.approvals.refusals import NotYours, Refused
from service.audit import Actor
from service.staff import operations, rights
from service.staff.models import LOCKED
from service.staff.operations import Person, StaffRefused
from service.staff.people import Me
from service.staff.rights import ROLES, clashes
from service.wiring import Unit

#: The kind's name in ``Tables.changes``, and its one section.
KIND: Final = "grants"
SECTION_NAME: Final = "grants"


#: What the audit calls it when somebody binds a phone.
_BOUND: Final = "staff.bound_second_factor"


class OwnRights(Refused):
    """Nobody decides on what they themselves may do."""

    way_out = "请通知另一位复核人员来审批。"

    def __init__(self) -> None:
        super().__init__("不能审批自己的权限")


class ForOneself(Refused):
    """Nobody asks for rights of their own."""

    way_out = "请由另一位用户管理员提出。"

    def __init__(self) -> None:
        super().__init__("不能为自己申请权限")


class NotYetProved(Refused):
    """Rights are for a person, and so far a password that others know is all there is of them."""

    way_out = "请等本人登录、绑定动态码（或用统一认证登录）以后再批准；申请会一直留在这里。"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}还没有绑定动态码，证明不了登录的是本人")


class NoLonger(Refused):
    """What was proposed cannot be done any more."""

    way_out = "请退回申请，由用户管理员重新提出。"


def read(unit: Unit, branch: str, key: str) -> dict[str, Any]:
    """The person's roles at this branch.

    Whoever may read a branch's documents may ask for any login: absent, and nothing to do with
    this branch, look alike.
    """
    found = operations.person(unit, key)
    grants = found.grants if found is not None else ()
    return {"roles": sorted(grant.role for grant in grants if grant.branch == branch)}


def faults(unit: Unit, branch: str, key: str, content: Any) -> Sequence[Fault]:
    """What keeps these roles from being given."""
    return list(_faults(unit, branch, key, content))


def apply(unit: Unit, branch: str, key: str, content: Any, by: Actor) -> None:
    """From now on the person has these roles at this branch.

    Raises:
        OwnRights: when whoever approved is the person.
        NotYetProved: when roles are given to somebody whom nothing but a password stands for. An
            administrator was shown that password, and with a yes from here could be them.
        NoLonger: when the person has gone, or got clashing roles elsewhere, since.
    """
    person = operations.person(unit, key)
    if person is not None and person.id == by.id:
        raise OwnRights
    if person is not None and not person.is_proved and _adds(person, branch, content):
        raise NotYetProved(person.name)
    try:
        staff_id = operations.required(unit, key).id
        operations.set_grants(
            unit, staff_id=staff_id, branch=branch, roles=content["roles"], by=by, why="审批通过"
        )
    except StaffRefused as refused:
        raise NoLonger(str(refused)) from None


def differences(_unit: Unit, before: Any, after: Any) -> Sequence[Difference]:
    """Each role that is given or taken."""
    old, new = _roles(before), _roles(after)
    given = [Difference(f"角色「{_title(role)}」", "", "授予") for role in sorted(new - old)]
    taken = [Difference(f"角色「{_title(role)}」", "拥有", "") for role in sorted(old - new)]
    return [*given, *taken]


def is_in_reach(unit: Unit, me: Me, one: Person) -> bool:
    """Whether this administrator has to do with the person.

    Whoever has no rights yet belongs to nobody, and so to every administrator.
    """
    lineage = unit.wiring.tables.lineage
    return not one.grants or any(
        rights.may(me.grants, "manage_staff", lineage(unit, grant.branch)) for grant in one.grants
    )


def allows(unit: Unit, me: Me, _branch: str, key: str) -> None:
    """Refuse to ask for rights of one's own, or of somebody one has nothing to do with.

    Raises:
        ForOneself, NotYours: as said.
    """
    found = operations.person(unit, key)
    if found is None or not is_in_reach(unit, me, found):
        raise NotYours
    if found.id == me.id:
        raise ForOneself


def consequences(unit: Unit, branch: str, content: Content) -> Sequence[str]:
    """What the roles allow, for whoever approves them."""
    name = unit.wiring.tables.branch_names(unit).get(branch, branch)
    roles = _roles(content.get(SECTION_NAME))
    if not roles:
        return (f"这位同事在{name}及下级机构将没有任何权限。",)
    return tuple(
        f"在{name}及下级机构，「{_title(role)}」可以：{ROLES[role].says}。"
        for role in sorted(roles)
        if role in ROLES
    )


def beware(unit: Unit, key: str) -> Sequence[str]:
    """Who it is that gets the rights, as far as anybody but they themselves can tell."""
    person = operations.person(unit, key)
    if person is None:
        return ()
    who = f"{person.name}（{person.login}）"
    if not person.is_proved:
        return (f"{who}还没有绑定动态码，请等本人登录、绑定以后再批准。",)
    if not person.has_second_factor:
        return (f"{who}用行内统一认证登录，身份由统一认证核实。",)
    bound = audit.search(unit, audit.Filters(subject=f"staff:{person.login}", act=_BOUND))
    at = f"{clock.shanghai(bound[0].at):%Y-%m-%d %H:%M}" if bound else ""
    told = f"在 {at} 绑定了现在的动态码" if at else "绑定了动态码，时间没有记录"
    return (f"{who}{told}。批准前请当面或打电话向本人核实，确实是本人绑定的。",)


def editor(_branch: str, key: str) -> str:
    """Where somebody with the right to goes on writing."""
    return f"/console/people/{key}"


SECTION: Final = Section(
    title="权限",
    read=read,
    faults=faults,
    apply=apply,
    differences=differences,
    fresh=lambda _unit, _branch, _key: {"roles": []},
)
GRANTS: Final = ChangeKind(
    title="人员授权",
    sections={SECTION_NAME: SECTION},
    edits="manage_staff",
    proposes="manage_staff",
    approves="review",
    allows=allows,
    keys=r"[a-z0-9][a-z0-9._-]{1,39}",
    # Whoever brought earlier rights back alone could give a colleague what was taken from them.
    rolls_back=False,
    consequences=consequences,
    beware=beware,
    editor=editor,
)


def _faults(unit: Unit, branch: str, key: str, content: Any) -> Iterator[Fault]:
    person = operations.person(unit, key)
    if person is None:
        yield Fault("", f"没有登录名为 {key} 的人", "请先在「人员」里添加")
        return
    if person.state == LOCKED:
        yield Fault("", f"{person.name}的账号已停用", "请先启用账号，再申请授权")
    roles = content.get("roles") if isinstance(content, Mapping) else None
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        yield Fault("roles", "角色要写成一个列表", "请从页面上勾选")
        return
    for role in roles:
        if role not in ROLES:
            yield Fault("roles", f"没有「{role}」这个角色", "请从列表里选择")
    elsewhere = [grant.role for grant in person.grants if grant.branch != branch]
    if clash := clashes([*elsewhere, *roles]):
        yield Fault("roles", clash, "请先撤销其他角色，或者换一个人")


def _adds(person: Person, branch: str, content: Any) -> bool:
    """Whether the person would get a role there that they do not have yet."""
    return bool(_roles(content) - {one.role for one in person.grants if one.branch == branch})


def _roles(content: Any) -> set[str]:
    found = content.get("roles") if isinstance(content, Mapping) else None
    return {str(role) for role in found} if isinstance(found, list) else set()


def _title(role: str) -> str:
    return ROLES[role].title if role in ROLES else role
