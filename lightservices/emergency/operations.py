"""What people do with an emergency: propose it, open it, break the glass, close it, review.

Whoever acts is given as ``by`` and asked for their rights here, so that no caller can forget to.
Nothing commits. What cannot be done raises a :class:`~service.approvals.refusals.Refused` that says
why and what to do instead. Changes of what is open are in :mod:`lightservices.emergency.changes`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from lightservices.emergency import holding, queries, reach
from lightservices.emergency.content import Content
from lightservices.emergency.holding import (
    Hand,
    add_version,
    assessed,
    counted,
    end_versions,
    guard,
    hold,
    move,
    page,
    readable,
    require_area,
    require_sound,
    required_reason,
    settle,
    tell,
)
from lightservices.emergency.models import EMERGENCIES, EmergencyRow, Record, ReviewRow, Version
from lightservices.emergency.queries import Review
from lightservices.emergency.reach import Assessment
from lightservices.emergency.refusals import (
    NotYours,
    OwnProposal,
    Refused,
    ReviewOwed,
    Settled,
    TooLong,
)
from lightservices.emergency.states import Move, Stage, State
from service import clock
from service.staff import Me
from service.wiring import Unit

log = structlog.stdlib.get_logger(__name__)

#: The longest one person alone may keep anything open.
GLASS_HOURS: Final = 2
#: How long before its end the duty list is told that it ends.
WARNING: Final = timedelta(minutes=30)
_AT_ONCE: Final = 20


def propose(unit: Unit, *, content: Content, drill: bool, why: str, by: Me) -> Version:
    """Put an emergency before a second person; ``content.hours`` is how long it will be open."""
    why = required_reason(why)
    require_sound(content)
    assessment = assessed(unit, content.area)
    require_area(unit, by, "propose", assessment.codes)
    record = _begin(unit, content, assessment, drill=drill, state=State.PROPOSED)
    version = add_version(
        unit, record, content, assessment, kind="open", stage=Stage.PROPOSED,
        hours=content.hours, why=why, by=by,
    )  # fmt: skip
    tell(unit, "propose", record, by=by, version=version, after=_said(version), why=why)
    page(unit, "proposed", record, content, by=by)
    return version


def open_(
    unit: Unit, key: str, *, seen: str, ticked: str, by: Me, weighed: Assessment | None = None
) -> Record:
    """Open what another proposed.

    Args:
        seen: the seal of the version the person looked at.
        ticked: the rounded reach they ticked, see :attr:`~.reach.Assessment.ticked`.
        weighed: what :func:`~.holding.weighed` said before this transaction; else asked here.
    """
    assessment = weighed or holding.weighed(unit, key, 1)
    record = hold(unit, key)
    version = queries.version(unit, record, 1)
    hand = Hand(by, "open_emergency", seen, ticked)
    guard(unit, record, Move.OPEN, hand, version=version, assessment=assessment)
    present = clock.now()
    ends_at = present + timedelta(hours=version.hours or 0)
    settle(unit, version, Move.OPEN, hand, ends_at=ends_at, **counted(assessment))
    opened = move(unit, record, Move.OPEN, live=version.number, opened_at=present, ends_at=ends_at)
    after = {"hash": version.hash, "reach": assessment.ticked}
    tell(unit, "open", opened, by=by, version=version, before=record, after=after)
    page(unit, "opened", opened, version.content, by=by)
    return opened


def reject(unit: Unit, key: str, *, reason: str, by: Me) -> Record:
    """Say no to what another proposed."""
    record = hold(unit, key)
    version = queries.version(unit, record, 1)
    hand = Hand(by, "open_emergency")
    guard(unit, record, Move.REJECT, hand, version=version)
    reason = required_reason(reason)
    settle(unit, version, Move.REJECT, hand, reason=reason)
    gone = _ended(unit, record, Move.REJECT, by)
    tell(unit, "reject", gone, by=by, version=version, before=record, why=reason)
    return gone


def withdraw(unit: Unit, key: str, *, by: Me, why: str = "") -> Record:
    """Take back what was proposed; its maker may, and whoever else may propose there."""
    record = hold(unit, key)
    version = queries.version(unit, record, 1)
    hand = Hand(by, "propose")
    guard(unit, record, Move.WITHDRAW, hand, version=version)
    settle(unit, version, Move.WITHDRAW, hand, reason=why.strip())
    gone = _ended(unit, record, Move.WITHDRAW, by)
    tell(unit, "withdraw", gone, by=by, version=version, before=record, why=why)
    return gone


def break_glass(
    unit: Unit, *, content: Content, why: str, ticked: str, by: Me, drill: bool = False
) -> Record:
    """Open an emergency alone, for two hours at most; somebody else must look at it afterwards."""
    why = required_reason(why)
    if not 1 <= content.hours <= GLASS_HOURS:
        raise TooLong(GLASS_HOURS)
    require_sound(content)
    assessment = assessed(unit, content.area)
    require_area(unit, by, "open_emergency", assessment.codes)
    if debts := queries.owed(unit, person_id=by.id, drill=drill):
        raise ReviewOwed(debts[0].key, debts[0].opened_at)
    reach.require_ticked(assessment, ticked)
    present = clock.now()
    ends_at = present + timedelta(hours=content.hours)
    record = _begin(
        unit, content, assessment, drill=drill, state=State.OPEN, broke_glass=True, live=1,
        opened_at=present, ends_at=ends_at,
    )  # fmt: skip
    version = add_version(
        unit, record, content, assessment, kind="break_glass", stage=Stage.LIVE,
        hours=content.hours, why=why, by=by, ends_at=ends_at,
    )  # fmt: skip
    _owe(unit, record, by)
    tell(unit, "break_glass", record, by=by, version=version, after=_said(version), why=why)
    page(unit, "broke_glass", record, content, by=by)
    return record


def close(unit: Unit, key: str, *, by: Me, why: str = "") -> Record:
    """Close what is open. One person suffices, whatever else is pending, and always."""
    record = hold(unit, key)
    guard(unit, record, Move.CLOSE, Hand(by, "close_emergency"))
    content = readable(queries.version(unit, record, record.live or 1))
    closed = _ended(unit, record, Move.CLOSE, by)
    end_versions(unit, record, Stage.LIVE, Stage.PROPOSED, into=Stage.LAPSED)
    tell(unit, "close", closed, by=by, before=record, why=why.strip())
    page(unit, "closed", closed, content, by=by)
    return closed


def review(unit: Unit, key: str, *, justified: bool, words: str, by: Me) -> None:
    """Say afterwards whether breaking the glass was right; anybody but who did it, with the right.

    It does not close anything, and it cannot be skipped: until then whoever did it may not again.
    """
    record = hold(unit, key)
    found = require_review(unit, record, by)
    words = required_reason(words)
    done = unit.db.execute(
        update(ReviewRow)
        .where(ReviewRow.id == found.id, ReviewRow.done_at.is_(None))
        .values(
            reviewer_id=by.id, reviewer=by.name, justified=justified, words=words,
            done_at=clock.now(),
        )
    )  # fmt: skip
    if done.rowcount != 1:
        raise Settled(record.stands)
    tell(unit, "review", record, by=by, after={"justified": justified}, why=words)


def require_review(unit: Unit, record: Record, by: Me) -> Review:
    """The review of this emergency, for somebody who may do it.

    Raises:
        NotYours: there is none, or the emergency is nothing to this person.
        NotAllowed: they may review nothing, or not everywhere in the area.
        OwnProposal: it was they who broke the glass.
    """
    found = queries.review_of(unit, record)
    codes = queries.codes_of(unit, record)
    if not reach.sees(unit, by, codes) or found is None:
        raise NotYours
    require_area(unit, by, "open_emergency", codes)
    if found.person_id == by.id:
        raise OwnProposal
    return found


def expire(unit: Unit) -> None:
    """A chore: write down the ends that have come, and tell of those that are coming.

    Nobody waits for it: pages and replies compare the end with the clock themselves.
    """
    present = clock.now()
    is_open = EMERGENCIES.c.state == State.OPEN
    over = select(EMERGENCIES.c.key).where(is_open, EMERGENCIES.c.ends_at <= present)
    for key in unit.db.execute(over.limit(_AT_ONCE)).scalars().all():
        _apart(unit, key, _expire)
    coming = select(EMERGENCIES.c.key).where(
        is_open,
        EMERGENCIES.c.ends_at > present,
        EMERGENCIES.c.ends_at <= present + WARNING,
        EMERGENCIES.c.warned < EMERGENCIES.c.live,
    )
    for key in unit.db.execute(coming.limit(_AT_ONCE)).scalars().all():
        _apart(unit, key, _warn)


def _apart(unit: Unit, key: str, act: Callable[[Unit, str], None]) -> None:
    """Do it to this one; what fails is undone and told, and keeps no other from its turn."""
    marks = len(unit.closing), len(unit.afterwards)
    try:
        with unit.db.begin_nested():
            act(unit, key)
    except (ValueError, LookupError, TypeError, SQLAlchemyError, Refused):
        del unit.closing[marks[0] :], unit.afterwards[marks[1] :]
        log.exception("the clock's move of an emergency failed", key=key)


def _expire(unit: Unit, key: str) -> None:
    record = hold(unit, key)
    # While this worker waited, somebody may have closed or extended it.
    if record.state is not State.OPEN or record.stands is not State.EXPIRED:
        return
    content = readable(queries.version(unit, record, record.live or 1))
    gone = move(unit, record, Move.EXPIRE, ended_at=record.ends_at, ended_by="")
    end_versions(unit, record, Stage.LIVE, Stage.PROPOSED, into=Stage.LAPSED)
    tell(unit, "expire", gone, by=None, before=record)
    page(unit, "expired", gone, content, by=None)


def _warn(unit: Unit, key: str) -> None:
    record = hold(unit, key)
    content = readable(queries.version(unit, record, record.live or 1))
    told = update(EmergencyRow).where(EmergencyRow.id == record.id)
    unit.db.execute(told.values(warned=record.live))
    page(unit, "ending", record, content, by=None)


def _begin(
    unit: Unit, content: Content, assessment: Assessment, *, drill: bool, state: State, **more: Any
) -> Record:
    present = clock.now()
    day = clock.shanghai(present).strftime("%m%d")
    key = f"{content.kind.value}-{day}-{secrets.token_hex(4)}"
    unit.db.execute(
        unit.insert(EmergencyRow).values(
            key=key, branch_code=reach.above(unit, assessment.codes), drill=drill,
            state=state.value, created_at=present, ended_by="", revision=1, next=2, warned=0,
            **({"broke_glass": False} | more),
        )
    )  # fmt: skip
    found = queries.find(unit, key)
    assert found is not None
    return replace(found, next=1)


def _owe(unit: Unit, record: Record, by: Me) -> None:
    owed = unit.db.execute(
        unit.insert(ReviewRow)
        .values(
            emergency_id=record.id, person_id=by.id, person=by.name, drill=record.drill,
            opened_at=clock.now(), reviewer="", words="",
        )
        .on_conflict_do_nothing()
        .returning(ReviewRow.id)
    ).first()  # fmt: skip
    if owed is None:
        # The same person broke another glass in this very moment.
        raise ReviewOwed(record.key, clock.now())


def _ended(unit: Unit, record: Record, how: Move, by: Me) -> Record:
    return move(unit, record, how, ended_at=clock.now(), ended_by=by.name)


def _said(version: Version) -> dict[str, Any]:
    return {"version": version.number, "hash": version.hash, "text": version.text}
