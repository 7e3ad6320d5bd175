"""Telling followers one at a time: who is next, what became of it, and what a crash leaves behind.

Asked before every single message, so that a stop counts from the next one on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row, delete, literal, literal_column, select, update

from lightservices.emergency import notices, queries, recipients
from lightservices.emergency.in_force import Emergency
from lightservices.emergency.message_models import MESSAGES, RUNS, MessageRow
from lightservices.emergency.messages import (
    DONE,
    OPENED,
    RUNNING,
    STOPPED,
    emergency_of,
    is_old,
)
from lightservices.emergency.models import EMERGENCIES, Record
from lightservices.emergency.recipients import (
    OPENID,
    REFUSED,
    SENDING,
    UNSURE,
    Channel,
    holds,
    still_waiting,
)
from lightservices.emergency.states import State
from lightservices.tickets.models import ConversationRow
from service import clock
from service.db import planned_anew, table_of
from service.happenings import OpenId
from service.wiring import Unit

#: How many are looked at together when the next one to be told is sought.
_AHEAD: Final = 1_000
#: So often in one transaction: others want to write as well, and a stop wants to be seen.
_LOOKS: Final = 5

_HEARD = table_of(ConversationRow)
#: Written out, or SQLite would not see that its index is meant.
_IS_SENDING: Final = MESSAGES.c.state == literal_column(f"'{SENDING}'")


@dataclass(frozen=True, slots=True)
class Next:
    """One follower who is about to be told, and what by which channel."""

    run: int
    openid: OpenId
    text: str
    channel: Channel = Channel.SERVICE


@dataclass(slots=True)
class Queue:
    """Those a worker has read ahead; only who is marked as being told is taken by it.

    It goes round: from whom it took last to the end and, for those who came meanwhile, from the
    start back to them. Once that finds nobody, it is over.
    """

    ahead: deque[Any] = field(default_factory=deque)
    #: Whom was taken last, and as far as whom it has read.
    last: str = ""
    after: str = ""
    #: Whether it has been at the end since it took somebody.
    is_round: bool = False
    #: Nobody is left, or it was stopped.
    is_over: bool = False

    def took(self, openid: str) -> None:
        self.last, self.is_round = openid, False


@dataclass(frozen=True, slots=True)
class Course:
    """A run that may go on, and the emergency it tells of."""

    run: Any
    record: Record
    found: Emergency

    @property
    def channel(self) -> Channel:
        return Channel(self.run.channel)


def course_of(unit: Unit, run: int) -> Course | None:
    """The run, held until the transaction ends; None when it was stopped, or has to stop."""
    row = unit.db.execute(select(*RUNS.c).where(RUNS.c.id == run).with_for_update()).one_or_none()
    if row is None or row.state != RUNNING:
        return None
    record = _record(unit, row)
    if why := _why_not(unit, row, record):
        end(unit, run, STOPPED, why)
        return None
    return Course(row, record, emergency_of(unit, record))


def glance(unit: Unit, run: int) -> Course | None:
    """The same by a look that holds nothing and ends nothing."""
    row = unit.db.execute(select(*RUNS.c).where(RUNS.c.id == run)).one_or_none()
    if row is None or row.state != RUNNING:
        return None
    record = _record(unit, row)
    found = None if _why_not(unit, row, record) else emergency_of(unit, record)
    return Course(row, record, found) if found else None


def next_of(unit: Unit, run: int, queue: Queue | None = None) -> Next | None:
    """The next follower to be told, marked as being told.

    None when nobody is left, or it was stopped; and when nobody was found among so many, while the
    queue is not over: then it is asked again, in a transaction of its own.
    """
    queue = queue or Queue()
    course = course_of(unit, run)
    if course is None:
        queue.is_over = True
        return None
    for _ in range(_LOOKS):
        while queue.ahead:
            one = queue.ahead.popleft()
            inside = holds(course.found, one.division, one.cell_south, one.cell_west)
            if inside and marked(unit, course, (one.openid,)):
                queue.took(one.openid)
                return Next(run, OpenId(one.openid), course.run.text, course.channel)
        if not _read(unit, course, queue):
            queue.is_over = True
            end(unit, run, DONE, "")
            return None
    return None


def queue_of(unit: Unit, run: int) -> Queue:
    """A queue that goes on where the run has come to."""
    last = unit.db.execute(select(RUNS.c.last_openid).where(RUNS.c.id == run)).scalar() or ""
    return Queue(last=last, after=last)


def keep(unit: Unit, run: int, last: str) -> None:
    """Write down how far a run has come, for the next worker; nothing of one that is over, nor of
    whoever left meanwhile."""
    where = (RUNS.c.id == run, RUNS.c.state == RUNNING)
    ours = select(MESSAGES.c.openid).where(MESSAGES.c.run_id == run, MESSAGES.c.openid == last)
    kept = unit.db.execute(ours).scalar() or ""
    unit.db.execute(update(RUNS).where(*where).values(last_openid=kept))


def marked(unit: Unit, course: Course, openids: Collection[str], **more: Any) -> list[OpenId]:
    """Who of these is ours now; not whom another channel was faster with, or who is gone."""
    still = still_waiting(course.found, course.channel, course.run.event, openids)
    row = {
        "emergency_id": course.record.id, "event": course.run.event, "run_id": course.run.id,
        "state": SENDING, "at": clock.now(), **more,
    }  # fmt: skip
    values = [literal(value, MESSAGES.c[name].type) for name, value in row.items()]
    chosen = still.with_only_columns(OPENID, *values, maintain_column_froms=True).order_by(None)
    taking = (
        unit.insert(MessageRow)
        .from_select(["openid", *row], chosen)
        .on_conflict_do_nothing()
        .returning(MESSAGES.c.openid)
    )
    with planned_anew(unit.db):
        return [OpenId(one) for (one,) in unit.db.execute(taking)]


def settle(unit: Unit, told: Next, state: str, why: str = "") -> None:
    """What became of one message."""
    unit.db.execute(
        update(MESSAGES)
        .where(MESSAGES.c.run_id == told.run, MESSAGES.c.openid == told.openid)
        .values(state=state, at=clock.now())
    )
    count(unit, told.run, state, 1, why)


def count(unit: Unit, run: int, state: str, many: int, why: str = "") -> None:
    """Count so many as sent, refused or unsure; a run that gets on waits for nothing."""
    values: dict[str, Any] = {state: RUNS.c[state] + many}
    if why:
        held = select(RUNS.c.reasons).where(RUNS.c.id == run).with_for_update()
        reasons = dict(unit.db.execute(held).scalar_one())
        values["reasons"] = reasons | {why: reasons.get(why, 0) + many}
    unit.db.execute(update(RUNS).where(RUNS.c.id == run).values(values))
    unit.db.execute(update(RUNS).where(RUNS.c.id == run, RUNS.c.state == RUNNING).values(why=""))


def shut(unit: Unit, told: Next, why: str) -> None:
    """WeChat says that the window is closed or used up: another channel may still tell them."""
    put_back(unit, told)
    unit.db.execute(update(_HEARD).where(_HEARD.c.openid == told.openid).values(heard_at=None))
    count(unit, told.run, REFUSED, 1, why)


def put_back(unit: Unit, told: Next, why: str = "") -> None:
    """It was not sent, for certain: it may be later. The run says what it waits for."""
    unit.db.execute(
        delete(MESSAGES).where(MESSAGES.c.run_id == told.run, MESSAGES.c.openid == told.openid)
    )
    wait(unit, told.run, why)


def wait(unit: Unit, run: int, why: str) -> None:
    """What a run that goes on later waits for, for whoever looks at it."""
    unit.db.execute(
        update(RUNS).where(RUNS.c.id == run, RUNS.c.state == RUNNING).values(why=why[:200])
    )


def doubt(unit: Unit, run: int) -> None:
    """Whoever was being told when a worker died may have been: they are not told again."""
    left = unit.db.execute(
        update(MESSAGES)
        .where(MESSAGES.c.run_id == run, _IS_SENDING, MESSAGES.c.batch_id.is_(None))
        .values(state=UNSURE)
    ).rowcount
    if left:
        count(unit, run, UNSURE, left, "发送时程序中断，不再重发")


def end(unit: Unit, run: int, state: str, why: str) -> None:
    """The run is over, if it was not already."""
    unit.db.execute(
        update(RUNS)
        .where(RUNS.c.id == run, RUNS.c.state == RUNNING)
        .values(state=state, ended_at=clock.now(), why=why[:200], last_openid="")
    )


def _read(unit: Unit, course: Course, queue: Queue) -> bool:
    """Read on; whether there may be somebody yet."""
    found, last = recipients.following(
        unit, course.found, course.channel, course.run.event, most=_AHEAD, after=queue.after,
        until=queue.last if queue.is_round else None,
    )  # fmt: skip
    queue.ahead.extend(found)
    if last is not None:
        queue.after = last
    elif queue.is_round:
        return False
    else:
        queue.after, queue.is_round = "", True
    return True


def _why_not(unit: Unit, run: Row[Any], record: Record) -> str:
    """Why a run that was begun has to stop; "" where it may go on."""
    if record.drill:
        # None can be started; whatever else goes wrong, a drill stays silent.
        return "演练不发送消息"
    if run.event == OPENED and record.stands is not State.OPEN:
        return "应急专区已经结束"
    if is_old(record):
        return "应急专区结束已超过两天"
    if run.version != record.live and _says_otherwise(unit, run, record):
        return "内容或区域已改，请核对人数后重新开始"
    return ""


def _says_otherwise(unit: Unit, run: Row[Any], record: Record) -> bool:
    """Whether what is in force now has other words or another area than whoever began the run saw;
    a longer end alone has neither, unless the message names the end."""
    hashes = {
        queries.version(unit, record, number).hash for number in (run.version, record.live or 1)
    }
    return len(hashes) > 1 or run.text != notices.written(
        unit, record, run.event, Channel(run.channel)
    )


def _record(unit: Unit, run: Row[Any]) -> Record:
    key = unit.db.execute(select(EMERGENCIES.c.key).where(EMERGENCIES.c.id == run.emergency_id))
    found = queries.find(unit, key.scalar_one())
    assert found is not None
    return found
