"""What was changed elsewhere: WeChat's menus and tags held against what we last gave it.

Before each call what is about to be sent is written down, so that a call whose answer we never
heard, or a publication that died half-way, is recognised as our own and is not drift.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from menus.buttons import Menu, digest
from menus.live import Live, LiveMenu

#: What an operator can do about it, in the order in which to think of it.
WAY_OUT: Final = (
    "先用 flask menus plan 核对；在公众平台上改回去，或用 flask menus apply --adopt "
    "以本系统为准覆盖（改动会先存档），或用 flask menus import 把手工菜单收进总行菜单"
)


class State(StrEnum):
    """How far a conditional menu of ours is known to be."""

    SENT = "sent"
    THERE = "there"
    GOING = "going"


@dataclass(frozen=True, slots=True)
class Given:
    """A conditional menu we gave WeChat, or tried to; its number is unknown until it answers."""

    tag_id: int
    digest: str
    menu_id: str | None
    state: State


@dataclass(frozen=True, slots=True)
class KnownTag:
    """A tag of ours, the name it is just getting, and whether we are about to delete it."""

    name: str
    next_name: str | None = None
    is_ending: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What WeChat should have, as far as our own calls go."""

    #: The digest of the default menu WeChat last took from us.
    default: str | None = None
    #: Digests of default menus that were sent and whose answer we never heard.
    sent: frozenset[str] = frozenset()
    #: The digest of a menu made by hand that an operator let us replace.
    by_hand: str | None = None
    menus: tuple[Given, ...] = ()
    tags: Mapping[int, KnownTag] | None = None

    def tag(self, tag_id: int) -> KnownTag | None:
        return (self.tags or {}).get(tag_id)


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is not as we left it; ``id`` names exactly this state of it."""

    id: str
    says: str


def settled(known: Known, live: Live, wanted: Collection[str]) -> Known:
    """Our knowledge after a look: what became of calls whose answers we never heard.

    Args:
        wanted: the digests of the menus wanted now. What is there and wanted may be anybody's work:
            nothing of it would be lost.
    """
    if is_blank(known, live):
        return Known(tags={tag: replace(one, is_ending=True) for tag, one in _tags(known)})
    tags = {tag.id: tag.name for tag in live.tags}
    # A menu may outlive its tag, and is ours as long as it is there.
    there = tags.keys() | {one.tag_id for one in live.conditional}
    kept = {
        tag_id: KnownTag(tags.get(tag_id, one.name), None, one.is_ending)
        if tags.get(tag_id) in (one.name, one.next_name)
        else one
        for tag_id, one in _tags(known)
        if tag_id in there or not one.is_ending
    }
    shown = digest(live.default) if live.default is not None else None
    is_ours = shown is not None and (shown in known.sent or shown in wanted)
    return Known(
        shown if is_ours else known.default,
        known.sent - {shown} if shown is not None else known.sent,
        known.by_hand if live.by_hand is not None else None,
        _menus_of(known, live, wanted),
        kept,
    )


def is_unwritten(known: Known) -> bool:
    """Whether nothing was ever noted of menus given to WeChat."""
    return known.default is None and not known.sent and not known.menus


def inherited(known: Known, live: Live) -> Known:
    """Our knowledge where a program that kept no book published before us: tags of ours are noted,
    menus are not, so that the menus that are there are its work and may be replaced."""
    theirs = accepted(known, live)
    return replace(known, default=theirs.default, menus=theirs.menus)


def is_blank(known: Known, live: Live) -> bool:
    """Whether the account holds nothing that anybody could lose: it is new, or was emptied."""
    has_menus = live.default is not None or live.by_hand is not None or live.conditional
    return not has_menus and not any(known.tag(tag.id) for tag in live.tags)


def drift(known: Known, live: Live) -> tuple[Drift, ...]:
    """Everything changed elsewhere since our last call; ``known`` comes from :func:`settled`."""
    return (*_of_default(known, live), *_of_menus(known, live), *_of_tags(known, live))


def accepted(known: Known, live: Live) -> Known:
    """Our knowledge once an operator has said that what is there may be replaced."""
    names = {tag.id: tag.name for tag in live.tags}
    return Known(
        digest(live.default) if live.default is not None else None,
        frozenset(),
        digest(live.by_hand) if live.by_hand is not None else None,
        tuple(
            Given(one.tag_id, digest(one.menu), one.menu_id, State.THERE)
            for one in _ours(known, live)
            if one.tag_id is not None
        ),
        {
            # A tag that is gone stays in the book as one that was to go, until nobody needs it.
            tag_id: KnownTag(names.get(tag_id, one.name), None, tag_id not in names)
            for tag_id, one in _tags(known)
        },
    )


def recognised(known: Known, live: Live, ours: Mapping[int, str]) -> Known:
    """Our knowledge with the tags that we know by their names alone, after a lost record."""
    names = {tag.id: tag.name for tag in live.tags}
    found = {tag_id: KnownTag(names[tag_id]) for tag_id in ours if known.tag(tag_id) is None}
    return replace(known, tags=found | dict(_tags(known)))


def refusal(found: Collection[Drift]) -> str:
    """Why nothing is published now, and what to do."""
    return f"微信上的菜单或标签在别处被改动过：{'；'.join(one.says for one in found)}。{WAY_OUT}"


def _menus_of(known: Known, live: Live, wanted: Collection[str]) -> tuple[Given, ...]:
    left = list(known.menus)
    found: list[Given] = []
    for one in _ours(known, live):
        assert one.tag_id is not None
        here = Given(one.tag_id, digest(one.menu), one.menu_id, State.THERE)
        same = next((given for given in left if given.menu_id == one.menu_id), None)
        same = same or next(
            (
                given
                for given in left
                if given.menu_id is None
                and (given.tag_id, given.digest) == (here.tag_id, here.digest)
            ),
            None,
        )
        if same is not None:
            left.remove(same)
            state = State.GOING if same.state is State.GOING else State.THERE
            found.append(replace(same, menu_id=one.menu_id, state=state))
        elif here.digest in wanted:
            found.append(here)
    # What was to be deleted is gone; what was sent may still arrive late.
    return (*found, *(given for given in left if given.state is not State.GOING))


def _tags(known: Known) -> Iterable[tuple[int, KnownTag]]:
    return (known.tags or {}).items()


def _ours(known: Known, live: Live) -> list[LiveMenu]:
    return [one for one in live.conditional if one.tag_id is not None and known.tag(one.tag_id)]


def _of_default(known: Known, live: Live) -> list[Drift]:
    if live.by_hand is not None:
        mark = digest(live.by_hand)
        says = f"公众平台里有一份手工制作的菜单（{_titles(live.by_hand)}）"
        return [] if mark == known.by_hand else [Drift(f"by hand {mark}", says)]
    shown = digest(live.default) if live.default is not None else None
    if shown == known.default or (shown is not None and shown in known.sent):
        return []
    if live.default is None:
        return [Drift("no default", "默认菜单被删除了")]
    titles = _titles(live.default)
    if known.default is None:
        says = f"账号上已有一份不是本系统发布的默认菜单（{titles}）"
    else:
        says = f"默认菜单被改成了别的内容（{titles}）"
    return [Drift(f"default {shown}", says)]


def _of_menus(known: Known, live: Live) -> list[Drift]:
    names = {tag.id: tag.name for tag in live.tags}
    given = {one.menu_id: one for one in known.menus if one.menu_id is not None}
    found = []
    for one in _ours(known, live):
        assert one.tag_id is not None
        ours, mark = given.pop(one.menu_id, None), digest(one.menu)
        name = names.get(one.tag_id, str(one.tag_id))
        if ours is None:
            which = f"不是本系统发布的个性化菜单 {one.menu_id}（{_titles(one.menu)}）"
            says = f"标签“{name}”下多了一个{which}"
            found.append(Drift(f"added {one.menu_id} {mark}", says))
        elif (ours.tag_id, ours.digest) != (one.tag_id, mark):
            says = f"标签“{name}”的个性化菜单 {one.menu_id} 内容被改成了（{_titles(one.menu)}）"
            found.append(Drift(f"changed {one.menu_id} {mark}", says))
    for menu_id, ours in given.items():
        if ours.state is State.THERE:
            tag = known.tag(ours.tag_id)
            name = names.get(ours.tag_id) or (tag.name if tag else str(ours.tag_id))
            found.append(
                Drift(f"deleted {menu_id}", f"标签“{name}”的个性化菜单 {menu_id} 被删除了")
            )
    return found


def _of_tags(known: Known, live: Live) -> list[Drift]:
    names = {tag.id: tag.name for tag in live.tags}
    found = []
    for tag_id, one in sorted(_tags(known)):
        name = names.get(tag_id)
        if name is None and not one.is_ending:
            found.append(Drift(f"tag {tag_id} gone", f"标签“{one.name}”（{tag_id}）被删除了"))
        elif name is not None and name not in (one.name, one.next_name):
            says = f"标签“{one.name}”（{tag_id}）被改名为“{name}”"
            found.append(Drift(f"tag {tag_id} {name}", says))
    return found


def _titles(menu: Menu) -> str:
    return "、".join(column.name for column in menu)
