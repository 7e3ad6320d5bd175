"""How an emergency is moved: held, checked against the guards, written by one hand only, told on.

Every move goes through here, whichever page, command or chore asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from marshmallow import ValidationError
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from lightservices.emergency import content as contents
from lightservices.emergency import queries, reach, snapshot
from lightservices.emergency.content import Content
from lightservices.emergency.models import (
    EMERGENCIES,
    VERSIONS,
    EmergencyChanged,
    EmergencyRow,
    Record,
    Version,
    VersionRow,
    seal_of,
    version_of,
)
from lightservices.emergency.reach import Assessment
from lightservices.emergency.refusals import (
    BadContent,
    Changed,
    NoArea,
    NotAllowed,
    NotThatArea,
    NotYours,
    OtherReach,
    OwnProposal,
    ReasonMissing,
    Refused,
    Settled,
    Uncounted,
    Unreadable,
)
from lightservices.emergency.states import (
    LEADS_TO,
    STAGES,
    Case,
    Hindrance,
    Move,
    Stage,
    hindrance,
)
from regions.areas import Area, AreaRefused
from service import audit, clock, journal
from service.approvals.models import as_text
from service.delivery import ledger
from service.epochs import bump
from service.happenings import OpenId
from service.staff import Me, rights
from service.wiring import Unit

log = structlog.stdlib.get_logger(__name__)

#: The name under which every process keeps what is in force.
EPOCH: Final = "emergencies"
#: What the duty list is told.
PAGE: Final = "emergency.page"


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody about to make a move, and what they saw when they decided to. None: the clock."""

    by: Me | None
    act: str = ""
    seen: str = ""
    ticked: str = ""


def hold(unit: Unit, key: str) -> Record:
    """The emergency as it is now, held until the transaction ends: of two who act at once the
    second waits here and then sees what the first has done. SQLite has one writer at a time anyway.

    Raises:
        NotYours: there is none.
    """
    unit.db.execute(select(EMERGENCIES.c.id).where(EMERGENCIES.c.key == key).with_for_update())
    record = queries.find(unit, key)
    if record is None:
        raise NotYours
    return record


def assessed(unit: Unit, area: Area | None) -> Assessment:
    """What the area concerns.

    Raises:
        NoArea: there is none.
        Uncounted: the database did not answer in time.
    """
    if area is None:
        raise NoArea
    try:
        return reach.assess(unit, area)
    except OperationalError as late:
        log.warning("an area's followers could not be counted", fault=type(late.orig).__name__)
        raise Uncounted from late


def weighed(unit: Unit, key: str, number: int) -> Assessment:
    """What a version's area concerns, asked before the emergency is held: counting millions takes
    seconds, and whoever closes it meanwhile must not wait. What a version says never changes.

    Raises:
        NotYours: there is no such version.
        Unreadable: what it says cannot be read.
        Uncounted: the database did not answer in time.
    """
    record = queries.find(unit, key)
    if record is None:
        raise NotYours
    return assessed(unit, legible(queries.version(unit, record, number)).area)


def counted(assessment: Assessment) -> dict[str, Any]:
    """What was certain and likely when it was decided on, in place of when it was proposed."""
    found = assessment.reach
    return {
        "certain": found.certain, "likely": found.likely, "unknown": found.unknown,
        "branches": list(assessment.codes),
    }  # fmt: skip


def readable(version: Version) -> Content | None:
    """What the version says; None where it cannot be read, which must keep nothing open."""
    try:
        return version.content
    except (ValidationError, AreaRefused, ValueError):
        log.exception("a version of an emergency cannot be read", version=version.id)
        return None


def legible(version: Version) -> Content:
    """What the version says.

    Raises:
        Unreadable: it cannot be read.
    """
    content = readable(version)
    if content is None:
        raise Unreadable
    return content


def require_area(unit: Unit, by: Me, act: str, codes: tuple[str, ...]) -> None:
    """Let the person act in all of this area, or say where they may not.

    Raises:
        NotAllowed: they may do this nowhere.
        NotThatArea: they may elsewhere, naming what lies outside their jurisdiction.
    """
    if not rights.held(by.grants, act):
        raise NotAllowed
    if not reach.may_everywhere(unit, by, act, codes):
        names = unit.wiring.tables.branch_names(unit)
        beyond = [one for one in codes if not reach.may_everywhere(unit, by, act, (one,))]
        raise NotThatArea(tuple(names.get(code, code) for code in beyond))


def require_sound(content: Content) -> None:
    """Let sound content pass.

    Raises:
        BadContent: naming every fault.
    """
    if found := tuple(contents.faults(content)):
        raise BadContent(found)


def required_reason(why: str) -> str:
    """The reason, trimmed.

    Raises:
        ReasonMissing: there is none.
    """
    if not why.strip():
        raise ReasonMissing
    return why.strip()


def guard(
    unit: Unit,
    record: Record,
    move: Move,
    hand: Hand,
    *,
    version: Version | None = None,
    assessment: Assessment | None = None,
) -> None:
    """Let the move pass, or say why not."""
    here = queries.codes_of(unit, record)
    # A change may reach further than what is open: whoever takes it answers for both.
    codes = (*here, *(assessment.codes if assessment else version.branches if version else ()))
    by = hand.by
    case = Case(
        state=record.stands if move is not Move.EXPIRE else record.state,
        move=move,
        stage=version.stage if version else None,
        sees=by is None or reach.sees(unit, by, here),
        permitted=by is None or reach.may_everywhere(unit, by, hand.act, codes),
        person=by.id if by else None,
        maker=version.maker_id if version else None,
        seen=hand.seen,
        there=version.seal if version else "",
        ticked=hand.ticked,
        reach=assessment.ticked if assessment else "",
    )
    match hindrance(case):
        case Hindrance.UNSEEN:
            raise NotYours
        case Hindrance.SETTLED:
            raise Settled(record.stands)
        case Hindrance.NOT_ALLOWED:
            assert by is not None
            require_area(unit, by, hand.act, codes)
        case Hindrance.OWN_WORK:
            raise OwnProposal
        case Hindrance.CHANGED:
            raise Changed
        case Hindrance.OTHER_REACH:
            raise OtherReach(case.reach)


def hindered(
    unit: Unit,
    record: Record,
    move: Move,
    hand: Hand,
    *,
    version: Version | None = None,
    assessment: Assessment | None = None,
) -> Refused | None:
    """Why this person could not make the move, by the same guards, for a page that offers it."""
    try:
        guard(unit, record, move, hand, version=version, assessment=assessment)
    except Refused as refused:
        return refused
    return None


def move(unit: Unit, record: Record, move: Move, **changes: Any) -> Record:
    """Write the move, unless another was faster: state and revision are compared as it is set.

    Raises:
        Settled: another was.
    """
    leads_to = LEADS_TO[record.state, move]
    moved = unit.db.execute(
        update(EmergencyRow)
        .where(
            EmergencyRow.id == record.id,
            EmergencyRow.state == record.state,
            EmergencyRow.revision == record.revision,
        )
        .values(state=leads_to.value, revision=record.revision + 1, **changes)
    )
    found = queries.find(unit, record.key)
    if moved.rowcount != 1 or found is None:
        raise Settled(found.stands if found else record.state)
    return found


def settle(unit: Unit, version: Version, move: Move, hand: Hand, **changes: Any) -> None:
    """Write what became of the version a move was about; one that is proposed, and no other."""
    by = hand.by
    settled = unit.db.execute(
        update(VersionRow)
        .where(VersionRow.id == version.id, VersionRow.stage == Stage.PROPOSED)
        .values(
            stage=STAGES[move].value, decider_id=by.id if by else None,
            decider=by.name if by else "", decided_at=clock.now(), **changes,
        )
    )  # fmt: skip
    if settled.rowcount != 1:
        raise Changed


def end_versions(unit: Unit, record: Record, *stages: Stage, into: Stage) -> None:
    """What is proposed or live takes its leave."""
    unit.db.execute(
        update(VersionRow)
        .where(VersionRow.emergency_id == record.id, VersionRow.stage.in_(stages))
        .values(stage=into.value)
    )


def add_version(
    unit: Unit,
    record: Record,
    content: Content,
    assessment: Assessment,
    *,
    kind: str,
    stage: Stage,
    hours: int | None,
    why: str,
    by: Me,
    ends_at: datetime | None = None,
) -> Version:
    """Another version of the emergency, numbered next."""
    text, digest = as_text(contents.write(content))
    number, covered = record.next, assessment.covered
    row = unit.db.execute(
        unit.insert(VersionRow)
        .values(
            emergency_id=record.id, number=number, kind=kind, stage=stage.value, text=text,
            hash=digest, hours=hours, branches=list(assessment.codes),
            covered={"whole": list(covered.whole), "parts": dict(covered.parts)},
            certain=assessment.reach.certain, likely=assessment.reach.likely,
            unknown=assessment.reach.unknown, maker_id=by.id, maker=by.name, why=why,
            proposed_at=clock.now(), ends_at=ends_at, decider="", reason="",
            seal=seal_of(
                key=record.key, number=number, kind=kind, drill=record.drill, hours=hours,
                digest=digest,
            ),
        )
        .returning(*VERSIONS.c)
    ).one()  # fmt: skip
    return version_of(row)


def tell(
    unit: Unit,
    act: str,
    record: Record,
    *,
    by: Me | None,
    version: Version | None = None,
    before: Record | None = None,
    after: Mapping[str, Any] | None = None,
    why: str = "",
) -> None:
    """Note the move in the audit chain, and let everybody who must know of it know."""
    number = f"#{version.number}" if version else ""
    audit.note(
        unit,
        actor=by,
        act=f"emergency.{act}",
        subject=f"emergency:{record.key}{number}",
        branch=record.branch_code,
        before=_state(before) if before else None,
        after={**_state(record), **(after or {})},
        why=why,
    )
    journal.count("emergencies", act=act)
    bump(unit, EPOCH)
    unit.announce(EmergencyChanged(OpenId(""), clock.now(), record.key))
    snapshot.refresh_afterwards(unit)


def page(unit: Unit, event: str, record: Record, content: Content | None, *, by: Me | None) -> None:
    """Have the duty list told; what it is told holds nothing about any follower.

    Args:
        content: None where it cannot be read; then the key stands for the title.
    """
    ledger.request(
        unit,
        PAGE,
        key=f"{record.key}:{event}:{record.revision}",
        payload={
            "event": event,
            "key": record.key,
            "title": content.title if content else record.key,
            "kind": content.kind.value if content else "",
            "severity": content.severity.value if content else "",
            "drill": record.drill,
            "by": by.name if by else "",
            "ends_at": record.ends_at.isoformat() if record.ends_at else None,
        },
    )


def _state(record: Record) -> dict[str, Any]:
    return {
        "state": record.state.value,
        "live": record.live,
        "drill": record.drill,
        "broke_glass": record.broke_glass,
        "ends_at": record.ends_at.isoformat() if record.ends_at else None,
    }
