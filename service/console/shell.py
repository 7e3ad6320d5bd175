"""What every page of the console has around it: who one is, where one may go, what just happened.

A package's page extends ``console/base.html`` and is rendered by :func:`page`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, current_app, render_template, request, url_for
from markupsafe import Markup

from service import clock
from service.console import assets, cookies, guard
from service.staff import branches_of, rights
from service.staff.sessions import SIGNED_IN, Session
from service.wiring import NavigationEntry, Unit, wiring

#: Light or dark as the computer is set, or as the person insists.
THEMES: Final[Mapping[str, str]] = {"auto": "跟随系统", "light": "浅色", "dark": "深色"}

#: Brings the templates and filters that every page of the console uses, and no page of its own.
console = Blueprint("console", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the side navigation."""

    title: str
    href: str
    heading: str
    is_here: bool


def page(template: str, *, title: str, status: int = 200, **values: Any) -> Response:
    """One page of the console, such as ``page("console/home.html", title="首页")``."""
    html = render_template(template, title=title, **_surroundings(), **values)
    return Response(html, status, mimetype="text/html")


def working_branch(unit: Unit, session: Session) -> str:
    """The branch this person is working for: as chosen, while they may, else their first."""
    grants = session.me.grants
    if session.branch and rights.covers(grants, unit.wiring.tables.lineage(unit, session.branch)):
        return session.branch
    return min(
        (grant.branch for grant in grants), key=lambda code: (code != "HQ", code), default=""
    )


def branch_name(unit: Unit, code: str) -> str:
    return unit.wiring.tables.branch_names(unit).get(code, code)


@console.app_template_filter("moment")
def moment(when: datetime | None) -> str:
    """A time as people in China read it, to the minute; 「—」 for none."""
    return f"{clock.shanghai(when):%Y-%m-%d %H:%M}" if when else "—"


@console.app_template_filter("role_title")
def role_title(role: str) -> str:
    found = rights.ROLES.get(role)
    return found.title if found else role


def _surroundings() -> dict[str, Any]:
    settings = wiring().settings
    found = guard.known_session()
    theme = cookies.read(settings, cookies.THEME)
    around = {
        "assets": assets.paths(),
        "bank_name": settings.bank_name,
        "theme": theme if theme in THEMES else "auto",
        "themes": THEMES,
        "here": request.full_path.rstrip("?"),
        "session": found,
        "csrf": found.csrf if found else "",
        "csrf_field": _csrf_field(found.csrf if found else ""),
        "me": found.me if found is not None and found.stage == SIGNED_IN else None,
        "is_rehearsal": not settings.in_production,
    }
    return around | (_inside(found) if around["me"] and found else {})


def _inside(found: Session) -> dict[str, Any]:
    """What needs the database; a page that says the database is away must do without."""
    if "fault" in request.environ.get("console", ()):
        return {"lines": [], "branches": {}, "branch": "", "branch_title": ""}
    with wiring().reading() as unit:
        branches = branches_of(unit, found.me)
        branch = working_branch(unit, found)
        return {
            "lines": _lines(found, branch),
            "branches": branches,
            "branch": branch,
            "branch_title": branches.get(branch, branch),
        }


def _lines(found: Session, branch: str) -> list[Line]:
    entries = wiring().tables.navigation
    return [
        Line(entry.title, href, entry.heading, _is_here(entry, href))
        for entry in entries
        if rights.held(found.me.grants, entry.act) and (href := _href(entry, branch))
    ]


def _href(entry: NavigationEntry, branch: str) -> str:
    """Where the line leads; "" where there is no such page, or none without a branch."""
    if entry.endpoint not in current_app.view_functions:
        return ""
    rule = next(current_app.url_map.iter_rules(entry.endpoint))
    if "code" not in rule.arguments:
        return url_for(entry.endpoint)
    return url_for(entry.endpoint, code=branch) if branch else ""


def _is_here(entry: NavigationEntry, href: str) -> bool:
    """The page itself, another page of the same package's console, or one below its address."""
    if request.endpoint == entry.endpoint:
        return True
    own = [other.endpoint for other in wiring().tables.navigation]
    beside = [other for other in own if _package(other) == _package(request.endpoint or "")]
    if beside:
        return request.endpoint not in own and entry.endpoint == beside[0]
    return request.path.startswith(f"{href}/")


def _package(endpoint: str) -> str:
    return endpoint.rpartition(".")[0]


def _csrf_field(token: str) -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(guard.FIELD, token)
