"""How a document and its versions come into being, and what was there before the first of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select, update

from service import clock
from service.approvals import queries
from service.approvals.kinds import ChangeKind, Json
from service.approvals.models import DOCUMENTS, VERSIONS, Document, Version, as_text
from service.approvals.states import State
from service.approvals.writing import hold_document, shown, tell
from service.staff import Me
from service.wiring import Unit


def document_of(unit: Unit, kind: ChangeKind, name: str, *, branch: str, key: str) -> int:
    """The document of this name, held; a new one knows what was there before it."""
    made = unit.db.execute(
        unit.insert(Document)
        .values(kind=name, branch_code=branch, key=key, next=1)
        .on_conflict_do_nothing(index_elements=["kind", "branch_code", "key"])
        .returning(DOCUMENTS.c.id)
    ).scalar()
    if made is None:
        found: int = unit.db.execute(
            select(DOCUMENTS.c.id).where(
                DOCUMENTS.c.kind == name,
                DOCUMENTS.c.branch_code == branch,
                DOCUMENTS.c.key == key,
            )
        ).scalar_one()
        hold_document(unit, found)
        return found
    there = queries.current(unit, kind, branch=branch, key=key)
    if any(part is not None for part in there.values()):
        for part_name, part in kind.sections.items():
            if there[part_name] is None:
                there[part_name] = part.fresh(unit, branch, key)
        _found(unit, int(made), there)
    return int(made)


def _found(unit: Unit, document: int, content: Mapping[str, Json]) -> None:
    """Version 0: what was live before anybody had to approve it."""
    version = add(
        unit,
        document,
        content,
        basis={},
        maker=None,
        state=State.LIVE,
        number=0,
        live_at=clock.now(),
    )
    unit.db.execute(update(DOCUMENTS).where(DOCUMENTS.c.id == document).values(live=0))
    tell(unit, "found", version, by=None)


def add(
    unit: Unit,
    document: int,
    content: Mapping[str, Json],
    *,
    basis: Mapping[str, Json],
    maker: Me | None,
    state: State,
    number: int | None = None,
    **more: Any,
) -> Version:
    """A new version on what is live now, with the next number unless it is given one."""
    if number is None:
        number = unit.db.execute(
            update(DOCUMENTS)
            .where(DOCUMENTS.c.id == document)
            .values(next=DOCUMENTS.c.next + 1)
            .returning(DOCUMENTS.c.next - 1)
        ).scalar_one()
    live = unit.db.execute(select(DOCUMENTS.c.live).where(DOCUMENTS.c.id == document)).scalar()
    text, digest = as_text(content)
    row: dict[str, Any] = {
        "document_id": document,
        "number": number,
        "base": live,
        "basis": as_text(basis)[0],
        "text": text,
        "hash": digest,
        "state": state,
        "revision": 1,
        "maker_id": maker.id if maker else None,
        "maker": shown(maker),
        "editors": [maker.id] if maker else [],
        "why": "",
        "reviewer": "",
        "reviewer_login": "",
        "ended_by": "",
        "reason": "",
        "created_at": clock.now(),
        "edited_at": clock.now(),
    }
    added = unit.db.execute(
        insert(VERSIONS).values(row | more).returning(VERSIONS.c.id)
    ).scalar_one()
    return queries.get(unit, VERSIONS.c.id == added)
