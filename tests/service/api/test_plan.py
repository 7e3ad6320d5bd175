"""The plan of a publication, asked for by head office's program while WeChat answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config import Settings
from service.sandbox import Sandbox, running
from tests.service.api.programs import Bank, open_bank
from tests.services import own_database


@pytest.fixture(scope="module")
def wechat() -> Iterator[Sandbox]:
    with running(Settings()) as sandbox:
        yield sandbox


@pytest.fixture
def connected(wechat: Sandbox, tmp_path: Path, settings: Settings) -> Iterator[Bank]:
    server = settings.database_url
    url = server if server.startswith("postgres") else f"sqlite:///{tmp_path / 'plan.sqlite3'}"
    with own_database(url, "plan") as own:
        bank = open_bank(replace(wechat.settings, data_dir=tmp_path, database_url=own))
        yield bank
        bank.wiring.hang_up()


def test_the_plan_is_told_and_nothing_is_published(connected: Bank, wechat: Sandbox) -> None:
    told = connected.program("ops.wang").get("/menu-plan")
    assert told["steps"][0]["step"] == "CreateDefault"
    assert told["snapshot"] is None
    assert wechat.world.menus.default is None


def test_only_who_may_publish_is_told(connected: Bank) -> None:
    assert connected.program("gd.editor").call("GET", "/menu-plan").status_code == 403
    # Whoever is on duty for one branch may not look at what everybody will see.
    local = connected.program("ops.wang", branch="B440000")
    assert local.call("GET", "/menu-plan").status_code == 404
