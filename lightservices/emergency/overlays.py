"""What an emergency puts into menus: its entry, for the branches that are inside as a whole.

``Tables.overlays`` takes these; they look like :class:`menus.slots.Overlay`, which stands a floor
above. A menu is chosen by branch, so a branch that is only partly inside is left as it is here: its
followers differ one by one. To give those inside the entry too, :mod:`menus` needs three things.

A variant for "this branch, and inside of these": composed like the branch's own menu, with the
entries of :func:`partial` added to its overlays. In ``menus.offers`` the wanted tag by branch *and*
by ``Partial.emergency.holds(division, cell)`` of the follower's presence, and a walk over the
followers of ``Partial.branches`` alone when one opens, changes or ends. And a fact beside
``FollowerMoved`` for a follower who moves within a watched county (``Tables.watched``): presence
writes the new cell there at once, and announces nothing, as the branch is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lightservices.emergency import in_force, reach
from lightservices.emergency.content import RANKS
from lightservices.emergency.in_force import Emergency
from service.wiring import Unit

_SLOT: Final = "emergency"
#: The real thing stands in front of every drill.
_ABOVE_DRILLS: Final = len(RANKS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, open in these branches until its end."""

    key: str
    title: str
    target: str
    branches: frozenset[str]
    rank: int
    starts_at: datetime
    ends_at: datetime
    kind: str = _SLOT


@dataclass(frozen=True, slots=True)
class Partial:
    """The followers of these branches who are inside need the entry, and the others do not."""

    entry: Entry
    emergency: Emergency
    branches: frozenset[str]


def entries(unit: Unit) -> tuple[Entry, ...]:
    """The entry of everything that is open, for the branches certain to be inside."""
    return tuple(found for found in _all(unit) if found.branches)


def partial(unit: Unit) -> Iterator[Partial]:
    """Where the branch does not tell who is inside: ``emergency.holds(division, cell)`` does."""
    for one in in_force.everywhere(unit):
        branches = reach.partial_branches(unit, one.branches, one.covered)
        if branches:
            yield Partial(_entry(unit, one), one, branches)


def _all(unit: Unit) -> Iterator[Entry]:
    return (_entry(unit, one) for one in in_force.everywhere(unit))


def _entry(unit: Unit, one: Emergency) -> Entry:
    rank = RANKS[one.content.severity] + (0 if one.drill else _ABOVE_DRILLS)
    return Entry(
        key=one.key,
        title=("演练·" if one.drill else "") + one.content.entry,
        target=one.path,
        branches=reach.certain_branches(unit, one.covered),
        rank=rank,
        starts_at=one.opened_at,
        ends_at=one.ends_at,
    )
