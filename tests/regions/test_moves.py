"""What is announced when somebody moves: another branch, or elsewhere where that matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from regions import latest, presence, sample
from regions.divisions import DivisionCode
from regions.moves import FollowerMoved, FollowerShifted, cell_at, middle
from service import clock, followers
from service.happenings import Fact, LocationReported, OpenId, PermissionRevoked, Surface
from service.wiring import Tables, Unit

WHO = OpenId("oTESTshifting000000000000001")
T0 = clock.now() - timedelta(hours=1)
#: Two places in 黄浦 a kilometre or two apart, one in 浦东, and another branch's.
BUND, OLD_TOWN = (31.2304, 121.4737), (31.2180, 121.4890)
PUDONG, SUZHOU = (31.2210, 121.5450), (31.2990, 120.5853)


@pytest.fixture
def told(unit: Unit) -> list[Fact]:
    """What is announced, while 黄浦 is a county where it matters where exactly somebody is."""
    seen: list[Fact] = []
    note = [lambda _unit, fact: seen.append(fact)]
    tables = Tables(
        reactions={FollowerMoved: note, FollowerShifted: note}, watched=lambda _unit: {"310101"}
    )
    unit.wiring = replace(unit.wiring, tables=tables)
    sample.seed(unit)
    latest.reports(unit.settings).forget(WHO)
    return seen


def stand(unit: Unit, place: tuple[float, float], minutes: int) -> None:
    moment = T0 + timedelta(minutes=minutes)
    presence.follow_to(unit, LocationReported(WHO, moment, *place, 30.0, Surface.PAGE))


def test_another_branch_is_a_move_that_says_where(unit: Unit, told: list[Fact]) -> None:
    stand(unit, BUND, 0)
    stand(unit, SUZHOU, 20)
    first, second = told
    assert isinstance(first, FollowerMoved)
    assert (first.branch, first.previous, first.division) == ("B310000", None, "310101")
    assert first.cell == middle(*cell_at(*BUND))
    assert isinstance(second, FollowerMoved)
    assert second.previous == "B310000"


def test_another_cell_of_a_watched_county_is_a_shift(unit: Unit, told: list[Fact]) -> None:
    stand(unit, BUND, 0)
    stand(unit, BUND, 20)
    assert len(told) == 1
    stand(unit, OLD_TOWN, 40)
    (_moved, shifted) = told
    assert isinstance(shifted, FollowerShifted)
    assert (shifted.branch, shifted.cell) == ("B310000", middle(*cell_at(*OLD_TOWN)))


def test_another_county_of_the_same_branch_is_a_shift_and_a_cell_of_it_is_not(
    unit: Unit, told: list[Fact]
) -> None:
    stand(unit, BUND, 0)
    stand(unit, PUDONG, 20)
    assert [type(fact) for fact in told] == [FollowerMoved, FollowerShifted]
    stand(unit, (PUDONG[0] + 0.02, PUDONG[1]), 40)
    assert len(told) == 2


def test_a_chosen_city_of_the_same_branch_is_a_shift_without_a_cell(
    unit: Unit, told: list[Fact]
) -> None:
    stand(unit, BUND, 0)
    presence.choose(unit, WHO, DivisionCode("310115"))
    shifted = told[-1]
    assert isinstance(shifted, FollowerShifted)
    assert (shifted.division, shifted.cell) == ("310115", None)


def test_who_takes_the_permission_back_moves_to_head_office_and_is_nowhere(
    unit: Unit, told: list[Fact]
) -> None:
    stand(unit, BUND, 0)
    withdrawn = frozenset({followers.PLACE_PERMISSION})
    presence.revoke(unit, PermissionRevoked(WHO, clock.now(), withdrawn))
    moved = told[-1]
    assert isinstance(moved, FollowerMoved)
    assert (moved.branch, moved.division, moved.cell) == ("HQ", None, None)
