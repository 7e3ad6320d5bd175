"""Frames, fills and overlays of every kind, drawn at random, for the menus' tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from menus import checks
from menus.checks import Known
from menus.items import Item
from menus.limits import Links
from menus.slots import OVERLAID, Column, Fill, Frame, Overlay, Slot, SlotKind
from tests.menus.test_plan import BASE, CODES, TREE, Branch

NOON = datetime(2026, 11, 11, 4, tzinfo=UTC)
BY_CODE = {branch.code: branch for branch in TREE}


def chain(code: str) -> list[Branch]:
    """The branch and those above it."""
    found = [BY_CODE[code]]
    while (above := found[-1].parent) is not None:
        found.append(BY_CODE[above])
    return found


@dataclass(frozen=True)
class Everywhere:
    def reaches(self, chain: Iterable[str]) -> bool:
        return True


@dataclass(frozen=True)
class Only:
    """A service of some branches."""

    branches: frozenset[str]

    def reaches(self, chain: Iterable[str]) -> bool:
        return not self.branches.isdisjoint(chain)


KNOWN = Known(
    Links(BASE, mini_programs=frozenset({"wx1"})),
    {"a": Everywhere(), "b": Everywhere(), "shanghai": Only(frozenset({"B0"}))},
    frozenset({"fair"}),
)

moments = st.integers(-48, 48).map(lambda hours: NOON + timedelta(hours=hours))
targets = st.sampled_from(["svc:a", "/s/a", "/s/b", "/z/fair", "zone:home", "https://x.example/y"])
always = st.builds(Item, name=st.sampled_from(["甲", "乙", "丙", "丁", "戊"]), target=targets)


@st.composite
def items(draw: st.DrawFn) -> Item:
    """An item that is always there, or from, till or between some times."""
    start, end = draw(st.none() | moments), draw(st.none() | moments)
    if start is not None and end is not None and end <= start:
        start, end = None, start
    return replace(draw(always), starts_at=start, ends_at=end)


@st.composite
def slots(draw: st.DrawFn, key: str) -> Slot:
    """A position of head office's, or one left to the branches."""
    windowed = draw(st.lists(items(), max_size=2))
    standing = (*(one for one in windowed if not one.always), draw(always))
    gives_way = draw(st.booleans())
    if draw(st.booleans()):
        return Slot(key, items=standing, gives_way=gives_way)
    return Slot(
        key,
        SlotKind.DELEGATED,
        items=standing[-draw(st.integers(0, 3)) :] if draw(st.booleans()) else (),
        most=draw(st.integers(1, 2)),
        levels=tuple(sorted(draw(st.sets(st.integers(0, 2), min_size=1)))),
        may_override=(overrides := draw(st.booleans())),
        may_hide=not overrides or draw(st.booleans()),
        gives_way=gives_way,
    )


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """A frame that may be published."""
    count = draw(st.integers(1, 3))
    overlaid = {SlotKind.EMERGENCY: draw(st.integers(0, count - 1))}
    if draw(st.booleans()):
        overlaid[SlotKind.CAMPAIGN] = draw(st.integers(0, count - 1))
    columns = []
    for place in range(count):
        usual = [Slot(f"c{place}", items=(draw(always),))]
        for number in range(draw(st.integers(0, 4))):
            usual.append(draw(slots(f"c{place}-{number}")))
        while sum(slot.most for slot in usual) > 5:
            usual.pop()
        laid = [Slot(str(kind), kind) for kind, where in overlaid.items() if where == place]
        for number in reversed(range(len(usual))):
            if sum(one.most for one in (*usual, *laid) if not one.gives_way) > 5:
                usual[number] = replace(usual[number], gives_way=True)
        mixed = draw(st.permutations([*usual, *laid]))
        columns.append(Column(f"列{place}", tuple(mixed), zone_title=draw(st.booleans())))
    return Frame(tuple(columns))


@st.composite
def filled(draw: st.DrawFn, frame: Frame) -> dict[str, dict[str, Fill]]:
    """What branches decided, as far as the frame lets them."""
    left = [slot for slot in frame.slots() if slot.kind is SlotKind.DELEGATED]
    found: dict[str, dict[str, Fill]] = {}
    for slot in left:
        for code in draw(st.sets(st.sampled_from(CODES), max_size=4)):
            fill = draw(
                st.builds(Fill, items=st.lists(items(), min_size=1, max_size=3).map(tuple))
                | st.just(Fill(hide=True))
            )
            sound = checks.fill_faults(
                fill, slot=slot.key, frame=frame, chain=chain(code), known=KNOWN
            )
            if not sound:
                found.setdefault(code, {})[slot.key] = fill
    return found


@st.composite
def overlays(draw: st.DrawFn) -> tuple[Overlay, ...]:
    """Up to three emergencies and two campaigns, all in force at noon."""
    found = []
    for kind, most in ((SlotKind.EMERGENCY, 3), (SlotKind.CAMPAIGN, 2)):
        for number in range(draw(st.integers(0, most))):
            reached = draw(st.none() | st.frozensets(st.sampled_from(CODES), min_size=1))
            found.append(
                Overlay(
                    kind=kind,
                    key=f"{kind}-{number}",
                    title=f"入口{number}",
                    target=f"/z/{kind}-{number}",
                    branches=reached,
                    rank=draw(st.integers(0, 3)),
                )
            )
    return tuple(found)


def usual(frame: Frame) -> list[Slot]:
    """The slots that do not wait for an overlay."""
    return [slot for slot in frame.slots() if slot.kind not in OVERLAID]
