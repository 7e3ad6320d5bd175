"""What tests may need beyond Python: a browser, PostgreSQL, Redis. Absent, the test is skipped,
unless ``REQUIRE_SERVICES`` names it, as CI does: then it fails."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString, NoReturn

import psycopg
import pytest
import redis
from psycopg import sql
from sqlalchemy.engine import make_url

POSTGRESQL = "postgresql://postgres@127.0.0.1:5432/postgres"
REDIS = "redis://127.0.0.1:6379/15"


def absent(name: str, why: str) -> NoReturn:
    """Skip the test, or fail it where this service must be there."""
    if name in os.environ.get("REQUIRE_SERVICES", "").split():
        pytest.fail(f"{name} is required here: {why}")
    pytest.skip(f"{name}: {why}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    absent("chromium", "no Chromium on the PATH")


@pytest.fixture
def redis_url() -> Iterator[str]:
    """An address of a Redis database that is empty before and after."""
    url = os.environ.get("TEST_REDIS_URL", REDIS)
    client = redis.Redis.from_url(url, socket_connect_timeout=2)
    try:
        client.flushdb()
    except redis.RedisError as fault:
        absent("redis", type(fault).__name__)
    yield url
    client.flushdb()
    client.close()


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The address of an empty PostgreSQL database of this process's own."""
    server = os.environ.get("TEST_DATABASE_URL") or POSTGRESQL
    try:
        psycopg.connect(server, connect_timeout=3).close()
    except psycopg.OperationalError as fault:
        absent("postgresql", type(fault).__name__)
    with own_database(server, "services") as url:
        yield url


@contextmanager
def own_database(server: str, name: str) -> Iterator[str]:
    """The address of an empty database for this process on the server, dropped in the end.

    SQLite, which is no server, needs none: its address is given back as it is.
    """
    if not server.startswith("postgres"):
        yield server
        return
    unique = f"test_{name}_{os.getpid()}"
    _administer(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", unique)
    _administer(server, "CREATE DATABASE {}", unique)
    try:
        yield make_url(server).set(database=unique).render_as_string(hide_password=False)
    finally:
        _administer(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", unique)


def _administer(server: str, statement: LiteralString, name: str) -> None:
    with psycopg.connect(server, autocommit=True, connect_timeout=3) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
