"""Programs that call the API of the sample bank, each with a token of one of its people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, update
from werkzeug.test import TestResponse

from config import Settings
from lightservices import zones
from regions import sample
from service import assembly
from service.api import tokens
from service.api.models import ApiToken
from service.approvals.models import DOCUMENTS, VERSIONS
from service.db import db
from service.staff import cast, operations, sessions
from service.staff.models import Staff
from service.wiring import Wiring
from wsgi import BLUEPRINTS, COMMANDS, TABLES

#: The document of 广东's own zone.
HERE = "/branches/B440000/documents/zone/-"


@dataclass(frozen=True)
class Program:
    """One program with its token."""

    client: FlaskClient
    token: str

    def call(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        where = path if path.startswith("/api/") else f"/api/v1{path}"
        return self.client.open(where, method=method, headers=headers, **more)

    def get(self, path: str, **query: Any) -> Any:
        """What an operation answers that is expected to be done."""
        answer = self.call("GET", path, query_string=query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, said: Mapping[str, Any] | None = None) -> Any:
        answer = self.call("POST", path, json=said or {})
        assert answer.status_code == 200, answer.text
        return answer.json

    def write(self, number: int, content: Mapping[str, Any], **more: Any) -> TestResponse:
        """Save content on top of what there is."""
        read = self.call("GET", f"/versions/{number}")
        headers = {"If-Match": read.headers["ETag"]}
        return self.call(
            "PUT", f"/versions/{number}", json={"content": content, **more}, headers=headers
        )


@dataclass(frozen=True)
class Bank:
    """The application with its people and their programs."""

    app: Flask
    wiring: Wiring

    def program(self, login: str, *, role: str = "", branch: str = "", days: int = 30) -> Program:
        """A program with all this person may do, or with less."""
        player = next(one for one in cast.CAST if one.login == login)
        with self.wiring.unit() as unit:
            _number, token = tokens.lend(
                unit, login=login, role=role or player.role, branch=branch or player.branch,
                name="测试", days=days, by=None,
            )  # fmt: skip
        return Program(self.app.test_client(), token)

    def browser(self, login: str) -> tuple[FlaskClient, str]:
        """A browser in which this person is signed in, and the token its forms carry."""
        client = self.app.test_client()
        with self.wiring.unit() as unit:
            person = operations.required(unit, login)
            cookie = sessions.open_session(unit, staff_id=person.id, stage=sessions.SIGNED_IN)
            found = sessions.current(unit, cookie)
        assert found is not None
        client.set_cookie("console", cookie)
        client.environ_base["HTTP_ACCEPT"] = "text/html"
        return client, found.csrf

    def clear(self) -> None:
        """Nothing proposed, nobody locked out, no tokens."""
        with self.wiring.unit() as unit:
            for table in (VERSIONS, DOCUMENTS):
                unit.db.execute(table.delete())
            unit.db.execute(delete(ApiToken))
            unit.db.execute(update(Staff).values(state="active"))


def open_bank(settings: Settings) -> Bank:
    """The sample bank with its zones, on this database."""
    app = assembly.assemble(
        replace(settings, public_base_url="http://localhost"),
        replace(TABLES, warming=()),
        blueprints=BLUEPRINTS,
        commands=COMMANDS,
    )
    wiring: Wiring = app.extensions["wiring"]
    with app.app_context():
        db.create_all()
    with wiring.unit() as unit:
        sample.seed(unit)
        zones.seed(unit)
        cast.seed(unit)
    return Bank(app, wiring)
