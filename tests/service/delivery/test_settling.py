"""Failures wait, rest or are put aside; lanes stop; races between workers have one winner."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from service import clock
from service.delivery import claims
from service.delivery.claims import Again, Broken
from service.delivery.ledger import FAILED, WAITING, Lane, Row, forget, request
from service.happenings import OpenId, Unfollowed
from service.wechat.errors import (
    Busy,
    QuotaSpent,
    Throttled,
    TryLater,
    Unreachable,
    WillNever,
)
from service.wiring import Wiring
from tests.service.delivery.asking import (
    SOON,
    ask,
    claim,
    claimed,
    kill_the_holder_of,
    rows,
    states,
)


def test_a_busy_wechat_is_asked_again_after_one_two_and_four_seconds_then_left_alone(
    wired: Wiring,
) -> None:
    waits = []
    with time_machine.travel(clock.now(), tick=False) as traveller:
        ask(wired, "a")
        for _ in range(5):
            held = claimed(wired)
            refused = Busy(timedelta(seconds=1), "微信系统繁忙", errcode=-1)
            claims.settle(wired, held, {held.deliveries[0].id: refused})
            waits.append(rows(wired)[0].due_at - clock.now())
            traveller.shift(waits[-1])
    assert [wait.total_seconds() for wait in waits] == [1, 2, 4, 900, 900]


def test_after_a_day_of_trying_people_are_shown_the_failure(wired: Wiring) -> None:
    ask(wired, "a")
    with wired.unit() as unit:
        unit.db.execute(update(Row).values(attempts=claims.PATIENCE - 1))
    held = claimed(wired)
    claims.settle(wired, held, {held.deliveries[0].id: Unreachable(SOON, "连接不上微信")})
    assert states(wired) == [FAILED]


def test_a_fault_in_the_program_is_not_repeated_for_a_day(wired: Wiring) -> None:
    ask(wired, "a")
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for _ in range(claims.PATIENCE_WITH_FAULTS):
            held = claimed(wired)
            claims.settle(wired, held, {held.deliveries[0].id: Broken(timedelta(seconds=1), "错")})
            traveller.shift(60)
    assert states(wired) == [FAILED]


@pytest.mark.parametrize("lane", ["tags", ""])
def test_a_spent_quota_stops_the_lane_until_it_is_over(wired: Wiring, lane: str) -> None:
    for key in "ab":
        ask(wired, key, lane=lane)
    held = claimed(wired)
    ask(wired, "c", lane="menus")
    refused = QuotaSpent(timedelta(hours=3), "今天的调用次数已用完", errcode=45009)
    claims.settle(wired, held, {held.deliveries[0].id: refused})
    assert rows(wired)[0].attempts == 0, "that the quota is used up is not this delivery's fault"
    ask(wired, "d", lane=lane)
    beside = claimed(wired, batch=9)
    assert [delivery.key for delivery in beside.deliveries] == ["c"]
    claims.settle(wired, beside, {})
    assert claim(wired) is None
    with time_machine.travel(clock.now() + timedelta(hours=3, seconds=1)):
        assert {d.key for d in claimed(wired, batch=9).deliveries} == {"a", "b", "d"}


def test_the_longest_stop_within_a_batch_holds(wired: Wiring) -> None:
    for key in "ab":
        ask(wired, key, lane="tags")
    held = claimed(wired, batch=2)
    first, second = held.deliveries
    spent = QuotaSpent(timedelta(hours=1), "今天的调用次数已用完")
    minute = Throttled(timedelta(seconds=20), "这一分钟的调用次数已用完")
    claims.settle(wired, held, {first.id: spent, second.id: minute})
    with time_machine.travel(clock.now() + timedelta(minutes=59)):
        assert claim(wired) is None


def test_a_lane_that_neither_runs_nor_rests_leaves_no_trace(wired: Wiring) -> None:
    ask(wired, "a", lane="tags")
    claims.settle(wired, claimed(wired), {})
    with wired.reading() as unit:
        assert unit.db.execute(select(Lane.name)).all() == []


def test_success_clears_an_earlier_failure_of_the_same_key(wired: Wiring) -> None:
    ask(wired, "a")
    held = claimed(wired)
    claims.settle(wired, held, {held.deliveries[0].id: WillNever("不行")})
    ask(wired, "a")
    claims.settle(wired, claimed(wired), {})
    assert rows(wired) == []


def test_a_second_failure_takes_the_place_of_the_first(wired: Wiring) -> None:
    for why in ("一", "二"):
        ask(wired, "a")
        held = claimed(wired)
        claims.settle(wired, held, {held.deliveries[0].id: WillNever(why)})
    assert [row.last_failure for row in rows(wired)] == ["二"]


def test_retry_wakes_failures_backed_off_rows_and_resting_lanes(wired: Wiring) -> None:
    for key in "abc":
        ask(wired, key, lane="tags")
    held = claimed(wired, batch=2)
    first, second = held.deliveries
    spent = QuotaSpent(timedelta(hours=1), "今天的调用次数已用完")
    claims.settle(wired, held, {first.id: WillNever("不行"), second.id: spent})
    ask(wired, "a", lane="tags", payload={"text": "newer"})
    with wired.unit() as unit:
        assert claims.retry(unit) == 1
    assert {(d.key, d.attempts) for d in claimed(wired, batch=9).deliveries} == {
        ("a", 1),
        ("b", 1),
        ("c", 1),
    }


def test_a_chore_comes_round_again_with_a_clean_slate(wired: Wiring) -> None:
    ask(wired, "tidy", kind="chore")
    held = claimed(wired, "chore")
    claims.settle(wired, held, {held.deliveries[0].id: Again(timedelta(minutes=5))})
    [row] = rows(wired)
    assert (row.state, row.attempts, row.last_failure) == (WAITING, 0, "")
    assert row.due_at - clock.now() > timedelta(minutes=4)


def test_a_follower_who_left_is_forgotten_even_while_it_runs(wired: Wiring) -> None:
    ask(wired, "a", openid=OpenId("o1"))
    ask(wired, "b", openid=OpenId("o2"))
    ask(wired, "c")
    held = claimed(wired)
    with wired.unit() as unit:
        forget(unit, Unfollowed(OpenId("o1"), clock.now()))
    claims.settle(wired, held, {held.deliveries[0].id: TryLater(SOON, "稍后")})
    assert [row.key for row in rows(wired)] == ["b", "c"]


def test_the_open_lanes_are_those_with_something_to_claim(wired: Wiring) -> None:
    def open_now() -> set[tuple[str, str]]:
        with wired.reading() as unit:
            return set(claims.open_lanes(unit))

    assert open_now() == set()
    for lane in ("", "menus", "tags"):
        ask(wired, f"in {lane}", lane=lane)
        ask(wired, f"also in {lane}", lane=lane)
    ask(wired, "b", kind="other", due=clock.now() + SOON)
    assert open_now() == {("tell", ""), ("tell", "menus"), ("tell", "tags")}
    held = [claimed(wired, batch=9) for _ in range(3)]
    assert open_now() == set()
    ask(wired, "more", lane="tags")
    assert open_now() == set(), "the lane is being run"
    kill_the_holder_of(wired, held[0])
    assert open_now() == {("tell", ""), ("tell", "menus"), ("tell", "tags")}


def test_a_lane_stopped_after_the_look_is_not_entered(wired: Wiring) -> None:
    ask(wired, "a", lane="tags")
    ask(wired, "b", lane="tags")
    held = claimed(wired)
    spent = QuotaSpent(timedelta(hours=1), "今天的调用次数已用完")
    claims.settle(wired, held, {held.deliveries[0].id: spent})
    with wired.unit() as unit:
        assert claims.claim(unit, "tell", "tags", batch=1) is None


def test_eight_threads_claim_each_row_once(wired: Wiring) -> None:
    for number in range(60):
        ask(wired, f"{number}", lane="" if number % 2 else "tags")
    seen: list[str] = []
    running: set[str] = set()
    beside: list[str] = []

    def work() -> None:
        while (held := claim(wired, batch=3)) is not None or len(seen) < 60:
            if held is None:
                continue
            if held.lane:
                beside.extend(running)
                running.add(held.lane)
            seen.extend(delivery.key for delivery in held.deliveries)
            running.discard(held.lane)
            claims.settle(wired, held, {})

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(seen, key=int) == [f"{number}" for number in range(60)]
    assert beside == []


@pytest.mark.postgresql
def test_a_request_holds_off_the_worker_until_its_change_is_committed(wired: Wiring) -> None:
    """With DO NOTHING the worker would settle the state from before the change, and lose it."""
    if wired.engine.dialect.name == "sqlite":
        pytest.skip("SQLite lets one transaction write at a time anyway")
    ask(wired, "a", payload={"wanted": "old"})
    with wired.unit() as unit:
        request(unit, "tell", key="a", payload={"wanted": "new"})
        assert claim(wired) is None
    assert claimed(wired).deliveries[0].payload == {"wanted": "new"}


@pytest.mark.postgresql
def test_a_request_that_slips_in_while_its_row_is_put_back_stands_for_both(wired: Wiring) -> None:
    if wired.engine.dialect.name == "sqlite":
        pytest.skip("SQLite lets one transaction write at a time anyway")
    ask(wired, "a", payload={"wanted": "old"})
    held = claimed(wired)
    later = {held.deliveries[0].id: TryLater(SOON, "稍后")}
    settling = threading.Thread(target=claims.settle, args=(wired, held, later))
    with wired.unit() as unit:
        request(unit, "tell", key="a", payload={"wanted": "new"})
        settling.start()
        settling.join(0.3)
    settling.join(10)
    [row] = rows(wired)
    assert (row.state, row.payload) == (WAITING, {"wanted": "new"})


@pytest.mark.postgresql
def test_renewing_leases_does_not_wait_for_what_is_just_being_settled(wired: Wiring) -> None:
    """Waiting in another order than the settling would be a deadlock, as it once was."""
    if wired.engine.dialect.name == "sqlite":
        pytest.skip("SQLite lets one transaction write at a time anyway")
    ask(wired, "a")
    ask(wired, "b")
    settling, working = claimed(wired), claimed(wired)
    later = clock.now() + timedelta(hours=1)
    with wired.unit() as unit:
        unit.db.execute(update(Row).where(Row.claim == settling.token).values(attempts=9))
        with time_machine.travel(later), wired.unit() as other:
            claims.renew(other, [settling.token, working.token])
    renewed = {row.claim: row.lease_until > later for row in rows(wired)}
    assert renewed == {settling.token: False, working.token: True}
