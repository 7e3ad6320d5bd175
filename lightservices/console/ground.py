"""The ground as an outline map in an SVG's own measures, to click on and to draw on.

One map for all of the console: a branch's counties, a province's, or the provinces of the country.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Final

import numpy as np
import shapely

from regions import boundaries, branches, divisions, jurisdiction
from regions.boundaries import Boundary, Ring
from regions.coordinates import Datum, to_gcj02, to_gcj02_many
from service.wiring import Unit

#: The longer side of the picture.
SIDE: Final = 1_000
#: One line on the picture may stray this far from the truth.
_STRAY: Final = 0.5
#: The same in degrees, for what is kept of the whole country.
_COARSE: Final = {"district": 0.001, "province": 0.01}
#: What is smaller than this, in degrees, does not decide how the map is cut.
_REEF: Final = 0.1
#: More lands than this bear the names of their cities, and their own only when looked at closely.
_LEGIBLE: Final = 25
#: From this part of the longer side on, one looks so closely that every land's name can be read.
_CLOSE: Final = 0.4
#: The size of a name on a picture that is looked at as a whole.
_NAME: Final = 22
#: How much more than what is looked at is seen around it, and the least part ever looked at.
_MARGIN: Final = 2.0
_NEAREST: Final = 0.05
#: What one leaves out of a province's name where there is little room.
_PROVINCIAL: Final = re.compile(r"(?:省|市|(?:壮族|回族|维吾尔)?自治区|特别行政区)$")
#: How far to the right and down the names of small provinces go from beside their neighbours'.
_ASIDE: Final = {
    "110000": (-6, -12), "120000": (30, 6), "130000": (10, 22), "440000": (0, -8),
    "810000": (34, 12), "820000": (-8, 30),
}  # fmt: skip
_NUMBER: Final = re.compile(r"-?[0-9.]+")
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
class Frame:
    """What of the picture is looked at; as text it is a ``viewBox``."""

    left: float
    top: float
    width: float
    height: float

    def __str__(self) -> str:
        return f"{self.left:g} {self.top:g} {self.width:g} {self.height:g}"

    @property
    def is_close(self) -> bool:
        """Whether the lands' own names can be read."""
        return self.width <= _CLOSE * SIDE

    @property
    def name_size(self) -> float:
        """How large names are written, so that they look the same from near and far."""
        return round(_NAME * self.width / SIDE, 2)


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
    #: The names of the lands themselves, where they are too many to be read from afar.
    close_names: Sequence[Name]
    #: A city's code and name, for each city that has a land here; none where the lands are few.
    cities: Sequence[tuple[str, str]]

    @property
    def whole(self) -> Frame:
        return Frame(0, 0, self.width, self.height)

    def frame(
        self, codes: Collection[str], rings: Iterable[Sequence[tuple[float, float]]]
    ) -> Frame:
        """Close enough to see these lands and rings with their neighbours; the whole for none."""
        corners = [self.place(*corner) for ring in rings for corner in ring]
        for land in self.lands:
            if land.code in codes:
                numbers = list(map(float, _NUMBER.findall(land.path)))
                corners += zip(numbers[::2], numbers[1::2], strict=True)
        # What lies elsewhere in the country does not move the frame.
        corners = [(x, y) for x, y in corners if 0 <= x <= self.width and 0 <= y <= self.height]
        if not corners:
            return self.whole
        xs, ys = zip(*corners, strict=True)
        middle_x, middle_y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
        shape = self.height / self.width
        wanted = _MARGIN * max(max(xs) - min(xs), (max(ys) - min(ys)) / shape)
        width = min(float(self.width), max(wanted, _NEAREST * self.width))
        height = width * shape
        left = max(0.0, min(self.width - width, middle_x - width / 2))
        top = max(0.0, min(self.height - height, middle_y - height / 2))
        return Frame(round(left, 1), round(top, 1), round(width, 1), round(height, 1))

    def points(self, corners: Sequence[tuple[float, float]]) -> str:
        """Corners in degrees of GCJ-02, latitude first, as a polygon's ``points``."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in (self.place(*one) for one in corners))

    def place(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Where a point lies on the picture."""
        x = (longitude - self.west) * self.east_scale
        return x, (self.north - latitude) * self.north_scale


@dataclass(frozen=True, slots=True)
class _Outline:
    code: str
    name: str
    #: Degrees of GCJ-02, longitude first.
    rings: Sequence[Ring]
    point: tuple[float, float]


def of(unit: Unit, branch: str) -> Ground:
    """The counties that this branch and those below it serve; for head office the provinces."""
    tree, ours = branches.directory(unit), jurisdiction.below(unit, branch)
    codes = [code for code in _points() if tree.serving(code).branch.code in ours]
    if not codes or len(codes) > _MANY:
        return _drawn(())
    return _drawn(tuple(codes))


def country() -> Ground:
    """The provinces."""
    return _drawn(())


def within(code: str) -> Ground:
    """The counties of a province or city; the provinces where the map knows none there."""
    table = divisions.table()
    above = [one for one in _points() if code in {step.code for step in table.path(one)}]
    return _drawn(tuple(above))


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
        float(west), float(north), float(squeeze * scale), float(scale), (), (), (), (),
    )  # fmt: skip
    lands = [_land(one, ground) for one in outlines]
    few = not codes or len(lands) <= _LEGIBLE
    by_city = _by_city(lands) if not few else {}
    own = [_name(one) for one in lands]
    return replace(
        ground,
        lands=[one for one in lands if one.path],
        names=own if few else [_amid(name, some) for (_code, name), some in by_city.items()],
        close_names=() if few else own,
        cities=tuple(by_city),
    )


def _by_city(lands: Sequence[Land]) -> Mapping[tuple[str, str], Sequence[Land]]:
    table = divisions.table()
    found: dict[tuple[str, str], list[Land]] = {}
    for one in lands:
        city = table.prefecture(one.code)
        key = (city.code, city.name) if city is not None else (one.code, one.name)
        found.setdefault((str(key[0]), key[1]), []).append(one)
    return found


def _name(land: Land) -> Name:
    """Provinces go by their short names, and those that would be written over move aside."""
    if divisions.table().path(land.code)[1:]:
        return Name(land.name, land.x, land.y)
    right, down = _ASIDE.get(land.code, (0, 0))
    return Name(_PROVINCIAL.sub("", land.name), land.x + right, land.y + down)


def _amid(name: str, lands: Sequence[Land]) -> Name:
    x, y = (sum(place) / len(lands) for place in zip(*((s.x, s.y) for s in lands), strict=True))
    return Name(name, round(x, 1), round(y, 1))


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
