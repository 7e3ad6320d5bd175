"""What is wrong with a frame, a fill or an overlay, by item and rule, before anybody sees it.

What passes here makes menus that WeChat takes at any time, for any branch, whatever is opened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from menus import limits
from menus.compose import Branch, Zone
from menus.items import ANSWER, LOCAL_ZONE, PAGE, ZONE, ZONE_HOME, Item
from menus.limits import MOST_BUTTONS, MOST_COLUMNS, Fault, Links
from menus.slots import OVERLAID, Column, Fill, Frame, Overlay, Slot, SlotKind

_CHOOSE: Final = "从轻服务目录里选择"


class Offer(Protocol):
    """Where a light service is offered."""

    def reaches(self, chain: Iterable[str]) -> bool: ...


@dataclass(frozen=True, slots=True)
class Known:
    """What a button may lead to."""

    links: Links
    services: Mapping[str, Offer]
    #: The keys of all zones, open or not.
    zones: Collection[str]


def item_faults(
    item: Item, *, where: str, known: Known, level: str = "button", chain: Sequence[str] = ()
) -> list[Fault]:
    """What is wrong with one item; ``chain`` is the branch it is for and those above it."""
    button = item.button(known.links.base_url)
    found = limits.button_faults(button, level=level, where=where, links=known.links)
    found += _target_faults(item, where, known, chain)
    if item.starts_at is not None and item.ends_at is not None and item.ends_at <= item.starts_at:
        found.append(Fault(where, "结束时间不在开始时间之后", "改正显示时间"))
    return found


def fill_faults(
    fill: Fill, *, slot: str, frame: Frame, chain: Sequence[Branch], known: Known
) -> list[Fault]:
    """What is wrong with what the first branch of this chain decided for a slot."""
    place, branch = frame.slot(slot), chain[0]
    if place is None or place.kind is not SlotKind.DELEGATED:
        given = [one.name for one in frame.slots() if one.kind is SlotKind.DELEGATED]
        way_out = f"可以填写的位置：{'、'.join(given) or '目前没有'}"
        return [Fault(f"“{place.name if place else slot}”", "总行没有把这个位置交给分行", way_out)]
    where = f"“{place.name}”"
    if branch.level not in place.levels:
        rule = f"这个位置不由{branch.name}这一级分行填写"
        return [Fault(where, rule, "请上级分行填写，或请总行调整菜单框架")]
    if fill.hide:
        return [] if place.may_hide else [Fault(where, "总行不允许隐藏这个位置", "改回沿用上级的")]
    if not place.may_override:
        return [Fault(where, "总行只允许隐藏这个位置，不允许改写", "改为隐藏，或改回沿用上级的")]
    if not fill.items:
        return [Fault(where, "没有填写任何项目", "填写项目，或改回沿用上级的")]
    codes = [one.code for one in chain]
    found = [
        fault
        for number, item in enumerate(fill.items, 1)
        for fault in item_faults(
            item, where=_called(f"{where}第 {number} 项", item), known=known, chain=codes
        )
    ]
    return [*found, *_never_shown(place, fill.items)]


def overlay_faults(overlay: Overlay, *, known: Known) -> list[Fault]:
    """What is wrong with the entry of an emergency or a campaign."""
    where = f"{'紧急' if overlay.kind is SlotKind.EMERGENCY else '活动'}入口“{overlay.title}”"
    button = overlay.item.button(known.links.base_url)
    return limits.button_faults(button, level="button", where=where, links=known.links)


def zone_faults(zone: Zone) -> list[Fault]:
    """Why a column cannot bear a zone's title."""
    return limits.title_faults(zone.title, where=f"专区“{zone.title}”")


def frame_faults(frame: Frame, *, known: Known) -> list[Fault]:
    """Everything for which a frame cannot be published."""
    found: list[Fault] = []
    if not 1 <= len(frame.columns) <= MOST_COLUMNS:
        rule = f"一级菜单须有 1–{MOST_COLUMNS} 个，现在是 {len(frame.columns)} 个"
        found.append(Fault("菜单", rule, "增减一级菜单"))
    found += _slots_faults(frame)
    for number, column in enumerate(frame.columns, 1):
        found += _column_faults(column, f"第 {number} 列“{column.title}”", known)
    if frame.columns and all(_is_for_overlays(column) for column in frame.columns):
        found.append(Fault("菜单", "没有一列平时有内容", "至少放一个固定的项目"))
    return found


def hosts_in(items: Iterable[Item], base_url: str) -> dict[str, Item]:
    """The hosts these items lead to, each with the first item that leads there."""
    found: dict[str, Item] = {}
    for item in items:
        if url := item.button(base_url).url:
            found.setdefault(limits.host(url), item)
    return found


def frame_items(frame: Frame) -> Iterator[Item]:
    """Every item of head office's."""
    return (item for slot in frame.slots() for item in slot.items)


def _slots_faults(frame: Frame) -> Iterator[Fault]:
    keys = [slot.key for slot in frame.slots()]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield Fault("菜单", f"位置编号 {key} 用了 {keys.count(key)} 次", "每个位置用不同的编号")
    kinds = [slot.kind for slot in frame.slots()]
    if kinds.count(SlotKind.EMERGENCY) != 1:
        rule = f"紧急位须有且只有一个，现在有 {kinds.count(SlotKind.EMERGENCY)} 个"
        yield Fault("菜单", rule, "在一列里留一个紧急位，平时不显示")
    if kinds.count(SlotKind.CAMPAIGN) > 1:
        yield Fault("菜单", "活动位最多一个", "删去多余的活动位")


def _column_faults(column: Column, where: str, known: Known) -> Iterator[Fault]:
    yield from limits.title_faults(column.title, where=where)
    if not column.slots:
        yield Fault(where, "没有任何位置", "放一个项目，或删去这一列")
    for number, slot in enumerate(column.slots, 1):
        yield from _slot_faults(slot, f"{where}第 {number} 个位置“{slot.name}”")
        for item in slot.items:
            inner = _called(f"{where}第 {number} 个位置", item)
            yield from item_faults(item, where=inner, known=known)
            if column.flat:
                yield from limits.title_faults(item.name, where=inner)
    yield from _room_faults(column, where)
    if not _is_for_overlays(column) and not any(_never_empty(slot) for slot in column.slots):
        rule = "有的时候会没有任何项目，微信不接受空的一级菜单"
        yield Fault(where, rule, "至少有一个固定的、不限时的项目")


def _slot_faults(slot: Slot, where: str) -> Iterator[Fault]:
    if slot.kind in OVERLAID and (slot.items or slot.levels or slot.gives_way):
        yield Fault(where, "紧急位和活动位不能预先放项目，也不让位", "去掉项目和设置")
    if slot.most > 1 and slot.kind is not SlotKind.DELEGATED:
        yield Fault(where, "只有交给分行的位置可以占几项", "拆成几个位置")
    if slot.kind is SlotKind.FIXED and not slot.items:
        yield Fault(where, "没有项目", "填写项目，或删去这个位置")
    if slot.kind is SlotKind.DELEGATED:
        if not slot.levels:
            yield Fault(where, "没有说明交给哪一级分行", "选择一级分行、二级分行")
        if not (slot.may_override or slot.may_hide):
            yield Fault(where, "既不能改写也不能隐藏，等于固定位置", "改为固定位置，或允许改写")
    elif slot.levels or slot.may_override or slot.may_hide:
        yield Fault(where, "只有交给分行的位置可以改写或隐藏", "改为交给分行的位置，或去掉设置")
    if slot.kind not in OVERLAID:
        yield from _never_shown(slot, slot.items)


def _never_shown(slot: Slot, items: Sequence[Item]) -> Iterator[Fault]:
    """Items behind as many that are always there would never be seen."""
    before = 0
    for number, item in enumerate(items, 1):
        if before >= slot.most:
            where = _called(f"“{slot.name}”第 {number} 项", item)
            rule = f"这个位置同时最多显示 {slot.most} 项，前面的已经占满"
            yield Fault(where, rule, "删去几项，或给前面的项目设置显示时间")
        before += item.always


def _room_faults(column: Column, where: str) -> Iterator[Fault]:
    usual = sum(slot.most for slot in column.slots if slot.kind not in OVERLAID)
    if usual > MOST_BUTTONS:
        rule = f"子菜单最多 {MOST_BUTTONS} 个，这些位置最多会有 {usual} 个"
        yield Fault(where, rule, "删去几个位置，或移到别的列")
        return
    staying = sum(slot.most for slot in column.slots if not slot.gives_way)
    if staying > MOST_BUTTONS:
        rule = f"紧急位或活动位打开时会有 {staying} 个，超过 {MOST_BUTTONS} 个"
        yield Fault(where, rule, f"给 {staying - MOST_BUTTONS} 个位置设置“让位”")


def _is_for_overlays(column: Column) -> bool:
    return all(slot.kind in OVERLAID for slot in column.slots)


def _never_empty(slot: Slot) -> bool:
    """Whether something always stands here, whatever branches decide."""
    can_hide = slot.kind is SlotKind.DELEGATED and slot.may_hide
    return not can_hide and any(item.always for item in slot.items)


def _target_faults(item: Item, where: str, known: Known, chain: Sequence[str]) -> Iterator[Fault]:
    target = item.target.partition("#")[0].partition("?")[0]
    if target.startswith((ANSWER, PAGE)):
        key = target.removeprefix(ANSWER).removeprefix(PAGE)
        offer = known.services.get(key)
        if offer is None:
            yield Fault(where, f"没有轻服务 {key}", _CHOOSE)
        elif chain and not offer.reaches(chain):
            yield Fault(where, f"轻服务 {key} 不在本分行提供", f"{_CHOOSE}本分行提供的服务")
    elif target.startswith(ZONE) and target != LOCAL_ZONE:
        if target.removeprefix(ZONE) not in known.zones:
            yield Fault(where, f"没有专区 {target.removeprefix(ZONE)}", "从已有的专区里选择")
    elif target.startswith("/") and target != LOCAL_ZONE:
        yield Fault(where, f"没有页面 {target}", "填写 /s/… 或 /z/… 的页面，或完整的网址")
    elif target == ZONE_HOME and item.kind != "view":
        yield Fault(where, "专区首页只能用 view（打开页面）", "把动作改为 view")


def _called(where: str, item: Item) -> str:
    return f"{where}“{item.name}”" if item.name else where
