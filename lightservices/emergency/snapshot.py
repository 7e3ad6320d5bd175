"""The last good snapshot on disk: what is open, and where the outlets are, for when the database
is gone. It is replaced whole, so that whoever reads it meets the old or the new and no half.

Every machine keeps its own: whoever changes an emergency, the worker's chore and, at most once a
minute, a page that was just served write it. An end is compared with the clock here as well.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from lightservices.emergency import content as contents
from lightservices.emergency import in_force
from lightservices.emergency.in_force import Emergency
from lightservices.outlets import nearest
from lightservices.outlets.models import Outlet
from lightservices.outlets.nearest import Index
from regions.coverage import Coverage
from service import clock, journal
from service.wiring import Unit, Wiring

log = journal.logger("lightservices.emergency.snapshot")

EVERY_SECONDS: Final = 60
_OPEN: Final = "last-good-emergencies.json"
_OUTLETS: Final = "last-good-outlets.json"
_WRITTEN: Final = "emergency.snapshot.written"
_WRITTEN_OUTLETS: Final = "emergency.snapshot.outlets"


@dataclass(frozen=True, slots=True)
class LastGood:
    """What was true when the database last answered."""

    at: datetime
    emergencies: tuple[Emergency, ...]
    outlets: Index

    @property
    def says(self) -> str:
        """How old it is, for the reader."""
        local = clock.shanghai(self.at)
        return f"截至 {local.month} 月 {local.day} 日 {local:%H:%M} 的信息"

    def in_force(self) -> tuple[Emergency, ...]:
        """What of it is in force now, the gravest first."""
        present = clock.now()
        return tuple(one for one in self.emergencies if one.is_on(present))


def refresh_afterwards(unit: Unit) -> None:
    """Write it once this transaction is committed."""
    wiring = unit.wiring
    unit.afterwards.append(lambda: refresh(wiring))


def keep(unit: Unit) -> None:
    """A chore: write it anew."""
    write(unit)


def is_due(wiring: Wiring) -> bool:
    """Whether this process has not written it for a while."""
    written: float | None = wiring.shelf.get(_WRITTEN)
    return written is None or time.monotonic() - written >= EVERY_SECONDS


def refresh(wiring: Wiring) -> None:
    """Write it now; that it could not be written must stop nothing else."""
    wiring.shelf[_WRITTEN] = time.monotonic()
    try:
        with wiring.reading() as unit:
            write(unit)
    except (SQLAlchemyError, OSError):
        log.warning("the last good snapshot could not be written", exc_info=True)
        journal.count("snapshots", outcome="failed")


def write(unit: Unit) -> None:
    """Write what is true now, from the database and not from what this process keeps."""
    folder = unit.settings.data_dir
    said = {
        "at": clock.now().isoformat(),
        "emergencies": [_written(one) for one in in_force.read(unit)],
    }
    outlets = nearest.index(unit)
    if unit.wiring.shelf.get(_WRITTEN_OUTLETS) is not outlets or not (folder / _OUTLETS).exists():
        rows = [dataclasses.asdict(one) for one in outlets.outlets]
        _replace(folder / _OUTLETS, {"outlets": rows})
        unit.wiring.shelf[_WRITTEN_OUTLETS] = outlets
    _replace(folder / _OPEN, said)
    unit.wiring.shelf[_WRITTEN] = time.monotonic()


def load(settings: Settings) -> LastGood | None:
    """The snapshot of this machine; None where there never was one, or it cannot be read."""
    try:
        said = _read(settings.data_dir / _OPEN)
        outlets = _outlets(settings.data_dir / _OUTLETS, _stamp(settings.data_dir / _OUTLETS))
        found = tuple(_emergency(one) for one in said["emergencies"])
        return LastGood(datetime.fromisoformat(said["at"]), found, outlets)
    except (OSError, ValueError, KeyError, TypeError):
        log.warning("there is no last good snapshot to be read", exc_info=True)
        return None


def _replace(path: Path, said: Mapping[str, Any]) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    with aside.open("w", encoding="utf-8") as file:
        json.dump(said, file, ensure_ascii=False, separators=(",", ":"))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns


@functools.lru_cache(maxsize=4)
def _outlets(path: Path, _stamp: int) -> Index:
    """The outlets of a file, read once for as long as it stays the same."""
    return Index(
        Outlet(**(row | {name: tuple(row[name]) for name in ("services", "accessible")}))
        for row in _read(path)["outlets"]
    )


def _written(one: Emergency) -> dict[str, Any]:
    return {
        "id": one.id,
        "key": one.key,
        "drill": one.drill,
        "number": one.number,
        "content": contents.write(one.content),
        "covered": {"whole": list(one.covered.whole), "parts": dict(one.covered.parts)},
        "branches": list(one.branches),
        "opened_at": one.opened_at.isoformat(),
        "ends_at": one.ends_at.isoformat(),
        "since": one.since.isoformat(),
    }


def _emergency(said: Mapping[str, Any]) -> Emergency:
    plain = dict(said)
    content = contents.stored(plain.pop("content"))
    covered = plain.pop("covered")
    times = {name: datetime.fromisoformat(plain[name]) for name in _TIMES}
    plain |= {"branches": tuple(plain["branches"])} | times
    return in_force.made(content, Coverage(tuple(covered["whole"]), covered["parts"]), **plain)


_TIMES: Final = ("opened_at", "ends_at", "since")
