"""An account on a sandbox of its own, and the gateway through which we speak to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from service.happenings import OpenId
from service.sandbox import Sandbox, running
from service.wechat.gateway import Gateway, gateway_of
from service.wiring import Wiring
from tests.service.delivery.wired import create_tables, wire


@dataclass(frozen=True)
class Account:
    """What a test of the gateway needs at hand."""

    sandbox: Sandbox
    wiring: Wiring

    @property
    def gateway(self) -> Gateway:
        return gateway_of(self.wiring)

    def follower(self) -> OpenId:
        """Somebody new who follows the account."""
        return OpenId(self.sandbox.world.add_follower(subscribed=True).openid)

    def stranger(self) -> OpenId:
        """Somebody with WeChat who does not follow."""
        return OpenId(self.sandbox.world.add_follower().openid)

    def play(self, path: str, do: str, **how: Any) -> None:
        """Have the platform misbehave on these calls."""
        rule = {"path": path, "do": do, **how}
        self.sandbox.world.faults.play({"rules": [rule]})

    def calls(self, path: str) -> list[dict[str, Any]]:
        """What the platform was asked on this path."""
        return [
            entry for entry in self.sandbox.world.exchanges.after() if entry.get("path") == path
        ]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(Settings()) as found:
        yield found


@pytest.fixture
def account(sandbox: Sandbox, tmp_path: Path) -> Iterator[Account]:
    """A fresh account, and a process that has never spoken to it."""
    with an_account(sandbox, tmp_path, f"sqlite:///{tmp_path / 'account.sqlite3'}") as found:
        yield found


@pytest.fixture
def account_anywhere(sandbox: Sandbox, tmp_path: Path, database_url: str) -> Iterator[Account]:
    """The same, on SQLite and on PostgreSQL."""
    with an_account(sandbox, tmp_path, database_url) as found:
        yield found


@contextmanager
def an_account(sandbox: Sandbox, data_dir: Path, database_url: str) -> Iterator[Account]:
    sandbox.world.reset()
    settings = replace(sandbox.settings, data_dir=data_dir, database_url=database_url)
    wiring = wire(settings)
    create_tables(wiring)
    yield Account(sandbox, wiring)
    wiring.hang_up()
