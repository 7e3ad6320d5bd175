"""What time it is: the only place the program asks, always in UTC, always aware."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

#: People read and write times here; the program thinks in UTC.
SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def from_epoch(seconds: int) -> datetime:
    """WeChat's ``CreateTime`` (whole seconds since 1970) as an aware time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def shanghai(moment: datetime) -> datetime:
    """The same moment as people in China read it."""
    return moment.astimezone(SHANGHAI)


def today() -> date:
    """The day it is in China."""
    return shanghai(now()).date()


def epoch() -> int:
    """The present moment in whole seconds since 1970, as WeChat counts."""
    return int(now().timestamp())
