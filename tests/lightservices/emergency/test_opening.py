"""Who may open, break the glass, change and close; what is refused, and what is owed afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from lightservices.emergency import changes, operations, queries
from lightservices.emergency.content import Severity
from lightservices.emergency.refusals import (
    BadContent,
    Changed,
    ChangePending,
    NoArea,
    NotAllowed,
    NotThatArea,
    NotYours,
    OtherReach,
    OwnProposal,
    ReasonMissing,
    ReviewOwed,
    Settled,
    TooLong,
)
from lightservices.emergency.states import State
from service import audit, clock
from service.delivery.ledger import Row
from service.wiring import Unit
from tests.lightservices.conftest import stand
from tests.lightservices.emergency.duty import (
    EDITOR,
    GUANGDONG,
    HOUR,
    IN_ZHUHAI,
    LI,
    READER,
    SHANGHAI,
    SHANGHAI_CITY,
    WANG,
    ZHUHAI,
    ZHUHAI_AND_A_PIECE,
    broken,
    key_of,
    opened,
    proposed,
    said,
    ticked,
)

PassTime = Callable[[timedelta], datetime]


def pages(unit: Unit) -> list[str]:
    rows = unit.db.execute(select(Row.payload).where(Row.kind == "emergency.page").order_by(Row.id))
    return [row.payload["event"] for row in rows]


def test_one_proposes_and_another_opens(bank: Unit) -> None:
    version = proposed(bank, hours=6)
    key = key_of(bank, version)
    assert queries.find(bank, key).stands is State.PROPOSED
    record = operations.open_(bank, key, seen=version.seal, ticked=ticked(bank, ZHUHAI), by=LI)
    assert record.stands is State.OPEN
    assert abs(record.ends_at - clock.now() - 6 * HOUR) < timedelta(minutes=1)
    assert record.branch_code == "B440400"
    assert pages(bank) == ["proposed", "opened"]
    assert audit.verify(bank).broken is None


def test_whoever_proposed_does_not_open(bank: Unit) -> None:
    version = proposed(bank)
    with pytest.raises(OwnProposal):
        operations.open_(
            bank, key_of(bank, version), seen=version.seal, ticked=ticked(bank, ZHUHAI), by=WANG
        )


def test_only_within_the_area_one_may_alert(bank: Unit) -> None:
    version = proposed(bank)
    seen = {"seen": version.seal, "ticked": ticked(bank, ZHUHAI)}
    with pytest.raises(NotYours):
        operations.open_(bank, key_of(bank, version), **seen, by=SHANGHAI)
    with pytest.raises(NotAllowed):
        operations.open_(bank, key_of(bank, version), **seen, by=EDITOR)
    assert operations.open_(bank, key_of(bank, version), **seen, by=GUANGDONG)


def test_an_area_that_touches_another_branch_needs_rights_there_too(bank: Unit) -> None:
    with pytest.raises(NotThatArea, match="上海"):
        proposed(bank, GUANGDONG, area=SHANGHAI_CITY)
    with pytest.raises(NotAllowed):
        proposed(bank, READER)


def test_an_editor_may_propose_what_only_duty_opens(bank: Unit) -> None:
    version = proposed(bank, EDITOR)
    with pytest.raises(NotAllowed):
        broken(bank, EDITOR)
    assert key_of(bank, version)


def test_the_approver_is_held_to_the_content_and_the_reach_they_saw(bank: Unit) -> None:
    version = proposed(bank)
    key, reach = key_of(bank, version), ticked(bank, ZHUHAI)
    with pytest.raises(Changed):
        operations.open_(bank, key, seen="0" * 64, ticked=reach, by=LI)
    stand(bank, IN_ZHUHAI)
    with pytest.raises(OtherReach, match="不到 10 人"):
        operations.open_(bank, key, seen=version.seal, ticked=reach, by=LI)
    assert operations.open_(bank, key, seen=version.seal, ticked="不到 10 人", by=LI)


def test_a_drill_s_approval_is_not_one_of_the_real_thing(bank: Unit) -> None:
    assert proposed(bank, drill=True).seal != proposed(bank).seal
    record = opened(bank, drill=True)
    version = changes.amend(bank, record.key, content=said(title="真的"), why="试", by=WANG)
    kept = changes.adopt(
        bank, record.key, version.number, seen=version.seal, ticked=ticked(bank, ZHUHAI), by=LI
    )
    assert kept.drill


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"area": None}, NoArea),
        ({"hours": 73}, BadContent),
        ({"hide": ("no-such-service",)}, BadContent),
    ],
)
def test_what_cannot_be_used_is_not_proposed(
    bank: Unit, changed: dict[str, object], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        proposed(bank, **changed)


def test_a_reason_is_asked_for(bank: Unit) -> None:
    with pytest.raises(ReasonMissing):
        operations.propose(bank, content=said(), drill=False, why=" ", by=WANG)


def test_no_and_taking_back_end_it_before_it_began(bank: Unit) -> None:
    first, second = proposed(bank), proposed(bank)
    one, two = key_of(bank, first), key_of(bank, second)
    assert operations.reject(bank, one, reason="范围太大", by=LI).stands is State.REJECTED
    assert operations.withdraw(bank, two, by=WANG).stands is State.WITHDRAWN
    for key, version in ((one, first), (two, second)):
        with pytest.raises(Settled):
            operations.open_(bank, key, seen=version.seal, ticked=ticked(bank, ZHUHAI), by=LI)


def test_it_is_opened_once(bank: Unit) -> None:
    version = proposed(bank)
    seen = {"seen": version.seal, "ticked": ticked(bank, ZHUHAI), "by": LI}
    operations.open_(bank, key_of(bank, version), **seen)
    with pytest.raises(Settled):
        operations.open_(bank, key_of(bank, version), **seen)


# Breaking the glass


def test_one_person_opens_for_two_hours_at_most_and_the_duty_list_is_told(bank: Unit) -> None:
    with pytest.raises(TooLong):
        broken(bank, hours=3)
    record = broken(bank)
    assert record.stands is State.OPEN
    assert pages(bank) == ["broke_glass"]
    assert queries.owed(bank)[0].person == "王值班"


def test_the_review_cannot_be_skipped(bank: Unit) -> None:
    record = broken(bank)
    operations.close(bank, record.key, by=WANG)
    with pytest.raises(ReviewOwed, match=record.key):
        broken(bank)
    with pytest.raises(OwnProposal):
        operations.review(bank, record.key, justified=True, words="应该的", by=WANG)
    with pytest.raises(NotYours):
        operations.review(bank, record.key, justified=True, words="应该的", by=SHANGHAI)
    with pytest.raises(ReasonMissing):
        operations.review(bank, record.key, justified=True, words="", by=LI)
    assert queries.waiting(bank, WANG).count == 1
    operations.review(bank, record.key, justified=True, words="台风已登陆", by=LI)
    assert queries.waiting(bank, WANG) is None
    assert broken(bank).stands is State.OPEN


def test_a_drill_s_debt_keeps_nobody_from_the_real_thing(bank: Unit) -> None:
    broken(bank, drill=True)
    with pytest.raises(ReviewOwed):
        broken(bank, drill=True)
    assert broken(bank).stands is State.OPEN


# Changing and ending


def test_the_old_stays_in_force_until_the_new_is_taken(bank: Unit) -> None:
    record = opened(bank, hours=6)
    version = changes.amend(
        bank, record.key, content=said(area=ZHUHAI_AND_A_PIECE), why="扩大", by=WANG
    )
    assert queries.find(bank, record.key).live == 1
    with pytest.raises(ChangePending):
        changes.extend(bank, record.key, hours=12, why="未结束", by=LI)
    with pytest.raises(OwnProposal):
        changes.adopt(bank, record.key, 2, seen=version.seal, ticked="0 人", by=WANG)
    reach = ticked(bank, ZHUHAI_AND_A_PIECE)
    now = changes.adopt(bank, record.key, 2, seen=version.seal, ticked=reach, by=LI)
    assert (now.live, now.ends_at) == (2, record.ends_at)


def test_longer_counts_from_when_it_is_taken(bank: Unit, pass_time: PassTime) -> None:
    record = opened(bank, hours=6)
    with pytest.raises(TooLong):
        changes.extend(bank, record.key, hours=100, why="未结束", by=WANG)
    version = changes.extend(bank, record.key, hours=12, why="未结束", by=WANG)
    taken = pass_time(5 * HOUR)
    now = changes.adopt(bank, record.key, 2, seen=version.seal, ticked=ticked(bank, ZHUHAI), by=LI)
    assert abs(now.ends_at - taken - 12 * HOUR) < timedelta(minutes=1)


def test_a_graver_severity_brings_the_end_nearer(bank: Unit) -> None:
    record = opened(bank, severity=Severity.NOTICE, hours=300)
    version = changes.amend(
        bank, record.key, content=said(severity=Severity.CRITICAL, hours=48), why="升级", by=WANG
    )
    now = changes.adopt(bank, record.key, 2, seen=version.seal, ticked=ticked(bank, ZHUHAI), by=LI)
    assert now.ends_at <= clock.now() + 72 * HOUR


def test_no_to_a_change_leaves_what_is_in_force(bank: Unit) -> None:
    record = opened(bank)
    changes.extend(bank, record.key, hours=12, why="未结束", by=WANG)
    assert changes.decline(bank, record.key, 2, reason="不必", by=LI).live == 1
    changes.extend(bank, record.key, hours=12, why="再试", by=WANG)
    assert changes.retract(bank, record.key, 3, by=WANG).stands is State.OPEN


def test_one_person_closes_whatever_is_pending(bank: Unit) -> None:
    record = opened(bank)
    version = changes.extend(bank, record.key, hours=12, why="未结束", by=WANG)
    with pytest.raises(NotYours):
        operations.close(bank, record.key, by=SHANGHAI)
    with pytest.raises(NotAllowed):
        operations.close(bank, record.key, by=EDITOR)
    assert operations.close(bank, record.key, by=WANG).stands is State.CLOSED
    with pytest.raises(Settled):
        changes.adopt(bank, record.key, 2, seen=version.seal, ticked=ticked(bank, ZHUHAI), by=LI)


def test_its_end_comes_by_the_clock_alone(bank: Unit, pass_time: PassTime) -> None:
    record = opened(bank, hours=6)
    version = changes.extend(bank, record.key, hours=12, why="未结束", by=WANG)
    pass_time(6 * HOUR)
    found = queries.find(bank, record.key)
    assert (found.state, found.stands) == (State.OPEN, State.EXPIRED)
    with pytest.raises(Settled):
        changes.adopt(bank, record.key, 2, seen=version.seal, ticked=ticked(bank, ZHUHAI), by=LI)
    operations.expire(bank)
    assert queries.find(bank, record.key).state is State.EXPIRED
    operations.expire(bank)
    assert pages(bank)[-1] == "expired"


def test_the_duty_list_is_told_once_before_it_ends(bank: Unit, pass_time: PassTime) -> None:
    opened(bank, hours=1)
    operations.expire(bank)
    assert "ending" not in pages(bank)
    pass_time(timedelta(minutes=40))
    operations.expire(bank)
    operations.expire(bank)
    assert pages(bank).count("ending") == 1
