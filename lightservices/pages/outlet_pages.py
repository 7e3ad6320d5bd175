"""Outlets: a list by distance or by county, narrowed by what they offer, and the page of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from flask import Response, request

from lightservices.catalogue import Service
from lightservices.outlets import nearest
from lightservices.outlets.models import Outlet
from lightservices.outlets.openings import Look, look
from lightservices.pages.later import Later
from lightservices.pages.shell import page, rendered
from lightservices.providers import core_client, queues
from lightservices.visit import Visitor
from regions import divisions
from regions.divisions import Division
from service.wiring import Unit

SHOWN: Final = 10
MOST_SHOWN: Final = 30
#: What people look for an outlet by; an outlet may offer more.
SOUGHT: Final = ("对公业务", "外币兑换", "保险箱", "自助设备")
_PATH: Final = "/s/outlets"


def outlets(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """Outlets by distance from the best known place, or those of the city."""
    state = look(unit)
    return page(
        "outlets", visitor, title=service.title, service=service, state=state, filters=_filters(),
        is_narrowed=bool(_narrowing()), more=_address(more="1"), **_found(unit, visitor, state),
    )  # fmt: skip


def outlets_around(unit: Unit, latitude: float, longitude: float) -> str:
    """The list alone, measured from a point in GCJ-02 that is used here and kept nowhere."""
    return rendered(
        "pages/outlet_list.html",
        nearby=nearest.nearest(unit, latitude, longitude, count=SHOWN),
        state=look(unit),
        exact=True,
    )


def one(unit: Unit, visitor: Visitor, outlet: Outlet) -> Response | Later:
    """One outlet: open now, what it does, how to get in, and if it can be known who waits."""
    values: dict[str, Any] = {
        "outlet": outlet,
        "place": divisions.table().label(outlet.division),
        "now": look(unit)(outlet),
    }
    wiring = unit.wiring
    if not values["now"].is_open or not core_client.is_connected(wiring):
        return page("outlet", visitor, title=outlet.name, queue=None, **values)
    return Later(
        lambda: page(
            "outlet",
            visitor,
            title=outlet.name,
            queue=queues.waiting_at(wiring, outlet.id),
            **values,
        )
    )


def _found(unit: Unit, visitor: Visitor, state: Look) -> dict[str, Any]:
    place = visitor.whereabouts
    which = _which(state)
    if place.cell is not None:
        index = nearest.index(unit)
        return {
            "exact": False,
            "nearby": index.nearest(*place.cell, count=_count(), which=which),
        }
    city = divisions.table().prefecture(place.division or "")
    if city is None:
        return {"exact": False}
    return {"exact": False} | _in_city(unit, city, place.division or "", which)


def _in_city(
    unit: Unit, city: Division, home: str, which: Callable[[Outlet], bool] | None
) -> dict[str, Any]:
    """The outlets of one county of the city: the asked one, the visitor's own, or the first."""
    index = nearest.index(unit)
    table = divisions.table()
    counties = [
        county for county in table.counties(city.code) or (city,) if index.in_county(county.code)
    ]
    codes = [county.code for county in counties]
    asked = request.args.get("county", "")
    county = next((code for code in (asked, home) if code in codes), codes[0] if codes else "")
    found = [each for each in index.in_county(county) if which is None or which(each)]
    return {
        "city": city,
        "counties": [(each, _address(county=each.code)) for each in counties],
        "county": county,
        "where": table.label(county),
        "listed": found[: _count()],
        "total": len(found),
    }


def _count() -> int:
    return MOST_SHOWN if request.args.get("more") == "1" else SHOWN


def _narrowing() -> Mapping[str, str]:
    """What the visitor asked to see only, of what can be asked."""
    asked = {name: request.args.get(name, "") for name in ("open", "accessible", "does")}
    return {
        name: value
        for name, value in asked.items()
        if (value in SOUGHT if name == "does" else value == "1")
    }


def _which(state: Look) -> Callable[[Outlet], bool] | None:
    """Whether to show an outlet; nothing where all are shown."""
    asked = _narrowing()
    if not asked:
        return None
    does = asked.get("does")

    def fits(outlet: Outlet) -> bool:
        if does and does not in outlet.services:
            return False
        if "accessible" in asked and not outlet.accessible:
            return False
        return "open" not in asked or state(outlet).is_open

    return fits


def _filters() -> list[tuple[str, str, bool]]:
    """Each chip's words, the address that turns it on or off, and whether it is on."""
    asked = _narrowing()
    chips = [("开门中", "open", "1"), ("无障碍", "accessible", "1")]
    chips += [(name, "does", name) for name in SOUGHT]
    return [
        (words, _address(**{name: "" if asked.get(name) == value else value}), is_on)
        for words, name, value in chips
        for is_on in (asked.get(name) == value,)
    ]


def _address(**changed: str) -> str:
    """This page's address with these changes; what is empty is left out."""
    kept = {"county": request.args.get("county", "")[:6], **_narrowing()} | changed
    query = urlencode({name: value for name, value in kept.items() if value})
    return f"{_PATH}?{query}" if query else _PATH
