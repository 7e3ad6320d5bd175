"""What the tabs of the zone editor show: positions of the menu, lines of promotions, faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from marshmallow import ValidationError, fields

from menus import fills, frame
from menus.console import item_forms, seen
from menus.console.seen import Phone
from menus.console.zone_forms import HIDE, INHERIT, OWN
from menus.slots import OVERLAID, Slot, SlotKind
from regions import branches, divisions
from service import clock
from service.approvals.kinds import Fault
from service.wechat.errors import WillNever
from service.wiring import Unit

#: Endpoint and title by tab, in order.
TABS: Final[Mapping[str, tuple[str, str]]] = {
    "menu": ("editors.zone", "菜单"),
    "page": ("editors.zone_page", "专区页面"),
    "promotions": ("editors.zone_promotions", "优惠"),
    "services": ("editors.zone_services", "服务"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """One position of the menu as the form shows it."""

    slot: Slot
    #: ``locked``, ``overlay``, or ``open`` where this branch may decide.
    state: str
    choice: str = INHERIT
    #: Whose items are inherited; "" is head office.
    owner: str = ""
    #: The names of what is inherited; none where it is hidden above.
    inherited: Sequence[str] = ()
    items: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True)
class FrameColumn:
    """A column of head office's frame with its positions."""

    title: str
    is_zone: bool
    places: Sequence[Place]


@dataclass(frozen=True, slots=True)
class Line:
    """One promotion in the list."""

    name: str
    title: str
    state: str
    time: str
    where: str
    is_over: bool


@dataclass(frozen=True, slots=True)
class FaultLink:
    """A fault with the way to the field it is in."""

    endpoint: str
    anchor: str
    title: str
    fault: Fault
    name: str = ""


def columns(unit: Unit, branch: str, content: Any) -> list[FrameColumn]:
    """The frame's columns with what this edition decides."""
    present = frame.current(unit)
    above = seen.inherited(unit, branch, present, fills.all(unit))
    found = branches.directory(unit).get(branch)
    level = found.level if found is not None else -1
    decided = content if isinstance(content, Mapping) else {}
    return [
        FrameColumn(
            column.title,
            column.zone_title,
            [_place(slot, level, above.get(slot.key), decided) for slot in column.slots],
        )
        for column in present.columns
    ]


def strangers(shown: Sequence[FrameColumn], content: Any) -> list[str]:
    """Decisions for positions that this branch has no say in any more."""
    known = {place.slot.key for column in shown for place in column.places if place.state == "open"}
    return [slot for slot in content if slot not in known] if isinstance(content, Mapping) else []


def phone(unit: Unit, branch: str, content: Mapping[str, Any]) -> tuple[Phone | None, str]:
    """The phone beside the form, or why there is none."""
    try:
        return seen.phone(unit, branch, seen.with_edition(unit, branch, content)), ""
    except WillNever as refused:
        return None, str(refused)


def promotion_line(one: Mapping[str, Any], now: datetime) -> Line:
    """A promotion as a line of the list."""
    starts, ends = _time(one.get("starts_at")), _time(one.get("ends_at"))
    state = "进行中"
    if starts is None or ends is None:
        state = "时间有误"
    elif now < starts:
        state = "未开始"
    elif now >= ends:
        state = "已结束"
    time = f"{_short(starts)} 至 {_short(ends)}"
    name, title = str(one.get("name", "")), str(one.get("title", "")) or "（没有标题）"
    return Line(name, title, state, time, _where(one), state == "已结束")


def new_promotion(name: str, now: datetime) -> dict[str, Any]:
    """What the form of another promotion begins with: from tomorrow, for two weeks."""
    midnight = clock.shanghai(now).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = midnight + timedelta(days=1)
    ends = starts + timedelta(days=14)
    return {"name": name, "starts_at": starts.isoformat(), "ends_at": ends.isoformat()}


def place_of(listed: Sequence[Mapping[str, Any]], name: str) -> int | None:
    """Where in the list the promotion of this name stands."""
    return next((n for n, one in enumerate(listed) if str(one.get("name")) == name), None)


def anchor(section: str, where: str) -> str:
    """The id of the field a fault is about."""
    return f"at-{section}-{where.replace('/', '-')}".rstrip("-")


def fault_links(
    found: Mapping[str, Sequence[Fault]], content: Mapping[str, Any]
) -> list[FaultLink]:
    """All faults, each with the tab and the field it is in."""
    return [_fault_link(section, one, content) for section, some in found.items() for one in some]


def _fault_link(section: str, fault: Fault, content: Mapping[str, Any]) -> FaultLink:
    to = anchor(section, fault.where)
    if section == "menu":
        return FaultLink("editors.zone", anchor(section, fault.where.split("/")[0]), "菜单", fault)
    if section == "promotions":
        number, _slash, _field = fault.where.partition("/")
        listed = content.get("promotions")
        if number.isdigit() and isinstance(listed, list) and int(number) < len(listed):
            name = str(listed[int(number)].get("name", ""))
            return FaultLink("editors.zone_promotion", to, "优惠", fault, name)
        return FaultLink("editors.zone_promotions", "", "优惠", fault)
    if fault.where == "switched_off":
        return FaultLink("editors.zone_services", "", "服务", fault)
    return FaultLink("editors.zone_page", to, "专区页面", fault)


def _place(
    slot: Slot, level: int, above: tuple[str, Any] | None, decided: Mapping[str, Any]
) -> Place:
    if slot.kind in OVERLAID:
        return Place(slot, "overlay")
    if slot.kind is not SlotKind.DELEGATED or level not in slot.levels or above is None:
        return Place(slot, "locked", inherited=[item.name for item in slot.items])
    owner, fill = above
    inherited = slot.items if fill is None else fill.items
    own = decided.get(slot.key)
    choice, items = INHERIT, tuple[Mapping[str, str], ...]()
    if isinstance(own, Mapping):
        choice = HIDE if own.get("hide") else OWN
        items = tuple(item_forms.shown(one) for one in own.get("fill") or ())
    return Place(slot, "open", choice, owner, [item.name for item in inherited], items)


def _where(one: Mapping[str, Any]) -> str:
    if one.get("area"):
        return "地图上画的范围"
    codes, table = list(one.get("divisions") or ()), divisions.table()
    if not codes:
        return "全行"
    first = [found.name if (found := table.get(code)) else str(code) for code in codes[:3]]
    return "、".join(first) + (f"等 {len(codes)} 处" if len(codes) > len(first) else "")


def _time(kept: Any) -> datetime | None:
    try:
        found: datetime = fields.AwareDateTime().deserialize(kept)
    except ValidationError:
        return None
    return found


def _short(moment: datetime | None) -> str:
    return f"{clock.shanghai(moment):%Y-%m-%d %H:%M}" if moment else "？"
