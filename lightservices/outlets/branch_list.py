"""The outlets of one branch and those below it: as content, as rows of a file, and what differs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from lightservices.outlets.imports import SAMPLE_PREFIX
from lightservices.outlets.models import Outlet, OutletRow
from regions import divisions, jurisdiction
from regions.coordinates import Datum, metres_per_degree
from service.db import table_of
from service.wiring import Unit

#: One outlet as content: texts and lists of texts, without those that are empty.
Entry = Mapping[str, Any]
#: A branch's outlets by id.
Entries = Mapping[str, Entry]

#: The columns of a file, in order: field and title.
COLUMNS: Final[Mapping[str, str]] = {
    "id": "网点编号",
    "name": "网点名称",
    "city": "城市",
    "address": "地址",
    "phone": "电话",
    "lng": "经度",
    "lat": "纬度",
    "datum": "坐标系",
    "hours": "营业时间",
    "services": "可办业务",
    "accessible": "无障碍设施",
    "branch": "分行",
}
REQUIRED: Final = ("id", "name", "address", "lng", "lat")
#: What people call a datum, in files as on the form.
DATUMS: Final[Mapping[Datum, str]] = {
    Datum.GCJ02: "GCJ-02",
    Datum.WGS84: "WGS-84",
    Datum.BD09: "BD-09",
}
#: A row whose id begins so shows how rows are written, and is not taken in.
EXAMPLE: Final = "示例"
EXAMPLE_ROW: Final = (
    *(f"{EXAMPLE}（导入前请删去本行）", "某某支行", "广州市", "某某路 1 号", "020-00000000"),
    *("113.264434", "23.129162", "GCJ-02", "周一至周五 09:00-17:00；节假日休息"),
    *("个人业务、自助设备", "坡道、爱心座椅", ""),
)

_TABLE: Final = table_of(OutletRow)
_FIELDS: Final = ("name", "address", "phone", "hours", "services", "accessible")
_COLUMNS: Final = [_TABLE.c[name] for name in Outlet.__slots__]
_POSITION: Final = "位置"
#: Half a metre; what differs by less is the same place.
_SAME_SPOT_M: Final = 0.5


@dataclass(frozen=True, slots=True)
class Changed:
    """One outlet before and after; None for one that was not there, or will not be."""

    id: str
    before: Entry | None
    after: Entry | None

    @property
    def name(self) -> str:
        entry = self.after or self.before or {}
        return str(entry.get("name", ""))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A list held against what is live."""

    added: Sequence[Changed]
    changed: Sequence[Changed]
    gone: Sequence[Changed]
    kept: int

    @property
    def is_same(self) -> bool:
        return not (self.added or self.changed or self.gone)

    @property
    def live(self) -> int:
        """How many there are now."""
        return self.kept + len(self.changed) + len(self.gone)

    def __iter__(self) -> Iterator[Changed]:
        yield from (*self.added, *self.changed, *self.gone)


def live(unit: Unit, branch: str) -> dict[str, Entry]:
    """The outlets of this branch and those below it as they are at this moment."""
    rows = unit.db.execute(
        select(*_COLUMNS)
        .where(_TABLE.c.branch_code.in_(jurisdiction.below(unit, branch)))
        .order_by(_TABLE.c.id)
    )
    return {row.id: _entry(row) for row in rows}


def counts(unit: Unit, codes: frozenset[str]) -> Mapping[str, int]:
    """How many outlets each of these branches has."""
    rows = unit.db.execute(
        select(_TABLE.c.branch_code, func.count())
        .where(_TABLE.c.branch_code.in_(codes))
        .group_by(_TABLE.c.branch_code)
    )
    return {code: int(count) for code, count in rows}


def samples(unit: Unit, codes: frozenset[str]) -> int:
    """How many of their outlets are only samples."""
    query = select(func.count()).where(_TABLE.c.branch_code.in_(codes), _TABLE.c.synthetic)
    return int(unit.db.execute(query).scalar_one())


def written(outlet: Outlet) -> Entry:
    """An outlet as content."""
    return _entry(outlet)


def _entry(outlet: Any) -> Entry:
    entry = {name: getattr(outlet, name) for name in _FIELDS}
    entry |= {"services": list(outlet.services), "accessible": list(outlet.accessible)}
    entry |= {"branch": outlet.branch_code, "division": outlet.division}
    # A number with a point has no place in what is hashed; its text is exact.
    entry |= {"lat": repr(outlet.lat), "lng": repr(outlet.lng)}
    return {name: value for name, value in entry.items() if value}


def outlet_of(outlet_id: str, entry: Entry) -> Outlet:
    """The outlet that sound content stands for."""
    return Outlet(
        id=outlet_id,
        branch_code=entry["branch"],
        division=entry["division"],
        name=entry["name"],
        address=entry["address"],
        phone=entry.get("phone", ""),
        lat=float(entry["lat"]),
        lng=float(entry["lng"]),
        hours=entry.get("hours", ""),
        services=tuple(entry.get("services", ())),
        synthetic=outlet_id.startswith(SAMPLE_PREFIX),
        accessible=tuple(entry.get("accessible", ())),
    )


def rows(entries: Entries) -> Iterator[list[str]]:
    """The rows of a file that, read again, is the same list."""
    table = divisions.table()
    for outlet_id, entry in sorted(entries.items()):
        city = table.prefecture(entry["division"])
        row = {
            **entry,
            "id": outlet_id,
            "city": city.name if city else "",
            "datum": DATUMS[Datum.GCJ02],
            "services": "、".join(entry.get("services", ())),
            "accessible": "、".join(entry.get("accessible", ())),
        }
        yield [row.get(name, "") for name in COLUMNS]


def compare(before: Entries, after: Entries) -> Comparison:
    """What comes, what reads differently, what goes."""
    both = [one for one in after if one in before]
    differs = [one for one in both if _differs(before[one], after[one])]
    return Comparison(
        added=[Changed(one, None, after[one]) for one in after if one not in before],
        changed=[Changed(one, before[one], after[one]) for one in differs],
        gone=[Changed(one, before[one], None) for one in before if one not in after],
        kept=len(both) - len(differs),
    )


def told(changed: Changed) -> Iterator[tuple[str, str, str]]:
    """Field by field what it was and what it will be, in people's words."""
    old, new = _words(changed.before), _words(changed.after)
    for field in dict.fromkeys((*old, *new)):
        before, after = old.get(field, ""), new.get(field, "")
        if field == _POSITION and changed.before and changed.after:
            metres = _apart(changed.before, changed.after)
            if metres < _SAME_SPOT_M:
                continue
            after = f"{after}（移动约 {metres:,.0f} 米）"
        if before != after:
            yield field, before, after


def in_one_line(entry: Entry | None) -> str:
    """All there is to say of an outlet."""
    return "；".join(f"{field}：{words}" for field, words in _words(entry).items())


def _differs(before: Entry, after: Entry) -> bool:
    if before == after:
        return False
    rest = [{**entry, "lat": "", "lng": ""} for entry in (before, after)]
    return rest[0] != rest[1] or _apart(before, after) >= _SAME_SPOT_M


def _words(entry: Entry | None) -> dict[str, str]:
    if entry is None:
        return {}
    words = {COLUMNS[name]: entry.get(name, "") for name in ("name", "address", "phone", "hours")}
    words |= {COLUMNS[name]: "、".join(entry.get(name, ())) for name in ("services", "accessible")}
    county = divisions.table().label(entry["division"]) or entry["division"]
    words |= {_POSITION: f"{float(entry['lng']):.6f}, {float(entry['lat']):.6f}"}
    words |= {"所在区县": county, COLUMNS["branch"]: entry["branch"]}
    return {field: text for field, text in words.items() if text}


def _apart(before: Entry, after: Entry) -> float:
    """Metres between two positions, near enough."""
    lat, lng = float(before["lat"]), float(before["lng"])
    north, east = metres_per_degree(lat)
    return math.hypot((float(after["lat"]) - lat) * north, (float(after["lng"]) - lng) * east)
