"""Who will see another menu than now: which audience, how many followers, what is different."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from menus import keys
from menus.buttons import Button, Menu
from menus.capacity import Census
from menus.live import Live
from menus.plan import Plan
from menus.resolve import Resolved


@dataclass(frozen=True, slots=True)
class Change:
    """Audiences that see the same change; without one it is everybody else."""

    branches: tuple[str, ...]
    followers: int
    #: The variant that will serve them, empty for the default menu.
    key: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    differences: tuple[str, ...]
    #: Whether followers whose place nobody knows see it too.
    is_default: bool = False


def changes(
    wanted: Resolved, live: Live, plan: Plan, *, reach: Mapping[str, int], census: Census
) -> list[Change]:
    """Every change that somebody will see, those of most followers first.

    Args:
        reach: by audience the tag its followers are to carry now.
    """
    shown: dict[int | None, Menu] = {}
    for one in live.conditional:
        shown.setdefault(one.tag_id, one.menu)
    present = live.by_hand or live.default or ()
    menu_of = {one.key: one.menu for one in wanted.every} | {"": wanted.default}
    groups: dict[tuple[Menu, str], list[str]] = {(present, ""): []}
    for code in sorted(wanted.codes):
        tag = keys.served(reach, code)
        before = shown.get(tag, present) if tag is not None else present
        groups.setdefault((before, plan.reach.get(code, "")), []).append(code)
    found = [
        Change(
            tuple(codes),
            sum(census.followers.get(code, 0) for code in codes),
            key,
            _titles(before),
            _titles(menu_of[key]),
            tuple(differences(before, menu_of[key])),
            is_default=not key and before == present,
        )
        for (before, key), codes in groups.items()
        if before != menu_of[key]
    ]
    return sorted(found, key=lambda one: (-one.followers, one.branches))


def differences(before: Menu, after: Menu) -> Iterator[str]:
    """What differs between two menus, column by column, in an editor's words."""
    for number in range(max(len(before), len(after))):
        old = before[number] if number < len(before) else None
        new = after[number] if number < len(after) else None
        if old == new:
            continue
        if new is None or old is None:
            column = old or new
            assert column is not None
            yield f"第 {number + 1} 列：{'新增' if old is None else '去掉'}“{column.name}”"
            continue
        if old.name != new.name:
            yield f"第 {number + 1} 列：“{old.name}”改名为“{new.name}”"
        yield from _within(f"第 {number + 1} 列", old, new)


def _within(where: str, old: Button, new: Button) -> Iterator[str]:
    was = {one.name: one for one in old.buttons}
    now = {one.name: one for one in new.buttons}
    for name in [name for name in was if name not in now]:
        yield f"{where}：去掉“{name}”"
    for name in [name for name in now if name not in was]:
        yield f"{where}：新增“{name}”"
    both = [name for name in now if name in was]
    for name in both:
        if was[name] != now[name]:
            yield f"{where}：“{name}”由 {_target(was[name])} 改为 {_target(now[name])}"
    if both != [name for name in was if name in now]:
        yield f"{where}：顺序改为{'、'.join(now)}"
    if (old.buttons == new.buttons == ()) and _target(old) != _target(new):
        yield f"{where}：“{new.name}”由 {_target(old)} 改为 {_target(new)}"


def _target(button: Button) -> str:
    return (
        button.key or button.pagepath or button.url or button.article_id or button.type or "子菜单"
    )


def _titles(menu: Menu) -> tuple[str, ...]:
    return tuple(column.name for column in menu)
