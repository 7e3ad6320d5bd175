"""What WeChat has: its answers about menus and tags with their spellings made one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from menus import keys
from menus.buttons import Menu, read

#: WeChat's limit on the bytes of a tag's name; its pages disagree, so the stricter one is kept.
TAG_NAME_BYTES: Final = 30
_PLAIN_TYPES: Final = ("click", "view")
_OUR_NAME: Final = re.compile(r"菜单 (\S+)(?: |$)")


@dataclass(frozen=True, slots=True)
class LiveTag:
    """A tag of the account, ours or not; ``count`` is how many followers carry it."""

    id: int
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class LiveMenu:
    """A conditional menu; ``tag_id`` is empty where its rule is not a tag alone."""

    menu_id: str
    tag_id: int | None
    menu: Menu


@dataclass(frozen=True, slots=True)
class Live:
    """What WeChat has: conditional menus newest first, which is the order they are matched in."""

    default: Menu | None
    conditional: tuple[LiveMenu, ...]
    tags: tuple[LiveTag, ...]
    #: A menu made by hand in WeChat's console, which hides the default from followers.
    by_hand: Menu | None = None


def tag_name(key: str, title: str, taken: Collection[str] = ()) -> str:
    """How the tag of a variant is called in WeChat's console, and recognised as ours.

    Where somebody else's tag bears that name, or one of ours that is just leaving it, a number
    follows: WeChat has every name once.
    """
    numbered = (_cut(f"菜单 {key} {title}", f" {number}") for number in range(2, 100))
    names = (_cut(f"菜单 {key} {title}"), *numbered)
    return next(name for name in names if name not in taken)


def key_in(name: str) -> str | None:
    """The variant that a tag called like ours was made for."""
    found = _OUR_NAME.match(name)
    return found[1] if found else None


def _cut(name: str, end: str = "") -> str:
    """The name within WeChat's limit, no character broken, with this end."""
    room = TAG_NAME_BYTES - len(end.encode())
    return name.encode()[:room].decode(errors="ignore").rstrip() + end


def read_live(
    menus: Mapping[str, Any],
    tags: Iterable[LiveTag],
    current: Mapping[str, Any] | None = None,
) -> Live:
    """What ``menu/get`` and ``tags/get`` answered, with WeChat's spellings made one.

    A menu's number comes as a number here and as text elsewhere, and the rule's tag comes back as
    ``group_id``.

    Args:
        current: what ``get_current_selfmenu_info`` answered, the only call that shows a menu made
            by hand in WeChat's console.
    """
    default = menus.get("menu")
    return Live(
        read(default.get("button")) if default else None,
        tuple(
            LiveMenu(
                str(one.get("menuid")), _tag_in(one.get("matchrule") or {}), read(one["button"])
            )
            for one in menus.get("conditionalmenu") or ()
        ),
        tuple(tags),
        _by_hand(current or {}, read(default.get("button")) if default else ()),
    )


def _by_hand(current: Mapping[str, Any], default: Menu) -> Menu | None:
    """The menu followers see, if it is another than the one made through the API.

    Only names, keys and links are compared: the two answers spell other fields differently.
    """
    shown = read((current.get("selfmenu_info") or {}).get("button"))
    if not shown or str(current.get("is_menu_open", 1)) == "0":
        return None
    return None if _outline(shown) == _outline(default) else shown


def _outline(menu: Menu) -> list[Any]:
    return [
        (one.name, one.key or one.url if one.type in _PLAIN_TYPES else "", _outline(one.buttons))
        for one in menu
    ]


def _tag_in(rule: Mapping[str, Any]) -> int | None:
    given = {name: value for name, value in rule.items() if value not in ("", None, 0, "0")}
    tags = {str(given.pop(name)) for name in ("tag_id", "group_id") if name in given}
    return int(tags.pop()) if len(tags) == 1 and not given else None


def our_tags(
    tags: Iterable[LiveTag], recorded: Mapping[int, str], codes: Collection[str]
) -> dict[int, str]:
    """The tags that are ours, with their variants' keys; nobody else's is touched.

    Ours are those we recorded and, for when a crash or a restored backup lost the record, those
    that bear our kind of name with the code of one of the bank's branches in it, or of a part of
    its followers, be it of an emergency that is long over.
    """
    ours: dict[int, str] = {}
    for tag in tags:
        named = key_in(tag.name)
        if tag.id in recorded:
            ours[tag.id] = recorded[tag.id]
        elif named and keys.branch_of(named) in codes:
            ours[tag.id] = named
    return ours
