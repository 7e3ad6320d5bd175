"""An area as text fields: what is typed, pasted and drawn becomes the area, and comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from lightservices.console import area_fields
from lightservices.console.area_fields import AreaFields
from regions import areas, coverage, divisions
from regions.areas import Area, AreaRefused, Circle, Polygon, Shape

_CODES = [one.code for one in divisions.table()]
_LATS = st.floats(20, 45, allow_nan=False)
_LNGS = st.floats(80, 130, allow_nan=False)


def _square(corner: tuple[float, float]) -> Polygon:
    lat, lng = corner
    return Polygon(((lat, lng), (lat + 1, lng), (lat + 1, lng + 1), (lat, lng + 1)))


_SHAPES = st.builds(
    Shape,
    st.frozensets(st.sampled_from(_CODES), max_size=6),
    st.lists(st.tuples(_LATS, _LNGS).map(_square), max_size=3).map(tuple),
    st.lists(st.builds(Circle, _LATS, _LNGS, st.floats(100, 500_000)), max_size=3).map(tuple),
)


@given(_SHAPES.filter(bool), _SHAPES)
def test_every_area_comes_back_from_its_fields_as_it_was(inside: Shape, outside: Shape) -> None:
    area = Area(inside, outside)
    shown = area_fields.shown(area)
    sent = MultiDict(
        {
            name: getattr(shown, name).replace("\n", "\r\n")
            for name in ("codes", "drawn", "without", "without_drawn")
        }
    )
    assert area_fields.read(area_fields.typed(sent)) == area


@given(*[st.text("0123456789.,，、 \n市区珠海-", max_size=60)] * 4)
def test_whatever_is_typed_is_an_area_or_refused_in_words(
    codes: str, drawn: str, without: str, without_drawn: str
) -> None:
    fields = AreaFields(codes=codes, drawn=drawn, without=without, without_drawn=without_drawn)
    told, area = "", None
    try:
        area = area_fields.read(fields)
    except AreaRefused as refused:
        told = str(refused)
    assert (area is None) is bool(told or fields.is_empty)
    assert not told or any("\u4e00" <= sign <= "\u9fff" for sign in told)


@pytest.mark.parametrize(
    "pasted",
    [
        "440400\n310101",
        "440400,310101",
        "440400 广东省珠海市\n310101 上海市黄浦区",
        "440400、310101",
        "广东省珠海市，黄浦区",
        "珠海 ; 上海市黄浦区",
    ],
)
def test_a_pasted_list_is_read_however_it_is_divided(pasted: str) -> None:
    assert area_fields.divisions_in(pasted) == (["440400", "310101"], [])


def test_a_name_that_several_bear_is_told_with_their_codes() -> None:
    codes, [fault] = area_fields.divisions_in("440400\n朝阳区")
    assert codes == ["440400"]
    assert "110105" in fault
    assert "220104" in fault


def test_a_name_nobody_bears_is_told() -> None:
    assert "火星市" in area_fields.divisions_in("火星市")[1][0]


@pytest.mark.parametrize("asked", ["珠海", "珠海市", "zhuhai", "zhuh", "4404"])
def test_a_city_is_found_by_name_letters_and_digits(asked: str) -> None:
    assert area_fields.search(asked)[0].code == "440400"


def test_a_search_for_nothing_finds_nothing() -> None:
    assert area_fields.search("  ") == []
    assert area_fields.search("火星") == []


def test_a_ring_of_two_corners_is_a_fault_when_sent_and_none_while_drawing() -> None:
    fields = AreaFields(codes="440400", drawn="22.5, 113.3\n22.6, 113.3")
    with pytest.raises(AreaRefused, match="只有 2 个点"):
        area_fields.read(fields)
    drawing = area_fields.read(fields, finished=False)
    assert drawing == areas.read({"inside": {"divisions": ["440400"]}})


def test_exchanged_coordinates_are_told_line_by_line() -> None:
    with pytest.raises(AreaRefused, match="坐标第 2 行好像把经度写在了前面"):
        area_fields.read(AreaFields(codes="440400", drawn="22.5, 113.3\n113.3, 22.6"))


def test_faults_of_the_excepted_part_say_that_they_are_of_it() -> None:
    with pytest.raises(AreaRefused, match="除外的坐标第 1 行"):
        area_fields.read(AreaFields(codes="440400", without_drawn="这里"))


def test_two_rings_and_a_circle_are_told_apart_by_an_empty_line() -> None:
    one, other = "22.5, 113.3\n22.6, 113.3\n22.6, 113.4", "21.5，110.3\n21.6，110.3\n21.6，110.4"
    found = area_fields.read(AreaFields(drawn=f"{one}\n\n{other}\n22, 113, 3000"))
    assert found is not None
    assert len(found.inside.polygons) == 2
    assert found.inside.circles == (Circle(22, 113, 3000),)
    assert coverage.cover(found).counties
