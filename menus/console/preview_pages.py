"""An edition as a follower at a place and time would see it: the phone's menu, and the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import shapely
from flask import Response, abort, render_template, request, url_for
from marshmallow import ValidationError

from lightservices import promotion_section, promotions, rich_text, zones
from lightservices.console import ground
from lightservices.pages import assets, zone_pages
from lightservices.pages.zone_pages import Trial
from lightservices.promotions import Promotion
from lightservices.visit import Visitor
from lightservices.zones import Zone
from menus.console import desks, offer, seen
from menus.console.blueprint import editors
from menus.console.seen import Phone
from regions import atlas, branches, divisions, jurisdiction, presence
from regions.branches import BranchCode
from regions.divisions import DivisionCode
from regions.fixes import Source
from regions.presence import CELLS_PER_DEGREE, Whereabouts
from service import clock
from service.access import access
from service.approvals.refusals import NotYours
from service.console import guard, shell
from service.staff import door
from service.wechat.errors import WillNever
from service.wiring import Unit, wiring

#: What asks a phone whether it is set to dark.
_DARK: Final = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
#: How a follower may have set the phone.
LOOKS: Final[Mapping[str, str]] = {"light": "浅色", "dark": "深色", "large": "大字"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Where, when and how to look."""

    where: Whereabouts
    at: datetime
    look: str
    #: What to ask the page in the frame for.
    query: dict[str, Any]


@editors.get("/branches/<code>/zone/preview")
@access("staff", may="read")
def zone_preview(code: str) -> Response:
    """The phone with menu and page as a follower here and then sees them, and the reasons."""
    with wiring().reading() as unit:
        content = _edition(unit, code)
        asked_for = asked(unit, code, content)
        phone, trouble = _phone(unit, code, content, asked_for)
        return shell.page(
            "editor/preview.html",
            title="预览",
            code=code,
            names=unit.wiring.tables.branch_names(unit),
            asked=asked_for,
            looks=LOOKS,
            phone=phone,
            trouble=trouble,
            cities=offer.territory(unit, code),
            ground=ground.of(unit, code),
            page=url_for("editors.zone_look", code=code, **asked_for.query),
            mark=request.args.get("edition", ""),
            typed=asked_for.query,
            is_inside=asked_for.where.branch.code in jurisdiction.below(unit, code),
        )


@editors.get("/branches/<code>/zone/look")
@access("staff", may="read")
def zone_look(code: str) -> Response:
    """The zone's page itself, for the frame of a preview."""
    with wiring().reading() as unit:
        content = _edition(unit, code)
        asked_for = asked(unit, code, content)
        html = zone_html(unit, code, content, asked_for)
        return Response(html, mimetype="text/html")


@editors.get("/branches/<code>/zone/look/promotion")
@access("staff", may="read")
def promotion_look(code: str) -> Response:
    """One promotion's page, for the frame of a preview."""
    with wiring().reading() as unit:
        content = _edition(unit, code)
        asked_for = asked(unit, code, content)
        found = [one for one in _promotions(code, content) if one.name == request.args.get("name")]
        if not found:
            abort(404)
        html = render_template(
            "pages/promotion.html",
            title=found[0].title,
            visitor=None,
            whereabouts=asked_for.where,
            here="/z/local",
            **worn(asked_for.look),
            promotion=found[0],
            says=rich_text.rendered(found[0].text),
            branch=unit.wiring.tables.branch_names(unit).get(code, ""),
            now=asked_for.at,
        )
        return Response(html, mimetype="text/html")


@editors.get("/looks/<look>/<name>")
@access("staff", may="read")
def stylesheet(look: str, name: str) -> Response:
    """A follower's stylesheet for a phone set to dark or light, however this computer is set."""
    found = assets.shelf().get(name)
    if found is None or found.media_type != "text/css" or look not in LOOKS:
        abort(404)
    whenever = "@media all" if look == "dark" else "@media not all"
    answer = Response(_DARK.sub(whenever, found.body.decode()), mimetype="text/css")
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer


def worn(look: str) -> dict[str, Any]:
    """What the page is told for a phone that is set like this; a preview runs no script."""
    shown = {
        name: url_for("editors.stylesheet", look=look, name=name)
        for name in assets.paths()
        if name.endswith(".css")
    }
    return {"care": look == "large", "assets": shown}


def zone_html(unit: Unit, code: str, content: Mapping[str, Any], asked_for: Asked) -> str:
    """The page of the zone if this edition were live."""
    zone = _zone_there(unit, code, content, asked_for)
    trial = _trial(unit, code, content, asked_for)
    return render_template(
        "pages/zone.html",
        title=zone.title if zone else zone_pages.NO_ZONE,
        visitor=None,
        whereabouts=asked_for.where,
        here="/z/local",
        **worn(asked_for.look),
        **zone_pages.sight(unit, Visitor(None, asked_for.where), zone, is_own=True, trial=trial),
    )


def _edition(unit: Unit, code: str) -> dict[str, Any]:
    door(unit, guard.me(), code, "read")
    mark = request.args.get("edition", "")
    try:
        if mark.isdigit():
            found = desks.open_desk(
                unit, "zone", branch=code, key="", me=guard.me(), number=int(mark)
            )
            return found.content
        return desks.edition(unit, "zone", branch=code, key="", me=guard.me(), mark=mark)
    except NotYours:
        abort(404)


def asked(unit: Unit, code: str, content: Mapping[str, Any] | None = None) -> Asked:
    """What the address asks for.

    An address that says nothing of a place begins where the promotion it names, or the first one
    the edition changes, is offered; else, as for an empty place, in the branch's first district.
    """
    told = dict(request.args)
    if content is not None and not told.keys() & {"place", "latitude", "longitude"}:
        told |= _start(unit, code, content)
    try:
        at = datetime.fromisoformat(told["at"]).replace(tzinfo=clock.SHANGHAI)
    except (KeyError, ValueError):
        at = clock.now()
    look = told.get("look", "light")
    point = _point(told) if not told.get("place") else None
    if point is not None:
        where = _at_point(unit, *point)
    else:
        where = _at_division(unit, told.get("place") or _first(unit, code))
    query = {
        "edition": told.get("edition", ""), "place": told.get("place", ""), "look": look,
        "latitude": told.get("latitude", ""), "longitude": told.get("longitude", ""),
        "at": f"{clock.shanghai(at):%Y-%m-%dT%H:%M}",
    }  # fmt: skip
    return Asked(where, at, look if look in LOOKS else "light", query)


def _start(unit: Unit, code: str, content: Mapping[str, Any]) -> dict[str, str]:
    """Where the promotion that is looked at is offered, as an address says it."""
    name = request.args.get("name")
    live = [promotion_section.write(one) for one in promotions.of(unit, BranchCode(code))]
    for one in _promotions(code, content):
        is_meant = one.name == name if name else promotion_section.write(one) not in live
        if is_meant and (found := _place_of(one)):
            return found
    return {}


def _place_of(one: Promotion) -> dict[str, str]:
    inside = one.area.inside if one.area is not None else None
    codes = sorted(map(str, one.divisions or (inside.divisions if inside else ())))
    if codes:
        return {"place": codes[0]}
    if inside is not None and inside.polygons:
        # The middle of a ring that is bent like a horseshoe lies outside of it.
        middle = shapely.Polygon(inside.polygons[0].corners).representative_point()
        return {"latitude": f"{middle.x:.5f}", "longitude": f"{middle.y:.5f}"}
    if inside is not None and inside.circles:
        first = inside.circles[0]
        return {"latitude": f"{first.latitude:.5f}", "longitude": f"{first.longitude:.5f}"}
    return {}


def _point(told: Mapping[str, str]) -> tuple[float, float] | None:
    """The point the address names; numbers that are none, or infinite, name nothing."""
    try:
        latitude, longitude = float(told["latitude"]), float(told["longitude"])
    except (KeyError, ValueError):
        return None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _first(unit: Unit, code: str) -> str:
    found = branches.directory(unit).get(code)
    cities = offer.territory(unit, code) if found is None or found.division is None else []
    return (
        str(found.division) if found and found.division else cities[0].city.code if cities else ""
    )


def _at_division(unit: Unit, code: str) -> Whereabouts:
    if divisions.table().get(code) is None:
        return presence.nowhere(unit)
    point = ground.point_of(code)
    found = presence.at_city(unit, DivisionCode(code))
    cell = _cell(*point) if point is not None else None
    return replace(found, cell=cell, why=f"您的位置在{divisions.table().label(code)}")


def _at_point(unit: Unit, latitude: float, longitude: float) -> Whereabouts:
    """Somebody who stands here; degrees of GCJ-02."""
    division = atlas.current(unit.settings).county_at(latitude, longitude)
    found = branches.directory(unit).serving(division, latitude=latitude, longitude=longitude)
    label = divisions.table().label(division) if division else "地图以外"
    why = f"您的位置在{label}"
    return Whereabouts(
        found.branch, division, Source.EVENT, _cell(latitude, longitude), clock.now(), why
    )


def _cell(latitude: float, longitude: float) -> tuple[float, float]:
    """The middle of the coarse cell, which is all we would know of a follower there."""
    return (
        (int(latitude * CELLS_PER_DEGREE) + 0.5) / CELLS_PER_DEGREE,
        (int(longitude * CELLS_PER_DEGREE) + 0.5) / CELLS_PER_DEGREE,
    )


def _phone(
    unit: Unit, code: str, content: Mapping[str, Any], asked_for: Asked
) -> tuple[Phone | None, str]:
    try:
        made_of = seen.with_edition(unit, code, content, at=asked_for.at)
    except WillNever as refused:
        return None, str(refused)
    return seen.phone(unit, asked_for.where.branch.code, made_of), ""


def _zone_there(unit: Unit, code: str, content: Mapping[str, Any], asked_for: Asked) -> Zone | None:
    """The zone of a follower there if this edition were live."""
    own = dict(zones.zones_by_branch(unit, at=asked_for.at))
    own.pop(BranchCode(code), None)
    edited = seen.zone_in(unit, code, content.get("zone"))
    if edited is not None and edited.is_open(asked_for.at):
        own[edited.branch] = edited
    chain = branches.directory(unit).chain(asked_for.where.branch.code)
    return next((own[one.code] for one in chain if one.code in own), None)


def _trial(unit: Unit, code: str, content: Mapping[str, Any], asked_for: Asked) -> Trial:
    found = _promotions(code, content)
    own = dict(zones.zones_by_branch(unit, at=asked_for.at))
    edited = seen.zone_in(unit, code, content.get("zone"))
    if edited is not None:
        own[edited.branch] = edited
    chain = branches.directory(unit).chain(asked_for.where.branch.code)
    off = {key for one in chain if one.code in own for key in own[one.code].switched_off}
    return Trial(
        asked_for.at,
        {code: found},
        frozenset(off - offer.ALWAYS),
        {
            one.name: url_for("editors.promotion_look", code=code, name=one.name, **asked_for.query)
            for one in found
            if one.name is not None
        },
    )


def _promotions(code: str, content: Mapping[str, Any]) -> list[Promotion]:
    """The promotions of an edition that can be read; one still being typed is left out."""
    found = []
    for raw in content.get("promotions") or ():
        try:
            found.append(promotion_section.promotion_of(code, raw))
        except ValidationError:
            continue
    return found
