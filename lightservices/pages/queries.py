"""The services that look something up: outlets, rates, promotions, the city, the directory."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final

from flask import Response, render_template, request

from lightservices import catalogue, finding, promotions, rates
from lightservices.catalogue import Kind, Service
from lightservices.outlets import nearest
from lightservices.outlets.hours import parse
from lightservices.pages import calculators
from lightservices.pages.shell import page
from lightservices.visit import Visitor, own_path
from regions import branches, divisions
from regions.divisions import Division
from service import clock
from service.wiring import Unit

View = Callable[[Unit, Visitor, Service], Response]

SHOWN: Final = 10
MOST_SHOWN: Final = 30


def guide(_unit: Unit, visitor: Visitor, service: Service) -> Response:
    """A guide is all in its file."""
    return page("guide", visitor, title=service.title, service=service)


def outlets(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """Outlets by distance from the best known place, or those of the city."""
    return page("outlets", visitor, title=service.title, service=service, **_found(unit, visitor))


def outlets_around(unit: Unit, latitude: float, longitude: float) -> str:
    """The list alone, measured from a point in GCJ-02 that is used here and kept nowhere."""
    return render_template(
        "pages/outlet_list.html",
        nearby=nearest.nearest(unit, latitude, longitude, count=SHOWN),
        state=outlet_state,
        exact=True,
    )


def outlet_state(hours: str) -> str:
    """Whether an outlet is open now, or nothing where its hours are unknown."""
    return parse(hours).state(clock.shanghai(clock.now())) if hours else ""


def _found(unit: Unit, visitor: Visitor) -> dict[str, Any]:
    place = visitor.whereabouts
    found: dict[str, Any] = {"state": outlet_state, "exact": False}
    if place.cell is not None:
        found["nearby"] = nearest.nearest(unit, *place.cell, count=_count())
        return found
    city = divisions.table().prefecture(place.division or "")
    if city is not None:
        found |= _in_city(unit, city, place.division or "")
    return found


def _in_city(unit: Unit, city: Division, home: str) -> dict[str, Any]:
    """The outlets of one county of the city: the asked one, the visitor's own, or the first."""
    index = nearest.index(unit)
    table = divisions.table()
    counties = [
        county for county in table.counties(city.code) or (city,) if index.in_county(county.code)
    ]
    codes = [county.code for county in counties]
    asked = request.args.get("county", "")
    county = next((code for code in (asked, home) if code in codes), codes[0] if codes else "")
    return {
        "city": city,
        "counties": counties,
        "county": county,
        "where": table.label(county),
        "listed": index.in_county(county)[: _count()],
        "total": len(index.in_county(county)),
    }


def _count() -> int:
    return MOST_SHOWN if request.args.get("more") == "1" else SHOWN


def _rates(table: str) -> View:
    def view(unit: Unit, visitor: Visitor, service: Service) -> Response:
        found = rates.tables(unit).get(table)
        return page(
            "rates", visitor, title=service.title, service=service, table=found, which=table
        )

    return view


def local_promotions(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """What runs here now."""
    found = promotions.current(unit, visitor.whereabouts, clock.now())
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


def directory(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """All services by class, or those that some words mean."""
    offered = offered_services(unit, visitor)
    asked = request.args.get("q", "").strip()[:40]
    ordered = sorted(offered, key=lambda one: list(catalogue.ServiceClass).index(one.service_class))
    classes = [
        (name, list(group)) for name, group in groupby(ordered, lambda one: one.service_class)
    ]
    return page(
        "directory",
        visitor,
        title=service.title,
        service=service,
        asked=asked,
        found=finding.find(offered, asked) if asked else None,
        classes=classes,
    )


def offered_services(unit: Unit, visitor: Visitor) -> list[Service]:
    """The services offered to followers of this visitor's branch, in the catalogue's order."""
    chain = branch_chain(unit, visitor)
    return [one for one in catalogue.services().values() if one.availability.reaches(chain)]


def branch_chain(unit: Unit, visitor: Visitor) -> tuple[str, ...]:
    """The codes from the visitor's branch up to head office."""
    found = branches.directory(unit).chain(visitor.whereabouts.branch.code)
    return tuple(branch.code for branch in found)


def branch_names(unit: Unit) -> Mapping[str, str]:
    """Each branch's name by its code."""
    return {branch.code: branch.name for branch in branches.directory(unit).all}


#: What stands behind each service that is more than a text. A guide needs no entry.
VIEWS: Final[Mapping[str, View]] = MappingProxyType(
    {
        "outlets": outlets,
        "exchange-rates": _rates("exchange"),
        "deposit-rates": _rates("deposit"),
        "loan-rates": _rates("loan"),
        "loan-calculator": calculators.loan,
        "deposit-calculator": calculators.deposit,
        "promotions": local_promotions,
        "my-city": my_city,
        "directory": directory,
    }
)


def view_of(service: Service) -> View | None:
    """How this service is shown; nothing where the content promises more than the program has."""
    return guide if service.kind is Kind.GUIDE else VIEWS.get(service.key)
