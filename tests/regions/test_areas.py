"""Areas: what is inside, what is excepted, and which drawings are refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from regions import areas
from regions.areas import Area, AreaRefused, Circle, Polygon, Shape

ZHUHAI, XIANGZHOU, ZHONGSHAN = "440400", "440402", "442000"
SQUARE = [[22.5, 113.3], [22.6, 113.3], [22.6, 113.5], [22.5, 113.5]]

latitudes = st.floats(20, 40)
longitudes = st.floats(100, 120)
corners = st.lists(st.tuples(latitudes, longitudes), min_size=3, max_size=9, unique=True)


def area(inside: dict[str, Any], outside: dict[str, Any] | None = None) -> Area:
    return areas.read({"inside": inside, **({"outside": outside} if outside else {})})


def test_a_division_takes_everything_below_it_in() -> None:
    found = area({"divisions": [ZHUHAI]})
    assert found.contains(division=XIANGZHOU, position=None)
    assert not found.contains(division=ZHONGSHAN, position=None)


def test_a_drawn_part_is_asked_by_position_and_never_guessed() -> None:
    found = area({"polygons": [SQUARE]})
    assert found.contains(division=ZHONGSHAN, position=(22.55, 113.4))
    assert not found.contains(division=ZHONGSHAN, position=(22.65, 113.4))
    assert not found.contains(division=ZHONGSHAN, position=None)


def test_parts_are_taken_together_and_exceptions_taken_out() -> None:
    circle = {"latitude": 22.27, "longitude": 113.57, "radius_m": 2_000}
    found = area({"divisions": [ZHUHAI], "polygons": [SQUARE]}, {"circles": [circle]})
    assert found.contains(division=XIANGZHOU, position=(22.35, 113.5))
    assert not found.contains(division=XIANGZHOU, position=(22.271, 113.571))
    assert found.contains(division=ZHONGSHAN, position=(22.55, 113.4))


def test_who_may_be_in_an_exception_is_told_rather_than_not() -> None:
    circle = {"latitude": 22.27, "longitude": 113.57, "radius_m": 2_000}
    found = area({"divisions": [ZHUHAI]}, {"circles": [circle]})
    assert found.contains(division=XIANGZHOU, position=None)


def test_an_excepted_division_is_out_wherever_in_it() -> None:
    found = area({"divisions": ["440000"]}, {"divisions": [ZHUHAI]})
    assert not found.contains(division=XIANGZHOU, position=(22.27, 113.57))
    assert found.contains(division=ZHONGSHAN, position=None)


@given(corners, latitudes, longitudes)
def test_a_polygon_holds_what_an_independent_library_says(
    ring: list[tuple[float, float]], latitude: float, longitude: float
) -> None:
    independent = shapely.Polygon([(east, north) for north, east in ring])
    assume(independent.is_valid)
    point = shapely.Point(longitude, latitude)
    assume(independent.exterior.distance(point) > 1e-9)
    assert Polygon(tuple(ring)).contains(latitude, longitude) == independent.contains(point)


@given(corners)
def test_a_polygon_that_crosses_itself_is_refused(ring: list[tuple[float, float]]) -> None:
    independent = shapely.Polygon([(east, north) for north, east in ring])
    raw = {"inside": {"polygons": [ring]}}
    if independent.is_valid:
        assert areas.read(raw)
    elif not independent.is_simple:
        with pytest.raises(AreaRefused, match="互相交叉"):
            areas.read(raw)


@given(latitudes, longitudes, st.floats(100, 400_000), st.floats(0, 2 * math.pi))
def test_a_circle_ends_at_its_radius(
    latitude: float, longitude: float, radius: float, turn: float
) -> None:
    circle = Circle(latitude, longitude, radius)
    metre = 1 / 111_195
    for share, inside in ((0.97, True), (1.03, False)):
        north = math.sin(turn) * radius * share * metre
        east = math.cos(turn) * radius * share * metre / math.cos(math.radians(latitude))
        assert circle.contains(latitude + north, longitude + east) is inside


@given(
    st.sets(st.sampled_from([ZHUHAI, XIANGZHOU, ZHONGSHAN, "310000"]), min_size=1),
    st.lists(st.builds(Circle, latitudes, longitudes, st.floats(100, 9_999)), max_size=3),
)
def test_an_area_comes_back_from_its_writing(codes: set[str], circles: list[Circle]) -> None:
    found = Area(Shape(frozenset(codes), circles=tuple(circles)))
    assert areas.read(areas.write(found)) == found


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({}, "区域"),
        ({"inside": {}}, "区域是空的"),
        ({"inside": {"divisions": ["999999"]}}, "没有代码为 999999 的行政区划"),
        ({"inside": {"polygons": [SQUARE[:2]]}}, "多边形"),
        ({"inside": {"polygons": [[[0, 0], [1, 1], [2, 0]]]}}, "多边形"),
        (
            {"inside": {"circles": [{"latitude": 22, "longitude": 113, "radius_m": 1}]}},
            "半径",
        ),
        ({"inside": {"divisions": [ZHUHAI]}, "more": 1}, "重新"),
        ({"inside": []}, "区域"),
    ],
    ids=["nothing", "empty", "unknown", "line", "ocean", "tiny", "more", "list"],
)
def test_a_wrong_area_is_refused_in_words(raw: dict[str, Any], says: str) -> None:
    with pytest.raises(AreaRefused, match=says):
        areas.read(raw)


def test_a_pasted_list_is_sorted_into_codes_and_the_rest() -> None:
    assert areas.codes_in("440400，442000 440400\n珠海;999999") == (
        [ZHUHAI, ZHONGSHAN],
        ["珠海", "999999"],
    )
