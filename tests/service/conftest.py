"""Databases of a test's own: SQLite always, PostgreSQL where a server answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from service import clock

POSTGRESQL = "postgresql+psycopg://postgres@127.0.0.1:5432/"


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL database of this test run's own."""
    name = f"test_delivery_{os.getpid()}"
    admin = create_engine(
        f"{POSTGRESQL}test", isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 2}
    )
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError:
        admin.dispose()
        pytest.skip(f"no PostgreSQL answers at {POSTGRESQL}")
    yield f"{POSTGRESQL}{name}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def at_noon() -> Iterator[None]:
    """Noon in Shanghai: just after midnight a spent quota is doubted and asked for again soon."""
    noon = clock.now().replace(hour=4, minute=0)
    with time_machine.travel(noon, tick=True):
        yield
