"""One effect and one answer however often, however late, however broken."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError, ProgrammingError

from config import Settings
from service import clock, followers
from service.assembly import assemble
from service.db import db
from service.happenings import Clicked, LocationReported, OpenId, Subscribed, Unfollowed
from service.webhook import intake, kept, receipts
from service.webhook.door import SUCCESS, Webhook
from service.webhook.kept import Kept
from service.wiring import Tables, Unit, Wiring
from tests import pushes
from tests.service.webhook.conftest import Knocking

NOW = int(time.time()) - 60


def rows(knocking: Knocking, model: type) -> int:
    with knocking.wiring.reading() as unit:
        return unit.db.execute(select(func.count()).select_from(model)).scalar_one()


def test_four_deliveries_have_one_effect_and_one_answer(knocking: Knocking) -> None:
    click = pushes.event("CLICK", EventKey="svc:outlets", at=NOW)
    answers = [knocking.opened(knocking.post(click)) for _ in range(4)]
    assert len(knocking.heard) == 1
    assert all(answer == answers[0] for answer in answers)


def test_deliveries_at_the_same_moment_have_one_effect(knocking: Knocking) -> None:
    click = pushes.event("CLICK", EventKey="svc:outlets", at=NOW)
    start = threading.Barrier(4)

    def deliver(_: int) -> dict[str, str]:
        start.wait()
        return knocking.opened(knocking.post(click))

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(deliver, range(4)))
    assert len(knocking.heard) == 1
    assert all(answer == answers[0] for answer in answers)


def test_a_push_that_only_asks_gets_its_first_answer_again(knocking: Knocking) -> None:
    """Even when the answer would be another by now."""
    heard = knocking.heard
    text = pushes.message("voice", Recognition="利率", at=NOW)
    first = knocking.opened(knocking.post(text))
    heard.append(Clicked(pushes.FOLLOWER, clock.now()))  # type: ignore[arg-type]
    assert knocking.opened(knocking.post(text)) == first
    other = pushes.message("voice", Recognition="利率", at=NOW)
    assert knocking.opened(knocking.post(other)) != first


def test_two_events_of_one_second_are_two_events(knocking: Knocking) -> None:
    knocking.post(pushes.event("CLICK", EventKey="svc:outlets", at=NOW))
    knocking.post(pushes.event("CLICK", EventKey="svc:promotions", at=NOW))
    assert [type(fact) for fact in knocking.heard] == [Clicked, Clicked]


def test_the_same_words_sent_twice_are_two_messages(knocking: Knocking) -> None:
    for number in (1, 2):
        knocking.post(pushes.message("text", Content="利率", MsgId=number, at=NOW))
    assert len(knocking.heard) == 2


def test_a_failed_reaction_loses_nothing(knocking: Knocking) -> None:
    knocking.fails = 1
    click = pushes.event("CLICK", EventKey="svc:outlets", at=NOW)
    assert knocking.post(click) == SUCCESS
    assert rows(knocking, Kept) == 1
    assert rows(knocking, receipts.Receipt) == 0
    with knocking.wiring.reading() as unit:
        (row,) = kept.waiting(unit)
    assert pushes.FOLLOWER not in row.sealed
    with knocking.wiring.unit() as unit:
        followers.arrive(unit, Subscribed(pushes.FOLLOWER, row.received_at))  # type: ignore[arg-type]
    intake.Intake(knocking.wiring).replay(row)
    assert len(knocking.heard) == 1
    assert rows(knocking, Kept) == 0


@pytest.mark.parametrize(
    "document",
    [
        b"not XML at all",
        b"<xml><MsgType>event</MsgType></xml>",
        pushes.event("LOCATION", Latitude="north", Longitude="1"),
        pushes.event("LOCATION", Latitude="91", Longitude="1"),
        pushes.event("CLICK"),
        pushes.event("CLICK", EventKey="x", at=10**30),
        pushes.event("CLICK", EventKey="x").replace(b"<xml>", b"<xml><MsgType>event</MsgType>"),
        b'<!DOCTYPE xml [<!ENTITY e "x">]>' + pushes.event("CLICK", EventKey="&e;"),
    ],
)
def test_what_is_genuine_but_unreadable_is_kept(knocking: Knocking, document: bytes) -> None:
    assert knocking.post(document) == SUCCESS
    assert rows(knocking, Kept) == 1


def test_leaving_erases_what_is_kept_and_late_events_change_nothing(knocking: Knocking) -> None:
    knocking.post(pushes.event("subscribe", at=NOW))
    knocking.post(pushes.event("LOCATION", at=NOW + 1, Latitude="north", Longitude="1"))
    assert rows(knocking, Kept) == 1
    knocking.post(pushes.event("unsubscribe", at=NOW + 2))
    assert rows(knocking, Kept) == 0
    assert rows(knocking, followers.Follower) == 0
    assert knocking.post(pushes.event("CLICK", EventKey="svc:outlets", at=NOW + 1)) == SUCCESS
    knocking.post(pushes.event("subscribe", at=NOW))
    assert rows(knocking, followers.Follower) == 0
    assert [type(fact) for fact in knocking.heard] == [Subscribed, Unfollowed]


def test_whoever_comes_back_is_welcome(knocking: Knocking) -> None:
    knocking.post(pushes.event("unsubscribe", at=NOW))
    knocking.post(pushes.event("subscribe", at=NOW + 5))
    assert rows(knocking, followers.Follower) == 1
    assert knocking.post(pushes.event("unsubscribe", at=NOW + 3)) == SUCCESS
    assert rows(knocking, followers.Follower) == 1


def test_unknown_events_are_acknowledged(knocking: Knocking) -> None:
    assert knocking.post(pushes.event("something_new", at=NOW)) == SUCCESS
    assert knocking.post(pushes.event("debug_demo", debug_str="hello", at=NOW)) == SUCCESS
    assert knocking.post(pushes.message("hologram", at=NOW)) == SUCCESS


def test_while_the_database_is_away_pushes_wait_in_the_spool(
    knocking: Knocking, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("connect", {}, Exception("gone"))

    monkeypatch.setattr(type(knocking.wiring), "unit", away)
    assert knocking.post(pushes.event("CLICK", EventKey="svc:outlets")) == SUCCESS
    monkeypatch.undo()
    spool = kept.Spool(knocking.settings.data_dir)
    assert spool.holds_something()
    assert pushes.FOLLOWER not in spool.path.read_text()

    replay_all(knocking)
    assert len(knocking.heard) == 1
    assert not spool.holds_something()
    replay_all(knocking)
    assert len(knocking.heard) == 1


def replay_all(knocking: Knocking) -> None:
    """What the worker does once the database answers again."""

    class Desk:
        wiring = knocking.wiring
        unit = staticmethod(knocking.wiring.unit)
        reading = staticmethod(knocking.wiring.reading)

    intake.replay_kept(Desk(), [])  # type: ignore[arg-type]


def spool_away(knocking: Knocking, *documents: bytes) -> kept.Spool:
    """These came while the database was away."""
    spool = kept.Spool(knocking.settings.data_dir)
    for document in documents:
        spool.keep(pushes.envelope(knocking.settings).seal(document))
    return spool


def test_one_that_cannot_be_replayed_holds_up_nobody_behind_it(knocking: Knocking) -> None:
    sender = f"<FromUserName>{pushes.FOLLOWER}</FromUserName>".encode()
    spool = spool_away(knocking, b"<xml>" + sender, pushes.event("subscribe", at=NOW))
    spool.keep("sealed under a key nobody knows")
    spool_away(knocking, pushes.event("CLICK", EventKey="svc:outlets", at=NOW))
    replay_all(knocking)
    assert [type(fact) for fact in knocking.heard] == [Subscribed, Clicked]
    with knocking.wiring.reading() as unit:
        assert [row.fault for row in kept.waiting(unit)] == ["XML", "base64"]
    knocking.post(pushes.event("unsubscribe", at=NOW + 1))
    with knocking.wiring.reading() as unit:
        assert [row.fault for row in kept.waiting(unit)] == ["base64"]


def test_a_fault_of_ours_in_a_replay_is_set_aside_and_the_next_goes_on(knocking: Knocking) -> None:
    knocking.fails = 1
    clicks = [pushes.event("CLICK", EventKey=key, at=NOW) for key in ("svc:a", "svc:b")]
    spool_away(knocking, pushes.event("subscribe", at=NOW), *clicks)
    replay_all(knocking)
    assert len(knocking.heard) == 2
    with knocking.wiring.reading() as unit:
        assert [row.fault for row in kept.waiting(unit)] == ["LookupError"]


def test_a_torn_line_of_the_spool_costs_only_itself(knocking: Knocking) -> None:
    spool = spool_away(knocking, pushes.event("CLICK", EventKey="svc:outlets", at=NOW))
    with spool.path.open("ab") as file:
        file.write(b'\n{"at": 17, "seal\xff')
    spool_away(knocking, pushes.event("CLICK", EventKey="svc:promotions", at=NOW))
    replay_all(knocking)
    assert [fact.key for fact in knocking.heard if isinstance(fact, Clicked)] == [
        "svc:outlets",
        "svc:promotions",
    ]
    assert not spool.holds_something()


def test_pushes_wait_in_the_spool_for_tables_that_are_not_there_yet(
    knocking: Knocking, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unmigrated(*_: object) -> None:
        raise ProgrammingError("INSERT", {}, Exception("no such table"))

    monkeypatch.setattr(type(knocking.wiring), "unit", unmigrated)
    assert knocking.post(pushes.event("CLICK", EventKey="svc:outlets")) == SUCCESS
    monkeypatch.undo()
    replay_all(knocking)
    assert len(knocking.heard) == 1


def test_an_event_from_the_future_does_not_silence_what_follows(knocking: Knocking) -> None:
    knocking.post(pushes.event("subscribe", at=NOW + 10**9))
    knocking.post(pushes.event("unsubscribe", at=int(time.time()) + 1))
    assert rows(knocking, followers.Follower) == 0
    knocking.post(pushes.event("subscribe", at=int(time.time()) + 2))
    assert rows(knocking, followers.Follower) == 1


@pytest.fixture
def on_postgresql(postgresql_url: str, tmp_path: Path) -> Iterator[Wiring]:
    """The one database that lets two transactions about one follower run at once."""
    app = assemble(replace(Settings(), data_dir=tmp_path, database_url=postgresql_url), Tables())
    with app.app_context():
        db.create_all()
    wiring: Wiring = app.extensions["wiring"]
    yield wiring
    wiring.hang_up()


def test_whoever_leaves_while_their_report_is_taken_in_stays_gone(on_postgresql: Wiring) -> None:
    reporting, going = threading.Event(), threading.Event()

    def dawdle(_unit: Unit, _fact: LocationReported) -> None:
        reporting.set()
        going.wait(0.5)

    reactions = {LocationReported: [dawdle, followers.meet], Unfollowed: [followers.depart]}
    wiring, settings = on_postgresql, on_postgresql.settings
    webhook = Webhook(replace(wiring, tables=Tables(reactions=reactions)))
    report = pushes.location(31.23, 121.47, at=NOW)
    with ThreadPoolExecutor(1) as pool:
        reported = pool.submit(webhook.answer, "POST", *pushes.sealed(settings, report))
        assert reporting.wait(5)
        leave = pushes.event("unsubscribe", at=NOW + 1)
        assert webhook.answer("POST", *pushes.sealed(settings, leave)) == SUCCESS
        going.set()
        assert reported.result() == SUCCESS
    with wiring.reading() as unit:
        assert not followers.is_known(unit, OpenId(pushes.FOLLOWER))


def test_a_kept_push_can_be_replayed_by_hand(app: Flask, knocking: Knocking) -> None:
    knocking.post(b"<xml>broken")
    listed = app.test_cli_runner().invoke(args=["intake", "list"])
    assert "XML" in listed.output
    assert "共 1 条" in listed.output
    replayed = app.test_cli_runner().invoke(args=["intake", "replay"])
    assert replayed.exit_code == 1
    assert "仍然读不懂：XML" in replayed.output


def test_old_bookkeeping_is_dropped(knocking: Knocking) -> None:
    knocking.post(pushes.event("CLICK", EventKey="x", at=NOW))
    with knocking.wiring.unit() as unit:
        receipts.forget_old(unit)
    assert rows(knocking, receipts.Receipt) == 1
    with knocking.wiring.unit() as unit:
        unit.db.execute(receipts.Receipt.__table__.update().values(taken_at=pushes_age()))
        receipts.forget_old(unit)
    assert rows(knocking, receipts.Receipt) == 0


def pushes_age():  # type: ignore[no-untyped-def]
    from service import clock

    return clock.now() - receipts.RECEIPT_KEPT * 2
