"""How one menu is put together: the frame's slots, what fills them, and who gives way to whom.

What a branch's menu depends on is worked out down the branch tree, each from the one above it, and
a column that is the same for many is built once: thousands of branches take milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

import yaml

from menus.buttons import Button, Menu
from menus.items import LOCAL_ZONE, ZONE_HOME, Item
from menus.limits import MOST_BUTTONS
from menus.slots import OVERLAID, Column, Fill, Fills, Frame, Overlay, Slot, SlotKind, read_frame

PACK: Final = Path(__file__).resolve().parent / "packs" / "frame.yaml"

#: The numbers of a menu's columns among all that were built; the same numbers, the same menu.
Signature = tuple[int, ...]


@cache
def default() -> Frame:
    """The frame the program ships with."""
    return read_frame(yaml.safe_load(PACK.read_text(encoding="utf-8")))


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
class State:
    """What a branch has from those above it and of its own."""

    #: The branch whose zone it is in.
    zone: str | None
    #: By delegated slot, the branch that decided what stands there; the rest is head office's.
    decided: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Placed:
    """What stands in one position, and who put it there."""

    slot: Slot
    item: Item
    #: The branch whose fill it is; empty where it is head office's, or an overlay.
    owner: str | None = None
    overlay: Overlay | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """A column as it is shown."""

    column: Column
    #: The branch whose zone gives it its title.
    titled_by: str | None
    button: Button
    placed: tuple[Placed, ...]
    #: What had to leave for want of room.
    given_way: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class _Needs:
    """What a column depends on: the zone, decisions for these slots, overlays of these kinds."""

    zone: bool
    delegated: tuple[str, ...]
    kinds: frozenset[SlotKind]


class Composer:
    """Everything that menus are made from at one time."""

    def __init__(
        self,
        frame: Frame,
        zones: Mapping[str, Zone],
        fills: Fills,
        overlays: Iterable[Overlay],
        *,
        base_url: str,
        at: datetime | None,
    ) -> None:
        self.frame, self.zones, self.at = frame, zones, at
        self._base_url = base_url
        self._delegated = {
            slot.key: slot for slot in frame.slots() if slot.kind is SlotKind.DELEGATED
        }
        self.fills = {code: kept for code, own in fills.items() if (kept := dict(self._in(own)))}
        in_front = sorted(overlays, key=lambda one: (-one.rank, one.key))
        # Whoever asks of no time gives only those in force.
        self._overlays = [one for one in in_front if at is None or one.item.is_open(at)]
        self.start = State(None, {})
        self._needs = [_needs(column) for column in frame.columns]
        #: The decisions that lead to the zone's first page, which is another in every zone.
        self._homes = {
            (code, key)
            for code, own in self.fills.items()
            for key, fill in own.items()
            if _leads_home(fill.items)
        }
        self._numbers: dict[tuple[object, ...], int] = {}
        self._built: list[Built] = []
        self._same: dict[Button, int] = {}

    def _in(self, own: Mapping[str, Fill]) -> Iterator[tuple[str, Fill]]:
        for key, fill in own.items():
            slot = self._delegated.get(key)
            allowed = slot is not None and (slot.may_hide if fill.hide else slot.may_override)
            if allowed and fill.holds(self.at):
                yield key, fill

    def below(self, above: State, branch: Branch) -> State:
        """What a branch has, from what the branch above it has."""
        zone = branch.code if branch.code in self.zones else above.zone
        own = self.fills.get(branch.code, {})
        decided = {key: branch.code for key in own if branch.level in self._delegated[key].levels}
        if not decided:
            return above if zone == above.zone else replace(above, zone=zone)
        return State(zone, {**above.decided, **decided})

    def reaching(self, code: str | None, part: str | None = None) -> list[Overlay]:
        """The overlays that followers of this branch see, or this part of them; in front first."""
        return [one for one in self._overlays if one.reaches(code, part)]

    def signature(self, state: State, code: str | None, part: str | None = None) -> Signature:
        """The menu of a branch in this state, or of a part of its followers, as the numbers of its
        columns."""
        return self._signature(state, self.reaching(code, part))

    def shelter(self, emergencies: Collection[str]) -> Signature:
        """Head office's own menu with the entries to these emergencies, and nothing else laid over
        it that does not reach everybody."""
        found = [one for one in self._overlays if one.branches is None or _is_of(one, emergencies)]
        return self._signature(self.start, found)

    def _signature(self, state: State, overlays: list[Overlay]) -> Signature:
        columns = enumerate(self.frame.columns)
        numbers = (self._number(place, column, state, overlays) for place, column in columns)
        return tuple(number for number in numbers if number is not None)

    def columns(self, state: State, code: str | None, part: str | None = None) -> list[Built]:
        """The columns of a branch in this state, or of a part of its followers."""
        overlays = self.reaching(code, part)
        built = (self._build(column, state, overlays) for column in self.frame.columns)
        return [one for one in built if one is not None]

    def menu(self, signature: Signature) -> Menu:
        return tuple(self._built[number].button for number in signature)

    def title(self, signature: Signature) -> str:
        return title_of([self._built[number] for number in signature])

    def emergencies_in(self, signature: Signature) -> frozenset[str]:
        """The emergencies a menu leads to."""
        return frozenset(
            one.overlay.key
            for number in signature
            for one in self._built[number].placed
            if one.overlay is not None and one.overlay.kind is SlotKind.EMERGENCY
        )

    def decision(self, state: State, slot: Slot) -> Fill | None:
        """The fill that decides what stands in a slot, if a branch has decided."""
        owner = state.decided.get(slot.key)
        return self.fills[owner][slot.key] if owner is not None else None

    def _number(
        self, place: int, column: Column, state: State, overlays: list[Overlay]
    ) -> int | None:
        """The number of a column that is the same wherever what it depends on is the same."""
        needs = self._needs[place]
        decided = tuple((state.decided.get(key), key) for key in needs.delegated)
        is_zones = needs.zone or not self._homes.isdisjoint(decided)
        laid = tuple((one.kind, one.key) for one in overlays if one.kind in needs.kinds)
        key = (place, state.zone if is_zones else None, decided, laid)
        if key not in self._numbers:
            built = self._build(column, state, overlays)
            self._numbers[key] = self._enlisted(built) if built is not None else -1
        number = self._numbers[key]
        return number if number >= 0 else None

    def _enlisted(self, built: Built) -> int:
        number = self._same.setdefault(built.button, len(self._built))
        if number == len(self._built):
            self._built.append(built)
        return number

    def _build(self, column: Column, state: State, overlays: list[Overlay]) -> Built | None:
        standing = [
            placed for slot in column.slots for placed in self._standing(slot, state, overlays)
        ]
        staying = _fit(standing)
        if not staying:
            return None
        zone = self.zones[state.zone] if state.zone is not None else None
        titled_by = state.zone if column.zone_title else None
        title = zone.title if zone is not None and column.zone_title else column.title
        home = f"{LOCAL_ZONE.rpartition('/')[0]}/{zone.key}" if zone is not None else LOCAL_ZONE
        buttons = tuple(one.item.button(self._base_url, home=home) for one in staying)
        shown = Button(title, buttons=buttons)
        if column.flat and len(buttons) == 1:
            shown = replace(buttons[0], name=title)
        left = tuple(one for one in standing if one not in staying)
        return Built(column, titled_by, shown, tuple(staying), left)

    def _standing(self, slot: Slot, state: State, overlays: list[Overlay]) -> Iterator[Placed]:
        if slot.kind in OVERLAID:
            found = (one for one in overlays if one.kind is slot.kind)
            # There is one campaign in front; but no emergency may go without its entry.
            most = MOST_BUTTONS if slot.kind is SlotKind.EMERGENCY else slot.most
            for overlay in islice(found, most):
                yield Placed(slot, overlay.item, overlay=overlay)
            return
        fill = self.decision(state, slot)
        items = slot.items if fill is None else fill.items
        owner = state.decided.get(slot.key)
        for item in islice((item for item in items if item.is_open(self.at)), slot.most):
            yield Placed(slot, item, owner)


def _is_of(overlay: Overlay, emergencies: Collection[str]) -> bool:
    return overlay.kind is SlotKind.EMERGENCY and overlay.key in emergencies


def title_of(columns: list[Built]) -> str:
    """What a menu is called: the title of the zone's column, else of the last."""
    zones = [one for one in columns if one.column.zone_title]
    return (zones or columns)[-1].button.name if columns else ""


def _needs(column: Column) -> _Needs:
    return _Needs(
        column.zone_title or any(_leads_home(slot.items) for slot in column.slots),
        tuple(slot.key for slot in column.slots if slot.kind is SlotKind.DELEGATED),
        frozenset(slot.kind for slot in column.slots) & OVERLAID,
    )


def _leads_home(items: Iterable[Item]) -> bool:
    return any(item.target == ZONE_HOME for item in items)


def _fit(standing: list[Placed]) -> list[Placed]:
    """As many as a column holds: what gives way leaves first, then campaigns, then the last."""
    staying = list(standing)
    while len(staying) > MOST_BUTTONS:
        staying.remove(max(staying, key=lambda one: (_readiness(one), staying.index(one))))
    return staying


def _readiness(one: Placed) -> int:
    """How soon something leaves when there is no room."""
    if one.slot.kind is SlotKind.EMERGENCY:
        return 0
    if one.slot.gives_way:
        return 3
    return 2 if one.slot.kind is SlotKind.CAMPAIGN else 1
