"""The ground of a branch as an outline map in an SVG's own measures, to click on and to draw on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import numpy as np
import shapely

from regions import boundaries, branches, divisions
from regions.boundaries import Boundary, Ring
from regions.coordinates import Datum, to_gcj02, to_gcj02_many
from service.wiring import Unit

#: The longer side of the picture.
SIDE: Final = 1_000
#: One line on the picture may stray this far from the truth.
_STRAY: Final = 1.0
#: The same in degrees, for what is kept of the whole country.
_COARSE: Final = {"district": 0.001, "province": 0.01}
#: What is smaller than this, in degrees, does not decide how the map is cut.
_REEF: Final = 0.1
#: More lands than this bear the names of their cities instead of their own.
_LEGIBLE: Final = 25
#: Of a land in many pieces, the largest.
_MOST_RINGS: Final = 8
#: Of a branch with more than this many counties the outlines of cities would be a blur.
_MANY: Final = 400


@dataclass(frozen=True, slots=True)
class Land:
    """One division on the map."""

    code: str
    name: str
    #: A path's ``d``.
    path: str
    #: Where its name stands.
    x: float
    y: float
    #: Degrees of GCJ-02, for whoever picks it.
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Name:
    """A name on the map."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Ground:
    """The map. A place is drawn at ``(longitude - west) * east_scale`` to the right, and so on."""

    width: int
    height: int
    west: float
    north: float
    east_scale: float
    north_scale: float
    lands: Sequence[Land]
    names: Sequence[Name]


@dataclass(frozen=True, slots=True)
class _Outline:
    code: str
    name: str
    #: Degrees of GCJ-02, longitude first.
    rings: Sequence[Ring]
    point: tuple[float, float]


def of(unit: Unit, branch: str) -> Ground:
    """The counties that this branch and those below it serve; for head office the provinces."""
    tree = branches.directory(unit)
    codes = [
        code
        for code in _points()
        if branch in [one.code for one in tree.chain(tree.serving(code).branch.code)]
    ]
    if not codes or len(codes) > _MANY:
        return _drawn(())
    return _drawn(tuple(codes))


def point_of(code: str) -> tuple[float, float] | None:
    """A place that stands for a county or city, in degrees of GCJ-02."""
    known = _points()
    if code in known:
        return known[code]
    counties = (one.code for one in divisions.table().counties(code))
    return next((known[one] for one in counties if one in known), None)


@lru_cache(maxsize=64)
def _drawn(codes: tuple[str, ...]) -> Ground:
    outlines = list(_outlined(codes))
    rings = [ring for one in outlines for ring in one.rings]
    # Reefs far out at sea would leave the land a speck.
    large = [ring for ring in rings if float(np.ptp(ring, axis=0).max()) > _REEF]
    corners = np.concatenate(large or rings)
    west, south = corners.min(axis=0)
    east, north = corners.max(axis=0)
    # A degree of longitude is shorter the further north one is.
    squeeze = float(np.cos(np.radians((south + north) / 2)))
    scale = SIDE / max((east - west) * squeeze, north - south)
    ground = Ground(
        round((east - west) * squeeze * scale), round((north - south) * scale),
        float(west), float(north), float(squeeze * scale), float(scale), (), (),
    )  # fmt: skip
    lands = [_land(one, ground) for one in outlines]
    return Ground(
        ground.width, ground.height, ground.west, ground.north,
        ground.east_scale, ground.north_scale, [one for one in lands if one.path],
        list(_names(lands)),
    )  # fmt: skip


def _names(lands: Sequence[Land]) -> Iterator[Name]:
    if len(lands) <= _LEGIBLE:
        yield from (Name(one.name, one.x, one.y) for one in lands)
        return
    table = divisions.table()
    by_city: dict[str, list[Land]] = {}
    for one in lands:
        city = table.prefecture(one.code)
        by_city.setdefault(city.name if city is not None else one.name, []).append(one)
    for name, some in by_city.items():
        x, y = (sum(place) / len(some) for place in zip(*((s.x, s.y) for s in some), strict=True))
        yield Name(name, round(x, 1), round(y, 1))


def _land(one: _Outline, ground: Ground) -> Land:
    drawn: list[str] = []
    for ring in one.rings:
        placed = [
            ((east - ground.west) * ground.east_scale, (ground.north - north) * ground.north_scale)
            for east, north in ring.tolist()
        ]
        line = shapely.LinearRing(placed).simplify(_STRAY)
        if len(line.coords) > 4 or not drawn:
            drawn.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line.coords[:-1]) + "Z")
    x = (one.point[1] - ground.west) * ground.east_scale
    y = (ground.north - one.point[0]) * ground.north_scale
    return Land(one.code, one.name, "".join(drawn), round(x, 1), round(y, 1), *one.point)


@cache
def _points() -> Mapping[str, tuple[float, float]]:
    """Where each county is; its outline is only worked out when it is to be drawn."""
    table = divisions.table()
    return {str(table.current(one.code)): _place(one) for one in boundaries.read("district")}


def _outlined(codes: tuple[str, ...]) -> Iterator[_Outline]:
    table, wanted = divisions.table(), frozenset(codes)
    layer: boundaries.Layer = "district" if wanted else "province"
    for boundary in boundaries.read(layer):
        code = str(table.current(boundary.code))
        if not wanted or code in wanted:
            rings = [_ring(ring, _COARSE[layer]) for ring in _largest(boundary)]
            yield _Outline(code, boundary.name, rings, _place(boundary))


def _largest(boundary: Boundary) -> list[Ring]:
    by_size = sorted(boundary.rings, key=lambda ring: -float(np.ptp(ring, axis=0).max()))
    return [ring for ring in by_size[:_MOST_RINGS] if len(ring) > 2]


def _ring(ring: Ring, coarse: float) -> Ring:
    lats, lngs = to_gcj02_many(ring[:, 1], ring[:, 0], Datum.WGS84)
    line = shapely.LinearRing(np.column_stack([lngs, lats])).simplify(coarse)
    corners: Ring = shapely.get_coordinates(line)[:-1]
    return corners


def _place(boundary: Boundary) -> tuple[float, float]:
    north, east = to_gcj02(*boundary.point, Datum.WGS84)
    return round(north, 5), round(east, 5)
