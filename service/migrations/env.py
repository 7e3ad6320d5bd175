"""How migrations run: one connection of their own, patient, on the metadata of all packages."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, event, pool

from service.db import Base, UtcTime
from service.wiring import wiring

#: Migrations of large tables take longer than any statement of the running program may.
PATIENTLY = {"options": "-c statement_timeout=0 -c lock_timeout=5s -c timezone=UTC"}


def _plain(kind: str, thing: Any, _context: Any) -> str | Literal[False]:
    """Migrations name the database's types, not ours, so that ours may change."""
    if kind == "type" and isinstance(thing, UtcTime):
        return "sa.DateTime(timezone=True)"
    return False


def run() -> None:
    """Bring the database to the wanted revision, all steps or none of each."""
    url = wiring().settings.database
    options = {} if url.startswith("sqlite") else {"connect_args": PATIENTLY}
    engine = create_engine(url, poolclass=pool.NullPool, **options)
    if engine.dialect.name == "sqlite":
        # Batch migrations rebuild tables, which foreign keys would otherwise refuse.
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys=OFF"))
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=_plain,
        )
        with context.begin_transaction():
            context.run_migrations()


assert current_app, "migrations run inside the application: flask db upgrade"
run()
