"""Telling the followers inside, where WeChat lets the account write: who, how far it is, and stop.

Only those who wrote to the account within two days can be told this way, and each of them once: the
row that says so is written before the call. A drill tells nobody, ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, delete, func, select, update

from lightservices.emergency import queries
from lightservices.emergency.holding import hold, require_area
from lightservices.emergency.in_force import Emergency
from lightservices.emergency.in_force import made as emergency_made
from lightservices.emergency.models import (
    EMERGENCIES,
    MESSAGES,
    RUNS,
    MessageRow,
    Record,
    RunRow,
)
from lightservices.emergency.refusals import OtherReach, Refused, Settled
from lightservices.emergency.states import State
from lightservices.knowledge.lines import link, text
from lightservices.tickets.models import ConversationRow
from lightservices.tickets.windows import WINDOW
from regions import coverage
from regions.presence import CELLS_PER_DEGREE, Presence
from service import audit, clock
from service.db import table_of
from service.delivery import ledger, quotas
from service.happenings import OpenId, Unfollowed
from service.staff import Me
from service.wiring import Unit

#: The delivery that tells them.
TELL: Final = "emergency.tell"
OPENED, ENDED = "opened", "ended"
RUNNING, STOPPED, DONE = "running", "stopped", "done"
SENDING, SENT, REFUSED, UNSURE, OUTSIDE = "sending", "sent", "refused", "unsure", "outside"

_SEND: Final = "/cgi-bin/message/custom/send"
_PRESENCES, _HEARD = table_of(Presence), table_of(ConversationRow)
#: How many are looked at together when the next one inside is sought.
_AT_ONCE: Final = 50

#: Why this program sends no mass message, for whoever wonders.
NO_MASS: Final = (
    "没有在两天内发过消息的粉丝，微信不允许服务号直接发消息。群发每位粉丝每月最多收到 4 条，"
    "发给全部粉丝的每天一次、要管理员在微信上确认，本系统不代为群发；确有必要时，"
    "请在公众平台按菜单标签群发，并留足当月的次数。"
)


class NotInDrill(Refused):
    """A drill tells nobody."""

    way_out = "演练只展示页面、回复和菜单；真实发生时请另行提出。"

    def __init__(self) -> None:
        super().__init__("演练不发送消息")


class ToldAlready(Refused):
    """This was told once; nobody is told twice."""

    def __init__(self) -> None:
        super().__init__("这条消息已经开始发送过，不会重复发送")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What telling them would come to now."""

    #: Inside, with a window that is open.
    reachable: int
    #: Inside as far as is known, whom no message may go to.
    silent: int
    #: How many messages the day's quota still allows.
    left_today: int
    why_not: str = NO_MASS

    @property
    def ticked(self) -> str:
        """The rounded number that whoever starts it ticks."""
        return coverage.rounded(self.reachable)

    @property
    def fits(self) -> bool:
        return self.reachable <= self.left_today


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one telling has come."""

    event: str
    state: str
    estimate: int
    sent: int
    refused: int
    unsure: int
    started_by: str
    started_at: datetime
    ended_at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class Next:
    """One follower who is about to be told."""

    run: int
    openid: OpenId
    text: str


def estimate(unit: Unit, record: Record) -> Estimate:
    """Whom a message would reach now, and whom not."""
    found = _emergency(unit, record)
    counted = {"since": clock.now() - WINDOW}
    reachable = 0
    for division in coverage.divisions_of(found.covered):
        rows = unit.db.execute(_COUNTED, counted | {"division": division})
        reachable += sum(
            count for south, west, count in rows if _is_in(found, division, south, west)
        )
    inside = coverage.reach(unit, found.area, found.covered).total
    return Estimate(reachable, max(inside - reachable, 0), _left_today(unit))


def start(unit: Unit, key: str, event: str, *, ticked: str, by: Me) -> int:
    """Begin to tell the followers inside that it opened, or that it is over; the run's number.

    Args:
        ticked: the rounded number the person saw, see :attr:`Estimate.ticked`.
    """
    record = hold(unit, key)
    queries.seen_by(unit, key, by)
    require_area(unit, by, "open_emergency", queries.codes_of(unit, record))
    if record.drill:
        raise NotInDrill
    fitting = (State.OPEN,) if event == OPENED else (State.CLOSED, State.EXPIRED)
    if record.stands not in fitting or record.live is None:
        raise Settled(record.stands)
    found = estimate(unit, record)
    if found.ticked != ticked:
        raise OtherReach(found.ticked)
    content = queries.version(unit, record, record.live).content
    says = content.opened if event == OPENED else content.ended
    lines = text(says, link(unit, record.path, "查看详情")) if event == OPENED else text(says)
    run = unit.db.execute(
        unit.insert(RunRow)
        .values(
            emergency_id=record.id, event=event, text=lines.content, state=RUNNING,
            started_by=by.name, started_at=clock.now(), ended_by="", estimate=found.reachable,
            sent=0, refused=0, unsure=0, why="",
        )
        .on_conflict_do_nothing()
        .returning(RUNS.c.id)
    ).scalar()  # fmt: skip
    if run is None:
        raise ToldAlready
    ledger.request(unit, TELL, key=str(run))
    _note(unit, "tell", record, event, by, {"estimate": found.ticked})
    return int(run)


def stop(unit: Unit, key: str, event: str, *, by: Me) -> None:
    """Send nothing more from now on; what is being sent at this very moment may still arrive."""
    record = queries.seen_by(unit, key, by)
    require_area(unit, by, "close_emergency", queries.codes_of(unit, record))
    stopped = unit.db.execute(
        update(RUNS)
        .where(RUNS.c.emergency_id == record.id, RUNS.c.event == event, RUNS.c.state == RUNNING)
        .values(state=STOPPED, ended_at=clock.now(), ended_by=by.name, why="由值班人员停止")
    )
    if stopped.rowcount != 1:
        raise Settled(record.stands)
    _note(unit, "stop_telling", record, event, by, {})


def progress(unit: Unit, record: Record) -> list[Progress]:
    """How far each telling of this emergency has come, in the order they were started."""
    columns = (RUNS.c[name] for name in Progress.__slots__)
    rows = unit.db.execute(
        select(*columns).where(RUNS.c.emergency_id == record.id).order_by(RUNS.c.id)
    )
    return [Progress(*row) for row in rows]


def next_of(unit: Unit, run: int) -> Next | None:
    """The next follower to be told, marked as being told; None when nobody is left, or stopped.

    Asked before every single message, so that a stop counts from the next one on.
    """
    row = unit.db.execute(select(*RUNS.c).where(RUNS.c.id == run).with_for_update()).one_or_none()
    if row is None or row.state != RUNNING:
        return None
    record = _record(unit, row.emergency_id)
    if row.event == OPENED and record.stands is not State.OPEN:
        _end(unit, run, STOPPED, "应急专区已经结束")
        return None
    found = _emergency(unit, record)
    while candidates := unit.db.execute(
        _next(found), {"run": run, "since": clock.now() - WINDOW}
    ).all():
        for one in candidates:
            inside = _is_in(found, one.division, one.cell_south, one.cell_west)
            _mark(unit, run, one.openid, SENDING if inside else OUTSIDE)
            if inside:
                return Next(run, OpenId(one.openid), row.text)
    _end(unit, run, DONE, "")
    return None


def settle(unit: Unit, told: Next, state: str, why: str = "") -> None:
    """What became of one message."""
    unit.db.execute(
        update(MESSAGES)
        .where(MESSAGES.c.run_id == told.run, MESSAGES.c.openid == told.openid)
        .values(state=state, why=why[:200], at=clock.now())
    )
    unit.db.execute(update(RUNS).where(RUNS.c.id == told.run).values({state: RUNS.c[state] + 1}))


def put_back(unit: Unit, told: Next) -> None:
    """It was not sent, for certain: it may be later."""
    unit.db.execute(
        delete(MESSAGES).where(MESSAGES.c.run_id == told.run, MESSAGES.c.openid == told.openid)
    )


def doubt(unit: Unit, run: int) -> None:
    """Whoever was being told when a worker died may have been: they are not told again."""
    left = unit.db.execute(
        update(MESSAGES)
        .where(MESSAGES.c.run_id == run, MESSAGES.c.state == SENDING)
        .values(state=UNSURE, why="发送时程序中断，不再重发")
    ).rowcount
    if left:
        unit.db.execute(update(RUNS).where(RUNS.c.id == run).values(unsure=RUNS.c.unsure + left))


def forget(unit: Unit, fact: Unfollowed) -> None:
    """The follower left; how many were told stays, whom is forgotten."""
    unit.db.execute(delete(MESSAGES).where(MESSAGES.c.openid == fact.openid))


def forget_old(unit: Unit) -> None:
    """A chore: whom a telling concerned is nobody's business once it is over for two days."""
    over = select(RUNS.c.id).where(RUNS.c.ended_at < clock.now() - WINDOW)
    unit.db.execute(delete(MESSAGES).where(MESSAGES.c.run_id.in_(over)))


_OPEN_WINDOW: Final = _HEARD.c.heard_at > bindparam("since", type_=_HEARD.c.heard_at.type)
_COUNTED: Final = (
    select(_PRESENCES.c.cell_south, _PRESENCES.c.cell_west, func.count())
    .join_from(_PRESENCES, _HEARD, _PRESENCES.c.openid == _HEARD.c.openid)
    .where(_PRESENCES.c.division == bindparam("division"), _OPEN_WINDOW)
    .group_by(_PRESENCES.c.cell_south, _PRESENCES.c.cell_west)
)


def _next(found: Emergency) -> Select[Any]:
    told = select(MESSAGES.c.openid).where(
        MESSAGES.c.run_id == bindparam("run"), MESSAGES.c.openid == _HEARD.c.openid
    )
    return (
        select(
            _HEARD.c.openid, _PRESENCES.c.division, _PRESENCES.c.cell_south, _PRESENCES.c.cell_west
        )
        .join_from(_HEARD, _PRESENCES, _PRESENCES.c.openid == _HEARD.c.openid)
        .where(
            _OPEN_WINDOW,
            _PRESENCES.c.division.in_(coverage.divisions_of(found.covered)),
            ~told.exists(),
        )
        .limit(_AT_ONCE)
    )


def _is_in(found: Emergency, division: str, south: int | None, west: int | None) -> bool:
    position = None
    if south is not None and west is not None:
        position = ((south + 0.5) / CELLS_PER_DEGREE, (west + 0.5) / CELLS_PER_DEGREE)
    return found.holds(division, position)


def _emergency(unit: Unit, record: Record) -> Emergency:
    """The emergency by the version in force, or the one that was last."""
    version = queries.version(unit, record, record.live or 1)
    present = clock.now()
    return emergency_made(
        version.content, version.covered, id=record.id, key=record.key, drill=record.drill,
        number=version.number, branches=version.branches, opened_at=record.opened_at or present,
        ends_at=record.ends_at or present, since=version.decided_at or version.proposed_at,
    )  # fmt: skip


def _record(unit: Unit, emergency_id: int) -> Record:
    key = unit.db.execute(select(EMERGENCIES.c.key).where(EMERGENCIES.c.id == emergency_id))
    found = queries.find(unit, key.scalar_one())
    assert found is not None
    return found


def _mark(unit: Unit, run: int, openid: str, state: str) -> None:
    unit.db.execute(
        unit.insert(MessageRow).values(
            run_id=run, openid=openid, state=state, why="", at=clock.now()
        )
    )


def _end(unit: Unit, run: int, state: str, why: str) -> None:
    unit.db.execute(
        update(RUNS).where(RUNS.c.id == run).values(state=state, ended_at=clock.now(), why=why)
    )


def _left_today(unit: Unit) -> int:
    for row in quotas.used_today(unit):
        if row.path == _SEND:
            limit = row.learned or quotas.DEFAULTS[_SEND]
            return 0 if row.spent else max(limit - row.reserved, 0)
    return quotas.DEFAULTS[_SEND]


def _note(unit: Unit, act: str, record: Record, event: str, by: Me, after: dict[str, Any]) -> None:
    audit.note(
        unit, actor=by, act=f"emergency.{act}", subject=f"emergency:{record.key}",
        branch=record.branch_code, after={"event": event, **after},
    )  # fmt: skip
