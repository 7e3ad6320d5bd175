"""When an outlet is open, read from words such as 周一至周五 09:00-17:00；周六 10:00-16:00."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_DAYS: Final = "一二三四五六日"
_DAY: Final = re.compile(r"(?:周|星期)([一二三四五六日天])")
_DAY_LONG: Final = 24 * 60
_SPAN: Final = re.compile(
    r"([01]?\d|2[0-3])[:：]([0-5]\d)\s*[-–—~～至]\s*([01]?\d|2[0-4])[:：]([0-5]\d)"
)


@dataclass(frozen=True, slots=True)
class Span:
    """On these weekdays (Monday is 0), from minute to minute of the day in Asia/Shanghai."""

    days: frozenset[int]
    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Hours:
    spans: tuple[Span, ...]

    def is_open(self, local: datetime) -> bool:
        return self._closing(local) is not None

    def state(self, local: datetime) -> str:
        """What a follower needs to know now; ``local`` is the time in Asia/Shanghai."""
        if self._never_closes():
            return "营业中，全天 24 小时"
        closing = self._closing(local)
        if closing is not None:
            return f"营业中，{_clock(closing)} 关门"
        opening = self._next_opening(local)
        return f"休息中，{opening} 开门" if opening else "休息中"

    def _never_closes(self) -> bool:
        whole = (span.days for span in self.spans if (span.opens, span.closes) == (0, _DAY_LONG))
        return frozenset().union(*whole) == frozenset(range(7))

    def _closing(self, local: datetime) -> int | None:
        minute = local.hour * 60 + local.minute
        return max(
            (span.closes for span in self._on(local) if span.opens <= minute < span.closes),
            default=None,
        )

    def _next_opening(self, local: datetime) -> str:
        minute = local.hour * 60 + local.minute
        for ahead in range(8):
            day = local + timedelta(days=ahead)
            later = [span.opens for span in self._on(day) if ahead or span.opens > minute]
            if later:
                name = ("今天", "明天")[ahead] if ahead < 2 else f"周{_DAYS[day.weekday()]}"
                return f"{name} {_clock(min(later))}"
        return ""

    def _on(self, day: datetime) -> Iterator[Span]:
        return (span for span in self.spans if day.weekday() in span.days)


@functools.lru_cache(maxsize=512)
def parse(text: str) -> Hours:
    """Read the words; no words are no hours.

    Raises:
        ValueError: with what is wrong, in the editor's language.
    """
    parts = [part.strip() for part in re.split(r"[;；\n]", text) if part.strip()]
    return Hours(tuple(span for part in parts for span in _spans(part)))


def _spans(part: str) -> Iterator[Span]:
    first = _SPAN.search(part)
    if first is None:
        raise ValueError(f"“{part}”里没有时间，应写成 周一至周五 09:00-17:00")
    days = _days(part[: first.start()].strip())
    if _SPAN.sub("", part[first.start() :]).strip(" ,，、"):
        raise ValueError(f"“{part}”写法有误，几段时间之间用逗号分开")
    for found in _SPAN.finditer(part):
        opens, closes = _minutes(found[1], found[2]), _minutes(found[3], found[4])
        if not opens < closes <= _DAY_LONG:
            raise ValueError(f"“{found[0]}”的结束时间应晚于开始时间")
        yield Span(days, opens, closes)


def _days(words: str) -> frozenset[int]:
    if words in ("每天", "每日"):
        return frozenset(range(7))
    found: set[int] = set()
    for word in re.split(r"[,，、]", words):
        ends = [_DAYS.index(day.replace("天", "日")) for day in _DAY.findall(word)]
        shape = _DAY.sub("D", word.strip())
        if shape == "D":
            found.add(ends[0])
        elif shape in ("D至D", "D到D", "D-D") and ends[0] <= ends[1]:
            found.update(range(ends[0], ends[1] + 1))
        else:
            raise ValueError(f"“{words}”不是星期，应写成 周一至周五 或 周六、周日")
    return frozenset(found)


def _minutes(hour: str, minute: str) -> int:
    return int(hour) * 60 + int(minute)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
