"""Openings and taps counted in the process and written now and then, after an answer is made.

Neither a page nor WeChat must wait for a write, and a hundred openings of one page are one row.
What a process that is killed had not written yet is lost: these are figures, not books.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import Counter
from typing import Final

from flask import Response
from sqlalchemy.exc import SQLAlchemyError

from lightservices import counts
from lightservices.counts import Opened, Tapped
from service import journal
from service.wiring import Unit, Wiring

EVERY_SECONDS: Final = 10.0

log = journal.logger("lightservices.tally")


class Tally:
    """What one process has counted and not written yet."""

    def __init__(self) -> None:
        self._opened: Counter[Opened] = Counter()
        self._tapped: Counter[Tapped] = Counter()
        self._lock = threading.Lock()
        self._written_at = time.monotonic()

    def count(self, opened: Opened) -> None:
        with self._lock:
            self._opened[opened] += 1

    def tap(self, tapped: Tapped) -> None:
        with self._lock:
            self._tapped[tapped] += 1

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self._written_at >= EVERY_SECONDS

    def write(self, wiring: Wiring) -> None:
        """Write what was counted; what the database does not take is kept for the next time."""
        with self._lock:
            opened, self._opened = self._opened, Counter()
            tapped, self._tapped = self._tapped, Counter()
            self._written_at = time.monotonic()
        if not opened and not tapped:
            return
        try:
            with wiring.unit() as unit:
                counts.add_opens(unit, opened)
                counts.add_taps(unit, tapped)
        except SQLAlchemyError:
            total = opened.total() + tapped.total()
            log.warning("what was counted could not be written and is kept", count=total)
            with self._lock:
                self._opened.update(opened)
                self._tapped.update(tapped)


def tally_of(wiring: Wiring) -> Tally:
    """The tally of this process, written a last time when the process ends in peace."""
    found: Tally | None = wiring.shelf.get(Tally)
    if found is None:
        found = wiring.shelf.setdefault(Tally, Tally())
        atexit.register(found.write, wiring)
    return found


def opened(response: Response, wiring: Wiring, *, branch: str, key: str) -> Response:
    """Count one opening, and write if it is time once this answer is with the reader."""
    tally = tally_of(wiring)
    tally.count((counts.today(), branch, key))
    if tally.is_due:
        response.call_on_close(lambda: tally.write(wiring))
    return response


def tapped(unit: Unit, *, branch: str, button: str) -> None:
    """Count one tap on a menu button; written, if it is time, once the unit is done."""
    wiring = unit.wiring
    tally = tally_of(wiring)
    tally.tap((counts.today(), branch, button))
    if tally.is_due:
        unit.afterwards.append(lambda: tally.write(wiring))
