"""The tables of telling: one run by event and channel, whom it concerned, what WeChat reported."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Model, UtcTime, table_of


class RunRow(Model):
    """One telling of the followers inside by one channel: begun by a person, stopped by one."""

    __tablename__ = "emergency_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    emergency_id: Mapped[int] = mapped_column(ForeignKey("emergencies.id"))
    #: opened or ended.
    event: Mapped[str] = mapped_column(String(8))
    #: service, template or mass.
    channel: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)
    #: The number of the version that its words and its area are of.
    version: Mapped[int] = mapped_column(default=0)
    #: Whom it took last: the next one is sought from there on. "" at the start, and once it is over
    #: or they left.
    last_openid: Mapped[str] = mapped_column(String(64), default="")
    #: running, stopped or done.
    state: Mapped[str] = mapped_column(String(8))
    started_by: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ended_by: Mapped[str] = mapped_column(String(64), default="")
    #: How many were to be told, those of earlier starts of the same run among them.
    estimate: Mapped[int]
    sent: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    unsure: Mapped[int] = mapped_column(default=0)
    #: Why it ended, or, while it runs, what it waits for.
    why: Mapped[str] = mapped_column(String(200), default="")
    #: Why messages were refused or are unsure, and how many each time.
    reasons: Mapped[dict[str, int]] = mapped_column(JSON)

    __table_args__ = (UniqueConstraint("emergency_id", "event", "channel"),)


class MessageRow(Model):
    """One follower told, or about to be: written before the call, so that nobody is told twice.

    The key leaves the channel out: whoever is told by one is not told by another.
    """

    __tablename__ = "emergency_messages"

    emergency_id: Mapped[int] = mapped_column(ForeignKey("emergencies.id"), primary_key=True)
    event: Mapped[str] = mapped_column(String(8), primary_key=True)
    openid: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("emergency_runs.id"), index=True)
    #: The mass message it is part of.
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("emergency_batches.id"), index=True)
    #: sending, sent, refused or unsure.
    state: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        # Whom a worker that died was telling is found without passing all who were told.
        Index(
            "ix_emergency_messages_sending",
            "run_id",
            sqlite_where=sql("state = 'sending'"),
            postgresql_where=sql("state = 'sending'"),
        ),
    )


class BatchRow(Model):
    """One mass message to a list of followers, under a key by which WeChat knows a repeat."""

    __tablename__ = "emergency_batches"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("emergency_runs.id"), index=True)
    #: waiting, sending, sent, refused or unsure; sent means that WeChat took it on, and sending
    #: that it may have.
    state: Mapped[str] = mapped_column(String(8))
    client_key: Mapped[str] = mapped_column(String(32), unique=True)
    size: Mapped[int]
    #: WeChat's number of it, under which its report comes.
    msg_id: Mapped[str] = mapped_column(String(32), default="")
    why: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime] = mapped_column(UtcTime)


class MassReportRow(Model):
    """What WeChat reported of one mass message; it may come before we know the number ourselves."""

    __tablename__ = "mass_reports"

    msg_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    status: Mapped[str] = mapped_column(String(32))
    total: Mapped[int]
    #: Kept from followers who had their share of the month, or want no mass messages.
    filtered: Mapped[int]
    sent: Mapped[int]
    failed: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcTime)


class MassMonthRow(Model):
    """How many mass messages of ours a follower was given this calendar month.

    Only the month that runs is kept; others also send by hand, so WeChat has the last word.
    """

    __tablename__ = "mass_months"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: Year and month in China, such as 2026-11.
    month: Mapped[str] = mapped_column(String(7), index=True)
    count: Mapped[int]


RUNS: Final = table_of(RunRow)
MESSAGES: Final = table_of(MessageRow)
BATCHES: Final = table_of(BatchRow)
REPORTS: Final = table_of(MassReportRow)
MONTHS: Final = table_of(MassMonthRow)
