"""What is read about documents and versions: one of them, lists of them, and what they change."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from sqlalchemy import ColumnElement, and_, false, or_, select

from service.approvals.kinds import ChangeKind, Content, Difference, Fault
from service.approvals.models import BRIEFLY, DOCUMENTS, SELECT, VERSIONS, Version, version_of
from service.approvals.refusals import NotYours
from service.approvals.states import OPEN, State
from service.db import LAST_ID
from service.staff import Me, may_at
from service.wiring import Unit

#: What the console lists: what waits for me, what I wrote, and what is live.
Shelf = Literal["waiting", "mine", "live"]
PAGE: Final = 50
WAITING_SHOWN: Final = 500


def kind_of(unit: Unit, name: str) -> ChangeKind:
    """The kind of this name.

    Raises:
        NotYours: there is no such kind.
    """
    found = unit.wiring.tables.changes.get(name)
    if found is None:
        raise NotYours
    return found


def kind_at(unit: Unit, name: str, *, branch: str, key: str) -> ChangeKind:
    """The kind of this name, if there can be a document of it there.

    Raises:
        NotYours: there is no such kind, or no such document can be.
    """
    found = kind_of(unit, name)
    if found.only_at not in ("", branch) or not re.fullmatch(found.keys, key, re.ASCII):
        raise NotYours
    return found


def find(unit: Unit, version_id: int, *, by: Me) -> Version:
    """One version, for somebody who may read it.

    Raises:
        NotYours: it is absent, or nothing to them; they cannot tell which.
    """
    version = get(unit, VERSIONS.c.id == version_id)
    if not may_at(unit, by, version.branch, kind_of(unit, version.kind).reads):
        raise NotYours
    return version


def numbered(unit: Unit, document_id: int, number: int) -> Version:
    """The version of a document with this number.

    Raises:
        NotYours: there is none.
    """
    if not 0 <= number <= LAST_ID:
        raise NotYours
    return get(unit, and_(VERSIONS.c.document_id == document_id, VERSIONS.c.number == number))


def live_of(unit: Unit, kind: str, *, branch: str, key: str = "") -> Version | None:
    """The version of a document that is live, None while nothing was recorded as live."""
    row = unit.db.execute(
        SELECT.where(
            DOCUMENTS.c.kind == kind,
            DOCUMENTS.c.branch_code == branch,
            DOCUMENTS.c.key == key,
            VERSIONS.c.state == State.LIVE,
        )
    ).first()
    return version_of(row) if row else None


def open_of(unit: Unit, kind: str, *, branch: str, key: str = "") -> list[Version]:
    """Every version of a document that somebody still works on, the newest first."""
    rows = unit.db.execute(
        SELECT.where(
            DOCUMENTS.c.kind == kind,
            DOCUMENTS.c.branch_code == branch,
            DOCUMENTS.c.key == key,
            VERSIONS.c.state.in_(OPEN),
        ).order_by(VERSIONS.c.number.desc())
    )
    return [version_of(row) for row in rows]


def documents(unit: Unit, branch: str, *, by: Me) -> list[dict[str, object]]:
    """The documents of a branch that this person may read: kind, branch, key and what is live."""
    rows = unit.db.execute(
        select(DOCUMENTS.c.kind, DOCUMENTS.c.branch_code, DOCUMENTS.c.key, DOCUMENTS.c.live)
        .where(DOCUMENTS.c.branch_code == branch)
        .order_by(DOCUMENTS.c.kind, DOCUMENTS.c.key)
    )
    kinds = unit.wiring.tables.changes
    return [
        {"kind": kind, "branch": code, "key": key, "live": live}
        for kind, code, key, live in rows
        if kind in kinds and may_at(unit, by, code, kinds[kind].reads)
    ]


def open_at(unit: Unit, kind: str, *, branch: str) -> list[Version]:
    """Every version of any document of a kind at a branch that is still worked on."""
    rows = unit.db.execute(
        SELECT.where(
            DOCUMENTS.c.kind == kind,
            DOCUMENTS.c.branch_code == branch,
            VERSIONS.c.state.in_(OPEN),
        ).order_by(VERSIONS.c.number.desc())
    )
    return [version_of(row) for row in rows]


def history(unit: Unit, version: Version) -> list[Version]:
    """All versions of the same document, the newest first."""
    rows = unit.db.execute(
        BRIEFLY.where(VERSIONS.c.document_id == version.document_id)
        .order_by(VERSIONS.c.number.desc())
        .limit(200)
    )
    return [version_of(row) for row in rows]


def shelf(unit: Unit, name: Shelf, *, by: Me, older_than: int | None = None) -> Sequence[Version]:
    """A page of versions that somebody may see; ``older_than`` an id for the next page.

    What waits is not paged: it is little, and what a person had a hand in is not theirs to decide.
    """
    query = BRIEFLY.where(_on(unit, name, by)).order_by(VERSIONS.c.id.desc())
    if older_than is not None:
        query = query.where(VERSIONS.c.id < max(0, min(older_than, LAST_ID)))
    if name == "waiting":
        found = [version_of(row) for row in unit.db.execute(query.limit(WAITING_SHOWN))]
        return [version for version in found if by.id not in version.editors]
    return [version_of(row) for row in unit.db.execute(query.limit(PAGE))]


def _on(unit: Unit, name: Shelf, by: Me) -> ColumnElement[bool]:
    if name == "mine":
        mine = and_(VERSIONS.c.maker_id == by.id, VERSIONS.c.state.in_(OPEN))
        return and_(mine, _within(unit, by, "reads"))
    if name == "waiting":
        return and_(VERSIONS.c.state == State.PROPOSED, _within(unit, by, "approves"))
    return and_(VERSIONS.c.state == State.LIVE, VERSIONS.c.number > 0, _within(unit, by, "reads"))


def _within(unit: Unit, by: Me, what: Literal["reads", "approves"]) -> ColumnElement[bool]:
    """The documents at whose branch this person may do what their kind asks for that."""
    changes = unit.wiring.tables.changes
    places = unit.db.execute(select(DOCUMENTS.c.kind, DOCUMENTS.c.branch_code).distinct())
    by_kind: dict[str, list[str]] = {}
    for kind, branch in places:
        if kind in changes and may_at(unit, by, branch, getattr(changes[kind], what)):
            by_kind.setdefault(kind, []).append(branch)
    return or_(
        false(),
        *(
            and_(DOCUMENTS.c.kind == kind, DOCUMENTS.c.branch_code.in_(branches))
            for kind, branches in by_kind.items()
        ),
    )


def current(unit: Unit, kind: ChangeKind, *, branch: str, key: str) -> dict[str, object]:
    """What is live at this moment, by section; None for a section of which there is nothing."""
    return {name: part.read(unit, branch, key) for name, part in kind.sections.items()}


def differences(unit: Unit, version: Version) -> Mapping[str, Sequence[Difference]]:
    """What the version changes, by section, in people's words.

    An open version is held against what is live at this moment, which is what approving it would
    change; a settled one against what it was written on, which is what it did change.
    """
    kind, content = kind_of(unit, version.kind), version.content
    before: Content = json.loads(version.basis)
    if version.state in OPEN:
        before = current(unit, kind, branch=version.branch, key=version.key)
    return {
        name: part.differences(unit, before.get(name), content.get(name))
        for name, part in kind.sections.items()
    }


def faults(unit: Unit, version: Version) -> Mapping[str, Sequence[Fault]]:
    """What is wrong with a version, by section; empty when nothing is."""
    kind = kind_of(unit, version.kind)
    return faults_in(unit, kind, branch=version.branch, key=version.key, content=version.content)


def faults_in(
    unit: Unit, kind: ChangeKind, *, branch: str, key: str, content: Content
) -> Mapping[str, Sequence[Fault]]:
    """What is wrong with content that may not even be a draft yet, by section."""
    found = {
        name: list(part.faults(unit, branch, key, content.get(name)))
        for name, part in kind.sections.items()
    }
    return {name: some for name, some in found.items() if some}


def progress(unit: Unit, version: Version) -> list[str]:
    """What is still under way since the version went live, or failing and why; empty when done."""
    if version.state != State.LIVE:
        return []
    asked = (part.progress for part in kind_of(unit, version.kind).sections.values())
    said = (ask(unit, version.branch) for ask in asked if ask is not None)
    return [one for one in said if one]


def get(unit: Unit, condition: ColumnElement[bool]) -> Version:
    """The one version the condition names, whoever asks.

    Raises:
        NotYours: there is none.
    """
    row = unit.db.execute(SELECT.where(condition)).first()
    if row is None:
        raise NotYours
    return version_of(row)
