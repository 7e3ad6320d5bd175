"""The menus' share in what is reviewed: a branch's fills in its zone, and head office's frame.

Content is JSON: of a zone's section ``menu``, by slot ``{"fill": [item, …]}`` or
``{"hide": true}``, a slot that is not named being inherited; of the frame, what
:func:`menus.slots.write_frame` writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from marshmallow import ValidationError

from lightservices import catalogue
from menus import fills, frame, limits, publication
from menus.items import ANSWER, LOCAL_ZONE, PAGE, ZONE_HOME, Item
from menus.reasons import of_window
from menus.slots import (
    Column,
    Fill,
    Frame,
    Slot,
    SlotKind,
    read_fill,
    read_frame,
    write_fill,
    write_frame,
)
from service import wording
from service.approvals.kinds import Difference, Fault, Json, Section
from service.audit import Actor
from service.wiring import Unit

_MALFORMED: Final = "参照菜单编辑器写出的内容改正"
_KINDS: Final = {
    SlotKind.FIXED: "固定",
    SlotKind.DELEGATED: "交给分行",
    SlotKind.EMERGENCY: "紧急位",
    SlotKind.CAMPAIGN: "活动位",
}


# A branch's fills


def read_fills(unit: Unit, branch: str, _key: str) -> Json:
    """What this branch decided, by slot."""
    return {slot: write_fill(fill) for slot, fill in sorted(fills.of(unit, branch).items())}


def fills_faults(unit: Unit, branch: str, _key: str, content: Json) -> Sequence[Fault]:
    """Everything for which these decisions cannot go live, by slot."""
    wanted, found = _parsed(content)
    for slot, fill in wanted.items():
        found += _told(slot, fills.faults(unit, branch, {slot: fill}))
    # Hosts that are too many together are none of one slot's.
    return found or _told("", fills.faults(unit, branch, wanted))


def apply_fills(unit: Unit, branch: str, _key: str, content: Json, _by: Actor) -> None:
    """Make these the branch's decisions, in place of all it had."""
    wanted, found = _parsed(content)
    if found:
        raise ValueError("；".join(f"{one.where}：{one.rule}" for one in found))
    present = fills.of(unit, branch)
    for slot in present.keys() - wanted.keys():
        fills.restore(unit, branch, slot)
    for slot, fill in sorted(wanted.items()):
        if present.get(slot) != fill:
            fills.put(unit, branch, slot, fill)
    publication.keep_up(unit)


def fills_differences(unit: Unit, before: Json | None, after: Json) -> Sequence[Difference]:
    """What changes, slot by slot."""
    old, new = _parsed(before or {})[0], _parsed(after)[0]
    present = frame.current(unit)
    names = {slot.key: slot.name for slot in present.slots()}
    return [
        Difference(
            names.get(slot, slot), _fill_text(unit, old.get(slot)), _fill_text(unit, new.get(slot))
        )
        for slot in sorted(old.keys() | new.keys())
        if old.get(slot) != new.get(slot)
    ]


# Head office's frame


def read_live_frame(unit: Unit, _branch: str, _key: str) -> Json:
    """The frame that is live now."""
    return write_frame(frame.current(unit))


def frame_faults(unit: Unit, _branch: str, _key: str, content: Json) -> Sequence[Fault]:
    """Everything for which this frame cannot go live."""
    try:
        wanted = read_frame(content)
    except ValidationError as refused:
        return list(_malformed("", wording.messages(refused)))
    return _told("", frame.faults(unit, wanted))


def apply_frame(unit: Unit, _branch: str, _key: str, content: Json, _by: Actor) -> None:
    """Make this head office's frame."""
    wanted = read_frame(content)
    if wanted != frame.current(unit):
        frame.publish(unit, wanted)
        publication.keep_up(unit)


def frame_differences(unit: Unit, before: Json | None, after: Json) -> Sequence[Difference]:
    """What changes, position by position; nothing where a text is no frame yet."""
    try:
        old = _places(unit, read_frame(before)) if before is not None else {}
        new = _places(unit, read_frame(after))
    except ValidationError:
        return []
    return [
        Difference(where, old.get(where, ""), new.get(where, ""))
        for where in sorted(old.keys() | new.keys())
        if old.get(where) != new.get(where)
    ]


FILLS: Final = Section(
    title="菜单",
    read=read_fills,
    faults=fills_faults,
    apply=apply_fills,
    differences=fills_differences,
)
FRAME: Final = Section(
    title="菜单框架",
    read=read_live_frame,
    faults=frame_faults,
    apply=apply_frame,
    differences=frame_differences,
)


def _parsed(content: Any) -> tuple[dict[str, Fill], list[Fault]]:
    if not isinstance(content, Mapping):
        return {}, [Fault("", wording.MISTYPED, _MALFORMED)]
    found: dict[str, Fill] = {}
    faults: list[Fault] = []
    for slot, raw in content.items():
        try:
            found[str(slot)] = read_fill(raw)
        except ValidationError as refused:
            faults += _malformed(str(slot), wording.messages(refused))
    return found, faults


def _malformed(where: str, messages: Any) -> Iterator[Fault]:
    """What marshmallow found, as paths such as ``local-one/fill/0/name``."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            # What is wrong with a part as a whole has no name of its own.
            inside = where if name == "_schema" else f"{where}/{name}".removeprefix("/")
            yield from _malformed(inside, inner)
        return
    for message in messages:
        yield Fault(where, str(message).rstrip("."), _MALFORMED)


def _told(where: str, found: Sequence[limits.Fault]) -> list[Fault]:
    return [Fault(where, f"{one.where}：{one.rule}", one.way_out) for one in found]


def _places(unit: Unit, shown: Frame) -> dict[str, str]:
    """Every position with what it says, in the order in which people read them."""
    found: dict[str, str] = {}
    for number, column in enumerate(shown.columns, 1):
        found[f"第 {number} 列名称"] = _column_text(column)
        for row, slot in enumerate(column.slots, 1):
            found[f"第 {number} 列第 {row} 个位置"] = _slot_text(unit, slot)
    return found


def _column_text(column: Column) -> str:
    text = f"{column.title}（有专区时用专区名称）" if column.zone_title else column.title
    return f"{text}（只有一项时直接打开）" if column.flat else text


def _slot_text(unit: Unit, slot: Slot) -> str:
    marks = [_KINDS[slot.kind]] if slot.kind is not SlotKind.FIXED else []
    if slot.kind is SlotKind.DELEGATED:
        marks += [f"{level} 级分行" for level in slot.levels]
        marks += [f"最多 {slot.most} 项"] if slot.most > 1 else []
        marks += ["可改写"] if slot.may_override else []
        marks += ["可隐藏"] if slot.may_hide else []
    marks += ["可让位"] if slot.gives_way else []
    text = _items_text(unit, slot.items) or slot.name
    title = f"{slot.title}：" if slot.title and slot.items else ""
    return f"{title}{text}" + (f"【{'，'.join(marks)}】" if marks else "")


def _fill_text(unit: Unit, fill: Fill | None) -> str:
    if fill is None:
        return "沿用上级"
    return "隐藏" if fill.hide else _items_text(unit, fill.items)


def _items_text(unit: Unit, items: Sequence[Item]) -> str:
    return "、".join(f"{item.name}（{_leads_to(unit, item)}{of_window(item)}）" for item in items)


def _leads_to(unit: Unit, item: Item) -> str:
    """What a tap does, in the words of whoever approves it; a foreign address is told whole."""
    if item.target in (ZONE_HOME, LOCAL_ZONE):
        return "打开本地专区"
    for prefix, does in ((ANSWER, "回复"), (PAGE, "打开")):
        found = catalogue.find(unit, item.target.removeprefix(prefix))
        if item.target.startswith(prefix) and found is not None:
            return f"{does}“{found.title}”"
    told = [item.type, item.target, item.appid, item.pagepath]
    return " ".join(filter(None, told))
