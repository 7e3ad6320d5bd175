"""Mass messages to lists of followers: who goes into one, under which key, and what became of it.

The list and its key are written down before the call. A call that may have taken effect is
repeated under the same key, by which WeChat knows it for a day; so nobody is told twice, and nobody
is forgotten, whenever a worker dies.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row, case, delete, select, update

from lightservices.emergency import recipients
from lightservices.emergency.message_models import (
    BATCHES,
    MESSAGES,
    MONTHS,
    RUNS,
    BatchRow,
    MassMonthRow,
)
from lightservices.emergency.messages import DONE, RUNNING, STOPPED
from lightservices.emergency.recipients import (
    REFUSED,
    SENDING,
    SENT,
    UNSURE,
    holds,
    month,
)
from lightservices.emergency.reports import (
    refused_with,
    take_in,
    take_in_unheeded,
)
from lightservices.emergency.telling import Course, count, course_of, end, glance, keep, marked
from lightservices.emergency.unsent import WAITING, let_go
from service import clock, followers
from service.db import table_of
from service.delivery import quotas
from service.happenings import OpenId
from service.wechat.gateway import MASS_LEAST, MASS_MOST
from service.wiring import Unit

#: The smallest list while the day's calls suffice: a stop then keeps the rest from being sent.
_SMALL: Final = 1_000
#: WeChat knows a key for a day; a list in doubt is not repeated after that.
_KNOWN: Final = timedelta(hours=23)
#: So many rows are written by one statement.
_ROWS: Final = 500
#: How many are looked at together when those inside are sought.
_AHEAD: Final = 2_000
_PATH: Final = "/cgi-bin/message/mass/send"
_FOLLOWERS = table_of(followers.Follower)


@dataclass(frozen=True, slots=True)
class Batch:
    """One list that is about to be sent."""

    id: int
    run: int
    openids: tuple[OpenId, ...]
    text: str
    client_key: str
    #: An earlier call of it may have taken effect.
    is_repeat: bool


def choose(unit: Unit, run: int) -> list[str] | None:
    """Whom the next list would take, by a look that holds nothing, however many are passed over;
    None where no new list is due."""
    course = glance(unit, run)
    if course is None or _unsettled(unit, run) is not None:
        return None
    return _chosen(unit, course)


def next_of(unit: Unit, run: int, chosen: Sequence[str] | None = None) -> Batch | None:
    """The next list, marked as being sent; None when nobody is left, or it was stopped.

    Args:
        chosen: from :func:`choose`; looked for here when absent.
    """
    take_in_unheeded(unit, run)
    course = course_of(unit, run)
    if course is None:
        _leave(unit, run)
        return None
    if why := refused_with(unit, run, since=course.run.started_at):
        end(unit, run, STOPPED, why)
        return None
    begun = _begun(unit, course)
    if begun is not None:
        return begun
    if chosen is None:
        chosen = _chosen(unit, course)
    if len(chosen) < MASS_LEAST:
        if chosen:
            count(unit, run, REFUSED, 1, "只剩一人，微信不支持给一个人群发")
        end(unit, run, DONE, "")
        return None
    return _taken(unit, course, chosen)


def settle(unit: Unit, batch: Batch, msg_id: str) -> None:
    """WeChat took the list on."""
    size = len(batch.openids)
    unit.db.execute(
        update(BATCHES)
        .where(BATCHES.c.id == batch.id)
        # Whoever left meanwhile is not counted, here as in the run.
        .values(state=SENT, msg_id=msg_id, why="", size=size, at=clock.now())
    )
    unit.db.execute(update(MESSAGES).where(MESSAGES.c.batch_id == batch.id).values(state=SENT))
    _purge(unit, batch.id)
    count(unit, batch.run, SENT, size)
    # Its report may have come before the number was known here.
    take_in(unit, msg_id)


def put_back(unit: Unit, batch: Batch, why: str) -> None:
    """The list was not sent by this call, for certain; by an earlier one it may have been."""
    if batch.is_repeat:
        return
    state = select(RUNS.c.state).where(RUNS.c.id == batch.run).with_for_update()
    if unit.db.execute(state).scalar() != RUNNING:
        # Stopped while it was on its way: nobody will go on with it.
        let_go(unit, batch.id)
        return
    unit.db.execute(
        update(BATCHES).where(BATCHES.c.id == batch.id).values(state=WAITING, why=why[:200])
    )


def give_up(unit: Unit, batch: Batch, why: str) -> None:
    """WeChat will never send it, nor the next one: the run is over, and nobody counts as told."""
    _resolve(unit, batch.id, batch.run, in_doubt=batch.is_repeat)
    end(unit, batch.run, STOPPED, why)


def _begun(unit: Unit, course: Course) -> Batch | None:
    """The list that was begun and not settled: by a worker that died, or that WeChat put off."""
    row = _unsettled(unit, course.run.id)
    if row is None:
        return None
    openids = _listed(unit, row.id)
    is_repeat = row.state == SENDING
    if len(openids) < MASS_LEAST or row.at < clock.now() - _KNOWN:
        _resolve(unit, row.id, course.run.id, in_doubt=is_repeat)
        return _begun(unit, course)
    unit.db.execute(update(BATCHES).where(BATCHES.c.id == row.id).values(state=SENDING))
    return Batch(row.id, course.run.id, openids, course.run.text, row.client_key, is_repeat)


def _unsettled(unit: Unit, run: int) -> Row[Any] | None:
    return unit.db.execute(
        select(*BATCHES.c)
        .where(BATCHES.c.run_id == run, BATCHES.c.state.in_((WAITING, SENDING)))
        .order_by(BATCHES.c.id)
        .limit(1)
    ).one_or_none()


def _chosen(unit: Unit, course: Course) -> list[str]:
    """Whom the next list takes: never so many that a single one would be left over."""
    most = _most(unit, course)
    chosen: list[str] = []
    for openid in _inside(unit, course):
        chosen.append(openid)
        if len(chosen) > most:
            return chosen[: most - 1]
    return chosen


def _inside(unit: Unit, course: Course) -> Iterator[str]:
    """Everybody inside who may still be told, once round: from whom the last list ended with to
    the end, and from the start back to them."""
    last = course.run.last_openid
    for after, until in ((last, None), ("", last)):
        while True:
            found, passed = recipients.following(
                unit, course.found, course.channel, course.run.event, most=_AHEAD, after=after,
                until=until,
            )  # fmt: skip
            for row in found:
                if holds(course.found, row.division, row.cell_south, row.cell_west):
                    yield row.openid
            if passed is None:
                break
            after = passed


def _most(unit: Unit, course: Course) -> int:
    """How large a list may be: small while the calls left today suffice for all the same."""
    left, _limit = quotas.left_today(unit, _PATH)
    remaining = max(course.run.estimate - course.run.sent, 0)
    needed = -(-remaining // max(left // 2, 1))
    return int(min(max(needed, _SMALL), MASS_MOST))


def _taken(unit: Unit, course: Course, openids: Sequence[str]) -> Batch | None:
    run, key = course.run, uuid.uuid4().hex
    number = unit.db.execute(
        unit.insert(BatchRow)
        .values(
            run_id=run.id, state=SENDING, client_key=key, size=len(openids),
            msg_id="", why="", at=clock.now(),
        )
        .returning(BATCHES.c.id)
    ).scalar_one()  # fmt: skip
    ours: list[OpenId] = []
    for part in _parts(openids):
        ours += marked(unit, course, part, batch_id=int(number))
    for part in _parts(sorted(ours)):
        _count_month(unit, part)
    unit.db.execute(update(BATCHES).where(BATCHES.c.id == number).values(size=len(ours)))
    if len(ours) < MASS_LEAST:
        # Another channel was faster with the others.
        let_go(unit, int(number))
        return next_of(unit, run.id)
    keep(unit, run.id, max(ours))
    return Batch(int(number), run.id, tuple(ours), run.text, key, is_repeat=False)


def _count_month(unit: Unit, openids: Sequence[str]) -> None:
    present = month()
    rows = [{"openid": openid, "month": present, "count": 1} for openid in openids]
    adding = unit.insert(MassMonthRow).values(rows)
    more = case((MONTHS.c.month == present, MONTHS.c.count + 1), else_=1)
    unit.db.execute(
        adding.on_conflict_do_update(
            index_elements=[MassMonthRow.openid], set_={"month": present, "count": more}
        )
    )


def _leave(unit: Unit, run: int) -> None:
    """What a stop, or an end, found begun: surely unsent lists are let go, others stay in doubt."""
    for row in unit.db.execute(
        select(BATCHES.c.id, BATCHES.c.state).where(
            BATCHES.c.run_id == run, BATCHES.c.state.in_((WAITING, SENDING))
        )
    ).all():
        _resolve(unit, row.id, run, in_doubt=row.state == SENDING)


def _resolve(unit: Unit, batch: int, run: int, *, in_doubt: bool) -> None:
    """A list that will not be repeated: nobody of it is told twice, nor forgotten for nothing."""
    if in_doubt:
        _doubt(unit, batch, run)
    else:
        let_go(unit, batch)


def _doubt(unit: Unit, batch: int, run: int) -> None:
    """Nobody knows whether this list was sent: they are not told again."""
    many = len(_listed(unit, batch))
    unit.db.execute(update(MESSAGES).where(MESSAGES.c.batch_id == batch).values(state=UNSURE))
    unit.db.execute(update(BATCHES).where(BATCHES.c.id == batch).values(state=UNSURE))
    _purge(unit, batch)
    count(unit, run, UNSURE, many, "微信没有应答，不再重发")


def _purge(unit: Unit, batch: int) -> None:
    """Whoever left while the list was on its way is not written down again."""
    left = ~select(_FOLLOWERS.c.openid).where(_FOLLOWERS.c.openid == MESSAGES.c.openid).exists()
    gone = unit.db.execute(
        delete(MESSAGES).where(MESSAGES.c.batch_id == batch, left).returning(MESSAGES.c.openid)
    )
    unit.db.execute(delete(MONTHS).where(MONTHS.c.openid.in_(gone.scalars().all())))


def _listed(unit: Unit, batch: int) -> tuple[OpenId, ...]:
    rows = unit.db.execute(
        select(MESSAGES.c.openid).where(MESSAGES.c.batch_id == batch).order_by(MESSAGES.c.openid)
    )
    return tuple(OpenId(one) for (one,) in rows)


def _parts(openids: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(openids), _ROWS):
        yield openids[start : start + _ROWS]
