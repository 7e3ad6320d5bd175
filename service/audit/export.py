"""The chain as a file for people (CSV) or for programs (one JSON object a line)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Final

from service import clock
from service.audit.chain import Entry

#: The first line of the CSV, in the order of the cells.
TITLES: Final = (
    *("编号", "时间（北京时间）", "操作人", "操作", "对象", "分行", "原因"),
    *("之前", "之后", "来源", "上一条的校验值", "校验值"),
)

#: A cell that begins like this is a formula to a spreadsheet, and a formula can call out.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_csv(entries: Iterable[Entry]) -> Iterator[str]:
    """Lines of CSV with a byte order mark, without which Excel takes Chinese for noise."""
    yield "\ufeff" + _line(TITLES)
    for entry in entries:
        yield _line(_cells(entry))


def as_jsonl(entries: Iterable[Entry]) -> Iterator[str]:
    """One object a line, with everything the hash was made of, so that others can verify it."""
    for entry in entries:
        said = asdict(entry) | {"at": entry.at.isoformat(timespec="microseconds")}
        yield json.dumps(said, ensure_ascii=False, sort_keys=True) + "\n"


#: The formats by name, each with its media type.
FORMATS: Final[Mapping[str, tuple[str, Callable[[Iterable[Entry]], Iterator[str]]]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "jsonl": ("application/x-ndjson; charset=utf-8", as_jsonl),
}


def _cells(entry: Entry) -> tuple[str, ...]:
    return (
        str(entry.seq),
        clock.shanghai(entry.at).strftime("%Y-%m-%d %H:%M:%S"),
        *(entry.actor, entry.act, entry.subject, entry.branch, entry.why),
        *(entry.before, entry.after, entry.source, entry.previous, entry.hash),
    )


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_as_text(cell) for cell in cells])
    return line.getvalue()


def _as_text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
