"""The bank's own list of outlets from a CSV file: all of it is taken in, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate
from sqlalchemy import delete, insert

from lightservices.outlets import hours as opening
from lightservices.outlets.models import Outlet, OutletRow
from lightservices.sheets import RowFault, SheetRefused, read
from lightservices.wording import CHOICE_FAULTS, FAULTS, NUMBER_FAULTS
from regions import atlas, branches
from regions.coordinates import Datum, to_gcj02
from service.epochs import bump
from service.wiring import Unit

HEADINGS: Final = MappingProxyType(
    {
        **{name: name for name in ("id", "name", "address", "phone", "lng", "lat", "datum",
                                   "hours", "services", "branch")},
        "网点编号": "id", "编号": "id", "名称": "name", "网点名称": "name", "地址": "address",
        "电话": "phone", "经度": "lng", "纬度": "lat", "坐标系": "datum", "营业时间": "hours",
        "服务": "services", "分行": "branch",
    }
)  # fmt: skip


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
    branch: str = ""


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
        validate=[
            validate.Regexp(r"^[A-Za-z0-9-]{1,32}$", error="只能用 32 个以内的字母、数字和连字符"),
            validate.Regexp(r"^(?!SYN-)", error="SYN- 开头的编号留给示例网点"),
        ],
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
    branch = _text(16, required=False)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Listed:
        try:
            opening.parse(data.get("hours", ""))
        except ValueError as refused:
            raise ValidationError(str(refused), "hours") from refused
        words = data.get("services", "").replace("，", "、").replace(",", "、").split("、")
        data["services"] = tuple(word.strip() for word in words if word.strip())
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
        if first_row.setdefault(listed.id, row) != row:
            faults.append(RowFault(row, "id", f"与第 {first_row[listed.id]} 行重复"))
        placed = _placed(unit, listed)
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
        unit.db.execute(insert(OutletRow), [_row(outlet) for outlet in outlets])
    bump(unit, "outlets")


def _placed(unit: Unit, listed: Listed) -> Outlet | tuple[str, str]:
    lat, lng = to_gcj02(listed.lat, listed.lng, listed.datum)
    county = atlas.current(unit.settings).county_at(lat, lng)
    if county is None:
        return "lng", "这个位置不在任何区县内，请核对经纬度和坐标系"
    directory = branches.directory(unit)
    if listed.branch and directory.get(listed.branch) is None:
        return "branch", f"没有代码为 {listed.branch} 的分行"
    branch = listed.branch or directory.serving(county, latitude=lat, longitude=lng).branch.code
    return Outlet(
        id=listed.id, branch_code=branch, division=county, name=listed.name,
        address=listed.address, phone=listed.phone, lat=lat, lng=lng, hours=listed.hours,
        services=listed.services, synthetic=False,
    )  # fmt: skip


def _row(outlet: Outlet) -> Mapping[str, Any]:
    row = {name: getattr(outlet, name) for name in Outlet.__slots__}
    return row | {"services": list(outlet.services)}
