"""Which outlets are nearest: all ranked at once by numpy, the few shown measured by geopy.

Ranking compares straight lines between points on the WGS-84 ellipsoid. Over any distance a follower
would travel they order as geodesics do, and one pass over 15,000 costs less than one geodesic.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from geopy.distance import geodesic
from geopy.point import Point
from numpy.typing import NDArray
from sqlalchemy import select

from lightservices.outlets.models import Outlet, OutletRow
from service.epochs import Kept
from service.wiring import Unit

#: Semi-major axis in metres and squared eccentricity of the WGS-84 ellipsoid.
_AXIS: Final = 6_378_137.0
_ECCENTRICITY2: Final = 6.694379990141316e-3
_NUMBER: Final = re.compile(r"([0-9]+)")
#: By how much the circle grows when too few in it fit.
_WIDER: Final = 8


@dataclass(frozen=True, slots=True)
class Nearby:
    """An outlet and its geodesic distance in metres."""

    outlet: Outlet
    metres: float


class Index:
    """All outlets, ready to be ranked by distance or looked up."""

    def __init__(self, outlets: Iterable[Outlet]) -> None:
        self.outlets = tuple(outlets)
        self.by_id = MappingProxyType({outlet.id: outlet for outlet in self.outlets})
        self._points = points(
            np.array([outlet.lat for outlet in self.outlets], dtype=np.float64),
            np.array([outlet.lng for outlet in self.outlets], dtype=np.float64),
        )
        # A ruler used before has its ellipsoid worked out, which is half the cost of a geodesic.
        self._ruler = geodesic()
        self._by_county: dict[str, list[Outlet]] = {}
        for outlet in sorted(self.outlets, key=_as_counted):
            self._by_county.setdefault(outlet.division, []).append(outlet)

    def nearest(
        self,
        latitude: float,
        longitude: float,
        *,
        count: int = 10,
        which: Callable[[Outlet], bool] | None = None,
    ) -> list[Nearby]:
        """The ``count`` nearest outlets, nearest first; the point is GCJ-02 like the outlets."""
        count = min(count, len(self.outlets))
        if count <= 0:
            return []
        here = points(np.array([latitude]), np.array([longitude]))[:, 0]
        away = self._points - here[:, None]
        squared = np.einsum("ij,ij->j", away, away)
        start = Point(latitude, longitude)
        few = self._few(squared, count, which)
        measured = [
            Nearby(outlet, self._ruler.measure(start, Point(outlet.lat, outlet.lng)) * 1000)
            for outlet in (self.outlets[position] for position in few)
        ]
        return sorted(measured, key=lambda nearby: (nearby.metres, nearby.outlet.id))

    def _few(
        self,
        squared: NDArray[np.float64],
        count: int,
        which: Callable[[Outlet], bool] | None,
    ) -> Iterable[int]:
        """The positions of the nearest that fit, looked for in ever larger circles."""
        if which is None:
            return [int(position) for position in np.argpartition(squared, count - 1)[:count]]
        within = min(count * _WIDER, len(self.outlets))
        while True:
            nearer = np.argpartition(squared, within - 1)[:within]
            ordered = nearer[np.argsort(squared[nearer])]
            fitting = [int(place) for place in ordered if which(self.outlets[place])][:count]
            if len(fitting) == count or within == len(self.outlets):
                return fitting
            within = min(within * _WIDER, len(self.outlets))

    def counties(self) -> Iterable[str]:
        """The codes of the counties that have an outlet."""
        return self._by_county.keys()

    def in_county(self, division: str) -> Sequence[Outlet]:
        """The outlets of one county, by name."""
        return self._by_county.get(division, ())


def distance(metres: float) -> str:
    """A distance as people say it; less than 100 m is more than a phone knows."""
    if metres < 100:
        return "100 米内"
    if metres < 1000:
        return f"约 {round(metres, -2):.0f} 米"
    return f"约 {metres / 1000:.1f} 公里" if metres < 10_000 else f"约 {metres / 1000:.0f} 公里"


def _as_counted(outlet: Outlet) -> tuple[list[str | int], str]:
    """By name, but the second before the tenth; words and numbers alternate, so they compare."""
    parts = _NUMBER.split(outlet.name)
    return [int(part) if part.isdecimal() else part for part in parts], outlet.id


def points(latitudes: NDArray[np.float64], longitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points on the ellipsoid in metres from the earth's centre, one column for each pair."""
    phi, lam = np.radians(latitudes), np.radians(longitudes)
    sine = np.sin(phi)
    normal = _AXIS / np.sqrt(1 - _ECCENTRICITY2 * sine * sine)
    level = normal * np.cos(phi)
    return np.stack(
        (level * np.cos(lam), level * np.sin(lam), normal * (1 - _ECCENTRICITY2) * sine)
    )


def _load(unit: Unit) -> Index:
    columns = OutletRow.__table__.c
    rows = unit.db.execute(
        select(*(columns[name] for name in Outlet.__slots__)).order_by(columns.name, columns.id)
    )
    # Thousands of outlets share few hours and services; interned they cost little memory.
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    found: list[Outlet] = []
    for row in rows.mappings():
        services, accessible = tuple(row["services"]), tuple(row["accessible"])
        values: dict[str, Any] = dict(row)
        values["hours"] = sys.intern(row["hours"])
        values["services"] = shared.setdefault(services, services)
        values["accessible"] = shared.setdefault(accessible, accessible)
        found.append(Outlet(**values))
    return Index(found)


_kept: Kept[Index] = Kept("outlets", _load)


def index(unit: Unit) -> Index:
    """All outlets, as of at most a second ago."""
    return _kept.get(unit)


def nearest(unit: Unit, latitude: float, longitude: float, *, count: int = 10) -> list[Nearby]:
    """The nearest outlets to a GCJ-02 point, with their geodesic distance in metres."""
    return index(unit).nearest(latitude, longitude, count=count)


def outlet(unit: Unit, outlet_id: str) -> Outlet | None:
    """The outlet with this id, if there is one."""
    return index(unit).by_id.get(outlet_id)
