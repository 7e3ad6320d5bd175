"""What WeChat must be made to agree with or told, kept as rows until it is done.

A delivery is requested in the caller's transaction, so it exists exactly when the change that asks
for it does. Workers claim rows in batches under a lease, perform them with no transaction open, and
settle them; a dead worker's rows come back when the lease ends.

The database itself keeps at most one *waiting*, one *running* and one *failed* row of a kind and
key. How rows are claimed and settled is in :mod:`service.delivery.claims`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, Index, String, UniqueConstraint, and_, bindparam, case, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from service import clock
from service.db import Model, UtcTime
from service.happenings import OpenId, Unfollowed
from service.wechat.errors import TryLater, WillNever
from service.wechat.gateway import Gateway, gateway_of, transaction_open
from service.wiring import Unit, Wiring

WAITING, RUNNING, FAILED = "waiting", "running", "failed"


class Row(Model):
    """One thing to be settled with WeChat, or one that could not be."""

    __tablename__ = "deliveries"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(128))
    lane: Mapped[str] = mapped_column(String(64), default="")
    openid: Mapped[str | None] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(8), default=WAITING)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    claim: Mapped[str | None] = mapped_column(String(32))
    attempts: Mapped[int] = mapped_column(default=0)
    last_failure: Mapped[str] = mapped_column(String(400), default="")
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    touched_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        UniqueConstraint("kind", "key", "state"),
        # In this order the next row of every kind and lane is found without passing the others.
        Index("ix_deliveries_next", "state", "kind", "lane", "due_at", "id"),
        Index("ix_deliveries_openid", "openid"),
        # SQLite would otherwise give the number of a finished row to the next one, and with it the
        # idempotency key, so that WeChat would take a new message for a repeat of the old.
        {"sqlite_autoincrement": True},
    )


class Lane(Model):
    """Who runs a lane just now, and until when it rests because WeChat refuses all of it.

    Rows without a lane run beside each other; the lane named after their kind only rests.
    """

    __tablename__ = "lanes"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    claim: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    stopped_until: Mapped[datetime | None] = mapped_column(UtcTime)
    why: Mapped[str] = mapped_column(String(400), default="")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One claimed row; ``attempts`` counts this one."""

    id: int
    kind: str
    key: str
    lane: str
    openid: OpenId | None
    payload: dict[str, Any]
    attempts: int

    @property
    def idempotency_key(self) -> str:
        """Thirty-two characters, the same at every repeat of this delivery and of no other."""
        return hashlib.sha256(f"{self.kind}\n{self.key}\n{self.id}".encode()).hexdigest()[:32]


Outcomes = Mapping[int, TryLater | WillNever]


@dataclass(frozen=True, slots=True)
class Desk:
    """What a performer works with. WeChat is called between units of work, never inside one."""

    wiring: Wiring

    @property
    def gateway(self) -> Gateway:
        return gateway_of(self.wiring)

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """One committed transaction; the gateway refuses calls while it is open."""
        mark = transaction_open.set(True)
        try:
            with self.wiring.unit() as unit:
                yield unit
        finally:
            transaction_open.reset(mark)

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        with self.wiring.reading() as unit:
            yield unit


@dataclass(frozen=True, slots=True)
class Performer:
    """How deliveries of one kind are performed, at most ``batch`` at a time.

    ``perform`` returns what is *not* done, by delivery id; ids it leaves out are done. Raising
    :class:`TryLater` or :class:`WillNever` says the same of the whole batch.
    """

    perform: Callable[[Desk, Sequence[Delivery]], Outcomes | None]
    batch: int = 1


def _requesting(dialect: Any) -> Any:
    """The one statement of :func:`request`, built once because every event may need it.

    A row that is already waiting is *written*, not left alone: the write waits for, or holds off,
    a worker that is about to claim it, so nobody can settle the state from before this change.
    A row that waits after a failure keeps its wait, or a busy WeChat would never be left in peace.
    """
    moment = bindparam("moment", type_=UtcTime)
    statement = dialect.insert(Row).values(
        kind=bindparam("kind"),
        key=bindparam("key"),
        lane=bindparam("lane"),
        openid=bindparam("openid"),
        payload=bindparam("payload", type_=JSON),
        state=WAITING,
        due_at=bindparam("due", type_=UtcTime),
        attempts=0,
        last_failure="",
        created_at=moment,
        touched_at=moment,
    )
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[Row.kind, Row.key, Row.state],
        set_={
            "lane": new.lane,
            "openid": new.openid,
            "payload": new.payload,
            "touched_at": new.touched_at,
            "due_at": case(
                (and_(Row.attempts > 0, Row.due_at > new.due_at), Row.due_at), else_=new.due_at
            ),
        },
    )


_REQUEST: Final = {"postgresql": _requesting(postgresql), "sqlite": _requesting(sqlite)}


def request(
    unit: Unit,
    kind: str,
    *,
    key: str,
    lane: str = "",
    openid: OpenId | None = None,
    payload: Mapping[str, Any] | None = None,
    due: datetime | None = None,
) -> None:
    """Ask for a delivery, in this transaction; several requests for one key become one delivery.

    Args:
        kind: which performer does it.
        key: what it is about, at most 128 characters; with the kind it names the delivery.
        lane: deliveries of one lane never run beside each other; "" means only the key must not.
        openid: whom it concerns, so that it can be forgotten with them.
        payload: JSON values; the latest request's is the one that counts.
        due: not before this time (aware); at once when absent.
    """
    moment = clock.now()
    unit.db.execute(
        _REQUEST[unit.db.dialect.name],
        {
            "kind": kind,
            "key": key,
            "lane": lane,
            "openid": openid,
            "payload": {} if payload is None else dict(payload),
            "due": due or moment,
            "moment": moment,
        },
    )


def forget(unit: Unit, fact: Unfollowed) -> None:
    """Drop everything that was to be done for a follower who left."""
    unit.db.execute(delete(Row).where(Row.openid == fact.openid))
