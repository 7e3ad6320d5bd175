"""The database: one declarative base, UTC times, and how SQLite and PostgreSQL are set up."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import psycopg
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    Executable,
    MetaData,
    Table,
    create_engine,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

#: No table counts its rows further, and PostgreSQL refuses to be asked for a greater number.
LAST_ID = 2**31 - 1
#: How long a statement may take before the program gives up on it. WeChat waits five seconds for
#: an answer, so nothing may wait longer than this.
STATEMENT_SECONDS = 2


class Base(DeclarativeBase):
    """Every table's base. Constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time. SQLite forgets zones: checked going in, put back coming out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone must not reach the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


db = SQLAlchemy(model_class=Base)

#: What every table's class derives from. Type checkers cannot follow an attribute of an instance.
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


Insert = Callable[[Table], sqlite.Insert]


class Prepared:
    """A statement with ON CONFLICT, built once for each kind of database.

    Building a statement costs several times what running it does, so the paths that every push
    takes keep theirs. SQLite took its ON CONFLICT over from PostgreSQL: one text serves both.
    """

    def __init__(self, build: Callable[[Insert], Executable]) -> None:
        self._by_dialect = {
            "sqlite": build(sqlite.insert),
            "postgresql": build(cast(Insert, postgresql.insert)),
        }

    def on(self, connection: Connection) -> Executable:
        return self._by_dialect[connection.dialect.name]


def table_of(model: type[Base]) -> Table:
    """The plain table behind a model, for statements that make rows and not objects."""
    return cast(Table, model.__table__)


def engine_options(url: str) -> dict[str, Any]:
    """Pool and driver options for this database. Errors never quote what was written."""
    if make_url(url).get_backend_name() == "sqlite":
        return {
            "hide_parameters": True,
            "connect_args": {"timeout": STATEMENT_SECONDS, "check_same_thread": False},
        }
    return {
        "hide_parameters": True,
        "pool_size": 16,
        "max_overflow": 16,
        "pool_timeout": STATEMENT_SECONDS,
        "pool_pre_ping": False,
        "connect_args": {
            "connect_timeout": STATEMENT_SECONDS,
            "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c timezone=UTC",
        },
    }


class _ImpatientConnection(psycopg.Connection[Any]):
    """A connection that gives up on a server which holds the line and says nothing.

    ``statement_timeout`` is the server's own promise; a frozen server keeps none.
    """

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, timeout or STATEMENT_SECONDS + 0.5)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError("the database did not answer in time") from None


def prepare(engine: Engine) -> Engine:
    """Make the driver behave: PostgreSQL impatient, SQLite with foreign keys and early locks.

    A deferred SQLite transaction that reads first and writes later fails with SQLITE_BUSY instead
    of waiting its turn, so every transaction of this engine takes its write lock at BEGIN.
    """
    _set_up(engine)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "begin", _begin_immediately)
    return engine


@contextmanager
def planned_anew(connection: Connection) -> Iterator[None]:
    """Have PostgreSQL plan these statements for the tables as they stand now.

    A plan that is kept was made when it was first wanted. Where a table grows from nothing to a
    million rows within minutes, passing through all of it was right then and is ruin now.
    """
    driver = connection.connection.dbapi_connection
    if not isinstance(driver, psycopg.Connection):
        yield
        return
    kept, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        yield
    finally:
        driver.prepare_threshold = kept


def reading_engine(url: str | URL) -> Engine:
    """An engine for looking things up: no transaction is opened, each statement stands alone."""
    options = engine_options(str(url))
    return _set_up(create_engine(url, isolation_level="AUTOCOMMIT", **options))


def _set_up(engine: Engine) -> Engine:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_sqlite_up)
    else:
        event.listen(engine, "do_connect", _connect_impatiently)
    return engine


def _connect_impatiently(
    _dialect: Dialect, _record: Any, arguments: Any, options: dict[str, Any]
) -> psycopg.Connection[Any]:
    return _ImpatientConnection.connect(*arguments, **options)


def _begin_immediately(connection: Connection) -> None:
    raw = connection.connection.dbapi_connection
    assert raw is not None
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as busy:
        # Whoever retries or gives up looks for SQLAlchemy's faults, as for any other statement.
        raise OperationalError("BEGIN IMMEDIATE", None, busy) from busy


def _set_sqlite_up(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
