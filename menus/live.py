"""What WeChat has: its answers about menus and tags with their spellings made one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from menus.buttons import Menu, read

#: WeChat's limit on the bytes of a tag's name; its pages disagree, so the stricter one is kept.
TAG_NAME_BYTES: Final = 30
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


def tag_name(key: str, title: str) -> str:
    """How the tag of a variant is called in WeChat's console, and recognised as ours."""
    name = f"菜单 {key} {title}"
    return name.encode()[:TAG_NAME_BYTES].decode(errors="ignore").rstrip()


def read_live(menus: Mapping[str, Any], tags: Iterable[LiveTag]) -> Live:
    """What ``menu/get`` and ``tags/get`` answered, with WeChat's spellings made one.

    A menu's number comes as a number here and as text elsewhere, and the rule's tag comes back as
    ``group_id``.
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
    )


def _tag_in(rule: Mapping[str, Any]) -> int | None:
    given = {name: value for name, value in rule.items() if value not in ("", None, 0, "0")}
    tags = {str(given.pop(name)) for name in ("tag_id", "group_id") if name in given}
    return int(tags.pop()) if len(tags) == 1 and not given else None


def our_tags(
    tags: Iterable[LiveTag], recorded: Mapping[int, str], codes: Collection[str]
) -> dict[int, str]:
    """The tags that are ours, with their variants' keys; nobody else's is touched.

    Ours are those we recorded and, for when a crash or a restored backup lost the record, those
    that bear our kind of name with the code of one of the bank's branches in it.
    """
    ours: dict[int, str] = {}
    for tag in tags:
        named = _OUR_NAME.match(tag.name)
        if tag.id in recorded:
            ours[tag.id] = recorded[tag.id]
        elif named and named[1] in codes:
            ours[tag.id] = named[1]
    return ours
