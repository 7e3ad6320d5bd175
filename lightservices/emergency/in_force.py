"""Which emergencies are in force for somebody, decided anew at every page and every reply.

What is open is kept in each process until it changes; whether its end has come is asked of the
clock each time, so that it is over on time with every worker and chore dead. While nothing is open
the question costs one look into a dictionary.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from marshmallow import ValidationError
from sqlalchemy import select

from lightservices.emergency import content as contents
from lightservices.emergency import titles
from lightservices.emergency.content import RANKS, Content
from lightservices.emergency.models import EMERGENCIES, VERSIONS
from lightservices.emergency.states import Stage, State
from regions import coverage, divisions
from regions.areas import Area, AreaRefused
from regions.coverage import Coverage
from regions.presence import Whereabouts
from service import clock, journal
from service.epochs import Kept
from service.wiring import Unit

log = journal.logger("lightservices.emergency")

#: What leads to whatever is in force where somebody is.
NOW: Final = "now"
#: The clocks of two machines differ a little; what was just opened counts on both.
_SKEW: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """One emergency as pages, replies and menus need it."""

    id: int
    key: str
    drill: bool
    number: int
    content: Content
    area: Area
    covered: Coverage
    #: The branches it touches.
    branches: tuple[str, ...]
    opened_at: datetime
    ends_at: datetime
    #: When the version in force was taken.
    since: datetime
    #: The counties inside as a whole, with cities and provinces that have none outside.
    whole: frozenset[str]

    @property
    def path(self) -> str:
        return f"/e/{self.key}"

    @property
    def name(self) -> str:
        """Its name without any mark, for where a mark of its own stands beside it."""
        return titles.unmarked(self.content.title, drill=self.drill)

    @property
    def title(self) -> str:
        """Its name, marked in a drill."""
        return titles.marked(self.content.title, drill=self.drill)

    @property
    def headline(self) -> str:
        """What it says; its title stands beside it and bears the mark."""
        return titles.unmarked(self.content.headline, drill=self.drill)

    @property
    def hides(self) -> frozenset[str]:
        """The services it takes away; a drill takes nothing from anybody."""
        return frozenset() if self.drill else frozenset(self.content.hide)

    def is_on(self, moment: datetime) -> bool:
        """Whether it is in force at this moment; its end is outside."""
        return self.opened_at - _SKEW <= moment < self.ends_at

    def holds(self, division: str | None, position: tuple[float, float] | None) -> bool:
        """Whether somebody in this division, around this GCJ-02 position, is inside."""
        if division is not None and division in self.whole:
            return True
        return self.area.contains(division=division, position=position)

    def may_hold(self, whereabouts: Whereabouts) -> bool:
        """Whether too little is known of somebody to say that they are inside or that they are not.

        Nobody knows their place, or only a county or a city of which a part is inside.
        """
        division = whereabouts.division
        if whereabouts.cell is not None or self.holds(division, None):
            return False
        if not division or whereabouts.is_uncertain:
            return True
        paths = (divisions.table().path(code) for code in self.covered.counties)
        return any(step.code == division for path in paths for step in path)


def at(
    unit: Unit, whereabouts: Whereabouts, moment: datetime | None = None
) -> tuple[Emergency, ...]:
    """What is in force for somebody at this place now (or at that moment), the gravest first."""
    if not (found := _kept.get(unit)):
        return ()
    return inside(found, whereabouts, moment or clock.now())


def inside(
    found: Sequence[Emergency], whereabouts: Whereabouts, moment: datetime
) -> tuple[Emergency, ...]:
    """Those of these that are in force at this place and moment."""
    return tuple(
        one
        for one in found
        if one.is_on(moment) and one.holds(whereabouts.division, whereabouts.cell)
    )


def perhaps(unit: Unit, whereabouts: Whereabouts) -> tuple[Emergency, ...]:
    """What is in force now where somebody may be of whom too little is known, the gravest first."""
    return tuple(one for one in everywhere(unit) if one.may_hold(whereabouts))


def everywhere(unit: Unit, moment: datetime | None = None) -> tuple[Emergency, ...]:
    """All that is in force now, wherever, the gravest first."""
    if not (found := _kept.get(unit)):
        return ()
    present = moment or clock.now()
    return tuple(one for one in found if one.is_on(present))


def one(unit: Unit, key: str, moment: datetime | None = None) -> Emergency | None:
    """The emergency with this key, if it is in force now."""
    return next((found for found in everywhere(unit, moment) if found.key == key), None)


def partly_inside(unit: Unit) -> frozenset[str]:
    """The counties of which only a part is inside of something: there the cell decides, and a
    follower who moves within the county must be noticed."""
    if not (found := _kept.get(unit)):
        return frozenset()
    present = clock.now()
    return frozenset(code for one in found if one.is_on(present) for code in one.covered.parts)


def hidden(unit: Unit, whereabouts: Whereabouts) -> frozenset[str]:
    """The services that are not offered at this place meanwhile."""
    return frozenset(key for found in at(unit, whereabouts) for key in found.hides)


def read(unit: Unit) -> tuple[Emergency, ...]:
    """What the database says is open, in force or not, asked now."""
    return _load(unit)


def made(content: Content, covered: Coverage, **rest: Any) -> Emergency:
    """An emergency from its parts; the area must be drawn."""
    assert content.area is not None
    return Emergency(
        content=content,
        area=content.area,
        covered=covered,
        whole=coverage.complete(covered),
        **rest,
    )


def ever(unit: Unit, emergency_id: int) -> tuple[Emergency, ...]:
    """What an emergency was in each version that was in force, the one in force included."""
    was = (Stage.LIVE, Stage.SUPERSEDED, Stage.LAPSED)
    query = _VERSIONS.where(EMERGENCIES.c.id == emergency_id, VERSIONS.c.stage.in_(was))
    rows = unit.db.execute(query.order_by(VERSIONS.c.number))
    return tuple(one for row in rows if (one := _emergency(row._asdict())))


_VERSIONS: Final = (
    select(
        EMERGENCIES.c.id, EMERGENCIES.c.key, EMERGENCIES.c.drill, VERSIONS.c.number,
        VERSIONS.c.text, VERSIONS.c.covered, VERSIONS.c.branches, EMERGENCIES.c.opened_at,
        EMERGENCIES.c.ends_at, VERSIONS.c.decided_at, VERSIONS.c.proposed_at,
    )
    .join_from(EMERGENCIES, VERSIONS, EMERGENCIES.c.id == VERSIONS.c.emergency_id)
)  # fmt: skip
_OPEN: Final = _VERSIONS.where(EMERGENCIES.c.state == State.OPEN, VERSIONS.c.stage == Stage.LIVE)


def _load(unit: Unit) -> tuple[Emergency, ...]:
    found = [one for row in unit.db.execute(_OPEN) if (one := _emergency(row._asdict()))]
    found.sort(
        key=lambda one: (one.drill, -RANKS[one.content.severity], -one.opened_at.timestamp())
    )
    return tuple(found)


def _emergency(row: Mapping[str, Any]) -> Emergency | None:
    """One row; a broken one must not take the others with it."""
    try:
        content = contents.stored(json.loads(row["text"]))
    except (ValidationError, AreaRefused, ValueError):
        log.exception("an open emergency cannot be read", key=row["key"])
        return None
    return made(
        content,
        Coverage(tuple(row["covered"]["whole"]), row["covered"]["parts"]),
        id=row["id"],
        key=row["key"],
        drill=bool(row["drill"]),
        number=row["number"],
        branches=tuple(row["branches"]),
        opened_at=row["opened_at"],
        ends_at=row["ends_at"],
        since=row["decided_at"] or row["proposed_at"],
    )


_kept: Kept[tuple[Emergency, ...]] = Kept("emergencies", _load)
