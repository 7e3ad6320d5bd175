"""With the database stopped, emergencies and outlets answer from the last good snapshot."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from config import Settings
from lightservices.emergency import operations, snapshot
from lightservices.emergency.content import Order
from lightservices.outlets.imports import add
from service import clock
from service.db import db
from service.wiring import Wiring
from tests.lightservices.conftest import furnish
from tests.lightservices.emergency.duty import WANG, ZHUHAI_AND_A_PIECE, opened
from tests.lightservices.emergency.test_in_force import OUTLET
from wsgi import create_app

AGE = "截至"


@dataclass(frozen=True)
class Stopped:
    """A site whose database is gone: the same folder, and an address where nobody listens."""

    browser: FlaskClient
    wiring: Wiring
    key: str
    folder: Path


@pytest.fixture(scope="module")
def _stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stopped]:
    folder = tmp_path_factory.mktemp("stopped")
    settings = replace(Settings(), data_dir=folder, public_base_url="http://localhost")
    app = create_app(settings)
    wiring: Wiring = app.extensions["wiring"]
    with app.app_context():
        db.create_all()
    with wiring.unit() as unit:
        furnish(unit)
        add(unit, [OUTLET])
    with wiring.unit() as unit:
        order = Order("台风停业", all=True)
        key = opened(unit, area=ZHUHAI_AND_A_PIECE, orders=(order,)).key
    wiring.hang_up()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    dead = create_app(replace(settings, database_url=f"postgresql://u:p@127.0.0.1:{port}/gone"))
    yield Stopped(dead.test_client(), dead.extensions["wiring"], key, folder)
    dead.extensions["wiring"].hang_up()


@pytest.fixture
def stopped(_stopped: Stopped) -> Stopped:
    return replace(_stopped, browser=_stopped.browser.application.test_client())


def test_the_emergency_page_answers_with_its_age(stopped: Stopped) -> None:
    shown = stopped.browser.get(f"/e/{stopped.key}")
    assert shown.status_code == 200
    assert AGE in shown.text
    assert "台风来了，人先安全" in shown.text
    assert 'href="tel:119"' in shown.text
    assert shown.headers["Cache-Control"] == "no-store"


def test_outlets_answer_by_county_with_what_the_emergency_orders(stopped: Stopped) -> None:
    shown = stopped.browser.get("/s/outlets")
    assert shown.status_code == 200
    assert AGE in shown.text
    assert "county=440402" in shown.text
    county = stopped.browser.get("/s/outlets?county=440402").text
    assert OUTLET.name in county
    assert "暂停营业：台风停业" in county
    assert "台风来了" in county


def test_the_page_that_says_sorry_leads_to_what_is_in_force(stopped: Stopped) -> None:
    shown = stopped.browser.get("/s/directory")
    assert shown.status_code == 503
    assert f"/e/{stopped.key}" in shown.text


def test_what_the_snapshot_does_not_know_is_not_made_up(stopped: Stopped) -> None:
    assert stopped.browser.get("/e/typhoon-0000-unknown").status_code == 503


def test_an_end_comes_with_the_database_gone(
    stopped: Stopped, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = snapshot.load(stopped.wiring.settings)
    assert good is not None
    end = good.emergencies[0].ends_at
    monkeypatch.setattr(clock, "now", lambda: end - timedelta(seconds=1))
    assert "人先安全" in stopped.browser.get(f"/e/{stopped.key}").text
    monkeypatch.setattr(clock, "now", lambda: end)
    assert "人先安全" not in stopped.browser.get(f"/e/{stopped.key}").text
    assert f"/e/{stopped.key}" not in stopped.browser.get("/s/directory").text


def test_the_webhook_answers_all_the_same(stopped: Stopped) -> None:
    # Nothing signed comes from here: it is refused as always, and no fault is seen.
    assert stopped.browser.get("/wechat").status_code == 403


def test_half_a_snapshot_is_none(stopped: Stopped, tmp_path: Path) -> None:
    settings = replace(stopped.wiring.settings, data_dir=tmp_path)
    assert snapshot.load(settings) is None
    for path in stopped.folder.glob("last-good-*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes()[:-20])
    assert snapshot.load(settings) is None


def test_closing_is_in_the_snapshot_at_once(tmp_path: Path) -> None:
    app = create_app(replace(Settings(), data_dir=tmp_path))
    wiring: Wiring = app.extensions["wiring"]
    with app.app_context():
        db.create_all()
    with wiring.unit() as unit:
        furnish(unit)
        key = opened(unit).key
    before = snapshot.load(wiring.settings)
    assert before is not None
    assert [one.key for one in before.in_force()] == [key]
    with wiring.unit() as unit:
        operations.close(unit, key, by=WANG)
    after = snapshot.load(wiring.settings)
    assert after is not None
    assert after.in_force() == ()
    assert not list(tmp_path.glob(".last-good*"))
    wiring.hang_up()
