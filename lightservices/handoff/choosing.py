"""Whom a follower is handed to: the chosen outlet's people, the nearest outlet's, a branch's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lightservices.handoff import people
from lightservices.handoff.people import LocalPerson
from lightservices.outlets import nearest
from lightservices.outlets.holidays import calendar
from lightservices.outlets.models import Outlet
from regions import branches
from regions.presence import Whereabouts
from service import clock
from service.wiring import Unit

#: How many outlets around are asked for somebody, and how many people are shown at once.
AROUND: Final = 5
MOST: Final = 3


@dataclass(frozen=True, slots=True)
class Found:
    """Whom, where they belong, and why these, in a sentence for the follower."""

    people: tuple[LocalPerson, ...]
    where: str
    why: str
    outlet: Outlet | None = None


def local_people(
    unit: Unit, place: Whereabouts, *, chosen: str = "", at: datetime | None = None
) -> Found | None:
    """The first of: the chosen outlet, the nearest ones, the serving branch, those above it."""
    everybody = people.everybody(unit)
    moment = at or clock.now()
    for outlet, why in _outlets(unit, place, chosen):
        if found := everybody.by_outlet.get(outlet.id):
            return Found(_those_in_first(found, moment), outlet.name, why, outlet)
    for branch in branches.directory(unit).chain(place.branch.code):
        if found := everybody.by_branch.get(branch.code):
            is_own = branch.code == place.branch.code
            why = "现在服务您的分行" if is_own else f"{place.branch.name}的上级机构"
            return Found(_those_in_first(found, moment), branch.name, why)
    return None


def _outlets(unit: Unit, place: Whereabouts, chosen: str) -> Sequence[tuple[Outlet, str]]:
    picked = nearest.outlet(unit, chosen) if chosen else None
    first = [(picked, "您选的网点")] if picked else []
    if place.cell is None:
        return first
    around = nearest.nearest(unit, *place.cell, count=AROUND)
    return [*first, *((near.outlet, "离您大致位置最近的网点") for near in around)]


def _those_in_first(found: Sequence[LocalPerson], at: datetime) -> tuple[LocalPerson, ...]:
    local, days = clock.shanghai(at), calendar()
    return tuple(sorted(found, key=lambda one: not one.is_in(local, days))[:MOST])
