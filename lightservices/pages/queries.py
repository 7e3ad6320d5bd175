"""The services that look something up of our own: outlets, rates, promotions, the city."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from flask import Response, request

from lightservices import catalogue, promotions, rates, zones
from lightservices.catalogue import Service
from lightservices.emergency import in_force
from lightservices.foryou import operations
from lightservices.pages.shell import page
from lightservices.visit import Visitor, own_path
from regions import branches, divisions
from regions.divisions import Division
from service import clock
from service.wiring import Unit

View = Callable[[Unit, Visitor, Service], Response]

#: The ways through the account itself, which no branch can take from its followers.
_ALWAYS: Final = frozenset(("directory", "my-city"))


def rates_of(table: str) -> View:
    def view(unit: Unit, visitor: Visitor, service: Service) -> Response:
        found = rates.tables(unit).get(table)
        return page(
            "rates",
            visitor,
            title=service.title,
            service=service,
            table=found,
            which=table,
            related=related_to(unit, visitor, service),
        )

    return view


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
    """First the province, then the city; provinces that are cities need one tap only."""
    asked = request.args.get("province")
    return page(
        "city",
        visitor,
        title=service.title,
        service=service,
        provinces=_provinces(),
        province=next((pair for pair in _provinces() if pair[0].code == asked), None),
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
