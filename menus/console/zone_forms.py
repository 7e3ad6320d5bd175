"""What a branch editor typed, tab by tab, as the content of the three sections of a zone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from lightservices.blocks import BlockKind
from lightservices.console import corners
from menus.console import item_forms
from menus.console.forms import Form, field_time, moment, words
from menus.slots import Frame

#: A slot's own choice: what the branch above has, items of one's own, or nothing.
INHERIT, OWN, HIDE = "inherit", "own", "hide"
#: Which fields mean something in which block; the rest is not kept.
_FIELDS: Final[Mapping[BlockKind, tuple[str, ...]]] = {
    BlockKind.BANNER: ("title", "text", "link", "picture", "picture_says"),
    BlockKind.SERVICES: ("title",),
    BlockKind.PROMOTIONS: ("title",),
    BlockKind.OUTLETS: ("title",),
    BlockKind.TEXT: ("title", "text", "picture", "picture_says"),
}


def menu(form: Form, frame: Frame, inherited: Mapping[str, Sequence[Mapping[str, Any]]]) -> Any:
    """The section ``menu``; ``inherited`` is by slot what 改成本行自己的 copies."""
    content: dict[str, Any] = {}
    for slot in form.all("slot"):
        choice, rows = form.line(f"slot.{slot}"), f"items.{slot}"
        if form.object == slot and form.do in (INHERIT, OWN, HIDE):
            choice = form.do
            if choice == OWN:
                copied = inherited.get(slot) or [{"name": "", "target": ""}]
                form.fill(rows, [item_forms.shown(one) for one in copied])
        if choice == HIDE:
            content[slot] = {"hide": True}
        elif choice == OWN:
            items = [item_forms.read(form, f"{rows}.{row}") for row in form.rows(rows)]
            content[slot] = {"fill": items}
    known = {slot.key for slot in frame.slots()}
    return {
        slot: content[slot] for slot in sorted(content, key=lambda key: (key not in known, key))
    }


def page(form: Form, before: Mapping[str, Any], pictures: Mapping[str, str]) -> dict[str, Any]:
    """The section ``zone`` without the switches; ``pictures`` by row what was just uploaded."""
    typed = {
        "title": form.line("title"),
        "slogan": form.line("slogan"),
        "services": form.rows("services"),
        "blocks": [_block(form, row, pictures) for row in form.rows("blocks")],
        "starts_at": moment(form.line("starts_at")),
        "ends_at": moment(form.line("ends_at")),
    }
    return {**before, **typed}


def _block(form: Form, row: str, pictures: Mapping[str, str]) -> dict[str, Any]:
    prefix = f"blocks.{row}"
    kind = form.line(f"{prefix}.kind")
    known = BlockKind(kind) if kind in set(BlockKind) else BlockKind.TEXT
    block = {"kind": known.value}
    for name in _FIELDS[known]:
        block[name] = (
            form.text(f"{prefix}.{name}") if name == "text" else form.line(f"{prefix}.{name}")
        )
    if row in pictures:
        block["picture"] = pictures[row]
    elif form.do == "unpicture" and form.object == row:
        block["picture"] = ""
    kept: dict[str, Any] = {name: value for name, value in block.items() if value}
    if known is BlockKind.SERVICES and (keys := form.rows(f"{prefix}.services")):
        kept["services"] = keys
    return kept


def switches(form: Form, before: Mapping[str, Any]) -> dict[str, Any]:
    """The section ``zone`` with the services that are offered and those that are not."""
    shown, on = words(form.line("shown")), set(form.all("on"))
    kept = [key for key in before.get("switched_off") or () if key not in shown]
    return {**before, "switched_off": sorted({*kept, *(key for key in shown if key not in on)})}


def promotion(form: Form, before: Mapping[str, Any], picture: str | None) -> dict[str, Any]:
    """One promotion of the section ``promotions``."""
    place = form.line("place")
    return {
        "name": before["name"],
        "title": form.line("title"),
        "text": form.text("text").strip(),
        "url": form.line("url"),
        "starts_at": moment(form.line("starts_at")) or "",
        "ends_at": moment(form.line("ends_at")) or "",
        # Nowhere is not everywhere: whoever chose districts and named none is told so.
        "divisions": (form.all("division") or [""]) if place == "divisions" else [],
        "area": {"inside": corners.drawn(form.text("corners"))} if place == "area" else None,
        "audience": list(dict.fromkeys(filter(None, map(str.strip, form.all("audience"))))),
        "topics": words(form.line("topics")),
        "picture": "" if form.do == "unpicture" else picture or form.line("picture"),
        "picture_says": form.line("picture_says"),
        "sort": before.get("sort", 100),
    }


def promotion_fields(one: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a promotion as it is kept."""
    area, chosen = one.get("area"), one.get("divisions") or ()
    return {
        **{name: one.get(name) or "" for name in ("title", "text", "url", "picture")},
        "picture_says": one.get("picture_says") or "",
        "starts_at": field_time(one.get("starts_at")),
        "ends_at": field_time(one.get("ends_at")),
        "place": "area" if area is not None else "divisions" if chosen else "all",
        "divisions": frozenset(chosen),
        "corners": corners.listed(area.get("inside") if isinstance(area, Mapping) else None),
        "audience": list(map(str, one.get("audience") or ())),
        "topics": "、".join(map(str, one.get("topics") or ())),
    }


def ordered(
    form: Form, before: Sequence[Mapping[str, Any]], *, names: Collection[str]
) -> list[dict[str, Any]]:
    """The promotions in the order in which their rows stand, without those taken away."""
    by_name = {str(one.get("name")): one for one in before}
    rows = [name for name in form.rows("promotions") if name in names]
    return [{**by_name[name], "sort": 10 * (place + 1)} for place, name in enumerate(rows)]
