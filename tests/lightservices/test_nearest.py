"""The nearest outlets: the same as brute force with geopy, and the sample nobody takes for real."""

from __future__ import annotations

import random

import pytest
from geopy.distance import geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from lightservices.outlets import nearest, sample
from lightservices.outlets.models import Outlet
from lightservices.outlets.nearest import Index
from regions import atlas
from service.wiring import Unit
from tests.lightservices.conftest import PEOPLES_SQUARE, outlet


def strewn(count: int) -> list[Outlet]:
    dice = random.Random(7)
    return [
        outlet(f"{number:04d}", "HQ", "310101", (dice.uniform(18, 53), dice.uniform(74, 135)))
        for number in range(count)
    ]


STREWN = strewn(400)
INDEX = Index(STREWN)


@settings(deadline=None)  # Brute force is slow; how slow is no matter here.
@given(st.floats(18, 53), st.floats(74, 135))
def test_the_nearest_are_those_geopy_finds_nearest(latitude: float, longitude: float) -> None:
    found = INDEX.nearest(latitude, longitude, count=10)
    brute = sorted(
        STREWN, key=lambda each: geodesic((latitude, longitude), (each.lat, each.lng)).meters
    )[:10]
    assert [near.outlet.id for near in found] == [each.id for each in brute]


def test_distances_are_geodesic_and_rise(bank: Unit) -> None:
    found = nearest.nearest(bank, *PEOPLES_SQUARE, count=3)
    assert [near.outlet.division for near in found] == ["310101", "310101", "310115"]
    assert [near.metres for near in found] == sorted(near.metres for near in found)
    first = found[0]
    assert first.metres == geodesic(PEOPLES_SQUARE, (first.outlet.lat, first.outlet.lng)).meters


def test_more_are_asked_for_than_there_are() -> None:
    assert len(Index(STREWN[:3]).nearest(31.0, 121.0, count=10)) == 3
    assert Index([]).nearest(31.0, 121.0) == []
    assert INDEX.nearest(31.0, 121.0, count=0) == []


def test_the_second_outlet_of_a_county_comes_before_the_tenth() -> None:
    found = Index([outlet(number, "B310000", "310101", (31.2, 121.5)) for number in ("10", "2")])
    assert [each.id[-2:] for each in found.in_county("310101")] == ["-2", "10"]


@pytest.mark.parametrize(
    ("metres", "says"),
    [(99, "100 米内"), (149, "约 100 米"), (1049, "约 1.0 公里"), (12_345, "约 12 公里")],
)
def test_a_distance_is_as_exact_as_a_phone_knows_it(metres: float, says: str) -> None:
    assert nearest.distance(metres) == says


@pytest.mark.usefixtures("bank")
def test_the_sample_is_visibly_a_sample_and_lies_in_its_county(unit: Unit) -> None:
    found = list(sample.outlets(unit))
    assert len(found) == len({each.id for each in found}) == sample.COUNT
    for each in found:
        assert each.id.startswith("SYN-")
        assert each.name.endswith("（示例网点）")
        assert each.address.startswith("示例地址")
        assert each.phone == ""
        assert each.synthetic
    map_ = atlas.current(unit.settings)
    inside = sum(map_.county_at(each.lat, each.lng) == each.division for each in found)
    # A few counties' own point lies off their coast or on an islet.
    assert inside >= 0.995 * len(found)
    assert sum(each.division.startswith("31") for each in found) > 100
    again = next(iter(sample.outlets(unit)))
    assert again == found[0]
