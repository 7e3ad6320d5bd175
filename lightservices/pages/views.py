"""The pages' addresses: ``/s/<service>``, ``/z/<zone>``, ``/p/<promotion>``, ``/o/<outlet>``."""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, request, session
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from lightservices import catalogue, promotions, rich_text, visit, zones
from lightservices.ages import age
from lightservices.catalogue import Kind
from lightservices.foryou import pages as foryou
from lightservices.outlets import nearest
from lightservices.pages import (
    directory,
    kinds,
    outage,
    outlet_pages,
    queries,
    shell,
    tally,
    zone_pages,
)
from lightservices.pages.later import Later
from lightservices.pages.shell import page
from service import clock, journal, refusals
from service.access import access
from service.wiring import wiring

pages = Blueprint("pages", __name__, template_folder="../templates")
outage.cover(pages)
pages.app_context_processor(shell.surroundings)
pages.add_app_template_filter(shell.day, "day")
pages.add_app_template_filter(shell.minute, "minute")
pages.add_app_template_filter(nearest.distance, "distance")
pages.add_app_template_filter(shell.yuan, "yuan")
pages.add_app_template_filter(shell.gaps, "gaps")
pages.add_app_template_filter(directory.marked, "marked")
pages.add_app_template_filter(age, "age")

_WHY = "guests read the same pages, for head office or the city they picked"


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
    with wiring().reading() as unit:
        found = catalogue.find(unit, key)
        view = kinds.view_of(found) if found is not None else None
        if found is None or view is None:
            abort(404)
        if found.kind is Kind.LINK and found.url.startswith("/"):
            return redirect(found.url)
        visitor = visit.visitor(unit, session)
        journal.count("pages", page=key if not found.owner else "own")
        if not queries.is_offered(unit, visitor, found):
            return page("elsewhere", visitor, title=found.title, service=found)
        shown = view(unit, visitor, found.read_by(queries.branch_chain(unit, visitor)))
    response = shown.answer() if isinstance(shown, Later) else shown
    branch = visitor.whereabouts.branch.code
    response = foryou.opened(response, wiring(), visitor=visitor, service=found)
    return tally.opened(response, wiring(), branch=branch, key=key)


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
        title = shown.title if shown else zone_pages.NO_ZONE
        sight = zone_pages.sight(unit, visitor, shown, is_own=shown == own)
        return page("zone", visitor, title=title, **sight)


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
            says=rich_text.rendered(found.text),
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
        shown = outlet_pages.one(unit, visit.visitor(unit, session), found)
    return shown.answer() if isinstance(shown, Later) else shown


@pages.app_errorhandler(404)
def _missing(_fault: HTTPException) -> Response:
    """A kind page for people on our pages; everybody else gets the plain answer."""
    return outage.fault_page(404) if _is_page() else refusals.answered(404)


@pages.app_errorhandler(500)
def _broken(_fault: Exception) -> Response:
    return outage.fault_page(500) if _is_page() else refusals.answered(500)


def _is_page() -> bool:
    """One of our addresses, or somebody in a browser: browsers name HTML, programs do not."""
    ours = request.path[:3] in ("/s/", "/z/", "/p/", "/o/", "/e/")
    staff = request.path.startswith("/console")
    return ours or (not staff and "text/html" in request.headers.get("Accept", ""))
