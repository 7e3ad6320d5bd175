"""A sample list of outlets nobody could take for real, so that the pages have something to show.

Each bears the prefix SYN-, the words 示例网点, an address that says it is one, and no telephone.
They are strewn around the point that stands for each county on the map, more where more people
live: in city districts, most of all in small ones and in the largest cities. The list is the same
on every machine.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from sqlalchemy import select

from lightservices.outlets.imports import add
from lightservices.outlets.models import Outlet, OutletRow
from regions import atlas, boundaries, branches, divisions
from regions.coordinates import Datum, metres_per_degree, to_gcj02
from regions.divisions import DivisionCode
from service.wiring import Unit

COUNT: Final = 15_000
#: Nothing depends on the number but that the list is the same every time.
SEED: Final = 95
#: Provincial-level and sub-provincial cities, by the first digits of their codes.
LARGEST: Final = (
    "11", "12", "31", "50", "2101", "2102", "2201", "2301", "3201", "3205", "3301", "3302", "3502",
    "3701", "3702", "4201", "4401", "4403", "5101", "6101",
)  # fmt: skip
FURTHEST_M: Final = 5_000.0
#: (hours, services, accessible) in turn.
KINDS: Final = (
    (
        "周一至周五 09:00-17:00；周六、周日 10:00-16:00；节假日 10:00-15:00",
        ("个人业务", "外币兑换", "保险箱", "自助设备"),
        ("坡道", "低位柜台", "爱心座椅", "助听设备", "老花镜"),
    ),
    (
        "周一至周五 09:00-17:00；节假日休息",
        ("个人业务", "对公业务", "自助设备"),
        ("坡道", "爱心座椅", "老花镜"),
    ),
    (
        "周一至周五 09:00-12:00，13:30-17:00；节假日休息",
        ("个人业务", "自助设备"),
        ("爱心座椅", "老花镜"),
    ),
    ("每天 00:00-24:00", ("自助设备",), ()),
)


@dataclass(frozen=True, slots=True)
class _County:
    """``lat`` and ``lng`` in GCJ-02; ``reach_m`` is how far its outlets lie from that point."""

    code: DivisionCode
    name: str
    lat: float
    lng: float
    reach_m: float
    weight: float


def seed(unit: Unit) -> None:
    """Store the sample list where there are no outlets yet."""
    if unit.db.execute(select(OutletRow.id).limit(1)).first() is None:
        add(unit, list(outlets(unit)))


def outlets(unit: Unit, *, count: int = COUNT) -> Iterator[Outlet]:
    """The sample list, ``count`` outlets long."""
    dice = random.Random(SEED)  # noqa: S311  # nothing secret hangs on these
    counties = _counties()
    directory = branches.directory(unit)
    map_ = atlas.current(unit.settings)
    for county, share in zip(counties, _shares(counties, count), strict=True):
        label = divisions.table().label(county.code)
        for number in range(1, share + 1):
            lat, lng = _spot(map_, county, dice)
            hours, services, accessible = KINDS[dice.choices((0, 1, 2, 3), (3, 4, 2, 1))[0]]
            yield Outlet(
                id=f"SYN-{county.code}-{number:02d}",
                branch_code=directory.serving(county.code, latitude=lat, longitude=lng).branch.code,
                division=county.code,
                name=f"{county.name}第 {number} 网点（示例网点）",
                address=f"示例地址（{label}，不是真实地址）",
                phone="",
                lat=lat,
                lng=lng,
                hours=hours,
                services=services,
                synthetic=True,
                accessible=accessible,
            )


def _counties() -> list[_County]:
    table = divisions.table()
    found = {table.current(boundary.code): boundary for boundary in boundaries.read("district")}
    return [
        _county(code, boundary)
        for code, boundary in sorted(found.items())
        # The bank's sample has no branches overseas of the mainland.
        if table.get(code) is not None and code[:2] not in ("71", "81", "82")
    ]


def _county(code: DivisionCode, boundary: boundaries.Boundary) -> _County:
    lat, lng = to_gcj02(*boundary.point, Datum.WGS84)
    across_m = math.sqrt(_square_metres(boundary))
    weight = 4.0 if boundary.name.endswith("区") else 2.5 if boundary.name.endswith("市") else 1.0
    weight *= 2.5 if code.startswith(LARGEST) else 1.0
    # A district a city has squeezed into a few kilometres is full of people.
    weight *= 1.6 if across_m < 20_000 else 1.0
    return _County(code, boundary.name, lat, lng, min(FURTHEST_M, across_m / 4), weight)


def _square_metres(boundary: boundaries.Boundary) -> float:
    """The area of the largest ring, near enough to tell a district from a desert."""
    north_m, east_m = metres_per_degree(boundary.point[0])
    largest = 0.0
    for ring in boundary.rings:
        east, north = ring[:, 0], ring[:, 1]
        twice = float(np.dot(east, np.roll(north, 1)) - np.dot(north, np.roll(east, 1)))
        largest = max(largest, abs(twice) / 2)
    return largest * float(north_m * east_m)


def _shares(counties: Sequence[_County], count: int) -> list[int]:
    """How many each county gets: by weight, whole numbers, ``count`` in all."""
    total = sum(county.weight for county in counties)
    ends, reached = [0], 0.0
    for county in counties:
        reached += county.weight
        ends.append(round(count * reached / total))
    return [end - start for start, end in pairwise(ends)]


def _spot(map_: atlas.Atlas, county: _County, dice: random.Random) -> tuple[float, float]:
    """A spot of this county near its point, drawing nearer until one lies inside."""
    north_m, east_m = metres_per_degree(county.lat)
    for shrink in (1.0, 0.8, 0.6, 0.4, 0.2, 0.1):
        away, turn = county.reach_m * shrink * math.sqrt(dice.random()), math.tau * dice.random()
        lat = round(county.lat + away * math.cos(turn) / north_m, 6)
        lng = round(county.lng + away * math.sin(turn) / east_m, 6)
        if map_.county_at(lat, lng) == county.code:
            return lat, lng
    return round(county.lat, 6), round(county.lng, 6)
