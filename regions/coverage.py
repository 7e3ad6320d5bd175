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
    taken = _ground(area.inside).difference(_ground(area.outside))
    shapely.prepare(taken)
    whole: list[str] = []
    parts: dict[str, float] = {}
    for code, land in sorted(_counties().items()):
        if not taken.intersects(land):
            continue
        share = taken.intersection(land).area / land.area
        if share >= 1 - _SLIVER:
            whole.append(code)
        elif share > _SLIVER:
            parts[code] = round(share, 3)
    return Coverage(tuple(whole), MappingProxyType(parts))


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
    table = divisions.table()
    inside = {str(table.current(code)) for code in whole}
    above = {step for code in whole for step in _above(table, code)}
    return frozenset(whole) | {
        code
        for code in above
        if inside >= {str(table.current(one.code)) for one in table.counties(code)}
        and table.counties(code)
    }


def _above(table: divisions.Divisions, code: str) -> tuple[str, ...]:
    return tuple(step.code for step in table.path(code))


def divisions_of(covered: Coverage) -> list[str]:
    """The codes followers inside may be kept under: a county, or a city where they chose one."""
    table = divisions.table()
    return sorted({code for county in covered.counties for code in _above(table, county)})


def _ground(shape: Shape) -> Any:
    counties = _counties()
    lands = [counties[code] for code in _counties_of(shape.divisions) if code in counties]
    return shapely.union_all([*lands, *map(_polygon, shape.polygons), *map(_round, shape.circles)])


def _counties_of(codes: Iterable[str]) -> set[str]:
    table = divisions.table()
    found: set[str] = set()
    for code in codes:
        below = {str(table.current(one.code)) for one in table.counties(code)}
        found |= below or {str(table.current(code))}
    return found


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
