"""What lies in an area: counties wholly and in part, branches, and about how many followers.

This is asked when an area is drawn or proposed, not at every page; it reads the whole map.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, Final

import shapely
from sqlalchemy import bindparam, func, select

from regions import boundaries, branches, divisions
from regions.areas import Area, Circle, Polygon, Shape
from regions.branches import Branch
from regions.coordinates import Datum, metres_per_degree, to_gcj02_many
from regions.presence import CELLS_PER_DEGREE, Presence
from service.wiring import Unit

_CORNERS_OF_A_CIRCLE: Final = 32
#: A county counts as wholly inside when less than this share of it is not: lines drawn along a
#: border never follow it to the metre.
_SLIVER: Final = 0.001


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counties by how much of them the area takes in, in the order of their codes."""

    whole: tuple[str, ...]
    #: Counties partly inside, with the share of their land that is.
    parts: Mapping[str, float]

    @property
    def counties(self) -> tuple[str, ...]:
        return tuple(sorted((*self.whole, *self.parts)))


@dataclass(frozen=True, slots=True)
class Reach:
    """How many followers an area concerns. Numbers are exact; people are shown rounded ones."""

    #: Their whole county is inside.
    certain: int
    #: Only the coarse cell they were last in is.
    likely: int
    #: In a county that is partly inside, where no cell is known: they are not reached.
    unknown: int

    @property
    def total(self) -> int:
        return self.certain + self.likely


_COUNTED: Final = (
    select(Presence.cell_south, Presence.cell_west, func.count())
    .where(Presence.division == bindparam("division"))
    .group_by(Presence.cell_south, Presence.cell_west)
)


@lru_cache(maxsize=64)
def cover(area: Area) -> Coverage:
    """Which counties the area takes in. The same area is asked about again and again while it is
    drawn, proposed and decided on, so the answer is kept."""
    parts = _Parts(area)
    whole: list[str] = []
    shares: dict[str, float] = {}
    for code, land in sorted(_counties().items()):
        share = parts.share(code, land)
        if share >= 1 - _SLIVER:
            whole.append(code)
        elif share > _SLIVER:
            shares[code] = round(share, 3)
    return Coverage(tuple(whole), MappingProxyType(shares))


def overlap(one: Area, other: Area) -> bool:
    """Whether some land lies in both areas."""
    here, there = cover(one), cover(other)
    shared = set(here.counties).intersection(there.counties)
    if not shared.isdisjoint(here.whole) or not shared.isdisjoint(there.whole):
        return True
    mine, theirs = _Parts(one), _Parts(other)
    lands = ((code, _counties()[code]) for code in shared)
    return any(
        mine.piece(code, land).intersection(theirs.piece(code, land)).area > _SLIVER * land.area
        for code, land in lands
    )


def complete(covered: Coverage) -> frozenset[str]:
    """The divisions inside as a whole: counties, and cities and provinces with no county outside.

    A follower may be kept under a city they chose, and no cell of theirs is known.
    """
    return _complete(covered.whole)


def reach(unit: Unit, area: Area, covered: Coverage) -> Reach:
    """How many of the followers whose place is known are inside."""
    whole, above = set(covered.whole), complete(covered)
    found: Counter[str] = Counter()
    # County by county, so that no single statement takes long however many followers there are.
    for division in divisions_of(covered):
        for south, west, count in unit.db.execute(_COUNTED, {"division": division}):
            if division in whole:
                found["certain"] += count
            elif division in above or area.contains(
                division=division, position=_middle(south, west)
            ):
                found["likely"] += count
            elif south is None or west is None:
                found["unknown"] += count
    return Reach(found["certain"], found["likely"], found["unknown"])


def branches_in(unit: Unit, covered: Coverage) -> tuple[Branch, ...]:
    """The branches that serve the counties inside, each once, in the order of their codes."""
    directory = branches.directory(unit)
    found = {
        directory.serving(code).branch.code: directory.serving(code).branch
        for code in covered.counties
    }
    return tuple(found[code] for code in sorted(found))


def rounded(count: int) -> str:
    """A number of people as an operator reads it: to two digits, and never as if it were exact."""
    if count < 10:
        return "不到 10 人" if count else "0 人"
    digits = max(int(math.log10(count)) - 1, 1)
    about = round(count, -digits)
    if about >= 10_000:
        return f"约 {about / 10_000:g} 万人"
    return f"约 {about} 人"


def _middle(south: int | None, west: int | None) -> tuple[float, float] | None:
    """The middle of a cell, in degrees."""
    if south is None or west is None:
        return None
    return (south + 0.5) / CELLS_PER_DEGREE, (west + 0.5) / CELLS_PER_DEGREE


@lru_cache(maxsize=64)
def _complete(whole: tuple[str, ...]) -> frozenset[str]:
    table, lowest = divisions.table(), _lowest()
    inside = {str(table.current(code)) for code in whole}
    above = {step for code in whole for step in _above(table, code)}
    return frozenset(whole) | {code for code in above if code in lowest and inside >= lowest[code]}


@cache
def _lowest() -> Mapping[str, frozenset[str]]:
    """The divisions below each, itself included, that have none below themselves: counties, and
    cities without any, such as 东莞. A province is not whole without them."""
    table = divisions.table()
    parents = {one.parent for one in table}
    found: dict[str, set[str]] = {}
    for one in table:
        if one.code not in parents:
            for step in _above(table, one.code):
                found.setdefault(step, set()).add(str(table.current(one.code)))
    return {code: frozenset(each) for code, each in found.items()}


def _above(table: divisions.Divisions, code: str) -> tuple[str, ...]:
    return tuple(step.code for step in table.path(code))


def divisions_of(covered: Coverage) -> list[str]:
    """The codes followers inside may be kept under: a county, or a city where they chose one."""
    table = divisions.table()
    return sorted({code for county in covered.counties for code in _above(table, county)})


class _Parts:
    """An area taken apart, so that of a county that is listed nothing needs to be worked out: the
    land of the whole country in one piece would take a quarter of a minute to compare."""

    def __init__(self, area: Area) -> None:
        self._listed = _counties_of(area.inside.divisions)
        self._excepted = _counties_of(area.outside.divisions)
        self._drawn, self._cut = _drawn(area.inside), _drawn(area.outside)

    def share(self, code: str, land: Any) -> float:
        """How much of this county's land is inside, from 0 to 1."""
        if code in self._excepted:
            return 0.0
        if code in self._listed and not self._cut.intersects(land):
            return 1.0
        if code not in self._listed and not self._drawn.intersects(land):
            return 0.0
        share: float = self.piece(code, land).area / land.area
        return share

    def piece(self, code: str, land: Any) -> Any:
        """The part of this county's land that is inside."""
        if code in self._excepted:
            return shapely.Polygon()
        taken = land if code in self._listed else self._drawn.intersection(land)
        return taken.difference(self._cut)


def _drawn(shape: Shape) -> Any:
    found = shapely.union_all([*map(_polygon, shape.polygons), *map(_round, shape.circles)])
    shapely.prepare(found)
    return found


def _counties_of(codes: Iterable[str]) -> set[str]:
    """Every land of the map that belongs to one of these divisions."""
    table, below = divisions.table(), _lands_below()
    return {land for code in codes for land in below.get(str(table.current(code)), ())}


@cache
def _lands_below() -> Mapping[str, frozenset[str]]:
    """The map's lands in each division. The map knows more than the list has counties: cities
    without any, the districts of Hong Kong, and farms that belong to a province alone."""
    table = divisions.table()
    found: dict[str, set[str]] = {}
    for land in _counties():
        for step in {land, *_above(table, land)}:
            found.setdefault(step, set()).add(land)
    return {code: frozenset(lands) for code, lands in found.items()}


def _polygon(polygon: Polygon) -> Any:
    return shapely.make_valid(shapely.Polygon([(east, north) for north, east in polygon.corners]))


def _round(circle: Circle) -> Any:
    north, east = metres_per_degree(circle.latitude)
    turns = [2 * math.pi * step / _CORNERS_OF_A_CIRCLE for step in range(_CORNERS_OF_A_CIRCLE)]
    return shapely.Polygon(
        [
            (
                circle.longitude + math.cos(turn) * circle.radius_m / east,
                circle.latitude + math.sin(turn) * circle.radius_m / north,
            )
            for turn in turns
        ]
    )


@cache
def _counties() -> Mapping[str, Any]:
    """Every county's land in GCJ-02, holes and islands included, read once when first asked."""
    table = divisions.table()
    found: dict[str, list[Any]] = {}
    for boundary in boundaries.read("district"):
        rings = []
        for ring in boundary.rings:
            lats, lngs = to_gcj02_many(ring[:, 1], ring[:, 0], Datum.WGS84)
            rings.append(shapely.Polygon(list(zip(lngs, lats, strict=True))))
        # A hole is what lies in two rings; so is a lake's island what lies in three.
        land = shapely.make_valid(rings[0])
        for ring in rings[1:]:
            land = land.symmetric_difference(shapely.make_valid(ring))
        found.setdefault(str(table.current(boundary.code)), []).append(land)
    return {code: shapely.union_all(lands) for code, lands in found.items()}
