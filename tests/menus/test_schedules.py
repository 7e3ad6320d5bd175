"""What begins by the clock begins at that moment, once, with nobody awake and two workers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

import wsgi
from menus import offers, publication
from service import clock
from service.delivery.ledger import WAITING, Row
from service.delivery.worker import Worker
from service.wiring import Wiring
from tests.menus.conftest import WUXI, Bank
from tests.service.delivery.wired import wire


class Travel:
    """The present moment, which a test may move."""

    def __init__(self) -> None:
        self._now = clock.now
        self.ahead = timedelta()

    def now(self) -> datetime:
        return self._now() + self.ahead

    def to(self, moment: datetime) -> None:
        self.ahead = moment - self._now()


@pytest.fixture
def travel(monkeypatch: pytest.MonkeyPatch) -> Travel:
    travel = Travel()
    monkeypatch.setattr(clock, "now", travel.now)
    return travel


@pytest.fixture
def workers(bank: Bank) -> Iterator[list[Wiring]]:
    """Two processes' worth of wiring on the bank's database."""
    yield from _two(bank)


@pytest.fixture
def workers_on_postgresql(bank_on_postgresql: Bank) -> Iterator[list[Wiring]]:
    yield from _two(bank_on_postgresql)


def _two(bank: Bank) -> Iterator[list[Wiring]]:
    found = [wire(bank.wiring.settings, wsgi.TABLES) for _ in range(2)]
    yield found
    for wiring in found:
        wiring.hang_up()


def due(bank: Bank) -> datetime | None:
    with bank.wiring.reading() as unit:
        return unit.db.execute(
            select(Row.due_at).where(
                Row.kind == offers.PUBLISH, Row.key == offers.NEXT_CHANGE, Row.state == WAITING
            )
        ).scalar()


def work_together(workers: list[Wiring]) -> None:
    """Both work until neither finds anything."""
    for wiring in workers:
        wiring.shelf.clear()
    threads = [threading.Thread(target=Worker(wiring).work_off) for wiring in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def a_zone_begins(bank: Bank, workers: list[Wiring], travel: Travel) -> None:
    wuxi = bank.follower("B320200")
    bank.publish()
    starts, ends = clock.now() + timedelta(hours=5), clock.now() + timedelta(hours=9)
    bank.open_zone(replace(WUXI, starts_at=starts, ends_at=ends))
    with bank.wiring.unit() as unit:
        publication.keep_up(unit)
    assert due(bank) == starts
    before = len(bank.calls("addconditional"))

    travel.to(starts - timedelta(seconds=5))
    work_together(workers)
    assert len(bank.calls("addconditional")) == before

    travel.to(starts)
    work_together(workers)
    assert "锡享生活" in bank.shown()
    with bank.wiring.unit() as unit:
        publication.keep_up(unit)
    travel.to(starts + timedelta(seconds=10))
    work_together(workers)
    assert len(bank.calls("addconditional")) == before + 1
    assert bank.third_column(wuxi) == "锡享生活"
    assert due(bank) == ends

    travel.to(ends)
    work_together(workers)
    travel.to(ends + timedelta(minutes=5))
    work_together(workers)
    assert "锡享生活" not in bank.shown()
    assert bank.third_column(wuxi) == "礼遇江苏"
    assert len(bank.calls("addconditional")) == before + 1


def test_a_zone_begins_and_ends_at_its_moments_once_with_two_workers(
    bank: Bank, workers: list[Wiring], travel: Travel
) -> None:
    a_zone_begins(bank, workers, travel)


@pytest.mark.postgresql
def test_the_same_on_postgresql(
    bank_on_postgresql: Bank, workers_on_postgresql: list[Wiring], travel: Travel
) -> None:
    a_zone_begins(bank_on_postgresql, workers_on_postgresql, travel)


def test_waiting_for_midnight_puts_nothing_off_that_is_wanted_now(
    bank: Bank, travel: Travel
) -> None:
    bank.open_zone(replace(WUXI, starts_at=clock.now() + timedelta(hours=5)))
    with bank.wiring.unit() as unit:
        publication.request_publication(unit)
    Worker(bank.wiring).work_off()
    assert len(bank.shown()) == 6
    assert due(bank) is not None


def test_while_a_snapshot_is_held_no_change_is_scheduled(bank: Bank, travel: Travel) -> None:
    bank.publish()
    bank.close_zone("yuehui-modu")
    bank.publish()
    bank.open_zone(replace(WUXI, starts_at=clock.now() + timedelta(hours=5)))
    with bank.wiring.unit() as unit:
        publication.hold(unit, 2)
    bank.work()
    travel.to(clock.now() + timedelta(hours=6))
    bank.work()
    assert "锡享生活" not in bank.shown()
    assert "约惠魔都" in bank.shown()
