"""What a zone's page shows: its blocks in order, each filled for who looks, where and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup

from lightservices import blocks, catalogue, gathering, promotions
from lightservices.blocks import Block, BlockKind
from lightservices.catalogue import Service
from lightservices.emergency import in_force
from lightservices.foryou import operations, showing
from lightservices.gathering import Group
from lightservices.outlets import nearest, openings
from lightservices.pages import queries
from lightservices.promotions import Promotion
from lightservices.visit import Visitor
from lightservices.zones import Zone, ZoneKind
from regions import branches
from regions.presence import Whereabouts
from service import clock
from service.wiring import Unit

#: What the page of a follower's zone is called where no branch keeps one.
NO_ZONE: Final = "微信银行"
_OUTLETS_SHOWN: Final = 3
_PROMOTIONS_SHOWN: Final = 5
#: How many services stand on a shelf that no branch has filled.
_FIRST_SERVICES: Final = 9


@dataclass(frozen=True, slots=True)
class Trial:
    """What a preview shows in place of what is live."""

    at: datetime
    #: By branch what it would offer.
    promotions: Mapping[str, Sequence[Promotion]]
    #: The services that would be switched off where the visitor is.
    switched_off: frozenset[str]
    #: By a promotion's name where it is shown, for those that have no page yet.
    paths: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One block as the template takes it."""

    block: Block
    html: Markup
    services: Sequence[Service] = ()
    groups: Sequence[Group] = ()


def sight(
    unit: Unit, visitor: Visitor, zone: Zone | None, *, is_own: bool, trial: Trial | None = None
) -> dict[str, Any]:
    """Everything the template ``zone`` needs beside the title."""
    at = trial.at if trial is not None else clock.now()
    is_venue = zone is not None and zone.kind is ZoneKind.CAMPAIGN
    place = visitor.whereabouts
    if zone is not None and not is_own and not is_venue:
        # Somebody from elsewhere looks at this zone: show what its branch offers everyone.
        branch = branches.directory(unit).get(zone.branch)
        place = replace(place, branch=branch or place.branch, division=None, cell=None)
    offered = _offered(unit, visitor, trial)
    known = operations.known(unit, visitor.openid if trial is None else None)
    tags = known.audiences if is_own or is_venue else frozenset()
    groups = _groups(unit, zone, place, at, trial, tags=tags)
    return {
        "zone": zone,
        "is_own": is_own,
        "is_venue": is_venue,
        "parts": [
            _part(block, zone, offered, groups) for block in (zone.blocks if zone else blocks.USUAL)
        ],
        "most_promotions": None if is_venue else _PROMOTIONS_SHOWN,
        "names": queries.branch_names(unit),
        "nearby": nearest.nearest(unit, *place.cell, count=_OUTLETS_SHOWN) if place.cell else [],
        "state": openings.look(unit),
        "paths": trial.paths if trial is not None else {},
        "recommended": showing.shelf(unit, visitor, known, without=zone.services if zone else ()),
    }


def _offered(unit: Unit, visitor: Visitor, trial: Trial | None) -> Mapping[str, Service]:
    if trial is None:
        return {one.key: one for one in queries.offered_services(unit, visitor)}
    chain = queries.branch_chain(unit, visitor)
    return catalogue.offered(unit, chain, switched_off=trial.switched_off)


def _groups(
    unit: Unit, zone: Zone | None, place: Whereabouts, at: datetime, trial: Trial | None, *,
    tags: frozenset[str],
) -> Sequence[Group]:  # fmt: skip
    if trial is None and "promotions" in in_force.hidden(unit, place):
        return []
    if zone is not None and zone.kind is ZoneKind.CAMPAIGN and zone.gather is not None:
        return gathering.gathered(unit, zone, place, at, tags=tags)
    instead = trial.promotions if trial is not None else None
    found = promotions.current(unit, place, at, tags=tags, instead=instead)
    return [Group("", found)] if found else []


def _part(
    block: Block, zone: Zone | None, offered: Mapping[str, Service], groups: Sequence[Group]
) -> Part:
    html = Markup(block.html) if block.kind is BlockKind.TEXT else Markup("")  # noqa: S704  # nh3 cleaned it
    if block.kind is BlockKind.SERVICES:
        usual = zone.services if zone is not None else tuple(offered)[:_FIRST_SERVICES]
        keys = block.services or usual
        return Part(block, html, services=[offered[key] for key in keys if key in offered])
    if block.kind is BlockKind.PROMOTIONS:
        return Part(block, html, groups=groups)
    return Part(block, html)
