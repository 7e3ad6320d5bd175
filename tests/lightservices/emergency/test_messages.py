"""Telling the followers inside: whom, once, until stopped; never in a drill."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from lightservices.emergency import messages, operations, queries, telling
from lightservices.emergency.message_models import MESSAGES
from lightservices.emergency.message_refusals import NotInDrill, ToldAlready
from lightservices.emergency.models import Record
from lightservices.emergency.recipients import SENT
from lightservices.emergency.refusals import NotYours, OtherReach, Settled
from service import clock
from service.happenings import OpenId, TextReceived, Unfollowed
from service.wiring import Unit
from tests.lightservices.conftest import stand
from tests.lightservices.emergency.duty import (
    IN_THE_PIECE,
    IN_ZHONGSHAN,
    IN_ZHUHAI,
    SHANGHAI,
    WANG,
    ZHUHAI_AND_A_PIECE,
    opened,
)


def writer(unit: Unit, number: int, place: tuple[float, float], *, wrote: bool = True) -> OpenId:
    """A follower at this place, who wrote to the account a moment ago, or never did."""
    openid = OpenId(f"oEMERGENCYtold{number:014}")
    stand(unit, place, openid=openid)
    if wrote:
        unit.announce(TextReceived(openid, clock.now(), "你好"))
    return openid


def furnished(unit: Unit, **changed: Any) -> Record:
    """Two in Zhuhai and one in the piece who wrote, one who did not, one who is outside."""
    for number, place in enumerate((IN_ZHUHAI, IN_ZHUHAI, IN_THE_PIECE, IN_ZHONGSHAN)):
        writer(unit, number, place)
    writer(unit, 9, IN_ZHUHAI, wrote=False)
    return opened(unit, area=ZHUHAI_AND_A_PIECE, **changed)


def test_the_estimate_counts_those_inside_who_wrote(bank: Unit) -> None:
    record = furnished(bank)
    found = messages.estimate(bank, record)
    assert (found.reachable, found.silent) == (3, 1)
    assert found.left_today == 500_000
    assert dict(found.skipped) == {"两天内没有给本号发过消息": 1}
    assert found.why_not == ""


def test_a_drill_tells_nobody(bank: Unit) -> None:
    record = furnished(bank, drill=True)
    with pytest.raises(NotInDrill):
        messages.start(bank, record.key, messages.OPENED, ticked="不到 10 人", by=WANG)


def test_it_is_started_once_by_whoever_may_and_saw_the_number(bank: Unit) -> None:
    record = furnished(bank)
    with pytest.raises(NotYours):
        messages.start(bank, record.key, messages.OPENED, ticked="不到 10 人", by=SHANGHAI)
    with pytest.raises(OtherReach):
        messages.start(bank, record.key, messages.OPENED, ticked="约 4 万人", by=WANG)
    with pytest.raises(Settled):
        messages.start(bank, record.key, messages.ENDED, ticked="不到 10 人", by=WANG)
    messages.start(bank, record.key, messages.OPENED, ticked="不到 10 人", by=WANG)
    with pytest.raises(ToldAlready):
        messages.start(bank, record.key, messages.OPENED, ticked="不到 10 人", by=WANG)


def test_a_stop_counts_from_the_next_one_on(bank: Unit) -> None:
    record = furnished(bank)
    run = messages.start(bank, record.key, messages.OPENED, ticked="不到 10 人", by=WANG)
    told = telling.next_of(bank, run)
    assert told is not None
    telling.settle(bank, told, SENT)
    messages.stop(bank, record.key, messages.OPENED, by=WANG)
    assert telling.next_of(bank, run) is None
    (progress,) = messages.progress(bank, record)
    assert (progress.state, progress.sent, progress.estimate) == ("stopped", 1, 3)


def test_closing_ends_what_was_being_told(bank: Unit) -> None:
    record = furnished(bank)
    run = messages.start(bank, record.key, messages.OPENED, ticked="不到 10 人", by=WANG)
    operations.close(bank, record.key, by=WANG)
    assert telling.next_of(bank, run) is None
    assert messages.progress(bank, record)[0].why == "应急专区已经结束"
    closed = queries.find(bank, record.key)
    assert closed is not None
    messages.start(bank, record.key, messages.ENDED, ticked="不到 10 人", by=WANG)


def test_who_was_told_is_forgotten_when_they_leave(bank: Unit) -> None:
    record = furnished(bank)
    run = messages.start(bank, record.key, messages.OPENED, ticked="不到 10 人", by=WANG)
    told = telling.next_of(bank, run)
    assert told is not None
    bank.announce(Unfollowed(told.openid, clock.now()))
    assert not bank.db.execute(select(MESSAGES).where(MESSAGES.c.openid == told.openid)).all()


def test_nobody_is_told_twice_after_a_crash(bank: Unit) -> None:
    record = furnished(bank)
    run = messages.start(bank, record.key, messages.OPENED, ticked="不到 10 人", by=WANG)
    first = telling.next_of(bank, run)
    assert first is not None
    # The worker dies here, and another takes over.
    telling.doubt(bank, run)
    others = {telling.next_of(bank, run), telling.next_of(bank, run)}
    assert first not in others
    assert telling.next_of(bank, run) is None
    assert messages.progress(bank, record)[0].unsure == 1
