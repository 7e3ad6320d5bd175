"""Points and counties: exact against independent answers, honest at borders and coasts."""

from __future__ import annotations

import csv
import itertools
import math
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from geopy.distance import geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from config import Settings
from regions import atlas as atlases
from regions import atlas_file, boundaries, divisions
from regions.atlas import Atlas
from regions.boundaries import Boundary
from regions.survey import survey

from .conftest import Polygons

TABLE = divisions.table()
SEATS = Path(__file__).parent / "county_seats.csv"
SHANGHAI = (31.2304, 121.4737)
OPEN_SEA = (30.0, 126.0)


def test_county_seats_lie_in_their_prefectures(atlas: Atlas) -> None:
    """All 1,348 of them do; the bar is 99.9 %, which leaves room for one."""
    with SEATS.open(encoding="utf-8", newline="") as file:
        seats = list(csv.DictReader(line for line in file if not line.startswith("#")))
    wrong = []
    for seat in seats:
        code = atlas.county_at(float(seat["gcj_lat"]), float(seat["gcj_lon"])) or ""
        prefecture = TABLE.prefecture(code)
        if prefecture is None or prefecture.code != seat["expected_prefecture"]:
            wrong.append(seat["name"])
        assert code[:2] == seat["expected_province"][:2]
    assert len(seats) == 1348
    assert len(wrong) <= len(seats) // 1000, wrong


def sample_points(atlas: Atlas) -> tuple[np.ndarray, np.ndarray]:
    """20,000 points anywhere in the country's frame and 20,000 within a kilometre of a border."""
    random = np.random.default_rng(20261122)
    lats, lngs = random.uniform(17.5, 53.6, 20_000), random.uniform(73.5, 135.0, 20_000)
    corners = atlas.survey.segments[random.integers(0, len(atlas.survey.segments), 20_000)]
    share = random.random(20_000)
    away = 10.0 ** random.uniform(-7, -2, 20_000)
    turn = random.uniform(0, 2 * math.pi, 20_000)
    by_lng = corners[:, 0] + (corners[:, 2] - corners[:, 0]) * share + away * np.cos(turn)
    by_lat = corners[:, 1] + (corners[:, 3] - corners[:, 1]) * share + away * np.sin(turn)
    return np.concatenate([lats, by_lat]), np.concatenate([lngs, by_lng])


def test_shapely_agrees_on_every_point(atlas: Atlas, polygons: Polygons) -> None:
    lats, lngs = sample_points(atlas)
    theirs = polygons.counties_at(lats, lngs)
    ours = [atlas._containing(*point) for point in zip(lats.tolist(), lngs.tolist(), strict=True)]
    different = [
        (lat, lng)
        for lat, lng, found, truth in zip(lats, lngs, ours, theirs, strict=True)
        if (int(atlas._codes[found]) not in truth if found else bool(truth))
    ]
    assert different == []
    assert sum(map(bool, ours)) > 20_000


def test_many_points_at_once_get_what_single_points_get(atlas: Atlas) -> None:
    lats, lngs = sample_points(atlas)
    singles = [
        int(atlas.county_at(*point) or 0)
        for point in zip(lats.tolist(), lngs.tolist(), strict=True)
    ]
    assert atlas.counties_at(lats, lngs).tolist() == singles
    assert atlas.counties_at([], []).tolist() == []
    assert atlas.counties_at([math.nan, 95.0, 31.23], [121.0, 500.0, 121.47]).tolist()[:2] == [0, 0]


def test_an_independent_map_agrees_away_from_borders(
    atlas: Atlas, other_polygons: Polygons
) -> None:
    """Within 300 m of a border maps disagree, which is why such places are called ambiguous.

    What remains are areas that only one of the maps knows: forests with a code of convenience in
    Gansu, and the young cities of the production corps in Xinjiang.
    """
    random = np.random.default_rng(7)
    lats, lngs = random.uniform(20, 48, 6000), random.uniform(80, 125, 6000)
    theirs = other_polygons.counties_at(lats, lngs)
    same = compared = 0
    for lat, lng, truth in zip(lats.tolist(), lngs.tolist(), theirs, strict=True):
        found = atlas.locate(lat, lng)
        other = TABLE.prefecture(str(min(truth, default="")))
        # The other map has codes of its own for Da Qaidam and Hong Kong's districts.
        if found.division is None or found.ambiguous or other is None:
            continue
        compared += 1
        same += TABLE.prefecture(found.division) == other
    assert compared > 2000
    assert same / compared > 0.995


@pytest.mark.parametrize(
    ("place", "latitude", "longitude", "code"),
    [
        ("黄浦", *SHANGHAI, "310101"),
        ("济源", 35.0672, 112.6023, "419001"),
        ("东莞", 23.0207, 113.7518, "441900"),
        ("嘉峪关", 39.7730, 98.2900, "620200"),
        ("香港中环", 22.2820, 114.1580, "810101"),
        ("澳门", 22.1950, 113.5430, "820000"),
        ("澳门旅游塔", 22.1800, 113.5370, "820000"),
        ("台北", 25.0330, 121.5650, "710009"),
        ("两江新区", 29.7180, 106.6310, "500157"),
        ("永兴岛", 16.8340, 112.3390, "460302"),
        ("海丰", 22.8400, 115.0000, "441521"),
    ],
)
def test_well_known_places(
    atlas: Atlas, place: str, latitude: float, longitude: float, code: str
) -> None:
    assert atlas.county_at(latitude, longitude) == code, place


def test_a_point_off_the_coast_belongs_to_the_nearest_county(atlas: Atlas) -> None:
    off_qingdao = (36.0600, 120.3200)
    assert atlas._containing(*off_qingdao) == 0
    found = atlas.locate(*off_qingdao)
    assert found.division == atlas.county_at(*off_qingdao) == "370202"
    assert "已知边界之外" in found.why
    assert found.distance_to_border_m is not None
    assert 0 < found.distance_to_border_m < 3000


def test_beyond_the_limit_there_is_no_county(atlas: Atlas) -> None:
    narrow = Atlas(atlas.survey, coast_m=10, border_band_m=300)
    assert narrow.county_at(36.0600, 120.3200) is None
    assert atlas.county_at(*OPEN_SEA) is None
    found = atlas.locate(*OPEN_SEA)
    assert (found.division, found.distance_to_border_m, found.ambiguous) == (None, None, False)
    assert "无法判断" in found.why
    assert atlas.near(*OPEN_SEA, 1000) == []


@settings(deadline=None)
@given(st.floats(), st.floats())
def test_no_number_is_too_strange_to_ask_about(
    atlas: Atlas, latitude: float, longitude: float
) -> None:
    code = atlas.county_at(latitude, longitude)
    assert code is None or TABLE.get(code)


@settings(deadline=None)
@given(st.floats(18, 53), st.floats(74, 134))
def test_what_is_said_about_a_point_hangs_together(
    atlas: Atlas, latitude: float, longitude: float
) -> None:
    found = atlas.locate(latitude, longitude)
    assert found.division == atlas.county_at(latitude, longitude)
    assert found.ambiguous == bool(found.neighbours)
    assert found.division not in [code for code, _ in found.neighbours]
    assert [metres for _, metres in found.neighbours] == sorted(m for _, m in found.neighbours)
    if found.division is None:
        return
    assert found.distance_to_border_m is not None
    assert found.distance_to_border_m >= 0
    around = dict(atlas.near(latitude, longitude, 20_000))
    if atlas._containing(latitude, longitude):
        assert around[found.division] == 0


@settings(deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 1), st.floats(-0.01, 0.01), st.floats(-0.01, 0.01))
def test_distances_are_those_of_the_ellipsoid(
    atlas: Atlas, pick: int, share: float, north: float, east: float
) -> None:
    """Brute force over all borders, measured along the geodesic, finds nothing nearer."""
    segments = atlas.survey.segments
    x1, y1, x2, y2 = segments[pick % len(segments)]
    latitude, longitude = y1 + (y2 - y1) * share + north, x1 + (x2 - x1) * share + east
    around = atlas.near(latitude, longitude, 5000)
    borders = atlas._to_borders(latitude, longitude, 5000)
    assert borders
    best = _nearest_by_brute_force(segments, latitude, longitude)
    assert min(borders.values()) == pytest.approx(best, rel=1e-3, abs=0.05)
    assert [metres for _, metres in around] == sorted(metres for _, metres in around)


def _nearest_by_brute_force(segments: np.ndarray, latitude: float, longitude: float) -> float:
    x1, y1, x2, y2 = segments.T
    close = (np.maximum(x1, x2) > longitude - 0.1) & (np.minimum(x1, x2) < longitude + 0.1)
    close &= (np.maximum(y1, y2) > latitude - 0.1) & (np.minimum(y1, y2) < latitude + 0.1)
    narrow = math.cos(math.radians(latitude))
    best = math.inf
    candidates = []
    for a, b, c, d in segments[close].tolist():
        along, up = (c - a) * narrow, d - b
        share = ((longitude - a) * narrow * along + (latitude - b) * up) / (along**2 + up**2)
        share = min(1.0, max(0.0, share))
        foot = (b + (d - b) * share, a + (c - a) * share)
        flat = math.hypot((foot[1] - longitude) * narrow, foot[0] - latitude)
        candidates.append((flat, foot))
    for _, foot in sorted(candidates)[:5]:
        best = min(best, geodesic((latitude, longitude), foot).meters)
    return best


def test_deep_inside_a_large_county_the_border_is_found_all_the_same(atlas: Atlas) -> None:
    found = atlas.locate(39.9, 88.9)
    assert found.division == "652824"
    assert found.distance_to_border_m is not None
    assert 20_000 < found.distance_to_border_m < 200_000


def test_a_place_is_ambiguous_only_while_another_county_is_close(atlas: Atlas) -> None:
    """Walking west from Dongcheng into Xicheng in Beijing."""
    said = [atlas.locate(39.9, lng) for lng in np.arange(116.390, 116.425, 0.0005).tolist()]
    assert {found.division for found in said} >= {"110101", "110102"}
    for found in said:
        others = [metres for _, metres in found.neighbours]
        assert found.ambiguous == bool(others)
        assert all(metres <= 300 for metres in others)
    changes = [
        (before, after)
        for before, after in itertools.pairwise(said)
        if before.division != after.division
    ]
    assert changes
    assert all(before.ambiguous and after.ambiguous for before, after in changes)
    assert not all(found.ambiguous for found in said)


def square(code: str, west: float, south: float, *, hole: bool = False) -> Boundary:
    ring = np.array(
        [[west, south], [west + 1, south], [west + 1, south + 1], [west, south + 1]], dtype=float
    )
    rings = [ring]
    if hole:
        middle = ring[0] + 0.5
        rings.append((middle + (ring - middle) * 0.5)[::-1])
    return Boundary(code, code, (south, west), tuple(rings))


def small_atlas(*squares: Boundary) -> Atlas:
    return Atlas(survey(squares), coast_m=1, border_band_m=1)


def test_an_enclave_is_in_its_hole_and_nowhere_else() -> None:
    """Outside China's rectangle of shifted positions no datum disturbs the figures."""
    inner = square("320102", 90, 30, hole=True)
    island = Boundary("320104", "", (0, 0), (inner.rings[1][::-1],))
    atlas = small_atlas(inner, island)
    assert atlas.county_at(30.1, 90.1) == "320102"
    assert atlas.county_at(30.5, 90.5) == "320104"
    assert small_atlas(inner).county_at(30.5, 90.5) is None


def test_land_two_counties_claim_does_not_spill_over() -> None:
    """Some islets stand in the map twice, under both neighbours' names."""
    atlas = small_atlas(square("320703", 110, 35), square("371103", 110, 35))
    assert atlas.county_at(35.5, 110.5) in ("320703", "371103")
    for lat, lng in ((34.99, 110.5), (36.01, 110.5), (35.5, 109.98), (35.5, 111.02)):
        assert atlas.county_at(lat, lng) is None


def test_boundaries_of_one_code_make_one_county() -> None:
    atlas = small_atlas(square("500157", 106, 29), square("500157", 107, 29))
    assert atlas.county_at(29.5, 106.999) == atlas.county_at(29.5, 107.001) == "500157"
    distance = atlas.locate(29.5, 107.0).distance_to_border_m
    assert distance is not None
    assert distance > 50_000


def test_a_boundary_off_the_grid_is_refused() -> None:
    with pytest.raises(boundaries.BoundariesUnreadable):
        survey([square("320102", 140, 30)])


def test_an_outdated_or_broken_file_counts_as_none(atlas: Atlas, tmp_path: Path) -> None:
    path = tmp_path / "atlas.bin"
    assert atlas_file.read(path, source="a") is None
    atlas_file.write(path, atlas.survey, source="a")
    read_back = atlas_file.read(path, source="a")
    assert read_back is not None
    assert (read_back.cells == atlas.survey.cells).all()
    assert atlas_file.read(path, source="b") is None
    whole = path.read_bytes()
    for damaged in (b"", b"x" * 40, whole[:7], whole[:2000], whole[:-1], b"PK" + whole[2:]):
        path.write_bytes(damaged)
        assert atlas_file.read(path, source="a") is None


def test_a_failed_write_leaves_the_old_file_and_no_litter(atlas: Atlas, tmp_path: Path) -> None:
    path = tmp_path / "atlas.bin"
    path.mkdir()
    with pytest.raises(OSError, match=r"atlas\.bin"):
        atlas_file.write(path, atlas.survey, source="a")
    assert list(tmp_path.iterdir()) == [path]


def test_several_processes_may_start_without_an_atlas_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(3) as pool:
        found = pool.map(_county_in_a_fresh_process, [tmp_path] * 3)
    assert found == ["310101"] * 3
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == [
        "atlas.bin"
    ]


def _county_in_a_fresh_process(folder: Path) -> str | None:
    return atlases.current(Settings(data_dir=folder)).county_at(*SHANGHAI)


def test_building_says_what_it_does(tmp_path: Path) -> None:
    said: list[str] = []
    path = atlases.build(tmp_path / "new" / "folder", progress=said.append)
    assert path.exists()
    assert len(said) >= 4
