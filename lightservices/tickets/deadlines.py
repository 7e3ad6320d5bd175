"""When something is due: so many working hours from a moment, nights and holidays left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final

from lightservices.outlets.holidays import Calendar
from lightservices.outlets.hours import HOLIDAY, Hours

#: No deadline is looked for further ahead; a desk without hours would be looked at for ever.
_MOST_DAYS: Final = 400
_MONDAY: Final = 0


def due(start: datetime, *, minutes: int, hours: Hours, days: Calendar) -> datetime:
    """The moment at which so many working minutes have passed since ``start``.

    ``start`` and the result are times in Asia/Shanghai. Where there are no working hours at all,
    the clock simply runs.
    """
    left = timedelta(minutes=minutes)
    for opens, closes in _spells(start, hours, days):
        begun = max(opens, start)
        if closes - begun >= left:
            return begun + left
        left -= closes - begun
    return start + timedelta(minutes=minutes)


def _spells(start: datetime, hours: Hours, days: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """The working times from this moment on, in order, those already over left out."""
    if not hours.spans:
        return
    for ahead in range(_MOST_DAYS):
        day = start.date() + timedelta(days=ahead)
        midnight = datetime.combine(day, time.min, start.tzinfo)
        spans = {(span.opens, span.closes) for span in hours.spans if _kind(day, days) in span.days}
        for opens, closes in sorted(spans):
            end = midnight + timedelta(minutes=closes)
            if end > start:
                yield midnight + timedelta(minutes=opens), end


def _kind(day: date, days: Calendar) -> int:
    """Which day of the week it counts as."""
    if day in days.holidays:
        return HOLIDAY
    return _MONDAY if day in days.workdays else day.weekday()
