"""Files people upload, and files nobody should: read as texts, or turned away with a way out."""

from __future__ import annotations

import contextlib
import io
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightservices import workbooks
from lightservices.workbooks import BookRefused

#: A file with a NUL in it is no text, and is turned away as such.
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
CSV = "编号,名称\nA1,支行\n"


def xlsx(*rows: list[object], more_sheets: int = 0) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for number in range(more_sheets):
        book.create_sheet(f"第 {number} 张").append(["别的"])
    raw = io.BytesIO()
    book.save(raw)
    return raw.getvalue()


def repacked(raw: bytes, **parts: bytes) -> bytes:
    """The same file with other content in the parts whose names end so."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for name in old.namelist():
            end = name.rpartition("/")[2].partition(".")[0]
            new.writestr(name, parts.get(end, old.read(name)))
    return out.getvalue()


def texts(raw: bytes) -> list[list[str]]:
    book = workbooks.read(raw)
    return [list(book.header), *([cell.text for cell in cells] for _number, cells in book.lines)]


def refused(raw: bytes) -> str:
    with pytest.raises(BookRefused) as caught:
        workbooks.read(raw)
    assert caught.value.way_out
    return caught.value.says


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_every_usual_encoding_is_read(encoding: str) -> None:
    assert texts(CSV.encode(encoding)) == [["编号", "名称"], ["A1", "支行"]]


@pytest.mark.parametrize("divider", ["\t", ";"])
def test_other_dividers_are_found_out(divider: str) -> None:
    assert texts(CSV.replace(",", divider).encode("utf-16")) == [["编号", "名称"], ["A1", "支行"]]


def test_quoted_newlines_keep_the_rows_numbers() -> None:
    raw = b'a,b\n"x\ny",1\n\nz,2\n'
    found = workbooks.read(raw)
    assert [(number, cells[0].text) for number, cells in found.lines] == [(2, "x y"), (4, "z")]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "空"), (b"\n\n", "没有表头"), (b'a,b\n"x,1\n', "引号"),
        (b"\x00\x01\x02\xff\xfe", "编码"), (b"\xd0\xcf\x11\xe0" + b"x" * 600, ".xls"),
        (b"PK\x03\x04nothing", "损坏"), (b"a" * (workbooks.MOST_BYTES + 1), "大于 5 MB"),
        (("a," * 41).encode() + b"a\n", "40 列"), (b"a\n" + b"1\n" * 20_001, "20,000 行"),
        (b"a\n" + b"\n" * 50_001, "50,000 行"), (b"a,b\n1," + b"x" * 140_000, "引号"),
    ],
)  # fmt: skip
def test_what_is_no_table_or_too_large_is_turned_away(raw: bytes, says: str) -> None:
    assert says in refused(raw)


def test_twenty_thousand_rows_are_read() -> None:
    assert len(workbooks.read(b"a\n" + b"1\n" * 20_000).lines) == 20_000


def test_a_workbook_is_read_as_texts() -> None:
    raw = xlsx(["编号", "电话", "经度"], [1001, 4008001234.0, 121.4737], [], ["A2", None, True])
    assert texts(raw) == [
        ["编号", "电话", "经度"], ["1001", "4008001234", "121.4737"], ["A2", "", "是"],
    ]  # fmt: skip
    assert [number for number, _cells in workbooks.read(raw).lines] == [2, 4]


def test_only_the_first_sheet_counts_and_that_is_told() -> None:
    book = workbooks.read(xlsx(["编号"], ["A1"], more_sheets=1))
    assert (len(book.lines), book.has_more_sheets) == (1, True)
    assert not workbooks.read(xlsx(["编号"], ["A1"])).has_more_sheets


def test_a_formula_is_not_worked_out() -> None:
    book = workbooks.read(xlsx(["编号", "名称"], ["A1", '=HYPERLINK("https://evil.example")']))
    [(_number, cells)] = book.lines
    assert (cells[1].text, cells[1].is_formula) == ("", True)


def test_a_bomb_is_turned_away_before_it_unfolds() -> None:
    raw = repacked(xlsx(["a"]), sheet1=b" " * (100 << 20))
    assert len(raw) < workbooks.MOST_BYTES
    assert "展开后太大" in refused(raw)


@pytest.mark.parametrize("encoding", ["ascii", "utf-16"])
def test_entities_are_turned_away(encoding: str) -> None:
    text = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>'
    assert "DOCTYPE" in refused(repacked(xlsx(["a"]), sheet1=text.encode(encoding)))


@pytest.mark.parametrize(
    "sheet",
    [
        b"<worksheet", b"<other/>", b"",
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<sheetData><row r="1"><c r="A1" t="s"><v>99999</v></c></row></sheetData></worksheet>',
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<sheetData><row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData></worksheet>',
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<sheetData><row r="1"><c r="XFD1"><v>1</v></c></row></sheetData></worksheet>',
    ],
)  # fmt: skip
def test_a_broken_sheet_is_refused_in_words(sheet: bytes) -> None:
    assert refused(repacked(xlsx(["a"]), sheet1=sheet))


def test_a_zip_of_something_else_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as parts:
        parts.writestr("readme.txt", "hello")
    assert "不是表格" in refused(out.getvalue())


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\xff\xfe", b"\xd0\xcf"]))
def test_no_bytes_do_anything_but_be_read_or_refused(rest: bytes, start: bytes) -> None:
    with contextlib.suppress(BookRefused):
        workbooks.read(start + rest)


@pytest.mark.parametrize("sign", [*"=+-@＝＋－＠'", "\t", "\r", "\n"])
def test_no_cell_of_ours_is_a_formula(sign: str) -> None:
    [header, line] = "".join(workbooks.as_csv(["a"], [[f"{sign}1+1"]])).splitlines()[:2]
    assert header == "\ufeffa"
    assert line.lstrip('"').startswith("'")


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5))
def test_what_is_written_is_read_as_it_was(rows: list[list[str]]) -> None:
    header = ["甲", "乙"]
    once = texts("".join(workbooks.as_csv(header, rows)).encode())
    again = texts("".join(workbooks.as_csv(header, once[1:])).encode())
    assert again == once
    assert texts(workbooks.as_xlsx("表", header, once[1:])) == once
