"""Why a menu looks as it does: a sentence for each button, each title and whatever is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from menus import keys
from menus.compose import Branch, Built, Composer, Placed, State, Zone
from menus.items import ZONE_HOME, Item
from menus.slots import OVERLAID, Overlay, Slot, SlotKind
from service import clock

_HEAD_OFFICE = "总行统一配置"


class Reasons:
    """The sentences for one branch's menu."""

    def __init__(self, chain: Sequence[Branch], zones: Mapping[str, Zone], state: State) -> None:
        self.branch = chain[0]
        self.names = {branch.code: branch.name for branch in chain}
        self.state = state
        self.zone = zones[state.zone].title if state.zone is not None else ""

    def of(self, placed: Placed) -> str:
        """Why this stands where it stands."""
        if placed.overlay is not None:
            return _of_overlay(placed.overlay)
        if placed.item.target == ZONE_HOME:
            return self._of_zone()
        return f"{self._who_put(placed.slot, placed.owner)}{of_window(placed.item)}"

    def of_title(self, built: Built) -> str:
        """Why a column bears its title."""
        return self._of_zone() if built.column.zone_title else _HEAD_OFFICE

    def missing(self, composer: Composer, columns: Sequence[Built]) -> Iterator[str]:
        """What could be there and is not."""
        present = {one.slot.key for built in columns for one in (*built.placed, *built.given_way)}
        for slot in composer.frame.slots():
            fill = composer.decision(self.state, slot)
            if fill is not None and fill.hide:
                yield self._of_hidden(slot)
            elif slot.key not in present and slot.kind not in OVERLAID:
                yield f"“{slot.name}”不在显示时间内"
        for built in columns:
            for one in built.given_way:
                yield f"“{one.item.name}”暂时让位，这一列最多 {len(built.placed)} 项"

    def _who_put(self, slot: Slot, owner: str | None) -> str:
        if slot.kind is not SlotKind.DELEGATED:
            return _HEAD_OFFICE
        if owner is None:
            return f"“{slot.name}”还没有分行填写，用总行默认"
        if owner == self.branch.code:
            return f"{self.branch.name}填写的“{slot.name}”"
        return f"{self.branch.name}没有填写“{slot.name}”，沿用{self.names[owner]}的"

    def _of_hidden(self, slot: Slot) -> str:
        owner = self.state.decided[slot.key]
        if owner == self.branch.code:
            return f"“{slot.name}”由{self.branch.name}隐藏"
        return f"“{slot.name}”由{self.names[owner]}隐藏，{self.branch.name}沿用"

    def _of_zone(self) -> str:
        owner = self.state.zone
        if owner is None:
            return "所在分行没有专区，用总行默认"
        if owner == self.branch.code:
            return f"{self.branch.name}的专区“{self.zone}”"
        return f"{self.branch.name}没有自己的专区，沿用{self.names[owner]}的专区“{self.zone}”"


def _of_overlay(overlay: Overlay) -> str:
    kind = "紧急服务" if overlay.kind is SlotKind.EMERGENCY else "活动"
    until = f"，{_at(overlay.ends_at)}结束" if overlay.ends_at is not None else ""
    return f"{kind}“{overlay.title}”正在对{_whom(overlay)}开放{until}"


def _whom(overlay: Overlay) -> str:
    if overlay.branches is None:
        return "全部分行"
    parts = keys.parts(overlay.branches)
    whole, partly = len(overlay.branches) - len(parts), keys.branches_in(parts)
    said = f"{whole} 家分行" if whole or not partly else ""
    of = f"{partly} 家分行在应急范围内的粉丝" if partly else ""
    return "和".join(filter(None, (said, of)))


def of_window(item: Item) -> str:
    """When an item is shown, to be put behind what it is; nothing where it always is."""
    if item.always:
        return ""
    start = f"{_at(item.starts_at)}起" if item.starts_at is not None else ""
    end = f"{_at(item.ends_at)}止" if item.ends_at is not None else ""
    return f"，限时显示（{'，'.join(filter(None, (start, end)))}）"


def _at(moment: datetime) -> str:
    """A time as editors in China read it."""
    return f"{clock.shanghai(moment):%Y-%m-%d %H:%M}"
