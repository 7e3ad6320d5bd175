"""Tries are counted in the database, by address and by account; waits double and end."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from sqlalchemy import func, select

from service import clock
from service.staff import throttle
from service.staff.models import Throttle
from service.wiring import Unit


def waits(unit: Unit, times: int, *, address: str = "192.0.2.1", login: str = "") -> list[float]:
    return [
        throttle.spend(unit, address=address, login=login or f"somebody-{n}").total_seconds()
        for n in range(times)
    ]


def test_an_address_has_five_tries_in_twenty_seconds(unit: Unit) -> None:
    with time_machine.travel(clock.now(), tick=False) as travel:
        assert waits(unit, 6) == [0, 0, 0, 0, 0, 20]
        assert waits(unit, 1, address="192.0.2.2") == [0]
        travel.shift(timedelta(seconds=19))
        assert waits(unit, 1) == [1]
        travel.shift(timedelta(seconds=1))
        assert waits(unit, 1) == [0]


def test_an_account_has_twenty_tries_in_five_minutes(unit: Unit) -> None:
    with time_machine.travel(clock.now(), tick=False):
        for number in range(20):
            assert waits(unit, 1, address=f"198.51.100.{number}", login="li") == [0]
        assert waits(unit, 1, address="203.0.113.1", login="li") == [60]
        assert waits(unit, 1, address="203.0.113.1", login="wang") == [0]


def test_waits_double_up_to_a_quarter_of_an_hour_and_are_forgiven(unit: Unit) -> None:
    told = []
    with time_machine.travel(clock.now(), tick=False) as travel:
        for _ in range(9):
            told.append(waits(unit, 6)[-1])
            travel.shift(timedelta(seconds=told[-1]))
        travel.shift(throttle.FORGIVEN_AFTER)
        assert waits(unit, 6)[-1] == 20
    assert told == [20, 40, 80, 160, 320, 640, 900, 900, 900]


def test_trying_while_one_has_to_wait_makes_it_no_longer(unit: Unit) -> None:
    """Or a stranger could keep somebody out for ever."""
    with time_machine.travel(clock.now(), tick=False) as travel:
        waits(unit, 6)
        for _ in range(20):
            travel.shift(timedelta(seconds=0.9))
            assert waits(unit, 1)[0] > 0
        travel.shift(timedelta(seconds=2.1))
        assert waits(unit, 1) == [0]


def test_a_refused_address_does_not_use_up_the_account(unit: Unit) -> None:
    with time_machine.travel(clock.now(), tick=False):
        waits(unit, 40, login="li")
        assert waits(unit, 1, address="203.0.113.1", login="li") == [0]


def test_a_good_try_does_not_count(unit: Unit) -> None:
    with time_machine.travel(clock.now(), tick=False):
        for _ in range(30):
            assert waits(unit, 1, login="li") == [0]
            throttle.give_back(unit, address="192.0.2.1", login="li")
        # One right password among wrong ones forgives the address nothing.
        assert waits(unit, 4)[-1] == 0
        assert waits(unit, 1, login="li") == [0]
        throttle.give_back(unit, address="192.0.2.1", login="li")
        assert waits(unit, 2) == [0, 20]


def test_neither_names_nor_addresses_are_kept_and_old_counts_are_forgotten(unit: Unit) -> None:
    with time_machine.travel(clock.now(), tick=False) as travel:
        waits(unit, 1, login="li.wei")
        kept = str(unit.db.execute(select(Throttle.__table__)).all())
        assert "li.wei" not in kept
        assert "192.0.2.1" not in kept
        throttle.tidy(unit)
        assert unit.db.execute(select(func.count()).select_from(Throttle)).scalar() == 2
        travel.shift(timedelta(hours=1, seconds=1))
        throttle.tidy(unit)
        assert unit.db.execute(select(func.count()).select_from(Throttle)).scalar() == 0
