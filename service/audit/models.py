"""The chain's two tables, and the triggers by which the database itself refuses to change the past.

The triggers are made with the tables, by ``create_all`` and by the migration alike.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import DDL, BigInteger, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Model, UtcTime, table_of


class AuditEntry(Model):
    """One act. ``before`` and ``after`` are kept as the very text that was hashed."""

    __tablename__ = "audit_entries"

    #: Counted by the head and not by the database, so that a missing number means a missing entry.
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    #: No foreign key: an entry outlives the account of whoever acted.
    actor_id: Mapped[int | None]
    actor: Mapped[str] = mapped_column(String(64), index=True)
    act: Mapped[str] = mapped_column(String(64), index=True)
    subject: Mapped[str] = mapped_column(String(160), index=True)
    branch: Mapped[str] = mapped_column(String(16), index=True)
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    #: A digest of the address the act came from, "" where there was none.
    source: Mapped[str] = mapped_column(String(32))
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Model):
    """The chain's end: one row, which whoever appends holds until they have committed."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))


_KEPT: Final = "audit entries are append-only"

SQLITE: Final = (
    "CREATE TRIGGER IF NOT EXISTS audit_entries_stay BEFORE UPDATE ON audit_entries "
    f"BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_entries_remain BEFORE DELETE ON audit_entries "
    f"BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_head_advances BEFORE UPDATE ON audit_head "
    "WHEN NEW.seq <> OLD.seq + 1 OR NEW.id <> OLD.id "
    f"BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_head_remains BEFORE DELETE ON audit_head "
    f"BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END",
)

POSTGRESQL: Final = (
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_KEPT}' USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE OR REPLACE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON audit_entries "
    "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_entries_remain BEFORE TRUNCATE ON audit_entries "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_head_advances BEFORE UPDATE ON audit_head FOR EACH ROW "
    "WHEN (NEW.seq <> OLD.seq + 1 OR NEW.id <> OLD.id) EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_head_remains BEFORE DELETE ON audit_head "
    "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
)

#: What undoes :data:`POSTGRESQL` once the tables, and with them their triggers, are gone.
POSTGRESQL_GONE: Final = "DROP FUNCTION IF EXISTS audit_refuse() CASCADE"


def guarding(dialect: str) -> tuple[str, ...]:
    """The statements that make this kind of database refuse; both tables must be there."""
    return POSTGRESQL if dialect == "postgresql" else SQLITE


def _attend() -> None:
    """Make the triggers with the tables, whichever of the two is made or dropped last."""
    entries, head = table_of(AuditEntry), table_of(AuditHead)
    # The head refers to the entries for this only: create_all then makes it after them.
    head.add_is_dependent_on(entries)
    for dialect, statements in (("sqlite", SQLITE), ("postgresql", POSTGRESQL)):
        for statement in statements:
            event.listen(head, "after_create", _run(statement, on=dialect))
    event.listen(entries, "after_drop", _run(POSTGRESQL_GONE, on="postgresql"))


def _run(statement: str, *, on: str) -> Any:
    # SQLAlchemy left DDL's constructor without types, and puts values in for per cent signs.
    made = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # see above
    return made.execute_if(dialect=on)


_attend()
