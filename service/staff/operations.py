"""Taking people on, letting them in, keeping them out, and what they may do from now on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Executable, delete, select, update

from service import audit, clock
from service.staff import endings, rights, second_factor, sessions, throttle
from service.staff.models import ACTIVE, INVITED, LOCKED, Staff, StaffGrant, StaffReset
from service.staff.people import Me
from service.staff.rights import Grant
from service.staff.standing import grants_of
from service.wiring import Unit

#: What people call the states of an account.
STATES: Final[Mapping[str, str]] = {INVITED: "未登录过", ACTIVE: "正常", LOCKED: "已停用"}

#: A first password that an administrator was shown is good for so long, and for one sign-in.
FIRST_LIFE: Final = timedelta(days=7)

_LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}", re.ASCII)


class StaffRefused(ValueError):
    """What was asked for cannot be done; the text says why, in Chinese, with a way out."""


@dataclass(frozen=True, slots=True)
class Person:
    """One of the bank's people, without anything secret."""

    id: int
    login: str
    name: str
    email: str
    state: str
    is_demo: bool
    has_password: bool
    has_second_factor: bool
    oidc_subject: str
    signed_in_at: datetime | None
    grants: tuple[Grant, ...]

    @property
    def is_proved(self) -> bool:
        """Whether more than a password, which others may know, stands for this person."""
        return self.has_second_factor or bool(self.oidc_subject and self.signed_in_at)


def login_of(text: str) -> str:
    """The login as it is kept: upper and lower case, and full-width letters, make no difference."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def add(
    unit: Unit, *, login: str, name: str, by: Me | None, password_hash: str | None = None,
    email: str = "", oidc_subject: str = "", is_demo: bool = False,
) -> int:  # fmt: skip
    """Take somebody on, without any rights yet; their number.

    A first password lapses after :data:`FIRST_LIFE` where an administrator was shown it. Whoever
    has the machine (``by`` is None) tells it for as long as they see fit.

    Raises:
        StaffRefused: for a login that is taken or cannot be one, and for an empty name.
    """
    login, name = login_of(login), name.strip()
    if not _LOGIN.fullmatch(login):
        raise StaffRefused("登录名要用 2 到 40 个小写字母、数字、点、横线或下划线，请修改")
    if not 1 <= len(name) <= 40:
        raise StaffRefused("请填写姓名，最多 40 个字")
    staff_id = unit.db.execute(
        unit.insert(Staff)
        .values(
            login=login, name=name, email=email.strip()[:120] or None, state=INVITED,
            password_hash=password_hash, must_change_password=password_hash is not None,
            oidc_subject=oidc_subject or None, is_demo=is_demo, created_at=clock.now(), totp_step=0,
        )
        .on_conflict_do_nothing()
        .returning(Staff.id)
    ).scalar()  # fmt: skip
    if staff_id is None:
        raise StaffRefused(f"登录名 {login} 或统一认证标识已经有人使用，请换一个")
    if by is not None and password_hash is not None:
        _let_lapse(unit, int(staff_id), by)
    audit.note(unit, actor=by, act="staff.added", subject=f"staff:{login}", after={"name": name})
    return int(staff_id)


def set_grants(
    unit: Unit, *, staff_id: int, branch: str, roles: Sequence[str], by: audit.Actor | None,
    why: str = "",
) -> None:  # fmt: skip
    """From now on the person has exactly these roles at this branch.

    Raises:
        StaffRefused: for an unknown role, or roles that nobody may hold together.
    """
    login, before = _alone(unit, staff_id)
    old = {grant.role for grant in before if grant.branch == branch}
    # A role that a release dropped allows nothing; it must not keep others from being taken back.
    if unknown := [role for role in roles if role not in rights.ROLES and role not in old]:
        raise StaffRefused(f"没有「{unknown[0]}」这个角色，请从列表里选择")
    elsewhere = [grant.role for grant in before if grant.branch != branch]
    if clash := rights.clashes([*elsewhere, *roles]):
        raise StaffRefused(f"{clash}，请先撤销其他角色")
    new = set(roles)
    if old == new:
        return
    here = (StaffGrant.staff_id == staff_id, StaffGrant.branch_code == branch)
    unit.db.execute(delete(StaffGrant).where(*here, StaffGrant.role.in_(old - new)))
    for role in sorted(new - old):
        unit.db.execute(
            unit.insert(StaffGrant).values(
                staff_id=staff_id, branch_code=branch, role=role, granted_at=clock.now()
            )
        )
    audit.note(
        unit, actor=by, act="staff.granted", subject=f"staff:{login}", branch=branch,
        before={"roles": sorted(old)}, after={"roles": sorted(new)}, why=why,
    )  # fmt: skip


def set_password(unit: Unit, *, staff_id: int, password_hash: str, must_change: bool) -> None:
    """A new password; every session of the person ends with the old one."""
    unit.db.execute(
        update(Staff)
        .where(Staff.id == staff_id)
        .values(password_hash=password_hash, must_change_password=must_change)
    )
    # Whatever an administrator handed over is not the person's password any more.
    unit.db.execute(
        delete(StaffReset).where(StaffReset.staff_id == staff_id, StaffReset.what == "password")
    )
    sessions.close_all(unit, staff_id)


def rehash(unit: Unit, *, staff_id: int, password_hash: str) -> None:
    """The same password, hashed with today's work."""
    unit.db.execute(update(Staff).where(Staff.id == staff_id).values(password_hash=password_hash))


def reset(unit: Unit, *, login: str, password_hash: str, by: Me | None, why: str = "") -> None:
    """A password to change at once, and a second factor to set up anew.

    Raises:
        StaffRefused: when there is nobody of this login.
    """
    person = required(unit, login)
    endings.end_all(unit, person.id)
    set_password(unit, staff_id=person.id, password_hash=password_hash, must_change=True)
    second_factor.forget(unit, person.id)
    unit.db.execute(delete(StaffReset).where(StaffReset.staff_id == person.id))
    throttle.forgive(unit, login=person.login)
    audit.note(unit, actor=by, act="staff.reset", subject=f"staff:{person.login}", why=why)


def lock(unit: Unit, *, login: str, by: Me | None, why: str = "") -> None:
    """Keep somebody out, from this moment on.

    Raises:
        StaffRefused: when there is nobody of this login.
    """
    person = required(unit, login)
    _set_state(unit, person, LOCKED)
    sessions.close_all(unit, person.id)
    audit.note(unit, actor=by, act="staff.locked", subject=f"staff:{person.login}", why=why)


def unlock(unit: Unit, *, login: str, by: Me | None, why: str = "") -> None:
    """Let somebody in again.

    Raises:
        StaffRefused: when there is nobody of this login.
    """
    person = required(unit, login)
    _set_state(unit, person, ACTIVE if person.signed_in_at else INVITED)
    throttle.forgive(unit, login=person.login)
    audit.note(unit, actor=by, act="staff.unlocked", subject=f"staff:{person.login}", why=why)


def came_in(unit: Unit, *, me: Me, how: str) -> None:
    """Somebody is signed in; whoever was locked out in this very moment stays so."""
    unit.db.execute(
        update(Staff)
        .where(Staff.id == me.id, Staff.state != LOCKED)
        .values(signed_in_at=clock.now(), state=ACTIVE)
    )
    audit.note(
        unit, actor=me, act="staff.signed_in", subject=f"staff:{me.login}", after={"how": how}
    )


def person(unit: Unit, login: str) -> Person | None:
    """Somebody by their login, whichever way it is written."""
    found = _people(unit, _PERSON.where(Staff.login == login_of(login)))
    return found[0] if found else None


def required(unit: Unit, login: str) -> Person:
    """Somebody by their login.

    Raises:
        StaffRefused: when there is nobody.
    """
    found = person(unit, login)
    if found is None:
        raise StaffRefused(f"没有登录名为 {login_of(login)} 的人，请用 flask staff list 查看")
    return found


def everybody(unit: Unit) -> list[Person]:
    """All people, by login."""
    return _people(unit, _PERSON.order_by(Staff.login))


def names(unit: Unit) -> Mapping[int, str]:
    """Everybody's name by their number, for pages that say who did what."""
    return {row.id: row.name for row in unit.db.execute(select(Staff.id, Staff.name))}


_PERSON: Final = select(
    Staff.id, Staff.login, Staff.name, Staff.email, Staff.state, Staff.is_demo,
    Staff.password_hash.is_not(None), Staff.totp_sealed.is_not(None), Staff.oidc_subject,
    Staff.signed_in_at,
)  # fmt: skip


def _people(unit: Unit, query: Executable) -> list[Person]:
    rows = unit.db.execute(query).all()
    grants: dict[int, list[Grant]] = {}
    asked = select(StaffGrant.staff_id, StaffGrant.role, StaffGrant.branch_code)
    if len(rows) == 1:
        asked = asked.where(StaffGrant.staff_id == rows[0][0])
    for staff_id, role, branch in unit.db.execute(asked) if rows else ():
        grants.setdefault(staff_id, []).append(Grant(role, branch))
    return [
        Person(
            row[0], row[1], row[2], row[3] or "", row[4], row[5], bool(row[6]), bool(row[7]),
            row[8] or "", row[9], tuple(sorted(grants.get(row[0], ()))),
        )
        for row in rows
    ]  # fmt: skip


def _let_lapse(unit: Unit, staff_id: int, by: Me) -> None:
    """The first password is kept track of like any other that an administrator has in hand."""
    present = clock.now()
    unit.db.execute(
        unit.insert(StaffReset).values(
            # Nothing is compared with a digest: the password itself is what counts.
            staff_id=staff_id, what="password", digest="", by_id=by.id, started_at=present,
            until=present + FIRST_LIFE,
        )
    )  # fmt: skip


def _set_state(unit: Unit, person: Person, state: str) -> None:
    unit.db.execute(update(Staff).where(Staff.id == person.id).values(state=state))


def _alone(unit: Unit, staff_id: int) -> tuple[str, tuple[Grant, ...]]:
    """The person's login and grants, theirs alone to change until this transaction ends.

    Two changes at once, each fine by itself, could otherwise add up to roles nobody may hold.
    """
    login = unit.db.execute(
        select(Staff.login).where(Staff.id == staff_id).with_for_update()
    ).scalar()
    if login is None:
        raise StaffRefused("没有这个人，请刷新页面后再试")
    return login, grants_of(unit, staff_id)
