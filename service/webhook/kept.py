"""What was genuine but could not be dealt with, kept for a later try and lost never.

Two reasons: we did not understand it (a fault of ours, to be mended and replayed by a person), or
the database did not answer in time (replayed by the worker as soon as it does). The first is kept
in a table, the second in a file beside it. Both hold the message under the account's own key, so
that nothing about a follower lies open on a disk.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import String, Text, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from service import clock, followers, journal
from service.db import Model, UtcTime
from service.happenings import Unfollowed
from service.wiring import Unit

log = journal.logger("service.webhook.kept")

#: The fault of those that were readable and only met a database that did not answer.
NO_DATABASE = "database"
KEPT_FOR = timedelta(days=7)


class Kept(Model):
    """One genuine push that waits to be dealt with."""

    __tablename__ = "intake_kept"

    id: Mapped[int] = mapped_column(primary_key=True)
    received_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    fault: Mapped[str] = mapped_column(String(64))
    #: The message, encrypted under the account's EncodingAESKey.
    sealed: Mapped[str] = mapped_column(Text)
    #: Whom it is about where that could be made out, as a digest, so that leaving erases it.
    about: Mapped[str | None] = mapped_column(String(32), index=True)


def keep(
    unit: Unit, *, fault: str, sealed: str, openid: str | None, at: datetime | None = None
) -> None:
    """Keep a push in the database; ``at`` is when it came, now unless said otherwise."""
    about = followers.digest_of(unit, openid) if openid else None
    unit.db.execute(
        unit.insert(Kept).values(
            received_at=at or clock.now(), fault=fault[:64], sealed=sealed, about=about
        )
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """One push that waits, still sealed."""

    id: int
    received_at: datetime
    fault: str
    sealed: str


def waiting(unit: Unit, *, fault: str | None = None) -> list[Waiting]:
    """What waits, oldest first; only one kind of fault if one is named."""
    query = select(Kept.id, Kept.received_at, Kept.fault, Kept.sealed).order_by(Kept.id)
    if fault is not None:
        query = query.where(Kept.fault == fault)
    return [Waiting(*row) for row in unit.db.execute(query)]


def settle(unit: Unit, kept_id: int) -> None:
    """It was dealt with."""
    unit.db.execute(delete(Kept).where(Kept.id == kept_id))


def set_aside(unit: Unit, kept_id: int, *, fault: str, openid: str | None) -> None:
    """It was tried and could not be dealt with: from now on it waits for a person."""
    about = followers.digest_of(unit, openid) if openid else None
    unit.db.execute(update(Kept).where(Kept.id == kept_id).values(fault=fault[:64], about=about))


def forget(unit: Unit, fact: Unfollowed) -> None:
    """Drop what is kept about somebody who left."""
    unit.db.execute(delete(Kept).where(Kept.about == followers.digest_of(unit, fact.openid)))


def forget_old(unit: Unit) -> None:
    """Drop what nobody dealt with for a week; privacy weighs more by then."""
    unit.db.execute(delete(Kept).where(Kept.received_at < clock.now() - KEPT_FOR))


class Spool:
    """The file that keeps pushes while the database does not answer."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "kept.jsonl"

    def keep(self, sealed: str) -> None:
        """Append one push; it is on disk when this returns.

        Raises:
            OSError: the disk is full or broken; WeChat, left unanswered, sends the push again.
        """
        # It begins on a line of its own, so that a torn one before it takes nothing with it.
        line = "\n" + json.dumps({"at": clock.epoch(), "sealed": sealed}) + "\n"
        with self._locked() as file:
            if os.write(file, line.encode()) < len(line):
                raise OSError("the spool's disk is full")
            os.fdatasync(file)

    def holds_something(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > 0

    @contextmanager
    def emptied(self) -> Iterator[list[tuple[datetime, str]]]:
        """What the file keeps, as (time, sealed message); emptied when the block ends well.

        Writers wait meanwhile, so the block commits what it moved and does nothing else.
        """
        if not self.path.exists():
            yield []
            return
        with self._locked() as file:
            text = self.path.read_text("utf-8", errors="replace")
            yield [entry for line in text.splitlines() if line and (entry := _entry_in(line))]
            os.ftruncate(file, 0)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)


def _entry_in(line: str) -> tuple[datetime, str] | None:
    """What a line of the file holds; nothing where a full disk or a crash tore it."""
    try:
        entry = json.loads(line)
        return clock.from_epoch(entry["at"]), str(entry["sealed"])
    except (ValueError, TypeError, KeyError):
        log.error("spool_line_torn")
        return None
