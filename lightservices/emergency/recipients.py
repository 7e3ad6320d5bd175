"""Whom a message may reach inside an area, by which channel, and who is left out and why.

Three channels: a customer-service message to those who wrote within two days, a template where the
bank has one, a mass message by list to those who have no window and a message left this month.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, false, func, select

from lightservices.emergency.in_force import Emergency
from lightservices.emergency.message_models import MESSAGES, MONTHS
from lightservices.tickets.models import ConversationRow
from lightservices.tickets.windows import WINDOW
from regions import coverage, stretches
from regions.presence import CELLS_PER_DEGREE, Presence
from regions.stretches import Stretch
from service import clock
from service.db import planned_anew, table_of
from service.wiring import Unit


class Channel(StrEnum):
    """By which way of WeChat's a follower is told."""

    SERVICE = "service"
    TEMPLATE = "template"
    MASS = "mass"


#: A follower gets so many mass messages of one account in a calendar month; source: the platform.
A_MONTH: Final = 4
#: What became of one message. Whoever has a row in any of these states is not told again.
SENDING, SENT, REFUSED, UNSURE = "sending", "sent", "refused", "unsure"

_PRESENCES, _HEARD = table_of(Presence), table_of(ConversationRow)
OPENID: Final = _PRESENCES.c.openid


@dataclass(frozen=True, slots=True)
class Inside:
    """The followers inside by what may be sent to them; nobody is counted twice."""

    #: A customer-service window is open.
    open: int
    #: None is, and a mass message is still allowed this month.
    free: int
    #: None is, and this month's mass messages are used up.
    capped: int
    #: They were told of this already, or may have been.
    told: int
    #: WeChat lets nobody write to them: they want no messages, or are barred.
    refused: int
    #: In a county that is partly inside, and nobody knows where in it.
    unplaced: int

    def reachable(self, channel: Channel) -> int:
        """How many this channel may tell."""
        match channel:
            case Channel.SERVICE:
                return self.open
            case Channel.TEMPLATE:
                return self.open + self.free + self.capped
            case Channel.MASS:
                return self.free

    def skipped(self, channel: Channel) -> tuple[tuple[str, int], ...]:
        """Whom it leaves out: the reason and how many, where there are any."""
        by_window = {
            Channel.SERVICE: (("两天内没有给本号发过消息", self.free + self.capped),),
            Channel.TEMPLATE: (),
            Channel.MASS: (
                ("两天内发过消息，请用客服消息告知", self.open),
                (f"本月已收到 {A_MONTH} 条群发", self.capped),
            ),
        }[channel]
        always = (
            ("已经告知过，不会重复", self.told),
            ("微信不让发（如对方关闭了接收）", self.refused),
            ("只知道所在区县，不确定在不在区域内", self.unplaced),
        )
        return tuple((why, count) for why, count in (*by_window, *always) if count)


def inside(unit: Unit, found: Emergency, event: str) -> Inside:
    """How many are inside now, by what may be sent to them.

    Stretch by stretch, so that no single statement takes long however many followers there are.
    """
    tally: Counter[str] = Counter()
    for division in coverage.divisions_of(found.covered):
        for stretch in stretches.of(unit, division):
            with planned_anew(unit.db):
                rows = unit.db.execute(_counting(found, event, stretch)).all()
            _add(tally, found, division, rows)
    return Inside(**{name: tally[name] for name in Inside.__slots__})


def _add(tally: Counter[str], found: Emergency, division: str, rows: Iterable[Any]) -> None:
    for south, west, state, is_open, is_capped, count in rows:
        if not holds(found, division, south, west):
            tally["unplaced"] += count if south is None else 0
        elif state is not None:
            tally["refused" if state == REFUSED else "told"] += count
        elif is_open:
            tally["open"] += count
        else:
            tally["capped" if is_capped else "free"] += count


def following(
    unit: Unit,
    found: Emergency,
    channel: Channel,
    event: str,
    *,
    most: int,
    after: str = "",
    until: str | None = None,
) -> tuple[list[Any], str | None]:
    """Those whom this channel may tell and nobody has told, among the next so many in the area's
    counties by openid; and whom it looked at last, None when there was nobody any more.

    Args:
        after: only those who come after this openid.
        until: nobody who comes after this one.
    """
    bounds = (after < OPENID,) if until is None else (OPENID.between(after, until), after < OPENID)
    some = (
        _placed(found)
        .where(*bounds)
        .order_by(OPENID)
        # Cut off here, or all of them would be looked at to find those who may be told.
        .limit(most)
        .subquery()
    )
    may_be_told = and_(*_may_be_told(some.c.openid, found, channel, event)).label("may_be_told")
    with planned_anew(unit.db):
        rows = unit.db.execute(select(*some.c, may_be_told).order_by(some.c.openid)).all()
    return [row for row in rows if row.may_be_told], rows[-1].openid if rows else None


def still_waiting(
    found: Emergency, channel: Channel, event: str, among: Collection[str]
) -> Select[Any]:
    """Those of these whom this channel may tell and nobody has told."""
    return _placed(found).where(OPENID.in_(among), *_may_be_told(OPENID, found, channel, event))


def holds(found: Emergency, division: str, south: int | None, west: int | None) -> bool:
    """Whether somebody kept under this division and this cell is inside."""
    position = None
    if south is not None and west is not None:
        position = ((south + 0.5) / CELLS_PER_DEGREE, (west + 0.5) / CELLS_PER_DEGREE)
    return found.holds(division, position)


def month() -> str:
    """The calendar month in China, by which mass messages are counted."""
    return f"{clock.today():%Y-%m}"


def _placed(found: Emergency) -> Select[Any]:
    return select(
        OPENID, _PRESENCES.c.division, _PRESENCES.c.cell_south, _PRESENCES.c.cell_west
    ).where(_PRESENCES.c.division.in_(coverage.divisions_of(found.covered)))


def _may_be_told(
    openid: ColumnElement[str], found: Emergency, channel: Channel, event: str
) -> tuple[ColumnElement[bool], ...]:
    nobody_has = _told(openid, found, event).is_(None)
    match channel:
        case Channel.SERVICE:
            return (nobody_has, _has_window(openid))
        case Channel.TEMPLATE:
            return (nobody_has,)
        case Channel.MASS:
            return (nobody_has, ~_has_window(openid), ~_is_capped(openid))


# Each of these is looked up follower by follower, by its key, whatever the database expects of how
# many rows there are: joined, a table that has grown since it was last counted is passed through
# once for everybody.


def _told(openid: ColumnElement[str], found: Emergency, event: str) -> ScalarSelect[Any]:
    """What became of the message to them; nothing where there was none."""
    ours = (MESSAGES.c.emergency_id == found.id, MESSAGES.c.event == event)
    return select(MESSAGES.c.state).where(*ours, MESSAGES.c.openid == openid).scalar_subquery()


def _has_window(openid: ColumnElement[str]) -> ColumnElement[bool]:
    heard = select(_HEARD.c.heard_at).where(_HEARD.c.openid == openid).scalar_subquery()
    return func.coalesce(heard > clock.now() - WINDOW, false())


def _is_capped(openid: ColumnElement[str]) -> ColumnElement[bool]:
    ours = (MONTHS.c.openid == openid, MONTHS.c.month == month())
    count = select(MONTHS.c.count).where(*ours).scalar_subquery()
    return func.coalesce(count >= A_MONTH, false())


def _counting(found: Emergency, event: str, stretch: Stretch) -> Select[Any]:
    """A stretch of a county's followers by cell and by what they may be sent."""
    each = (
        select(
            _PRESENCES.c.cell_south,
            _PRESENCES.c.cell_west,
            _told(OPENID, found, event).label("state"),
            _has_window(OPENID).label("is_open"),
            _is_capped(OPENID).label("is_capped"),
        )
        .where(*stretch)
        .subquery()
    )
    return select(*each.c, func.count()).group_by(*each.c)
