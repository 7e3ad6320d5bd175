"""What head office's menu consists of: columns of positions, and who may put what into each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, cast

from marshmallow import fields, post_load, validate

from menus.items import Item, ItemInput, text, write_item
from service import wording
from service.wording import Part


class SlotKind(StrEnum):
    """Who decides what stands in a position."""

    FIXED = "fixed"  #: head office
    DELEGATED = "delegated"  #: the branches of some levels, with head office's items till they do
    EMERGENCY = "emergency"  #: emergency services while there are some; else nothing
    CAMPAIGN = "campaign"  #: the campaign in front while there is one; else nothing


OVERLAID: Final = frozenset({SlotKind.EMERGENCY, SlotKind.CAMPAIGN})


@dataclass(frozen=True, slots=True)
class Slot:
    """One position, or several that follow one another.

    Of its items the first ``most`` that are open are shown, so that an item with a window stands in
    front of those that are always there and leaves the place to them when it ends.
    """

    key: str
    kind: SlotKind = SlotKind.FIXED
    #: What editors call it.
    title: str = ""
    #: Head office's items; of a delegated slot those shown until a branch decides otherwise.
    items: tuple[Item, ...] = ()
    most: int = 1
    #: The levels of the branches that may decide: 0 is head office, 1 a branch under it.
    levels: tuple[int, ...] = ()
    may_override: bool = False
    may_hide: bool = False
    #: Leaves first when an overlay needs the room.
    gives_way: bool = False

    @property
    def name(self) -> str:
        """How people speak of it."""
        return self.title or (self.items[0].name if self.items else self.key)


@dataclass(frozen=True, slots=True)
class Column:
    """One of the three columns.

    Where ``zone_title`` is set it bears the title of the follower's zone, and its own where there
    is none. A ``flat`` column with a single item is itself that button, without a menu to open.
    """

    title: str
    slots: tuple[Slot, ...]
    zone_title: bool = False
    flat: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """Head office's menu with its slots."""

    columns: tuple[Column, ...]

    def slots(self) -> Iterator[Slot]:
        return (slot for column in self.columns for slot in column.slots)

    def slot(self, key: str) -> Slot | None:
        return next((slot for slot in self.slots() if slot.key == key), None)


@dataclass(frozen=True, slots=True)
class Fill:
    """What a branch puts into a delegated slot: items of its own, or nothing at all."""

    items: tuple[Item, ...] = ()
    hide: bool = False

    def holds(self, at: datetime | None) -> bool:
        """Whether it decides at this time; one whose items have all ended does not."""
        return self.hide or any(item.is_open(at) for item in self.items)


#: By branch, then by slot.
Fills = Mapping[str, Mapping[str, Fill]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """An entry that stands in the emergency or campaign position of some branches for a while."""

    kind: SlotKind
    key: str
    #: The button's name, and where it leads, as an item's target.
    title: str
    target: str
    #: The audiences that see it, exactly these: branches, or parts of their followers as
    #: :mod:`menus.keys` calls them; nothing stands for everybody.
    branches: frozenset[str] | None = None
    #: Of several the highest is in front.
    rank: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def item(self) -> Item:
        return Item(self.title, self.target, "", "", "", self.starts_at, self.ends_at)

    def reaches(self, branch: str | None, part: str | None = None) -> bool:
        """Whether followers of this branch see it, or this part of them, who see all that their
        branch sees; those of no branch see what everybody does."""
        return self.branches is None or branch in self.branches or part in self.branches


def _flag() -> fields.Boolean:
    return fields.Boolean(error_messages=wording.FAULTS)


class SlotInput(Part):
    """One slot as JSON or YAML."""

    key = fields.String(
        required=True,
        error_messages=wording.FAULTS,
        validate=validate.Regexp(r"^[a-z][a-z0-9-]{0,39}$", error="只能用小写字母、数字和连字符"),
    )
    kind = fields.Enum(SlotKind, by_value=True, error_messages=wording.CHOICE_FAULTS)
    title = text(12)
    items = fields.List(fields.Nested(ItemInput), error_messages=wording.FAULTS)
    most = fields.Integer(
        strict=True,
        error_messages=wording.NUMBER_FAULTS,
        validate=validate.Range(min=1, max=5, error="应为 1 至 5"),
    )
    levels = fields.List(
        fields.Integer(
            strict=True,
            error_messages=wording.NUMBER_FAULTS,
            validate=validate.Range(min=0, max=9, error="应为 0 至 9"),
        ),
        error_messages=wording.FAULTS,
    )
    may_override = _flag()
    may_hide = _flag()
    gives_way = _flag()

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Slot:
        items, levels = tuple(data.pop("items", ())), tuple(sorted(set(data.pop("levels", ()))))
        return Slot(**data, items=items, levels=levels)


class ColumnInput(Part):
    """One column as JSON or YAML."""

    title = text(required=True)
    slots = fields.List(fields.Nested(SlotInput), required=True, error_messages=wording.FAULTS)
    zone_title = _flag()
    flat = _flag()

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Column:
        return Column(**(data | {"slots": tuple(data["slots"])}))


class FrameInput(Part):
    """The frame as JSON or YAML; whether it makes sense is not asked here."""

    columns = fields.List(fields.Nested(ColumnInput), required=True, error_messages=wording.FAULTS)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Frame:
        return Frame(tuple(data["columns"]))


class FillInput(Part):
    """What a branch decides for one slot, as JSON: ``fill`` items, or ``hide``."""

    fill = fields.List(fields.Nested(ItemInput), error_messages=wording.FAULTS)
    hide = _flag()

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Fill:
        return Fill(tuple(data.get("fill", ())), data.get("hide", False))


def read_frame(raw: Any) -> Frame:
    """A frame from JSON.

    Raises:
        marshmallow.ValidationError: where it is not one.
    """
    return cast(Frame, FrameInput().load(raw))


def write_frame(frame: Frame) -> dict[str, Any]:
    """A frame as JSON, without what is as it is by default."""
    return {"columns": [_write_column(column) for column in frame.columns]}


def read_fill(raw: Any) -> Fill:
    """A fill from JSON.

    Raises:
        marshmallow.ValidationError: where it is not one.
    """
    return cast(Fill, FillInput().load(raw))


def write_fill(fill: Fill) -> dict[str, Any]:
    return {"hide": True} if fill.hide else {"fill": [write_item(item) for item in fill.items]}


def _write_column(column: Column) -> dict[str, Any]:
    flags = {name: True for name in ("zone_title", "flat") if getattr(column, name)}
    return {"title": column.title, **flags, "slots": [_write_slot(one) for one in column.slots]}


def _write_slot(slot: Slot) -> dict[str, Any]:
    flags = ("may_override", "may_hide", "gives_way")
    plain: dict[str, Any] = {"key": slot.key, "kind": slot.kind.value}
    plain |= {"title": slot.title} if slot.title else {}
    plain |= {"items": [write_item(item) for item in slot.items]} if slot.items else {}
    plain |= {"most": slot.most} if slot.most != 1 else {}
    plain |= {"levels": list(slot.levels)} if slot.levels else {}
    return plain | {name: True for name in flags if getattr(slot, name)}
