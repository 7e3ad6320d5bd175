"""Coming in, step by step: password, second factor, and in the end a session that is inside.

Between the steps the slow work is done with nothing open: a hash takes as long as forty queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from service import audit
from service.staff import operations, passwords, resets, second_factor, sessions, throttle
from service.staff.models import Staff
from service.staff.sessions import NEW_PASSWORD, PASSWORD_OK, SIGNED_IN, Session
from service.staff.standing import may_come_in
from service.wiring import Unit


@dataclass(frozen=True, slots=True, repr=False)
class Candidate:
    """Whoever may be at the door. Nobody is found for a login that is unknown or kept out."""

    staff_id: int | None = None
    password_hash: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class SetUp:
    """A second factor is set up: the codes to write down, and the new cookie's value."""

    recovery_codes: list[str]
    token: str | None


#: How the audit calls it when somebody binds a phone, for the first time or another one.
BOUND: Final = "staff.bound_second_factor"
_NOBODY: Final = Candidate()
_COLUMNS: Final = select(
    Staff.id, Staff.password_hash, Staff.must_change_password, Staff.state, Staff.is_demo
)
_BY_LOGIN: Final = _COLUMNS.where(Staff.login == bindparam("login"))
_BY_SUBJECT: Final = _COLUMNS.where(Staff.oidc_subject == bindparam("subject"))


def candidate(unit: Unit, login: str) -> Candidate:
    """Whoever has this login, if they may come in by a password."""
    row = unit.db.execute(_BY_LOGIN, {"login": operations.login_of(login)}).one_or_none()
    if row is None or not may_come_in(unit, row):
        return _NOBODY
    # Only what must be changed can be a code that lapses; everybody else is spared the query.
    if row.must_change_password and not resets.password_counts(unit, row.id):
        return _NOBODY
    return Candidate(row.id if row.password_hash else None, row.password_hash)


def kept(unit: Unit, session: Session) -> Candidate:
    """The password this person has at the moment, whether or not one may come in by it."""
    found = unit.db.execute(select(Staff.password_hash).where(Staff.id == session.me.id)).scalar()
    return Candidate(session.me.id, found)


def is_right(candidate: Candidate, password: str) -> bool:
    """Whether the password is theirs. Slow on purpose, and as slow for nobody."""
    return passwords.is_right(password, candidate.password_hash)


def begin(
    unit: Unit, candidate: Candidate, *, login: str, address: str, device: str = ""
) -> str:  # fmt: skip
    """The password was right: a session that may give the second factor; its cookie's value."""
    assert candidate.staff_id is not None
    throttle.give_back(unit, address=address, login=operations.login_of(login), device=device)
    return sessions.open_session(unit, staff_id=candidate.staff_id, stage=PASSWORD_OK)


def give_code(
    unit: Unit, session: Session, *, code: str, address: str, device: str = ""
) -> str | None:
    """The second factor: from the app, or one of the recovery codes; the new cookie's value."""
    me = session.me
    how = "password+totp"
    if not second_factor.use_code(unit, me.id, code):
        if not second_factor.use_recovery_code(unit, me.id, code):
            return None
        how = "password+recovery"
    throttle.give_back(unit, address=address, login=me.login, device=device)
    return _come_in(unit, session, how=how, device=device)


def give_reset_code(
    unit: Unit, session: Session, *, code: str, address: str, device: str = ""
) -> str | None:
    """The code for a lost phone: the session stays half way in, and sets up another."""
    token = resets.take_second_factor(unit, session, code)
    if token is None:
        return None
    throttle.give_back(unit, address=address, login=session.me.login, device=device)
    moved = sessions.current(unit, token)
    assert moved is not None
    seal = second_factor.sealed(unit, second_factor.new_secret())
    sessions.await_second_factor(unit, moved, seal=seal)
    return token


def set_up(
    unit: Unit, session: Session, *, code: str, address: str, device: str = ""
) -> SetUp | None:
    """The first code of a new second factor; None when it is wrong."""
    if session.pending is None:
        return None
    # Another browser may have set one up since; only the code for a lost phone takes its place.
    replacing = session.has_second_factor
    if replacing and not resets.may_replace(unit, session):
        return None
    codes = second_factor.settle(
        unit, session.me.id, seal=session.pending, code=code, replacing=replacing
    )
    if codes is None:
        return None
    resets.finish(unit, session.me.id, what=resets.SECOND_FACTOR)
    audit.note(unit, actor=session.me, act=BOUND, subject=f"staff:{session.me.login}")
    throttle.give_back(unit, address=address, login=session.me.login, device=device)
    return SetUp(codes, _come_in(unit, session, how="password+totp", device=device))


def change_password(unit: Unit, session: Session, *, password_hash: str) -> str | None:
    """A new password: every session ends, and this browser gets a new one that is inside.

    None when the session ended while the password was hashed, as it does when an administrator
    gives another: whoever holds an old browser must not come in past that.
    """
    # In the order in which a reset takes them, or each of the two could wait for the other.
    unit.db.execute(select(Staff.id).where(Staff.id == session.me.id).with_for_update()).first()
    if not sessions.close(unit, session):
        return None
    operations.set_password(
        unit, staff_id=session.me.id, password_hash=password_hash, must_change=False
    )
    subject = f"staff:{session.me.login}"
    audit.note(unit, actor=session.me, act="staff.changed_password", subject=subject)
    return sessions.open_session(unit, staff_id=session.me.id, stage=SIGNED_IN)


def by_subject(unit: Unit, subject: str) -> Candidate:
    """Whoever the bank's single sign-on knows by this subject; nobody is made up."""
    row = unit.db.execute(_BY_SUBJECT, {"subject": subject}).one_or_none()
    if row is None or not may_come_in(unit, row):
        return _NOBODY
    return Candidate(row.id)


def vouched(unit: Unit, candidate: Candidate, *, source: str) -> str:
    """The bank's single sign-on says who this is, by factors of its own; the cookie's value."""
    assert candidate.staff_id is not None
    token = sessions.open_session(unit, staff_id=candidate.staff_id, stage=SIGNED_IN)
    session = sessions.current(unit, token, source=source)
    assert session is not None
    operations.came_in(unit, me=session.me, how="sso")
    return token


def _come_in(unit: Unit, session: Session, *, how: str, device: str) -> str | None:
    must_change = unit.db.execute(
        select(Staff.must_change_password).where(Staff.id == session.me.id)
    ).scalar()
    if must_change and not resets.take_password(unit, session.me.id):
        return None
    token = sessions.advance(unit, session, stage=NEW_PASSWORD if must_change else SIGNED_IN)
    throttle.forgive(unit, login=session.me.login, device=device)
    if token is not None:
        operations.came_in(unit, me=session.me, how=how)
    return token
