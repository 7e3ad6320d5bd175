"""A table somebody uploads, CSV or XLSX, read as plain texts and never trusted.

Whatever the file says of itself is only a claim: sizes are counted while reading, formulas are not
worked out, and a file that would unfold to many times its size is turned away unread.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

MOST_BYTES: Final = 5 * 1024 * 1024
MOST_ROWS: Final = 20_000
MOST_COLUMNS: Final = 40
#: What the file may unfold to in all, and how many rows it may claim, empty ones counted.
_MOST_UNPACKED: Final = 80 * 1024 * 1024
_MOST_PARTS: Final = 500
_MOST_CLAIMED_ROWS: Final = 50_000
_CHUNK: Final = 1 << 20
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
#: A document type is where entities come from that unfold without end; no spreadsheet needs one.
_DOCTYPE: Final = tuple("<!DOCTYPE".encode(name) for name in ("ascii", "utf-16-le", "utf-16-be"))
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")

#: A cell that begins like this is a formula to a spreadsheet, and a formula can call out.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_QUOTE: Final = "'"

_SAVE_AGAIN: Final = "请用表格软件打开，另存为 .xlsx 或“CSV UTF-8”后再上传"


class BookRefused(Exception):
    """The file as a whole cannot be read: ``says`` why, ``way_out`` what to do."""

    def __init__(self, says: str, way_out: str) -> None:
        super().__init__(f"{says}。{way_out}")
        self.says, self.way_out = says, way_out


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell; of a formula only that it is one is taken."""

    text: str
    is_formula: bool = False


Line = tuple[int, Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Book:
    """The header as it is written, and the rows that hold anything, numbered as the program that
    made them shows them: the header is usually row 1."""

    header: Sequence[str]
    lines: Sequence[Line]
    #: Whether there were sheets besides the first, which nobody reads.
    has_more_sheets: bool = False


def read(raw: bytes) -> Book:
    """The first sheet of this file.

    Raises:
        BookRefused: when it is no table, or too large.
    """
    if not raw:
        raise BookRefused("文件是空的", "请重新选择文件")
    if len(raw) > MOST_BYTES:
        raise BookRefused(f"文件大于 {MOST_BYTES >> 20} MB", "请删去用不到的列和图片，或分机构上传")
    if raw.startswith(_OLE):
        raise BookRefused("这是旧格式（.xls）或加了密码的文件", "请去掉密码，" + _SAVE_AGAIN[1:])
    is_book = raw.startswith(_ZIP)
    lines = _sheet_lines(raw) if is_book else _text_lines(raw)
    more = is_book and next(lines)[0] > 1
    return _book(lines, has_more_sheets=more)


def _book(lines: Iterator[Line], *, has_more_sheets: bool) -> Book:
    filled = (line for line in lines if any(cell.text or cell.is_formula for cell in line[1]))
    _number, header = next(filled, (0, ()))
    while header and not header[-1].text:
        header = header[:-1]
    if not header:
        raise BookRefused("没有表头", "第一行应是列名，可以先下载模板")
    if len(header) > MOST_COLUMNS:
        raise BookRefused(f"多于 {MOST_COLUMNS} 列", "请只保留需要的列")
    taken: list[Line] = []
    for line in filled:
        if len(taken) == MOST_ROWS:
            raise BookRefused(f"多于 {MOST_ROWS:,} 行", "请按下级机构拆成几份，分别上传")
        taken.append(line)
    return Book([cell.text for cell in header], taken, has_more_sheets)


# CSV


def _text_lines(raw: bytes) -> Iterator[Line]:
    text = _decoded(raw)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, 1):
            _count(number, len(row))
            yield number, [Cell(_clean(cell)) for cell in row]
    except csv.Error as broken:
        raise BookRefused(f"第 {number + 1} 行的引号没有成对", _SAVE_AGAIN) from broken


def _decoded(raw: bytes) -> str:
    """Spreadsheets in China save as UTF-8 with a mark, GB 18030, or what they call Unicode."""
    encodings = ["utf-16"] if raw.startswith(_UTF16) else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise BookRefused("看不懂文件里的文字编码，或者不是表格", _SAVE_AGAIN)


def _delimiter(text: str) -> str:
    """Unicode text from spreadsheets is divided by tabs, some countries' CSV by semicolons."""
    header = text.lstrip("\r\n")[:4096].split("\n", 1)[0]
    return max(",\t;", key=header.count)


# XLSX


def _sheet_lines(raw: bytes) -> Iterator[Line]:
    """The lines of the first sheet, after one whose number is how many sheets there are."""
    _require_modest(raw)
    try:
        with warnings.catch_warnings():
            # It warns of styles and extensions that it leaves out, and we need none of them.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(
                io.BytesIO(raw), read_only=True, keep_links=False, rich_text=False
            )
            sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            if not sheets:
                raise BookRefused("文件里没有工作表", _SAVE_AGAIN)
            yield len(sheets), ()
            # What a sheet claims of its size is often wrong, and then rows would be lost.
            sheets[0].reset_dimensions()
            for number, row in enumerate(sheets[0].iter_rows(), 1):
                _count(number, len(row))
                yield number, [_cell(cell) for cell in row]
            book.close()
    except BookRefused:
        raise
    except (
        *(InvalidFileException, zipfile.BadZipFile, ParseError, OSError, EOFError),
        *(KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError),
    ) as broken:
        raise BookRefused("这个 XLSX 文件已损坏，或者不是表格", _SAVE_AGAIN) from broken


def _require_modest(raw: bytes) -> None:
    """Unfold every part once, counting, so that nothing later meets more than it expects."""
    unpacked = 0
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as parts:
            if len(parts.infolist()) > _MOST_PARTS:
                raise BookRefused("文件里的部件太多", _SAVE_AGAIN)
            for part in parts.infolist():
                for chunk in _chunks(parts, part):
                    unpacked += len(chunk)
                    if unpacked > _MOST_UNPACKED:
                        way_out = "请把数据复制到新建的表格里再保存"
                        raise BookRefused("文件展开后太大", way_out)
                    if _has_type(chunk):
                        raise BookRefused("文件里有不该有的内容（DOCTYPE）", _SAVE_AGAIN)
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as broken:
        raise BookRefused("这个 XLSX 文件已损坏，或者加了密码", _SAVE_AGAIN) from broken


def _chunks(parts: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The part in pieces, each with the end of the one before: nothing hides between two."""
    tail = b""
    with parts.open(part) as stream:
        while piece := stream.read(_CHUNK):
            yield tail + piece
            tail = piece[-32:]


def _has_type(chunk: bytes) -> bool:
    return any(mark in chunk for mark in _DOCTYPE)


def _cell(cell: Any) -> Cell:
    value = cell.value
    if cell.data_type == "f":
        return Cell("", is_formula=True)
    if isinstance(value, bool):
        return Cell("是" if value else "否")
    if isinstance(value, float):
        return Cell(str(int(value)) if value.is_integer() else repr(value))
    if isinstance(value, datetime | date):
        return Cell(value.isoformat())
    return Cell("" if value is None else _clean(str(value)))


def _count(number: int, columns: int) -> None:
    if number > _MOST_CLAIMED_ROWS:
        raise BookRefused(
            f"多于 {_MOST_CLAIMED_ROWS:,} 行（空行也算）", "请删去末尾的空行，或复制到新表格里"
        )
    if columns > 4 * MOST_COLUMNS:
        raise BookRefused(f"多于 {MOST_COLUMNS} 列", "请只保留需要的列")


# Texts


def _clean(text: str) -> str:
    """One line, without what nobody can see; a quote that kept a formula quiet is taken off."""
    text = " ".join(_CONTROLS.sub("", text).split())
    return text[1:].strip() if text.startswith(_QUOTE) else text


def heading(text: str) -> str:
    """A column's name as it is compared: without marks, spaces, brackets and what is in them."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"\([^)]*\)|[\s*:_\-]", "", plain)


def quiet(cell: str) -> str:
    """The cell so that no spreadsheet takes it for a formula; reading takes the quote off again."""
    return f"{_QUOTE}{cell}" if cell.startswith((*_FORMULA, _QUOTE)) else cell


def as_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lines of CSV with a byte order mark, without which spreadsheets take Chinese for noise."""
    line = io.StringIO()
    writer = csv.writer(line)
    line.write("\ufeff")
    for row in (header, *rows):
        writer.writerow([quiet(cell) for cell in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def as_xlsx(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The same as a workbook of one sheet, all cells texts."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for row in (header, *rows):
        sheet.append([quiet(cell) for cell in row])
    raw = io.BytesIO()
    book.save(raw)
    return raw.getvalue()
