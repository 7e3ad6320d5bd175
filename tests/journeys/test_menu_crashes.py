"""Workers are killed in the middle of publications, while WeChat fails too: nothing is mixed."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from config import Settings
from menus import offers, publication, snapshots
from menus.buttons import Menu, read
from menus.resolve import Resolved
from menus.steps import LetGo
from menus.wish import wish
from service import clock
from service.delivery.ledger import FAILED, WAITING, Row
from service.delivery.worker import CHORE, Worker
from service.happenings import OpenId
from tests.menus.conftest import WUXI, Bank, bank, furnished, sandbox
from tests.service.delivery.wired import wire

#: Fixtures of the menus' own tests.
__all__ = ["bank", "furnished", "sandbox"]

KILLS = 24
KILLS_A_CHANGE = 3
PLACES = ("HQ", "B310000", "B320000", "B320200", "B320500", "B440300", "B510000")
FAULTS = {
    "seed": 11,
    "rules": [
        {"path": "/cgi-bin/*", "do": "status", "status": 503, "probability": 0.05},
        {"path": "/cgi-bin/*", "do": "lost", "probability": 0.03},
        {"path": "/cgi-bin/*", "do": "errcode", "errcode": -1, "probability": 0.02},
    ],
}


def work(settings: Settings) -> None:
    """A worker in a process of its own, until it is killed."""
    import wsgi

    wiring = wire(settings, wsgi.TABLES)
    worker = Worker(wiring, lease=timedelta(seconds=1))
    while True:
        with contextlib.suppress(OperationalError):  # The test writes to the same file.
            worker.work_off()
        time.sleep(0.01)


class Killing:
    """A worker process that is watched call by call."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["wsgi"])
        self.process = context.Process(target=work, args=(bank.wiring.settings,), daemon=True)
        self.process.start()

    def until(self, is_over: Callable[[], bool], *, seconds: float = 30) -> None:
        """Let it work until then; waits and leases are cut short, as if time passed quickly."""
        deadline = time.monotonic() + seconds
        while not is_over():
            assert time.monotonic() < deadline, "it does not come to an end"
            assert self.process.is_alive()
            with contextlib.suppress(OperationalError), self.bank.wiring.unit() as unit:
                waiting = update(Row).where(
                    Row.state == WAITING, Row.kind != CHORE, Row.key != offers.NEXT_CHANGE
                )
                unit.db.execute(waiting.values(due_at=clock.now(), attempts=0))
            time.sleep(0.02)

    def kill(self) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()


def calls_of(bank: Bank) -> int:
    """How many calls WeChat has had; every look counts on from the last."""
    exchanges = bank.sandbox.world.exchanges.after()
    return int(exchanges[-1]["id"]) if exchanges else 0


def is_done(bank: Bank) -> bool:
    kinds = (offers.PUBLISH, offers.SETTLE, offers.REOFFER)
    with bank.wiring.reading() as unit:
        left = select(func.count()).where(
            Row.kind.in_(kinds), Row.key != offers.NEXT_CHANGE, Row.state != FAILED
        )
        return unit.db.execute(left).scalar_one() == 0


def seen(bank: Bank, followers: dict[OpenId, str]) -> dict[OpenId, Menu]:
    """What WeChat shows each of them at this moment, as trymatch would say."""
    world = bank.sandbox.world
    with world.lock:
        shown = {openid: world.menu_of(world.followers[openid]) for openid in followers}
    return {openid: read(menu.buttons) for openid, menu in shown.items() if menu is not None}


def wished(bank: Bank) -> dict[str, Menu]:
    with bank.wiring.reading() as unit:
        return menus_in(wish(unit).resolved)


def menus_in(resolved: Resolved) -> dict[str, Menu]:
    own = {code: one.menu for one in resolved.variants for code in one.branches}
    return {code: own.get(code, resolved.default) for code in PLACES}


def edits(bank: Bank) -> Iterator[Callable[[], None]]:
    """What branches do, one thing after the other and all over again."""
    while True:
        yield lambda: bank.open_zone(WUXI)
        yield lambda: bank.open_zone(replace(WUXI, title="无锡新惠"))
        yield lambda: bank.close_zone("liyu-jiangsu")
        yield lambda: bank.close_zone(WUXI.key)
        yield bank.open_all_zones


@pytest.mark.timeout(180)
def test_a_killed_publication_is_completed_and_nobody_sees_anything_but_old_or_new(
    bank: Bank,
) -> None:
    chance = random.Random(5)
    followers = {bank.follower(code): code for code in PLACES for _ in range(2)}
    bank.publish()
    bank.sandbox.world.faults.play(FAULTS)
    killed = 0
    for edit in edits(bank):
        old = wished(bank)
        edit()
        new = wished(bank)
        with bank.wiring.unit() as unit:
            publication.request_publication(unit)
        for attempt in range(KILLS_A_CHANGE + 1):
            begun, worker = calls_of(bank), Killing(bank)
            after = begun + chance.randint(4, 24) if attempt < KILLS_A_CHANGE else 10**9
            worker.until(lambda after=after: calls_of(bank) >= after or is_done(bank))
            worker.kill()
            killed += 1
            for openid, menu in seen(bank, followers).items():
                assert menu in (old[followers[openid]], new[followers[openid]])
        assert seen(bank, followers) == {one: new[code] for one, code in followers.items()}
        if killed >= KILLS:
            break
    bank.sandbox.world.faults.play({})
    assert publication.draft(bank.desk).plan.steps == ()
    assert publication.draft(bank.desk).drift == ()
    _a_snapshot_is_usable(bank, followers)


def _a_snapshot_is_usable(bank: Bank, followers: dict[OpenId, str]) -> None:
    with bank.wiring.reading() as unit:
        numbers = [number for number, *_rest in snapshots.listed(unit)]
        there = menus_in(snapshots.menus_of(unit, numbers[len(numbers) // 2]))
    found = publication.draft(bank.desk, snapshot=numbers[len(numbers) // 2])
    assert not any(isinstance(step, LetGo) for step in found.plan.steps)
    with bank.wiring.unit() as unit:
        publication.hold(unit, numbers[len(numbers) // 2])
    bank.work()
    assert seen(bank, followers) == {one: there[code] for one, code in followers.items()}
