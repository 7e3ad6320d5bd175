"""What every test may use: settings, a migrated database, an application, a unit that is undone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from config import Settings
from service.db import db
from service.wiring import Unit, Wiring
from tests.services import chromium, own_database, postgresql_url, redis_url
from wsgi import create_app

#: Fixtures for every test, see tests/services.py.
__all__ = ["chromium", "postgresql_url", "redis_url"]


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the whole run's database files."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def settings(data_dir: Path) -> Iterator[Settings]:
    """Development settings with a database of this test process's own."""
    with own_database(os.environ.get("TEST_DATABASE_URL", ""), "main") as url:
        yield replace(Settings(), data_dir=data_dir, database_url=url)


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    """The whole application with an empty database."""
    app = create_app(settings)
    with app.app_context():
        db.drop_all()
        db.create_all()
    yield app
    with app.app_context():
        db.drop_all()
    app.extensions["wiring"].hang_up()


@pytest.fixture
def wiring(app: Flask) -> Wiring:
    """How the application under test is put together; what it has cached is forgotten."""
    found: Wiring = app.extensions["wiring"]
    found.shelf.clear()
    return found


@pytest.fixture
def unit(wiring: Wiring) -> Iterator[Unit]:
    """A unit of work that is undone after the test."""
    with wiring.engine.connect() as connection, connection.begin() as transaction:
        yield Unit(connection, wiring)
        transaction.rollback()
    wiring.shelf.clear()
