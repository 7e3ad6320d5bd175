"""The sample bank, with programs of its people at the door."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from config import Settings
from tests.service.api.programs import Bank, Program, open_bank
from tests.services import own_database


@pytest.fixture(scope="session")
def premises(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Bank]:
    folder = tmp_path_factory.mktemp("api")
    server = os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{folder / 'api.sqlite3'}"
    with own_database(server, "api") as url:
        bank = open_bank(replace(settings, data_dir=folder, database_url=url))
        yield bank
        bank.wiring.hang_up()


@pytest.fixture
def bank(premises: Bank) -> Iterator[Bank]:
    yield premises
    premises.clear()


@pytest.fixture
def editor(bank: Bank) -> Program:
    """A program of 广东's editor."""
    return bank.program("gd.editor")


@pytest.fixture
def checker(bank: Bank) -> Program:
    """A program of 广东's checker."""
    return bank.program("gd.checker")


@pytest.fixture
def stranger(bank: Bank) -> Program:
    """A program of 上海's editor."""
    return bank.program("sh.editor")
