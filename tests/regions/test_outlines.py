"""The picture behind the pin."""

from __future__ import annotations

import json

from config import Settings
from regions import divisions, outlines
from regions.atlas import Atlas


def test_the_picture_is_small_and_shows_every_province(settings: Settings) -> None:
    picture = outlines.backdrop(settings)
    assert len(json.dumps(picture, ensure_ascii=False).encode()) <= 300_000
    assert len(picture["provinces"]) == 34
    assert all(len(ring) >= 3 for province in picture["provinces"] for ring in province["rings"])


def test_every_city_stands_on_its_own_ground(settings: Settings, atlas: Atlas) -> None:
    table = divisions.table()
    cities = outlines.backdrop(settings)["cities"]
    assert len(cities) >= 370
    for city in cities:
        prefecture = table.prefecture(atlas.county_at(city["lat"], city["lng"]) or "")
        assert prefecture is not None, city["name"]
        assert prefecture.code == city["code"]
        assert abs(city["lat"] - city["wgs84"][0]) + abs(city["lng"] - city["wgs84"][1]) > 0.0005
