"""What pages ask of us beside pages: sign-in, city, position, large print, a signature."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, abort, jsonify, redirect, request, session
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate
from werkzeug.wrappers import Response as AnyResponse

from lightservices import catalogue, counts, visit
from lightservices.pages import outage, outlet_pages, script
from lightservices.pages.shell import CARE_COOKIE, rendered
from regions import atlas, divisions
from regions.divisions import DivisionCode
from service import journal
from service.access import access
from service.wechat.errors import TryLater, WillNever
from service.wechat.visitor import ForeignAddress, jssdk_config
from service.wiring import wiring

doors = Blueprint("doors", __name__)
outage.cover(doors)

_YEAR_SECONDS: Final = 365 * 24 * 3600
_GUESTS_TOO: Final = "guests pick a city and read in large print as followers do"
_GUEST_QUERY: Final = "?guest=1"


class PlaceInput(Schema):
    """What ``wx.getLocation`` gives, asked for in GCJ-02; metres of accuracy."""

    class Meta:
        unknown = EXCLUDE

    latitude = fields.Float(required=True, validate=validate.Range(-90, 90))
    longitude = fields.Float(required=True, validate=validate.Range(-180, 180))
    accuracy = fields.Float(allow_none=True, load_default=None, validate=validate.Range(min=0))


@doors.before_request
def _refuse_foreign_pages() -> None:
    """Only our own pages may change anything; the cookie's SameSite says so too, on new phones."""
    if request.method != "POST":
        return
    origin = request.headers.get("Origin")
    ours = (_origin(wiring().settings.public_base_url), _origin(request.host_url))
    if origin is not None and origin not in ours:
        abort(403)


@doors.get("/oauth/start")
@access("public", why="whoever opens it is sent to WeChat, which alone says who they are")
def start() -> AnyResponse:
    """Forget the previous visit and ask WeChat anew."""
    session.clear()
    path = visit.own_path(request.args.get("next"))
    return _uncached(redirect(visit.start(wiring().settings, session, path)))


@doors.get("/oauth/callback")
@access("public", why="WeChat sends visitors here; the state shows that this browser asked")
def callback() -> AnyResponse:
    """WeChat's answer, then on to the clean address, so that going back spends no code twice."""
    path = visit.own_path(request.args.get("next"))
    is_ours = visit.finish(
        wiring(), session, state=request.args.get("state", ""), code=request.args.get("code", "")
    )
    session.permanent = True
    # A browser that keeps no cookies would go round for ever; the query says to serve it as it is.
    return _uncached(redirect(path if is_ours else path + _GUEST_QUERY))


@doors.post("/visit/city")
@access("follower", why=_GUESTS_TOO)
def choose_city() -> AnyResponse:
    """The visitor picked a city."""
    table = divisions.table()
    code = request.form.get("division", "")
    city = table.prefecture(code)
    if city is None or city.code != code:
        abort(400)
    with wiring().unit() as unit:
        visit.choose_city(unit, session, DivisionCode(code))
    session.permanent = True
    journal.count("cities_chosen")
    return redirect(visit.own_path(request.form.get("next")), 303)


@doors.post("/visit/follow")
@access("follower", why=_GUESTS_TOO)
def follow() -> AnyResponse:
    """The visitor no longer insists on a city."""
    with wiring().unit() as unit:
        visit.follow_position(unit, session)
    return redirect(visit.own_path(request.form.get("next")), 303)


@doors.post("/visit/place")
@access("follower", why=_GUESTS_TOO)
def place() -> AnyResponse:
    """The follower let the page see where they are: answer with the outlets around that spot.

    The spot itself is used for this answer and then gone.
    """
    if not request.is_json:
        abort(415)
    try:
        told: dict[str, Any] = PlaceInput().load(request.get_json())
    except (ValidationError, RecursionError):
        # Brackets nested by the thousand exhaust the JSON reader.
        abort(400)
    latitude, longitude = told["latitude"], told["longitude"]
    county = atlas.current(wiring().settings).county_at(latitude, longitude)
    with wiring().unit() as unit:
        visit.report_position(
            unit, session, latitude=latitude, longitude=longitude,
            precision_m=told["accuracy"], county=county,
        )  # fmt: skip
    session.permanent = True
    with wiring().reading() as unit:
        seen = visit.visitor(unit, session)
        line = rendered("pages/branch_line.html", whereabouts=seen.whereabouts, here="/s/outlets")
        return _uncached(
            jsonify(line=line, outlets=outlet_pages.outlets_around(unit, latitude, longitude))
        )


@doors.post("/visit/care")
@access("public", why="large print is for everybody")
def care() -> AnyResponse:
    """Switch large print on or off, for a year."""
    response = redirect(visit.own_path(request.form.get("next")), 303)
    if request.form.get("on") == "1":
        response.set_cookie(CARE_COOKIE, "1", max_age=_YEAR_SECONDS, samesite="Lax")
    else:
        response.delete_cookie(CARE_COOKIE, samesite="Lax")
    return response


@doors.post("/visit/script")
@access("public", why="everybody may read in the script they know")
def choose_script() -> AnyResponse:
    """Simplified or Traditional, for a year."""
    response = redirect(visit.own_path(request.form.get("next")), 303)
    chosen = request.form.get("to")
    if chosen in (script.TRADITIONAL, script.SIMPLIFIED):
        response.set_cookie(script.COOKIE, chosen, max_age=_YEAR_SECONDS, samesite="Lax")
    return response


@doors.post("/visit/useful")
@access("follower", why="a guest's opinion of a page counts as much; only the number is kept")
def useful() -> AnyResponse:
    """Whether a page helped: one more for the branch and the day, and nothing about the person."""
    key, answer = request.form.get("page", ""), request.form.get("answer", "")
    with wiring().unit() as unit:
        if answer not in (counts.YES, counts.NO) or catalogue.find(unit, key) is None:
            abort(400)
        branch = visit.visitor(unit, session).whereabouts.branch.code
        counts.add_feedback(unit, branch=branch, page=key, is_useful=answer == counts.YES)
    return redirect(f"/s/{key}?said={answer}#useful", 303)


@doors.get("/visit/jssdk")
@access("public", why="signs nothing but our own pages, which anybody may open")
def jssdk() -> AnyResponse:
    """What the page's script needs to ask WeChat for the position and the map."""
    try:
        return _uncached(jsonify(jssdk_config(wiring(), request.args.get("url", ""))))
    except ForeignAddress:
        abort(400)
    except (TryLater, WillNever):
        abort(503)


def _uncached(response: AnyResponse) -> AnyResponse:
    response.headers["Cache-Control"] = "no-store"
    return response


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
