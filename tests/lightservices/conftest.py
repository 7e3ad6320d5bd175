"""The sample bank with six outlets: within a unit that is undone, and as a site with visitors."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Settings
from lightservices import promotions, rates, zones
from lightservices.outlets.imports import add
from lightservices.outlets.models import Outlet
from regions import latest, presence, sample
from service import clock, followers
from service.db import db
from service.happenings import Fact, LocationReported, OpenId, Surface
from service.sandbox import Sandbox, running
from service.wiring import Unit, Wiring
from tests.services import own_database
from wsgi import create_app

WHO = OpenId("oPAGESfollower00000000000001")
PHONE = (
    "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/116.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.47"
)
#: GCJ-02, well inside their counties.
PEOPLES_SQUARE = (31.2304, 121.4737)
XUANWU = (32.0500, 118.8000)


def outlet(number: str, branch: str, county: str, place: tuple[float, float]) -> Outlet:
    return Outlet(
        id=f"SYN-{county}-{number}",
        branch_code=branch,
        division=county,
        name=f"{county} 第 {number} 网点（示例网点）",
        address="示例地址",
        phone="",
        lat=place[0],
        lng=place[1],
        hours="周一至周五 09:00-17:00",
        services=("个人业务",),
        synthetic=True,
    )


OUTLETS = [
    outlet("01", "B310000", "310101", (31.2310, 121.4740)),
    outlet("02", "B310000", "310101", (31.2200, 121.4800)),
    outlet("01", "B310000", "310115", (31.2214, 121.5440)),
    outlet("01", "B320000", "320102", (32.0510, 118.8010)),
    outlet("01", "B320500", "320508", (31.3110, 120.6170)),
    outlet("01", "B110000", "110101", (39.9170, 116.4200)),
]


def furnish(unit: Unit) -> None:
    """The sample bank's branches, zones, promotions and rates, and the six outlets."""
    sample.seed(unit)
    zones.seed(unit)
    promotions.seed(unit)
    rates.seed(unit)
    add(unit, OUTLETS)


def stand(unit: Unit, place: tuple[float, float], *, openid: OpenId = WHO) -> None:
    """The follower is known and at this place (GCJ-02)."""
    followers.meet(unit, Fact(openid, clock.now()))
    fix = LocationReported(openid, clock.now(), *place, 30.0, Surface.PAGE)
    presence.follow_to(unit, fix)


@pytest.fixture
def bank(unit: Unit) -> Unit:
    furnish(unit)
    # What was last reported is remembered outside the database, also of a test that is undone.
    latest.reports(unit.settings).forget(WHO)
    return unit


@dataclass(frozen=True)
class Site:
    """The pages over a furnished database, with the sandbox as WeChat."""

    app: Flask
    wiring: Wiring
    sandbox: Sandbox

    def visitor(self, *, agent: str = "Mozilla/5.0", **cookie: Any) -> FlaskClient:
        """A browser; what is named is in its visit cookie."""
        client = self.app.test_client()
        client.environ_base["HTTP_USER_AGENT"] = agent
        with client.session_transaction() as session:
            session.update(cookie)
        return client


@pytest.fixture
def site(furnished: Site) -> Site:
    """The site with its follower back in Shanghai, wherever the last test left them."""
    with furnished.wiring.unit() as unit:
        presence.release(unit, WHO)
        stand(unit, PEOPLES_SQUARE)
    return furnished


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("site") / "site.sqlite3"
    server = os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{path}"
    with own_database(server, "site") as url, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        wechat = f"http://127.0.0.1:{probe.getsockname()[1]}"
        probe.close()
        yield from _served(
            replace(
                settings,
                database_url=url,
                wechat_api_base=wechat,
                wechat_oauth_base=wechat,
                public_base_url="http://localhost",
            )
        )


def _served(settings: Settings) -> Iterator[Site]:
    app = create_app(settings)
    found: Wiring = app.extensions["wiring"]
    with app.app_context():
        db.create_all()
    with found.unit() as unit:
        furnish(unit)
    with running(settings, port=urlsplit(settings.wechat_api_base).port or 0) as sandbox:
        yield Site(app, found, sandbox)
    found.hang_up()
