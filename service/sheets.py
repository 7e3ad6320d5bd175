"""A bank's list as a CSV file: every row is checked, and nothing taken unless all is well."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from marshmallow import Schema, ValidationError

from service import wording

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_ROWS: Final = 200_000
#: How many faults are worth reading at once; the rest are counted.
SHOWN: Final = 50

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong in one row; rows are numbered as a spreadsheet shows them, the header is 1."""

    row: int
    field: str
    fault: str

    def __str__(self) -> str:
        return f"第 {self.row} 行 {self.field}：{self.fault}"


class SheetRefused(Exception):
    """The file cannot be taken as it is; ``faults`` says why, row by row."""

    def __init__(self, faults: Sequence[RowFault]) -> None:
        self.faults = tuple(faults)
        lines = [str(fault) for fault in self.faults[:SHOWN]]
        if len(self.faults) > SHOWN:
            lines.append(f"……还有 {len(self.faults) - SHOWN} 处")
        super().__init__("\n".join(lines))


def read(path: Path, schema: Schema, *, headings: Mapping[str, str]) -> list[tuple[int, Any]]:
    """Each row's number and what the schema made of it.

    ``headings`` maps the headings people write, Chinese or English, to the schema's fields.

    Raises:
        SheetRefused: with the faults of all rows; the caller adds those only it can see.
    """
    faults: list[RowFault] = []
    taken: list[tuple[int, Any]] = []
    for number, row in _rows(path, headings):
        try:
            taken.append((number, schema.load(row)))
        except ValidationError as refused:
            faults += _faults_of(number, wording.messages(refused))
    if not taken and not faults:
        faults.append(RowFault(1, "（整个文件）", "没有数据行"))
    if faults:
        raise SheetRefused(faults)
    return taken


def _rows(path: Path, headings: Mapping[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        names = _names(next(reader, []), headings)
        for row in reader:
            if reader.line_num > MOST_ROWS:
                raise SheetRefused(
                    [RowFault(reader.line_num, "（整个文件）", f"超过 {MOST_ROWS} 行")]
                )
            if any(cell.strip() for cell in row):
                yield reader.line_num, _cells(names, row, reader.line_num)
    except csv.Error as broken:
        raise SheetRefused(
            [RowFault(reader.line_num, "（整行）", "引号或换行有误，请用表格软件重新另存为 CSV")]
        ) from broken


def _names(header: Sequence[str], headings: Mapping[str, str]) -> list[str]:
    names = [headings.get(cell.strip().lower(), "") for cell in header]
    unknown = [cell for cell, name in zip(header, names, strict=True) if not name]
    if not header or unknown:
        allowed = "、".join(dict.fromkeys(headings))
        found = "、".join(unknown) or "空"
        raise SheetRefused([RowFault(1, "表头", f"不认识的列名：{found}。可用列名：{allowed}")])
    if len(set(names)) != len(names):
        raise SheetRefused([RowFault(1, "表头", "同一列出现了两次")])
    return names


def _cells(names: Sequence[str], row: Sequence[str], number: int) -> dict[str, str]:
    if len(row) > len(names):
        raise SheetRefused([RowFault(number, "（整行）", "列数比表头多，可能少了引号")])
    # An empty cell is an absent value, so that the schema's defaults apply.
    return {name: cell.strip() for name, cell in zip(names, row, strict=False) if cell.strip()}


def _text(path: Path) -> str:
    if path.stat().st_size > MOST_BYTES:
        raise SheetRefused([RowFault(0, "（整个文件）", f"大于 {MOST_BYTES >> 20} MB")])
    raw = path.read_bytes()
    # Spreadsheets in China save CSV as UTF-8 with a mark, or as GB 18030.
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetRefused([RowFault(0, "（整个文件）", "文字编码不是 UTF-8 或 GB 18030")])


def _faults_of(number: int, messages: Mapping[str, Any]) -> Iterator[RowFault]:
    for name, inner in messages.items():
        found = inner if isinstance(inner, list) else [str(inner)]
        yield from (RowFault(number, str(name), str(message).rstrip(".")) for message in found)
