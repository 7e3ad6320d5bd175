"""A bank with all its branches and zones, and an account on a sandbox it has never spoken to."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

import wsgi
from config import Settings
from lightservices import zones
from lightservices.zones import Zone
from menus import book, buttons, offers, publication
from menus.buttons import Menu
from menus.steps import AddMenu
from regions import sample
from regions.branches import BranchCode
from regions.moves import FollowerMoved
from service import clock
from service.db import Model
from service.delivery.ledger import WAITING, Desk, Row
from service.delivery.worker import CHORE, Worker
from service.happenings import OpenId, Subscribed, Unfollowed
from service.sandbox import Sandbox, running
from service.wechat.gateway import Gateway, gateway_of
from service.wiring import Wiring
from tests.service.delivery.wired import wire
from tests.services import postgresql_url as postgresql_url  # A fixture.

#: A branch below a province's, for a zone of its own beside the province's.
WUXI = Zone("xi-xiang", "锡享生活", "太湖佳处，锡享生活", BranchCode("B320200"), ("promotions",))

#: Few zones make the tests quick; there are some with and without branches below.
BRANCHES_WITH_ZONES = ("B310000", "B320000", "B320500", "B440300", "B510000", "B540000")


@dataclass
class Bank:
    """What these tests do, in the words they do it in."""

    sandbox: Sandbox
    wiring: Wiring

    @property
    def desk(self) -> Desk:
        return Desk(self.wiring)

    @property
    def gateway(self) -> Gateway:
        return gateway_of(self.wiring)

    def publish(self) -> None:
        """Ask for a publication and let the worker come to rest."""
        with self.wiring.unit() as unit:
            publication.request_publication(unit)
        self.work()

    def adopt(self) -> None:
        """An operator has seen what was changed elsewhere, and lets it be replaced."""
        found = publication.draft(self.desk).drift
        assert found
        with self.wiring.unit() as unit:
            book.accept(unit, found)
        self.publish()

    def drift(self) -> list[str]:
        """What was changed elsewhere, in words."""
        return [one.says for one in publication.draft(self.desk).drift]

    def work(self) -> None:
        """Let the worker do all that waits, without waiting for its time to come."""
        worker = Worker(self.wiring)
        for _ in range(40):
            with self.wiring.unit() as unit:
                due = update(Row).where(
                    Row.state == WAITING, Row.kind != CHORE, Row.key != offers.NEXT_CHANGE
                )
                unit.db.execute(due.values(due_at=clock.now()))
            if not worker.work_off():
                return
        raise AssertionError("the worker does not come to rest")

    def open_zone(self, zone: Zone) -> None:
        with self.wiring.unit() as unit:
            zones.put(unit, zone)
        self.wiring.shelf.clear()

    def open_all_zones(self) -> None:
        for zone in zones.read():
            self.open_zone(zone)

    def close_zone(self, key: str) -> None:
        with self.wiring.unit() as unit:
            unit.db.execute(delete(zones.ZoneRow).where(zones.ZoneRow.key == key))
        self.wiring.shelf.clear()

    def follower(self, branch: str | None = None) -> OpenId:
        """Somebody who follows the account, and who was found in this branch's territory."""
        openid = OpenId(self.sandbox.world.add_follower(subscribed=True).openid)
        if branch is not None:
            self.move(openid, branch)
        return openid

    def move(self, openid: OpenId, branch: str) -> None:
        with self.wiring.unit() as unit:
            unit.announce(FollowerMoved(openid, clock.now(), BranchCode(branch), None))

    def leave(self, openid: OpenId, *, heard: bool = True) -> None:
        """The follower leaves; if we do not hear of it, only WeChat knows."""
        self.sandbox.world.unsubscribe(self.sandbox.world.followers[openid])
        if heard:
            with self.wiring.unit() as unit:
                unit.announce(Unfollowed(openid, clock.now()))

    def arrive(self, openid: OpenId) -> None:
        self.sandbox.world.subscribe(self.sandbox.world.followers[openid])
        with self.wiring.unit() as unit:
            unit.announce(Subscribed(openid, clock.now()))

    def sees(self, openid: OpenId) -> Menu:
        """The menu WeChat would show this follower."""
        return buttons.read(self.gateway.try_match(openid))

    def third_column(self, openid: OpenId) -> str:
        return self.sees(openid)[2].name

    def tags_of(self, openid: OpenId) -> list[str]:
        """The names of the tags this follower bears, the latest last."""
        world = self.sandbox.world
        return [world.tags.all[tag].name for tag in world.followers[openid].tags]

    def play(self, path: str, do: str, **how: Any) -> None:
        """Have the platform misbehave on these calls."""
        self.sandbox.world.faults.play({"rules": [{"path": path, "do": do, **how}]})

    def calls(self, path: str) -> list[dict[str, Any]]:
        """What the platform was asked on paths that end like this."""
        exchanges = self.sandbox.world.exchanges.after()
        return [entry for entry in exchanges if str(entry.get("path", "")).endswith(path)]

    def shown(self) -> list[str]:
        """The third columns of the conditional menus, newest first."""
        return [menu.buttons[2]["name"] for menu in self.sandbox.world.menus.conditional]

    def planned(self) -> list[str]:
        """The kinds of the steps a publication would take now."""
        return [type(step).__name__ for step in publication.draft(self.desk).plan.steps]

    def to_add(self) -> int:
        steps = publication.draft(self.desk).plan.steps
        return sum(isinstance(step, AddMenu) for step in steps)


def names(menu: Menu | None) -> list[str]:
    """Every button's name, but for those of columns that open."""
    return [button.name for column in menu or () for button in column.buttons]


class watching:  # noqa: N801  # Reads as a verb.
    """Look at what followers see all the while; gives the third columns that were seen."""

    def __init__(self, bank: Bank, openids: list[OpenId]) -> None:
        self.bank, self.openids = bank, openids
        self.seen: set[str] = set()
        self.over = threading.Event()

    def __enter__(self) -> set[str]:
        self.thread = threading.Thread(target=self._look)
        self.thread.start()
        return self.seen

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _look(self) -> None:
        world = self.bank.sandbox.world
        while not self.over.is_set():
            with world.lock:
                for openid in self.openids:
                    menu = world.menu_of(world.followers[openid])
                    if menu is not None:
                        self.seen.add(menu.buttons[2]["name"])
            time.sleep(0.0005)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(Settings()) as found:
        yield found


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the sample bank's branches and zones, to be copied."""
    path = tmp_path_factory.mktemp("menus") / "bank.sqlite3"
    wiring = wire(replace(Settings(), data_dir=path.parent, database_url=f"sqlite:///{path}"))
    _furnish(wiring)
    wiring.hang_up()  # The last connection to go writes the log into the file.
    return path


@pytest.fixture
def bank(sandbox: Sandbox, furnished: Path, tmp_path: Path) -> Iterator[Bank]:
    """The bank on SQLite."""
    path = tmp_path / "bank.sqlite3"
    shutil.copy(furnished, path)
    yield from _bank(sandbox, f"sqlite:///{path}", tmp_path)


@pytest.fixture
def bank_on_postgresql(sandbox: Sandbox, postgresql_url: str, tmp_path: Path) -> Iterator[Bank]:
    """The same on PostgreSQL."""
    yield from _bank(sandbox, postgresql_url, tmp_path, furnish=True)


def _bank(
    sandbox: Sandbox, database_url: str, folder: Path, *, furnish: bool = False
) -> Iterator[Bank]:
    sandbox.world.reset()
    settings = replace(sandbox.settings, data_dir=folder, database_url=database_url)
    wiring = wire(settings, wsgi.TABLES)
    if furnish:
        _furnish(wiring)
    yield Bank(sandbox, wiring)
    wiring.hang_up()


def _furnish(wiring: Wiring) -> None:
    Model.metadata.drop_all(wiring.engine)
    Model.metadata.create_all(wiring.engine)
    with wiring.unit() as unit:
        sample.seed(unit)
        for zone in zones.read():
            if zone.branch in BRANCHES_WITH_ZONES:
                zones.put(unit, zone)
