"""Which variants are shown when there is no room for all, and who sees what instead."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from menus.resolve import Variant

#: A variant that is shown gives way only to one with more than this many hundredths more followers:
#: numbers that waver would otherwise have all of them re-tagged at every publication.
LEAD_PERCENT: Final = 5


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many tags menus may use, and how many conditional menus the account holds, if known."""

    tags: int
    ceiling: int | None = None
    #: WeChat's limit on all tags of an account, other people's included (45056).
    account_tags: int = 100
    #: A tag with more followers than this cannot be deleted (45057).
    deletable: int = 100_000


@dataclass(frozen=True, slots=True)
class Census:
    """What we know of followers: how many each branch has, and whose tag how many of them carry."""

    followers: Mapping[str, int] = field(default_factory=dict)
    #: By tag, then by branch.
    carriers: Mapping[int, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fallback:
    """A variant there is no room for, and what its followers see instead (``None``: default)."""

    key: str
    title: str
    heir: str | None
    followers: int


def serving(
    variants: Iterable[Variant],
    followers: Mapping[str, int],
    *,
    room: int,
    shown: Collection[str] = (),
) -> dict[str, str | None]:
    """Which variant serves each variant's followers when only ``room`` of them can be shown.

    The one with the fewest followers gives way first, to its parent, whose followers it joins; of
    equals the one that is not shown now, then the one named last. What leads to help in an
    emergency gives way after all else. ``None`` is the default menu.

    Args:
        shown: the variants that are shown now, which stay unless others have clearly more.
    """
    ordered = list(variants)
    parent = {one.key: one.parent for one in ordered}
    load = {one.key: followers_of(one, followers) for one in ordered}
    rank = {one.key: (one.key in shown, -place) for place, one in enumerate(ordered)}

    urgent = {one.key for one in ordered if one.urgent}

    def weight(key: str) -> tuple[bool, int]:
        return key in urgent, load[key] * (100 + LEAD_PERCENT if key in shown else 100)

    heap = [(weight(key), rank[key], key) for key in parent]
    heapq.heapify(heap)
    left = set(parent)
    while len(left) > max(room, 0):
        weighed, _rank, key = heapq.heappop(heap)
        if key not in left or weighed != weight(key):
            continue  # Overtaken by a later entry of the same variant.
        left.discard(key)
        heir = _heir(key, parent, left)
        if heir is not None:
            load[heir] += load[key]
            heapq.heappush(heap, (weight(heir), rank[heir], heir))
    return {key: _heir(key, parent, left) for key in parent}


def _heir(key: str, parent: Mapping[str, str | None], left: Collection[str]) -> str | None:
    heir: str | None = key
    while heir is not None and heir not in left:
        heir = parent[heir]
    return heir


def followers_of(variant: Variant, followers: Mapping[str, int]) -> int:
    return sum(followers.get(branch, 0) for branch in variant.branches)
