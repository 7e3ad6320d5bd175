"""Head office's frame as rows of a form: columns, their positions, the positions' items."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from menus.console import item_forms
from menus.console.forms import Form
from menus.slots import SlotKind

#: What editors call the kinds of positions, and what each is for.
KINDS: Final[Mapping[SlotKind, str]] = {
    SlotKind.FIXED: "固定：总行统一配置",
    SlotKind.DELEGATED: "交给分行",
    SlotKind.EMERGENCY: "紧急位：有紧急服务时才显示",
    SlotKind.CAMPAIGN: "活动位：有活动时才显示",
}
#: What stands behind a position's flags.
FLAGS: Final[Mapping[str, str]] = {
    "may_override": "分行可以改写",
    "may_hide": "分行可以隐藏",
    "gives_way": "紧急位或活动位打开时让位",
}
#: A position's title is what editors call it; they rarely give it one.
LEVELS: Final[Mapping[int, str]] = {1: "一级分行", 2: "二级分行"}


def read(form: Form) -> dict[str, Any]:
    """The section ``frame``, as :func:`menus.slots.write_frame` writes one."""
    keys = {
        form.line(f"{_slots(column)}.{row}.key")
        for column in form.rows("columns")
        for row in form.rows(_slots(column))
    }
    return {"columns": [_column(form, row, keys) for row in form.rows("columns")]}


def shown(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns of a frame as the form shows them."""
    return [
        {
            **column,
            "slots": [
                {**slot, "items": [item_forms.shown(item) for item in slot.get("items") or ()]}
                for slot in column.get("slots") or ()
            ],
        }
        for column in content.get("columns") or ()
    ]


def _slots(column: str) -> str:
    return f"columns.{column}.slots"


def _column(form: Form, row: str, keys: set[str]) -> dict[str, Any]:
    prefix = f"columns.{row}"
    flags = {name: True for name in ("zone_title", "flat") if form.ticked(f"{prefix}.{name}")}
    slots = [_slot(form, f"{_slots(row)}.{slot}", keys) for slot in form.rows(_slots(row))]
    return {"title": form.line(f"{prefix}.title"), **flags, "slots": slots}


def _slot(form: Form, prefix: str, keys: set[str]) -> dict[str, Any]:
    told = form.line(f"{prefix}.kind")
    kind = SlotKind(told) if told in set(SlotKind) else SlotKind.FIXED
    key = form.line(f"{prefix}.key") or _new_key(keys)
    keys.add(key)
    slot: dict[str, Any] = {"key": key, "kind": kind.value}
    if title := form.line(f"{prefix}.title"):
        slot["title"] = title
    rows = f"{prefix}.items"
    if items := [item_forms.read(form, f"{rows}.{row}") for row in form.rows(rows)]:
        slot["items"] = items
    most = form.line(f"{prefix}.most")
    if most.isascii() and most.isdigit() and most != "1":
        slot["most"] = int(most[:4])
    if levels := [int(one) for one in form.all(f"{prefix}.levels") if one in ("0", "1", "2")]:
        slot["levels"] = sorted(levels)
    return slot | {name: True for name in FLAGS if form.ticked(f"{prefix}.{name}")}


def _new_key(taken: Collection[str]) -> str:
    number = 1
    while f"place-{number}" in taken:
        number += 1
    return f"place-{number}"
