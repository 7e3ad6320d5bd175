"""Every branch's menu compiled, and a plan made, for banks of 40, 400 and 3,000 branches.

``python -m benchmarks.menus [--json] [--rounds N]``. The worst case is measured: every branch keeps
a zone and a fill of its own, so that no two menus are alike. Sizes are interleaved and figures are
medians of CPU time, because machines are shared and noisy; growth is time per branch against the
smallest bank.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from menus.capacity import Capacity, Census
from menus.compose import default
from menus.items import Item
from menus.live import Live, LiveMenu, LiveTag, tag_name
from menus.plan import Plan, plan
from menus.resolve import Resolved, effective, resolve
from menus.slots import Fill, Overlay, SlotKind

SIZES = (40, 400, 3_000)
#: The branches right under head office; the others lie below them.
FIRST = 40
BASE = "https://bank.example"
NOW = datetime(2026, 11, 11, tzinfo=UTC)
CAPACITY = Capacity(90, 20)


@dataclass(frozen=True, slots=True)
class Branch:
    code: str
    name: str
    level: int
    parent: str | None


@dataclass(frozen=True, slots=True)
class Zone:
    key: str
    title: str


class Bank:
    """A bank of this many branches, with everything its menus are made of."""

    def __init__(self, size: int) -> None:
        self.tree = [Branch("HQ", "总行", 0, None)]
        for number in range(size):
            above = "HQ" if number < FIRST else f"B{number % FIRST:04}"
            level = 1 if number < FIRST else 2
            self.tree.append(Branch(f"B{number:04}", f"{number} 分行", level, above))
        below = [branch.code for branch in self.tree[1:]]
        self.zones = {code: Zone(f"zone-{code.lower()}", "本地专区") for code in below}
        start, end = NOW - timedelta(days=1), NOW + timedelta(days=1)
        items = (Item(code, "/s/promotions", starts_at=start, ends_at=end) for code in below)
        self.fills = {item.name: {"local-one": Fill((item,))} for item in items}
        self.overlays = [
            Overlay(
                kind=SlotKind.EMERGENCY,
                key="flood",
                title="防汛服务",
                target="/z/flood",
                branches=frozenset(below[::7]),
            ),
            Overlay(kind=SlotKind.CAMPAIGN, key="fair", title="年货节", target="/z/fair"),
        ]
        self.census = Census({code: 1_000 + 37 * place for place, code in enumerate(below)})
        self.wanted = self.compiled()
        self.new = Live(None, (), ())
        self.live = self.shown()
        edited = {**self.fills, below[-1]: {"local-one": Fill((Item("改了", "/s/outlets"),))}}
        self.edited = self.compiled(edited)

    def compiled(self, fills: Mapping[str, Mapping[str, Fill]] | None = None) -> Resolved:
        return resolve(
            self.tree,
            self.zones,
            base_url=BASE,
            frame=default(),
            fills=self.fills if fills is None else fills,
            overlays=self.overlays,
            at=NOW,
        )

    def one(self) -> object:
        """One branch's menu with the reasons, as the console asks for it."""
        return effective(
            [self.tree[-1], self.tree[1], self.tree[0]],
            self.zones,
            base_url=BASE,
            frame=default(),
            fills=self.fills,
            overlays=self.overlays,
            at=NOW,
        )

    def shown(self) -> Live:
        """The account after a publication."""
        steps = self.planned(self.wanted, self.new)
        served = sorted(set(steps.reach.values()))
        by_key = {one.key: one for one in self.wanted.every}
        tags = {key: place for place, key in enumerate(served, 100)}
        return Live(
            self.wanted.default,
            tuple(LiveMenu(f"4{tags[key]}", tags[key], by_key[key].menu) for key in served),
            tuple(LiveTag(tags[key], tag_name(key, by_key[key].title), 9) for key in served),
        )

    def planned(self, wanted: Resolved, live: Live) -> Plan:
        recorded = {tag.id: tag.name.split()[1] for tag in live.tags}
        return plan(wanted, live, capacity=CAPACITY, recorded=recorded, census=self.census)

    def ways(self) -> dict[str, Callable[[], object]]:
        return {
            "compile every branch": self.compiled,
            "one branch with reasons": self.one,
            "plan a first publication": lambda: self.planned(self.wanted, self.new),
            "plan when nothing differs": lambda: self.planned(self.wanted, self.live),
            "plan one branch's edit": lambda: self.planned(self.edited, self.live),
        }


def measure(*, rounds: int) -> dict[str, dict[int, float]]:
    """Median CPU milliseconds of each way for each size."""
    banks = {size: Bank(size) for size in SIZES}
    for size, bank in banks.items():
        assert len(bank.wanted.variants) == size, "every branch is to have a menu of its own"
    spent: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for size, bank in banks.items():
            for name, way in bank.ways().items():
                began = time.process_time()
                way()
                took = (time.process_time() - began) * 1000
                spent.setdefault((name, size), []).append(took)
    found: dict[str, dict[int, float]] = {}
    for (name, size), times in spent.items():
        found.setdefault(name, {})[size] = statistics.median(times)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    found = measure(rounds=asked.rounds)
    if asked.json:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(f"{'milliseconds, by branches':<28}" + "".join(f"{size:>10,}" for size in SIZES))
    smallest = SIZES[0]
    for name, by_size in found.items():
        growth = (by_size[size] / size / (by_size[smallest] / smallest) for size in SIZES)
        print(f"{name:<28}" + "".join(f"{by_size[size]:>10.2f}" for size in SIZES))
        print(f"{'  per branch, times':<28}" + "".join(f"{times:>10.2f}" for times in growth))


if __name__ == "__main__":
    main()
