"""What every event reads, kept in the process until somebody changes it anywhere.

A name has a number in the database; a change adds one in its own transaction. A process looks at
the number at most once a second, so a change is seen everywhere within a second or so, with no
message broker and however many machines there are. Where there is Redis, it is seen at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, String, select
from sqlalchemy.orm import Mapped, mapped_column

from service import bell
from service.db import Model
from service.wiring import Unit

#: How long a process may go on with what it has before it looks whether it changed.
LOOK_SECONDS = 1.0

#: Where the shelf holds the thread that hears of changes made elsewhere.
_EAR = "bell"

T = TypeVar("T")


class Epoch(Model):
    """How often what bears this name has changed."""

    __tablename__ = "epochs"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[int] = mapped_column(default=0)


def bump(unit: Unit, name: str) -> None:
    """Say, in this transaction, that what bears this name has changed."""
    insert = unit.insert(Epoch).values(name=name, value=1)
    unit.db.execute(
        insert.on_conflict_do_update(index_elements=[Epoch.name], set_={"value": Epoch.value + 1})
    )
    unit.bumped.add(name)
    # Whoever made the change sees it with their next request, not a second later.
    shelf = unit.wiring.shelf
    unit.afterwards.append(lambda: _drop(shelf, name))


class Kept(Generic[T]):
    """A value loaded from the database and kept until its epoch moves."""

    def __init__(self, name: str, load: Callable[[Unit], T]) -> None:
        self.name = name
        self._load = load

    def get(self, unit: Unit) -> T:
        """The value as of at most a second ago; inside a transaction that changed it, as of now."""
        if self.name in unit.bumped:
            return self._load(unit)
        shelf = unit.wiring.shelf
        if unit.settings.redis_url and _EAR not in shelf:
            shelf[_EAR] = bell.listen(unit.settings.redis_url, lambda name: _drop(shelf, name))
        kept: tuple[int, float, T] | None = shelf.get(self)
        present = time.monotonic()
        if kept is not None and present - kept[1] < LOOK_SECONDS:
            return kept[2]
        epoch = _epoch(unit.db, self.name)
        value = kept[2] if kept is not None and kept[0] == epoch else self._load(unit)
        shelf[self] = (epoch, present, value)
        return value


def _drop(shelf: dict[Any, Any], name: str) -> None:
    for kept in [key for key in list(shelf) if isinstance(key, Kept) and key.name == name]:
        shelf.pop(kept, None)


def _epoch(connection: Connection, name: str) -> int:
    found = connection.execute(select(Epoch.value).where(Epoch.name == name)).scalar()
    return found if found is not None else 0
