"""How long ago something was so, in the words of whoever reads it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from service import clock

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_LATELY: Final = {0: "今天", 1: "昨天"}


def age(at: datetime) -> str:
    """How long ago this moment was; one that a fast clock put ahead of ours is just now."""
    seconds = int((clock.now() - at).total_seconds())
    if seconds < _MINUTE:
        return "刚刚"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} 分钟前"
    if seconds < _DAY:
        return f"{seconds // _HOUR} 小时前"
    return f"{seconds // _DAY} 天前"


def age_in_days(day: date) -> str:
    """How many days ago this day was in China."""
    days = max(0, (clock.today() - day).days)
    return _LATELY.get(days) or f"{days} 天前"
