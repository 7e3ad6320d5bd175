"""Looking emergencies up: one, its versions, lists, and what waits for somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, select

from lightservices.emergency import reach
from lightservices.emergency.models import (
    EMERGENCIES,
    REVIEWS,
    SELECT_RECORD,
    SELECT_VERSION,
    VERSIONS,
    Record,
    Version,
    record_of,
    version_of,
)
from lightservices.emergency.refusals import NotYours
from lightservices.emergency.states import ENDS, Stage, State
from service.console import guard
from service.staff import Me
from service.wiring import Unit, Waiting

#: Where the console shows emergencies.
ROOT: Final = f"{guard.ROOT}/emergency"
PAGE: Final = 50
#: No database counts further, and some refuse to be asked.
_LAST: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What is, or was, owed after a broken glass."""

    id: int
    emergency_id: int
    key: str
    person_id: int
    person: str
    drill: bool
    opened_at: datetime
    reviewer: str
    justified: bool | None
    words: str
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Past:
    """A page of what has ended, and what to ask for to see what ended before; None at the end."""

    found: list[Record]
    older: int | None


_REVIEW: Final = select(
    REVIEWS.c.id, REVIEWS.c.emergency_id, EMERGENCIES.c.key, REVIEWS.c.person_id,
    REVIEWS.c.person, REVIEWS.c.drill, REVIEWS.c.opened_at, REVIEWS.c.reviewer,
    REVIEWS.c.justified, REVIEWS.c.words, REVIEWS.c.done_at,
).join_from(REVIEWS, EMERGENCIES)  # fmt: skip


def find(unit: Unit, key: str) -> Record | None:
    """The emergency with this key, wherever it stands."""
    row = unit.db.execute(SELECT_RECORD.where(EMERGENCIES.c.key == key)).one_or_none()
    return record_of(row) if row else None


def seen_by(unit: Unit, key: str, me: Me) -> Record:
    """The emergency with this key, for somebody who has business in its area.

    Raises:
        NotYours: it is absent, or nothing to this person.
    """
    record = find(unit, key)
    if record is None or not reach.sees(unit, me, codes_of(unit, record)):
        raise NotYours
    return record


def codes_of(unit: Unit, record: Record) -> tuple[str, ...]:
    """The branches that what is in force touches; before that, what is proposed."""
    number = record.live if record.live is not None else 1
    return version(unit, record, number).branches


def version(unit: Unit, record: Record, number: int) -> Version:
    """One version of an emergency.

    Raises:
        NotYours: there is none with this number.
    """
    row = unit.db.execute(
        SELECT_VERSION.where(VERSIONS.c.emergency_id == record.id, VERSIONS.c.number == number)
    ).one_or_none()
    if row is None:
        raise NotYours
    return version_of(row)


def versions(unit: Unit, record: Record) -> list[Version]:
    """All its versions, the latest first."""
    rows = unit.db.execute(
        SELECT_VERSION.where(VERSIONS.c.emergency_id == record.id).order_by(
            VERSIONS.c.number.desc()
        )
    )
    return [version_of(row) for row in rows]


def pending(unit: Unit, record: Record) -> Version | None:
    """The version that waits for a decision: the proposal itself, or a change of what is open."""
    row = unit.db.execute(
        SELECT_VERSION.where(
            VERSIONS.c.emergency_id == record.id, VERSIONS.c.stage == Stage.PROPOSED
        )
    ).one_or_none()
    return version_of(row) if row else None


def current(unit: Unit, me: Me) -> list[Record]:
    """What is proposed or open in this person's jurisdiction, the latest first."""
    found = _records(unit, EMERGENCIES.c.state.in_((State.PROPOSED, State.OPEN)))
    return [one for one in found if reach.sees(unit, me, codes_of(unit, one))]


def unfinished(unit: Unit) -> list[Record]:
    """Everything that is proposed or open, for whoever has the machine."""
    return _records(unit, EMERGENCIES.c.state.in_((State.PROPOSED, State.OPEN)))


def over(unit: Unit, me: Me, *, older_than: int | None = None) -> Past:
    """What has ended in this person's jurisdiction, a page of it, the latest first."""
    found: list[Record] = []
    # Whose business one is depends on its branches, so those of others are passed over here.
    while len(found) < PAGE:
        where: list[ColumnElement[bool]] = [EMERGENCIES.c.state.in_(tuple(ENDS))]
        if older_than is not None:
            where.append(EMERGENCIES.c.id < min(older_than, _LAST))
        batch = _records(unit, *where, most=PAGE)
        found += [one for one in batch if reach.sees(unit, me, codes_of(unit, one))]
        if len(batch) < PAGE:
            return Past(found, None)
        older_than = batch[-1].id
    return Past(found[:PAGE], found[PAGE - 1].id)


def owed(unit: Unit, *, person_id: int | None = None, drill: bool | None = None) -> list[Review]:
    """The reviews that are owed, the oldest first: all, or those after one person's acts."""
    where: list[ColumnElement[bool]] = [REVIEWS.c.done_at.is_(None)]
    if person_id is not None:
        where.append(REVIEWS.c.person_id == person_id)
    if drill is not None:
        where.append(REVIEWS.c.drill.is_(drill))
    rows = unit.db.execute(_REVIEW.where(*where).order_by(REVIEWS.c.id))
    return [Review(**row._mapping) for row in rows]


def unreviewed(unit: Unit, me: Me) -> list[Record]:
    """What has ended in this person's jurisdiction while its review is still owed."""
    found = [find(unit, review.key) for review in owed(unit)]
    return [
        one
        for one in found
        if one is not None and one.stands in ENDS and reach.sees(unit, me, codes_of(unit, one))
    ]


def review_of(unit: Unit, record: Record) -> Review | None:
    """The review of this emergency, owed or done; None where no glass was broken."""
    row = unit.db.execute(_REVIEW.where(REVIEWS.c.emergency_id == record.id)).one_or_none()
    return Review(**row._mapping) if row else None


def waiting(unit: Unit, me: Me) -> Waiting | None:
    """For the console's home page: what this person may decide on or must review, or is kept from
    breaking the glass by."""
    found = []
    for record in current(unit, me):
        undecided = pending(unit, record)
        if undecided is None or record.stands not in (State.PROPOSED, State.OPEN):
            continue
        if undecided.maker_id != me.id and _may_open(unit, me, undecided.branches):
            found.append(record.key)
    for review in owed(unit):
        record_codes = _codes(unit, review.emergency_id)
        if review.person_id == me.id or _may_open(unit, me, record_codes):
            found.append(review.key)
    # A single one is a click away.
    where = f"{ROOT}/{found[0]}" if len(set(found)) == 1 else ROOT
    return Waiting("应急专区：待确认或待补审", len(found), where) if found else None


def _may_open(unit: Unit, me: Me, codes: Sequence[str]) -> bool:
    return reach.may_everywhere(unit, me, "open_emergency", codes)


def _codes(unit: Unit, emergency_id: int) -> tuple[str, ...]:
    row = unit.db.execute(SELECT_RECORD.where(EMERGENCIES.c.id == emergency_id)).one()
    return codes_of(unit, record_of(row))


def _records(unit: Unit, *where: Any, most: int = 500) -> list[Record]:
    rows = unit.db.execute(
        SELECT_RECORD.where(*where).order_by(EMERGENCIES.c.id.desc()).limit(most)
    )
    return [record_of(row) for row in rows]
