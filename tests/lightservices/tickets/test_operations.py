"""A ticket's life at the desk: whose it is, when it is due, who gets it next, when it is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from lightservices.tickets import contents, operations, queries, windows
from lightservices.tickets.models import ConversationRow, TicketEventRow, TicketRow
from lightservices.tickets.queries import Asked, Ticket
from lightservices.tickets.replies import Reach
from lightservices.tickets.states import Act, NotNow, State
from service import audit, clock
from service.db import table_of
from service.happenings import OpenId, TextReceived, Unfollowed
from service.wiring import Unit
from tests.lightservices.conftest import WHO
from tests.lightservices.tickets.conftest import CLERK, COLLEAGUE, PHONE_NUMBER, Counter

TICKETS, EVENTS = table_of(TicketRow), table_of(TicketEventRow)


def late(counter: Counter, ticket: Ticket, by: timedelta = timedelta(minutes=1)) -> Ticket:
    counter.unit.db.execute(
        update(TICKETS).where(TICKETS.c.id == ticket.id).values(due_at=clock.now() - by)
    )
    return counter.again(ticket)


def acts(unit: Unit, ticket: Ticket) -> list[Act]:
    return [one.act for one in queries.history(unit, ticket)]


def test_the_same_form_sent_twice_is_one_ticket(counter: Counter) -> None:
    first, again = counter.opened(token="a" * 64), counter.opened(token="a" * 64)
    assert first == again
    assert counter.opened().number != first.number


def test_the_branch_that_serves_the_place_gets_it_and_the_clock_runs(counter: Counter) -> None:
    found = counter.opened()
    assert (found.branch, found.state, found.holder) == ("B310000", State.OPEN, "")
    assert found.due_at > found.opened_at
    assert counter.opened(category="举报").branch == "HQ"


def test_nothing_anybody_wrote_lies_open_in_the_database(counter: Counter) -> None:
    found = counter.opened()
    operations.say(counter.unit, found, words="我再补充一句")
    rows = [*counter.unit.db.execute(select(TICKETS)), *counter.unit.db.execute(select(EVENTS))]
    kept = "".join(map(repr, rows))
    assert PHONE_NUMBER not in kept
    assert "柜员" not in kept
    assert "补充一句" not in kept
    assert found.content.phone == PHONE_NUMBER
    assert PHONE_NUMBER not in repr(found)


def test_under_another_key_a_ticket_says_that_it_is_lost(counter: Counter) -> None:
    found = counter.opened()
    row = update(TICKETS).where(TICKETS.c.id == found.id).values(sealed="gAAAAnothing")
    counter.unit.db.execute(row)
    assert counter.again(found).content.answers[0][1] == contents.LOST


def test_it_is_taken_answered_and_closed_and_every_step_is_in_the_audit(counter: Counter) -> None:
    unit, found = counter.unit, counter.opened()
    operations.take(unit, found, by=CLERK)
    operations.answer(unit, counter.again(found), words="查过了", by=CLERK)
    operations.close(unit, counter.again(found), why="已解决", by=CLERK)
    unit.flush()
    closed = counter.again(found)
    assert (closed.state, closed.holder) == (State.CLOSED, CLERK.login)
    assert closed.answered_at is not None
    assert acts(unit, closed) == [Act.OPEN, Act.TAKE, Act.ANSWER, Act.CLOSE]
    entries = audit.search(unit, audit.Filters(subject=f"ticket:{found.number}"))
    assert {one.act for one in entries} == {"ticket.take", "ticket.answer", "ticket.close"}
    assert all("查过了" not in f"{one.before}{one.after}{one.why}" for one in entries)


def test_a_colleague_takes_over_before_answering(counter: Counter) -> None:
    unit, found = counter.unit, counter.opened()
    operations.take(unit, found, by=CLERK)
    with pytest.raises(NotNow, match="同事"):
        operations.answer(unit, counter.again(found), words="好", by=COLLEAGUE)
    operations.take(unit, counter.again(found), by=COLLEAGUE)
    operations.answer(unit, counter.again(found), words="好", by=COLLEAGUE)
    assert counter.again(found).holder == COLLEAGUE.login


def test_whoever_acts_on_what_they_saw_too_late_is_told(counter: Counter) -> None:
    unit, seen = counter.unit, counter.opened()
    operations.take(unit, seen, by=CLERK)
    with pytest.raises(NotNow, match="刚刚有了变化"):
        operations.take(unit, seen, by=COLLEAGUE)


def test_a_follower_who_comes_back_opens_it_again_for_whoever_had_it(counter: Counter) -> None:
    unit, found = counter.unit, counter.opened()
    operations.answer(unit, found, words="好", by=CLERK)
    late(counter, found)
    operations.say(unit, counter.again(found), words="还是不行")
    again = counter.again(found)
    assert (again.state, again.holder, again.is_overdue) == (State.TAKEN, CLERK.login, False)


def test_after_a_month_a_closed_ticket_stays_closed(counter: Counter) -> None:
    unit, found = counter.unit, counter.opened()
    operations.settle(unit, found)
    old = clock.now() - operations.REOPEN_WITHIN - timedelta(hours=1)
    unit.db.execute(update(TICKETS).where(TICKETS.c.id == found.id).values(closed_at=old))
    with pytest.raises(NotNow, match="30 天"):
        operations.say(unit, counter.again(found), words="又来了")


def test_it_is_handed_to_another_branch_but_not_to_its_own_or_nobody(counter: Counter) -> None:
    unit, found = counter.unit, counter.opened()
    for nowhere in ("B310000", "B999999"):
        with pytest.raises(NotNow, match="另一家"):
            operations.hand(unit, found, to=nowhere, why="错了", by=CLERK)
    operations.hand(unit, found, to="B440000", why="广州的事", by=CLERK)
    handed = counter.again(found)
    assert (handed.branch, handed.state, handed.holder) == ("B440000", State.OPEN, "")


def test_what_is_overdue_goes_up_once_and_never_beyond_head_office(counter: Counter) -> None:
    unit = counter.unit
    found = late(counter, counter.opened())
    fresh = counter.opened()
    operations.escalate_overdue(unit)
    up = counter.again(found)
    assert (up.branch, up.escalated_at is not None, up.is_overdue) == ("HQ", True, False)
    assert counter.again(fresh).branch == "B310000"
    late(counter, up)
    operations.escalate_overdue(unit)
    operations.escalate_overdue(unit)
    assert acts(unit, up).count(Act.ESCALATE) == 1
    head = late(counter, counter.opened(branch="HQ"))
    operations.escalate_overdue(unit)
    operations.escalate_overdue(unit)
    assert acts(unit, head).count(Act.ESCALATE) == 1


def test_an_answered_ticket_is_never_escalated(counter: Counter) -> None:
    found = counter.opened()
    operations.answer(counter.unit, found, words="好", by=CLERK)
    late(counter, found)
    operations.escalate_overdue(counter.unit)
    assert counter.again(found).branch == "B310000"


def test_who_leaves_takes_everything_along_and_nobody_elses(counter: Counter) -> None:
    unit = counter.unit
    mine, guests = counter.opened(), counter.opened(openid=None)
    operations.say(unit, mine, words="再说一句")
    unit.announce(Unfollowed(WHO, clock.now()))
    assert queries.find(unit, mine.number) is None
    assert not unit.db.execute(select(EVENTS).where(EVENTS.c.ticket_id == mine.id)).all()
    assert queries.find(unit, guests.number) is not None


def test_half_a_year_after_its_end_a_ticket_is_erased(counter: Counter) -> None:
    unit = counter.unit
    old, recent, waiting = counter.opened(), counter.opened(), counter.opened()
    for found, days in ((old, 181), (recent, 179)):
        operations.settle(unit, found)
        at = clock.now() - timedelta(days=days)
        unit.db.execute(update(TICKETS).where(TICKETS.c.id == found.id).values(closed_at=at))
    operations.forget_old(unit)
    left = {one.number for one in queries.listing(unit, Asked(branches=None, view="all"))}
    assert left == {recent.number, waiting.number}


def test_somebody_who_left_meanwhile_leaves_a_ticket_without_a_name(counter: Counter) -> None:
    counter.unit.announce(Unfollowed(WHO, clock.now()))
    assert counter.opened().openid is None


def test_figures_count_what_is_owed_late_and_how_long_an_answer_took(counter: Counter) -> None:
    unit = counter.unit
    counter.opened()
    late(counter, counter.opened())
    quick = counter.opened()
    operations.answer(unit, quick, words="好", by=CLERK)
    begun = clock.now() - timedelta(hours=3)
    unit.db.execute(update(TICKETS).where(TICKETS.c.id == quick.id).values(opened_at=begun))
    found = next(one for one in queries.figures(unit, {"B310000"}) if one.branch == "B310000")
    assert (found.open, found.overdue, found.answered) == (2, 1, 1)
    assert found.median is not None
    assert timedelta(hours=2.9) < found.median < timedelta(hours=3.1)
    assert queries.figures(unit, {"B440000"}) == []
    assert queries.count_owed(unit, None) == queries.count_owed(unit, {"B310000"}) == 2


def test_the_desk_finds_a_caller_by_their_number_without_keeping_it(counter: Counter) -> None:
    found = counter.opened()
    counter.opened(phone="13900139000")
    asked = Asked(branches=None, view="all", phone=PHONE_NUMBER)
    assert [one.number for one in queries.listing(counter.unit, asked)] == [found.number]


# The window


def heard(ago: timedelta) -> TextReceived:
    return TextReceived(WHO, clock.now() - ago, content="在吗")


def reach(unit: Unit, ticket: Ticket) -> Reach | None:
    return queries.history(unit, ticket)[-1].reach


@pytest.mark.parametrize(
    ("ago", "expected"),
    [(timedelta(hours=1), Reach.READY), (timedelta(hours=47), Reach.READY),
     (timedelta(hours=48, minutes=1), Reach.HELD)],
)  # fmt: skip
def test_an_answer_goes_at_once_or_waits_as_the_window_stands(
    counter: Counter, ago: timedelta, expected: Reach
) -> None:
    unit, found = counter.unit, counter.opened()
    unit.announce(heard(ago))
    assert operations.answer(unit, found, words="好", by=CLERK) is expected
    assert reach(unit, found) is expected


def test_what_is_never_heard_of_is_tried_once(counter: Counter) -> None:
    assert operations.answer(counter.unit, counter.opened(), words="好", by=CLERK) is Reach.READY


def test_a_guest_is_answered_on_the_page_alone(counter: Counter) -> None:
    found = counter.opened(openid=None)
    assert operations.answer(counter.unit, found, words="好", by=CLERK) is None
    assert reach(counter.unit, found) is None


def test_times_are_kept_coarsely_and_forgotten_when_they_open_nothing(counter: Counter) -> None:
    unit = counter.unit
    unit.announce(heard(timedelta(minutes=3)))
    kept = unit.db.execute(select(ConversationRow.heard_at)).scalar_one()
    assert kept is not None
    assert kept.minute % 10 == kept.second == 0
    assert windows.look(unit, WHO).is_open
    windows.forget_old(unit)
    assert windows.look(unit, WHO).is_known
    unit.announce(heard(timedelta(hours=50)))
    windows.forget_old(unit)
    assert not windows.look(unit, WHO).is_known


def test_nobody_who_left_is_written_down_to_wait_for(counter: Counter) -> None:
    windows.wait(counter.unit, OpenId("oLeftLongAgo0000000000000001"), is_shut=True)
    assert not counter.unit.db.execute(select(ConversationRow.openid)).all()
