"""What followers would see of an edition that is not live yet: its menu, and why each button."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from marshmallow import ValidationError

from lightservices import zone_section
from lightservices.zones import Zone, ZoneKind
from menus import limits
from menus.compose import Placed
from menus.limits import Measure
from menus.resolve import Effective
from menus.slots import Fill, Frame, SlotKind, read_fill, read_frame
from menus.wish import Ingredients, effective_menu, ingredients
from regions import branches
from service.wiring import Unit


@dataclass(frozen=True, slots=True)
class Button:
    """One button of a phone's menu as an editor sees it."""

    name: str
    #: What of the name a phone shows.
    shown: str
    why: str
    slot: str
    #: ``head`` head office's, ``own`` this branch's, ``above`` inherited, ``overlay`` for a while.
    whose: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a phone's menu."""

    name: str
    shown: str
    why: str
    buttons: Sequence[Button]


@dataclass(frozen=True, slots=True)
class Phone:
    """The menu of a phone, and what is missing in it."""

    columns: Sequence[Column]
    notes: Sequence[str]


def fills_in(content: Any) -> dict[str, Fill]:
    """The decisions in a section ``menu`` that can be read; an editor is still typing the rest."""
    found: dict[str, Fill] = {}
    for slot, raw in content.items() if isinstance(content, Mapping) else ():
        try:
            found[str(slot)] = read_fill(raw)
        except ValidationError:
            continue
    return found


def zone_in(unit: Unit, branch: str, content: Any) -> Zone | None:
    """The zone in a section ``zone``, nothing where it cannot be read yet."""
    try:
        key = zone_section.key_of(unit, branch)
        return zone_section.zone_of(branch, key, content, kind=ZoneKind.LOCAL)
    except ValidationError:
        return None


def with_edition(
    unit: Unit, branch: str, content: Mapping[str, Any], *, at: datetime | None = None
) -> Ingredients:
    """What menus would be made of if this edition of a branch's zone were live.

    Raises:
        WillNever: when head office's own menu cannot be published.
    """
    made_of = ingredients(unit, at=at)
    own = {slot: fill for slot, fill in fills_in(content.get("menu")).items() if _is_usable(fill)}
    zone = zone_in(unit, branch, content.get("zone"))
    zones = {code: one for code, one in made_of.zones.items() if zone is None or code != branch}
    if zone is not None and zone.is_open(made_of.at):
        zones[branch] = zone
    return replace(made_of, fills={**made_of.fills, branch: own}, zones=zones)


def with_frame(unit: Unit, content: Any, *, at: datetime | None = None) -> Ingredients:
    """What menus would be made of in this frame, which may still be unfinished."""
    made_of = ingredients(unit, at=at)
    try:
        return replace(made_of, frame=read_frame(content))
    except ValidationError:
        return made_of


def phone(unit: Unit, branch: str, made_of: Ingredients) -> Phone:
    """The menu of a branch's followers, made of these."""
    found = effective_menu(unit, branch, made_of)
    return Phone(tuple(_columns(found, branch)), found.notes)


def inherited(
    unit: Unit, branch: str, frame: Frame, fills: Mapping[str, Mapping[str, Fill]]
) -> dict[str, tuple[str, Fill | None]]:
    """By slot who decided for this branch among those above it, and what; "" is head office."""
    above = branches.directory(unit).chain(branch)[1:]
    found: dict[str, tuple[str, Fill | None]] = {}
    for slot in frame.slots():
        if slot.kind is not SlotKind.DELEGATED:
            continue
        decided = (
            (one.name, fills[one.code][slot.key])
            for one in above
            if one.level in slot.levels and slot.key in fills.get(one.code, {})
        )
        found[slot.key] = next(decided, ("", None))
    return found


def measured(name: str, level: str = "button") -> Measure:
    """How long a name is, for the counter beside its field."""
    return limits.measure(name, level=level)


def _is_usable(fill: Fill) -> bool:
    return fill.hide or any(item.name for item in fill.items)


def _columns(found: Effective, branch: str) -> Iterator[Column]:
    for number, column in enumerate(found.menu):
        placed = zip(found.placed[number], found.why[number], strict=True)
        yield Column(
            column.name,
            measured(column.name, "column").shown,
            found.title_why[number],
            [_button(one, why, branch) for one, why in placed],
        )


def _button(placed: Placed, why: str, branch: str) -> Button:
    name = placed.item.name
    if placed.overlay is not None:
        whose = "overlay"
    elif placed.owner == branch:
        whose = "own"
    else:
        whose = "above" if placed.slot.kind is SlotKind.DELEGATED else "head"
    return Button(name, measured(name).shown, why, placed.slot.key, whose)
