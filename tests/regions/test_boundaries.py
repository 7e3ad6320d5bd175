"""Reading the installed boundaries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from regions import boundaries
from regions.boundaries import BoundariesUnreadable, encloses


@pytest.mark.parametrize(("layer", "count"), [("province", 34), ("city", 375), ("district", 2891)])
def test_every_layer_is_read_whole(layer: boundaries.Layer, count: int) -> None:
    found = boundaries.read(layer)
    assert len(found) == count
    assert all(len(ring) >= 3 for boundary in found for ring in boundary.rings)


def test_land_lies_on_the_left_of_every_ring() -> None:
    for boundary in boundaries.read("province"):
        areas = [shapely.polygons(ring).area for ring in boundary.rings]
        largest = boundary.rings[int(np.argmax(areas))]
        assert shapely.is_ccw(shapely.linearrings(largest)), boundary.name


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tianditu"
    folder.mkdir()
    (folder / "cn_city.csv").write_text("city_adcode,city_name,lat,lon\n110000,北京市,40,116\n")
    monkeypatch.setattr(boundaries, "_folder", lambda: tmp_path)
    for content in (
        b"",
        b"\x01\x00\x00\x00",
        b"\xff" * 64,
        bytes([1, 0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0]),
    ):
        (folder / "cn_city.bin").write_bytes(content)
        with pytest.raises(BoundariesUnreadable):
            boundaries.read("city")
    with pytest.raises(BoundariesUnreadable):
        boundaries.read("province")


def test_a_ring_encloses_what_lies_in_it() -> None:
    square = [(110.0, 30.0), (111.0, 30.0), (111.0, 31.0), (110.0, 31.0)]
    assert encloses(square, 30.5, 110.5)
    assert not encloses(square, 30.5, 111.5)
    assert not encloses(square, 31.5, 110.5)
