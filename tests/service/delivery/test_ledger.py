"""What is asked for is done, once, by one worker at a time, and never lost."""

from __future__ import annotations

from datetime import timedelta

import time_machine

from service import clock
from service.delivery import claims
from service.delivery.ledger import FAILED, RUNNING, WAITING, request
from service.happenings import OpenId
from service.wechat.errors import (
    NotAFollower,
    TryLater,
    WillNever,
)
from service.wiring import Unit, Wiring
from tests.service.delivery.asking import (
    SOON,
    ask,
    claim,
    claimed,
    kill_the_holder_of,
    rows,
    states,
)


def test_what_is_asked_for_is_claimed_once_and_gone_when_done(wired: Wiring) -> None:
    ask(wired, "a", openid=OpenId("o1"), payload={"说": "您好"})
    held = claimed(wired)
    [delivery] = held.deliveries
    assert (delivery.key, delivery.openid, delivery.payload) == ("a", "o1", {"说": "您好"})
    assert claim(wired) is None
    claims.settle(wired, held, {})
    assert rows(wired) == []


def test_nothing_is_asked_for_by_a_change_that_is_undone(wired: Wiring) -> None:
    with wired.engine.connect() as connection, connection.begin() as change:
        request(Unit(connection, wired), "tell", key="a")
        change.rollback()
    assert rows(wired) == []


def test_several_requests_for_one_key_become_one_delivery_with_the_latest_wish(
    wired: Wiring,
) -> None:
    for text in ("old", "new"):
        ask(wired, "a", payload={"text": text})
    assert [delivery.payload for delivery in claimed(wired, batch=5).deliveries] == [
        {"text": "new"}
    ]


def test_a_request_while_it_runs_is_done_afterwards_and_not_beside_it(wired: Wiring) -> None:
    ask(wired, "a")
    held = claimed(wired)
    ask(wired, "a", payload={"text": "again"})
    assert claim(wired) is None
    claims.settle(wired, held, {})
    assert claimed(wired).deliveries[0].payload == {"text": "again"}


def test_a_request_while_it_runs_stands_for_what_must_be_repeated(wired: Wiring) -> None:
    ask(wired, "a", payload={"text": "old"})
    held = claimed(wired)
    ask(wired, "a", payload={"text": "new"})
    claims.settle(wired, held, {held.deliveries[0].id: TryLater(SOON, "稍后")})
    [row] = rows(wired)
    assert (row.state, row.payload) == (WAITING, {"text": "new"})


def test_a_scheduled_delivery_waits_for_its_time(wired: Wiring) -> None:
    ask(wired, "a", due=clock.now() + timedelta(hours=1))
    assert claim(wired) is None
    with time_machine.travel(clock.now() + timedelta(hours=1, seconds=1)):
        assert claim(wired) is not None


def test_a_schedule_can_be_moved_but_a_wait_after_a_failure_cannot_be_cut_short(
    wired: Wiring,
) -> None:
    ask(wired, "a", due=clock.now() + timedelta(hours=1))
    ask(wired, "a")
    held = claimed(wired)
    claims.settle(wired, held, {held.deliveries[0].id: TryLater(SOON, "稍后")})
    ask(wired, "a")
    assert claim(wired) is None
    with time_machine.travel(clock.now() + SOON + timedelta(seconds=1)):
        assert claim(wired) is not None


def test_a_dead_workers_rows_come_back_under_the_same_idempotency_key(wired: Wiring) -> None:
    ask(wired, "a")
    held = claimed(wired)
    ask(wired, "a", payload={"text": "later wish"})
    kill_the_holder_of(wired, held)
    again = claimed(wired, batch=5)
    assert [d.idempotency_key for d in again.deliveries] == [
        d.idempotency_key for d in held.deliveries
    ]
    assert again.deliveries[0].attempts == 2


def test_a_new_delivery_never_gets_the_idempotency_key_of_one_that_is_done(wired: Wiring) -> None:
    keys = set()
    for _ in range(3):
        ask(wired, "a")
        held = claimed(wired)
        keys.add(held.deliveries[0].idempotency_key)
        claims.settle(wired, held, {})
    assert len(keys) == 3
    assert all(len(key) == 32 for key in keys)


def test_who_lost_the_lease_settles_nothing(wired: Wiring) -> None:
    ask(wired, "a", lane="tags")
    slow = claimed(wired)
    kill_the_holder_of(wired, slow)
    claimed(wired)
    claims.settle(wired, slow, {})
    assert states(wired) == [RUNNING]
    assert claim(wired) is None, "the lane is still run by the second"


def test_a_renewed_lease_is_not_taken_over(wired: Wiring) -> None:
    ask(wired, "a", lane="tags")
    held = claimed(wired)
    nearly = clock.now() + claims.LEASE - timedelta(seconds=1)
    with time_machine.travel(nearly), wired.unit() as unit:
        claims.renew(unit, [held.token])
    with time_machine.travel(clock.now() + claims.LEASE + timedelta(seconds=5)):
        assert claim(wired) is None
    with time_machine.travel(clock.now() + 3 * claims.LEASE):
        assert claim(wired) is not None


def test_one_lane_runs_one_batch_at_a_time_whatever_its_kind(wired: Wiring) -> None:
    for number in range(3):
        ask(wired, f"{number}", lane="tags")
    ask(wired, "x", kind="other", lane="tags")
    ask(wired, "y", kind="other", lane="menus")
    held = claimed(wired, batch=2)
    assert len(held.deliveries) == 2
    assert claim(wired) is None
    other = claimed(wired, "other")
    assert [delivery.key for delivery in other.deliveries] == ["y"]
    claims.settle(wired, held, {})
    assert claim(wired) is not None


def test_a_batch_is_of_one_lane(wired: Wiring) -> None:
    for number in range(4):
        ask(wired, f"{number}", lane=f"lane-{number % 2}")
    assert {d.key for d in claimed(wired, batch=10).deliveries} == {"0", "2"}
    assert {d.key for d in claimed(wired, batch=10).deliveries} == {"1", "3"}


def test_without_a_lane_deliveries_run_beside_each_other(wired: Wiring) -> None:
    ask(wired, "a")
    ask(wired, "b")
    assert {claimed(wired).deliveries[0].key, claimed(wired).deliveries[0].key} == {"a", "b"}


def test_what_is_not_done_is_told_apart_within_a_batch(wired: Wiring) -> None:
    for key in "abcd":
        ask(wired, key)
    held = claimed(wired, batch=4)
    ids = {delivery.key: delivery.id for delivery in held.deliveries}
    claims.settle(
        wired,
        held,
        {
            ids["b"]: TryLater(SOON, "稍后"),
            ids["c"]: WillNever("不行", 40037, "rid-1"),
            ids["d"]: NotAFollower("没有关注", 43004),
        },
    )
    assert [(row.key, row.state, row.last_failure) for row in rows(wired)] == [
        ("b", WAITING, "稍后"),
        ("c", FAILED, "不行 (errcode 40037, rid rid-1)"),
    ]
