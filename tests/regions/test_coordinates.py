"""The way to GCJ-02, and metres."""

from __future__ import annotations

import numpy as np
import pytest
from coord_convert import transform
from geopy.distance import geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from regions.coordinates import (
    Datum,
    metres_per_degree,
    to_gcj02,
    to_gcj02_many,
)

in_china = st.tuples(st.floats(3.5, 53.5), st.floats(73.5, 135.0))
anywhere = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@settings(deadline=None)
@given(in_china)
def test_wgs84_is_shifted_as_other_software_shifts_it(point: tuple[float, float]) -> None:
    latitude, longitude = point
    theirs = transform.wgs2gcj(longitude, latitude)
    assert to_gcj02(latitude, longitude, Datum.WGS84) == pytest.approx(theirs[::-1], abs=1e-9)


@settings(deadline=None)
@given(in_china)
def test_bd09_comes_back_to_where_it_was_made_from(point: tuple[float, float]) -> None:
    latitude, longitude = point
    baidu_lng, baidu_lat = transform.gcj2bd(longitude, latitude)
    back = to_gcj02(baidu_lat, baidu_lng, Datum.BD09)
    assert geodesic(back, point).meters < 0.01


@settings(deadline=None)
@given(anywhere)
def test_gcj02_stays_as_it_is(point: tuple[float, float]) -> None:
    assert to_gcj02(*point, Datum.GCJ02) == point


@pytest.mark.parametrize(
    ("place", "latitude", "longitude"),
    [("Sydney", -33.87, 151.21), ("London", 51.5, -0.12), ("Sapporo", 43.06, 141.35)],
)
def test_places_outside_china_are_not_shifted(
    place: str, latitude: float, longitude: float
) -> None:
    assert to_gcj02(latitude, longitude, Datum.WGS84) == (latitude, longitude), place


@pytest.mark.parametrize(
    ("place", "latitude", "longitude"),
    [("Beijing", 39.9042, 116.4074), ("Hong Kong", 22.28, 114.16), ("Macau", 22.19, 113.54)],
)
def test_the_shift_is_some_hundred_metres(place: str, latitude: float, longitude: float) -> None:
    shifted = to_gcj02(latitude, longitude, Datum.WGS84)
    assert 250 < geodesic((latitude, longitude), shifted).meters < 700, place


@settings(deadline=None)
@given(st.lists(anywhere, max_size=20), st.sampled_from(Datum))
def test_arrays_give_what_single_points_give(
    points: list[tuple[float, float]], datum: Datum
) -> None:
    lats, lngs = to_gcj02_many([p[0] for p in points], [p[1] for p in points], datum)
    singles = [to_gcj02(*point, datum) for point in points]
    assert np.allclose(lats, [lat for lat, _ in singles], rtol=0, atol=1e-9)
    assert np.allclose(lngs, [lng for _, lng in singles], rtol=0, atol=1e-9)


@settings(deadline=None)
@given(in_china)
def test_metres_per_degree_are_those_of_the_ellipsoid(point: tuple[float, float]) -> None:
    latitude, longitude = point
    north, east = metres_per_degree(latitude)
    step = 0.01
    up = geodesic((latitude - step, longitude), (latitude + step, longitude)).meters
    along = geodesic((latitude, longitude - step), (latitude, longitude + step)).meters
    assert north == pytest.approx(up / (2 * step), rel=1e-4)
    assert east == pytest.approx(along / (2 * step), rel=1e-4)
