"""The two tables of what is proposed and approved, and a version as everybody else reads it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    UniqueConstraint,
    literal,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from service.approvals.kinds import Content
from service.approvals.states import State
from service.audit.chain import canonical
from service.db import Model, UtcTime, table_of


class Document(Model):
    """What is edited again and again under the same name."""

    __tablename__ = "approval_documents"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    #: A plain code: the branches are known one floor up.
    branch_code: Mapped[str] = mapped_column(String(16), index=True)
    key: Mapped[str] = mapped_column(String(64))
    #: The number of the version that is live; None until one is.
    live: Mapped[int | None]
    #: The number the next version gets.
    next: Mapped[int] = mapped_column(default=1)

    __table_args__ = (UniqueConstraint("kind", "branch_code", "key"),)


class VersionRow(Model):
    """One edition of a document, from its first draft to the day another took its place."""

    __tablename__ = "approval_versions"

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("approval_documents.id"))
    #: Counted within the document; 0 is what was there before anybody proposed anything.
    number: Mapped[int]
    #: The number of the live version it was written on, and that version's content for a merge.
    base: Mapped[int | None]
    basis: Mapped[str] = mapped_column(Text)
    #: The content as canonical JSON, and its SHA-256.
    text: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    #: Goes up with every write, so that two who act at once cannot both succeed.
    revision: Mapped[int] = mapped_column(default=1)
    maker_id: Mapped[int | None] = mapped_column(index=True)
    maker: Mapped[str] = mapped_column(String(64), default="")
    #: The numbers of all who had a hand in the content.
    editors: Mapped[list[int]] = mapped_column(JSON)
    #: What the maker says it is for.
    why: Mapped[str] = mapped_column(Text, default="")
    scheduled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: Who decided last, when, and the reason they gave.
    reviewer_id: Mapped[int | None]
    reviewer: Mapped[str] = mapped_column(String(64), default="")
    reviewer_login: Mapped[str] = mapped_column(String(64), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    edited_at: Mapped[datetime] = mapped_column(UtcTime)
    proposed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcTime)
    live_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: When and by whose act it was withdrawn, rolled back or took its leave for another.
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ended_by: Mapped[str] = mapped_column(String(64), default="")
    #: The number of the older version whose content a roll back brought back.
    restores: Mapped[int | None]

    __table_args__ = (
        UniqueConstraint("document_id", "number"),
        # The database itself keeps a second version of one document from being live.
        Index(
            "uq_approval_versions_live",
            "document_id",
            unique=True,
            sqlite_where=sql("state = 'live'"),
            postgresql_where=sql("state = 'live'"),
        ),
        Index("ix_approval_versions_state", "state", "scheduled_at"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version with the document it is of; in lists without its ``text`` and ``basis``."""

    id: int
    document_id: int
    kind: str
    branch: str
    key: str
    #: The number of the version of the document that is live.
    live: int | None
    number: int
    base: int | None
    basis: str
    text: str
    hash: str
    state: State
    revision: int
    maker_id: int | None
    maker: str
    editors: list[int]
    why: str
    scheduled_at: datetime | None
    reviewer_id: int | None
    reviewer: str
    reviewer_login: str
    reason: str
    created_at: datetime
    edited_at: datetime
    proposed_at: datetime | None
    decided_at: datetime | None
    live_at: datetime | None
    ended_at: datetime | None
    ended_by: str
    restores: int | None

    @property
    def content(self) -> dict[str, Any]:
        """The sections' contents by the sections' names; a fresh copy each time."""
        return dict(json.loads(self.text))

    @property
    def seal(self) -> str:
        """The digest of all an approver says yes to: the content, on what, where, and when."""
        when = self.scheduled_at.isoformat() if self.scheduled_at else ""
        said = [self.kind, self.branch, self.key, self.number, self.base, self.hash, when]
        return hashlib.sha256(canonical(said).encode()).hexdigest()

    @property
    def subject(self) -> str:
        """How the audit chain names it."""
        return f"{self.kind}:{self.branch}:{self.key}#{self.number}"


DOCUMENTS: Final = table_of(Document)
VERSIONS: Final = table_of(VersionRow)

_RENAMED: Final = {
    "kind": DOCUMENTS.c.kind,
    "branch": DOCUMENTS.c.branch_code.label("branch"),
    "key": DOCUMENTS.c.key,
    "live": DOCUMENTS.c.live,
}


def _selecting(**instead: ColumnElement[str]) -> Select[Any]:
    named = {**_RENAMED, **instead}
    names = (field.name for field in fields(Version))
    columns = (named[name] if name in named else VERSIONS.c[name] for name in names)
    return select(*columns).join_from(VERSIONS, DOCUMENTS, VERSIONS.c.document_id == DOCUMENTS.c.id)


#: Every version with its document; add a condition and an order.
SELECT: Final = _selecting()
#: The same for lists, without the contents, which may be long.
BRIEFLY: Final = _selecting(text=literal("{}").label("text"), basis=literal("{}").label("basis"))


def version_of(row: Any) -> Version:
    """A row of :data:`SELECT` as a version."""
    return Version(**(dict(row._mapping) | {"state": State(row.state)}))


def as_text(content: Content) -> tuple[str, str]:
    """The content as it is kept, and its hash."""
    # Half a character, which a form can send, is nothing that can be kept as UTF-8.
    written = canonical(dict(content)).encode("utf-8", "replace").decode()
    return written, hashlib.sha256(written.encode()).hexdigest()
