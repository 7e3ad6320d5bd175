"""How far followers have come on their way to the menus of their branches, and when they are there.

Nobody counts along: what is left is read off the rows that say what each follower carries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from menus import book, offers, variants
from menus.book import MenuAccount
from service import clock
from service.delivery.ledger import Desk
from service.wiring import Unit


@dataclass(frozen=True, slots=True)
class Progress:
    """How many followers had to be moved since a moment, and how many of them still have to."""

    total: int
    left: int
    since: datetime | None

    @property
    def done(self) -> int:
        return self.total - self.left

    def a_second(self, at: datetime) -> float:
        """How many followers a second were moved so far."""
        seconds = (at - self.since).total_seconds() if self.since else 0.0
        return self.done / seconds if seconds > 0 else 0.0

    def ends_at(self, at: datetime) -> datetime | None:
        """When all are moved if it goes on like this; unknown while none was."""
        rate = self.a_second(at)
        return at + timedelta(seconds=self.left / rate) if rate and self.left else None


def begin(desk: Desk, reach: Mapping[str, int]) -> None:
    """Branches have just got other tags: from now on this many followers are to be moved.

    They are counted with nothing held: millions take seconds, and everybody would wait.
    """
    with desk.reading() as unit:
        total = offers.on_the_way(unit, reach)
    with desk.unit() as unit:
        book.note(unit, moving=total, moving_since=clock.now())


def progress(unit: Unit) -> Progress:
    """How things stand now."""
    row = unit.db.execute(select(MenuAccount.moving, MenuAccount.moving_since)).first()
    remaining = offers.on_the_way(unit, variants.in_reach(unit))
    total, since = row or (0, None)
    return Progress(max(total, remaining), remaining, since)
