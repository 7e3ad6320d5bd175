"""Deliveries get through whatever happens to workers and WeChat; chores are done by one of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from config import HOME, Settings
from service import clock
from service.delivery import claims, learning, quotas
from service.delivery.ledger import FAILED, Delivery, Desk, Outcomes, Performer, Row, request
from service.delivery.worker import CHORE, Worker, schedule_chores, work_off
from service.happenings import OpenId
from service.sandbox import Sandbox, running
from service.wechat.errors import NotAFollower, QuotaSpent, TryLater, WillNever
from service.wechat.gateway import gateway_of
from service.wiring import Step, Tables, Wiring
from tests.service.delivery.wired import create_tables, wire
from tests.service.delivery.workers import NOTIFYING, kill_while_working, unsettled

TEMPLATE = "/cgi-bin/message/template/send"


def ask(wired: Wiring, *keys: str, kind: str = "tell", openid: str | None = None) -> None:
    with wired.unit() as unit:
        for key in keys:
            request(unit, kind, key=key, openid=None if openid is None else OpenId(openid))


def performing(
    wired: Wiring, perform: Callable[[Desk, Sequence[Delivery]], Outcomes | None], *, batch: int = 1
) -> Wiring:
    return replace(wired, tables=Tables(deliveries={"tell": Performer(perform, batch)}))


def test_what_a_performer_leaves_out_is_done(wired: Wiring) -> None:
    seen: list[str] = []

    def perform(_desk: Desk, deliveries: Sequence[Delivery]) -> Outcomes:
        seen.extend(delivery.key for delivery in deliveries)
        return {deliveries[0].id: TryLater(timedelta(hours=1), "稍后")}

    ask(wired, "a", "b", "c")
    assert work_off(performing(wired, perform, batch=3)) == 3
    assert sorted(seen) == ["a", "b", "c"]
    assert unsettled(wired) == 1


@pytest.mark.parametrize(
    ("raised", "left"),
    [
        (WillNever("不行", 40037), [FAILED]),
        (NotAFollower("没有关注", 43004), []),
        (TryLater(timedelta(hours=1), "稍后"), ["waiting"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_performer_raises_holds_for_its_batch(
    wired: Wiring, raised: Exception, left: list[str]
) -> None:
    def perform(_desk: Desk, _deliveries: Sequence[Delivery]) -> None:
        raise raised

    ask(wired, "a")
    work_off(performing(wired, perform))
    with wired.reading() as unit:
        assert unit.db.execute(select(Row.state)).scalars().all() == left


def test_one_that_breaks_its_performer_does_not_hold_up_the_others(
    wired: Wiring, caplog: pytest.LogCaptureFixture
) -> None:
    def perform(_desk: Desk, deliveries: Sequence[Delivery]) -> None:
        if any(delivery.key == "b" for delivery in deliveries):
            raise KeyError("secret words")

    ask(wired, "a", "b", "c")
    work_off(performing(wired, perform, batch=3))
    with wired.reading() as unit:
        [row] = unit.db.execute(select(*Row.__table__.columns)).all()
    assert (row.key, row.last_failure) == ("b", "程序出错：KeyError")


def test_no_transaction_is_open_while_performing_and_none_may_be_for_a_call(
    wired: Wiring,
) -> None:
    tried: list[str] = []

    def perform(desk: Desk, _deliveries: Sequence[Delivery]) -> None:
        with desk.unit() as unit:
            request(unit, "other", key="follow-up")
            with pytest.raises(RuntimeError, match="transaction"):
                desk.gateway.tags()
        tried.append("yes")

    ask(wired, "a")
    work_off(performing(wired, perform))
    assert tried == ["yes"]
    assert unsettled(wired) == 1


def test_a_worker_takes_up_new_work_within_a_second_and_stops_when_told(wired: Wiring) -> None:
    done = threading.Event()

    def perform(_desk: Desk, _deliveries: Sequence[Delivery]) -> None:
        done.set()

    worker = Worker(performing(wired, perform))
    thread = threading.Thread(target=worker.run)
    thread.start()
    time.sleep(0.5)
    ask(wired, "a")
    assert done.wait(1.0)
    worker.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_long_batch_keeps_its_lease_and_is_finished_before_the_worker_stops(
    wired: Wiring,
) -> None:
    began, attempts = threading.Event(), []

    def perform(_desk: Desk, deliveries: Sequence[Delivery]) -> None:
        attempts.append(deliveries[0].attempts)
        began.set()
        time.sleep(1.5)

    ask(wired, "a")
    worker = Worker(performing(wired, perform), threads=2, lease=timedelta(seconds=0.6))
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert began.wait(5)
    time.sleep(1)
    worker.stop()
    thread.join(10)
    assert attempts == [1]
    assert unsettled(wired) == 0


def with_chores(wired: Wiring, **chores: Step) -> Wiring:
    return replace(wired, tables=Tables(chores={name: (60, step) for name, step in chores.items()}))


def test_a_chore_is_done_once_each_period_by_one_of_several_workers(wired: Wiring) -> None:
    done: list[float] = []
    chores = with_chores(wired, tidy=lambda _unit: done.append(time.monotonic()))
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for _ in range(3):
            for _worker in range(3):
                with wired.unit() as unit:
                    unit = type(unit)(unit.db, chores)
                    schedule_chores(unit)
                work_off(chores)
            traveller.shift(61)
    assert len(done) == 3


def test_a_broken_chore_undoes_what_it_did_and_is_tried_again(wired: Wiring) -> None:
    def breaks(unit: object) -> None:
        request(unit, "tell", key="half")  # type: ignore[arg-type]
        raise RuntimeError

    chores = with_chores(wired, breaks=breaks)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        ask(wired, "breaks", kind=CHORE)
        for attempt in (1, 2):
            assert work_off(chores) == 1
            with wired.reading() as unit:
                [row] = unit.db.execute(select(*Row.__table__.columns)).all()
            assert (row.key, row.attempts) == ("breaks", attempt)
            assert row.last_failure == "定时任务出错：RuntimeError"
            traveller.shift(61)


def test_a_chore_that_is_no_longer_wanted_goes(wired: Wiring) -> None:
    ask(wired, "old", kind=CHORE)
    work_off(wired)
    assert unsettled(wired) == 0


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(Settings()) as found:
        yield found


@pytest.fixture
def notifying(sandbox: Sandbox, database_url: str, tmp_path: Path) -> Iterator[Wiring]:
    """A process that sends notices through a fresh sandbox."""
    sandbox.world.reset()
    settings = replace(sandbox.settings, data_dir=tmp_path, database_url=database_url)
    wiring = wire(settings, NOTIFYING)
    create_tables(wiring)
    yield wiring
    wiring.hang_up()


def notices(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The bodies of every notice WeChat was asked to send, repeats included."""
    return [
        json.loads(entry["request"])
        for entry in sandbox.world.exchanges.after()
        if entry.get("path") == TEMPLATE
    ]


def test_nothing_is_lost_or_done_twice_through_ten_kills_and_bad_answers(
    sandbox: Sandbox, notifying: Wiring
) -> None:
    fan = sandbox.world.add_follower(subscribed=True)
    ask(notifying, *(f"{number}" for number in range(200)), kind="notify", openid=fan.openid)
    sandbox.world.faults.play(
        {
            "seed": 7,
            "rules": [
                {"path": TEMPLATE, "do": "status", "status": 503, "probability": 0.05},
                {"path": TEMPLATE, "do": "lost", "probability": 0.03},
                {"path": TEMPLATE, "do": "delay", "seconds": 0.02},
            ],
        }
    )
    kills = kill_while_working(notifying, kills=10, every=10, seen=lambda: len(notices(sandbox)))
    assert kills == 10
    assert unsettled(notifying) == 0
    keys: dict[str, set[str]] = defaultdict(set)
    for notice in notices(sandbox):
        keys[notice["data"]["thing1"]["value"]].add(notice["client_msg_id"])
    assert len(keys) == 200
    assert all(len(found) == 1 for found in keys.values()), "a repeat carries the same key"
    arrived = Counter(
        said["content"]["data"]["thing1"]
        for said in sandbox.world.followers[fan.openid].chat
        if said["kind"] == "template"
    )
    assert set(arrived.values()) == {1}
    assert len(arrived) == 200


LIFE_OF_A_COMMAND = 20


@pytest.fixture
def command_line(app: Flask) -> Iterator[Callable[..., str]]:
    """``flask worker …`` on the test application, with an empty ledger."""
    wiring: Wiring = app.extensions["wiring"]
    create_tables(wiring)

    def run(*words: str) -> str:
        result: Result = app.test_cli_runner().invoke(args=["worker", *words])
        assert result.exit_code == 0, result.output
        return result.output

    yield run
    create_tables(wiring)


def test_status_says_what_waits_what_failed_and_what_to_do(
    command_line: Callable[..., str], wiring: Wiring
) -> None:
    assert "没有等待送达的事项" in command_line("status")
    ask(wiring, "o-somebody", "b", "c", kind="menus.settle_offer", openid="o-somebody")
    ask(wiring, "x", kind="unheard-of")
    with wiring.unit() as unit:
        held = claims.claim(unit, "menus.settle_offer", "", batch=2)
    assert held is not None
    first, second = held.deliveries
    spent = QuotaSpent(timedelta(hours=2), "今天的调用次数已用完", errcode=45009)
    claims.settle(wiring, held, {first.id: WillNever("模板不存在", 40037), second.id: spent})
    said = command_line("status")
    assert "menus.settle_offer：等待 2，进行中 0，失败 1" in said
    assert "unheard-of（没有程序处理这一类）" in said
    assert "暂停：menus.settle_offer" in said
    assert "模板不存在 (errcode 40037)；已放弃，可用 flask worker retry 重试" in said
    assert "o-somebody" not in said
    assert "2 项将马上重试" in command_line("retry")
    assert "暂停" not in command_line("status")
    assert "没有需要重试的事项" in command_line("retry", "unheard-of")


@pytest.mark.usefixtures("at_noon")
def test_quotas_are_shown_with_what_is_known_of_them(
    command_line: Callable[..., str], wiring: Wiring
) -> None:
    assert "今天还没有调用过微信接口" in command_line("quotas")
    allowance = quotas.Allowance(wiring)
    for path in ("/cgi-bin/menu/create", "/cgi-bin/tags/get"):
        allowance.spend(path)
    allowance.exhausted("/cgi-bin/tags/get")
    allowance.learn("/cgi-bin/menu/create", quotas.Quota(5000, 17, 4983))
    said = command_line("quotas", "--ask")
    assert "/cgi-bin/menu/create：已用约 17，上限 5000（微信告知）" in said
    assert "/cgi-bin/tags/get：已用约 20，上限未知，今天已用完" in said
    with wiring.reading() as unit:
        asked = unit.db.execute(select(Row.key).where(Row.kind == "quotas.learn")).scalars().all()
    assert sorted(asked) == ["/cgi-bin/menu/create", "/cgi-bin/tags/get"]


def test_run_once_does_what_is_due_and_ends(
    command_line: Callable[..., str], wiring: Wiring
) -> None:
    ask(wiring, "deliveries.tidy", kind=CHORE)
    assert "处理了 1 项" in command_line("run", "--once")


def test_a_worker_process_ends_well_when_told_to(wired: Wiring) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": wired.settings.database_url,
        "DATA_DIR": str(wired.settings.data_dir),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "worker", "run"],
        cwd=HOME,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "后台进程已启动"
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=LIFE_OF_A_COMMAND)
    assert process.returncode == 0
    assert "手头的事都已做完" in said


def test_a_months_old_failure_goes(wired: Wiring) -> None:
    def perform(_desk: Desk, _deliveries: Sequence[Delivery]) -> None:
        raise WillNever("不行")

    ask(wired, "a")
    work_off(performing(wired, perform))
    with wired.unit() as unit:
        claims.tidy(unit)
    assert unsettled(wired) == 1
    with time_machine.travel(clock.now() + timedelta(days=31)), wired.unit() as unit:
        claims.tidy(unit)
    assert unsettled(wired) == 0


def test_wechat_is_asked_what_our_quotas_are(sandbox: Sandbox, notifying: Wiring) -> None:
    wired = replace(notifying, tables=Tables(deliveries={learning.KIND: learning.LEARN}))
    gateway_of(wired).tags()
    with wired.unit() as unit:
        learning.ask(unit)
    assert work_off(wired) == 1
    with wired.reading() as unit:
        learned = {row.path: row.learned for row in quotas.used_today(unit)}
    assert learned["/cgi-bin/tags/get"]
    ask(wired, "/cgi-bin/no/such/call", kind=learning.KIND)
    work_off(wired)
    assert unsettled(wired) == 0
