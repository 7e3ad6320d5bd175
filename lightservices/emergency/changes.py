"""Changing what is open: another version is proposed, and what is in force stays until it is taken.

Whoever proposed a version does not take it. Longer is measured from the moment it is taken, so that
the cap of the severity counts from the last time two people looked.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from lightservices.emergency import holding, queries
from lightservices.emergency.content import Content
from lightservices.emergency.holding import (
    Hand,
    add_version,
    assessed,
    counted,
    end_versions,
    guard,
    hold,
    legible,
    move,
    page,
    require_area,
    require_sound,
    required_reason,
    settle,
    tell,
)
from lightservices.emergency.models import Record, Version
from lightservices.emergency.reach import Assessment
from lightservices.emergency.refusals import Changed, ChangePending, NotYours, TooLong
from lightservices.emergency.states import Move, Stage
from service import clock
from service.staff import Me
from service.wiring import Unit


def extend(unit: Unit, key: str, *, hours: int, why: str, by: Me) -> Version:
    """Propose that it goes on for so many hours, counted from when that is taken."""
    return _propose(unit, key, None, kind="extend", hours=hours, why=why, by=by)


def amend(
    unit: Unit, key: str, *, content: Content, why: str, by: Me, hours: int | None = None
) -> Version:
    """Propose other content, another area or another severity; without ``hours`` its end stays."""
    return _propose(unit, key, content, kind="amend", hours=hours, why=why, by=by)


def adopt(
    unit: Unit, key: str, number: int, *, seen: str, ticked: str, by: Me,
    weighed: Assessment | None = None,
) -> Record:  # fmt: skip
    """Take a proposed change: from now on it is what is in force.

    Args:
        weighed: what :func:`~.holding.weighed` said before this transaction; else asked here.
    """
    assessment = weighed or holding.weighed(unit, key, number)
    record = hold(unit, key)
    version = queries.version(unit, record, number)
    hand = Hand(by, "open_emergency", seen, ticked)
    guard(unit, record, Move.ADOPT, hand, version=version, assessment=assessment)
    ends_at = end_if_taken(record, version)
    end_versions(unit, record, Stage.LIVE, into=Stage.SUPERSEDED)
    settle(unit, version, Move.ADOPT, hand, ends_at=ends_at, **counted(assessment))
    changed = move(unit, record, Move.ADOPT, live=number, ends_at=ends_at)
    after = {"hash": version.hash, "reach": assessment.ticked}
    tell(unit, version.kind, changed, by=by, version=version, before=record, after=after)
    page(unit, "changed", changed, version.content, by=by)
    return changed


def decline(unit: Unit, key: str, number: int, *, reason: str, by: Me) -> Record:
    """Say no to a proposed change; what is in force goes on."""
    record = hold(unit, key)
    version = queries.version(unit, record, number)
    hand = Hand(by, "open_emergency")
    guard(unit, record, Move.DECLINE, hand, version=version)
    reason = required_reason(reason)
    settle(unit, version, Move.DECLINE, hand, reason=reason)
    left = move(unit, record, Move.DECLINE)
    tell(unit, "decline", left, by=by, version=version, before=record, why=reason)
    return left


def retract(unit: Unit, key: str, number: int, *, by: Me, why: str = "") -> Record:
    """Take a proposed change back."""
    record = hold(unit, key)
    version = queries.version(unit, record, number)
    hand = Hand(by, "propose")
    guard(unit, record, Move.RETRACT, hand, version=version)
    settle(unit, version, Move.RETRACT, hand, reason=why.strip())
    left = move(unit, record, Move.RETRACT)
    tell(unit, "retract", left, by=by, version=version, before=record, why=why)
    return left


def _propose(
    unit: Unit, key: str, content: Content | None, *, kind: str, hours: int | None, why: str, by: Me
) -> Version:
    seen = _changeable(unit, queries.find(unit, key), by)
    content = content or legible(queries.version(unit, seen, seen.live or 1))
    why = required_reason(why)
    require_sound(content)
    if hours is not None and not 1 <= hours <= content.cap:
        raise TooLong(content.cap)
    # Counted before it is held, so that whoever closes it meanwhile does not wait for this.
    assessment = assessed(unit, content.area)
    require_area(unit, by, "propose", assessment.codes)
    record = _changeable(unit, hold(unit, key), by)
    if record.live != seen.live:
        raise Changed
    if (waits := queries.pending(unit, record)) is not None:
        raise ChangePending(waits.number)
    version = add_version(
        unit, record, content, assessment, kind=kind, stage=Stage.PROPOSED, hours=hours, why=why,
        by=by,
    )  # fmt: skip
    changed = move(unit, record, Move.CHANGE, next=record.next + 1)
    after = {"version": version.number, "kind": kind, "hours": hours, "hash": version.hash}
    tell(unit, "change", changed, by=by, version=version, after=after, why=why)
    page(unit, "change_proposed", changed, content, by=by)
    return version


def _changeable(unit: Unit, record: Record | None, by: Me) -> Record:
    """The emergency, if this person may propose changes of it now.

    Rights come first: nobody is told anything about what they may not see.
    """
    if record is None:
        raise NotYours
    guard(unit, record, Move.CHANGE, Hand(by, "propose"))
    return record


def end_if_taken(record: Record, version: Version) -> datetime:
    """When it ends if this version is taken now; a graver one never lives past its own cap."""
    present = clock.now()
    cap = present + timedelta(hours=version.content.cap)
    assert record.ends_at is not None
    if version.hours is None:
        return min(record.ends_at, cap)
    return present + timedelta(hours=version.hours)
