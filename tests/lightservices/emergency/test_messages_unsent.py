"""Lists that were surely not sent keep nobody from being told by another channel."""

from __future__ import annotations

from sqlalchemy import update

from lightservices.emergency import batches, messages
from lightservices.emergency.recipients import Channel
from service.db import table_of
from service.delivery.ledger import FAILED, Row
from service.wiring import Unit
from tests.lightservices.emergency.duty import LI
from tests.lightservices.emergency.test_messages_channels import (
    begun,
    counted,
    furnished,
    listed,
    openid,
    reachable,
    taken,
)
from tests.lightservices.emergency.test_messages_channels import told as told  # A fixture.


def test_a_list_that_was_put_off_keeps_nobody_from_another_channel_after_a_stop(told: Unit) -> None:
    record = furnished(told)
    run = begun(told, record, Channel.MASS)
    batches.put_back(told, taken(told, run), "今天的次数已用完，零点以后继续")
    messages.stop(told, record.key, messages.OPENED, by=LI, channel=Channel.MASS)
    # The worker may only look at the run again at midnight.
    assert reachable(told, record)[Channel.TEMPLATE] == 5
    assert counted(told, 2) == 0
    messages_told = listed(told, begun(told, record, Channel.TEMPLATE))
    assert {one.openid for one in messages_told} == {openid(number) for number in range(5)}


def test_a_list_that_wechat_puts_off_after_the_stop_is_let_go_at_once(told: Unit) -> None:
    record = furnished(told)
    run = begun(told, record, Channel.MASS)
    batch = taken(told, run)
    messages.stop(told, record.key, messages.OPENED, by=LI, channel=Channel.MASS)
    # Until WeChat answers, the list may be on its way.
    assert reachable(told, record)[Channel.TEMPLATE] == 3
    batches.put_back(told, batch, "今天的次数已用完，零点以后继续")
    assert reachable(told, record)[Channel.TEMPLATE] == 5
    assert counted(told, 2) == 0


def test_a_list_nobody_goes_on_with_is_let_go_by_whatever_is_started_next(told: Unit) -> None:
    record = furnished(told)
    run = begun(told, record, Channel.MASS)
    batches.put_back(told, taken(told, run), "系统繁忙")
    told.db.execute(update(table_of(Row)).where(Row.kind == messages.TELL).values(state=FAILED))
    begun(told, record, Channel.SERVICE)
    assert reachable(told, record)[Channel.MASS] == 2


def test_a_list_nobody_goes_on_with_is_let_go_by_itself(told: Unit) -> None:
    record = furnished(told)
    run = begun(told, record, Channel.MASS)
    batches.put_back(told, taken(told, run), "系统繁忙")
    messages.end_stuck(told)
    assert reachable(told, record)[Channel.MASS] == 0, "its delivery is still there"
    told.db.execute(update(table_of(Row)).where(Row.kind == messages.TELL).values(state=FAILED))
    messages.end_stuck(told)
    assert reachable(told, record)[Channel.MASS] == 2
    assert begun(told, record, Channel.MASS) == run
