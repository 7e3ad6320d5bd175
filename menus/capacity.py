"""Which variants are shown when there is no room for all, and who sees what instead."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from menus.resolve import Variant


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many tags menus may use, and how many conditional menus the account holds, if known."""

    tags: int
    ceiling: int | None = None
    #: WeChat's limit on all tags of an account, other people's included (45056).
    account_tags: int = 100


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
    variants: Iterable[Variant], followers: Mapping[str, int], *, room: int
) -> dict[str, str | None]:
    """Which variant serves each variant's followers when only ``room`` of them can be shown.

    The one with the fewest followers gives way first, to its parent, whose followers it joins; of
    equals the one named last. ``None`` is the default menu.
    """
    ordered = list(variants)
    parent = {one.key: one.parent for one in ordered}
    load = {one.key: followers_of(one, followers) for one in ordered}
    rank = {one.key: -place for place, one in enumerate(ordered)}
    heap = [(load[key], rank[key], key) for key in parent]
    heapq.heapify(heap)
    shown = set(parent)
    while len(shown) > max(room, 0):
        count, _rank, key = heapq.heappop(heap)
        if key not in shown or count != load[key]:
            continue  # Overtaken by a later entry of the same variant.
        shown.discard(key)
        heir = _heir(key, parent, shown)
        if heir is not None:
            load[heir] += count
            heapq.heappush(heap, (load[heir], rank[heir], heir))
    return {key: _heir(key, parent, shown) for key in parent}


def _heir(key: str, parent: Mapping[str, str | None], shown: set[str]) -> str | None:
    heir: str | None = key
    while heir is not None and heir not in shown:
        heir = parent[heir]
    return heir


def followers_of(variant: Variant, followers: Mapping[str, int]) -> int:
    return sum(followers.get(branch, 0) for branch in variant.branches)
