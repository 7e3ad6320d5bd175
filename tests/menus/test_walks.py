"""A branch's followers are walked through in steps, and those who move never wait for a walk."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from menus import moving, offers, publication, status, tagging
from menus.offers import MenuOffer
from service import clock
from service.delivery.ledger import Delivery, Lane, Row
from service.delivery.quotas import Calls
from service.delivery.worker import Worker
from tests.menus.conftest import WUXI, Bank


@pytest.fixture
def published(bank: Bank) -> Bank:
    bank.publish()
    return bank


def asked(bank: Bank) -> list[tuple[str, int]]:
    """The tagging calls so far: verb and how many openids."""
    return [
        (
            str(call["path"]).rsplit("/", 1)[1].removeprefix("batch"),
            len(json.loads(call["request"])["openid_list"]),
        )
        for call in bank.calls("tagging")
    ]


def waiting(bank: Bank) -> list[str]:
    with bank.wiring.reading() as unit:
        return list(unit.db.execute(select(Row.kind).where(Row.kind == offers.SETTLE)).scalars())


def test_when_a_variant_appears_its_branchs_followers_are_walked_through(
    published: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "_STRIDE", 20)
    openids = [published.follower("B320200") for _ in range(45)]
    elsewhere = published.follower("B320000")
    published.work()
    published.open_zone(WUXI)
    before = len(asked(published))
    published.publish()
    assert {published.third_column(openid) for openid in openids[::7]} == {"锡享生活"}
    assert published.third_column(elsewhere) == "礼遇江苏"
    moved = sum(count for verb, count in asked(published)[before:] if verb == "tagging")
    assert moved == len(openids)


def test_a_variant_takes_its_tag_from_the_many_who_carry_it_so_that_only_the_few_are_touched(
    published: Bank,
) -> None:
    wuxi = [published.follower("B320200") for _ in range(160)]
    nanjing = published.follower("B320000")
    published.work()
    tag = published.sandbox.world.followers[wuxi[0]].tags
    published.open_zone(WUXI)
    before = len(asked(published))
    published.publish()
    assert published.tags_of(wuxi[159]) == ["菜单 B320200 锡享生活"]
    assert published.sandbox.world.followers[wuxi[159]].tags == tag
    assert published.third_column(nanjing) == "礼遇江苏"
    assert asked(published)[before:] == [("tagging", 1), ("untagging", 1)]


def test_a_walk_leaves_the_queue_to_those_who_move(
    published: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "_STRIDE", 5)
    monkeypatch.setattr(offers, "_AHEAD", 10)
    for _ in range(30):
        published.follower("B310000")
    published.work()
    with published.wiring.unit() as unit:
        unit.db.execute(update(MenuOffer).values(wanted_tag_id=None))
        offers.reoffer(unit, ["B310000"])
        unit.db.execute(update(Row).values(due_at=clock.now()))
    walk = [Delivery(1, offers.REOFFER, "B310000", "", None, {}, 1)]
    for _ in range(6):
        offers.walk(published.desk, walk)
    assert len(waiting(published)) == 10


def test_a_walk_stops_while_the_days_calls_for_movers_are_all_that_is_left(
    published: Bank,
) -> None:
    for _ in range(3):
        published.follower("B310000")
    published.work()
    with published.wiring.unit() as unit:
        unit.db.execute(update(Calls).values(reserved=95_000))
        unit.db.execute(update(MenuOffer).values(wanted_tag_id=None))
    offers.walk(published.desk, [Delivery(1, offers.REOFFER, "B310000", "", None, {}, 1)])
    assert waiting(published) == []
    with published.wiring.reading() as unit:
        walks = select(Row.due_at).where(Row.kind == offers.REOFFER)
        assert unit.db.execute(walks).scalar_one() > clock.now() + timedelta(minutes=1)


def test_a_walk_that_stops_goes_on_where_it_was(published: Bank) -> None:
    openids = [published.follower("B310000") for _ in range(offers._STRIDE + 5)]
    with published.wiring.unit() as unit:
        unit.db.execute(update(MenuOffer).values(wanted_tag_id=None))
        assert offers._step(unit, "B310000") == offers._STRIDE
    with published.wiring.unit() as unit:
        assert offers._step(unit, "B310000") == 5
        assert offers._step(unit, "B310000") == 0
    assert len(waiting(published)) == len(openids)


def test_progress_is_read_off_the_rows_and_ends_when_everybody_has_arrived(
    published: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "_STRIDE", 10)
    openids = [published.follower("B320200") for _ in range(25)]
    published.work()
    published.open_zone(WUXI)
    assert publication.settle(published.desk)
    assert progress(published) == (25, 25)
    offers.walk(published.desk, [Delivery(1, offers.REOFFER, "B320200", "", None, {}, 1)])
    with published.wiring.reading() as unit:
        asked_for = unit.db.execute(select(Row.key).where(Row.kind == offers.SETTLE)).scalars()
        batch = [
            Delivery(n, offers.SETTLE, key, "", None, {}, 1) for n, key in enumerate(asked_for)
        ]
    assert len(batch) == 10
    assert not tagging.settle_offers(published.desk, batch)
    assert progress(published) == (25, 15)
    published.work()
    assert progress(published) == (25, 0)
    assert {published.third_column(openid) for openid in openids} == {"锡享生活"}


def progress(bank: Bank) -> tuple[int, int]:
    with bank.wiring.reading() as unit:
        found = moving.progress(unit)
    return found.total, found.left


def test_how_fast_and_how_long_is_told_from_what_was_done_so_far() -> None:
    since = clock.now()
    found = moving.Progress(1_000, 400, since)
    assert found.a_second(since + timedelta(seconds=60)) == 10
    assert found.ends_at(since + timedelta(seconds=60)) == since + timedelta(seconds=100)
    assert moving.Progress(1_000, 1_000, since).ends_at(since + timedelta(seconds=60)) is None


def test_when_the_days_quota_is_spent_re_tagging_rests_and_goes_on_the_next_day(
    published: Bank,
) -> None:
    openids = [published.follower("B310000") for _ in range(60)]
    published.play("/cgi-bin/tags/members/batchtagging", "errcode", errcode=45009)
    Worker(published.wiring).work_off()
    with published.wiring.reading() as unit:
        words = "\n".join(status.lines(unit, {}))
        until = unit.db.execute(select(Lane.stopped_until)).scalar_one()
    assert "等待换菜单的粉丝：60 位" in words
    assert "今天还可调用 /cgi-bin/tags/members/batchtagging：0/100000 次" in words
    assert "换标签暂停到" in words
    assert until is not None
    with published.wiring.unit() as unit:
        rest = offers.resting(unit)
    assert rest is not None
    assert rest > timedelta(minutes=1)
    # The next day begins: the lane is open, and yesterday's count is no longer today's.
    published.sandbox.world.faults.play({})
    with published.wiring.unit() as unit:
        unit.db.execute(delete(Lane))
        unit.db.execute(delete(Calls))
    published.wiring.shelf.clear()
    published.work()
    assert {published.third_column(openid) for openid in openids} == {"约惠魔都"}
