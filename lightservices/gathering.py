"""What a campaign's venue gathers from branches: a follower's own branch's offers come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from lightservices import promotions
from regions import branches, divisions
from regions.branches import Branch, BranchCode
from regions.presence import Whereabouts
from service.wiring import Unit

if TYPE_CHECKING:
    from lightservices.promotions import Promotion
    from lightservices.zones import Zone

#: How many offers of other places stand at the end; nobody scrolls further.
MOST_ELSEWHERE: Final = 30


@dataclass(frozen=True, slots=True)
class Gathering:
    """Which offers a venue gathers.

    Those of these branches and all below them (none named: of the venue's own branch and below),
    and of these only what bears one of the topics (none named: everything).
    """

    branches: tuple[BranchCode, ...] = ()
    topics: tuple[str, ...] = ()

    def written(self) -> dict[str, list[str]]:
        """As JSON."""
        return {"branches": list(self.branches), "topics": list(self.topics)}


@dataclass(frozen=True, slots=True)
class Group:
    """Offers that stand together, under their heading."""

    title: str
    promotions: Sequence[Promotion]


def read(raw: Mapping[str, Any] | None) -> Gathering | None:
    """A gathering from JSON."""
    if not raw:
        return None
    codes = (BranchCode(code) for code in raw.get("branches", ()))
    return Gathering(tuple(codes), tuple(raw.get("topics", ())))


def gathered(
    unit: Unit,
    zone: Zone,
    whereabouts: Whereabouts,
    at: datetime,
    *,
    tags: frozenset[str] = frozenset(),
) -> list[Group]:
    """What a follower at this place finds in the venue, nearest first."""
    wanted = zone.gather or Gathering()
    tree = branches.directory(unit)
    chain = tree.chain(whereabouts.branch.code)
    place = frozenset(step.code for step in divisions.table().path(whereabouts.division or ""))
    near: list[Group] = []
    for branch in chain:
        found = [
            one
            for one in _of(unit, branch, zone, wanted, at, tags)
            if one.reaches(place, whereabouts.cell)
        ]
        if found:
            near.append(Group(f"{branch.name}的优惠", found))
    here = {branch.code for branch in chain}
    elsewhere = [
        one
        for branch in tree.all
        if branch.code not in here
        for one in _of(unit, branch, zone, wanted, at, tags)
    ]
    if elsewhere:
        near.append(Group("其他地区的优惠" if near else "各地的优惠", elsewhere[:MOST_ELSEWHERE]))
    return near


def _of(
    unit: Unit, branch: Branch, zone: Zone, wanted: Gathering, at: datetime, tags: frozenset[str]
) -> list[Promotion]:
    roots = frozenset(wanted.branches or (zone.branch,))
    above = {one.code for one in branches.directory(unit).chain(branch.code)}
    if roots.isdisjoint(above):
        return []
    return [
        one
        for one in promotions.of(unit, branch.code)
        if one.runs(at) and one.is_for(tags) and _is_about(one, wanted.topics)
    ]


def _is_about(one: Promotion, topics: Sequence[str]) -> bool:
    return not topics or not one.topics.isdisjoint(topics)
