"""One item of a menu as people write it: a name, what it leads to, and when it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from marshmallow import fields, post_load, validate

from menus.buttons import TARGET_FIELD, Button
from service import wording
from service.wording import Part

#: A target that is answered in the chat; what it answers is decided when it is tapped.
ANSWER: Final = "svc:"
#: A target that opens a light page, and one that opens a zone's.
PAGE: Final = "/s/"
ZONE: Final = "/z/"
#: The first page of the follower's zone, whichever it is, and the page that finds it by itself.
ZONE_HOME: Final = "zone:home"
LOCAL_ZONE: Final = "/z/local"

#: PostgreSQL keeps no NUL, UTF-8 has no halves of characters, and names have no line breaks.
_UNSEEN: Final = frozenset(map(chr, (*range(32), 127, *range(0xD800, 0xE000))))
_AWARE: Final = wording.FAULTS | {
    "invalid": "时间写法不对，例如 2026-11-01T00:00:00+08:00",
    "invalid_awareness": "时间须带时区，例如 2026-11-01T00:00:00+08:00",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One button.

    ``target`` is what the button leads to: ``svc:<service>`` for an answer in the chat, a path of
    ours, ``zone:home``, a web address, a mini program's fallback address, or whatever key or number
    a button of this type needs. ``type`` may be left empty where the target tells it.
    """

    name: str
    target: str = ""
    type: str = ""
    appid: str = ""
    pagepath: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def kind(self) -> str:
        """The type of its button."""
        if self.type:
            return self.type
        if self.target.startswith(ANSWER):
            return "click"
        return "view" if self.target else ""

    @property
    def always(self) -> bool:
        """Whether it is there at any time."""
        return self.starts_at is None and self.ends_at is None

    def is_open(self, at: datetime | None) -> bool:
        """Whether it is there at this time, its end being outside; of no time: whether always."""
        if at is None:
            return self.always
        if self.starts_at is not None and at < self.starts_at:
            return False
        return self.ends_at is None or at < self.ends_at

    def button(self, base_url: str, *, home: str = LOCAL_ZONE) -> Button:
        """As WeChat takes it, our own pages being at this address and the zone's at ``home``."""
        field = TARGET_FIELD.get(self.kind, "value")
        target = home if self.target == ZONE_HOME else self.target
        if field == "url" and target.startswith("/"):
            target = base_url + target
        leads: dict[str, Any] = {"appid": self.appid, "pagepath": self.pagepath, field: target}
        return Button(self.name, self.kind, **leads)


def item_of(button: Button) -> Item:
    """A button that is there as an item, so that it becomes the same button again."""
    target = getattr(button, TARGET_FIELD.get(button.type, "value"))
    return Item(button.name, target, button.type, button.appid, button.pagepath)


def text(most: int = 2_000, *, required: bool = False) -> fields.String:
    """A field of text that can be shown and kept: no control signs, no halves of characters."""
    return fields.String(
        required=required,
        error_messages=wording.FAULTS,
        validate=[
            validate.Length(max=most, error=f"最多 {most} 个字"),
            validate.ContainsNoneOf(_UNSEEN, error="有不能显示的符号"),
        ],
    )


class ItemInput(Part):
    """One item as JSON or YAML; whether WeChat would take it is not asked here."""

    name = text(required=True)
    target = text()
    type = text()
    appid = text()
    pagepath = text()
    starts_at = fields.AwareDateTime(
        format="iso", allow_none=True, error_messages=_AWARE, validate=wording.in_our_time
    )
    ends_at = fields.AwareDateTime(
        format="iso", allow_none=True, error_messages=_AWARE, validate=wording.in_our_time
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Item:
        return Item(**data)


def read_item(raw: Mapping[str, Any]) -> Item:
    """An item from JSON.

    Raises:
        marshmallow.ValidationError: where it is not one.
    """
    return cast(Item, ItemInput().load(raw))


def write_item(item: Item) -> dict[str, Any]:
    """An item as JSON, without what is empty."""
    plain = {
        name: value
        for name in ("name", "target", "type", "appid", "pagepath")
        if (value := getattr(item, name)) or name == "name"
    }
    times = {"starts_at": item.starts_at, "ends_at": item.ends_at}
    return plain | {name: at.isoformat() for name, at in times.items() if at is not None}
