"""How many followers each branch serves now, counted in strides that never take long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from sqlalchemy import func, select

from regions import branches
from regions.presence import Presence
from service.followers import Follower
from service.wiring import Unit

#: Followers counted by one statement: some hundredths of a second.
STRIDE: Final = 20_000


def by_branch(reading: Callable[[], AbstractContextManager[Unit]]) -> dict[str, int]:
    """Every branch's followers; whoever is nowhere known is head office's.

    A hundred million rows counted at once would be given up on, so they are walked through, each
    stride looked up by itself: nothing is held open, and what changes meanwhile is a rounding.
    """
    found: Counter[str] = Counter()
    after, is_done = "", False
    while not is_done:
        with reading() as unit:
            counted, after = _stride(unit, after)
        found.update(counted)
        is_done = sum(counted.values()) < STRIDE
    with reading() as unit:
        return {one.code: found[one.code] for one in branches.directory(unit).all}


def _stride(unit: Unit, after: str) -> tuple[dict[str, int], str]:
    some = (
        select(Follower.openid)
        .where(Follower.openid > after)
        .order_by(Follower.openid)
        .limit(STRIDE)
        .subquery()
    )
    branch = func.coalesce(Presence.branch, branches.HEAD_OFFICE)
    rows = unit.db.execute(
        select(branch, func.count(), func.max(some.c.openid))
        .select_from(some)
        .outerjoin(Presence, Presence.openid == some.c.openid)
        .group_by(branch)
    ).all()
    return {row[0]: int(row[1]) for row in rows}, max((row[2] for row in rows), default=after)
