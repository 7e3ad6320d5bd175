"""What people do with a version: draft, save, propose, take back, return, approve, roll back.

Whoever acts is given as ``by`` and is asked for their rights here, so that no caller can forget to.
Every move is noted in the audit chain. Nothing commits. Everything that cannot be done raises a
:class:`~service.approvals.refusals.Refused` that says why and what to do instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import update

from service import clock
from service.approvals import queries
from service.approvals.documents import add, document_of
from service.approvals.kinds import ChangeKind, Json
from service.approvals.models import DOCUMENTS, VERSIONS, Version, as_text
from service.approvals.refusals import (
    AlreadySettled,
    Faulty,
    NotAllowed,
    NothingChanges,
    NotYours,
    NoWayBack,
    ReasonMissing,
    TakesTwo,
    TimePassed,
)
from service.approvals.states import WAS_LIVE, Move, State
from service.approvals.writing import Hand, go_live, guard, hold, move, shown, tell
from service.staff import Me, may_at
from service.wiring import Unit


def open_draft(
    unit: Unit, kind: str, *, branch: str, by: Me, key: str = "", copy_of: int | None = None
) -> Version:
    """The draft this person is writing on, or a new one on what is live now.

    Args:
        copy_of: the number of a version to begin with instead, such as one that was withdrawn.
    """
    found = queries.kind_at(unit, kind, branch=branch, key=key)
    _require(unit, by, branch, found.reads, found.edits)
    found.allows(unit, by, branch, key)
    document = document_of(unit, found, kind, branch=branch, key=key)
    for version in queries.open_of(unit, kind, branch=branch, key=key):
        if version.maker_id == by.id and version.state in (State.DRAFT, State.RETURNED):
            return version
    basis = _now(unit, found, kind, branch=branch, key=key)
    content = queries.numbered(unit, document, copy_of).content if copy_of is not None else basis
    for name, part in found.sections.items():
        content.setdefault(name, part.fresh(unit, branch, key))
    draft = add(unit, document, content, basis=basis, maker=by, state=State.DRAFT)
    tell(unit, "draft", draft, by=by)
    return draft


def _now(unit: Unit, kind: ChangeKind, name: str, *, branch: str, key: str) -> dict[str, Json]:
    """What a draft begins with: the version that is live, where that is still what there is.

    A command may have changed a section past the console, and a draft on what was there before
    would quietly take that back.
    """
    live = queries.live_of(unit, name, branch=branch, key=key)
    if live is None:
        return {}
    content, there = live.content, queries.current(unit, kind, branch=branch, key=key)
    for section, part in kind.sections.items():
        now = there[section]
        if now is None:
            content[section] = part.fresh(unit, branch, key)
        elif part.differences(unit, content.get(section), now):
            content[section] = now
    return content


def save(
    unit: Unit,
    version_id: int,
    *,
    content: Mapping[str, Json],
    seen: str,
    by: Me,
    onto: int | None = None,
) -> Version:
    """Write the sections given into a version; sections left out stay as they are.

    A proposal that is written to is a proposal no more: what was to be approved is gone.

    Args:
        seen: the hash of the content this one was written on.
        onto: the number of the live version that was merged in, after a ``StaleBase``.
    """
    version = hold(unit, version_id, by=by)
    kind = queries.kind_of(unit, version.kind)
    if unknown := set(content) - set(kind.sections):
        raise ValueError(f"no such section: {', '.join(sorted(unknown))}")
    mine = version.content | dict(content)
    hand = Hand(by, kind.edits, seen=seen, onto=onto)
    guard(unit, version, Move.EDIT, hand, mine=mine)
    kind.allows(unit, by, version.branch, version.key)
    text, digest = as_text(mine)
    if digest == version.hash and onto is None and version.state != State.PROPOSED:
        return version
    changes: dict[str, Any] = {"text": text, "hash": digest, "edited_at": clock.now()}
    changes["editors"] = sorted({*version.editors, by.id})
    if onto is not None:
        basis = queries.numbered(unit, version.document_id, onto).text
        changes |= {"base": onto, "basis": basis}
    saved = move(unit, version, Move.EDIT, scheduled_at=None, proposed_at=None, **changes)
    what = "void" if version.state is State.PROPOSED else "save"
    tell(unit, what, saved, by=by, before=version)
    return saved


def propose(
    unit: Unit,
    version_id: int,
    *,
    why: str,
    seen: str,
    by: Me,
    scheduled_at: datetime | None = None,
) -> Version:
    """Put a version before a second person; ``scheduled_at`` (aware) is when it is to go live."""
    version = hold(unit, version_id, by=by)
    kind = queries.kind_of(unit, version.kind)
    guard(unit, version, Move.PROPOSE, Hand(by, kind.proposes, seen=seen))
    kind.allows(unit, by, version.branch, version.key)
    _require_reason(why)
    if scheduled_at is not None and scheduled_at <= clock.now():
        raise TimePassed
    if version.live is not None:
        live = queries.numbered(unit, version.document_id, version.live)
        # A command may have changed what is there past the console; then there is a difference.
        if live.hash == version.hash and not any(queries.differences(unit, version).values()):
            raise NothingChanges
    proposed = move(
        unit,
        version,
        Move.PROPOSE,
        why=why.strip(),
        scheduled_at=scheduled_at,
        proposed_at=clock.now(),
        # Whoever proposes stands for the content as much as whoever wrote it.
        editors=sorted({*version.editors, by.id}),
    )
    when = scheduled_at.isoformat() if scheduled_at else None
    tell(unit, "propose", proposed, by=by, before=version, after={"at": when}, why=why)
    return proposed


def withdraw(unit: Unit, version_id: int, *, by: Me, why: str = "") -> Version:
    """Take a version back for good, also one that is approved and waits for its time."""
    version = hold(unit, version_id, by=by)
    kind = queries.kind_of(unit, version.kind)
    guard(unit, version, Move.WITHDRAW, Hand(by, kind.proposes))
    gone = move(unit, version, Move.WITHDRAW, **_ended(by), reason=why.strip())
    tell(unit, "withdraw", gone, by=by, before=version, why=why)
    return gone


def return_(unit: Unit, version_id: int, *, reason: str, by: Me) -> Version:
    """Send a version back to its maker with a reason, also one that waits for its time."""
    version = hold(unit, version_id, by=by)
    kind = queries.kind_of(unit, version.kind)
    guard(unit, version, Move.RETURN, Hand(by, kind.approves))
    _require_reason(reason)
    returned = move(unit, version, Move.RETURN, **_decided(by, reason))
    tell(unit, "return", returned, by=by, before=version, why=reason)
    return returned


def approve(unit: Unit, version_id: int, *, seal: str, by: Me) -> Version:
    """Say yes to exactly what the seal stands for: it goes live now, or at the time it names."""
    version = hold(unit, version_id, by=by)
    kind = queries.kind_of(unit, version.kind)
    later = version.scheduled_at is not None and version.scheduled_at > clock.now()
    way = Move.SCHEDULE if later else Move.APPROVE
    guard(unit, version, way, Hand(by, kind.approves, seen=seal))
    when = version.scheduled_at.isoformat() if version.scheduled_at else None
    tell(unit, "approve", version, by=by, after={"seal": seal, "at": when})
    if later:
        return move(unit, version, way, **_decided(by))
    return go_live(unit, version, way, by=by, actor=by, **_decided(by))


def roll_back(unit: Unit, version_id: int, *, to: int, why: str, seen_live: int, by: Me) -> Version:
    """Bring back what was live before: one person's act, because it was approved once already.

    The old content becomes a new version, so that the history goes forward only.

    Args:
        version_id: any version of the document.
        to: the number of the version to bring back.
        seen_live: the number of the version the person saw as live.
    """
    version = hold(unit, version_id, by=by)
    kind = queries.kind_of(unit, version.kind)
    _require(unit, by, version.branch, kind.reads, kind.approves)
    if not kind.rolls_back:
        raise TakesTwo
    _require_reason(why)
    old = queries.numbered(unit, version.document_id, to)
    if version.live != seen_live and version.live is not None:
        raise AlreadySettled(queries.numbered(unit, version.document_id, version.live))
    if version.live is None or old.state not in WAS_LIVE:
        raise NoWayBack(to)
    if found := queries.faults(unit, old):
        raise Faulty(found)
    return _bring_back(unit, version, old, why=why.strip(), by=by)


def _bring_back(unit: Unit, version: Version, old: Version, *, why: str, by: Me) -> Version:
    """A new version with the old one's content, live in the place of the one that is."""
    assert version.live is not None
    wrong = queries.numbered(unit, version.document_id, version.live)
    moment = clock.now()
    gone = move(unit, wrong, Move.ROLL_BACK, **_ended(by))
    tell(unit, "roll_back", gone, by=by, before=wrong, after={"to": old.number}, why=why)
    again = add(
        unit,
        version.document_id,
        old.content,
        basis=wrong.content,
        maker=by,
        state=State.PROPOSED,
        base=wrong.number,
        why=why,
        restores=old.number,
        proposed_at=moment,
    )
    # Nothing of the document is live just now, so nothing has to step down.
    unit.db.execute(
        update(DOCUMENTS).where(DOCUMENTS.c.id == version.document_id).values(live=None)
    )
    again = queries.get(unit, VERSIONS.c.id == again.id)
    return go_live(unit, again, Move.APPROVE, by=by, actor=by, **_decided(by, why))


def _decided(by: Me, reason: str = "") -> dict[str, Any]:
    return {
        "reviewer_id": by.id,
        "reviewer": shown(by),
        "reviewer_login": by.login,
        "reason": reason.strip(),
        "decided_at": clock.now(),
    }


def _ended(by: Me) -> dict[str, Any]:
    return {"ended_by": shown(by), "ended_at": clock.now()}


def _require(unit: Unit, by: Me, branch: str, reads: str, act: str) -> None:
    if not may_at(unit, by, branch, reads):
        raise NotYours
    if not may_at(unit, by, branch, act):
        raise NotAllowed


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing
