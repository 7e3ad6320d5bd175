"""What is kept of a ticket: what it is about, sealed, its history, when its follower was heard."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from regions.branches import BranchRow
from service.db import Model, UtcTime


class TicketRow(Model):
    """The table of tickets. What somebody wrote lies sealed: people write more than was asked."""

    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(16), unique=True)
    #: A digest of the form it came from: the same form sent twice is one ticket.
    token: Mapped[str] = mapped_column(String(64), unique=True)
    category: Mapped[str] = mapped_column(String(24))
    service: Mapped[str] = mapped_column(String(40), default="")
    branch_code: Mapped[str] = mapped_column(ForeignKey(BranchRow.code))
    #: Nobody for a guest, who finds the ticket by its number and code.
    openid: Mapped[str | None] = mapped_column(String(64), index=True)
    sealed: Mapped[str] = mapped_column(Text)
    phone_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(10))
    #: The login of whoever works on it; "" for nobody.
    holder: Mapped[str] = mapped_column(String(64), default="")
    opened_at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    escalated_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_tickets_desk", "branch_code", "state", "due_at"),
        Index("ix_tickets_due", "state", "due_at"),
        Index("ix_tickets_answered", "answered_at"),
    )


class TicketEventRow(Model):
    """The table of what happened to each ticket, in order."""

    __tablename__ = "ticket_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey(TicketRow.id), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    act: Mapped[str] = mapped_column(String(12))
    #: A login; "" for the follower, "system" for the program.
    actor: Mapped[str] = mapped_column(String(64), default="")
    sealed: Mapped[str] = mapped_column(Text, default="")
    #: How far an answer has come on its way into the chat; "" for what is not sent there.
    reach: Mapped[str] = mapped_column(String(10), default="")
    why: Mapped[str] = mapped_column(String(80), default="")

    __table_args__ = (Index("ix_ticket_events_reach", "reach"),)


class ConversationRow(Model):
    """The table of when a follower last did what lets the account write to them, coarsely.

    Gone two days later, when it opens nothing any more.
    """

    __tablename__ = "conversations"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: The last message, rounded down to ten minutes; it opens 48 hours.
    heard_at: Mapped[datetime | None] = mapped_column(UtcTime, index=True)
    #: Whether answers wait for the follower's next sign.
    waits: Mapped[bool] = mapped_column(default=False)
