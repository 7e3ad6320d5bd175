"""The index of this process: built aside, so that nobody who writes has to wait for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Final

from lightservices import catalogue
from lightservices.catalogue import Service
from lightservices.knowledge import sounds
from lightservices.knowledge.index import Entry, Index, build
from service.wiring import Unit

#: How long a question waits for an index that is not ready; WeChat itself waits five seconds.
PATIENCE_SECONDS: Final = 0.1
#: A branch's own services are made ready when somebody who is offered them first asks; so many at a
#: time cost some 20 ms, and the rest follow with the next question.
_OWN_AT_A_TIME: Final = 25
_SHELF: Final = "knowledge.own"


class _Workshop:
    """Where one process builds its index, once."""

    def __init__(self) -> None:
        self.index: Index | None = None
        self._done = threading.Event()
        self._door = threading.Lock()
        self._begun = False

    def begin(self) -> None:
        with self._door:
            if not self._begun:
                self._begun = True
                threading.Thread(target=self._build, name="knowledge", daemon=True).start()

    def wait(self, seconds: float | None) -> Index | None:
        if self.index is None:
            self.begin()
            self._done.wait(seconds)
        return self.index

    def _build(self) -> None:
        try:
            sounds.warm()
            self.index = build(catalogue.services().values())
        finally:
            self._done.set()


_workshop = _Workshop()


def _anew() -> None:
    global _workshop
    _workshop = _Workshop()


# A fork copies what is built but not the thread that builds it.
os.register_at_fork(after_in_child=lambda: None if _workshop.index is not None else _anew())


def warm() -> None:
    """Begin to build the index of this process, aside."""
    _workshop.begin()


def index(*, patience: float | None = PATIENCE_SECONDS) -> Index | None:
    """The index of the pack, or nothing while it is being built; None waits for its end."""
    return _workshop.wait(patience)


def own_entries(unit: Unit, found: Index, offered: Mapping[str, Service]) -> list[Entry]:
    """The entries of those services that branches added and that are offered here."""
    kept: dict[str, tuple[Service, Entry]] = unit.wiring.shelf.setdefault(_SHELF, {})
    entries: list[Entry] = []
    made = 0
    for key, service in catalogue.own.all_of(unit).items():
        if key not in offered:
            continue
        known = kept.get(key)
        if known is None or known[0] is not service:
            if made == _OWN_AT_A_TIME:
                continue
            made += 1
            known = kept[key] = (service, found.entry(service))
        entries.append(known[1])
    return entries
