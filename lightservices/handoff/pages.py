"""The page of the local person, and the QR codes on it."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, abort, request

from lightservices.catalogue import Service
from lightservices.handoff import choosing, people
from lightservices.outlets import nearest
from lightservices.outlets.holidays import calendar
from lightservices.pages import outage, queries
from lightservices.pages.shell import page
from lightservices.tickets import paths
from lightservices.visit import Visitor
from service import clock
from service.access import access
from service.wiring import Unit, wiring

handoff = Blueprint("handoff", __name__)
outage.cover(handoff)

_OTHERS: Final = 5
_DAY_SECONDS: Final = 24 * 3600


def person(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """Who answers for this follower here and now, with the way to them."""
    place = visitor.whereabouts
    chosen = request.args.get("outlet", "")[:32]
    found = choosing.local_people(unit, place, chosen=chosen)
    local, days = clock.shanghai(clock.now()), calendar()
    shown = [
        (one, one.says(local, days), one.is_in(local, days))
        for one in (found.people if found else ())
    ]
    has_people = people.everybody(unit).by_outlet
    around = nearest.nearest(unit, *place.cell, count=4 * _OTHERS) if place.cell else []
    others = [near for near in around if near.outlet.id in has_people][:_OTHERS]
    offered = queries.offered_by_key(unit, visitor)
    return page(
        "person", visitor, title=service.title, service=service, found=found, people=shown,
        others=[near for near in others if not found or near.outlet != found.outlet],
        new=paths.NEW, related=[offered[key] for key in service.related if key in offered],
    )  # fmt: skip


@handoff.get("/q/<digest>")
@access("public", why="a QR code on a page that anybody may open")
def qr(digest: str) -> Response:
    """The QR code of one person."""
    with wiring().reading() as unit:
        found = people.everybody(unit).by_digest.get(digest)
    if found is None:
        abort(404)
    raw, media_type = people.qr_of(found)
    response = Response(raw, mimetype=media_type)
    response.headers["Cache-Control"] = f"public, max-age={_DAY_SECONDS}, immutable"
    return response
