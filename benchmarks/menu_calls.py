"""How many calls typical changes of the menus cost, next to deleting everything and starting anew.

``python -m benchmarks.menu_calls [--json] [--write]``. Every row is a real plan for the sample bank
with all its zones, against an account that shows what was wanted before; ``--write`` puts the table
into ``docs/menu-calls.md``.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from config import HOME
from lightservices import zones
from menus import compose, estimate, keys
from menus import plan as planning
from menus.capacity import Capacity, Census
from menus.items import Item
from menus.keys import Audience
from menus.live import Live, LiveMenu, LiveTag, tag_name
from menus.resolve import Resolved, resolve
from menus.slots import Fill, Fills, Frame, Overlay, SlotKind
from regions import sample

BASE = "https://bank.example"
PAGE = HOME / "docs" / "menu-calls.md"
BEGIN, END = "<!-- table: python -m benchmarks.menu_calls --write -->", "<!-- end of the table -->"
#: Followers of each branch.
FOLLOWERS = 10_000
#: Of those of a branch that a drawn area crosses, so many are inside.
INSIDE = 3_000
CAPACITY = Capacity(tags=90, ceiling=100)


@dataclass(frozen=True, slots=True)
class Row:
    """One change: its calls on menus and tags, and what it asks of followers."""

    change: str
    default: int
    added: int
    deleted: int
    tags: int
    retagged: int
    tagging: int
    #: The same by deleting all menus: calls on menus, and who sees none of them meanwhile.
    anew: int
    without: int

    @property
    def calls(self) -> int:
        return self.default + self.added + self.deleted + self.tags


class Bank:
    """The sample bank, and what its menus are made of."""

    def __init__(self) -> None:
        self.branches = sample.bank().branches
        self.zones = {str(zone.branch): zone for zone in zones.read()}
        self.census = {str(branch.code): FOLLOWERS for branch in self.branches}

    def wanted(
        self,
        *,
        frame: Frame | None = None,
        fills: Fills | None = None,
        overlays: tuple[Overlay, ...] = (),
        audiences: tuple[Audience, ...] = (),
        without: str = "",
    ) -> Resolved:
        kept = {code: zone for code, zone in self.zones.items() if code != without}
        return resolve(
            self.branches, kept, base_url=BASE, frame=frame, fills=fills, overlays=overlays,
            audiences=audiences,
        )  # fmt: skip

    def below(self, code: str) -> frozenset[str]:
        """A branch and all under it."""
        parents = {str(one.code): one.parent for one in self.branches}
        found = {code}
        for one in sorted(self.branches, key=lambda one: one.level):
            if str(parents[str(one.code)]) in found:
                found.add(str(one.code))
        return frozenset(found)


def rows() -> list[Row]:
    """Every typical change."""
    bank = Bank()
    now = bank.wanted()
    own = {"local-one": Fill((Item("周末惠", "/s/promotions"),))}
    everywhere = {one.key: own for one in now.variants}
    flood = Overlay(
        kind=SlotKind.EMERGENCY,
        key="flood",
        title="防汛服务",
        target="/z/flood",
        branches=bank.below("B320000"),
    )
    nationwide = replace(flood, branches=None)
    part = Audience("B442000", frozenset({flood.key}))
    drawn = replace(flood, branches=frozenset({part.key}))
    count = len(now.variants)
    return [
        row(bank, "没有变化", now, now),
        row(bank, "一家分行改一个按钮", now, bank.wanted(fills={"B310000": own})),
        row(bank, "一家分行开出自己的专区", bank.wanted(without="B310000"), now),
        row(bank, "一家分行关掉自己的专区", now, bank.wanted(without="B310000")),
        row(bank, f"总行改框架里的一个按钮（{count} 个变体）", now, bank.wanted(frame=edited())),
        row(bank, f"{count} 家分行同时改一个按钮", now, bank.wanted(fills=everywhere)),
        row(bank, "一个省开应急入口（含下属分行）", now, bank.wanted(overlays=(flood,))),
        row(bank, "全国开应急入口", now, bank.wanted(overlays=(nationwide,))),
        *crossed(bank, now, bank.wanted(overlays=(drawn,), audiences=(part,)), part),
    ]


def crossed(bank: Bank, now: Resolved, during: Resolved, part: Audience) -> list[Row]:
    """What a drawn area over some of a branch's followers costs, when it opens and when it ends."""
    split = {part.key: INSIDE, part.branch: FOLLOWERS - INSIDE}
    here = f"画出的应急区域只含一家分行的 {INSIDE:,} 位粉丝"
    return [
        row(bank, f"{here}：开启", now, during, followers=split),
        row(bank, f"{here}：结束", during, now, followers=split),
    ]


def edited() -> Frame:
    """Head office's frame with one button that says something else."""
    frame = compose.default()
    first, *others = frame.columns
    slots = tuple(
        replace(slot, items=(replace(slot.items[0], name="挂失补卡"),))
        if slot.key == "lost-card"
        else slot
        for slot in first.slots
    )
    return Frame((replace(first, slots=slots), *others))


def row(
    bank: Bank,
    change: str,
    before: Resolved,
    after: Resolved,
    *,
    followers: Mapping[str, int] | None = None,
) -> Row:
    """What this change costs on an account that shows what was wanted before.

    Args:
        followers: how many some audiences have, where it is not as many as ever.
    """
    live, reach = shown(before)
    counted = {**bank.census, **(followers or {})}
    carriers: dict[int, Counter[str]] = {}
    for audience in counted:
        if (tag := keys.served(reach, audience)) is not None:
            carriers.setdefault(tag, Counter())[audience] = counted[audience]
    census = Census(counted, carriers)
    plan = planning.plan(
        after,
        live,
        capacity=CAPACITY,
        recorded={tag.id: one.key for tag, one in zip(live.tags, before.variants, strict=True)},
        census=census,
        reach=reach,
    )
    assert not plan.gaps
    work = estimate.retagging(plan, census)
    calls = estimate.calls(plan, work)
    served = sum(counted.get(code, 0) for code in plan.reach)
    return Row(
        change,
        _of(calls, "menu/create"),
        _of(calls, "addconditional"),
        _of(calls, "delconditional"),
        sum(_of(calls, f"tags/{verb}") for verb in ("create", "update", "delete")),
        work.followers,
        work.calls,
        # One call deletes, one makes the default, then every variant is added again.
        2 + len(set(plan.reach.values())) if plan.steps else 0,
        served if plan.steps else 0,
    )


def shown(wanted: Resolved) -> tuple[Live, Mapping[str, int]]:
    """An account that shows just this, and which tag each branch's followers carry."""
    numbered = list(enumerate(wanted.variants, 100))
    live = Live(
        wanted.default,
        tuple(LiveMenu(str(4_000 + number), number, one.menu) for number, one in numbered),
        tuple(
            LiveTag(number, tag_name(one.key, one.title), len(one.branches) * FOLLOWERS)
            for number, one in numbered
        ),
    )
    return live, {code: number for number, one in numbered for code in one.branches}


def _of(calls: Mapping[str, int], path: str) -> int:
    return sum(count for name, count in calls.items() if name.endswith(path))


def table(found: list[Row]) -> str:
    """The rows in Markdown."""
    lines = [
        "| 变化 | 默认菜单 | 新增 | 删除 | 标签 | **合计** | 要换标签的粉丝（调用） | "
        "全删重建的调用 | 重建期间看不到本地菜单的粉丝 |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for one in found:
        moved = f"{one.retagged:,}（{one.tagging:,}）" if one.retagged else "0"
        lines.append(
            f"| {one.change} | {one.default} | {one.added} | {one.deleted} | {one.tags} "
            f"| **{one.calls}** | {moved} | {one.anew} | {one.without:,} |"
        )
    return "\n".join(lines)


def written(page: str, found: list[Row]) -> str:
    """The page with this table in it."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{table(found)}\n{END}{rest.split(END)[1]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true")
    told = parser.parse_args()
    found = rows()
    if told.write:
        PAGE.write_text(written(PAGE.read_text("utf-8"), found), "utf-8")
    if told.json:
        print(json.dumps([asdict(one) for one in found], ensure_ascii=False))
    else:
        print(table(found))


if __name__ == "__main__":
    main()
