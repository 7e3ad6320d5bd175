"""Tokens: lent to programs for at most a year, taken back at once, never more than their owner has.

A token is 256 random bits, so guessing one is hopeless and needs no counting of tries. It acts as
its owner: what they wrote through a program they cannot approve in the console, nor the reverse.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, select, update

from service import audit, clock
from service.api.models import ApiToken
from service.sealing import digest_of
from service.staff import operations, rights
from service.staff.models import Staff
from service.staff.operations import StaffRefused
from service.staff.people import Me
from service.staff.rights import Grant
from service.staff.standing import grants_of, may_come_in
from service.wiring import Unit

#: So that whoever finds one in a file or a log, or a program that looks for such, knows it.
PREFIX: Final = "wxsa_"
MOST_DAYS: Final = 365
_BITS: Final = 256


@dataclass(frozen=True, slots=True)
class Caller(Me):
    """The owner of a token, with the token's rights alone."""

    token_id: int = 0
    used_on: date | None = None


@dataclass(frozen=True, slots=True)
class Lent:
    """One token as lists show it."""

    id: int
    login: str
    name: str
    role: str
    branch: str
    expires_at: datetime
    used_on: date | None
    revoked_at: datetime | None

    @property
    def is_good(self) -> bool:
        return self.revoked_at is None and self.expires_at > clock.now()


def lend(
    unit: Unit, *, login: str, role: str, branch: str, name: str, days: int, by: Me | None
) -> tuple[int, str]:
    """A new token's number, and the token, which nobody can read again.

    Raises:
        StaffRefused: when there is no such person, they may not do all of it themselves, or the
            time is too long.
    """
    person, name = operations.required(unit, login), name.strip()
    if not 1 <= len(name) <= 40:
        raise StaffRefused("请写明令牌给哪个程序使用，最多 40 个字")
    if not 1 <= days <= MOST_DAYS:
        raise StaffRefused(f"有效期应为 1 至 {MOST_DAYS} 天，请到期前换新的")
    if not _is_within(unit, person.grants, role=role, branch=branch):
        raise StaffRefused(
            f"{person.login} 在 {branch} 自己没有「{_title(role)}」的全部权限，"
            "请先授权，或换一个角色或机构"
        )
    token = PREFIX + secrets.token_urlsafe(_BITS // 8)
    until = clock.now() + timedelta(days=days)
    number = unit.db.execute(
        unit.insert(ApiToken)
        .values(
            staff_id=person.id, name=name, digest=digest_of(token), role=role, branch_code=branch,
            created_at=clock.now(), expires_at=until,
        )
        .returning(ApiToken.id)
    ).scalar_one()  # fmt: skip
    audit.note(
        unit, actor=by, act="api.lent", subject=f"api:{number}", branch=branch,
        after={"owner": person.login, "name": name, "role": role, "until": until.isoformat()},
    )  # fmt: skip
    return int(number), token


def revoke(unit: Unit, *, number: int, by: Me | None, why: str = "") -> Lent:
    """Take a token back; the very next request with it is refused.

    Raises:
        StaffRefused: when there is none, or it has been taken back already.
    """
    found = next((one for one in lent(unit) if one.id == number), None)
    if found is None:
        raise StaffRefused(f"没有编号为 {number} 的令牌，请用 flask staff token list 查看")
    taken = unit.db.execute(
        update(ApiToken)
        .where(ApiToken.id == number, ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )
    if taken.rowcount != 1:
        raise StaffRefused(f"令牌 {number} 已经收回，无需再收")
    audit.note(
        unit, actor=by, act="api.revoked", subject=f"api:{number}", branch=found.branch, why=why,
        before={"owner": found.login, "name": found.name, "role": found.role},
    )  # fmt: skip
    return found


def lent(unit: Unit, *, login: str = "") -> Sequence[Lent]:
    """All tokens there ever were, or one person's, the newest first."""
    query = (
        select(
            ApiToken.id, Staff.login, ApiToken.name, ApiToken.role, ApiToken.branch_code,
            ApiToken.expires_at, ApiToken.used_on, ApiToken.revoked_at,
        )
        .join(Staff, Staff.id == ApiToken.staff_id)
        .order_by(ApiToken.id.desc())
    )  # fmt: skip
    if login:
        query = query.where(Staff.login == operations.login_of(login))
    return [Lent(*row) for row in unit.db.execute(query)]


def bearer(unit: Unit, token: str) -> Caller | None:
    """Whoever calls with this token; None for one that is not, or no longer, good.

    Everything is asked anew each time, so a right that was taken from the owner is gone from their
    tokens in the same moment.
    """
    if not token.startswith(PREFIX):
        return None
    row = unit.db.execute(_FIND, {"digest": digest_of(token)}).one_or_none()
    if row is None or row.revoked_at is not None or row.expires_at <= clock.now():
        return None
    if not may_come_in(unit, row):
        return None
    held = grants_of(unit, row.staff_id)
    if not _is_within(unit, held, role=row.role, branch=row.branch_code):
        return None
    return Caller(
        row.staff_id, row.login, row.name, (Grant(row.role, row.branch_code),),
        f"/t{row.id}", row.id, row.used_on,
    )  # fmt: skip


def note_use(unit: Unit, caller: Caller) -> None:
    """Write down that the token was used today."""
    unit.db.execute(
        update(ApiToken).where(ApiToken.id == caller.token_id).values(used_on=clock.today())
    )


def _is_within(unit: Unit, grants: Iterable[Grant], *, role: str, branch: str) -> bool:
    """Whether somebody with these grants may do at the branch all that the role allows."""
    lineage = unit.wiring.tables.lineage(unit, branch)
    own = {act for grant in grants if grant.branch in lineage for act in rights.acts_of(grant.role)}
    wanted = rights.acts_of(role)
    return bool(wanted) and wanted <= own


def _title(role: str) -> str:
    return rights.ROLES[role].title if role in rights.ROLES else role


_FIND: Final = (
    select(
        ApiToken.id, ApiToken.staff_id, ApiToken.role, ApiToken.branch_code, ApiToken.expires_at,
        ApiToken.revoked_at, ApiToken.used_on, Staff.login, Staff.name, Staff.state, Staff.is_demo,
    )
    .join(Staff, Staff.id == ApiToken.staff_id)
    .where(ApiToken.digest == bindparam("digest"))
)  # fmt: skip
