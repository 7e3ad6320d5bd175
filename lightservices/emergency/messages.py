"""Telling the followers inside: how many by each channel, started by a person, stopped by a person.

Each of them is told once, over all channels: the row that says so is written before the call. A
drill tells nobody, ever. One follower at a time is in :mod:`lightservices.emergency.telling`, mass
messages are in :mod:`lightservices.emergency.batches`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, or_, select, update

from lightservices.emergency import forgetting, notices, queries, recipients, unsent
from lightservices.emergency.holding import hold, legible, require_area
from lightservices.emergency.in_force import Emergency
from lightservices.emergency.in_force import made as emergency_made
from lightservices.emergency.message_models import MESSAGES, MONTHS, REPORTS, RUNS, RunRow
from lightservices.emergency.message_refusals import (
    NobodyLeft,
    NoTemplate,
    NotInDrill,
    NotNews,
    ToldAlready,
)
from lightservices.emergency.models import EMERGENCIES, Record
from lightservices.emergency.recipients import Channel, Inside
from lightservices.emergency.refusals import Changed, OtherReach, Settled
from lightservices.emergency.reports import Tally, tallies
from lightservices.emergency.states import State
from regions import coverage
from service import audit, clock
from service.db import table_of
from service.delivery import ledger, quotas
from service.happenings import Unfollowed
from service.staff import Me
from service.wechat.gateway import MASS_LEAST, MASS_MOST
from service.wiring import Unit

#: The delivery that tells them.
TELL: Final = "emergency.tell"
OPENED, ENDED = "opened", "ended"
EVENTS: Final[Mapping[str, str]] = {OPENED: "开启通知", ENDED: "结束通知"}
CHANNELS: Final[Mapping[Channel, str]] = {
    Channel.SERVICE: "客服消息",
    Channel.TEMPLATE: "模板消息",
    Channel.MASS: "按名单群发",
}
RUNNING, STOPPED, DONE = "running", "stopped", "done"

_PATHS: Final[Mapping[Channel, str]] = {
    Channel.SERVICE: "/cgi-bin/message/custom/send",
    Channel.TEMPLATE: "/cgi-bin/message/template/send",
    Channel.MASS: "/cgi-bin/message/mass/send",
}
#: For so long after the end followers may be told that it is over; later it is no news.
NEWS: Final = timedelta(days=2)
#: Whom it concerned is kept a day longer, for messages that were under way.
_KEPT: Final = NEWS + timedelta(days=1)
_REPORTS_KEPT: Final = timedelta(days=30)
_LEDGER: Final = table_of(ledger.Row)
#: How a telling stands that nobody goes on with.
_STUCK: Final[Mapping[str, str]] = {"state": STOPPED, "why": "发送中断了，请重新开始，不会重复发送"}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What telling them by one channel would come to now."""

    channel: Channel
    reachable: int
    #: The reason and the number of those this channel leaves out.
    skipped: tuple[tuple[str, int], ...]
    #: How many calls the day's quota still allows, and of how many; a mass message to thousands is
    #: one call.
    left_today: int
    daily: int
    why_not: str

    @property
    def silent(self) -> int:
        """Inside as far as is known, whom this channel tells nothing."""
        return sum(count for _why, count in self.skipped)

    @property
    def ticked(self) -> str:
        """The rounded number that whoever starts it ticks."""
        return coverage.rounded(self.reachable)

    @property
    def fits(self) -> bool:
        """Whether the day's quota lets all of them be told today."""
        if self.channel is Channel.MASS:
            return self.reachable <= self.left_today * MASS_MOST
        return self.reachable <= self.left_today


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is about to be started, as it was when it was counted."""

    record: Record
    event: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one telling has come."""

    id: int
    event: str
    channel: str
    state: str
    estimate: int
    sent: int
    refused: int
    unsure: int
    started_by: str
    started_at: datetime
    ended_at: datetime | None
    ended_by: str
    why: str
    #: Why followers were refused or are unsure, and how many of them each time.
    reasons: Mapping[str, int]
    #: What WeChat reported of mass messages; of other channels there is no report.
    tally: Tally | None = None


def event_of(record: Record) -> str | None:
    """What may be told of it now: that it opened, that it is over, or nothing."""
    if record.drill or record.live is None:
        return None
    if record.stands is State.OPEN:
        return OPENED
    over = record.stands in (State.CLOSED, State.EXPIRED)
    return ENDED if over and not is_old(record) else None


def is_old(record: Record) -> bool:
    """Whether it has been over for so long that nobody is told any more."""
    end = record.ended_at or record.ends_at
    return record.stands is not State.OPEN and end is not None and end < clock.now() - NEWS


def estimate(unit: Unit, record: Record, channel: Channel = Channel.SERVICE) -> Estimate:
    """Whom a message by this channel would reach now, and whom not."""
    event = event_of(record) or OPENED
    return judged(unit, recipients.inside(unit, emergency_of(unit, record), event), channel)


def estimates(unit: Unit, record: Record) -> list[Estimate]:
    """The same for every channel, counted once."""
    event = event_of(record) or OPENED
    found = recipients.inside(unit, emergency_of(unit, record), event)
    return [judged(unit, found, channel) for channel in Channel]


def judged(unit: Unit, found: Inside, channel: Channel) -> Estimate:
    """What the channel makes of those inside."""
    left, daily = quotas.left_today(unit, _PATHS[channel])
    reachable = found.reachable(channel)
    why_not = ""
    if channel is Channel.TEMPLATE and not unit.settings.emergency_template_id:
        why_not = f"{NoTemplate().says}。{NoTemplate.way_out}"
    elif channel is Channel.MASS and 0 < reachable < MASS_LEAST:
        why_not = f"按名单群发至少要 {MASS_LEAST} 人，现在不够。"
    elif not reachable:
        why_not = "现在没有可以用这个渠道告知的粉丝。"
    elif not left:
        why_not = "今天的次数已用完，零点以后再发。"
    return Estimate(channel, reachable, found.skipped(channel), left, daily, why_not)


def start(
    unit: Unit, key: str, event: str, *, ticked: str, by: Me, channel: Channel = Channel.SERVICE
) -> int:
    """Weigh and begin in one; the run's number. See :func:`weigh`, :func:`begin`."""
    weighed = weigh(unit, key, event, ticked=ticked, by=by, channel=channel)
    return begin(unit, weighed, by=by)


def weigh(
    unit: Unit, key: str, event: str, *, ticked: str, by: Me, channel: Channel = Channel.SERVICE
) -> Weighed:
    """Count those inside for whoever is about to start a telling, and check what they ticked.

    This takes long where there are many. It holds nothing, so that the emergency can be closed
    meanwhile; outside of a transaction it keeps nobody from writing either.

    Args:
        ticked: the rounded number the person saw, see :attr:`Estimate.ticked`.
    """
    record = queries.seen_by(unit, key, by)
    require_area(unit, by, "open_emergency", queries.codes_of(unit, record))
    _require_news(record, event)
    if channel is Channel.TEMPLATE and not unit.settings.emergency_template_id:
        raise NoTemplate
    found = estimate(unit, record, channel)
    if found.ticked != ticked:
        raise OtherReach(found.ticked)
    if found.reachable < (MASS_LEAST if channel is Channel.MASS else 1):
        raise NobodyLeft
    return Weighed(record, event, found)


def begin(unit: Unit, weighed: Weighed, *, by: Me) -> int:
    """Begin to tell the followers inside that it opened, or that it is over; the run's number.

    A run that has ended goes on with whoever was not told yet.
    """
    record, event, found = hold(unit, weighed.record.key), weighed.event, weighed.estimate
    require_area(unit, by, "open_emergency", queries.codes_of(unit, record))
    _require_news(record, event)
    if (record.revision, record.live) != (weighed.record.revision, weighed.record.live):
        raise Changed
    end_stuck(unit)
    run = _begun(unit, record, event, found, by)
    if run is None:
        raise ToldAlready
    ask(unit, run, found.channel)
    after = {"channel": found.channel.value, "estimate": found.ticked}
    _note(unit, "tell", record, event, by, after)
    return run


def stop(unit: Unit, key: str, event: str, *, by: Me, channel: Channel = Channel.SERVICE) -> None:
    """Send nothing more from now on; what is being sent at this very moment may still arrive."""
    record = queries.seen_by(unit, key, by)
    require_area(unit, by, "close_emergency", queries.codes_of(unit, record))
    stopped = unit.db.execute(
        update(RUNS)
        .where(
            RUNS.c.emergency_id == record.id, RUNS.c.event == event,
            RUNS.c.channel == channel, RUNS.c.state == RUNNING,
        )
        .values(
            state=STOPPED, ended_at=clock.now(), ended_by=by.name, why="由值班人员停止",
            last_openid="",
        )
        .returning(RUNS.c.id)
    )  # fmt: skip
    runs = stopped.scalars().all()
    if not runs:
        raise Settled(record.stands)
    unsent.let_go_waiting(unit, runs)
    _note(unit, "stop_telling", record, event, by, {"channel": channel.value})


def ask(unit: Unit, run: int, channel: Channel, *, due: datetime | None = None) -> None:
    """Have the worker go on with this run.

    What is spent of one channel must not hold another one up. Mass messages go one after another,
    whatever they are about: WeChat takes only so many a minute.
    """
    lane = {Channel.SERVICE: "", Channel.TEMPLATE: f"template:{run}", Channel.MASS: "mass"}[channel]
    ledger.request(unit, TELL, key=str(run), lane=lane, due=due)


def channel_of(unit: Unit, run: int) -> Channel | None:
    """By which channel a run tells; None for one that is not there."""
    found = unit.db.execute(select(RUNS.c.channel).where(RUNS.c.id == run)).scalar()
    return Channel(found) if found else None


def progress(unit: Unit, record: Record) -> list[Progress]:
    """How far each telling of this emergency has come, in the order they were started."""
    names = [name for name in Progress.__slots__ if name != "tally"]
    rows = unit.db.execute(
        select(*(RUNS.c[name] for name in names))
        .where(RUNS.c.emergency_id == record.id)
        .order_by(RUNS.c.id)
    ).all()
    stuck = _stuck(unit, [row.id for row in rows if row.state == RUNNING])
    return [
        Progress(
            **{**row._mapping, **(_STUCK if row.id in stuck else {})},
            tally=tallies(unit, row.id) if _is_mass(row) else None,
        )
        for row in rows
    ]


def emergency_of(unit: Unit, record: Record) -> Emergency:
    """The emergency by the version in force, or the one that was last."""
    version = queries.version(unit, record, record.live or 1)
    present = clock.now()
    return emergency_made(
        legible(version), version.covered, id=record.id, key=record.key, drill=record.drill,
        number=version.number, branches=version.branches, opened_at=record.opened_at or present,
        ends_at=record.ends_at or present, since=version.decided_at or version.proposed_at,
    )  # fmt: skip


def forget(unit: Unit, fact: Unfollowed) -> None:
    """The follower left; how many were told stays, whom is forgotten."""
    for table in (MESSAGES, MONTHS):
        unit.db.execute(delete(table).where(table.c.openid == fact.openid))
    # A run that came as far as them starts from the beginning: who was told is passed over.
    unit.db.execute(update(RUNS).where(RUNS.c.last_openid == fact.openid).values(last_openid=""))


def forget_old(unit: Unit) -> None:
    """A chore: whom a telling concerned is nobody's business once nothing more may be told of it,
    nor is how often anybody was written to in a month that is over."""
    limit = clock.now() - _KEPT
    over = select(EMERGENCIES.c.id).where(
        or_(EMERGENCIES.c.ended_at < limit, EMERGENCIES.c.ends_at < limit)
    )
    old = (
        (MESSAGES, MESSAGES.c.emergency_id.in_(over)),
        (MONTHS, MONTHS.c.month != recipients.month()),
        (REPORTS, REPORTS.c.at < clock.now() - _REPORTS_KEPT),
    )
    forgetting.in_strides(unit, old)
    unit.db.execute(update(RUNS).where(RUNS.c.emergency_id.in_(over)).values(last_openid=""))


def _stuck(unit: Unit, running: Collection[int]) -> set[int]:
    """Which of these running tellings nobody goes on with: their delivery failed for good."""
    if not running:
        return set()
    asked = unit.db.execute(
        select(_LEDGER.c.key).where(
            _LEDGER.c.kind == TELL,
            _LEDGER.c.key.in_([str(run) for run in running]),
            _LEDGER.c.state.in_((ledger.WAITING, ledger.RUNNING)),
        )
    )
    return set(running) - {int(key) for (key,) in asked}


def end_stuck(unit: Unit) -> None:
    """A chore: a telling whose delivery failed for good is over, and whoever was on a list of it
    that was not sent may be told again."""
    running = unit.db.execute(select(RUNS.c.id).where(RUNS.c.state == RUNNING)).scalars().all()
    stuck = _stuck(unit, running)
    ended = update(RUNS).where(RUNS.c.id.in_(stuck), RUNS.c.state == RUNNING)
    unit.db.execute(ended.values(**_STUCK, ended_at=clock.now(), last_openid=""))
    unsent.let_go_waiting(unit, stuck)


def _is_mass(row: Any) -> bool:
    return bool(row.channel == Channel.MASS)


def _require_news(record: Record, event: str) -> None:
    if record.drill:
        raise NotInDrill
    fitting = (State.OPEN,) if event == OPENED else (State.CLOSED, State.EXPIRED)
    if event not in EVENTS or record.stands not in fitting or record.live is None:
        raise Settled(record.stands)
    if is_old(record):
        raise NotNews


def _begun(unit: Unit, record: Record, event: str, found: Estimate, by: Me) -> int | None:
    """The run's number, once it runs; None when it is running already."""
    values: dict[str, Any] = {
        "text": notices.written(unit, record, event, found.channel),
        "version": record.live or 0, "state": RUNNING, "started_by": by.name,
        "started_at": clock.now(), "ended_at": None, "ended_by": "", "why": "",
    }  # fmt: skip
    done = RUNS.c.sent + RUNS.c.refused + RUNS.c.unsure
    run = unit.db.execute(
        unit.insert(RunRow)
        .values(
            emergency_id=record.id, event=event, channel=found.channel.value, sent=0, refused=0,
            unsure=0, reasons={}, **values, estimate=found.reachable,
        )
        .on_conflict_do_update(
            index_elements=[RunRow.emergency_id, RunRow.event, RunRow.channel],
            set_={**values, "estimate": done + found.reachable},
            where=RunRow.state != RUNNING,
        )
        .returning(RUNS.c.id)
    ).scalar()  # fmt: skip
    return None if run is None else int(run)


def _note(unit: Unit, act: str, record: Record, event: str, by: Me, after: dict[str, Any]) -> None:
    audit.note(
        unit, actor=by, act=f"emergency.{act}", subject=f"emergency:{record.key}",
        branch=record.branch_code, after={"event": event, **after},
    )  # fmt: skip
