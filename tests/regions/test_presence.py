"""Where a follower is: precedence, doubt at borders, order of events, forgetting."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from regions import latest, presence, sample
from regions.fixes import fix_in
from regions.moves import FollowerMoved
from regions.presence import Presence, Source
from service import clock, followers
from service.happenings import (
    LocationReported,
    OpenId,
    PermissionRevoked,
    Scanned,
    Subscribed,
    Surface,
    Unfollowed,
)
from service.wiring import Tables, Unit

WHO = OpenId("oTESTfollower000000000000001")
T0 = clock.now() - timedelta(hours=20)

SHANGHAI = (31.2304, 121.4737)
NANJING = (32.0603, 118.7969)
SUZHOU = (31.2990, 120.5853)
WUXI = (31.4912, 120.3119)


@pytest.fixture
def moves(unit: Unit) -> list[FollowerMoved]:
    """The sample bank is installed; what is announced is noted here."""
    seen: list[FollowerMoved] = []
    tables = Tables(reactions={FollowerMoved: [lambda _unit, fact: seen.append(fact)]})
    unit.wiring = replace(unit.wiring, tables=tables)
    sample.seed(unit)
    latest.reports(unit.settings).forget(WHO)
    return seen


def report(
    place: tuple[float, float],
    *,
    minutes: float = 0,
    precision: float | None = 30.0,
    surface: Surface = Surface.MESSAGE,
) -> LocationReported:
    """A report in GCJ-02, ``minutes`` after T0."""
    return LocationReported(
        WHO,
        T0 + timedelta(minutes=minutes),
        latitude=place[0],
        longitude=place[1],
        precision_m=precision,
        surface=surface,
    )


def branch_of(unit: Unit) -> str:
    return presence.where(unit, WHO).branch.name


def test_a_report_places_the_follower_in_a_branch(unit: Unit, moves: list[FollowerMoved]) -> None:
    presence.follow_to(unit, report(SHANGHAI))
    found = presence.where(unit, WHO)
    assert (found.branch.code, found.source) == ("B310000", Source.MESSAGE)
    assert "上海市" in found.why
    assert [move.branch for move in moves] == ["B310000"]


def test_only_a_coarse_place_is_kept(unit: Unit, moves: list[FollowerMoved]) -> None:
    presence.follow_to(unit, report(SHANGHAI))
    cell = presence.where(unit, WHO).cell
    assert cell is not None
    assert cell == (31.235, 121.475)


@pytest.mark.parametrize(
    ("place", "name"), [(NANJING, "江苏省分行"), (SUZHOU, "苏州分行"), (WUXI, "无锡分行")]
)
def test_jiangsu_has_its_own_branches(
    unit: Unit, moves: list[FollowerMoved], place: tuple[float, float], name: str
) -> None:
    presence.follow_to(unit, report(place))
    assert branch_of(unit) == name


def test_nobody_known_is_served_by_head_office(unit: Unit, moves: list[FollowerMoved]) -> None:
    found = presence.where(unit, WHO)
    assert (found.branch.level, found.source) == (0, None)


def test_a_report_from_the_same_place_changes_nothing(
    unit: Unit, moves: list[FollowerMoved]
) -> None:
    presence.follow_to(unit, report(SHANGHAI))
    assert presence.stays_put(unit, report(SHANGHAI, minutes=1))
    assert not presence.stays_put(unit, report(NANJING, minutes=1))
    assert not presence.stays_put(unit, report(SHANGHAI, minutes=60 * 13))


def test_an_older_report_does_not_overtake_a_newer_one(
    unit: Unit, moves: list[FollowerMoved]
) -> None:
    presence.follow_to(unit, report(NANJING, minutes=5))
    presence.follow_to(unit, report(SHANGHAI, minutes=4))
    assert branch_of(unit) == "江苏省分行"


@pytest.mark.parametrize(
    "absurd",
    [
        report((0.0, 0.0)),
        report(SHANGHAI, precision=-1),
        report(SHANGHAI, precision=50_000),
        report(SHANGHAI, minutes=60 * 24 * 365),
        report((48.8566, 2.3522)),
        report((25.0, 130.0)),
    ],
)
def test_absurd_and_foreign_reports_are_dropped(
    unit: Unit, moves: list[FollowerMoved], absurd: LocationReported
) -> None:
    assert presence.stays_put(unit, absurd)
    presence.follow_to(unit, absurd)
    assert unit.db.execute(select(func.count()).select_from(Presence)).scalar() == 0


def test_a_weaker_source_waits_until_the_stronger_one_is_old(
    unit: Unit, moves: list[FollowerMoved]
) -> None:
    presence.follow_to(unit, report(SHANGHAI, surface=Surface.PAGE))
    presence.follow_to(unit, report(NANJING, minutes=5))
    assert branch_of(unit) == "上海市分行"
    presence.follow_to(unit, report(NANJING, minutes=11))
    assert branch_of(unit) == "江苏省分行"
    presence.follow_to(unit, report(SHANGHAI, minutes=12, surface=Surface.PAGE))
    assert branch_of(unit) == "上海市分行"


def test_a_chosen_city_stands_until_it_is_released(unit: Unit, moves: list[FollowerMoved]) -> None:
    presence.choose(unit, WHO, "320500")  # type: ignore[arg-type]
    assert branch_of(unit) == "苏州分行"
    later = replace(report(SHANGHAI), at=clock.now())
    assert presence.stays_put(unit, later)
    presence.release(unit, WHO)
    assert branch_of(unit) == "苏州分行"
    presence.follow_to(unit, later)
    assert branch_of(unit) == "上海市分行"


def border() -> tuple[tuple[float, float], tuple[float, float]]:
    """Two places some 150 m apart on either side of the border of Shanghai and Suzhou."""
    from config import Settings
    from regions import atlas

    settings = Settings()
    charts = atlas.current(settings)
    east, west = 121.30, 120.95
    latitude = 31.30
    while abs(east - west) > 0.0015:
        middle = (east + west) / 2
        county = charts.county_at(latitude, middle)
        if county is not None and county.startswith("31"):
            east = middle
        else:
            west = middle
    return (latitude, west), (latitude, east)


def test_flicker_at_a_border_changes_nothing(unit: Unit, moves: list[FollowerMoved]) -> None:
    in_jiangsu, in_shanghai = border()
    presence.follow_to(unit, report(SHANGHAI))
    for minute in range(1, 12, 2):
        presence.follow_to(unit, report(in_jiangsu, minutes=minute))
        presence.follow_to(unit, report(in_shanghai, minutes=minute + 1))
    assert branch_of(unit) == "上海市分行"
    assert len(moves) == 1


def test_a_second_agreeing_report_crosses_the_border(
    unit: Unit, moves: list[FollowerMoved]
) -> None:
    in_jiangsu, _ = border()
    presence.follow_to(unit, report(SHANGHAI))
    first = report(in_jiangsu, minutes=1)
    presence.follow_to(unit, first)
    presence.follow_to(unit, first)
    assert branch_of(unit) == "上海市分行"
    presence.follow_to(unit, report(in_jiangsu, minutes=2))
    assert branch_of(unit) == "苏州分行"


def test_a_precise_enough_fix_crosses_at_once_and_a_vague_one_does_not(
    unit: Unit, moves: list[FollowerMoved]
) -> None:
    kilometre_inside = (31.30, border()[0][1] - 0.0105)
    presence.follow_to(unit, report(SHANGHAI))
    presence.follow_to(unit, report(kilometre_inside, minutes=1, precision=1900))
    assert branch_of(unit) == "上海市分行"
    presence.follow_to(unit, report(kilometre_inside, minutes=1.5, precision=50))
    assert branch_of(unit) == "苏州分行"


def test_a_first_report_near_a_border_serves_pages_but_not_yet_the_menu(
    unit: Unit, moves: list[FollowerMoved]
) -> None:
    in_jiangsu, _ = border()
    presence.follow_to(unit, report(in_jiangsu))
    found = presence.where(unit, WHO)
    assert found.branch.name == "苏州分行"
    assert "边界附近" in found.why
    assert moves == []
    presence.follow_to(unit, report(in_jiangsu, minutes=1))
    assert [move.branch for move in moves] == ["B320500"]


def test_the_location_events_datum_is_a_setting(unit: Unit, moves: list[FollowerMoved]) -> None:
    in_jiangsu, _ = border()
    event = report(in_jiangsu, surface=Surface.EVENT)
    wgs = fix_in(unit, event)
    settings = replace(unit.settings, location_datum="gcj02")
    unit.wiring = replace(unit.wiring, settings=settings)
    gcj = fix_in(unit, event)
    assert wgs is not None
    assert gcj is not None
    assert (gcj.latitude, gcj.longitude) == in_jiangsu
    assert 0.003 < wgs.longitude - gcj.longitude < 0.007


def test_a_branchs_code_places_whoever_scans_it(unit: Unit, moves: list[FollowerMoved]) -> None:
    presence.follow_scene(unit, Scanned(WHO, T0, scene="branch_B440300"))
    assert branch_of(unit) == "深圳分行"
    assert presence.where(unit, WHO).why == "您扫描了深圳分行的二维码"
    presence.follow_scene(unit, Subscribed(WHO, T0, scene="branch_nowhere"))
    assert branch_of(unit) == "深圳分行"


def test_withdrawing_the_permission_erases_the_place(
    unit: Unit, moves: list[FollowerMoved]
) -> None:
    presence.follow_to(unit, report(SHANGHAI))
    revoked = PermissionRevoked(WHO, T0 + timedelta(minutes=5), frozenset({"206"}))
    followers.withdraw_place(unit, revoked)
    presence.revoke(unit, revoked)
    assert presence.where(unit, WHO).source is None
    assert moves[-1].branch == "HQ"
    late = report(SHANGHAI, minutes=4, surface=Surface.EVENT)
    presence.follow_to(unit, late)
    assert presence.where(unit, WHO).source is None


def test_another_permission_leaves_the_place_alone(unit: Unit, moves: list[FollowerMoved]) -> None:
    presence.follow_to(unit, report(SHANGHAI))
    presence.revoke(unit, PermissionRevoked(WHO, T0, frozenset({"205"})))
    assert branch_of(unit) == "上海市分行"


def test_leaving_erases_the_place(unit: Unit, moves: list[FollowerMoved]) -> None:
    presence.follow_to(unit, report(SHANGHAI))
    presence.forget(unit, Unfollowed(WHO, T0))
    assert unit.db.execute(select(func.count()).select_from(Presence)).scalar() == 0


def test_a_place_nobody_confirmed_expires(unit: Unit, moves: list[FollowerMoved]) -> None:
    presence.follow_to(unit, report(SHANGHAI))
    unit.db.execute(update(Presence).values(seen_at=clock.now() - timedelta(days=31)))
    assert presence.where(unit, WHO).source is None
    presence.expire(unit)
    assert unit.db.execute(select(func.count()).select_from(Presence)).scalar() == 0
    assert moves[-1].branch == "HQ"


@given(
    order=st.lists(st.integers(0, 4), max_size=12).flatmap(
        lambda repeated: st.permutations([*range(5), *repeated])
    )
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_the_order_the_newest_certain_report_decides(
    unit: Unit, moves: list[FollowerMoved], order: list[int]
) -> None:
    places = [SHANGHAI, NANJING, SUZHOU, WUXI, SHANGHAI]
    reports = [report(place, minutes=minute) for minute, place in enumerate(places)]
    presence.forget(unit, Unfollowed(WHO, T0))
    for index in order:
        presence.follow_to(unit, reports[index])
    assert branch_of(unit) == "上海市分行"


def test_a_late_report_does_not_overtake_one_that_was_not_even_written(
    unit: Unit, moves: list[FollowerMoved]
) -> None:
    presence.follow_to(unit, report(SHANGHAI))
    assert presence.stays_put(unit, report(SHANGHAI, minutes=4))
    presence.follow_to(unit, report(SUZHOU, minutes=2))
    assert branch_of(unit) == "上海市分行"
    presence.follow_to(unit, report(SUZHOU, minutes=5))
    assert branch_of(unit) == "苏州分行"


def test_times_are_kept_in_utc(unit: Unit, moves: list[FollowerMoved]) -> None:
    presence.follow_to(unit, report(SHANGHAI))
    seen_at = presence.where(unit, WHO).seen_at
    assert isinstance(seen_at, datetime)
    assert seen_at == T0
