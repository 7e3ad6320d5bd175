"""What is read of tickets: a follower's own, the desk's list, one with its history, figures."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Row, func, select

from lightservices.tickets import contents
from lightservices.tickets.contents import Content
from lightservices.tickets.models import TicketEventRow, TicketRow
from lightservices.tickets.replies import TITLES, Reach
from lightservices.tickets.states import OWED, Act, State
from service import clock
from service.db import table_of
from service.happenings import OpenId
from service.wiring import Unit

PAGE: Final = 50
#: Over how many days the time to an answer is told.
FIGURE_DAYS: Final = 30
_TICKETS, _EVENTS = table_of(TicketRow), table_of(TicketEventRow)
_ALL: Final = select(*_TICKETS.c)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One ticket; what it is about is opened when it is asked for."""

    id: int
    number: str
    category: str
    service: str
    branch: str
    openid: OpenId | None
    content: Content
    state: State
    holder: str
    opened_at: datetime
    due_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None
    escalated_at: datetime | None

    @property
    def is_overdue(self) -> bool:
        return self.state in OWED and self.due_at < clock.now()


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a ticket's history; ``actor`` is "" for the follower."""

    at: datetime
    act: Act
    actor: str
    words: str
    reach: Reach | None
    why: str

    @property
    def reach_title(self) -> str:
        return TITLES[self.reach] if self.reach else ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the desk's list, on which nothing of what anybody wrote stands."""

    number: str
    category: str
    branch: str
    state: State
    holder: str
    opened_at: datetime
    due_at: datetime
    is_escalated: bool

    @property
    def is_overdue(self) -> bool:
        return self.state in OWED and self.due_at < clock.now()


@dataclass(frozen=True, slots=True)
class Figures:
    """How one branch's desk stands; ``median`` is the time to the first answer, None for none."""

    branch: str
    open: int
    overdue: int
    answered: int
    median: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the desk looks for; ``branches`` None is all there are."""

    branches: Collection[str] | None
    view: str = "owed"
    category: str = ""
    holder: str = ""
    phone: str = ""
    page: int = 1


def find(unit: Unit, number: str) -> Ticket | None:
    row = unit.db.execute(_ALL.where(_TICKETS.c.number == number)).first()
    return _ticket(unit, row) if row else None


def of_follower(unit: Unit, openid: OpenId, *, most: int = 30) -> list[Ticket]:
    """A follower's own tickets, the newest first."""
    query = _ALL.where(_TICKETS.c.openid == openid).order_by(_TICKETS.c.id.desc()).limit(most)
    return [_ticket(unit, row) for row in unit.db.execute(query)]


def numbered(unit: Unit, numbers: Collection[str]) -> list[Ticket]:
    """The tickets with these numbers, the newest first."""
    query = _ALL.where(_TICKETS.c.number.in_(numbers)).order_by(_TICKETS.c.id.desc())
    return [_ticket(unit, row) for row in unit.db.execute(query)]


def history(unit: Unit, ticket: Ticket) -> list[Event]:
    """What happened to it, in order."""
    rows = unit.db.execute(
        select(*_EVENTS.c).where(_EVENTS.c.ticket_id == ticket.id).order_by(_EVENTS.c.id)
    )
    return [
        Event(
            row.at, Act(row.act), row.actor, contents.opened_words(unit, row.sealed),
            Reach(row.reach) if row.reach else None, row.why,
        )
        for row in rows
    ]  # fmt: skip


def listing(unit: Unit, asked: Asked) -> list[Line]:
    """A page of the desk's list, what is due first in front, and one more to show that there is."""
    order = _TICKETS.c.id.desc() if asked.view in ("answered", "closed") else _TICKETS.c.due_at
    query = (
        select(
            _TICKETS.c.number, _TICKETS.c.category, _TICKETS.c.branch_code, _TICKETS.c.state,
            _TICKETS.c.holder, _TICKETS.c.opened_at, _TICKETS.c.due_at, _TICKETS.c.escalated_at,
        )
        .where(*_wanted(unit, asked))
        .order_by(order, _TICKETS.c.id)
        .limit(PAGE + 1)
        .offset((asked.page - 1) * PAGE)
    )  # fmt: skip
    return [
        Line(*row[:3], State(row.state), *row[4:7], row.escalated_at is not None)
        for row in unit.db.execute(query)
    ]


def overdue(unit: Unit, *, at: datetime, most: int) -> list[Ticket]:
    """What is overdue and was never escalated, the oldest first."""
    query = _ALL.where(
        _TICKETS.c.state.in_(OWED), _TICKETS.c.due_at < at, _TICKETS.c.escalated_at.is_(None)
    )
    rows = unit.db.execute(query.order_by(_TICKETS.c.due_at).limit(most)).all()
    return [_ticket(unit, row) for row in rows]


def count_owed(unit: Unit, branches: Collection[str] | None) -> int:
    """How many tickets of these branches somebody has to do something about."""
    query = select(func.count()).where(_TICKETS.c.state.in_(OWED), *_within(branches))
    return int(unit.db.execute(query).scalar_one())


def figures(unit: Unit, branches: Collection[str] | None) -> list[Figures]:
    """How the desks stand, the one with most overdue first; branches without tickets left out."""
    present = clock.now()
    is_late = _TICKETS.c.due_at < present
    owed = unit.db.execute(
        select(_TICKETS.c.branch_code, is_late, func.count())
        .where(_TICKETS.c.state.in_(OWED), *_within(branches))
        .group_by(_TICKETS.c.branch_code, is_late)
    )
    waiting: dict[str, int] = {}
    late: dict[str, int] = {}
    for branch, over, count in owed:
        waiting[branch] = waiting.get(branch, 0) + count
        late[branch] = late.get(branch, 0) + (count if over else 0)
    times: dict[str, list[float]] = {}
    for branch, seconds in _times(unit, branches, present - timedelta(days=FIGURE_DAYS)):
        times.setdefault(branch, []).append(seconds)
    found = [
        Figures(
            code, waiting.get(code, 0), late.get(code, 0), len(times.get(code, ())),
            timedelta(seconds=statistics.median(times[code])) if code in times else None,
        )
        for code in {*waiting, *times}
    ]  # fmt: skip
    return sorted(found, key=lambda one: (-one.overdue, -one.open, one.branch))


def _times(
    unit: Unit, branches: Collection[str] | None, since: datetime
) -> Iterator[tuple[str, float]]:
    rows = unit.db.execute(
        select(_TICKETS.c.branch_code, _TICKETS.c.opened_at, _TICKETS.c.answered_at).where(
            _TICKETS.c.answered_at >= since, *_within(branches)
        )
    )
    for branch, opened_at, answered_at in rows:
        yield branch, (answered_at - opened_at).total_seconds()


def _wanted(unit: Unit, asked: Asked) -> Iterator[ColumnElement[bool]]:
    yield from _within(asked.branches)
    match asked.view:
        case "mine":
            yield _TICKETS.c.holder == asked.holder
            yield _TICKETS.c.state != State.CLOSED
        case "overdue":
            yield _TICKETS.c.state.in_(OWED)
            yield _TICKETS.c.due_at < clock.now()
        case "answered" | "closed":
            yield _TICKETS.c.state == asked.view
        case "all":
            pass
        case _:
            yield _TICKETS.c.state.in_(OWED)
    if asked.category:
        yield _TICKETS.c.category == asked.category
    if asked.phone:
        yield _TICKETS.c.phone_digest == contents.phone_digest(unit, asked.phone)


def _within(branches: Collection[str] | None) -> Sequence[ColumnElement[bool]]:
    return () if branches is None else (_TICKETS.c.branch_code.in_(branches),)


def _ticket(unit: Unit, row: Row[tuple[object, ...]]) -> Ticket:
    return Ticket(
        id=row.id, number=row.number, category=row.category, service=row.service,
        branch=row.branch_code, openid=OpenId(row.openid) if row.openid else None,
        content=contents.opened(unit, row.sealed), state=State(row.state), holder=row.holder,
        opened_at=row.opened_at, due_at=row.due_at, answered_at=row.answered_at,
        closed_at=row.closed_at, escalated_at=row.escalated_at,
    )  # fmt: skip
