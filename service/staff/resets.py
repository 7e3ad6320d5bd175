"""A way back in for whoever forgot the password or lost the phone, handed over by an administrator.

The administrator is shown a code, once, and tells it to the person; it is good for half an hour and
works once. Sessions end, rights stay as they are. Only one of the two is given anew at a time, and
the other only by another administrator until the person is through: with both codes in one hand,
an administrator could be anybody. A password alone is both as long as no second factor is bound, so
it is given anew then only to whoever may do nothing yet. Who has lost both at a bank with one
administrator is helped by whoever has the machine (``flask staff reset``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, delete, select, update

from service import audit, clock
from service.sealing import digest_of, keyed_digest
from service.staff import endings, operations, sessions, throttle
from service.staff.models import INVITED, LOCKED, Staff, StaffReset
from service.staff.operations import Person, StaffRefused
from service.staff.people import Me
from service.staff.sessions import Session
from service.wiring import Unit

PASSWORD: Final = "password"  # noqa: S105  # The name of what is given anew.
SECOND_FACTOR: Final = "second_factor"
#: What can be given anew, as people call it.
TITLES: Final[Mapping[str, str]] = {PASSWORD: "密码", SECOND_FACTOR: "动态码"}
#: Long enough to be told over the telephone, too short to lie about.
LIFE: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Started:
    """A reset that somebody started and the person has not finished."""

    what: str
    by_id: int
    until: datetime
    is_used: bool
    #: Whether it is the password the person was taken on with.
    is_first: bool = False

    @property
    def is_open(self) -> bool:
        """Whether its code still works, or has worked and the person is not through yet."""
        return self.is_used or clock.now() < self.until


def start(
    unit: Unit, person: Person, *, what: str, code: str, hashed: str, by: Me, why: str
) -> None:
    """End the person's sessions and let the code stand for what they have lost.

    Args:
        code: what the person will type, for a second factor.
        hashed: the same for a password, as passwords are kept.

    Raises:
        StaffRefused: for oneself, an account that is locked, nothing to give anew, and when the
            same administrator has the other one in hand.
    """
    # Of two at the same moment the second waits here, and then sees what the first has started.
    unit.db.execute(select(Staff.id).where(Staff.id == person.id).with_for_update()).one()
    _require_sense(unit, person, what=what, by=by)
    endings.end_all(unit, person.id)
    if what == PASSWORD:
        operations.set_password(unit, staff_id=person.id, password_hash=hashed, must_change=True)
    throttle.forgive(unit, login=person.login)
    finish(unit, person.id, what=what)
    present = clock.now()
    unit.db.execute(
        unit.insert(StaffReset).values(
            staff_id=person.id, what=what, digest=_digest(unit, person.id, code), by_id=by.id,
            started_at=present, until=present + LIFE,
        )
    )  # fmt: skip
    audit.note(
        unit, actor=by, act="staff.reset_started", subject=f"staff:{person.login}",
        after={"what": what}, why=why.strip(),
    )  # fmt: skip


def open_of(unit: Unit, staff_id: int) -> list[Started]:
    """What was started for this person and is not over."""
    found = (_started(row) for row in unit.db.execute(_OF, {"staff_id": staff_id}))
    return [one for one in found if one.is_open]


def password_counts(unit: Unit, staff_id: int) -> bool:
    """Whether a password that must be changed may still be given: a code lapses, and works once."""
    row = unit.db.execute(_OF.where(StaffReset.what == PASSWORD), {"staff_id": staff_id}).first()
    return row is None or (row.used_at is None and clock.now() < row.until)


def take_password(unit: Unit, staff_id: int) -> bool:
    """The person is in with a password that must be changed; False if its code was used before."""
    here = (StaffReset.staff_id == staff_id, StaffReset.what == PASSWORD)
    if unit.db.execute(select(StaffReset.what).where(*here)).first() is None:
        return True
    # Compared in the database: of two browsers with the same code only one finds it unused.
    used = unit.db.execute(
        update(StaffReset).where(*here, StaffReset.used_at.is_(None)).values(used_at=clock.now())
    )
    return used.rowcount == 1


def take_second_factor(unit: Unit, session: Session, code: str) -> str | None:
    """This is the code for a lost phone: what the session's cookie must hold from now on.

    That session alone may set up another second factor, and until it has, the old one stays: for
    nobody, and at no moment, is the password by itself enough. None for any other code.
    """
    me = session.me
    mine = (StaffReset.staff_id == me.id, StaffReset.what == SECOND_FACTOR)
    # Compared in the database: of two browsers with the same code only one finds it unused.
    used = unit.db.execute(
        update(StaffReset)
        .where(
            *mine,
            StaffReset.digest == _digest(unit, me.id, code),
            StaffReset.used_at.is_(None),
            StaffReset.until > clock.now(),
        )
        .values(used_at=clock.now())
    )
    token = sessions.advance(unit, session, stage=session.stage) if used.rowcount == 1 else None
    if token is None:
        return None
    unit.db.execute(update(StaffReset).where(*mine).values(digest=digest_of(token)))
    audit.note(unit, actor=me, act="staff.reset_used", subject=f"staff:{me.login}")
    return token


def may_replace(unit: Unit, session: Session) -> bool:
    """Whether it was in this session that the code for a lost phone was given."""
    here = (StaffReset.what == SECOND_FACTOR, StaffReset.digest == session.digest)
    found = unit.db.execute(
        select(StaffReset.what).where(
            StaffReset.staff_id == session.me.id, *here, StaffReset.used_at.is_not(None)
        )
    )
    return found.first() is not None


def finish(unit: Unit, staff_id: int, *, what: str) -> None:
    """The person has a password, or a second factor, of their own again."""
    unit.db.execute(
        delete(StaffReset).where(StaffReset.staff_id == staff_id, StaffReset.what == what)
    )


_OF: Final = select(
    StaffReset.what, StaffReset.by_id, StaffReset.until, StaffReset.used_at, StaffReset.digest
).where(StaffReset.staff_id == bindparam("staff_id"))


def _require_sense(unit: Unit, person: Person, *, what: str, by: Me) -> None:
    if what not in TITLES:
        raise StaffRefused("请选择要重置密码还是动态码")
    if person.id == by.id:
        raise StaffRefused("不能重置自己的登录，请由另一位用户管理员操作")
    if person.state == LOCKED:
        raise StaffRefused(f"{person.name}的账号已停用，请先启用账号再重置")
    if what == PASSWORD and person.oidc_subject and not person.has_password:
        raise StaffRefused(f"{person.name}用行内统一认证登录，没有密码可以重置，请在统一认证处理")
    is_harmless = person.state == INVITED and not person.grants
    if what == PASSWORD and not person.has_second_factor and not is_harmless:
        raise StaffRefused(
            f"{person.name}现在没有绑定动态码，只凭密码证明不了是本人，"
            "请科技人员核实后运行 flask staff reset"
        )
    if what == SECOND_FACTOR and not person.has_second_factor:
        raise StaffRefused(f"{person.name}还没有绑定动态码，下次登录时会提示绑定")
    for one in open_of(unit, person.id):
        if one.what != what and one.by_id == by.id:
            raise StaffRefused(
                f"{person.name}的{_in_hand(one)}是您给的，本人还没有完成；两项都丢失时，"
                "请由另一位用户管理员重置另一项，或请科技人员运行 flask staff reset"
            )


def _in_hand(one: Started) -> str:
    return "初始密码" if one.is_first else f"{TITLES[one.what]}重置码"


def _started(row: Any) -> Started:
    # Only the code of a reset is kept, as a digest.
    return Started(row.what, row.by_id, row.until, row.used_at is not None, not row.digest)


def _digest(unit: Unit, staff_id: int, code: str) -> str:
    plain = "".join(sign for sign in code.upper() if sign.isalnum())
    return keyed_digest(unit.settings.secret_key, f"reset code of {staff_id}", plain)
