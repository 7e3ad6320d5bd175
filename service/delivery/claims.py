"""How workers take deliveries, keep them while they work, and settle them.

A claim is a batch of one kind and one lane under a lease. It is renewed while its worker lives;
when the worker is killed the lease ends and the rows can be claimed again, under the same ids.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from service import clock, journal
from service.db import UtcTime
from service.delivery.ledger import FAILED, RUNNING, WAITING, Delivery, Lane, Outcomes, Row
from service.happenings import OpenId
from service.wechat.errors import NotAFollower, TryLater, WillNever
from service.wiring import Unit, Wiring

log = journal.logger("delivery.claims")

#: How long a claim lasts without being renewed, and so how long a killed worker's rows are held.
LEASE: Final = timedelta(seconds=20)
#: How long to leave alone what has failed several times in a row.
REST: Final = timedelta(minutes=15)
#: After about a day of rests a row is put aside as failed, for people to look at.
PATIENCE: Final = 100
#: A performer that breaks is a fault in the program, which repeating rarely mends.
PATIENCE_WITH_FAULTS: Final = 4
#: How long a failure is shown; it may name a person.
_FAILURES_KEPT: Final = timedelta(days=30)
#: A request that arrives while its row is being put back makes the settling start anew.
_SETTLING_TRIES: Final = 3


class Again(TryLater):
    """Done, and wanted again after this time: how chores repeat."""

    def __init__(self, after: timedelta) -> None:
        super().__init__(after, "")


class Broken(TryLater):
    """The performer itself failed; the fault is in the log."""

    quick_repeats = PATIENCE_WITH_FAULTS


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch under lease; only who knows the token may settle it."""

    token: str
    kind: str
    lane: str
    deliveries: tuple[Delivery, ...]


_PRESENT: Final = bindparam("present", type_=UtcTime)
_twin = aliased(Row)
_same = and_(_twin.kind == Row.kind, _twin.key == Row.key)
_twin_runs = exists().where(_same, _twin.state == RUNNING)
_twin_waits = exists().where(_same, _twin.state == WAITING)


def _open_lanes() -> CompoundSelect[Any]:
    """Every kind and lane with something to claim, built once because idle workers ask often.

    It goes from the first waiting row of one kind and lane to the first of the next, so that a
    hundred thousand rows in a lane that runs or rests cost no more than one.
    """
    first = (
        select(Row.kind, Row.lane, Row.due_at)
        .where(Row.state == WAITING)
        .order_by(Row.kind, Row.lane, Row.due_at, Row.id)
        .limit(1)
        .subquery()
    )
    heads = select(first.c.kind, first.c.lane, first.c.due_at).cte("heads", recursive=True)
    next_lane = _first_after(Row.kind == heads.c.kind, Row.lane > heads.c.lane)
    next_kind = _first_after(Row.kind > heads.c.kind)
    following = aliased(Row)
    heads = heads.union_all(
        select(following.kind, following.lane, following.due_at).join_from(
            heads, following, following.id == func.coalesce(next_lane, next_kind)
        )
    )
    waiting = select(heads.c.kind, heads.c.lane).where(
        heads.c.due_at <= _PRESENT, ~_closed(heads.c.kind, heads.c.lane)
    )
    left_behind = select(Row.kind, Row.lane).where(
        Row.state == RUNNING, Row.lease_until <= _PRESENT, ~_closed(Row.kind, Row.lane)
    )
    return waiting.union(left_behind)


def _first_after(*where: ColumnElement[bool]) -> ScalarSelect[int]:
    return (
        select(Row.id)
        .where(Row.state == WAITING, *where)
        .order_by(Row.kind, Row.lane, Row.due_at, Row.id)
        .limit(1)
        .scalar_subquery()
    )


def _closed(kind: SQLColumnExpression[str], lane: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Whether a lane is being run by somebody, or rests; without a lane a kind can only rest."""
    return exists().where(
        Lane.name == case((lane == "", kind), else_=lane),
        or_(Lane.stopped_until > _PRESENT, Lane.lease_until > _PRESENT),
    )


_OPEN_LANES: Final = _open_lanes()


def open_lanes(unit: Unit) -> list[tuple[str, str]]:
    """The kinds and lanes that have something to claim; one look that writes nothing."""
    found = unit.db.execute(_OPEN_LANES, {"present": clock.now()})
    return [(row.kind, row.lane) for row in found]


def _picking(*ready: ColumnElement[bool]) -> Select[Any]:
    """The rows of one lane in turn, without those that a request is just writing."""
    return (
        select(Row.id)
        .where(Row.kind == bindparam("kind"), Row.lane == bindparam("lane"), *ready)
        .order_by(Row.due_at, Row.id)
        .limit(bindparam("batch", type_=Integer))
        .with_for_update(of=Row, skip_locked=True)
    )


#: First what a dead worker left: a newer request for the same key has to wait for it.
_PICKING: Final = (
    _picking(Row.state == RUNNING, Row.lease_until <= _PRESENT),
    _picking(Row.state == WAITING, Row.due_at <= _PRESENT, ~_twin_runs),
)


def claim(
    unit: Unit, kind: str, lane: str, *, batch: int, lease: timedelta = LEASE
) -> Claim | None:
    """Take up to ``batch`` rows of one lane; none when others were faster."""
    present, token = clock.now(), uuid.uuid4().hex
    wanted = {"kind": kind, "lane": lane, "batch": batch, "present": present}
    for picking in _PICKING:
        ids = unit.db.execute(picking, wanted).scalars().all()
        if not ids:
            continue
        if lane and not _hold(unit, lane, token, present, lease):
            return None
        return Claim(token, kind, lane, _marked(unit, ids, token, present + lease))
    return None


def _hold(unit: Unit, lane: str, token: str, present: datetime, lease: timedelta) -> bool:
    """Become the one who runs a lane: a compare-and-set that only one worker wins."""
    taking = unit.insert(Lane).values(name=lane, claim=token, lease_until=present + lease, why="")
    won = unit.db.execute(
        taking.on_conflict_do_update(
            index_elements=[Lane.name],
            set_={"claim": taking.excluded.claim, "lease_until": taking.excluded.lease_until},
            where=and_(
                or_(Lane.lease_until.is_(None), Lane.lease_until <= present),
                or_(Lane.stopped_until.is_(None), Lane.stopped_until <= present),
            ),
        ).returning(Lane.name)
    )
    return won.first() is not None


def _marked(unit: Unit, ids: Sequence[int], token: str, until: datetime) -> tuple[Delivery, ...]:
    marking = (
        update(Row)
        .where(Row.id.in_(ids))
        .values(state=RUNNING, claim=token, lease_until=until, attempts=Row.attempts + 1)
        .returning(Row.id, Row.kind, Row.key, Row.lane, Row.openid, Row.payload, Row.attempts)
    )
    by_id = {found.id: found for found in unit.db.execute(marking)}
    return tuple(
        Delivery(
            id=number,
            kind=by_id[number].kind,
            key=by_id[number].key,
            lane=by_id[number].lane,
            openid=None if by_id[number].openid is None else OpenId(by_id[number].openid),
            payload=by_id[number].payload,
            attempts=by_id[number].attempts,
        )
        for number in ids
    )


def renew(unit: Unit, tokens: Collection[str], *, lease: timedelta = LEASE) -> None:
    """Hold on to what is still being worked on.

    Rows that are just being settled are passed over: to wait for them in another order than the
    one they are settled in would be a deadlock.
    """
    until = clock.now() + lease
    held = select(Row.id).where(Row.claim.in_(tokens)).with_for_update(skip_locked=True)
    ids = unit.db.execute(held).scalars().all()
    unit.db.execute(update(Row).where(Row.id.in_(ids)).values(lease_until=until))
    unit.db.execute(update(Lane).where(Lane.claim.in_(tokens)).values(lease_until=until))


def settle(wiring: Wiring, held: Claim, outcomes: Outcomes) -> None:
    """Write down how a claim went. What has since been claimed by others is left to them."""
    for last in (False, False, True):
        try:
            with wiring.unit() as unit:
                _settle(unit, held, outcomes)
            break
        except IntegrityError:
            # A request for the same key came between our look and our write; look again.
            if last:
                raise
    for delivery in held.deliveries:
        _report(delivery, outcomes.get(delivery.id))


def _settle(unit: Unit, held: Claim, outcomes: Outcomes) -> None:
    present = clock.now()
    ours = Row.claim == held.token
    verdicts = {each.id: _verdict(each, outcomes.get(each.id), present) for each in held.deliveries}
    done = [number for number, verdict in verdicts.items() if not verdict]
    back = [number for number, verdict in verdicts.items() if verdict.get("state") == WAITING]
    # What failed before under these keys is history now.
    over = [each.key for each in held.deliveries if each.id not in back]
    unit.db.execute(
        delete(Row).where(Row.kind == held.kind, Row.key.in_(over), Row.state == FAILED)
    )
    unit.db.execute(delete(Row).where(Row.id.in_(done), ours))
    # Where the same was asked for again meanwhile, the newer request stands for both.
    unit.db.execute(delete(Row).where(Row.id.in_(back), ours, _twin_waits))
    for number, verdict in verdicts.items():
        if verdict:
            unit.db.execute(update(Row).where(Row.id == number, ours).values(verdict))
    _leave_lane(unit, held, outcomes, present)


def _verdict(
    delivery: Delivery, said: TryLater | WillNever | None, present: datetime
) -> dict[str, Any]:
    """What is written into a row after its attempt; nothing when it is done and can go."""
    if said is None or isinstance(said, NotAFollower):
        return {}
    verdict: dict[str, Any] = {"claim": None, "lease_until": None, "last_failure": str(said)[:400]}
    if isinstance(said, Again):
        again = {
            "state": WAITING,
            "attempts": 0,
            "last_failure": "",
            "due_at": present + said.after,
        }
        return verdict | again
    if isinstance(said, WillNever) or delivery.attempts >= _patience(said):
        return verdict | {"state": FAILED}
    verdict |= {"state": WAITING, "due_at": present + _pause(said, delivery.attempts)}
    # Being told that a quota is used up says nothing about this delivery.
    return verdict | ({"attempts": delivery.attempts - 1} if said.stops_lane else {})


def _patience(said: TryLater) -> int:
    return PATIENCE_WITH_FAULTS if isinstance(said, Broken) else PATIENCE


def _pause(said: TryLater, attempts: int) -> timedelta:
    """How long to wait after this many attempts: a few doublings, then a long rest."""
    if not said.quick_repeats:
        return said.after
    if attempts > said.quick_repeats:
        return REST
    return said.after * int(2 ** (attempts - 1))


def _leave_lane(unit: Unit, held: Claim, outcomes: Outcomes, present: datetime) -> None:
    """Let others run the lane, or have it rest; one that neither runs nor rests needs no row."""
    unit.db.execute(delete(Lane).where(Lane.claim == held.token))
    stops = [said for said in outcomes.values() if isinstance(said, TryLater) and said.stops_lane]
    if not stops:
        return
    longest = max(stops, key=lambda said: said.after)
    resting = unit.insert(Lane).values(
        name=held.lane or held.kind, stopped_until=present + longest.after, why=str(longest)[:400]
    )
    new = resting.excluded
    unit.db.execute(
        resting.on_conflict_do_update(
            index_elements=[Lane.name],
            set_={"stopped_until": new.stopped_until, "why": new.why},
        )
    )


def _report(delivery: Delivery, said: TryLater | WillNever | None) -> None:
    """Count what became of a delivery; its key may name a person and is not written down."""
    outcome = "done" if said is None or isinstance(said, Again) else type(said).__name__
    journal.count("deliveries", kind=delivery.kind, outcome=outcome)
    if outcome == "done" or said is None:
        return
    is_final = isinstance(said, WillNever) or delivery.attempts >= _patience(said)
    tell = log.error if is_final and not isinstance(said, NotAFollower) else log.info
    tell(
        "not done",
        delivery=delivery.id,
        kind=delivery.kind,
        attempt=delivery.attempts,
        why=str(said),
    )


def retry(unit: Unit, kind: str | None = None) -> int:
    """Let everything that failed, or waits after a failure, be tried at once; how many rows.

    Resting lanes go on: if the quota is still used up, WeChat or our own ledger says so again.
    """
    chosen = [Row.kind == kind] if kind else []
    anew = {"state": WAITING, "due_at": clock.now(), "attempts": 0}
    # Where the same waits already, the newer request stands for both.
    unit.db.execute(delete(Row).where(Row.state == FAILED, _twin_waits, *chosen))
    failed = unit.db.execute(update(Row).where(Row.state == FAILED, *chosen).values(anew))
    resting = (Row.state == WAITING, Row.last_failure != "", Row.due_at > clock.now())
    woken = unit.db.execute(update(Row).where(*resting, *chosen).values(anew))
    unit.db.execute(delete(Lane).where(Lane.claim.is_(None)))
    return failed.rowcount + woken.rowcount


def tidy(unit: Unit) -> None:
    """The chore: drop failures that nobody has mended in a month."""
    oldest = clock.now() - _FAILURES_KEPT
    unit.db.execute(delete(Row).where(Row.state == FAILED, Row.touched_at < oldest))
