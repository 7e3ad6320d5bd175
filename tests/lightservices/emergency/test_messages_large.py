"""Telling many: what changes meanwhile, what is passed over, what is left behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from lightservices.emergency import batches, changes, messages, operations, telling
from lightservices.emergency.message_models import BATCHES, MESSAGES, MONTHS, REPORTS, RUNS
from lightservices.emergency.messages import TELL
from lightservices.emergency.models import Record
from lightservices.emergency.recipients import SENDING, SENT, Channel
from lightservices.emergency.refusals import Changed, Settled
from lightservices.emergency.telling import Queue
from service import clock
from service.db import table_of
from service.delivery import ledger
from service.happenings import Unfollowed
from service.wiring import Unit
from tests.lightservices.emergency.duty import (
    IN_THE_PIECE,
    IN_ZHONGSHAN,
    IN_ZHUHAI,
    LI,
    WANG,
    ZHUHAI,
    ZHUHAI_AND_A_PIECE,
    opened,
    said,
    ticked,
)
from tests.lightservices.emergency.test_messages import writer
from tests.lightservices.emergency.test_messages_channels import (
    FEW,
    begun,
    furnished,
    listed,
    openid,
    reported,
    taken,
)


def progress(unit: Unit, record: Record) -> messages.Progress:
    (found,) = messages.progress(unit, record)
    return found


def amended(unit: Unit, record: Record) -> Record:
    """Another area is taken, with the words as they were."""
    wider = said(ZHUHAI_AND_A_PIECE)
    version = changes.amend(unit, record.key, content=wider, why="扩大", by=WANG)
    return changes.adopt(
        unit, record.key, version.number, seen=version.seal,
        ticked=ticked(unit, ZHUHAI_AND_A_PIECE), by=LI,
    )  # fmt: skip


def extended(unit: Unit, record: Record) -> Record:
    version = changes.extend(unit, record.key, hours=40, why="未结束", by=WANG)
    return changes.adopt(
        unit, record.key, version.number, seen=version.seal, ticked=ticked(unit, ZHUHAI), by=LI
    )


def test_a_change_of_area_stops_a_telling_until_its_number_is_ticked_again(bank: Unit) -> None:
    writer(bank, 6, IN_THE_PIECE)
    record = furnished(bank)
    run = begun(bank, record, Channel.SERVICE)
    changed = amended(bank, record)
    assert telling.next_of(bank, run) is None
    found = progress(bank, record)
    assert (found.state, found.why) == ("stopped", "内容或区域已改，请核对人数后重新开始")
    assert begun(bank, changed, Channel.SERVICE) == run
    assert len(listed(bank, run)) == 3


def test_a_longer_end_alone_stops_no_telling(bank: Unit) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.SERVICE)
    extended(bank, record)
    assert len(listed(bank, run)) == 2


def test_what_changed_while_it_was_counted_is_not_begun(bank: Unit) -> None:
    record = furnished(bank)
    weighed = messages.weigh(bank, record.key, messages.OPENED, ticked=FEW, by=WANG)
    amended(bank, record)
    with pytest.raises(Changed):
        messages.begin(bank, weighed, by=WANG)
    operations.close(bank, record.key, by=LI)
    with pytest.raises(Settled):
        messages.begin(bank, weighed, by=WANG)
    assert messages.progress(bank, record) == []


def test_many_outside_are_passed_over_in_several_transactions(
    bank: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "_AHEAD", 2)
    for number in range(10, 30):
        writer(bank, number, IN_ZHONGSHAN)
    writer(bank, 40, IN_THE_PIECE)
    run = begun(bank, opened(bank, area=ZHUHAI_AND_A_PIECE), Channel.SERVICE)
    queue, told, asked = Queue(), [], 0
    while not queue.is_over:
        asked += 1
        if (one := telling.next_of(bank, run, queue)) is not None:
            telling.settle(bank, one, SENT)
            told.append(one.openid)
    assert told == [openid(40)]
    # Twice past twenty, ten at a time, and the one inside.
    assert 5 <= asked <= 7


def test_a_later_worker_goes_on_from_there_and_round_to_those_who_came(bank: Unit) -> None:
    for number in (2, 4, 6):
        writer(bank, number, IN_ZHUHAI)
    record = opened(bank)
    run = begun(bank, record, Channel.SERVICE)
    first = Queue()
    for _ in range(2):
        one = telling.next_of(bank, run, first)
        assert one is not None
        telling.settle(bank, one, SENT)
    telling.keep(bank, run, first.last)
    writer(bank, 1, IN_ZHUHAI)
    queue = telling.queue_of(bank, run)
    assert queue.after == openid(4)
    found = []
    while (one := telling.next_of(bank, run, queue)) is not None:
        found.append(one.openid)
    assert found == [openid(6), openid(1)]
    assert bank.db.execute(select(RUNS.c.last_openid)).scalar() == ""


def test_how_far_it_came_does_not_outlive_the_follower(bank: Unit) -> None:
    run = begun(bank, furnished(bank), Channel.SERVICE)
    queue = Queue()
    telling.next_of(bank, run, queue)
    telling.keep(bank, run, queue.last)
    kept = select(RUNS.c.last_openid)
    assert bank.db.execute(kept).scalar() == openid(0)
    bank.announce(Unfollowed(openid(0), clock.now()))
    assert bank.db.execute(kept).scalar() == ""
    telling.keep(bank, run, queue.last)
    assert bank.db.execute(kept).scalar() == ""


def test_a_telling_that_nobody_goes_on_with_says_so_and_can_be_started_again(bank: Unit) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.SERVICE)
    rows = table_of(ledger.Row)
    ours = (rows.c.kind == TELL, rows.c.key == str(run))
    bank.db.execute(update(rows).where(*ours).values(state=ledger.FAILED))
    found = progress(bank, record)
    assert (found.state, found.why) == ("stopped", "发送中断了，请重新开始，不会重复发送")
    assert begun(bank, record, Channel.SERVICE) == run
    states = bank.db.execute(select(rows.c.state).where(*ours)).scalars().all()
    assert ledger.WAITING in states
    assert progress(bank, record).state == "running"
    assert len(listed(bank, run)) == 2


def test_a_report_that_came_in_the_same_moment_is_heeded_with_the_next_list(bank: Unit) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.MASS)
    batches.settle(bank, taken(bank, run), "79")
    # Neither transaction saw the other.
    bank.db.execute(
        REPORTS.insert().values(
            msg_id="79", status="err(10001)", total=2, filtered=0, sent=0, failed=0, at=clock.now()
        )
    )
    assert batches.next_of(bank, run) is None
    found = progress(bank, record)
    assert (found.state, found.sent, found.why) == ("stopped", 0, "微信没有群发：涉嫌广告")


def test_whoever_left_while_a_list_was_in_doubt_is_not_kept(bank: Unit) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.MASS)
    batch = taken(bank, run)
    row = bank.db.execute(select(MESSAGES).where(MESSAGES.c.openid == openid(2))).one()
    bank.announce(Unfollowed(openid(2), clock.now()))
    # The list was written down in the moment they left.
    bank.db.execute(MESSAGES.insert().values(row._asdict()))
    bank.db.execute(MONTHS.insert().values(openid=openid(2), month="2001-01", count=1))
    messages.stop(bank, record.key, messages.OPENED, by=LI, channel=Channel.MASS)
    assert batches.next_of(bank, run) is None
    assert batch.id
    for table in (MESSAGES, MONTHS):
        assert not bank.db.execute(select(table).where(table.c.openid == openid(2))).all()


def test_whoever_left_after_being_chosen_is_not_listed(bank: Unit) -> None:
    writer(bank, 5, IN_ZHUHAI, wrote=False)
    run = begun(bank, furnished(bank), Channel.MASS)
    chosen = batches.choose(bank, run)
    assert chosen == [openid(2), openid(3), openid(5)]
    bank.announce(Unfollowed(openid(2), clock.now()))
    batch = batches.next_of(bank, run, chosen)
    assert batch is not None
    assert batch.openids == (openid(3), openid(5))


def test_a_refused_list_takes_off_exactly_what_was_counted(bank: Unit) -> None:
    writer(bank, 5, IN_ZHUHAI, wrote=False)
    record = furnished(bank)
    run = begun(bank, record, Channel.MASS)
    assert len(taken(bank, run).openids) == 3
    bank.announce(Unfollowed(openid(2), clock.now()))
    again = taken(bank, run)
    batches.settle(bank, again, "80")
    reported(bank, "80", sent=0, total=2, status="err(10001)")
    found = progress(bank, record)
    assert (found.sent, found.refused) == (0, 2)


def test_a_list_goes_on_where_the_last_one_ended_and_round(
    bank: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_SMALL", 3)
    for number in range(2, 8):
        writer(bank, number, IN_ZHUHAI, wrote=False)
    run = begun(bank, opened(bank), Channel.MASS)
    first = taken(bank, run)
    batches.settle(bank, first, "81")
    assert first.openids == (openid(2), openid(3))
    writer(bank, 1, IN_ZHUHAI, wrote=False)
    batches.settle(bank, second := taken(bank, run), "82")
    assert second.openids == (openid(4), openid(5))
    assert taken(bank, run).openids == (openid(1), openid(6), openid(7))


def test_a_list_in_doubt_for_long_counts_once(bank: Unit) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.MASS)
    taken(bank, run)
    old = clock.now() - timedelta(days=1)
    bank.db.execute(update(BATCHES).values(at=old))
    assert batches.next_of(bank, run) is None
    assert replace(progress(bank, record), why="").unsure == 2
    assert not bank.db.execute(select(MESSAGES).where(MESSAGES.c.state == SENDING)).all()
