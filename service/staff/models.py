"""The tables about the bank's own people. Nothing in them lets a reader sign in as anybody."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Model, UtcTime

#: ``invited`` has never come in; ``locked`` may not, until somebody unlocks.
INVITED, ACTIVE, LOCKED = "invited", "active", "locked"


class Staff(Model):
    """One person."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Always in lower case, see ``operations.login_of``: so that upper case makes no second one.
    login: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(40))
    email: Mapped[str | None] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(8), default=INVITED)
    #: Argon2; none for whoever comes in by the bank's single sign-on alone.
    password_hash: Mapped[str | None] = mapped_column(String(160))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    #: The shared secret of the authenticator app, sealed.
    totp_sealed: Mapped[str | None] = mapped_column(Text)
    #: The latest half minute whose code was used: neither it nor any before it counts again.
    totp_step: Mapped[int] = mapped_column(default=0)
    oidc_subject: Mapped[str | None] = mapped_column(String(255), unique=True)
    #: A person of the sample bank, whose password everybody knows: never let in in production.
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    signed_in_at: Mapped[datetime | None] = mapped_column(UtcTime)


class StaffGrant(Model):
    """One role at one branch and all below it. The branch is a plain code: branches lie above."""

    __tablename__ = "staff_grants"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True
    )
    branch_code: Mapped[str] = mapped_column(String(8), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)
    granted_at: Mapped[datetime] = mapped_column(UtcTime)


class StaffSession(Model):
    """One browser that has come in, or half in. The cookie's value itself is nowhere."""

    __tablename__ = "staff_sessions"
    __table_args__ = (Index(None, "staff_id"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"))
    stage: Mapped[str] = mapped_column(String(16))
    csrf: Mapped[str] = mapped_column(String(64))
    #: When the password, or the bank's single sign-on, was right: the eight hours count from here.
    begun_at: Mapped[datetime] = mapped_column(UtcTime)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)
    #: When it was last proved that this is still the same person.
    proved_at: Mapped[datetime] = mapped_column(UtcTime)
    #: The branch the person is working for at the moment.
    branch_code: Mapped[str] = mapped_column(String(8), default="")
    #: A second factor that is being set up, sealed; it counts only once a code of it was right.
    pending: Mapped[str | None] = mapped_column(Text)


class StaffEnding(Model):
    """A session that somebody else's act ended, so that the browser that had it is told why."""

    __tablename__ = "staff_endings"

    #: What the session went under; it opens nothing any more.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    ended_at: Mapped[datetime] = mapped_column(UtcTime)


class RecoveryCode(Model):
    """A code for the day the phone is lost; each works once."""

    __tablename__ = "staff_recovery_codes"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)


class StaffReset(Model):
    """A password or a second factor that is being given anew, until the person is through."""

    __tablename__ = "staff_resets"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True
    )
    what: Mapped[str] = mapped_column(String(16), primary_key=True)
    #: Of the code, which nobody can read again; once it is used, of the session it was used in.
    digest: Mapped[str] = mapped_column(String(64))
    #: The administrator's number; a plain one, as the trace outlives whoever left it.
    by_id: Mapped[int] = mapped_column()
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    until: Mapped[datetime] = mapped_column(UtcTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)


class SsoAttempt(Model):
    """A browser sent to the bank's single sign-on and not back yet: state, nonce and verifier."""

    __tablename__ = "staff_sso_attempts"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime] = mapped_column(UtcTime)


class Throttle(Model):
    """How often an address or an account was tried lately, under a digest of its name."""

    __tablename__ = "staff_throttles"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    began_at: Mapped[datetime] = mapped_column(UtcTime)
    tries: Mapped[int] = mapped_column(default=0)
    #: How many times in a row the limit was reached: each makes the next wait longer.
    strikes: Mapped[int] = mapped_column(default=0)
    free_at: Mapped[datetime] = mapped_column(UtcTime)
