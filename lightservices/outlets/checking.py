"""A branch's uploaded list held against every rule, row by row, before anything is written."""

from __future__ import annotations

import unicodedata
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from marshmallow import ValidationError
from sqlalchemy import select

from lightservices import workbooks
from lightservices.outlets import branch_list
from lightservices.outlets.branch_list import COLUMNS, DATUMS, EXAMPLE, REQUIRED, Entry
from lightservices.outlets.imports import FOR_SAMPLES, HEADINGS, OutletInput, place
from lightservices.outlets.models import Outlet, OutletRow
from lightservices.workbooks import Book, BookRefused, Cell
from regions import branches, divisions, jurisdiction
from regions.coordinates import Datum
from service import wording
from service.db import table_of
from service.wiring import Unit

#: After so many rows whoever waits is told how far it is.
STEP: Final = 500
#: More faults than this tell nobody anything new.
MOST_FAULTS: Final = 5_000

_KNOWN: Final = MappingProxyType(
    {workbooks.heading(name): field for name, field in HEADINGS.items()}
)
_DATUMS: Final = MappingProxyType(
    {
        "gcj02": "gcj02", "火星": "gcj02", "火星坐标": "gcj02", "高德": "gcj02", "腾讯": "gcj02",
        "微信": "gcj02", "国测局": "gcj02", "wgs84": "wgs84", "gps": "wgs84", "大地坐标": "wgs84",
        "bd09": "bd09", "bd09ll": "bd09", "百度": "bd09",
    }
)  # fmt: skip
_WAYS_OUT: Final = MappingProxyType(
    {
        "id": "填写 32 个以内的字母、数字和连字符，例如 GZ0012",
        "name": "填写网点全称，最多 80 个字",
        "city": "核对城市和经纬度，哪个错改哪个；坐标系不对也会偏出几百米",
        "address": "核对地址和经纬度，哪个错改哪个；地址最多 200 个字",
        "phone": "写成 020-12345678，没有电话就留空",
        "lng": "经度在 73 到 136 之间，请核对是否与纬度写反、坐标系是否选对",
        "lat": "纬度在 3 到 54 之间，请核对是否与经度写反、坐标系是否选对",
        "datum": "填 GCJ-02（腾讯、高德）、WGS-84（GPS）或 BD-09（百度），也可以整列不填",
        "hours": "写成 周一至周五 09:00-17:00；周六、周日 10:00-16:00；节假日休息",
        "services": "几项业务之间用顿号分开，共 200 个字以内",
        "accessible": "几项设施之间用顿号分开，共 200 个字以内",
        "branch": "填写管辖分行的代码，例如 B440000；留空则由坐标决定",
    }
)
_AS_VALUE: Final = "复制这一列，再“选择性粘贴”为数值"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one cell; rows are numbered as the spreadsheet shows them."""

    row: int
    column: str
    says: str
    way_out: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How many rows were looked at, of how many."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of it: the whole list as content, or the faults that keep it out."""

    entries: Mapping[str, Entry]
    faults: Sequence[Fault]
    rows: int
    examples: int
    unused: Sequence[str]
    has_more_sheets: bool


class _Ground:
    """What rows are held against, looked up once."""

    def __init__(self, unit: Unit, branch: str) -> None:
        self.unit, self.branch = unit, branch
        self.name = _name(unit, branch)
        self.below = jurisdiction.below(unit, branch)
        table = table_of(OutletRow)
        self.owners: dict[str, str] = {
            row.id: row.branch_code
            for row in unit.db.execute(select(table.c.id, table.c.branch_code))
        }

    def faults(self, outlet: Outlet, *, is_given: bool) -> Fault | None:
        """Why this branch may not list the outlet."""
        owner = self.owners.get(outlet.id)
        if outlet.synthetic and (owner is None or self.unit.settings.in_production):
            return Fault(0, "id", FOR_SAMPLES, _WAYS_OUT["id"])
        if outlet.branch_code not in self.below:
            whose = _name(self.unit, outlet.branch_code)
            says = f"这个网点归{whose}，不在{self.name}的管辖范围"
            return Fault(
                0, "branch", says, "从名单里删去这一行，请该机构导入；坐标写错了就改正坐标"
            )
        if owner is not None and owner not in self.below:
            return Fault(
                0,
                "id",
                f"这个编号已被{_name(self.unit, owner)}的网点使用",
                "换一个编号，或删去这一行",
            )
        return self._off_ground(outlet) if is_given else None

    def _off_ground(self, outlet: Outlet) -> Fault | None:
        directory = branches.directory(self.unit)
        serving = directory.serving(
            outlet.division, latitude=outlet.lat, longitude=outlet.lng
        ).branch
        if outlet.branch_code in {one.code for one in directory.chain(serving.code)}:
            return None
        where = divisions.table().label(outlet.division)
        whose = _name(self.unit, outlet.branch_code)
        says = f"位置在{where}，由{serving.name}服务，不是{whose}的地盘"
        return Fault(0, "branch", says, "核对分行代码和经纬度；“分行”留空则由坐标决定")


def check(
    unit: Unit, branch: str, book: Book, *, datum: Datum
) -> Generator[Progress, None, Checked]:
    """Hold the whole list against the rules, telling how far it is.

    Args:
        datum: what the degrees mean where the file itself does not say.

    Raises:
        BookRefused: when the file has not the columns that are needed.
    """
    names, unused = _columns(book.header)
    ground, schema = _Ground(unit, branch), OutletInput()
    entries: dict[str, Entry] = {}
    first: dict[str, int] = {}
    faults: list[Fault] = []
    examples = 0
    for done, (number, cells) in enumerate(book.lines, 1):
        if done % STEP == 0:
            yield Progress(done, len(book.lines))
        row, found = _row(names, cells, datum)
        if row.get("id", "").startswith(EXAMPLE):
            examples += 1
            continue
        outlet = _outlet(ground, schema, row, found) if not found else None
        # Also where something else is wrong with the row, so that one round tells everything.
        if (known := row.get("id", "")) and first.setdefault(known, number) != number:
            says = f"与第 {first[known]} 行的编号相同"
            found.append(Fault(0, "id", says, "一个网点只写一行；不同的网点换一个编号"))
        if outlet is not None:
            entries[outlet.id] = branch_list.written(outlet)
        faults += [_told(number, one) for one in found]
        if len(faults) > MOST_FAULTS:
            break
    if not entries and not faults:
        raise BookRefused("除了表头和示例行，没有数据", "从第 2 行起每行写一个网点")
    return Checked(
        {one: entries[one] for one in sorted(entries)}, faults, len(book.lines) - examples,
        examples, unused, book.has_more_sheets,
    )  # fmt: skip


def finished(steps: Generator[Progress, None, Checked]) -> Checked:
    """What comes of a check when nobody asks how far it is."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Checked = end.value
            return found


def _columns(header: Sequence[str]) -> tuple[list[str], list[str]]:
    """Which field each column is, "" for one nobody needs; and what those are called."""
    names = [_KNOWN.get(workbooks.heading(title), "") for title in header]
    twice = next((name for name in names if name and names.count(name) > 1), "")
    if twice:
        titles = "、".join(
            title for title, name in zip(header, names, strict=True) if name == twice
        )
        raise BookRefused(
            f"有几列说的是同一件事：{titles}", f"只保留一列，列名写“{COLUMNS[twice]}”"
        )
    missing = [COLUMNS[name] for name in REQUIRED if name not in names]
    if missing:
        raise BookRefused(
            f"缺少这些列：{'、'.join(missing)}", "列名写在第一行；可以下载模板，照着它的列名写"
        )
    unused = [title for title, name in zip(header, names, strict=True) if title and not name]
    return names, unused


def _row(
    names: Sequence[str], cells: Sequence[Cell], datum: Datum
) -> tuple[dict[str, str], list[Fault]]:
    """The filled cells by field, and those that cannot be read."""
    row: dict[str, str] = {}
    faults = []
    for place_, cell in enumerate(cells):
        name = names[place_] if place_ < len(names) else ""
        if place_ >= len(names) and cell.text:
            way_out = "可能少了引号，或多打了分隔符"
            faults.append(Fault(0, "", "这一行比表头多出几格", way_out))
            break
        if name and cell.is_formula:
            faults.append(Fault(0, name, "单元格里是公式", _AS_VALUE))
        elif name and cell.text:
            row[name] = cell.text
    told = unicodedata.normalize("NFKC", row.get("datum", "")).lower()
    plain = "".join(sign for sign in told if sign.isalnum())
    row["datum"] = _DATUMS.get(plain.removesuffix("坐标系"), told) or datum.value
    return row, faults


def _outlet(
    ground: _Ground, schema: OutletInput, row: Mapping[str, str], found: list[Fault]
) -> Outlet | None:
    """The outlet of a row where nothing is wrong with it by itself; else the faults are added."""
    try:
        listed = schema.load(row)
    except ValidationError as refused:
        found += _faults_of(wording.messages(refused))
        return None
    placed = place(ground.unit, listed)
    if not isinstance(placed, Outlet):
        field, says = placed
        found.append(Fault(0, field, says, _WAYS_OUT[field]))
        return None
    if fault := ground.faults(placed, is_given=bool(listed.branch)):
        found.append(fault)
    return placed


def _faults_of(messages: Mapping[str, Any]) -> list[Fault]:
    return [
        Fault(0, field, _said(field, str(message)), _way_out(field, str(message)))
        for field, inner in messages.items()
        for message in (inner if isinstance(inner, list) else [inner])
    ]


def _way_out(field: str, message: str) -> str:
    return "补上这一格" if message == wording.MISSING else _WAYS_OUT.get(field, "")


def _said(field: str, message: str) -> str:
    if field == "datum":
        return f"只能是 {'、'.join(DATUMS.values())} 之一"
    return message.rstrip(".")


def _told(number: int, fault: Fault) -> Fault:
    return Fault(number, COLUMNS.get(fault.column, "（整行）"), fault.says, fault.way_out)


def _name(unit: Unit, code: str) -> str:
    found = branches.directory(unit).get(code)
    return found.name if found else code
