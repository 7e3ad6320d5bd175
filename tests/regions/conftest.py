"""What the tests about places share: the atlas, built once, and the boundaries it is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from config import Settings
from regions import atlas as atlases
from regions import boundaries, divisions
from regions.atlas import Atlas
from regions.boundaries import Boundary
from regions.coordinates import Datum, to_gcj02_many


@pytest.fixture(scope="session")
def atlas(settings: Settings) -> Atlas:
    """The atlas of the installed boundaries."""
    return atlases.current(settings)


@dataclass(frozen=True)
class Polygons:
    """The independent answer: shapely's polygons and search tree over one set of boundaries."""

    tree: shapely.STRtree
    codes: NDArray[np.int64]

    def counties_at(self, lats: Sequence[float], lngs: Sequence[float]) -> list[set[int]]:
        """The codes of all polygons that hold each point."""
        found: list[set[int]] = [set() for _ in lats]
        points, polygons = self.tree.query(shapely.points(lngs, lats), predicate="intersects")
        for point, polygon in zip(points, polygons, strict=True):
            found[point].add(int(self.codes[polygon]))
        return found


@pytest.fixture(scope="session")
def polygons() -> Polygons:
    """The boundaries the atlas is made from."""
    return _polygons("tianditu")


@pytest.fixture(scope="session")
def other_polygons() -> Polygons:
    """An independent digitisation, for tests only: its terms forbid shipping or showing it."""
    return _polygons("amap")


def _polygons(publisher: str) -> Polygons:
    found = boundaries.read("district", publisher=publisher)
    table = divisions.table()
    return Polygons(
        shapely.STRtree([_polygon(boundary) for boundary in found]),
        np.array([int(table.current(boundary.code)) for boundary in found]),
    )


def _polygon(boundary: Boundary) -> shapely.Geometry:
    """Land lies on the left of every ring: those that turn right are holes."""
    lands, holes = [], []
    for ring in boundary.rings:
        lats, lngs = to_gcj02_many(ring[:, 1], ring[:, 0], Datum.WGS84)
        linear = shapely.linearrings(lngs, lats)
        (lands if shapely.is_ccw(linear) else holes).append(
            shapely.make_valid(shapely.polygons(linear))
        )
    return shapely.difference(shapely.union_all(lands), shapely.union_all(holes))
