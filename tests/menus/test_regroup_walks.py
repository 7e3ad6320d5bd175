"""A walk through those an emergency concerns passes each once, and nobody waits for it for good."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import delete, event, select

from config import Settings
from menus import keys, offers, regrouping, tagging
from menus.offers import MenuOffer
from regions import moves, presence
from regions.divisions import DivisionCode
from service import clock, followers
from service.delivery.ledger import Delivery, Row
from service.happenings import (
    Fact,
    LocationReported,
    OpenId,
    Subscribed,
    Surface,
    Unfollowed,
)
from tests.lightservices.emergency.duty import IN_THE_PIECE, IN_ZHONGSHAN, IN_ZHUHAI, opened
from tests.menus.conftest import Bank
from tests.menus.test_regrouping import (
    EAST,
    PIECE,
    WEST,
    has_entry,
    on_the_map,
    open_over,
    stand,
)
from tests.menus.test_regrouping import placed as placed  # A fixture.


def test_a_walk_goes_step_by_step_and_can_stop_anywhere(
    placed: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regrouping, "_STRIDE", 2)
    monkeypatch.setattr(regrouping, "_PASSED", 3)
    openids = [placed.follower() for _ in range(6)]
    for number, openid in enumerate(openids):
        stand(placed, openid, (22.55, 113.34 + 0.02 * (number % 3)))
    record = open_over(placed, PIECE)
    assert all(has_entry(placed, openid) for openid in openids)
    with placed.wiring.reading() as unit:
        (inside,) = unit.db.execute(select(MenuOffer.inside).distinct()).scalars()
    assert inside == keys.mark(frozenset({record.key}))


def chosen(bank: Bank, count: int) -> list[OpenId]:
    """Followers who chose the city of 中山, so that of none of them a cell is known."""
    found = [bank.follower() for _ in range(count)]
    with bank.wiring.unit() as unit:
        for openid in found:
            presence.choose(unit, openid, DivisionCode("442000"))
    return found


def keys_of(bank: Bank, kind: str) -> list[tuple[str, str | None]]:
    with bank.wiring.reading() as unit:
        query = select(Row.key, Row.openid).where(Row.kind == kind).order_by(Row.id)
        return [(row.key, row.openid) for row in unit.db.execute(query)]


def test_each_follower_is_passed_once_even_where_no_cell_is_known(
    placed: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regrouping, "_PASSED", 3)
    without = chosen(placed, 7)
    within = [placed.follower() for _ in range(3)]
    for number, openid in enumerate(within):
        stand(placed, openid, (22.55, 113.34 + 0.02 * number))
    with placed.wiring.unit() as unit:
        here: regrouping._Where | None = regrouping._Where("442000")
        passed = list[str]()
        while here is not None:
            assert regrouping._where(here.key) == here
            passed += [row.openid for row in regrouping._page(unit, here)]
            here = regrouping._step(unit, here)
    assert passed[:7] == sorted(without)
    assert len(passed) == len(set(passed)) == 10


def test_what_a_step_reads_is_found_in_the_index_in_order(placed: Bank) -> None:
    for here in (regrouping._Where("442000"), regrouping._Where("442000", (2255, 11334), "o")):
        said_ = list[tuple[str, Any]]()

        def listen(*told: Any) -> None:
            said_.append((told[2], told[3]))  # noqa: B023  # It listens in this round only.

        with placed.wiring.unit() as unit:
            event.listen(placed.wiring.engine, "before_cursor_execute", listen)
            regrouping._page(unit, here)
            event.remove(placed.wiring.engine, "before_cursor_execute", listen)
            for statement, values in said_:
                inner = statement[statement.index("FROM (") + 6 : statement.index(") AS anon_1")]
                plan = unit.db.exec_driver_sql(f"EXPLAIN QUERY PLAN {inner}", values).all()
                assert "ix_presences_division" in str(plan)
                assert "B-TREE" not in str(plan)


def test_who_left_is_named_by_no_walk_and_the_walk_goes_on(
    placed: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    openids = [placed.follower() for _ in range(4)]
    for openid in openids:
        stand(placed, openid, IN_THE_PIECE)
    placed.work()
    monkeypatch.setattr(regrouping, "_PASSED", 2)
    first, named, *rest = sorted(openids)
    with placed.wiring.unit() as unit:
        opened(unit, area=PIECE)
        unit.db.execute(delete(Row).where(Row.kind == regrouping.REGROUP))
        start = regrouping._Where("442000", moves.cell_at(*IN_THE_PIECE))
    regrouping.walk(placed.desk, [Delivery(1, regrouping.REGROUP, start.key, "", None, {}, 1)])
    assert keys_of(placed, regrouping.REGROUP) == [(f"{start.key}:{named}", named)]
    placed.leave(named)
    assert keys_of(placed, regrouping.REGROUP) == [(start.key, None)]
    placed.work()
    assert all(has_entry(placed, openid) for openid in (first, *rest))


def order_of(bank: Bank, fact: Fact) -> list[str]:
    """In which order the tables that walks lock are first written because of this fact."""
    found = list[str]()

    def listen(_c: object, _k: object, statement: str, *_rest: object) -> None:
        written = re.match(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)", statement)
        if written and written[1] in ORDER and written[1] not in found:
            found.append(written[1])

    with bank.wiring.unit() as unit:
        event.listen(bank.wiring.engine, "before_cursor_execute", listen)
        unit.announce(fact)
        event.remove(bank.wiring.engine, "before_cursor_execute", listen)
    return found


ORDER = ["presences", "menu_offers", "deliveries"]


def test_whoever_comes_or_leaves_locks_in_the_order_in_which_walks_do(placed: Bank) -> None:
    openid = placed.follower("B442000")
    placed.work()
    assert order_of(placed, Subscribed(openid, clock.now(), "branch_B310000")) == ORDER
    assert order_of(placed, Unfollowed(openid, clock.now())) == ORDER


def test_a_new_follower_who_scanned_a_code_is_asked_for_once(
    placed: Bank,
) -> None:
    openid = placed.follower()
    with placed.wiring.unit() as unit:
        unit.announce(Subscribed(openid, clock.now(), "branch_B310000"))
    assert keys_of(placed, offers.SETTLE) == [(openid, openid)]
    placed.work()
    assert placed.third_column(openid) == "约惠魔都"
    assert len(placed.tags_of(openid)) == 1


@pytest.mark.postgresql
def test_a_step_never_holds_one_follower_while_it_waits_for_an_earlier_one(
    bank_on_postgresql: Bank, settings: Settings
) -> None:
    bank = on_the_map(bank_on_postgresql, settings)
    early, late = sorted(bank.follower() for _ in range(2))
    # The walk comes to the cell of the later one first.
    stand(bank, early, EAST)
    stand(bank, late, WEST)
    bank.work()
    with bank.wiring.unit() as unit:
        opened(unit, area=PIECE)
    delivery = Delivery(1, regrouping.REGROUP, "442000", "", None, {}, 1)
    walking = Thread(target=regrouping.walk, args=(bank.desk, [delivery]))
    with bank.wiring.unit() as unit:
        offers.hold(unit, [early])
        walking.start()
        assert eventually(lambda: waits_for_a_lock(bank))
        offers.hold(unit, [late])
    walking.join()
    bank.work()
    assert has_entry(bank, early)
    assert has_entry(bank, late)


@pytest.mark.postgresql
def test_walks_tagging_crossings_and_leaving_never_wait_for_each_other_for_good(
    bank_on_postgresql: Bank, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regrouping, "_STRIDE", 3)
    bank = on_the_map(bank_on_postgresql, settings)
    openids = [bank.follower() for _ in range(6)]
    for openid in openids:
        stand(bank, openid, IN_THE_PIECE)
    bank.work()
    with bank.wiring.unit() as unit:
        opened(unit, area=PIECE)
    bank.work()
    step = Delivery(1, regrouping.REGROUP, "442000", "", None, {}, 1)
    tags = [Delivery(n, offers.SETTLE, one, "", one, {}, 1) for n, one in enumerate(openids)]

    def heard(openid: OpenId, fact: Fact) -> None:
        """As the webhook hears of it."""
        with bank.wiring.unit() as unit:
            followers.alone(unit, openid)
            unit.announce(fact)

    def cross() -> None:
        for openid in random.sample(openids, 3):
            spot = random.choice((EAST, WEST, IN_ZHONGSHAN, IN_ZHUHAI))
            heard(openid, LocationReported(openid, clock.now(), *spot, 30.0, Surface.PAGE))

    def come_and_go() -> None:
        openid = random.choice(openids)
        heard(openid, Unfollowed(openid, clock.now()))
        heard(openid, Subscribed(openid, clock.now() + timedelta(seconds=1), "branch_B442000"))

    def count_wrongly() -> None:
        """So that walks find somebody to count anew."""
        with bank.wiring.unit() as unit:
            offers.assign(unit, dict.fromkeys(openids, "B442000"))

    rounds, wrong = Counter[str](), list[Exception]()
    until = time.monotonic() + 5

    def over_and_over(act: Callable[[], object], name: str) -> None:
        while time.monotonic() < until and not wrong:
            try:
                act()
            except Exception as fault:
                wrong.append(fault)
            rounds[name] += 1

    acts: dict[str, Callable[[], object]] = {
        "walk": lambda: regrouping.walk(bank.desk, [step]),
        "another walk": lambda: regrouping.walk(bank.desk, [step]),
        "tag": lambda: tagging.settle_offers(bank.desk, random.sample(tags, 4)),
        "cross": cross,
        "come and go": come_and_go,
        "count wrongly": count_wrongly,
    }
    threads = [Thread(target=over_and_over, args=(act, name)) for name, act in acts.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert all(rounds[name] >= 5 for name in acts), rounds


def waits_for_a_lock(bank: Bank) -> bool:
    with bank.wiring.reading() as unit:
        mine = "datname = current_database() AND wait_event_type = 'Lock'"
        waiting = unit.db.exec_driver_sql(f"SELECT 1 FROM pg_stat_activity WHERE {mine}")
        return waiting.first() is not None


def eventually(is_so: Callable[[], bool]) -> bool:
    """Whether it comes to be so, well before the database gives up on a statement."""
    for _ in range(100):
        if is_so():
            return True
        time.sleep(0.01)
    return False
