"""A process with a notice board to approve, on a database of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config import Settings
from service.approvals.models import DOCUMENTS, VERSIONS
from service.audit.models import AuditEntry, AuditHead
from service.db import table_of
from service.wiring import Tables, Unit, Wiring
from tests.service.approvals import board
from tests.service.approvals.office import Office
from tests.service.delivery.wired import wire

TABLES = [table_of(AuditEntry), table_of(AuditHead), DOCUMENTS, VERSIONS]


def put_together(url: str, folder: Path) -> Wiring:
    """One process on this database, its tables new and empty."""
    settings = replace(Settings(), data_dir=folder, database_url=url)
    wired = wire(settings, Tables(changes=board.CHANGES, lineage=board.lineage))
    tear_down(wired)
    DOCUMENTS.metadata.create_all(wired.engine, tables=TABLES)
    board.METADATA.create_all(wired.engine)
    return wired


def tear_down(wired: Wiring) -> None:
    DOCUMENTS.metadata.drop_all(wired.engine, tables=TABLES)
    board.METADATA.drop_all(wired.engine)


@pytest.fixture
def wired(database_url: str, tmp_path: Path) -> Iterator[Wiring]:
    """On SQLite and on PostgreSQL, for what several do at once."""
    wired = put_together(database_url, tmp_path)
    yield wired
    tear_down(wired)
    wired.hang_up()


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Unit]:
    """One transaction in which a test does everything, undone in the end."""
    wired = put_together(f"sqlite:///{tmp_path / 'board.sqlite3'}", tmp_path)
    with wired.engine.connect() as connection, connection.begin() as transaction:
        yield Unit(connection, wired)
        transaction.rollback()
    wired.hang_up()


@pytest.fixture(scope="module")
def premises(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office(tmp_path_factory.mktemp("office"))
    yield office
    office.close()


@pytest.fixture
def office(premises: Office) -> Office:
    """The console's people at work, and nothing proposed or approved yet."""
    with premises.wiring.unit() as unit:
        unit.db.execute(VERSIONS.delete())
        unit.db.execute(DOCUMENTS.delete())
        unit.db.execute(board.BOARD.delete())
    return premises
