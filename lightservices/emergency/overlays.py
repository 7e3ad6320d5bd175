"""What an emergency puts into menus: its entry, for whole branches and for parts of others.

``Tables.overlays`` takes :func:`entries`, which look like :class:`menus.slots.Overlay`; that stands
a floor above. Where an area takes in only a part of a branch, its followers differ one by one:
``Tables.parts`` takes :func:`parts`, by which each follower's audience is told from the division
and the cell they are in, and :class:`InsidersChanged` says where to look for those whose audience
is another since something opened, changed or ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from lightservices.emergency import in_force, reach, titles
from lightservices.emergency.content import RANKS
from lightservices.emergency.in_force import Emergency
from lightservices.emergency.models import EMERGENCIES, EmergencyChanged
from regions import branches, coverage
from regions.branches import Directory, TerritoriesChanged
from service.happenings import Fact
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
class Part:
    """An emergency that takes in a part of these branches: their followers inside need the entry,
    the others do not."""

    entry: Entry
    emergency: Emergency
    branches: frozenset[str]
    #: The divisions where some of them may be inside: whether everybody is, or the cell decides.
    divisions: Mapping[str, bool]

    @property
    def key(self) -> str:
        return self.emergency.key

    def holds(self, division: str | None, position: tuple[float, float] | None) -> bool:
        """Whether somebody in this division, around this GCJ-02 position, is inside.

        Slivers of counties beyond the area's edge do not count: nobody looks out for who crosses
        into them.
        """
        return division in self.divisions and self.emergency.holds(division, position)


@dataclass(frozen=True, slots=True)
class InsidersChanged(Fact):
    """In these divisions other followers may be inside than before; it concerns no one follower,
    so no openid is given."""

    divisions: frozenset[str] = frozenset()


def entries(unit: Unit) -> tuple[Entry, ...]:
    """The entry of everything that is open, for the branches certain to be inside."""
    return tuple(
        entry for one in in_force.everywhere(unit) if (entry := _laid(unit, one).entry).branches
    )


def parts(unit: Unit) -> tuple[Part, ...]:
    """Where the branch does not tell who is inside, the gravest first; asked at every crossing of a
    border, so each is worked out once."""
    return tuple(part for one in in_force.everywhere(unit) if (part := _laid(unit, one)).branches)


def tell_of_insiders(unit: Unit, fact: EmergencyChanged) -> None:
    """Say where it takes in parts of branches, or did before it changed or ended."""
    row = unit.db.execute(select(EMERGENCIES.c.id).where(EMERGENCIES.c.key == fact.key)).first()
    if row is None:
        return
    tree = branches.directory(unit)
    found = {
        division
        for one in in_force.ever(unit, row.id)
        for division in _laid_in(unit, tree, one).divisions
    }
    if found:
        unit.announce(InsidersChanged(fact.openid, fact.at, frozenset(found)))


def tell_of_territories(unit: Unit, fact: TerritoriesChanged) -> None:
    """Say where whatever is open may take in other followers, now that other branches serve: a
    branch may be inside as a whole that was not, or the other way round, far from what changed."""
    found = {code for one in in_force.everywhere(unit) for code, _ in _divisions(one)}
    if found:
        unit.announce(InsidersChanged(fact.openid, fact.at, frozenset(found)))


def in_front(unit: Unit, one: Emergency) -> tuple[Emergency, ...]:
    """What has the entry's place in menus where both are in force: the graver, or of two equally
    grave the one that stands in front; the foremost first.

    A menu has one place for emergencies; pages and replies lead to all of them.
    """
    own = _laid(unit, one).entry
    others = in_force.everywhere(unit)
    ahead = [
        (entry.rank, other)
        for other in others
        if other.key != one.key
        and ((entry := _laid(unit, other).entry).rank, own.key) > (own.rank, entry.key)
        and not set(other.branches).isdisjoint(one.branches)
        and coverage.overlap(other.area, one.area)
    ]
    return tuple(other for _rank, other in sorted(ahead, key=lambda pair: -pair[0]))


def _laid(unit: Unit, one: Emergency) -> Part:
    """The same as long as neither the emergency nor the branches change."""
    tree = branches.directory(unit)
    known: tuple[Directory, Part] | None = unit.wiring.shelf.get((_laid, one.key))
    if known is None or known[0] is not tree or known[1].emergency is not one:
        known = unit.wiring.shelf[_laid, one.key] = (tree, _laid_in(unit, tree, one))
    return known[1]


def _laid_in(unit: Unit, tree: Directory, one: Emergency) -> Part:
    certain = reach.certain_branches(unit, one.covered)
    # Other branches may serve there by now than those that were counted when it was proposed.
    touched = {branch.code for branch in reach.touched(unit, one.area, one.covered)}
    partly = touched.union(one.branches) - certain
    found = {
        code: sure
        for code, sure in _divisions(one)
        if any(branch.code in partly for branch in tree.serving_in(code))
    }
    return Part(_entry(one, certain), one, frozenset(partly if found else ()), found)


def _divisions(one: Emergency) -> Iterable[tuple[str, bool]]:
    """Every code that a follower inside may be kept under: a county, or a city they chose."""
    counties = {**dict.fromkeys(one.covered.whole, True), **dict.fromkeys(one.covered.parts, False)}
    others = {*coverage.divisions_of(one.covered), *one.area.inside.divisions} - counties.keys()
    # Of a city no cell is known, so those who are kept under it are all inside or all outside.
    return [*counties.items(), *((code, True) for code in others if one.holds(code, None))]


def _entry(one: Emergency, certain: frozenset[str]) -> Entry:
    rank = RANKS[one.content.severity] + (0 if one.drill else _ABOVE_DRILLS)
    return Entry(
        key=one.key,
        title=f"演练·{titles.unmarked(one.content.entry, drill=True)}"
        if one.drill
        else one.content.entry,
        target=one.path,
        branches=certain,
        rank=rank,
        starts_at=one.opened_at,
        ends_at=one.ends_at,
    )
