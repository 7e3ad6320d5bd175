"""How often each API may be called: a daily ceiling, some by the minute, and their clearing.

The numbers are those of the platform's table for a new verified account. What it does not publish
(tags, tickets) is an assumption that ``openapi/quota/get`` answers and a trial can change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from service.clock import shanghai
from service.sandbox.calls import OK, Call, Json, Refused
from service.sandbox.tokens import check_account

if TYPE_CHECKING:
    from service.sandbox.world import World

#: For a path WeChat publishes no number for.
UNPUBLISHED: Final = 100_000

DAILY: Final[Mapping[str, int]] = {
    "/cgi-bin/token": 2_000,
    "/cgi-bin/stable_token": 500_000,
    "/cgi-bin/menu/create": 1_000,
    "/cgi-bin/menu/get": 10_000,
    "/cgi-bin/get_current_selfmenu_info": 10_000,
    "/cgi-bin/menu/delete": 1_000,
    "/cgi-bin/menu/addconditional": 2_000,
    "/cgi-bin/menu/delconditional": 2_000,
    "/cgi-bin/menu/trymatch": 20_000,
    "/cgi-bin/tags/create": 1_000,
    "/cgi-bin/tags/get": 1_000,
    "/cgi-bin/tags/update": 1_000,
    "/cgi-bin/tags/delete": 1_000,
    "/cgi-bin/message/custom/send": 500_000,
    "/cgi-bin/message/custom/typing": 500_000,
    "/cgi-bin/message/template/send": 100_000,
    "/cgi-bin/message/mass/send": 100,
    "/cgi-bin/qrcode/create": 100_000,
    "/cgi-bin/user/get": 500,
    "/cgi-bin/user/info": 5_000_000,
    "/cgi-bin/user/info/batchget": 5_000_000,
    "/cgi-bin/user/info/updateremark": 10_000,
}

MINUTE: Final[Mapping[str, int]] = {
    "/cgi-bin/stable_token": 10_000,
    "/cgi-bin/message/mass/send": 60,
    "/sns/oauth2/access_token": 50_000,
}


class Quotas:
    """What may be called today, what was, and how often counters were cleared this month."""

    def __init__(self) -> None:
        self.daily: dict[str, int] = {}
        self.minute: dict[str, int] = dict(MINUTE)
        self._day = ""
        self._used: Counter[str] = Counter()
        self._minute = 0
        self._in_minute: Counter[str] = Counter()
        self._month = ""
        self._clears: Counter[str] = Counter()

    def limit(self, path: str) -> int:
        return self.daily.get(path, DAILY.get(path, UNPUBLISHED))

    def used(self, path: str, now: float) -> int:
        self._turn(now)
        return self._used[path]

    def spend(self, path: str, now: float) -> None:
        """Count one call.

        Raises:
            Refused: 45009 until midnight in Shanghai, 45011 until the next minute.
        """
        self._turn(now)
        if not path.startswith("/sns/") and self._used[path] >= self.limit(path):
            raise Refused(45009)
        if path in self.minute and self._in_minute[path] >= self.minute[path]:
            raise Refused(45011)
        self._used[path] += 1
        self._in_minute[path] += 1

    def clear(self, now: float, *, path: str | None, allowed: int) -> None:
        """Start today's counting anew, for one path or for all.

        Raises:
            Refused: 48006, as this may be done only so often in a calendar month.
        """
        self._turn(now)
        sort = "one" if path else "all"
        if self._clears[sort] >= allowed:
            raise Refused(48006)
        self._clears[sort] += 1
        if path:
            self._used.pop(path, None)
        else:
            self._used.clear()

    def change(self, wanted: Mapping[str, Any], now: float) -> None:
        """Set daily ceilings, minute ceilings and usage by path.

        Raises:
            ValueError: a number is not a whole number of zero or more.
        """
        self._turn(now)
        tables: dict[str, dict[str, int]] = {
            "daily": self.daily,
            "minute": self.minute,
            "used": self._used,
        }
        for sort, numbers in wanted.items():
            if sort not in tables or not isinstance(numbers, dict):
                raise ValueError(f"{sort!r} is not one of daily, minute, used")
            if any(not isinstance(number, int) or number < 0 for number in numbers.values()):
                raise ValueError(f"every number in {sort} must be a whole number, zero or more")
        for sort, numbers in wanted.items():
            tables[sort].update(numbers)

    def shown(self, now: float, paths: list[str]) -> Json:
        """Every path's ceiling and usage, and the ceilings by the minute."""
        self._turn(now)
        daily = {
            path: {
                "limit": self.limit(path),
                "used": self._used[path],
                "remain": max(0, self.limit(path) - self._used[path]),
            }
            for path in paths
        }
        return {"daily": daily, "minute": dict(self.minute), "clears": dict(self._clears)}

    def _turn(self, now: float) -> None:
        """Forget yesterday's usage at midnight, and last month's clearings, Shanghai time."""
        local = shanghai(datetime.fromtimestamp(now, UTC))
        day, month, minute = f"{local:%F}", f"{local:%Y-%m}", int(now // 60)
        if day != self._day:
            self._day = day
            self._used.clear()
        if minute != self._minute:
            self._minute = minute
            self._in_minute.clear()
        if month != self._month:
            self._month = month
            self._clears.clear()


def get(world: World, call: Call) -> Json:
    """``POST /cgi-bin/openapi/quota/get``."""
    path = _path(world, call)
    limit, used = world.quotas.limit(path), world.quotas.used(path, call.at)
    quota = {"daily_limit": limit, "used": used, "remain": max(0, limit - used)}
    answer: Json = {**OK, "quota": quota}
    if path in world.quotas.minute:
        rate = {"call_count": world.quotas.minute[path], "refresh_second": 60}
        answer["rate_limit"] = rate
    return answer


def clear_one(world: World, call: Call) -> Json:
    """``POST /cgi-bin/openapi/quota/clear``."""
    path = _path(world, call)
    world.quotas.clear(call.at, path=path, allowed=world.limits.path_quota_clears_a_month)
    return OK


def clear_all(world: World, call: Call) -> Json:
    """``POST /cgi-bin/clear_quota``."""
    if call.word("appid") != world.settings.wechat_appid:
        raise Refused(40013)
    world.quotas.clear(call.at, path=None, allowed=world.limits.quota_clears_a_month)
    return OK


def clear_with_secret(world: World, call: Call) -> Json:
    """``POST /cgi-bin/clear_quota/v2``, which needs the secret instead of a token.

    WeChat's own sample sends both in the query string, so they are taken from there as well.
    """
    appid = call.word("appid") or call.args.get("appid", "")
    check_account(world, appid, call.word("appsecret") or call.args.get("appsecret", ""))
    world.quotas.clear(call.at, path=None, allowed=world.limits.quota_clears_a_month)
    return OK


def _path(world: World, call: Call) -> str:
    path = call.word("cgi_path")
    if not path.startswith("/") or "?" in path:
        raise Refused(76003)
    if path.startswith("/sns/"):
        raise Refused(76022)
    if path not in world.paths:
        raise Refused(76021)
    return path
