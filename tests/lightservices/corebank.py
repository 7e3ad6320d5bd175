"""A site whose account queries are answered by the core's sandbox, and a follower who binds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete

from config import Settings
from lightservices.binding.models import BindingAttempt, BindingLimit, BindingRow
from lightservices.coresandbox.server import CoreSandbox, running
from service.db import db
from service.delivery.ledger import Row
from service.delivery.worker import work_off
from service.wiring import Wiring
from tests.lightservices.conftest import PEOPLES_SQUARE, WHO, furnish, stand
from tests.services import own_database
from wsgi import create_app

PHONE_NUMBER = "13800138000"
CODE = "138000"


@dataclass(frozen=True)
class CoreBank:
    """The pages, the core behind them, and what a follower can do with both."""

    wiring: Wiring
    core: CoreSandbox
    client: FlaskClient

    def page(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200
        return answer.text

    def rows(self, table: type) -> int:
        with self.wiring.reading() as unit:
            return len(unit.db.execute(table.__table__.select()).all())  # type: ignore[attr-defined]  # a model

    def post(self, path: str, **sent: str) -> tuple[int, str]:
        """Send a form of ours; where it leads is followed."""
        page = self.page("/s/bind-account") + self.page("/s/unbind-account")
        form = re.search(r'name="form" value="([0-9a-f]+)"', page)
        filled = {"form": form[1] if form else "", **sent}
        answer = self.client.post(path, data=filled, follow_redirects=True)
        return answer.status_code, answer.text

    def start(self, phone: str = PHONE_NUMBER) -> tuple[int, str]:
        version = re.search(r'name="consent" value="([^"]+)"', self.page("/s/bind-account"))
        return self.post("/bind/start", phone=phone, consent=version[1] if version else "")

    def bind(self) -> None:
        self.start()
        status, page = self.post("/bind/confirm", code=CODE)
        assert status == 200
        assert "已绑定" in page

    def settle(self) -> None:
        work_off(self.wiring)


@pytest.fixture(scope="session")
def core_site(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings
) -> Iterator[tuple[Wiring, CoreSandbox]]:
    path = tmp_path_factory.mktemp("corebank") / "bank.sqlite3"
    server = os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{path}"
    with own_database(server, "corebank") as url, running(settings) as core:
        app = create_app(
            replace(
                core.settings,
                data_dir=path.parent,
                database_url=url,
                public_base_url="http://localhost",
                rates_source="core",
            )
        )
        wiring: Wiring = app.extensions["wiring"]
        with app.app_context():
            db.create_all()
        with wiring.unit() as unit:
            furnish(unit)
            stand(unit, PEOPLES_SQUARE)
        wiring.shelf["app"] = app
        yield wiring, core
        wiring.hang_up()


@pytest.fixture
def corebank(core_site: tuple[Wiring, CoreSandbox]) -> Iterator[CoreBank]:
    """Nobody is bound, nothing is kept, the core is well."""
    wiring, core = core_site
    app = wiring.shelf["app"]
    wiring.shelf.clear()
    wiring.shelf["app"] = app
    core.misbehave()
    for heard in wiring.settings.data_dir.glob("last-heard-*"):
        heard.unlink()
    with core.world.lock:
        core.world.customers.clear()
        core.world.consents.clear()
        core.world.pending.clear()
        core.world.calls.clear()
    with wiring.unit() as unit:
        for table in (BindingRow, BindingAttempt, BindingLimit, Row):
            unit.db.execute(delete(table))
        stand(unit, PEOPLES_SQUARE)
    client = app.test_client()
    with client.session_transaction() as session:
        session["openid"] = WHO
    yield CoreBank(wiring, core, client)
    core.misbehave()
