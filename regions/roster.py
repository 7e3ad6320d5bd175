"""The bank's own branches from its list: a CSV file, and drawn exceptions as GeoJSON beside it.

All or nothing: every row is checked, and the whole tree with it, before anything is replaced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate

from regions import branches, divisions
from regions.branches import (
    HEAD_OFFICE,
    Bank,
    Branch,
    BranchCode,
    Directory,
    DrawnException,
    Outline,
)
from regions.divisions import DivisionCode
from service.sheets import RowFault, SheetRefused, read
from service.wording import FAULTS, phrase

#: The columns' names as people write them, the usual one of each first.
HEADINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "机构代码": "code", "分行代码": "code", "代码": "code",
        "机构名称": "name", "分行名称": "name", "名称": "name",
        "简称": "short_name", "分行简称": "short_name",
        "上级机构": "parent", "上级代码": "parent", "上级": "parent",
        "所在区划": "division", "区划代码": "division",
        "服务区划": "serves", "服务地区": "serves",
        **{name: name for name in ("code", "name", "short_name", "parent", "division", "serves")},
    }
)  # fmt: skip

_CODE: Final = r"^(HQ|B\d{6})$"
_SAYS_CODE: Final = "总行写 HQ，其余写 B 加所在地的六位区划代码，例如 B320500"
_EXCEPTIONS: Final = "（例外）"


@dataclass(frozen=True, slots=True)
class Row:
    """One branch as the bank wrote it; ``serves`` is empty where it is the place it sits in."""

    code: BranchCode
    name: str
    short_name: str
    parent: BranchCode | None = None
    division: DivisionCode | None = None
    serves: tuple[DivisionCode, ...] = ()


class RowInput(Schema):
    """One row of the CSV file."""

    code = fields.String(
        required=True,
        error_messages=FAULTS,
        validate=validate.Regexp(_CODE, error=_SAYS_CODE),
    )
    name = phrase(60, least=2)
    short_name = phrase(20, least=1)
    parent = fields.String(error_messages=FAULTS, validate=validate.Regexp(_CODE, error=_SAYS_CODE))
    division = fields.String(error_messages=FAULTS)
    serves = fields.String(error_messages=FAULTS)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Row:
        code = data["code"]
        place = data.get("division") or (None if code == HEAD_OFFICE else code[1:])
        serves = tuple(re.split(r"[\s,，、;；]+", data.get("serves", "").strip()))
        for name, listed in (("division", (place,)), ("serves", serves)):
            if missing := [one for one in listed if one and divisions.table().get(one) is None]:
                raise ValidationError(f"没有代码为 {'、'.join(missing[:5])} 的行政区划", name)
        return Row(
            BranchCode(code), data["name"], data["short_name"],
            BranchCode(data["parent"]) if "parent" in data else None,
            DivisionCode(place) if place else None,
            tuple(DivisionCode(one) for one in serves if one),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """What an import would change."""

    added: tuple[Branch, ...]
    gone: tuple[Branch, ...]
    changed: tuple[Branch, ...]
    #: Counties that another branch serves than before, each with that branch.
    moved: tuple[tuple[DivisionCode, Branch], ...]


def check(path: Path, exceptions: Path | None = None) -> Bank:
    """The bank as the files describe it.

    Args:
        path: the CSV file, one branch a row, head office among them.
        exceptions: GeoJSON polygons in GCJ-02 with ``name``, ``within`` (a county) and ``branch``.

    Raises:
        SheetRefused: with every fault, each at its row as far as it has one.
    """
    rows = read(path, RowInput(), headings=HEADINGS)
    parents = {row.code: row.parent for _, row in rows}
    listed = tuple(
        Branch(row.code, row.name, row.short_name, _level(row.code, parents), _above(row),
               row.division)
        for _, row in rows
    )  # fmt: skip
    claims = tuple(
        (claimed, row.code)
        for _, row in rows
        for claimed in row.serves or ((row.division,) if row.division else ())
    )
    drawn = _exceptions(exceptions) if exceptions else ()
    bank = Bank(tuple(sorted(listed, key=_order)), claims, drawn)
    if found := branches.faults(bank):
        raise SheetRefused([RowFault(*_placed(fault, rows), fault) for fault in found])
    return bank


def difference(before: Directory, after: Directory) -> Difference:
    """What changes if the one takes the other's place."""
    known, new = ({one.code: one for one in side.all} for side in (before, after))
    counties = [one.code for one in divisions.table() if not divisions.table().counties(one.code)]
    serving = [(code, after.serving(code).branch) for code in counties]
    return Difference(
        tuple(one for code, one in new.items() if code not in known),
        tuple(one for code, one in known.items() if code not in new),
        tuple(one for code, one in new.items() if code in known and known[code] != one),
        tuple((c, one) for c, one in serving if before.serving(c).branch.code != one.code),
    )


def _above(row: Row) -> BranchCode | None:
    """A branch whose parent is not named stands right below head office."""
    return None if row.code == HEAD_OFFICE else row.parent or HEAD_OFFICE


def _level(code: BranchCode, parents: Mapping[BranchCode, BranchCode | None]) -> int:
    """How far below head office; a ring of parents is found out by whoever reads the tree."""
    level, step = 0, code
    while step != HEAD_OFFICE and level <= len(parents):
        level, step = level + 1, parents.get(step) or HEAD_OFFICE
    return level


def _order(branch: Branch) -> tuple[bool, str]:
    return branch.code != HEAD_OFFICE, branch.code


def _placed(fault: str, rows: Sequence[tuple[int, Row]]) -> tuple[int, str]:
    """The row a fault of the whole tree is about: the last that bears the code it begins with."""
    named = fault.split("：")[0].split(" ")[-1]
    about = [number for number, row in rows if named in (row.code, row.short_name, *row.serves)]
    return (about[-1], "机构") if about else (0, "（整个文件）")


def _exceptions(path: Path) -> tuple[DrawnException, ...]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return tuple(_exception(one) for one in told["features"])
    except (OSError, ValueError, KeyError, TypeError) as broken:
        raise SheetRefused(
            [
                RowFault(
                    0,
                    _EXCEPTIONS,
                    "应是 GeoJSON 的 FeatureCollection，每个 Polygon 带 name（名称）、"
                    f"within（区县代码）、branch（机构代码）：{broken}",
                )
            ]
        ) from None


def _exception(feature: Mapping[str, Any]) -> DrawnException:
    said, shape = feature["properties"], feature["geometry"]
    if shape["type"] != "Polygon" or len(shape["coordinates"]) != 1:
        raise ValueError(f"“{said['name']}”不是一圈画成的多边形")
    return DrawnException(
        str(said["name"]), DivisionCode(said["within"]), BranchCode(said["branch"]),
        tuple(_corners(shape["coordinates"][0])),
    )  # fmt: skip


def _corners(ring: Sequence[Sequence[float]]) -> Iterator[tuple[float, float]]:
    """GeoJSON closes a ring by its first corner once more; here the last joins the first."""
    outline: Outline = [(float(one[0]), float(one[1])) for one in ring]
    yield from outline[:-1] if len(outline) > 1 and outline[0] == outline[-1] else outline
