"""How a version is moved: held, checked against the guards, and moved by one hand only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from service import audit, clock
from service.approvals import queries
from service.approvals.kinds import ChangeKind
from service.approvals.models import DOCUMENTS, VERSIONS, Version
from service.approvals.refusals import (
    AlreadySettled,
    ContentChanged,
    Faulty,
    NotAllowed,
    NotYours,
    OwnWork,
    Refused,
    StaleBase,
)
from service.approvals.states import FAULTLESS, LEADS_TO, Case, Hindrance, Move, hindrance
from service.audit.chain import canonical
from service.staff import Me, may_at
from service.wiring import Unit


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody about to make a move, and what they saw when they decided to. None: the program."""

    by: Me | None
    act: str = ""
    seen: str = ""
    #: A later live version that the content was merged with by a person.
    onto: int | None = None


def hold(unit: Unit, version_id: int, *, by: Me | None) -> Version:
    """The version as it is now, with its document held until the transaction ends.

    Everything that moves a version takes its document first: of two who act at once the second
    waits here, and then sees what the first has done. SQLite has one writer at a time anyway.

    Raises:
        NotYours: it is absent, or nothing to this person.
    """
    document = unit.db.execute(
        select(VERSIONS.c.document_id).where(VERSIONS.c.id == version_id)
    ).scalar()
    if document is None:
        raise NotYours
    hold_document(unit, document)
    version = queries.get(unit, VERSIONS.c.id == version_id)
    kind = queries.kind_of(unit, version.kind)
    if by is not None and not may_at(unit, by, version.branch, kind.reads):
        raise NotYours
    return version


def hold_document(unit: Unit, document_id: int) -> None:
    """Let nobody else move a version of this document until the transaction ends."""
    unit.db.execute(
        select(DOCUMENTS.c.id).where(DOCUMENTS.c.id == document_id).with_for_update()
    ).one()


def guard(
    unit: Unit,
    version: Version,
    move: Move,
    hand: Hand,
    *,
    mine: Mapping[str, Any] | None = None,
) -> None:
    """Let the move pass, or say why not; ``mine`` is what the person was about to write.

    Raises:
        Refused: the kind of refusal says what stands in the way.
    """
    by = hand.by
    found = queries.faults(unit, version) if move in FAULTLESS else {}
    case = Case(
        state=version.state,
        move=move,
        permitted=by is None or may_at(unit, by, version.branch, hand.act),
        person=by.id if by else None,
        editors=version.editors,
        seen=hand.seen,
        there=version.seal if move in (Move.APPROVE, Move.SCHEDULE) else version.hash,
        base=version.base if hand.onto is None else hand.onto,
        live=version.live,
        faulty=bool(found),
    )
    reason = hindrance(case)
    if reason is Hindrance.FAULTY:
        raise Faulty(found)
    if reason is Hindrance.STALE:
        raise stale(unit, version, mine=version.content if mine is None else mine)
    if reason is not None:
        raise _refusal(version, reason)


def _refusal(version: Version, reason: Hindrance) -> Refused:
    if reason is Hindrance.NOT_YOURS:
        return NotAllowed()
    if reason is Hindrance.SETTLED:
        return AlreadySettled(version)
    if reason is Hindrance.OWN_WORK:
        return OwnWork()
    return ContentChanged(version)


def stale(unit: Unit, version: Version, *, mine: Mapping[str, Any]) -> StaleBase:
    """The refusal that carries all three texts of a merge."""
    theirs: Mapping[str, Any] = {}
    if version.live is not None:
        theirs = queries.numbered(unit, version.document_id, version.live).content
    return StaleBase(version, theirs=theirs, mine=mine, base=json.loads(version.basis))


def move(unit: Unit, version: Version, by_way_of: Move, **changes: Any) -> Version:
    """Write the move down, if the version is still as it was read.

    Raises:
        AlreadySettled: somebody else wrote to it in between.
    """
    moved = unit.db.execute(
        update(VERSIONS)
        .where(VERSIONS.c.id == version.id, VERSIONS.c.revision == version.revision)
        .values(state=LEADS_TO[version.state, by_way_of], revision=version.revision + 1, **changes)
    )
    now = queries.get(unit, VERSIONS.c.id == version.id)
    if moved.rowcount != 1:
        raise AlreadySettled(now)
    return now


def go_live(
    unit: Unit, version: Version, by_way_of: Move, *, by: Me, actor: Me | None, **changes: Any
) -> Version:
    """Make a version live, all in one transaction: the old one steps down, every section applies.

    Args:
        by: who approved it.
        actor: who acts now; None when the program does because the time has come.
    """
    kind = queries.kind_of(unit, version.kind)
    content = version.content
    before = queries.current(unit, kind, branch=version.branch, key=version.key)
    told = _told(unit, kind, version)
    step_down(unit, version, Move.SUPERSEDE, actor=actor)
    live = move(unit, version, by_way_of, live_at=clock.now(), basis=canonical(before), **changes)
    unit.db.execute(
        update(DOCUMENTS).where(DOCUMENTS.c.id == version.document_id).values(live=version.number)
    )
    for name, part in kind.sections.items():
        part.apply(unit, version.branch, version.key, content[name], by)
    after = {"approved_by": by.login, "differences": told}
    tell(unit, "live", live, by=actor, before=version, after=after)
    return queries.get(unit, VERSIONS.c.id == version.id)


def step_down(unit: Unit, version: Version, by_way_of: Move, *, actor: Me | None) -> None:
    """Whatever is live of the version's document steps down for it."""
    if version.live is None:
        return
    old = queries.numbered(unit, version.document_id, version.live)
    gone = move(unit, old, by_way_of, ended_at=clock.now(), ended_by=shown(actor))
    tell(unit, str(by_way_of), gone, by=actor, before=old, after={"for": version.number})


def _told(unit: Unit, kind: ChangeKind, version: Version) -> list[dict[str, str]]:
    return [
        {
            "where": f"{kind.sections[name].title}：{one.where}",
            "before": one.before,
            "after": one.after,
        }
        for name, found in queries.differences(unit, version).items()
        for one in found
    ]


def tell(
    unit: Unit,
    what: str,
    version: Version,
    *,
    by: Me | None,
    before: Version | None = None,
    after: Mapping[str, Any] | None = None,
    why: str = "",
) -> None:
    """Note a move in the audit chain."""
    audit.note(
        unit,
        actor=by,
        act=f"approvals.{what}",
        subject=version.subject,
        branch=version.branch,
        before={"state": before.state, "hash": before.hash} if before else None,
        after={"state": version.state, "hash": version.hash, "base": version.base, **(after or {})},
        why=why,
    )


def shown(person: Me | None) -> str:
    """A person as colleagues know them."""
    return f"{person.name}（{person.login}）"[:64] if person else ""
