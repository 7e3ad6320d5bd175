"""The table of divisions and its oddities."""

from __future__ import annotations

import pytest

from regions import boundaries, divisions
from regions.divisions import Divisions


@pytest.fixture
def table() -> Divisions:
    return divisions.table()


def test_the_list_holds_what_the_ministry_counts(table: Divisions) -> None:
    levels = [division.level for division in table]
    counted = {level: levels.count(level) for level in ("province", "prefecture", "county")}
    assert counted == {"province": 34, "prefecture": 333, "county": 2847}


def test_nobody_is_an_orphan(table: Divisions) -> None:
    for division in table:
        assert (division.parent is None) == (division.level == "province")
        if division.parent is not None:
            assert table.get(division.parent) is not None


@pytest.mark.parametrize(
    ("code", "label", "prefecture"),
    [
        ("320102", "江苏省南京市玄武区", "320100"),
        ("110101", "北京市东城区", "110000"),  # Municipalities have no prefecture.
        ("500157", "重庆市两江新区", "500000"),
        ("419001", "河南省济源市", "419001"),  # Directly under the province.
        ("429021", "湖北省神农架林区", "429021"),
        ("659002", "新疆维吾尔自治区阿拉尔市", "659002"),
        ("441900", "广东省东莞市", "441900"),  # A prefecture without counties.
        ("620200", "甘肃省嘉峪关市", "620200"),
        ("460302", "海南省三沙市西沙区", "460300"),
        ("629700", "甘肃省中农发山丹马场", "629700"),  # A code of convenience.
        ("632857", "青海省海西蒙古族藏族自治州大柴旦行政委员会", "632800"),
        ("710009", "台湾省台北市", "710000"),
        ("810101", "香港特别行政区中西区", "810000"),
        ("820000", "澳门特别行政区", "820000"),
    ],
)
def test_labels_and_prefectures(table: Divisions, code: str, label: str, prefecture: str) -> None:
    assert table.label(code) == label
    found = table.prefecture(code)
    assert found is not None
    assert found.code == prefecture
    province = table.province(code)
    assert province is not None
    assert province.code == code[:2] + "0000"


def test_a_province_has_no_prefecture(table: Divisions) -> None:
    assert table.prefecture("320000") is None


def test_what_is_not_a_code_is_unknown_everywhere(table: Divisions) -> None:
    for code in ("", "999999", "3201", "abcdef"):
        assert table.get(code) is None
        assert table.label(code) == ""
        assert table.path(code) == ()
        assert table.province(code) is None
        assert table.prefecture(code) is None
        assert table.counties(code) == ()


def test_superseded_codes_lead_to_those_of_today(table: Divisions) -> None:
    assert table.current("500105") == "500157"
    assert table.current("460321") == "460302"
    assert table.current("320102") == "320102"
    for successor in table.successors.values():
        assert table.get(successor) in list(table)


def test_counties_lie_below_what_was_asked_for(table: Divisions) -> None:
    assert [county.code for county in table.counties("350200")] == [
        "350203", "350205", "350206", "350211", "350212", "350213",
    ]  # fmt: skip
    assert len(table.counties("320000")) > 90
    assert table.counties("441900") == ()
    assert table.counties("320102") == ()


def test_the_pick_list_offers_every_province_and_every_city_once(table: Divisions) -> None:
    offered = table.prefectures()
    cities = [city.code for _, found in offered for city in found]
    assert len(offered) == 34
    assert len(cities) == len(set(cities))
    assert {"110000", "320100", "419001", "441900", "810000"} <= set(cities)
    assert not {"629700", "320000", "320102"} & set(cities)


def test_every_mapped_county_has_a_name(table: Divisions) -> None:
    for boundary in boundaries.read("district"):
        assert table.get(table.current(boundary.code)), boundary.code
