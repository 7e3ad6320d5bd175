"""The pages' addresses: ``/s/<service>``, ``/z/<zone>``, ``/p/<promotion>``, ``/o/<outlet>``."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, abort, redirect, request, session
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from lightservices import catalogue, promotions, visit, zones
from lightservices.catalogue import Kind
from lightservices.outlets import nearest
from lightservices.pages import queries, shell
from lightservices.pages.shell import page
from lightservices.visit import Visitor
from regions import branches, divisions
from service import clock, journal, refusals
from service.access import access
from service.wiring import Unit, wiring

pages = Blueprint("pages", __name__, template_folder="../templates")
pages.app_context_processor(shell.surroundings)
pages.add_app_template_filter(shell.day, "day")
pages.add_app_template_filter(nearest.distance, "distance")
pages.add_app_template_filter(shell.yuan, "yuan")

_WHY = "guests read the same pages, for head office or the city they picked"
_OUTLETS_SHOWN = 3


@pages.before_request
def _identify() -> AnyResponse | None:
    """Let WeChat say who opens the page, once per visit."""
    if request.endpoint == "pages.home" or not visit.should_identify(wiring(), request, session):
        return None
    return redirect(visit.start(wiring().settings, session, request.path))


@pages.get("/")
@access("follower", why=_WHY)
def home() -> AnyResponse:
    """The address alone leads to the visitor's own zone."""
    return redirect(visit.HOME_PATH)


@pages.get("/s/<key>")
@access("follower", why=_WHY)
def service(key: str) -> AnyResponse:
    """One light service."""
    found = catalogue.service(key)
    if found is None:
        abort(404)
    if found.kind is Kind.LINK:
        return redirect(found.url)
    view = queries.view_of(found)
    if view is None:
        abort(404)
    with wiring().reading() as unit:
        visitor = visit.visitor(unit, session)
        journal.count("pages", page=key)
        if not found.availability.reaches(queries.branch_chain(unit, visitor)):
            return page("elsewhere", visitor, title=found.title, service=found)
        return view(unit, visitor, found)


@pages.get("/z/<key>")
@access("follower", why=_WHY)
def zone(key: str) -> AnyResponse:
    """A branch's zone, or with ``local`` the visitor's own."""
    with wiring().reading() as unit:
        visitor = visit.visitor(unit, session)
        own = zones.local_zone(unit, visitor.whereabouts.branch.code)
        shown = own if key == "local" else zones.zone(unit, key)
        if shown is None and key != "local":
            abort(404)
        journal.count("pages", page="zone")
        if shown is not None and not shown.is_open(clock.now()):
            return page("zone_closed", visitor, title=shown.title, zone=shown)
        return _zone_page(unit, visitor, shown, is_own=shown == own)


@pages.get("/p/<int:promotion_id>")
@access("follower", why=_WHY)
def promotion(promotion_id: int) -> AnyResponse:
    """One promotion, with whether it runs now."""
    with wiring().reading() as unit:
        found = promotions.promotion(unit, promotion_id)
        if found is None:
            abort(404)
        journal.count("pages", page="promotion")
        return page(
            "promotion",
            visit.visitor(unit, session),
            title=found.title,
            promotion=found,
            branch=queries.branch_names(unit).get(found.branch, ""),
            now=clock.now(),
        )


@pages.get("/o/<outlet_id>")
@access("follower", why=_WHY)
def outlet(outlet_id: str) -> AnyResponse:
    """One outlet: open now, what it does, how to get there."""
    with wiring().reading() as unit:
        found = nearest.outlet(unit, outlet_id)
        if found is None:
            abort(404)
        journal.count("pages", page="outlet")
        return page(
            "outlet",
            visit.visitor(unit, session),
            title=found.name,
            outlet=found,
            place=divisions.table().label(found.division),
            state=queries.outlet_state(found.hours),
        )


def _zone_page(unit: Unit, visitor: Visitor, shown: zones.Zone | None, *, is_own: bool) -> Response:
    offered = {one.key: one for one in queries.offered_services(unit, visitor)}
    place = visitor.whereabouts
    if shown is not None and not is_own:
        # Somebody from elsewhere looks at this zone: show what its branch offers everyone.
        branch = branches.directory(unit).get(shown.branch)
        place = replace(place, branch=branch or place.branch, division=None, cell=None)
    keys = shown.services if shown is not None else tuple(offered)
    return page(
        "zone",
        visitor,
        title=shown.title if shown else "微信银行",
        zone=shown,
        is_own=is_own,
        services=[offered[key] for key in keys if key in offered],
        promotions=promotions.current(unit, place, clock.now()),
        names=queries.branch_names(unit),
        nearby=nearest.nearest(unit, *place.cell, count=_OUTLETS_SHOWN) if place.cell else [],
        state=queries.outlet_state,
    )


@pages.app_errorhandler(404)
def _missing(_fault: HTTPException) -> Response:
    """A kind page for people on our pages; everybody else gets the plain answer."""
    return _fault_page(404) if _is_page() else refusals.answered(404)


@pages.app_errorhandler(500)
def _broken(_fault: Exception) -> Response:
    return _fault_page(500) if _is_page() else refusals.answered(500)


@pages.errorhandler(OperationalError)
@pages.errorhandler(InterfaceError)
def _waiting(_fault: Exception) -> Response:
    """The database does not answer: say so, and keep the way to the telephone open."""
    journal.logger("lightservices.pages").error("the database did not answer", exc_info=True)
    response = _fault_page(503)
    response.headers["Retry-After"] = "5"
    return response


def _is_page() -> bool:
    """One of our addresses, or somebody in a browser: browsers name HTML, programs do not."""
    ours = request.path[:3] in ("/s/", "/z/", "/p/", "/o/")
    return ours or "text/html" in request.headers.get("Accept", "")


def _fault_page(status: int) -> Response:
    title, way_out = refusals.WORDS[status]
    return page("fault", None, title=title, way_out=way_out, status=status)
