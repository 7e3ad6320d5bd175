"""Whom emergencies concern that take in only a part of a branch, and how that is found out.

Whoever opens emergencies brings a function for ``Tables.parts``; what it returns need only look
like a :class:`Part`, so that it may stand on a lower floor. While nothing of the kind is open, the
question costs one look into a dictionary.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final, Protocol

from menus import keys
from menus.keys import Audience
from regions import branches
from service.wiring import Unit

#: Of those that reach somebody beside their whole branch, so many of the gravest are in the menu:
#: a column holds no more, and each more would double what there may have to be.
_MOST: Final = 4


class Part(Protocol):
    """An emergency, as far as it takes in parts of branches."""

    @property
    def key(self) -> str: ...
    @property
    def entry(self) -> Any:
        """Its entry in the menu, which looks like an overlay; its branches are those inside as a
        whole."""

    @property
    def branches(self) -> Collection[str]:
        """The branches it takes in a part of."""

    @property
    def divisions(self) -> Mapping[str, bool]:
        """The divisions where somebody may be inside: whether everybody is, or the cell decides."""

    def holds(self, division: str | None, position: tuple[float, float] | None) -> bool: ...


def open_now(unit: Unit) -> Sequence[Part]:
    """Those in force now, the gravest first."""
    return unit.wiring.tables.parts(unit)


def audience(
    unit: Unit, branch: str, division: str | None, cell: tuple[float, float] | None
) -> str:
    """The audience of a follower of this branch who is in this division, around this place.

    Args:
        cell: the middle of the cell, GCJ-02 degrees; None where it is not known.
    """
    if not (found := open_now(unit)):
        return branch
    return keys.key(branch, keys.mark(_inside(found, branch, division, cell)))


def _inside(
    found: Sequence[Part],
    branch: str,
    division: str | None,
    cell: tuple[float, float] | None,
) -> frozenset[str]:
    held = (one.key for one in found if branch in one.branches and one.holds(division, cell))
    return frozenset(key for key, _ in zip(held, range(_MOST), strict=False))


def audiences(unit: Unit) -> tuple[Audience, ...]:
    """Every audience there may be beside whole branches, whether anybody is of it or not."""
    found = open_now(unit)
    possible: defaultdict[str, set[frozenset[str]]] = defaultdict(set)
    directory = branches.directory(unit)
    for division in {code for one in found for code in one.divisions}:
        for branch in directory.serving_in(division):
            here = [
                one for one in found if branch.code in one.branches and division in one.divisions
            ]
            possible[branch.code].update(_combined(here, division))
    return tuple(
        Audience(branch, emergencies)
        for branch, sets in sorted(possible.items())
        for emergencies in sorted(sets, key=sorted)
    )


def _combined(here: Sequence[Part], division: str) -> Iterator[frozenset[str]]:
    """The emergencies that somebody in this division may be inside of together."""
    certain = [one.key for one in here if one.divisions[division]]
    open_ = [one.key for one in here if not one.divisions[division]]
    order = {one.key: place for place, one in enumerate(here)}
    for count in range(min(len(open_), _MOST) + 1):
        for some in combinations(open_, count):
            gravest = sorted([*certain, *some], key=order.__getitem__)[:_MOST]
            if gravest:
                yield frozenset(gravest)
