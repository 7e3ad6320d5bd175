"""What is kept of a binding: who, the bank's opaque token sealed, what was agreed to and when.

No account, card or identity number, no balance, and of the telephone number only its end, sealed,
and a keyed digest by which the same number is recognised.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Model, UtcTime


class BindingRow(Model):
    """A follower who is bound."""

    __tablename__ = "bindings"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: The core's token and the end of the telephone number.
    sealed: Mapped[str] = mapped_column(Text)
    phone_digest: Mapped[str] = mapped_column(String(64), index=True)
    consent_version: Mapped[str] = mapped_column(String(32))
    consent_at: Mapped[datetime] = mapped_column(UtcTime)
    bound_at: Mapped[datetime] = mapped_column(UtcTime)


class BindingAttempt(Model):
    """A follower who was sent a code and has not given it back yet; gone when the code is."""

    __tablename__ = "binding_attempts"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: The core's name for the attempt and the masked telephone number.
    sealed: Mapped[str] = mapped_column(Text)
    phone_digest: Mapped[str] = mapped_column(String(64))
    consent_version: Mapped[str] = mapped_column(String(32))
    consent_at: Mapped[datetime] = mapped_column(UtcTime)
    tries: Mapped[int] = mapped_column(default=0)
    ends_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class BindingLimit(Model):
    """How often somebody, under a keyed digest, did something since a time; dropped after a day."""

    __tablename__ = "binding_limits"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    since: Mapped[datetime] = mapped_column(UtcTime, index=True)
