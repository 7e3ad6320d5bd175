"""Two people changed the same text: what both did, put together path by path. Pure.

Where only one of them changed something, that change counts; where both did, somebody chooses.
Lists whose items have names of their own (``key``, ``id`` or ``name``) are merged item by item;
other lists are one text, because nobody could say which of two items belong together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Side = Literal["mine", "theirs"]


class _Missing:
    """What is not there, which JSON cannot say."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()

#: What an item of a list may call itself by.
_NAMES: Final = ("key", "id", "name")


@dataclass(frozen=True, slots=True)
class Conflict:
    """One place both changed; :data:`MISSING` on a side that took it away."""

    path: str
    base: Any
    mine: Any
    theirs: Any


@dataclass(frozen=True, slots=True)
class Merged:
    """The content put together, and what is still to be chosen; there it has theirs."""

    content: dict[str, Any]
    conflicts: list[Conflict]


def merge(
    base: Mapping[str, Any],
    *,
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    chosen: Mapping[str, Side] | None = None,
) -> Merged:
    """Put both texts together; ``chosen`` says by path whose word counts where both changed it."""
    work = _Work(chosen or {})
    content = work.both((), dict(base), dict(mine), dict(theirs))
    return Merged(content, work.conflicts)


@dataclass(slots=True)
class _Work:
    chosen: Mapping[str, Side]
    conflicts: list[Conflict] = field(default_factory=list)

    def both(self, path: tuple[str, ...], base: Any, mine: Any, theirs: Any) -> Any:
        if _same(mine, theirs) or _same(theirs, base):
            return mine
        if _same(mine, base):
            return theirs
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            return self._by_name(path, base if isinstance(base, Mapping) else {}, mine, theirs)
        items = [_named(side) for side in (base, mine, theirs)]
        if items[1] is not None and items[2] is not None:
            there = self._by_name(path, items[0] or {}, items[1], items[2])
            order = _order(list(items[0] or {}), mine=list(items[1]), theirs=list(items[2]))
            return [there[name] for name in order if name in there]
        return self._chosen(path, base, mine, theirs)

    def _by_name(
        self,
        path: tuple[str, ...],
        base: Mapping[str, Any],
        mine: Mapping[str, Any],
        theirs: Mapping[str, Any],
    ) -> dict[str, Any]:
        merged = {
            name: self.both(
                (*path, name),
                base.get(name, MISSING),
                mine.get(name, MISSING),
                theirs.get(name, MISSING),
            )
            for name in (*theirs, *(name for name in mine if name not in theirs))
        }
        return {name: value for name, value in merged.items() if value is not MISSING}

    def _chosen(self, path: tuple[str, ...], base: Any, mine: Any, theirs: Any) -> Any:
        name = "/".join(path)
        side = self.chosen.get(name)
        if side is None:
            self.conflicts.append(Conflict(name, base, mine, theirs))
        return mine if side == "mine" else theirs


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON, where 1 and true are different things."""
    if one is MISSING or other is MISSING:
        return one is other
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _named(value: Any) -> dict[str, Any] | None:
    """A list's items by the names they call themselves, None where any has none or shares one."""
    if not isinstance(value, list):
        return None
    for name in _NAMES:
        keys = [item.get(name) if isinstance(item, Mapping) else None for item in value]
        if all(isinstance(key, str | int) and key != "" for key in keys):
            texts = [str(key) for key in keys]
            if len(set(texts)) == len(texts):
                return dict(zip(texts, value, strict=True))
    return None


def _order(base: Sequence[str], *, mine: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """The order of whoever changed it (theirs if both did), the other's additions put in."""
    common = [name for name in base if name in mine]
    moved = [name for name in mine if name in base] != common
    stayed = [name for name in theirs if name in base] == [name for name in base if name in theirs]
    first, second = (mine, theirs) if moved and stayed else (theirs, mine)
    order = list(first)
    for index, name in enumerate(second):
        if name not in order:
            # Whoever stands before it on its own side is in the order by now.
            order.insert(order.index(second[index - 1]) + 1 if index else 0, name)
    return order
