"""The emergency's own page ``/e/<key>``, and the pages that go on when the database is gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, abort, redirect, request, session
from werkzeug.wrappers import Response as AnyResponse

from lightservices import catalogue, visit
from lightservices.catalogue import Service
from lightservices.emergency import in_force, outlet_orders, queries, snapshot, titles
from lightservices.emergency.in_force import NOW, Emergency
from lightservices.emergency.places import places
from lightservices.emergency.snapshot import LastGood
from lightservices.emergency.states import State
from lightservices.outlets import openings
from lightservices.outlets.holidays import calendar
from lightservices.outlets.models import Outlet
from lightservices.outlets.nearest import Index, Nearby, index
from lightservices.outlets.openings import Look
from lightservices.pages.shell import page
from lightservices.visit import Visitor
from regions import branches, divisions
from regions.divisions import DivisionCode
from regions.presence import Whereabouts
from service import clock, journal
from service.access import access
from service.wiring import Unit, wiring

emergency_pages = Blueprint("emergency_pages", __name__, template_folder="../templates")

ANYWAY: Final = "anyway"
_SHOWN: Final = 3
#: How many of the nearest are asked whether they are open; further away is no help now.
_LOOKED_AT: Final = 40
_MOST_LISTED: Final = 30
_WHY: Final = "guests read the same page, for the city they picked"
OUTLETS: Final = "/s/outlets"
_ROOT: Final = "/e/"


@dataclass(frozen=True, slots=True)
class Near:
    """An outlet of the page: how far, and whether it is open."""

    outlet: Outlet
    metres: float | None
    says: str


@emergency_pages.before_request
def _identify() -> AnyResponse | None:
    """Let WeChat say who opens the page, once per visit."""
    if not visit.should_identify(wiring(), request, session):
        return None
    return redirect(visit.start(wiring().settings, session, request.path))


@emergency_pages.get("/e/<key>")
@access("follower", why=_WHY)
def emergency(key: str) -> AnyResponse:
    """What is in force, for whoever is inside; elsewhere, kindly, that it is not for here. Whoever
    may be inside is asked."""
    with wiring().reading() as unit:
        visitor = visit.visitor(unit, session)
        here = in_force.at(unit, visitor.whereabouts)
        if key == NOW:
            return redirect(here[0].path) if here else _nothing(unit, visitor)
        found = in_force.one(unit, key)
        if found is None:
            return _over(unit, visitor, key)
        journal.count("pages", page="emergency")
        if found not in here and request.args.get(ANYWAY) != "1":
            return _page("emergency_outside", visitor, found, **_sight(visitor, found, here))
        return _shown(unit, visitor, found, here)


def from_last_good(path: str) -> Response | None:
    """The page at this path without any database; None where none can be made."""
    wired = wiring()
    good = snapshot.load(wired.settings)
    if good is None:
        return None
    journal.count("pages", page="last_good")
    if path == OUTLETS:
        return _unkept(_outlets(good))
    if not path.startswith(_ROOT):
        return None
    return _unkept(_last_good_emergency(good, path.removeprefix(_ROOT)))


def last_known() -> tuple[Emergency, ...]:
    """What is in force wherever, as far as the snapshot knows: for the page that says sorry."""
    good = snapshot.load(wiring().settings)
    return good.in_force() if good is not None else ()


def as_seen(unit: Unit, found: Emergency) -> Response:
    """The page as a follower inside sees it, for whoever decides on it: open already or not."""
    directory = branches.directory(unit)
    branch = directory.get(found.branches[0]) if found.branches else None
    county = next(iter(found.covered.counties), None)
    division = DivisionCode(county) if county else None
    place = Whereabouts(branch or directory.head, division, None, None, None, "预览")
    return _shown(unit, visit.standing(unit, None, place), found, [found])


def _shown(unit: Unit, visitor: Visitor, found: Emergency, here: Sequence[Emergency]) -> Response:
    look = openings.look(unit)
    place = visitor.whereabouts
    chain = tuple(unit.wiring.tables.lineage(unit, place.branch.code))
    sight = _sight(visitor, found, here)
    is_near = sight["is_inside"] or sight["may_be"]
    near = _near(index(unit), look, place.cell, place.division) if is_near else ()
    return _page(
        "emergency", visitor, found, functions=_functions(found, lambda key: _find(unit, key),
        chain), near=near, age="", **sight,
    )  # fmt: skip


def _sight(visitor: Visitor, found: Emergency, here: Sequence[Emergency]) -> dict[str, Any]:
    """Where it is, and whether the visitor is there as far as anybody knows."""
    return {
        "places": places(found),
        "is_inside": found in here,
        "may_be": found not in here and found.may_hold(visitor.whereabouts),
    }


def _find(unit: Unit, key: str) -> Service | None:
    return catalogue.find(unit, key)


def _functions(
    found: Emergency, find: Callable[[str], Service | None], chain: Sequence[str]
) -> list[tuple[Service, str]]:
    """The contactless functions that are there for followers of this branch, each with why."""
    listed = ((find(one.key), one.why) for one in found.content.functions)
    return [
        (service, why)
        for service, why in listed
        if service is not None and (not chain or service.availability.reaches(chain))
    ]


def _near(
    outlets: Index, look: Look, cell: tuple[float, float] | None, division: str | None
) -> list[Near]:
    """The nearest that are open now; where none is, the nearest with when they open."""
    around: Sequence[Nearby | Outlet]
    if cell is not None:
        around = outlets.nearest(*cell, count=_LOOKED_AT)
    else:
        around = outlets.in_county(division or "")[:_LOOKED_AT]
    found = [_seen(one, look) for one in around]
    opened = [near for near, is_open in found if is_open]
    return (opened or [near for near, _ in found])[:_SHOWN]


def _seen(one: Nearby | Outlet, look: Look) -> tuple[Near, bool]:
    outlet = one.outlet if isinstance(one, Nearby) else one
    state = look(outlet)
    metres = one.metres if isinstance(one, Nearby) else None
    return Near(outlet, metres, state.says), state.is_open


def _over(unit: Unit, visitor: Visitor, key: str) -> Response:
    """It is over, was never opened, or does not exist; only the first is anybody's business."""
    record = queries.find(unit, key)
    if record is None or record.stands not in (State.CLOSED, State.EXPIRED):
        abort(404)
    content = queries.version(unit, record, record.live or 1).content
    return page(
        "emergency_over", visitor, title=titles.marked(content.title, drill=record.drill),
        service_words=content.ended, ended_at=record.ended_at or record.ends_at,
    )  # fmt: skip


def _nothing(unit: Unit, visitor: Visitor) -> Response:
    """Nothing is in force here; who may be where something is reads what and where."""
    if found := in_force.perhaps(unit, visitor.whereabouts):
        listed = [(one, places(one)) for one in found]
        return page("emergency_where", visitor, title="应急服务", listed=listed)
    return page("emergency_over", visitor, title="应急服务", service_words="", ended_at=None)


def _page(template: str, visitor: Visitor | None, found: Emergency, **values: Any) -> Response:
    return page(template, visitor, title=found.title, emergency=found, emergencies=(), **values)


# Without a database


def _last_good_emergency(good: LastGood, key: str) -> Response:
    opened = good.in_force()
    found = next((one for one in opened if one.key == key), None)
    if found is None and key == NOW and len(opened) == 1:
        found = opened[0]
    if found is None:
        return page(
            "fault", None, title="暂时查不到", emergencies=opened, status=503,
            way_out=f"{good.says}里没有这一项应急服务，请过几秒再试，或拨打客服热线。",
        )  # fmt: skip
    return _page(
        "emergency", None, found, functions=_functions(found, catalogue.service, ()),
        near=_near(good.outlets, _look(good), None, _county()), is_inside=True, may_be=False,
        age=good.says, places=places(found),
    )  # fmt: skip


def _outlets(good: LastGood) -> Response:
    """The outlets of a county; before one is picked, the places there are any in."""
    look, county = _look(good), _county()
    listed = good.outlets.in_county(county)
    table = divisions.table()
    counties = sorted(good.outlets.counties())
    city = table.prefecture(county)
    near = [code for code in counties if city and table.prefecture(code) == city]
    return page(
        "outlets_last_good", None, title="附近网点", age=good.says, where=table.label(county),
        listed=[_seen(one, look)[0] for one in listed[:_MOST_LISTED]],
        places=_by_province(near or counties), emergencies=good.in_force(),
    )  # fmt: skip


def _by_province(counties: Sequence[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Provinces with their counties' codes and names."""
    table, found = divisions.table(), dict[str, list[tuple[str, str]]]()
    for code in counties:
        path = table.path(code)
        if path:
            name = "".join(step.name for step in path[1:]) or path[0].name
            found.setdefault(path[0].name, []).append((code, name))
    return list(found.items())


def _look(good: LastGood) -> Look:
    """Whether an outlet is open now, as far as the snapshot tells."""
    ordering = [one for one in good.in_force() if one.content.orders and not one.drill]
    local = clock.shanghai(clock.now())
    ordered = outlet_orders.finding(ordering) if ordering else None
    return openings.looking(local, calendar(), lambda code: (code,), ordered)


def _county() -> str:
    """The county that was asked for, or the one the guest's cookie holds."""
    if request.args.get("all") == "1":
        return ""
    asked = request.args.get("county") or session.get("city") or ""
    return asked if isinstance(asked, str) and divisions.table().get(asked) else ""


def _unkept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Retry-After"] = "5"
    return response
