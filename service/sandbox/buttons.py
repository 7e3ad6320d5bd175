"""What a menu may look like: three buttons, five under each, and a code for every mistake.

Lengths are counted in bytes of UTF-8, as WeChat counts them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from service.sandbox.calls import Json, Refused

TOP_BUTTONS: Final = 3
SUB_BUTTONS: Final = 5
KEY_BYTES: Final = 128
URL_BYTES: Final = 1024

#: Types that carry a key, which comes back in the event.
KEYED: Final = frozenset(
    {
        "click",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
    }
)
#: Types that name something kept at WeChat, and the field that names it.
_NAMED: Final = {
    "media_id": "media_id",
    "view_limited": "media_id",
    "article_id": "article_id",
    "article_view_limited": "article_id",
}


@dataclass(frozen=True, slots=True)
class _Codes:
    """The codes for one level of the menu, and how long a name may be there."""

    name: int
    name_bytes: int
    type: int
    key: int
    url: int
    domain: int
    media: int


_TOP: Final = _Codes(40018, 16, 40017, 40019, 40020, 40055, 40117)
_SUB: Final = _Codes(40025, 60, 40024, 40026, 40027, 40054, 40118)


def checked(buttons: Any, *, linked: Collection[str]) -> list[Json]:
    """The buttons as WeChat keeps them: known fields only, every one with its ``sub_button``.

    Args:
        buttons: what was sent as ``button``.
        linked: AppIDs of the mini-programs the account may open.

    Raises:
        Refused: with the code of the first mistake, reading from left to right.
    """
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= TOP_BUTTONS:
        raise Refused(40016)
    return [_top(button, linked) for button in buttons]


def hosts(buttons: list[Json]) -> set[str]:
    """The hosts these buttons lead to."""
    found = set()
    for button in buttons:
        if button.get("url"):
            found.add(urlsplit(button["url"]).hostname or "")
        found |= hosts(button["sub_button"])
    return found


def bare(buttons: list[Json]) -> list[Json]:
    """The buttons as ``get_current_selfmenu_info`` nests them: lists under ``list``, or absent."""
    plain = []
    for button in buttons:
        rest = {name: value for name, value in button.items() if name != "sub_button"}
        if button["sub_button"]:
            rest["sub_button"] = {"list": bare(button["sub_button"])}
        plain.append(rest)
    return plain


def _top(button: Any, linked: Collection[str]) -> Json:
    if not isinstance(button, dict):
        raise Refused(41007)
    below = button.get("sub_button")
    if not below:
        return _leaf(button, _TOP, linked)
    if not isinstance(below, list) or len(below) > SUB_BUTTONS:
        raise Refused(40023)
    if button.get("type"):
        raise Refused(40017, "invalid button type, type and sub_button exclude each other")
    return {"name": _name(button, _TOP), "sub_button": [_sub(each, linked) for each in below]}


def _sub(button: Any, linked: Collection[str]) -> Json:
    if not isinstance(button, dict):
        raise Refused(41007)
    if button.get("sub_button"):
        raise Refused(40022)
    return _leaf(button, _SUB, linked)


def _leaf(button: Json, codes: _Codes, linked: Collection[str]) -> Json:
    name, kind = _name(button, codes), button.get("type")
    if not kind:
        raise Refused(65308)
    if not isinstance(kind, str):
        raise Refused(codes.type)
    kept: Json = {"type": kind, "name": name}
    if kind in KEYED:
        kept["key"] = _sized(button.get("key"), KEY_BYTES, codes.key)
    elif kind == "view":
        kept["url"] = _url(button, codes)
    elif kind == "miniprogram":
        kept |= _mini_program(button, codes, linked)
    elif kind in _NAMED:
        kept[_NAMED[kind]] = _sized(button.get(_NAMED[kind]), KEY_BYTES, codes.media)
    else:
        raise Refused(codes.type)
    return {**kept, "sub_button": []}


def _mini_program(button: Json, codes: _Codes, linked: Collection[str]) -> Json:
    if button.get("appid") not in linked:
        raise Refused(45064)
    page = button.get("pagepath")
    if not isinstance(page, str) or not page:
        raise Refused(41030)
    return {"url": _url(button, codes), "appid": button["appid"], "pagepath": page}


def _name(button: Json, codes: _Codes) -> str:
    return _sized(button.get("name"), codes.name_bytes, codes.name)


def _url(button: Json, codes: _Codes) -> str:
    url = _sized(button.get("url"), URL_BYTES, codes.url)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Refused(codes.domain) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused(codes.domain)
    return url


def _sized(value: Any, most: int, code: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= most:
        raise Refused(code)
    return value
