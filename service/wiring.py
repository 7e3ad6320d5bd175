"""How one process is put together, and the unit of work everything happens in.

``wsgi.py`` fills the tables below with literal entries; the code that looks into them is here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from flask import current_app
from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from config import Settings
from service import bell
from service.happenings import Fact
from service.replies import Reply

if TYPE_CHECKING:
    from service.delivery.ledger import Performer
    from service.readiness import Finding

Reaction = Callable[["Unit", Any], None]
Answer = Callable[["Unit", Any], Reply | None]
#: Whether a fact can be acknowledged at once because it changes nothing; must only read.
Glance = Callable[["Unit", Any], bool]
Step = Callable[["Unit"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The literal tables of ``wsgi.py``."""

    reactions: Mapping[type[Fact], Sequence[Reaction]] = field(default_factory=dict)
    answers: Mapping[type[Fact], Answer] = field(default_factory=dict)
    glances: Mapping[type[Fact], Glance] = field(default_factory=dict)
    deliveries: Mapping[str, Performer] = field(default_factory=dict)
    #: What is done again and again, by name: how often in seconds, and the step.
    chores: Mapping[str, tuple[int, Step]] = field(default_factory=dict)
    #: What fills an empty database with the sample bank, in order, each with what it is called.
    seeds: Sequence[tuple[str, Step]] = ()
    #: What the demonstration asks for each time it starts, in order, each with what it is called.
    openings: Sequence[tuple[str, Step]] = ()
    #: What ``flask doctor`` and ``/readyz`` look at, by name; each look is quick and only reads.
    checks: Mapping[str, Callable[[Unit], Finding]] = field(default_factory=dict)
    #: What the sandbox's phone shows behind the pin: outlines and cities, from the floor above.
    backdrop: Callable[[Settings], Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Wiring:
    """One process: its settings, its database, its tables."""

    settings: Settings
    engine: Engine
    reader: Engine
    tables: Tables
    #: What this process has cached, see :mod:`service.epochs`.
    shelf: dict[Any, Any] = field(default_factory=dict)
    _lines: deque[Connection] = field(default_factory=deque)

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """One transaction: committed when the block ends well, undone when it does not."""
        with self.engine.begin() as connection:
            unit = Unit(connection, self)
            yield unit
            unit.flush()
        for step in unit.afterwards:
            step()
        if unit.bumped and self.settings.redis_url:
            bell.ring(self.settings.redis_url, unit.bumped)

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        """Look things up, without a transaction and without the right to write.

        A look-up leaves nothing behind that a pool would have to undo, so its connection is kept
        at hand for the next one: that halves what a look-up costs.
        """
        try:
            connection = self._lines.pop()
        except IndexError:
            connection = self.reader.connect()
        try:
            yield Unit(connection, self)
        except BaseException:
            connection.close()
            raise
        self._lines.append(connection)

    def hang_up(self) -> None:
        """Close every connection this process holds."""
        while self._lines:
            self._lines.pop().close()
        self.reader.dispose()
        self.engine.dispose()


class Unit:
    """One unit of work: a connection, and what may be announced on it.

    Operations take it as their first argument and never commit; whoever opened it does.
    """

    __slots__ = ("_session", "afterwards", "bumped", "db", "wiring")

    def __init__(self, connection: Connection, wiring: Wiring) -> None:
        self.db = connection
        self.wiring = wiring
        self.bumped: set[str] = set()
        #: What this process does once the transaction is committed; it must not fail.
        self.afterwards: list[Callable[[], None]] = []
        self._session: Session | None = None

    @property
    def settings(self) -> Settings:
        return self.wiring.settings

    @property
    def session(self) -> Session:
        """An ORM session on the same transaction, for the paths where objects read better."""
        if self._session is None:
            self._session = Session(bind=self.db, join_transaction_mode="control_fully")
        return self._session

    def insert(self, model: type[Any]) -> sqlite.Insert:
        """An INSERT with this database's ON CONFLICT, which SQLite took over from PostgreSQL."""
        if self.db.dialect.name == "postgresql":
            return cast(sqlite.Insert, postgresql.insert(model))
        return sqlite.insert(model)

    def flush(self) -> None:
        if self._session is not None:
            self._session.flush()

    def announce(self, fact: Fact) -> None:
        """Tell everyone who reacts to this fact, here and now; if one fails, all fails."""
        for react in self.wiring.tables.reactions.get(type(fact), ()):
            react(self, fact)


def wiring() -> Wiring:
    """The wiring of the app that is serving this request or command."""
    found: Wiring = current_app.extensions["wiring"]
    return found
