"""An office of its own with the sample bank, put back after every test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from config import Settings
from service.db import db
from service.wiring import Wiring
from tests.menus.console.office import Office, Person
from wsgi import create_app


@pytest.fixture(scope="session")
def premises(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("editors")
    settings = replace(
        Settings(),
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'office.sqlite3'}",
        public_base_url="http://localhost",
    )
    app = create_app(settings)
    wiring: Wiring = app.extensions["wiring"]
    with app.app_context():
        db.create_all()
    with wiring.unit() as unit:
        for _name, step in wiring.tables.seeds:
            step(unit)
    yield Office(app)
    wiring.hang_up()


@pytest.fixture
def office(premises: Office) -> Iterator[Office]:
    premises.wiring.shelf.clear()
    yield premises
    premises.tidy()


@pytest.fixture
def editor(office: Office) -> Person:
    """广东's editor."""
    return office.person("gd.editor")
