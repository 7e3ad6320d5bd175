"""Opening hours as banks write them, and what a follower reads at a given minute."""

from __future__ import annotations

from datetime import datetime

import pytest

from lightservices.outlets.hours import parse
from service.clock import SHANGHAI

WEEK = "周一至周五 09:00-12:00，13:30-17:00；周六、周日 10:00-16:00"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """2026-11-23 is a Monday."""
    return datetime(2026, 11, 22 + day, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        (at(1, 8, 59), "休息中，今天 09:00 开门"),
        (at(1, 9), "营业中，12:00 关门"),
        (at(1, 12), "休息中，今天 13:30 开门"),
        (at(1, 16, 59), "营业中，17:00 关门"),
        (at(5, 17), "休息中，明天 10:00 开门"),
        (at(7, 20), "休息中，明天 09:00 开门"),
    ],
)
def test_a_follower_reads_what_to_expect(moment: datetime, state: str) -> None:
    assert parse(WEEK).state(moment) == state


def test_the_weekend_is_skipped_and_the_day_named() -> None:
    assert parse("周一至周五 09:00-17:00").state(at(5, 18)) == "休息中，周一 09:00 开门"
    assert parse("每天 00:00-24:00").is_open(at(7, 23, 59))
    assert not parse("").is_open(at(1, 10))
    assert parse("").state(at(1, 10)) == "休息中"


def test_what_never_closes_names_no_closing_time() -> None:
    assert parse("每天 00:00-24:00").state(at(1, 23, 30)) == "营业中，全天 24 小时"
    assert parse("周一至周六 00:00-24:00").state(at(1, 23, 30)) == "营业中，24:00 关门"


@pytest.mark.parametrize(
    "words",
    ["周一", "09:00-17:00", "周一至周五 17:00-09:00", "周五至周一 09:00-17:00", "节日 09:00-10:00",
     "周一 09:00-17:00 有时", "周一至周五 9点到17点", "周一 00:00-24:30"],
)  # fmt: skip
def test_words_that_are_no_hours_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match="“"):
        parse(words)


@pytest.mark.parametrize(
    ("words", "wrong"),
    [("周一至周日 25:00-17:00", "25:00"), ("周一 09:00-24:30", "24:30"), ("周一 9:5-17:00", "9:5")],
)
def test_a_time_that_no_clock_shows_is_named_as_such(words: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=f"^“{wrong}”不是钟点"):
        parse(words)
