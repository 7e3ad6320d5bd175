"""What this machine last heard of each table of rates, on disk, for when nobody answers.

Every machine keeps its own. A file is replaced whole, so that whoever reads it meets the old or the
new and no half; where it cannot be written or read, it is as if there were none.
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from config import Settings
from lightservices.providers.published import Published
from lightservices.rates import PRICES, TABLES, Rate
from service import clock, journal
from service.wiring import Wiring

log = journal.logger("lightservices.providers.last_heard")

_SHELF: Final = "providers.last_heard"
#: The same answer is written down again after so long, because it was heard again since.
_AGAIN: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, repr=False)
class Heard:
    """An answer, and when somebody last gave it, within an hour."""

    answer: Published
    at: datetime


def keep(wiring: Wiring, table: str, answer: Published) -> None:
    """Write it down, unless it was written within the hour. It must stop nothing else."""
    written: dict[str, Heard] = wiring.shelf.setdefault(_SHELF, {})
    last, heard = written.get(table), Heard(answer, clock.now())
    if last is not None and last.answer == answer and heard.at - last.at < _AGAIN:
        return
    path = _path(wiring.settings, table)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        aside.write_text(json.dumps(_written(heard), ensure_ascii=False), encoding="utf-8")
        aside.replace(path)
    except OSError:
        log.warning("what was heard of the rates could not be kept", exc_info=True)
        return
    # Only now: what could not be written is tried again with the next answer.
    written[table] = heard


def load(settings: Settings, table: str) -> Heard | None:
    """What was last written down of this table."""
    try:
        said = json.loads(_path(settings, table).read_text(encoding="utf-8"))
        lines = tuple(_line(table, one) for one in said.pop("lines"))
        as_of = datetime.fromisoformat(said.pop("as_of"))
        # What an earlier release wrote names only the day or time it is of.
        at = datetime.fromisoformat(said.pop("heard_at", as_of.isoformat()))
        return Heard(Published((), as_of, lines=lines, **said), at)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError):
        log.warning("what was last heard of the rates cannot be read", exc_info=True)
        return None


def _path(settings: Settings, table: str) -> Path:
    assert table in TABLES
    return settings.data_dir / f"last-heard-{table}-rates.json"


def _written(heard: Heard) -> dict[str, Any]:
    answer = heard.answer
    return {
        "heard_at": heard.at.isoformat(),
        "as_of": answer.as_of.isoformat(),
        "source": answer.source,
        "sample": answer.sample,
        "by_day": answer.by_day,
        "lines": [
            {name: _plain(value) for name, value in dataclasses.asdict(one).items()}
            for one in answer.lines
        ],
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal | date) else value


def _line(table: str, said: dict[str, Any]) -> Rate:
    prices = {name: None if said[name] is None else Decimal(said[name]) for name in PRICES}
    plain = said | prices | {"table": table, "as_of": date.fromisoformat(said["as_of"])}
    return Rate(**plain)
