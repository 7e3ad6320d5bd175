"""The services that look something up of our own: promotions, the city, what is offered here."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Final

from flask import Response, request

from lightservices import catalogue, cities, promotions, zones
from lightservices.catalogue import Service
from lightservices.emergency import in_force
from lightservices.foryou import operations
from lightservices.pages.shell import page
from lightservices.visit import Visitor, own_path
from regions import branches, divisions
from regions.divisions import Division
from service import clock
from service.wiring import Unit

#: The ways through the account itself, which no branch can take from its followers.
_ALWAYS: Final = frozenset(("directory", "my-city"))
#: No city of ours has a longer name.
_MOST_SIGNS: Final = 20


def local_promotions(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """What runs here now."""
    tags = operations.known(unit, visitor.openid).audiences
    found = promotions.current(unit, visitor.whereabouts, clock.now(), tags=tags)
    found.sort(key=lambda one: one.audience.isdisjoint(tags))
    return page(
        "promotions",
        visitor,
        title=service.title,
        service=service,
        promotions=found,
        names=branch_names(unit),
    )


def my_city(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """By name; or the province, then the city: provinces that are cities need one tap only."""
    asked = request.args.get("province")
    words = request.args.get("q", "").strip()[:_MOST_SIGNS]
    home = [one.code for one in divisions.table().path(visitor.whereabouts.division or "")]
    provinces = sorted(_provinces(), key=lambda pair: pair[0].code not in home)
    chosen = next((pair for pair in provinces if pair[0].code == asked), None)
    if chosen is not None:
        chosen = (chosen[0], sorted(chosen[1], key=lambda city: city.code not in home))
    return page(
        "city",
        visitor,
        title=service.title,
        service=service,
        provinces=provinces,
        province=chosen,
        home=home,
        asked=words,
        found=cities.meant_by(words),
        after=own_path(request.args.get("next")),
    )


@functools.cache
def _provinces() -> Sequence[tuple[Division, Sequence[Division]]]:
    """The pick list, the same in the whole life of the process."""
    return divisions.table().prefectures()


def offered_services(unit: Unit, visitor: Visitor) -> list[Service]:
    """The services offered to followers of this visitor's branch, in the catalogue's order."""
    return list(offered_by_key(unit, visitor).values())


def offered_by_key(unit: Unit, visitor: Visitor) -> Mapping[str, Service]:
    """The same by key."""
    return catalogue.offered(
        unit, branch_chain(unit, visitor), switched_off=_switched_off(unit, visitor)
    )


def related_to(unit: Unit, visitor: Visitor, service: Service) -> Sequence[Service]:
    """What the service's file names beside it, as far as this visitor's branch offers it."""
    offered = offered_by_key(unit, visitor)
    return [offered[key] for key in service.related if key in offered]


def is_offered(unit: Unit, visitor: Visitor, service: Service) -> bool:
    """Whether followers of this visitor's branch may open it."""
    return service.availability.reaches(
        branch_chain(unit, visitor)
    ) and service.key not in _switched_off(unit, visitor)


def _switched_off(unit: Unit, visitor: Visitor) -> frozenset[str]:
    place = visitor.whereabouts
    off = zones.switched_off(unit, place.branch.code) | in_force.hidden(unit, place)
    return off - _ALWAYS


def branch_chain(unit: Unit, visitor: Visitor) -> tuple[str, ...]:
    """The codes from the visitor's branch up to head office."""
    found = branches.directory(unit).chain(visitor.whereabouts.branch.code)
    return tuple(branch.code for branch in found)


def branch_names(unit: Unit) -> Mapping[str, str]:
    """Each branch's name by its code."""
    return {branch.code: branch.name for branch in branches.directory(unit).all}
