"""How one process is put together, and the unit of work everything happens in.

``wsgi.py`` fills the tables below with literal entries; the code that looks into them is here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
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
    from service.approvals.kinds import ChangeKind
    from service.delivery.ledger import Performer
    from service.readiness import Finding
    from service.staff.people import Me

Reaction = Callable[["Unit", Any], None]
Answer = Callable[["Unit", Any], Reply | None]
#: Whether a fact can be acknowledged at once because it changes nothing; must only read.
Glance = Callable[["Unit", Any], bool]
Step = Callable[["Unit"], None]


def _no_lineage(_unit: Unit, _code: str) -> Sequence[str]:
    return ()


def _nothing_watched(_unit: Unit) -> Collection[str]:
    return ()


def _no_parts(_unit: Unit) -> Sequence[Any]:
    return ()


def _no_names(_unit: Unit) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """One line of the console's side navigation, seen by whoever holds ``act`` somewhere.

    An endpoint that takes ``code`` is given the branch the person is working for; one that is not
    among the application's routes is left out.
    """

    title: str
    endpoint: str
    act: str
    #: Lines under the same heading stand together, in the order of the table.
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for whoever looks at the console's home page."""

    title: str
    count: int
    href: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Something out of the ordinary that is so now, for everybody's home page who may see it."""

    title: str
    says: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuProgress:
    """How far WeChat's menus have come on their way to what they should be, and how many of them
    lead to one page of ours by now; for floors below, which wait for their page to appear there.

    Counted from what is noted around each call: WeChat itself is not asked.
    """

    #: Whether menus are published by themselves when what is wanted changes.
    is_kept: bool
    #: ``settled``, ``waiting`` for its turn, ``running``, or ``stuck`` until somebody looks.
    state: str
    #: What keeps them from what they should be, with the way out; "" for nothing.
    trouble: str = ""
    #: Menus that WeChat must still be given, and must still take down.
    to_add: int = 0
    to_remove: int = 0
    #: Menus WeChat has taken since publication was last asked for.
    added: int = 0
    #: The distinct menus that should lead to the page, and those of them that WeChat shows.
    wanted: int = 0
    shown: int = 0
    #: The groups of followers whose menu should lead to the page, and those for whom it does.
    groups: frozenset[str] = frozenset()
    groups_shown: frozenset[str] = frozenset()
    asked_at: datetime | None = None
    latest_at: datetime | None = None
    next_at: datetime | None = None


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
    #: What one person proposes and another approves, by kind of document.
    changes: Mapping[str, ChangeKind] = field(default_factory=dict)
    #: A branch's codes from itself up to head office; () for a branch there is not.
    lineage: Callable[[Unit, str], Sequence[str]] = _no_lineage
    #: Every branch's name by its code, parents before their children.
    branch_names: Callable[[Unit], Mapping[str, str]] = _no_names
    #: The counties in which it matters just now where exactly somebody is, not only in which.
    watched: Callable[[Unit], Collection[str]] = _nothing_watched
    #: The console's side navigation, in order.
    navigation: Sequence[NavigationEntry] = ()
    #: What may wait for somebody; None when nothing of the kind concerns them.
    inbox: Sequence[Callable[[Unit, Me], Waiting | None]] = ()
    #: What everybody should know of at a glance, whether or not it waits for them.
    standing: Sequence[Callable[[Unit, Me], Sequence[Standing]]] = ()
    #: Scripts and styles that floors above bring to the console: name → (file, media type).
    console_files: Mapping[str, tuple[Path, str]] = field(default_factory=dict)
    #: Who brings entries that overlay the menus of some branches for a time: functions that give
    #: all of them, open now or later; see :mod:`menus.overlays`.
    overlays: Sequence[Callable[[Unit], Iterable[Any]]] = ()
    #: Whose entries overlay the menus of only some of a branch's followers, by where they are: all
    #: in force now, asked at every crossing of a border; see :mod:`menus.insiders`.
    parts: Callable[[Unit], Sequence[Any]] = _no_parts
    #: How far the menus have come that lead to the page at a path of ours, such as ``/e/abc``.
    menu_progress: Callable[[Unit, str], MenuProgress] | None = None
    #: How many followers of these branches still have to be moved to another menu; counting them
    #: may take longer than the database is given, so nothing that must be shown waits for it.
    followers_to_move: Callable[[Unit, Collection[str]], int] | None = None
    #: What a process begins aside as it starts, so that nobody who asks first has to wait for it.
    warming: Sequence[Callable[[], None]] = ()
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
        unit = Unit(connection, self)
        try:
            yield unit
        except BaseException:
            connection.close()
            raise
        self._lines.append(connection)
        for step in unit.afterwards:
            step()

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

    __slots__ = ("_session", "afterwards", "bumped", "closing", "db", "wiring")

    def __init__(self, connection: Connection, wiring: Wiring) -> None:
        self.db = connection
        self.wiring = wiring
        self.bumped: set[str] = set()
        #: What is written last because it takes a lock that everybody needs; see `service.audit`.
        self.closing: list[Callable[[], None]] = []
        #: What this process does once the transaction is committed, or the look-up is over; it must
        #: not fail.
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
        while self.closing:
            self.closing.pop(0)()

    def announce(self, fact: Fact) -> None:
        """Tell everyone who reacts to this fact, here and now; if one fails, all fails."""
        for react in self.wiring.tables.reactions.get(type(fact), ()):
            react(self, fact)


def wiring() -> Wiring:
    """The wiring of the app that is serving this request or command."""
    found: Wiring = current_app.extensions["wiring"]
    return found
