"""An office of its own: the sample bank's branches and people, and browsers to come in with."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, update
from werkzeug.test import TestResponse

from config import Settings
from regions import sample
from service import clock
from service.db import db
from service.staff import cast, operations, second_factor
from service.staff.models import Staff, StaffSession, Throttle
from service.wiring import Wiring
from tests.services import own_database
from wsgi import create_app


@dataclass
class Browser:
    """One browser before the console; it keeps cookies and fills in the forms it is shown."""

    office: Office
    client: FlaskClient
    seen: list[TestResponse] = field(default_factory=list)

    def get(self, path: str, **more: object) -> TestResponse:
        self.seen.append(self.client.get(path, **more))  # type: ignore[arg-type]  # headers and the like
        return self.seen[-1]

    def post(self, path: str, **form: object) -> TestResponse:
        """Send a form, with the token of the page that was shown last."""
        headers = form.pop("headers", None)
        self.seen.append(
            self.client.post(path, data={"csrf": self.token, **form}, headers=headers)  # type: ignore[arg-type]  # a dict
        )
        return self.seen[-1]

    @property
    def token(self) -> str:
        for answer in reversed(self.seen):
            if found := re.search(r'name="csrf" value="([^"]+)"', answer.text):
                return found[1]
        return ""

    @property
    def cookie(self) -> str:
        found = self.client.get_cookie("console")
        return found.value if found else ""

    def give_password(
        self, login: str, password: str | None = None, **more: object
    ) -> TestResponse:
        self.get("/console/sign-in")
        given = self.office.password if password is None else password
        return self.post("/console/sign-in", login=login, password=given, **more)

    def sign_in(self, login: str) -> Browser:
        """All the way in, as one of the sample bank's people."""
        self.office.forget_codes(login)
        self.give_password(login)
        self.get("/console/second-factor")
        answer = self.post("/console/second-factor", code=self.office.code(login))
        assert answer.location == "/console/"
        assert self.get("/console/").status_code == 200
        return self


@dataclass(frozen=True)
class Office:
    """The application with its people."""

    app: Flask
    wiring: Wiring
    settings: Settings

    @property
    def password(self) -> str:
        return cast.password(self.settings)

    def browser(self, *, address: str = "192.0.2.1") -> Browser:
        client = self.app.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        client.environ_base["HTTP_ACCEPT"] = "text/html"
        return Browser(self, client)

    def code(self, login: str) -> str:
        secret = cast.secret_of(self.settings, login)
        return pyotp.TOTP(secret).at(clock.epoch())

    def forget_codes(self, login: str) -> None:
        """Let this half minute's code count again, so that no test waits for the next."""
        with self.wiring.unit() as unit:
            unit.db.execute(update(Staff).where(Staff.login == login).values(totp_step=0))

    def take_on(self, login: str, **more: object) -> int:
        """Somebody new with the cast's password."""
        from service.staff import passwords

        with self.wiring.unit() as unit:
            return operations.add(
                unit, login=login, name="新来的", by=None,
                **{"password_hash": passwords.hashed(self.password), **more},  # type: ignore[arg-type]  # by name
            )  # fmt: skip

    def bind(self, login: str) -> None:
        """A phone of their own stands for the person, as after the first sign-in."""
        secret = second_factor.new_secret()
        with self.wiring.unit() as unit:
            second_factor.settle(
                unit, operations.required(unit, login).id,
                seal=second_factor.sealed(unit, secret), code=second_factor.code_now(secret),
            )  # fmt: skip


@pytest.fixture(scope="session")
def premises(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    server = os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{folder / 'office.sqlite3'}"
    with own_database(server, "office") as url:
        settings = replace(
            settings, data_dir=folder, database_url=url, public_base_url="http://localhost"
        )
        app = create_app(settings)
        wiring: Wiring = app.extensions["wiring"]
        with app.app_context():
            db.create_all()
        with wiring.unit() as unit:
            sample.seed(unit)
            cast.seed(unit)
        yield Office(app, wiring, settings)
        wiring.hang_up()


@pytest.fixture
def office(premises: Office) -> Iterator[Office]:
    """The office in the morning: nobody is in, nobody has tried, nobody new works here."""
    yield premises
    own = [player.login for player in cast.CAST]
    with premises.wiring.unit() as unit:
        for table in (StaffSession, Throttle):
            unit.db.execute(delete(table))
        unit.db.execute(delete(Staff).where(Staff.login.not_in(own)))
        unit.db.execute(update(Staff).values(state="active"))


@pytest.fixture
def browser(office: Office) -> Browser:
    return office.browser()
