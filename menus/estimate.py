"""What a plan costs before anybody starts it: calls by API, followers to be re-tagged, and time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from menus.capacity import Census
from menus.plan import Plan
from menus.steps import (
    AddMenu,
    CreateDefault,
    CreateTag,
    DeleteMenu,
    DeleteTag,
    EmptyTag,
    MoveOut,
    RenameTag,
)

TAG: Final = "/cgi-bin/tags/members/batchtagging"
UNTAG: Final = "/cgi-bin/tags/members/batchuntagging"
#: Which call each step makes.
CALLS: Final = {
    CreateDefault: "/cgi-bin/menu/create",
    AddMenu: "/cgi-bin/menu/addconditional",
    DeleteMenu: "/cgi-bin/menu/delconditional",
    CreateTag: "/cgi-bin/tags/create",
    RenameTag: "/cgi-bin/tags/update",
    DeleteTag: "/cgi-bin/tags/delete",
}
#: What every look at the account asks; a publication looks before it begins and when it is done.
READS: Final = (
    "/cgi-bin/menu/get",
    "/cgi-bin/get_current_selfmenu_info",
    "/cgi-bin/tags/get",
)
#: How many followers WeChat takes in one call that tags or untags.
BATCH: Final = 50
#: WeChat answers in about a tenth of a second, and a worker's threads call beside each other; half
#: of what that allows is assumed, so that what is promised is kept.
CALLS_A_SECOND: Final = 10
#: A tenth of the day's tagging calls is left to followers who cross a border.
SHARE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Left:
    """What is left today of one call; ``limit`` is empty where nobody knows it."""

    limit: int | None
    used: int
    #: Whether WeChat itself said so just now, or our own ledger.
    is_asked: bool

    @property
    def remain(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class Retagging:
    """How many followers carry another tag than they are to, and the calls that mends it with."""

    followers: int
    tagging: int
    untagging: int

    @property
    def calls(self) -> int:
        return self.tagging + self.untagging

    @property
    def work(self) -> timedelta:
        """How long the calls take while no quota stops them."""
        return timedelta(seconds=self.calls / CALLS_A_SECOND)

    def days(self, left: Mapping[str, Left]) -> int:
        """On how many days, today included, calls are made until the quotas have sufficed."""
        needed = ((TAG, self.tagging), (UNTAG, self.untagging))
        return max(_days(calls, left.get(path)) for path, calls in needed)


def calls(plan: Plan, retagging: Retagging) -> dict[str, int]:
    """How often a publication of this plan calls each API at least, its re-tagging included."""
    found = Counter(CALLS[type(step)] for step in plan.steps if type(step) in CALLS)
    waits = sum(isinstance(step, EmptyTag | MoveOut) for step in plan.steps)
    looks = (2 + waits) if plan.steps else 1
    found.update(dict.fromkeys(READS, looks))
    found.update({TAG: retagging.tagging, UNTAG: retagging.untagging})
    return {path: count for path, count in sorted(found.items()) if count}


def retagging(plan: Plan, census: Census) -> Retagging:
    """Who has to be touched: put on a tag they lack, taken off one that is not theirs."""
    on, off = Counter[str](), Counter[int]()
    followers = 0
    for branch, count in census.followers.items():
        key = plan.reach.get(branch)
        tag = plan.tag_of.get(key) if key is not None else None
        carriers = {one: by[branch] for one, by in census.carriers.items() if by.get(branch)}
        lacking = max(0, count - carriers.get(tag or 0, 0)) if key is not None else 0
        wrong = {one: by for one, by in carriers.items() if one != tag}
        on[key or ""] += lacking
        off.update(wrong)
        followers += min(count, max(lacking, sum(wrong.values())))
    return Retagging(followers, _batches(on), _batches(off))


def _batches(counts: Mapping[str, int] | Mapping[int, int]) -> int:
    return sum(-(-count // BATCH) for count in counts.values())


def _days(needed: int, left: Left | None) -> int:
    if not needed:
        return 0
    if left is None or left.limit is None:
        return 1
    a_day = max(1, int(left.limit * SHARE))
    today = max(0, a_day - left.used)
    return 1 if needed <= today else 1 + -(-(needed - today) // a_day)
