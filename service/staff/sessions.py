"""Who is signed in where. A browser holds a random value; we hold its digest, and when it ends."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, delete, or_, select, update

from service import clock
from service.sealing import digest_of
from service.staff.models import Staff, StaffSession
from service.staff.people import Me
from service.staff.standing import grants_of, may_come_in
from service.wiring import Unit

#: Without a request for so long, and after so long whatever happens, one signs in again.
IDLE: Final = timedelta(minutes=15)
LONGEST: Final = timedelta(hours=8)
#: Whoever has only given the password has so long for the rest.
HALF_WAY: Final = timedelta(minutes=10)
#: So long after the last proof a dangerous act asks for none again.
FRESH: Final = timedelta(minutes=5)
#: A sighting is written down at most so often: most requests then write nothing.
_SEEN_EVERY: Final = timedelta(seconds=30)

#: Where one stands between the door and the desk, see ``service.access.Stage``.
PASSWORD_OK: Final = "password-ok"  # noqa: S105  # The name of a stage.
NEW_PASSWORD: Final = "new-password"  # noqa: S105  # The name of a stage.
SIGNED_IN: Final = "signed-in"


@dataclass(frozen=True, slots=True)
class Session:
    """One browser and whom it belongs to."""

    digest: str
    me: Me
    stage: str
    csrf: str
    begun_at: datetime
    seen_at: datetime
    proved_at: datetime
    branch: str
    pending: str | None
    has_password: bool
    has_second_factor: bool
    is_demo: bool

    @property
    def is_fresh(self) -> bool:
        """Whether it was just proved that this is still the same person."""
        return clock.now() - self.proved_at <= FRESH

    @property
    def is_worth_noting(self) -> bool:
        return clock.now() - self.seen_at >= _SEEN_EVERY


def open_session(unit: Unit, *, staff_id: int, stage: str) -> str:
    """A new session; what the browser's cookie must hold."""
    token, present = secrets.token_urlsafe(32), clock.now()
    unit.db.execute(
        unit.insert(StaffSession).values(
            digest=digest_of(token), staff_id=staff_id, stage=stage, csrf=secrets.token_urlsafe(24),
            begun_at=present, seen_at=present, proved_at=present, branch_code="",
        )
    )  # fmt: skip
    return token


def current(unit: Unit, token: str, *, source: str = "") -> Session | None:
    """The session behind a cookie; None when there is none, it has ended, or the person may not.

    What is in a cookie is only ever looked up, never made into a session: a value planted in
    somebody's browser stays worthless.
    """
    return under(unit, digest_of(token), source=source)


def under(unit: Unit, digest: str, *, source: str = "") -> Session | None:
    """The session of this digest, for whoever noted the digest while it was at hand."""
    row = unit.db.execute(_FIND, {"digest": digest}).one_or_none()
    if row is None or not may_come_in(unit, row) or _has_ended(row):
        return None
    me = Me(row.staff_id, row.login, row.name, grants_of(unit, row.staff_id), source)
    return Session(
        row.digest, me, row.stage, row.csrf, row.begun_at, row.seen_at, row.proved_at,
        row.branch_code, row.pending, row.password_hash is not None, row.totp_sealed is not None,
        row.is_demo,
    )  # fmt: skip


def advance(unit: Unit, session: Session, *, stage: str) -> str | None:
    """The session goes on under a new value; what the cookie must hold from now on.

    None when the session has meanwhile moved on or ended: the old value then opens nothing more.
    """
    token, present = secrets.token_urlsafe(32), clock.now()
    moved = unit.db.execute(
        update(StaffSession)
        .where(StaffSession.digest == session.digest)
        .values(
            digest=digest_of(token), stage=stage, csrf=secrets.token_urlsafe(24),
            seen_at=present, proved_at=present, pending=None,
        )
    )  # fmt: skip
    return token if moved.rowcount == 1 else None


def prove(unit: Unit, session: Session) -> str | None:
    """It was proved that this is still the same person; what the cookie must hold from now on.

    The forms that are open in other tabs stay good: the token they carry is kept.
    """
    token, present = secrets.token_urlsafe(32), clock.now()
    moved = unit.db.execute(
        update(StaffSession)
        .where(StaffSession.digest == session.digest)
        .values(digest=digest_of(token), seen_at=present, proved_at=present)
    )
    return token if moved.rowcount == 1 else None


def see(unit: Unit, session: Session) -> None:
    """Note that somebody is still there."""
    _change(unit, session, seen_at=clock.now())


def await_second_factor(unit: Unit, session: Session, *, seal: str) -> None:
    """Keep a second factor that is being set up with the browser that sets it up."""
    _change(unit, session, pending=seal)


def work_for(unit: Unit, session: Session, *, branch: str) -> None:
    """The person works for this branch from now on."""
    _change(unit, session, branch_code=branch)


def close(unit: Unit, session: Session) -> bool:
    """End this session; False when it had ended, or moved on, before."""
    ended = unit.db.execute(delete(StaffSession).where(StaffSession.digest == session.digest))
    return ended.rowcount == 1


def close_all(unit: Unit, staff_id: int, *, but: str = "") -> int:
    """End every session of this person, except the one with this digest; how many there were."""
    ended = unit.db.execute(
        delete(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.digest != but)
    )
    return ended.rowcount


def tidy(unit: Unit) -> None:
    """A chore: forget the sessions that have ended by themselves."""
    present = clock.now()
    unit.db.execute(
        delete(StaffSession).where(
            or_(StaffSession.seen_at < present - IDLE, StaffSession.begun_at < present - LONGEST)
        )
    )


def _change(unit: Unit, session: Session, **values: object) -> None:
    unit.db.execute(
        update(StaffSession).where(StaffSession.digest == session.digest).values(**values)
    )


_FIND: Final = (
    select(
        StaffSession.digest, StaffSession.staff_id, StaffSession.stage, StaffSession.csrf,
        StaffSession.begun_at, StaffSession.seen_at, StaffSession.proved_at,
        StaffSession.branch_code, StaffSession.pending,
        Staff.login, Staff.name, Staff.state, Staff.is_demo, Staff.password_hash, Staff.totp_sealed,
    )
    .join(Staff, Staff.id == StaffSession.staff_id)
    .where(StaffSession.digest == bindparam("digest"))
)  # fmt: skip


def _has_ended(row: Any) -> bool:
    present = clock.now()
    if row.stage == PASSWORD_OK and present - row.begun_at > HALF_WAY:
        return True
    return bool(present - row.seen_at > IDLE or present - row.begun_at > LONGEST)
