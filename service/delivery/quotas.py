"""How many calls of each kind are left today, so that we stop before WeChat refuses.

Days are those of Asia/Shanghai. A process reserves calls in blocks and spends them in memory: the
database is written once per block, several processes together never exceed the limit, and one that
dies wastes at most what was left of its block.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Row, String, case, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from service import clock
from service.db import Model
from service.wechat.errors import MIDNIGHT_DOUBT, QuotaSpent, until_reset
from service.wiring import Unit, Wiring

#: Calls a day for a newly verified account, as WeChat publishes them, except for the two on tags,
#: which it does not: the calls on groups that tags replaced had these. What WeChat tells us of this
#: account comes first.
DEFAULTS: Final[Mapping[str, int]] = {
    "/cgi-bin/menu/create": 1_000,
    "/cgi-bin/menu/get": 10_000,
    "/cgi-bin/get_current_selfmenu_info": 10_000,
    "/cgi-bin/menu/delete": 1_000,
    "/cgi-bin/menu/addconditional": 2_000,
    "/cgi-bin/menu/delconditional": 2_000,
    "/cgi-bin/menu/trymatch": 20_000,
    "/cgi-bin/message/custom/send": 500_000,
    "/cgi-bin/message/template/send": 100_000,
    "/cgi-bin/message/mass/send": 100,
    "/cgi-bin/qrcode/create": 100_000,
    "/cgi-bin/user/get": 500,
    "/cgi-bin/user/info": 5_000_000,
    "/cgi-bin/tags/members/batchtagging": 100_000,
    "/cgi-bin/tags/members/batchuntagging": 100_000,
}


@dataclass(frozen=True, slots=True)
class Quota:
    """One day's calls of one kind, as WeChat counts them."""

    daily_limit: int
    used: int
    remain: int


class Calls(Model):
    """What has been reserved of one day's calls, and what is known of their limit."""

    __tablename__ = "api_calls"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    path: Mapped[str] = mapped_column(String(64), primary_key=True)
    reserved: Mapped[int] = mapped_column(default=0)
    #: The limit WeChat told us; the default holds until then.
    learned: Mapped[int | None] = mapped_column()
    #: WeChat has refused today, whatever our count says.
    spent: Mapped[bool] = mapped_column(default=False)


#: A block is a thousandth of the day's limit, but no more than this, so that little is wasted.
_LARGEST_BLOCK: Final = 50
#: The block where no limit is known and counting only informs.
_FREE_BLOCK: Final = 20
#: How long a process takes its own word for it that a quota is spent.
_REFUSAL_SECONDS: Final = 30.0
_KEPT_DAYS: Final = 30


class Allowance:
    """What this process may still call today, by path."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._left: dict[tuple[str, str], int] = {}
        self._refused_until: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def spend(self, path: str) -> None:
        """Count one call of ``path``.

        Raises:
            QuotaSpent: when today's calls are used up; WeChat was not asked.
        """
        today = (_today(), path)
        with self._lock:
            left = self._left.get(today, 0) or self._reserve(today)
            self._left[today] = left - 1

    def exhausted(self, path: str) -> None:
        """Remember for every process that WeChat has refused this call for today."""
        if _midnight_is_doubtful():
            return
        today = (_today(), path)
        with self._lock, self._wiring.unit() as unit:
            self._left.pop(today, None)
            unit.db.execute(
                update(Calls).where(Calls.day == today[0], Calls.path == path).values(spent=True)
            )

    def learn(self, path: str, quota: Quota) -> None:
        """Keep what WeChat says of a call's limit and use; others may use our quota too."""
        with self._lock, self._wiring.unit() as unit:
            self._refused_until.pop((_today(), path), None)
            statement = unit.insert(Calls).values(
                day=_today(),
                path=path,
                reserved=quota.used,
                learned=quota.daily_limit,
                spent=quota.remain <= 0,
            )
            new = statement.excluded
            more = case((Calls.reserved > new.reserved, Calls.reserved), else_=new.reserved)
            unit.db.execute(
                statement.on_conflict_do_update(
                    index_elements=[Calls.day, Calls.path],
                    set_={"learned": new.learned, "spent": new.spent, "reserved": more},
                )
            )

    def _reserve(self, today: tuple[str, str]) -> int:
        if time.monotonic() < self._refused_until.get(today, 0.0):
            raise _spent()
        try:
            with self._wiring.unit() as unit:
                return _reserve(unit, *today)
        except QuotaSpent:
            self._refused_until[today] = time.monotonic() + _REFUSAL_SECONDS
            raise


def _reserve(unit: Unit, day: str, path: str) -> int:
    """Take a block of calls, or raise and leave everything as it was."""
    latest = (
        select(Calls.learned)
        .where(Calls.path == path, Calls.learned.is_not(None))
        .order_by(Calls.day.desc())
        .limit(1)
    )
    told = unit.db.execute(latest).scalar()
    limit = told or DEFAULTS.get(path)
    block = _FREE_BLOCK if limit is None else max(1, min(_LARGEST_BLOCK, limit // 1_000))
    taking = unit.insert(Calls).values(
        day=day, path=path, reserved=block, learned=told, spent=False
    )
    reserved, spent = unit.db.execute(
        taking.on_conflict_do_update(
            index_elements=[Calls.day, Calls.path],
            set_={"reserved": Calls.reserved + taking.excluded.reserved},
        ).returning(Calls.reserved, Calls.spent)
    ).one()
    granted = block if limit is None else min(block, limit - (reserved - block))
    if spent or granted <= 0:
        raise _spent()
    return granted


def used_today(unit: Unit) -> Sequence[Row[str, int, int | None, bool]]:
    """Path, calls reserved, learned limit and whether it is spent, for each call of today."""
    return unit.db.execute(
        select(Calls.path, Calls.reserved, Calls.learned, Calls.spent)
        .where(Calls.day == _today())
        .order_by(Calls.path)
    ).all()


def left_today(unit: Unit, path: str) -> tuple[int, int]:
    """How many calls are left today as far as we know, and of how many.

    Processes reserve in blocks, so a few fewer may be left than were really made.

    Raises:
        KeyError: nobody knows a limit for this path.
    """
    told = select(Calls.learned).where(Calls.path == path, Calls.learned.is_not(None))
    limit = unit.db.execute(told.order_by(Calls.day.desc()).limit(1)).scalar() or DEFAULTS[path]
    row = unit.db.execute(
        select(Calls.reserved, Calls.spent).where(Calls.day == _today(), Calls.path == path)
    ).one_or_none()
    if row is None:
        return limit, limit
    return (0 if row.spent else max(limit - row.reserved, 0)), limit


def tidy(unit: Unit) -> None:
    """Drop the counts of more than a month ago."""
    oldest = clock.shanghai(clock.now() - timedelta(days=_KEPT_DAYS)).date().isoformat()
    unit.db.execute(delete(Calls).where(Calls.day < oldest))


def _today() -> str:
    return clock.today().isoformat()


def _midnight_is_doubtful() -> bool:
    return until_reset(clock.now()) <= MIDNIGHT_DOUBT


def _spent() -> QuotaSpent:
    return QuotaSpent(until_reset(clock.now()), "今天的调用次数已用完（本系统计数）")
