"""How an outlet is written in a bank's list, and the whole list from a CSV file: all or nothing."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate
from sqlalchemy import delete, insert

from lightservices.outlets import hours as opening
from lightservices.outlets.models import Outlet, OutletRow
from regions import atlas, branches, divisions
from regions.coordinates import Datum, to_gcj02
from service.epochs import bump
from service.sheets import RowFault, SheetRefused, read
from service.wiring import Unit
from service.wording import CHOICE_FAULTS, FAULTS, NUMBER_FAULTS

#: The columns' names as people write them, the usual one of each first.
HEADINGS: Final = MappingProxyType(
    {
        "网点编号": "id", "编号": "id", "机构编号": "id", "网点号": "id", "网点代码": "id",
        "网点名称": "name", "名称": "name", "机构名称": "name",
        "城市": "city", "所在城市": "city", "市": "city", "地市": "city",
        "地址": "address", "网点地址": "address", "详细地址": "address",
        "电话": "phone", "联系电话": "phone", "网点电话": "phone",
        "经度": "lng", "longitude": "lng", "lon": "lng",
        "纬度": "lat", "latitude": "lat",
        "坐标系": "datum", "坐标系统": "datum", "坐标类型": "datum",
        "营业时间": "hours", "服务时间": "hours",
        "可办业务": "services", "服务": "services", "业务": "services", "业务范围": "services",
        "无障碍设施": "accessible", "无障碍": "accessible",
        "分行": "branch", "分行代码": "branch", "所属分行": "branch", "管辖分行": "branch",
        **{name: name for name in ("id", "name", "city", "address", "phone", "lng", "lat", "datum",
                                   "hours", "services", "accessible", "branch")},
    }
)  # fmt: skip

#: What the ids of the sample list begin with.
SAMPLE_PREFIX: Final = "SYN-"
FOR_SAMPLES: Final = f"{SAMPLE_PREFIX} 开头的编号留给示例网点"


@dataclass(frozen=True, slots=True)
class Listed:
    """One row as the bank wrote it; ``branch`` is empty where the place decides."""

    id: str
    name: str
    address: str
    lat: float
    lng: float
    datum: Datum
    phone: str = ""
    hours: str = ""
    services: tuple[str, ...] = ()
    accessible: tuple[str, ...] = ()
    branch: str = ""
    #: Where the outlet is said to be: its position must agree.
    city: str = ""


def _text(most: int, *, required: bool = True) -> fields.String:
    return fields.String(
        required=required,
        error_messages=FAULTS,
        validate=validate.Length(max=most, error=f"最多 {most} 个字"),
    )


def _degrees(low: int, high: int) -> fields.Float:
    return fields.Float(
        required=True,
        error_messages=NUMBER_FAULTS,
        validate=validate.Range(low, high, error=f"应在 {low} 到 {high} 之间，经纬度是否写反了？"),
    )


class OutletInput(Schema):
    """One row of the CSV file; the degrees are those of China."""

    id = fields.String(
        required=True,
        error_messages=FAULTS,
        validate=validate.Regexp(
            r"^[A-Za-z0-9-]{1,32}$", error="只能用 32 个以内的字母、数字和连字符"
        ),
    )
    name = _text(80)
    address = _text(200)
    phone = fields.String(
        error_messages=FAULTS,
        validate=validate.Regexp(r"^\+?[0-9][0-9 -]{4,30}$", error="只能用数字、空格和连字符"),
    )
    lng = _degrees(73, 136)
    lat = _degrees(3, 54)
    datum = fields.Enum(
        Datum, by_value=True, required=True,
        error_messages=CHOICE_FAULTS,
    )  # fmt: skip
    hours = _text(200, required=False)
    services = _text(200, required=False)
    accessible = _text(200, required=False)
    branch = _text(16, required=False)
    city = _text(20, required=False)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Listed:
        try:
            opening.parse(data.get("hours", ""))
        except ValueError as refused:
            raise ValidationError(str(refused), "hours") from refused
        for name in ("services", "accessible"):
            words = re.split("[，,、]", data.get(name, ""))
            data[name] = tuple(word.strip() for word in words if word.strip())
        return Listed(**data)


def check(unit: Unit, path: Path) -> list[Outlet]:
    """The outlets of a CSV file, each with its county and its branch, all sound.

    Raises:
        SheetRefused: naming every fault by row.
    """
    faults: list[RowFault] = []
    first_row: dict[str, int] = {}
    outlets: list[Outlet] = []
    for row, listed in read(path, OutletInput(), headings=HEADINGS):
        if listed.id.startswith(SAMPLE_PREFIX):
            faults.append(RowFault(row, "id", FOR_SAMPLES))
        if first_row.setdefault(listed.id, row) != row:
            faults.append(RowFault(row, "id", f"与第 {first_row[listed.id]} 行重复"))
        placed = place(unit, listed)
        if isinstance(placed, Outlet):
            outlets.append(placed)
        else:
            faults.append(RowFault(row, *placed))
    if faults:
        raise SheetRefused(faults)
    return outlets


def replace(unit: Unit, outlets: Sequence[Outlet]) -> None:
    """Make these the outlets there are. A list is whole: what it leaves out is closed, and the
    sample never stands beside real outlets."""
    unit.db.execute(delete(OutletRow))
    add(unit, outlets)


def add(unit: Unit, outlets: Sequence[Outlet]) -> None:
    """Add these outlets to those there are."""
    if outlets:
        unit.db.execute(insert(OutletRow), [row_of(outlet) for outlet in outlets])
    bump(unit, "outlets")


def place(unit: Unit, listed: Listed) -> Outlet | tuple[str, str]:
    """The outlet with its county and branch, or which column is wrong with it and why."""
    lat, lng = to_gcj02(listed.lat, listed.lng, listed.datum)
    county = atlas.current(unit.settings).county_at(lat, lng)
    if county is None:
        return "lng", "这个位置不在任何区县内，请核对经纬度和坐标系"
    if elsewhere := _named_elsewhere(listed, county):
        return elsewhere
    directory = branches.directory(unit)
    serving = directory.serving(county, latitude=lat, longitude=lng).branch
    if listed.branch and directory.get(listed.branch) is None:
        return "branch", f"没有代码为 {listed.branch} 的分行"
    return Outlet(
        id=listed.id, branch_code=listed.branch or serving.code, division=county,
        name=listed.name, address=listed.address, phone=listed.phone, lat=lat, lng=lng,
        hours=listed.hours, services=listed.services,
        synthetic=listed.id.startswith(SAMPLE_PREFIX), accessible=listed.accessible,
    )  # fmt: skip


def _named_elsewhere(listed: Listed, county: str) -> tuple[str, str] | None:
    """Whether the words of the row name another city than the one its position is in."""
    table = divisions.table()
    names = [step.name for step in table.path(county)]
    if listed.city and not _names_one(listed.city, names, county):
        return "city", f"位置在{table.label(county)}，不在{listed.city}"
    address = listed.address
    province = next((name for name in _provinces() if address.startswith(name)), "")
    if province and province not in names:
        return "address", f"位置在{table.label(county)}，不在{province}"
    rest = address.removeprefix(province)
    city = next((rest[:size] for size in range(3, 12) if rest[:size] in _cities()), "")
    if city and city not in names:
        return "address", f"位置在{table.label(county)}，不在{city}"
    return None


def _names_one(said: str, names: Sequence[str], county: str) -> bool:
    """Whether this is one of the divisions, by code, by name, in full or without its kind."""
    if said.isdecimal():
        return said in (county, f"{county[:4]}00", f"{county[:2]}0000")
    whole = "".join(names)
    return whole.endswith(said) or any(
        said == name or (len(said) > 1 and name.startswith(said)) or said.endswith(name)
        for name in names
    )


@functools.cache
def _provinces() -> frozenset[str]:
    return frozenset(one.name for one in divisions.table() if one.level == "province")


@functools.cache
def _cities() -> frozenset[str]:
    return frozenset(one.name for one in divisions.table() if one.level == "prefecture")


def row_of(outlet: Outlet) -> Mapping[str, Any]:
    row = {name: getattr(outlet, name) for name in Outlet.__slots__}
    return row | {"services": list(outlet.services), "accessible": list(outlet.accessible)}
