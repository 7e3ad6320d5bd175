"""The tables of emergencies: plans, what is open, its versions, and reviews owed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, ForeignKey, Index, Select, String, Text, UniqueConstraint, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from lightservices.emergency import content as contents
from lightservices.emergency.content import Content
from lightservices.emergency.states import Stage, State, standing
from regions.coverage import Coverage, Reach
from service import clock
from service.audit.chain import canonical
from service.db import Model, UtcTime, table_of
from service.happenings import Fact


def _only_one(name: str, column: str, where: str) -> Index:
    """The database itself keeps a second row of this kind from existing."""
    return Index(name, column, unique=True, sqlite_where=sql(where), postgresql_where=sql(where))


class PlanRow(Model):
    """A plan made in calm, in place of the shipped pack with the same key."""

    __tablename__ = "emergency_plans"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(String(64))
    edited_by: Mapped[str] = mapped_column(String(64))
    edited_at: Mapped[datetime] = mapped_column(UtcTime)
    retired: Mapped[bool] = mapped_column(default=False)


class EmergencyRow(Model):
    """One emergency from its proposal to its end."""

    __tablename__ = "emergencies"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    #: The nearest branch above all it touches; a plain code, for the audit and for lists.
    branch_code: Mapped[str] = mapped_column(String(8))
    drill: Mapped[bool]
    broke_glass: Mapped[bool]
    state: Mapped[str] = mapped_column(String(10), index=True)
    #: Goes up with every move, so that of two who act at once only one succeeds.
    revision: Mapped[int] = mapped_column(default=1)
    next: Mapped[int] = mapped_column(default=1)
    #: The number of the version in force.
    live: Mapped[int | None]
    opened_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ended_by: Mapped[str] = mapped_column(String(64), default="")
    #: The version whose coming end the duty list was told of.
    warned: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class VersionRow(Model):
    """What it says and reaches, as somebody proposed it and somebody else took it or did not."""

    __tablename__ = "emergency_versions"

    id: Mapped[int] = mapped_column(primary_key=True)
    emergency_id: Mapped[int] = mapped_column(ForeignKey("emergencies.id"), index=True)
    number: Mapped[int]
    #: open, amend, extend or break_glass.
    kind: Mapped[str] = mapped_column(String(12))
    stage: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(String(64))
    #: The seal of all an approver says yes to.
    seal: Mapped[str] = mapped_column(String(64))
    #: How long from its approval; none: until the end there is.
    hours: Mapped[int | None]
    #: The branches it touches, and the counties it takes in.
    branches: Mapped[list[str]] = mapped_column(JSON)
    covered: Mapped[dict[str, Any]] = mapped_column(JSON)
    certain: Mapped[int]
    likely: Mapped[int]
    unknown: Mapped[int]
    maker_id: Mapped[int]
    maker: Mapped[str] = mapped_column(String(64))
    why: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime] = mapped_column(UtcTime)
    decider_id: Mapped[int | None]
    decider: Mapped[str] = mapped_column(String(64), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        UniqueConstraint("emergency_id", "number"),
        _only_one("uq_emergency_versions_live", "emergency_id", "stage = 'live'"),
        _only_one("uq_emergency_versions_proposed", "emergency_id", "stage = 'proposed'"),
    )


class ReviewRow(Model):
    """What is owed after breaking the glass: somebody else's word on it."""

    __tablename__ = "emergency_reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    emergency_id: Mapped[int] = mapped_column(ForeignKey("emergencies.id"), unique=True)
    person_id: Mapped[int]
    person: Mapped[str] = mapped_column(String(64))
    #: A drill's debt never keeps anybody from the real thing.
    drill: Mapped[bool]
    opened_at: Mapped[datetime] = mapped_column(UtcTime)
    reviewer_id: Mapped[int | None]
    reviewer: Mapped[str] = mapped_column(String(64), default="")
    justified: Mapped[bool | None]
    words: Mapped[str] = mapped_column(Text, default="")
    done_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        # Two hands of the same person, in two windows, cannot run up two debts.
        Index(
            "uq_emergency_reviews_owed",
            "person_id",
            "drill",
            unique=True,
            sqlite_where=sql("done_at IS NULL"),
            postgresql_where=sql("done_at IS NULL"),
        ),
    )


EMERGENCIES: Final = table_of(EmergencyRow)
VERSIONS: Final = table_of(VersionRow)
REVIEWS: Final = table_of(ReviewRow)


@dataclass(frozen=True, slots=True)
class EmergencyChanged(Fact):
    """An emergency opened, changed or ended; it concerns no one follower, so no openid is given."""

    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One emergency as its row has it."""

    id: int
    key: str
    branch_code: str
    drill: bool
    broke_glass: bool
    state: State
    revision: int
    next: int
    live: int | None
    opened_at: datetime | None
    ends_at: datetime | None
    ended_at: datetime | None
    ended_by: str
    warned: int
    created_at: datetime

    @property
    def path(self) -> str:
        return f"/e/{self.key}"

    @property
    def stands(self) -> State:
        """Where it stands now, whatever was written down."""
        return standing(self.state, self.ends_at, clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version as its row has it."""

    id: int
    emergency_id: int
    number: int
    kind: str
    stage: Stage
    text: str
    hash: str
    seal: str
    hours: int | None
    branches: tuple[str, ...]
    covered: Coverage
    reach: Reach
    maker_id: int
    maker: str
    why: str
    proposed_at: datetime
    decider_id: int | None
    decider: str
    reason: str
    decided_at: datetime | None
    ends_at: datetime | None

    @property
    def content(self) -> Content:
        return contents.stored(json.loads(self.text))


SELECT_RECORD: Final[Select[Any]] = select(*(EMERGENCIES.c[one.name] for one in fields(Record)))
SELECT_VERSION: Final[Select[Any]] = select(*VERSIONS.c)


def record_of(row: Any) -> Record:
    """A row of :data:`SELECT_RECORD`."""
    return Record(**(dict(row._mapping) | {"state": State(row.state)}))


def version_of(row: Any) -> Version:
    """A row of :data:`SELECT_VERSION`."""
    values = dict(row._mapping)
    counts = [values.pop(name) for name in ("certain", "likely", "unknown")]
    values |= {
        "stage": Stage(values["stage"]),
        "branches": tuple(values["branches"]),
        "covered": Coverage(tuple(values["covered"]["whole"]), values["covered"]["parts"]),
        "reach": Reach(*counts),
    }
    return Version(**values)


def seal_of(
    *, key: str, number: int, kind: str, drill: bool, hours: int | None, digest: str
) -> str:
    """The digest of all an approver says yes to: the content, of what, how long, and whether it is
    a drill, so that a drill's approval can never stand for the real thing."""
    said: Mapping[str, Any] = {
        "key": key, "number": number, "kind": kind, "drill": drill, "hours": hours, "hash": digest,
    }  # fmt: skip
    return hashlib.sha256(canonical(said).encode()).hexdigest()
