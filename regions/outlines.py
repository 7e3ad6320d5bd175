"""The country in a few strokes: provinces and cities as a picture behind a pin, never for answers.

Simplified for drawing. Whoever needs to know where a point lies asks the atlas.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from config import Settings
from regions import boundaries, divisions
from regions.boundaries import Boundary, Ring
from regions.coordinates import Datum, to_gcj02, to_gcj02_many
from regions.divisions import Division
from regions.survey import Floats

#: A line may stray this many degrees from the truth, about 2 km: invisible on a phone. What is
#: small itself keeps its shape to a tenth of its size.
_TOLERANCE, _SHARE = 0.02, 0.1
#: Rings with a smaller frame than this many degrees are left out, save a province's largest.
_SMALLEST = 0.08
_DECIMALS = 2


def backdrop(settings: Settings) -> dict[str, Any]:
    """Province outlines and cities in GCJ-02 for the sandbox's phone, under 300 KB as JSON.

    ``{"provinces": [{"code", "name", "rings": [[[lng, lat], …]]}], "cities": [{"code", "name",
    "province", "lat", "lng", "wgs84": [lat, lng]}]}``. A city stands where its first county is.
    """
    del settings  # The picture is the same for every bank.
    return _drawn()


@cache
def _drawn() -> dict[str, Any]:
    return {
        "provinces": [
            {
                "code": province.code,
                "name": province.name,
                "rings": [ring.round(_DECIMALS).tolist() for ring in _rings(province)],
            }
            for province in boundaries.read("province")
        ],
        "cities": list(_cities()),
    }


def _rings(province: Boundary) -> Iterator[Ring]:
    """The rings worth drawing, largest first, in GCJ-02 and simplified."""
    by_size = sorted(province.rings, key=_size, reverse=True)
    for place, ring in enumerate(by_size):
        if place > 0 and _size(ring) < _SMALLEST:
            return
        lats, lngs = to_gcj02_many(ring[:, 1], ring[:, 0], Datum.WGS84)
        simplified = _simplified(np.column_stack([lngs, lats]))
        if len(simplified) > 2:
            yield simplified


def _size(ring: Ring) -> float:
    return float(np.ptp(ring, axis=0).max())


def _simplified(ring: Ring) -> Ring:
    """Douglas and Peucker's simplification: keep a corner if leaving it out would be seen."""
    tolerance = min(_TOLERANCE, _SHARE * _size(ring))
    line = np.concatenate([ring, ring[:1]])
    keep = np.zeros(len(line), dtype=bool)
    keep[[0, -1]] = True
    pending = [(0, len(line) - 1)]
    while pending:
        first, last = pending.pop()
        if last - first < 2:
            continue
        away = _distances(line[first + 1 : last], line[first], line[last])
        furthest = int(away.argmax())
        # A closed line starts where it ends; its far corner stays, or nothing would be left.
        if away[furthest] > tolerance or last - first == len(line) - 1:
            middle = first + 1 + furthest
            keep[middle] = True
            pending += [(first, middle), (middle, last)]
    return line[keep][:-1]


def _distances(corners: Ring, start: Floats, end: Floats) -> Floats:
    """How far corners lie from the line between two others, or from the first if both are one."""
    along = end - start
    away = corners - start
    length = np.hypot(*along)
    if length == 0:
        around: Floats = np.hypot(away[:, 0], away[:, 1])
        return around
    aside: Floats = np.abs(along[0] * away[:, 1] - along[1] * away[:, 0]) / length
    return aside


def _cities() -> Iterator[dict[str, Any]]:
    """Every city a person picks from that the map knows, in the order of the codes."""
    table = divisions.table()
    points: dict[str, tuple[float, float]] = {
        table.current(boundary.code): boundary.point
        for boundary in boundaries.read("province") + boundaries.read("district")
    }
    for province, cities in table.prefectures():
        for city in cities:
            point = next((points[code] for code in _seats(city) if code in points), None)
            if point is not None:
                latitude, longitude = to_gcj02(*point, Datum.WGS84)
                yield {
                    "code": city.code,
                    "name": city.name,
                    "province": province.name,
                    "lat": round(latitude, 5),
                    "lng": round(longitude, 5),
                    "wgs84": list(point),
                }


def _seats(city: Division) -> Iterator[str]:
    """Where a city may stand: at its first county, or at itself if it has none."""
    yield from (county.code for county in divisions.table().counties(city.code))
    yield city.code
