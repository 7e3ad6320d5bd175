"""What overlays the menus of some branches for a time: campaigns, and emergencies from elsewhere.

Whoever opens emergencies brings a function for ``Tables.overlays``; what it returns need only look
like an :class:`~menus.slots.Overlay`, so that it may stand on a lower floor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from lightservices import zones
from lightservices.zones import Zone, ZoneKind
from menus import insiders
from menus.items import ZONE
from menus.limits import NAME_BYTES
from menus.slots import Overlay, SlotKind
from service.wiring import Unit

#: What an entry is called that came without a name.
_EMERGENCY: Final = "紧急服务"


def known(unit: Unit) -> tuple[Overlay, ...]:
    """All overlays there are, in force now or later."""
    brought = [_taken(one) for bring in unit.wiring.tables.overlays for one in bring(unit)]
    found = {one.key: one for one in brought}
    return (*_campaigns(unit), *(found | _partly(unit, found)).values())


def _partly(unit: Unit, whole: Mapping[str, Overlay]) -> dict[str, Overlay]:
    """Those that reach parts of branches' followers, beside the branches they reach as a whole."""
    parts = {one.key: one for one in insiders.open_now(unit)}
    reached: dict[str, set[str]] = {key: set() for key in parts}
    for audience in insiders.audiences(unit) if parts else ():
        for key in audience.emergencies:
            reached[key].add(audience.key)
    found = {}
    for key, part in parts.items():
        overlay = whole.get(key) or _taken(part.entry)
        if overlay.branches is not None:
            found[key] = replace(overlay, branches=overlay.branches | reached[key])
    return found


def _campaigns(unit: Unit) -> Iterator[Overlay]:
    found = [zone for zone in zones.every(unit) if zone.kind is ZoneKind.CAMPAIGN]
    # They come with those that started last in front, which is how they rank.
    for rank, zone in enumerate(reversed(found)):
        yield _campaign(unit, zone, rank)


def _campaign(unit: Unit, zone: Zone, rank: int) -> Overlay:
    reached = zones.whom(unit, zone)
    return Overlay(
        kind=SlotKind.CAMPAIGN,
        key=zone.key,
        title=zone.title,
        target=f"{ZONE}{zone.key}",
        branches=None if reached is None else frozenset(map(str, reached)),
        rank=rank,
        starts_at=zone.starts_at,
        ends_at=zone.ends_at,
    )


def _taken(one: Any) -> Overlay:
    return Overlay(
        kind=SlotKind(one.kind),
        key=one.key,
        title=_cut(one.title) or _EMERGENCY,
        target=one.target,
        branches=None if one.branches is None else frozenset(map(str, one.branches)),
        rank=getattr(one, "rank", 0),
        starts_at=getattr(one, "starts_at", None),
        ends_at=getattr(one, "ends_at", None),
    )


def _cut(title: str) -> str:
    """A name within WeChat's limit: in an emergency half a name is better than no entry."""
    return title.encode()[: NAME_BYTES["button"]].decode(errors="ignore").strip()
