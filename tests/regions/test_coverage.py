"""What an area takes in: counties whole and in part, branches, followers by how sure we are."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import insert

from regions import areas, coverage, divisions, sample
from regions.presence import Presence
from service import clock
from service.followers import Follower
from service.wiring import Unit

ZHUHAI_AND_A_PIECE = areas.read(
    {
        "inside": {
            "divisions": ["440400"],
            "polygons": [[[22.5, 113.3], [22.6, 113.3], [22.6, 113.5], [22.5, 113.5]]],
        }
    }
)


def test_a_city_is_whole_and_a_drawn_piece_of_the_next_is_a_part() -> None:
    covered = coverage.cover(ZHUHAI_AND_A_PIECE)
    assert covered.whole == ("440402", "440403", "440404")
    assert list(covered.parts) == ["442000"]
    assert 0.1 < covered.parts["442000"] < 0.2


def test_an_exception_makes_its_counties_parts_or_nothing() -> None:
    circle = {"latitude": 23.13, "longitude": 113.26, "radius_m": 20_000}
    around = areas.read({"inside": {"divisions": ["440000"]}, "outside": {"circles": [circle]}})
    covered = coverage.cover(around)
    assert "440104" not in covered.counties  # 越秀区 lies in the circle's middle.
    assert 0 < covered.parts["440111"] < 1
    assert "440402" in covered.whole


def test_a_whole_province_drawn_by_code_has_no_parts() -> None:
    covered = coverage.cover(areas.read({"inside": {"divisions": ["310000"]}}))
    assert len(covered.whole) == 16
    assert not covered.parts


def test_followers_are_counted_by_how_sure_we_are(unit: Unit) -> None:
    sample.seed(unit)
    for number, (division, cell) in enumerate(
        [
            ("440402", None),
            ("440402", (2227, 11357)),
            ("442000", (2255, 11340)),
            ("442000", (2270, 11340)),
            ("442000", None),
            ("440400", None),
            ("310104", (3118, 12143)),
        ]
    ):
        _place(unit, number, division, cell)
    found = coverage.reach(unit, ZHUHAI_AND_A_PIECE, coverage.cover(ZHUHAI_AND_A_PIECE))
    # The two in Xiangzhou for certain; the cell in the square and the chosen city as likely.
    assert (found.certain, found.likely, found.unknown, found.total) == (2, 2, 1, 4)


def test_the_branches_inside_are_those_that_serve_its_counties(unit: Unit) -> None:
    sample.seed(unit)
    found = coverage.branches_in(unit, coverage.cover(ZHUHAI_AND_A_PIECE))
    assert [one.code for one in found] == ["B440400", "B442000"]


@pytest.mark.parametrize(
    ("count", "says"),
    [(0, "0 人"), (3, "不到 10 人"), (14, "约 10 人"), (137, "约 140 人"), (1_499, "约 1500 人"),
     (40_321, "约 4 万人"), (99_999, "约 10 万人"), (1_234_567, "约 120 万人")],
)  # fmt: skip
def test_operators_read_rounded_numbers(count: int, says: str) -> None:
    assert coverage.rounded(count) == says


def _place(unit: Unit, number: int, division: str, cell: tuple[int, int] | None) -> None:
    openid = f"oTESTcounted{number:016}"
    south, west = cell or (None, None)
    at = clock.now() - timedelta(minutes=1)
    unit.db.execute(insert(Follower).values(openid=openid, followed_at=at))
    unit.db.execute(
        insert(Presence).values(
            openid=openid, branch="B440400", division=division, cell_south=south, cell_west=west,
            source="event", seen_at=at,
        )
    )  # fmt: skip


def test_the_whole_country_is_covered_in_a_moment() -> None:
    provinces = [one.code for one in divisions.table() if one.level == "province"]
    country = areas.read({"inside": {"divisions": provinces}})
    coverage.cover(ZHUHAI_AND_A_PIECE)  # The map is read once in each process.
    begun = time.process_time()
    covered = coverage.cover(country)
    assert time.process_time() - begun < 1
    assert len(covered.whole) > 2_800
    assert not covered.parts


def test_a_province_takes_in_its_cities_without_counties() -> None:
    covered = coverage.cover(areas.read({"inside": {"divisions": ["440000"]}}))
    assert {"441900", "442000"} <= set(covered.whole)  # 东莞 and 中山
    assert not covered.parts
    assert "440000" in coverage.complete(covered)
    but_one = areas.read(
        {"inside": {"divisions": ["440000"]}, "outside": {"divisions": ["441900"]}}
    )
    without = coverage.cover(but_one)
    assert set(covered.whole) - set(without.whole) == {"441900"}
    assert "440000" not in coverage.complete(without)


def test_a_region_whose_districts_are_not_listed_is_covered_all_the_same() -> None:
    covered = coverage.cover(areas.read({"inside": {"divisions": ["810000"]}}))
    assert len(covered.whole) == 18  # The districts of Hong Kong.
    assert not covered.parts


def test_an_excepted_county_is_outside_and_its_neighbours_stay_whole() -> None:
    area = areas.read({"inside": {"divisions": ["440400"]}, "outside": {"divisions": ["440402"]}})
    assert coverage.cover(area).whole == ("440403", "440404")
    assert not coverage.cover(area).parts


def _circle(latitude: float, longitude: float, metres: float) -> areas.Area:
    circle = {"latitude": latitude, "longitude": longitude, "radius_m": metres}
    return areas.read({"inside": {"circles": [circle]}})


def test_areas_overlap_where_land_lies_in_both_and_only_there() -> None:
    zhuhai = areas.read({"inside": {"divisions": ["440400"]}})
    shanghai = areas.read({"inside": {"divisions": ["310000"]}})
    around = areas.read({"inside": {"divisions": ["440000"]}, "outside": {"divisions": ["440400"]}})
    assert coverage.overlap(zhuhai, ZHUHAI_AND_A_PIECE)
    assert not coverage.overlap(zhuhai, shanghai)
    assert not coverage.overlap(zhuhai, around)
    # Two pieces of one county: apart, and one upon the other.
    here, there = _circle(22.53, 113.35, 2_000), _circle(22.62, 113.40, 2_000)
    assert not coverage.overlap(here, there)
    assert coverage.overlap(here, _circle(22.53, 113.36, 2_000))
