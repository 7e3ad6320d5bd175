"""What a menu is made of, and the one form in which two menus are compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Button:
    """A button, or a column of buttons when ``buttons`` is not empty.

    The fields are those of WeChat's menu API that mean something; what it adds by default, such as
    an empty ``sub_button``, is not part of a menu.
    """

    name: str
    type: str = ""
    key: str = ""
    url: str = ""
    appid: str = ""
    pagepath: str = ""
    media_id: str = ""
    article_id: str = ""
    #: What a button made by hand in WeChat's console answers with; the API cannot make such ones.
    value: str = ""
    buttons: tuple[Button, ...] = ()


Menu = tuple[Button, ...]

_BY_KEY: Final = (
    *("click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album"),
    *("pic_weixin", "location_select"),
)
#: Where each type of button says what it leads to; types that the API cannot make have a value.
TARGET_FIELD: Final[Mapping[str, str]] = {
    **dict.fromkeys(_BY_KEY, "key"),
    "view": "url",
    "miniprogram": "url",
    "media_id": "media_id",
    "view_limited": "media_id",
    "article_id": "article_id",
    "article_view_limited": "article_id",
}

_PLAIN = tuple(field.name for field in fields(Button) if field.name != "buttons")


def read(raw: Iterable[Mapping[str, Any]] | None) -> Menu:
    """A menu as WeChat writes it in any of its answers, without order of keys and defaults."""
    return tuple(_read(button) for button in raw or ())


def write(menu: Menu) -> list[dict[str, Any]]:
    """A menu as WeChat's API takes it."""
    return [_write(button) for button in menu]


def digest(menu: Menu) -> str:
    """The same 64 characters for menus that look and act the same, and for no others."""
    return hashlib.sha256(json.dumps(write(menu), ensure_ascii=False).encode()).hexdigest()


def leaves(menu: Menu) -> Iterator[Button]:
    """Every button that does something, column by column."""
    for button in menu:
        if button.buttons:
            yield from leaves(button.buttons)
        else:
            yield button


def _read(raw: Mapping[str, Any]) -> Button:
    inner = raw.get("sub_button") or ()
    # The answer about the current menu wraps a column's buttons once more than menu/get does.
    listed = inner.get("list") if isinstance(inner, Mapping) else inner
    plain = {name: str(raw.get(name) or "") for name in _PLAIN}
    return Button(**plain, buttons=read(listed))


def _write(button: Button) -> dict[str, Any]:
    plain = {name: value for name in _PLAIN if (value := getattr(button, name))}
    return plain | ({"sub_button": write(button.buttons)} if button.buttons else {})
