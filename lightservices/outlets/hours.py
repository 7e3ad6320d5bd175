"""When an outlet is open, read from words such as 周一至周五 09:00-12:00，13:30-17:00；节假日休息.

Parts are divided by ；. Each names days (周一至周五, 周六、周日, 每天, 节假日) and then times,
several where there is a break between them, or 休息. On a public holiday only what is said of
节假日 holds; a weekend that is worked instead of another day is like a Monday.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from lightservices.outlets.holidays import PLAIN, Calendar

_DAYS: Final = "一二三四五六日"
_DAY: Final = re.compile(r"(?:周|星期)([一二三四五六日天])")
_DAY_LONG: Final = 24 * 60
_SPAN: Final = re.compile(
    r"([01]?\d|2[0-3])[:：]([0-5]\d)\s*[-–—~～至]\s*([01]?\d|2[0-4])[:：]([0-5]\d)"
)
#: What is written like a time of day, whether or not there is such a time.
_TIME: Final = re.compile(r"(\d+)[:：](\d+)")
_HOLIDAYS: Final = ("节假日", "法定节假日", "公共假期")
_CLOSED: Final = re.compile(r"(休息|不营业|关闭)$")
#: The day beside Monday to Sunday.
HOLIDAY: Final = 7
_MONDAY: Final = 0
#: How many days ahead an opening is looked for; the longest holidays are shorter.
_AHEAD: Final = 15


@dataclass(frozen=True, slots=True)
class Span:
    """On these days (Monday is 0), from minute to minute of the day in Asia/Shanghai."""

    days: frozenset[int]
    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Hours:
    """``tells_holidays`` is whether anything is said of public holidays."""

    spans: tuple[Span, ...]
    tells_holidays: bool = False

    def is_open(self, local: datetime, calendar: Calendar = PLAIN) -> bool:
        return self._closing(local, calendar) is not None

    def state(self, local: datetime, calendar: Calendar = PLAIN) -> str:
        """What a follower needs to know now; ``local`` is the time in Asia/Shanghai."""
        if self._never_closes():
            return "营业中，全天 24 小时"
        closing = self._closing(local, calendar)
        if closing is not None:
            return f"营业中，{_clock(closing)} 关门"
        if self._is_untold(local.date(), calendar):
            return f"今天是{calendar.holidays[local.date()]}，营业时间请先致电"
        opening = self._next_opening(local, calendar)
        return f"休息中，{opening} 开门" if opening else "休息中"

    def _never_closes(self) -> bool:
        whole = (span.days for span in self.spans if (span.opens, span.closes) == (0, _DAY_LONG))
        return frozenset().union(*whole) >= frozenset(range(7))

    def _closing(self, local: datetime, calendar: Calendar) -> int | None:
        minute = local.hour * 60 + local.minute
        return max(
            (
                span.closes
                for span in self._on(local.date(), calendar)
                if span.opens <= minute < span.closes
            ),
            default=None,
        )

    def _next_opening(self, local: datetime, calendar: Calendar) -> str:
        minute = local.hour * 60 + local.minute
        doubt = False
        for ahead in range(_AHEAD):
            day = local.date() + timedelta(days=ahead)
            doubt = doubt or self._is_untold(day, calendar)
            later = [span.opens for span in self._on(day, calendar) if ahead or span.opens > minute]
            if later:
                first = "节后 " if doubt and ahead > 1 else ""
                return f"{first}{_named(day, ahead)} {_clock(min(later))}"
        return ""

    def _is_untold(self, day: date, calendar: Calendar) -> bool:
        """Whether it is a holiday of which nothing is said, on a day it would else be open."""
        if self.tells_holidays or day not in calendar.holidays:
            return False
        return any(day.weekday() in span.days for span in self.spans)

    def _on(self, day: date, calendar: Calendar) -> Iterator[Span]:
        if day in calendar.holidays:
            kind = HOLIDAY
        elif day in calendar.workdays:
            kind = _MONDAY
        else:
            kind = day.weekday()
        return (span for span in self.spans if kind in span.days)


@functools.lru_cache(maxsize=512)
def parse(text: str) -> Hours:
    """Read the words; no words are no hours.

    Raises:
        ValueError: with what is wrong, in the editor's language.
    """
    parts = [part.strip() for part in re.split(r"[;；\n]", text) if part.strip()]
    spans: list[Span] = []
    told: set[int] = set()
    for part in parts:
        days, times = _divided(part)
        told |= days
        spans += (Span(days, opens, closes) for opens, closes in times)
    return Hours(tuple(spans), HOLIDAY in told)


def _divided(part: str) -> tuple[frozenset[int], list[tuple[int, int]]]:
    """The days a part speaks of, and the times; no times where it says 休息."""
    # A time that no clock shows would else be taken for a part of the days before it.
    if wrong := next((one for one in _TIME.finditer(part) if not _is_time(one)), None):
        raise ValueError(f"“{wrong[0]}”不是钟点，应在 00:00 到 24:00 之间")
    if closed := _CLOSED.search(part):
        return _days(part[: closed.start()].strip()), []
    first = _SPAN.search(part)
    if first is None:
        raise ValueError(f"“{part}”里没有时间，应写成 周一至周五 09:00-17:00")
    days = _days(part[: first.start()].strip())
    if _SPAN.sub("", part[first.start() :]).strip(" ,，、"):
        raise ValueError(f"“{part}”写法有误，几段时间之间用逗号分开")
    return days, [_times(found) for found in _SPAN.finditer(part)]


def _is_time(found: re.Match[str]) -> bool:
    hour, minute = int(found[1]), int(found[2])
    return len(found[2]) == 2 and minute < 60 and hour * 60 + minute <= _DAY_LONG


def _times(found: re.Match[str]) -> tuple[int, int]:
    opens, closes = _minutes(found[1], found[2]), _minutes(found[3], found[4])
    if not opens < closes <= _DAY_LONG:
        raise ValueError(f"“{found[0]}”的结束时间应晚于开始时间")
    return opens, closes


def _days(words: str) -> frozenset[int]:
    if words in ("每天", "每日"):
        return frozenset(range(7))
    found: set[int] = set()
    for word in re.split(r"[,，、]", words):
        if word.strip() in _HOLIDAYS:
            found.add(HOLIDAY)
            continue
        ends = [_DAYS.index(day.replace("天", "日")) for day in _DAY.findall(word)]
        shape = _DAY.sub("D", word.strip())
        if shape == "D":
            found.add(ends[0])
        elif shape in ("D至D", "D到D", "D-D") and ends[0] <= ends[1]:
            found.update(range(ends[0], ends[1] + 1))
        else:
            raise ValueError(f"“{words}”不是星期，应写成 周一至周五、周六 或 节假日")
    return frozenset(found)


def _named(day: date, ahead: int) -> str:
    if ahead < 2:
        return ("今天", "明天")[ahead]
    return f"周{_DAYS[day.weekday()]}" if ahead < 7 else f"{day.month} 月 {day.day} 日"


def _minutes(hour: str, minute: str) -> int:
    return int(hour) * 60 + int(minute)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
