"""A ledger on SQLite and on PostgreSQL, empty before each test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config import Settings
from service.wiring import Wiring
from tests.service.delivery.wired import create_tables, wire


@pytest.fixture
def wired(database_url: str, tmp_path: Path) -> Iterator[Wiring]:
    """One process's wiring with nothing in its tables."""
    wiring = wire(replace(Settings(), data_dir=tmp_path, database_url=database_url))
    create_tables(wiring)
    yield wiring
    wiring.hang_up()
