"""What overlays the menus of some branches for a time: campaigns, and emergencies from elsewhere.

Whoever opens emergencies brings a function for ``Tables.overlays``; what it returns need only look
like an :class:`~menus.slots.Overlay`, so that it may stand on a lower floor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lightservices import zones
from lightservices.zones import Zone, ZoneKind
from menus.items import ZONE
from menus.limits import NAME_BYTES
from menus.slots import Overlay, SlotKind
from service.wiring import Unit

#: What an entry is called that came without a name.
_EMERGENCY: Final = "紧急服务"


def known(unit: Unit) -> tuple[Overlay, ...]:
    """All overlays there are, in force now or later."""
    brought = (one for bring in unit.wiring.tables.overlays for one in bring(unit))
    return (*_campaigns(unit), *map(_taken, brought))


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
