"""Every staff route × every role × every relation of the branch: console by session, API by token.

The routes are the application's own, the roles and what they may are the table of rights: what is
expected follows from those two and the route's stamp, and every row is really asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy import delete
from werkzeug.routing import IntegerConverter, Rule
from werkzeug.test import TestResponse

from regions import branches
from service.access import Stamp, stamp_of
from service.api import tokens
from service.console import guard
from service.db import db
from service.staff import operations, rights, sessions
from service.staff.models import StaffSession
from service.staff.rights import ROLES
from service.wiring import Wiring
from tests.law.expectations import ASKS, BESIDE, MISSING, NAMES, NO_BRANCH
from tests.service.staff.conftest import BANK

#: Where a route takes a branch, it calls it so; the door is then asked about it.
BRANCH: Final = "code"
#: What the roles are granted at, and every relation another branch can have to that.
OWN: Final = "B440000"
RELATIONS: Final = {
    "own": OWN, "child": "B440100", "sibling": "B310000", "parent": "HQ", "absent": "B999999",
}  # fmt: skip
WITHIN: Final = ("own", "child")


@dataclass(frozen=True)
class Route:
    """One staff route and one way to call it."""

    rule: Rule
    method: str
    stamp: Stamp

    @property
    def is_api(self) -> bool:
        return str(self.rule).startswith("/api/")

    @property
    def named(self) -> str:
        """What decides whose business it is: ``code``, something laid at a branch, or nothing."""
        if BRANCH in self.rule.arguments:
            return BRANCH
        group = self.rule.endpoint.split(".")[0]
        return group if group in NAMES and self.rule.arguments else ""

    def path(self, **values: Any) -> str:
        """Its address with these values; whatever is missing is something that is not there."""
        numbers = {
            name
            for name, kind in self.rule._converters.items()
            if isinstance(kind, IntegerConverter)
        }
        usual: dict[str, Any] = {
            name: 987_654 if name in numbers else "x" for name in self.rule.arguments
        }
        built = self.rule.build(usual | values, append_unknown=False)
        assert built is not None
        return built[1]


def routes(app: Flask) -> list[Route]:
    """Every route of staff who are inside, in every method."""
    return [
        Route(rule, method, stamp)
        for rule in app.url_map.iter_rules()
        if (stamp := stamp_of(app.view_functions[rule.endpoint])) is not None
        and stamp.audience == "staff"
        and stamp.stage == "signed-in"
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


@dataclass
class Desk:
    """One person of each role at 广东, at a browser and with a token."""

    app: Flask
    lent: dict[str, str] = field(default_factory=dict)
    seated: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def wiring(self) -> Wiring:
        found: Wiring = self.app.extensions["wiring"]
        return found

    def take_on(self, role: str) -> None:
        with self.wiring.unit() as unit:
            number = operations.add(unit, login=f"only.{role}", name=role, by=None)
            operations.set_grants(unit, staff_id=number, branch=OWN, roles=[role], by=None)
            self.lent[role] = tokens.lend(
                unit, login=f"only.{role}", role=role, branch=OWN, name="矩阵", days=1, by=None
            )[1]

    def call(self, route: Route, path: str, role: str = "") -> TestResponse:
        """The route, as somebody of this role who is freshly signed in; or as a stranger."""
        client = self.app.test_client()
        if route.is_api:
            headers = {"Authorization": f"Bearer {self.lent[role]}"} if role else {}
            body = None if route.method == "GET" else said(route)
            headers |= {"If-Match": '"x"'} if route.method == "PUT" else {}
            return client.open(path, method=route.method, json=body, headers=headers)
        form: dict[str, str] = {}
        if role:
            cookie, csrf = self.session(role, renew=route.method != "GET")
            client.set_cookie("console", cookie)
            form = {guard.FIELD: csrf}
        sent = None if route.method == "GET" else form
        return client.open(path, method=route.method, data=sent, headers={"Accept": "text/html"})

    def session(self, role: str, *, renew: bool) -> tuple[str, str]:
        if renew or role not in self.seated:
            with self.wiring.unit() as unit:
                person = operations.required(unit, f"only.{role}")
                token = sessions.open_session(unit, staff_id=person.id, stage=sessions.SIGNED_IN)
                found = sessions.current(unit, token)
            assert found is not None
            self.seated[role] = (token, found.csrf)
        return self.seated[role]


def said(route: Route) -> dict[str, Any]:
    """A body that gets past the reading of it, so that the rights are what decides."""
    return {
        "propose": {"why": "试", "hash": "0"},
        "return": {"reason": "试"},
        "approve": {"seal": "0"},
        "roll-back": {"to": 0, "why": "试", "seen_live": 0},
        "check": {"content": {}},
        "<int:number>": {"content": {}},
    }.get(str(route.rule).rsplit("/", 1)[1], {})


@pytest.fixture(scope="module")
def desk(app: Flask) -> Iterator[Desk]:
    wiring: Wiring = app.extensions["wiring"]
    wiring.shelf.clear()
    with wiring.unit() as unit:
        branches.install(unit, BANK)
    found = Desk(app)
    for role in ROLES:
        found.take_on(role)
    yield found
    with app.app_context():
        db.drop_all()
        db.create_all()
    wiring.shelf.clear()


def laid_at(desk: Desk, route: Route, relation: str) -> str:
    """The route's address, naming something of the branch in this relation."""
    code = RELATIONS[relation]
    if route.named == BRANCH:
        beside = BESIDE.get(route.rule.endpoint)
        if beside is None:
            return route.path(code=code)
        with desk.wiring.unit() as unit:
            # Where there is no such branch, what lies at another is asked for under its name.
            return route.path(
                **_fitting(route, beside(unit, OWN if relation == "absent" else code)), code=code
            )
    lay, absent = NAMES[route.named]
    if relation == "absent":
        return route.path(**_fitting(route, absent))
    with desk.wiring.unit() as unit:
        return route.path(**_fitting(route, lay(unit, code)))


def _fitting(route: Route, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in route.rule.arguments}


def test_every_route_names_a_branch_or_says_why_not(app: Flask) -> None:
    found = routes(app)
    unnamed = {route.rule.endpoint for route in found if not route.named}
    assert unnamed - set(NO_BRANCH) == set(), "say in NO_BRANCH why these concern no branch"
    assert set(NO_BRANCH) - unnamed == set(), "these are gone, or name a branch now"
    assert set(ASKS) <= {route.rule.endpoint for route in found}
    assert sum(route.is_api for route in found) >= 20
    assert sum(not route.is_api for route in found) >= 50


def test_a_stranger_gets_nowhere(desk: Desk) -> None:
    for route in routes(desk.app):
        answer = desk.call(route, route.path(**{BRANCH: OWN} if route.named == BRANCH else {}))
        if route.is_api:
            assert answer.status_code == 401, route
            assert answer.headers["WWW-Authenticate"].startswith("Bearer"), route
        else:
            assert answer.status_code == 303, route
            assert answer.location.startswith(guard.SIGN_IN), route


def test_every_route_with_every_role_and_every_relation(desk: Desk) -> None:
    rows: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    for route in routes(desk.app):
        for role in ROLES:
            for relation in RELATIONS if route.named else ("",):
                path = laid_at(desk, route, relation) if relation else route.path()
                answer = desk.call(route, path, role)
                rows[route.rule.endpoint, route.method] += 1
                expected = expectation(route, role, relation)
                if answer.status_code not in expected:
                    wrong.append(f"{route.method} {path} {role} {relation}: {answer.status}")
        with desk.wiring.unit() as unit:
            unit.db.execute(delete(StaffSession))
        desk.seated.clear()
    assert not wrong, "\n".join(wrong)
    for route in routes(desk.app):
        count = len(ROLES) * (len(RELATIONS) if route.named else 1)
        assert rows[route.rule.endpoint, route.method] == count, route


#: Whatever may come of it once the door is open: done, sent on, or told what is wrong with it.
DONE: Final = frozenset({200, 303, 400, 401, 409, 412, 422})


def expectation(route: Route, role: str, relation: str) -> frozenset[int]:
    """The statuses that are right, from the table of rights and the stamp alone."""
    acts, endpoint = rights.acts_of(role), route.rule.endpoint
    if route.stamp.may and route.stamp.may not in acts:
        # What nobody of this role may do anywhere says nothing about any branch.
        return frozenset({403})
    if not route.named:
        return DONE | {403, 404, 503}
    if relation not in WITHIN:
        return frozenset({404})
    if ASKS.get(endpoint, "read") not in acts:
        return frozenset({403})
    return (DONE | {404} if endpoint in MISSING else DONE) - {401}
