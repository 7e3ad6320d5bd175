"""Which menu each branch's followers should see, and why: the frame, filled from the nearest zone.

Branches whose menus are the same share one variant, because WeChat counts menus, not branches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from menus import frame
from menus.buttons import Menu


class Branch(Protocol):
    """As much of a branch as a menu depends on."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def level(self) -> int: ...
    @property
    def parent(self) -> str | None: ...


class Zone(Protocol):
    """As much of a branch's own zone as a menu depends on."""

    @property
    def key(self) -> str: ...
    @property
    def title(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Effective:
    """One branch's menu, and for each button of each column the sentence that says why."""

    branch: str
    title: str
    menu: Menu
    why: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """One distinct menu besides the default, named after the branch highest up that has it."""

    key: str
    title: str
    menu: Menu
    #: The variant of the nearest branch above with another menu; ``None`` is the default menu.
    parent: str | None
    #: The branches whose followers should see it.
    branches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Every branch's menu; branches that no variant names see the default."""

    default: Menu
    variants: tuple[Variant, ...]
    #: All branches there are.
    codes: frozenset[str]


def effective(chain: Sequence[Branch], zones: Mapping[str, Zone], *, base_url: str) -> Effective:
    """The menu of the first branch of this chain, which leads up to head office."""
    branch, owner = chain[0], _owner(chain, zones)
    zone = zones[owner.code] if owner else None
    menu = _menu(zone, base_url)
    if owner is None or zone is None:
        local = "所在分行没有专区，用总行默认"
    elif owner.code == branch.code:
        local = f"{owner.name}的专区“{zone.title}”"
    else:
        local = f"{branch.name}没有自己的专区，沿用{owner.name}的专区“{zone.title}”"
    return Effective(branch.code, menu[-1].name, menu, _why(menu, local))


def resolve(branches: Iterable[Branch], zones: Mapping[str, Zone], *, base_url: str) -> Resolved:
    """Every branch's effective menu, grouped into variants, those of higher branches first."""
    known = {branch.code: branch for branch in branches}
    chains = {code: _chain(branch, known) for code, branch in known.items()}
    default = _menu(None, base_url)
    menu_of = {code: _menu(zone, base_url) for code, zone in zones.items()}
    #: The default has the empty key, which no branch bears.
    key_of_menu: dict[Menu, str] = {default: ""}
    key_of: dict[str, str] = {}
    members: dict[str, list[str]] = {}
    for branch in sorted(known.values(), key=lambda branch: (branch.level, branch.code)):
        owner = _owner(chains[branch.code], zones)
        menu = menu_of[owner.code] if owner else default
        key = key_of[branch.code] = key_of_menu.setdefault(menu, branch.code)
        members.setdefault(key, []).append(branch.code)
    variants = (
        Variant(key, menu[-1].name, menu, _parent(chains[key], key_of), tuple(members[key]))
        for menu, key in key_of_menu.items()
        if key
    )
    return Resolved(default, tuple(variants), frozenset(known))


def _owner(chain: Sequence[Branch], zones: Mapping[str, Zone]) -> Branch | None:
    """The nearest branch up the chain that keeps a zone."""
    return next((above for above in chain if above.code in zones), None)


def _menu(zone: Zone | None, base_url: str) -> Menu:
    if zone is None:
        return frame.menu(base_url)
    return frame.menu(base_url, title=zone.title, home=f"/z/{zone.key}")


def _chain(branch: Branch, known: Mapping[str, Branch]) -> list[Branch]:
    chain = [branch]
    while (above := chain[-1].parent) is not None:
        chain.append(known[above])
    return chain


def _parent(chain: Sequence[Branch], key_of: Mapping[str, str]) -> str | None:
    own = key_of[chain[0].code]
    other = next((key_of[branch.code] for branch in chain if key_of[branch.code] != own), "")
    return other or None


def _why(menu: Menu, local: str) -> tuple[tuple[str, ...], ...]:
    """Every column but the last is head office's for everybody."""
    *fixed, last = menu
    return (
        *(("总行统一配置",) * len(column.buttons) for column in fixed),
        (local,) * len(last.buttons),
    )
