"""Three channels over the same followers: who by which, who not and why, and nobody by two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from lightservices.emergency import (
    batches,
    changes,
    messages,
    notices,
    operations,
    queries,
    reach,
    reports,
    telling,
)
from lightservices.emergency.message_models import BATCHES, MESSAGES, MONTHS, RUNS
from lightservices.emergency.message_refusals import NobodyLeft, NoTemplate, NotNews
from lightservices.emergency.models import EMERGENCIES, Record
from lightservices.emergency.recipients import REFUSED, SENT, Channel, month
from lightservices.emergency.refusals import Settled
from lightservices.emergency.telling import Next, Queue
from service import clock
from service.happenings import MessageSettled, OpenId, Unfollowed
from service.wiring import Unit
from tests.lightservices.emergency.duty import IN_ZHONGSHAN, IN_ZHUHAI, LI, WANG, opened
from tests.lightservices.emergency.test_messages import writer

FEW = "不到 10 人"


@pytest.fixture
def told(bank: Unit) -> Iterator[Unit]:
    """The bank with a template set up."""
    before = bank.wiring.settings
    fields = "thing1=headline,time2=ends_at,phrase3=state,thing4=message"
    configured = replace(before, emergency_template_id="T1", emergency_template_fields=fields)
    object.__setattr__(bank.wiring, "settings", configured)
    yield bank
    object.__setattr__(bank.wiring, "settings", before)


def furnished(unit: Unit, **changed: Any) -> Record:
    """Two inside who wrote, three who did not, of whom one had four this month; one outside."""
    for number in range(5):
        writer(unit, number, IN_ZHUHAI, wrote=number < 2)
    writer(unit, 8, IN_ZHONGSHAN, wrote=False)
    capped(unit, 4)
    return opened(unit, **changed)


def openid(number: int) -> OpenId:
    return OpenId(f"oEMERGENCYtold{number:014}")


def capped(unit: Unit, number: int, *, count: int = 4, of: str = "") -> None:
    unit.db.execute(MONTHS.insert().values(openid=openid(number), month=of or month(), count=count))


def reachable(unit: Unit, record: Record) -> dict[Channel, int]:
    return {one.channel: one.reachable for one in messages.estimates(unit, record)}


def begun(unit: Unit, record: Record, channel: Channel, event: str = messages.OPENED) -> int:
    ticked = messages.estimate(unit, record, channel).ticked
    return messages.start(unit, record.key, event, ticked=ticked, by=WANG, channel=channel)


def listed(unit: Unit, run: int) -> list[Next]:
    """Everybody this run would tell, as told."""
    queue, found = Queue(), list[Next]()
    while (one := telling.next_of(unit, run, queue)) is not None:
        telling.settle(unit, one, SENT)
        found.append(one)
    return found


def taken(unit: Unit, run: int) -> batches.Batch:
    batch = batches.next_of(unit, run)
    assert batch is not None
    return batch


def counted(unit: Unit, number: int) -> int:
    found = unit.db.execute(select(MONTHS.c.count).where(MONTHS.c.openid == openid(number)))
    return int(found.scalar() or 0)


def reported(
    unit: Unit, msg_id: str, *, sent: int, total: int, status: str = "send success"
) -> None:
    fact = MessageSettled(
        OpenId("oService"), clock.now(), kind="masssendjobfinish", message_id=msg_id,
        status=status, total=total, ready=sent, sent=sent,
    )  # fmt: skip
    unit.announce(fact)


def test_each_channel_says_whom_it_reaches_and_whom_not_and_why(told: Unit) -> None:
    record = furnished(told)
    assert reachable(told, record) == {
        Channel.SERVICE: 2, Channel.TEMPLATE: 5, Channel.MASS: 2,
    }  # fmt: skip
    by = {one.channel: dict(one.skipped) for one in messages.estimates(told, record)}
    assert by[Channel.SERVICE] == {"两天内没有给本号发过消息": 3}
    assert by[Channel.TEMPLATE] == {}
    assert by[Channel.MASS] == {
        "两天内发过消息，请用客服消息告知": 2, "本月已收到 4 条群发": 1,
    }  # fmt: skip
    mass = messages.estimate(told, record, Channel.MASS)
    assert (mass.left_today, mass.daily) == (100, 100)


def test_last_months_messages_count_for_nothing(bank: Unit) -> None:
    record = furnished(bank)
    bank.db.execute(update(MONTHS).values(month="2001-01"))
    assert reachable(bank, record)[Channel.MASS] == 3
    messages.forget_old(bank)
    assert not bank.db.execute(select(MONTHS)).all()


def test_nobody_is_told_by_two_channels(told: Unit) -> None:
    record = furnished(told)
    runs = {channel: begun(told, record, channel) for channel in Channel}
    # All three run at once, and each takes its turn.
    first = telling.next_of(told, runs[Channel.SERVICE])
    batch = taken(told, runs[Channel.MASS])
    assert first is not None
    by_template = [one.openid for one in listed(told, runs[Channel.TEMPLATE])]
    everybody = [first.openid, *batch.openids, *by_template]
    assert sorted(everybody) == [openid(number) for number in range(5)]
    assert listed(told, runs[Channel.SERVICE]) == []


def test_without_a_template_there_is_nothing_to_send_and_the_way_out_is_said(bank: Unit) -> None:
    record = furnished(bank)
    with pytest.raises(NoTemplate, match="没有配置"):
        begun(bank, record, Channel.TEMPLATE)
    assert "EMERGENCY_TEMPLATE_ID" in messages.estimate(bank, record, Channel.TEMPLATE).why_not


def test_a_template_says_what_the_emergency_says_cut_to_its_fields(told: Unit) -> None:
    record = furnished(told)
    said = notices.read(notices.written(told, record, messages.OPENED, Channel.TEMPLATE))
    assert said.template == "T1"
    assert said.data["thing1"] == "台风来了，人先安全"
    assert said.data["phrase3"] == "已开启"
    assert len(said.data["thing4"]) == 20
    assert said.data["time2"].startswith("20")
    assert said.url.endswith(record.path)


def test_a_list_takes_those_without_a_window_and_counts_their_month(bank: Unit) -> None:
    record = furnished(bank)
    capped(bank, 2, count=3, of="2001-01")
    run = begun(bank, record, Channel.MASS)
    batch = taken(bank, run)
    assert batch.openids == (openid(2), openid(3))
    assert "<a" not in batch.text
    batches.settle(bank, batch, "77")
    assert batches.next_of(bank, run) is None
    assert [counted(bank, number) for number in (2, 3, 4)] == [1, 1, 4]
    reported(bank, "77", sent=1, total=2)
    (progress,) = messages.progress(bank, record)
    assert (progress.state, progress.sent) == ("done", 2)
    assert progress.tally == reports.Tally(batches=1, reported=1, sent=1, filtered=1, failed=0)


def test_a_list_in_doubt_is_sent_again_under_the_same_key(bank: Unit) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.MASS)
    first = taken(bank, run)
    # The worker dies here, or no answer comes.
    again = taken(bank, run)
    assert again == replace(first, is_repeat=True)
    batches.settle(bank, again, "78")
    assert counted(bank, 2) == 1


def test_a_list_that_was_put_off_is_let_go_when_it_is_stopped(bank: Unit) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.MASS)
    batches.put_back(bank, taken(bank, run), "这一分钟的调用次数已用完")
    messages.stop(bank, record.key, messages.OPENED, by=LI, channel=Channel.MASS)
    assert batches.next_of(bank, run) is None
    assert reachable(bank, record)[Channel.MASS] == 2
    assert counted(bank, 2) == 0


def test_a_list_in_doubt_stays_in_doubt_when_it_is_stopped(bank: Unit) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.MASS)
    taken(bank, run)
    messages.stop(bank, record.key, messages.OPENED, by=LI, channel=Channel.MASS)
    assert batches.next_of(bank, run) is None
    (progress,) = messages.progress(bank, record)
    assert (progress.sent, progress.unsure) == (0, 2)
    assert progress.reasons == {"微信没有应答，不再重发": 2}
    assert reachable(bank, record)[Channel.MASS] == 0


def test_what_wechat_will_never_send_tells_nobody_and_takes_no_ones_month(bank: Unit) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.MASS)
    batches.give_up(bank, taken(bank, run), "管理员还没有在公众平台同意群发协议")
    (progress,) = messages.progress(bank, record)
    assert (progress.state, progress.why) == ("stopped", "管理员还没有在公众平台同意群发协议")
    assert reachable(bank, record)[Channel.MASS] == 2
    assert counted(bank, 2) == 0
    # Once that is mended, it can be started again.
    assert taken(bank, begun(bank, record, Channel.MASS)).openids == (openid(2), openid(3))


@pytest.mark.parametrize("is_early", [True, False])
def test_a_report_that_nothing_was_sent_opens_other_ways(bank: Unit, is_early: bool) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.MASS)
    batch = taken(bank, run)
    if is_early:
        reported(bank, "79", sent=0, total=2, status="err(10001)")
    batches.settle(bank, batch, "79")
    if not is_early:
        reported(bank, "79", sent=0, total=2, status="err(10001)")
    assert batches.next_of(bank, run) is None
    (progress,) = messages.progress(bank, record)
    assert (progress.state, progress.sent, progress.refused) == ("stopped", 0, 2)
    assert progress.why == "微信没有群发：涉嫌广告"
    assert reachable(bank, record)[Channel.MASS] == 2
    assert counted(bank, 2) == 0
    assert taken(bank, begun(bank, record, Channel.MASS)).openids


def test_one_alone_cannot_be_sent_a_list(bank: Unit) -> None:
    writer(bank, 1, IN_ZHUHAI, wrote=False)
    record = opened(bank)
    assert "至少要 2 人" in messages.estimate(bank, record, Channel.MASS).why_not
    with pytest.raises(NobodyLeft):
        begun(bank, record, Channel.MASS)


def test_no_list_leaves_a_single_one_over(bank: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_SMALL", 3)
    for number in range(4):
        writer(bank, number, IN_ZHUHAI, wrote=False)
    run = begun(bank, opened(bank), Channel.MASS)
    sizes = []
    while (batch := batches.next_of(bank, run)) is not None:
        sizes.append(len(batch.openids))
        batches.settle(bank, batch, f"8{len(sizes)}")
    assert sizes == [2, 2]


def test_a_window_that_wechat_finds_closed_leaves_the_follower_to_another_channel(
    bank: Unit,
) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.SERVICE)
    one = telling.next_of(bank, run)
    assert one is not None
    telling.shut(bank, one, "客服消息条数已达上限")
    assert len(listed(bank, run)) == 1
    (progress,) = messages.progress(bank, record)
    assert (progress.sent, progress.refused) == (1, 1)
    assert progress.reasons == {"客服消息条数已达上限": 1}
    assert reachable(bank, record)[Channel.MASS] == 3


def test_whoever_wechat_lets_nobody_write_to_is_not_tried_again(told: Unit) -> None:
    record = furnished(told)
    one = telling.next_of(told, begun(told, record, Channel.SERVICE))
    assert one is not None
    telling.settle(told, one, REFUSED, "对方已关闭接收消息")
    found = messages.estimate(told, record, Channel.TEMPLATE)
    assert found.reachable == 4
    assert dict(found.skipped) == {"微信不让发（如对方关闭了接收）": 1}


def test_a_run_that_was_stopped_goes_on_with_the_rest(bank: Unit) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.SERVICE)
    one = telling.next_of(bank, run)
    assert one is not None
    telling.settle(bank, one, SENT)
    messages.stop(bank, record.key, messages.OPENED, by=LI)
    assert begun(bank, record, Channel.SERVICE) == run
    assert [two.openid for two in listed(bank, run)] == [openid(1)]
    (progress,) = messages.progress(bank, record)
    assert (progress.estimate, progress.sent, progress.state) == (2, 2, "done")
    with pytest.raises(NobodyLeft):
        begun(bank, record, Channel.SERVICE)


def test_another_area_or_other_words_stop_what_was_ticked_for_the_old_ones(bank: Unit) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.SERVICE)
    content = queries.version(bank, record, 1).content
    assert content.area is not None
    changed = replace(content, body="请改走北门。")
    version = changes.amend(bank, record.key, content=changed, why="改了门", by=WANG)
    ticked = reach.assess(bank, content.area).ticked
    changes.adopt(bank, record.key, version.number, seen=version.seal, ticked=ticked, by=LI)
    assert telling.next_of(bank, run, Queue()) is None
    (progress,) = messages.progress(bank, record)
    assert (progress.state, progress.sent) == ("stopped", 0)
    assert "请核对人数后重新开始" in progress.why


def test_a_longer_end_stops_nothing(bank: Unit) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.SERVICE)
    version = changes.extend(bank, record.key, hours=24, why="未结束", by=WANG)
    area = version.content.area
    assert area is not None
    ticked = reach.assess(bank, area).ticked
    changes.adopt(bank, record.key, version.number, seen=version.seal, ticked=ticked, by=LI)
    assert telling.next_of(bank, run, Queue()) is not None


def test_whoever_left_is_forgotten_in_every_table(bank: Unit) -> None:
    record = furnished(bank)
    batch = taken(bank, begun(bank, record, Channel.MASS))
    bank.announce(Unfollowed(openid(2), clock.now()))
    batches.settle(bank, batch, "90")
    for table in (MESSAGES, MONTHS):
        assert not bank.db.execute(select(table).where(table.c.openid == openid(2))).all()


def test_two_days_after_the_end_it_is_no_news_and_a_day_later_nobody_is_kept(bank: Unit) -> None:
    record = furnished(bank)
    listed(bank, begun(bank, record, Channel.SERVICE))
    operations.close(bank, record.key, by=WANG)
    ago = clock.now() - timedelta(days=2, minutes=1)
    where = update(EMERGENCIES).where(EMERGENCIES.c.key == record.key)
    bank.db.execute(where.values(ended_at=ago))
    with pytest.raises(NotNews):
        messages.start(bank, record.key, messages.ENDED, ticked=FEW, by=WANG)
    messages.forget_old(bank)
    kept = select(func.count()).select_from(MESSAGES)
    assert bank.db.execute(kept).scalar() == 2
    bank.db.execute(where.values(ended_at=ago - timedelta(days=1)))
    messages.forget_old(bank)
    assert bank.db.execute(kept).scalar() == 0
    assert bank.db.execute(select(RUNS.c.sent)).scalar() == 2


def test_the_end_is_told_to_whoever_was_told_of_the_beginning_too(bank: Unit) -> None:
    record = furnished(bank)
    listed(bank, begun(bank, record, Channel.SERVICE))
    with pytest.raises(Settled):
        messages.start(bank, record.key, messages.ENDED, ticked=FEW, by=WANG)
    closed = operations.close(bank, record.key, by=WANG)
    assert len(listed(bank, begun(bank, closed, Channel.SERVICE, messages.ENDED))) == 2


def test_every_list_has_a_key_of_its_own(bank: Unit) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.MASS)
    batches.give_up(bank, taken(bank, run), "x")
    batches.settle(bank, taken(bank, begun(bank, record, Channel.MASS)), "91")
    (key,) = bank.db.execute(select(BATCHES.c.client_key)).scalars()
    assert len(key) == 32


def test_a_run_of_a_drill_would_tell_nobody_even_if_there_were_one(bank: Unit) -> None:
    record = furnished(bank)
    run = begun(bank, record, Channel.SERVICE)
    bank.db.execute(update(EMERGENCIES).values(drill=True))
    assert telling.next_of(bank, run) is None
    (progress,) = messages.progress(bank, record)
    assert (progress.state, progress.sent, progress.why) == ("stopped", 0, "演练不发送消息")
