"""What ``flask doctor`` sees, and the way out that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade

from config import Settings
from service import clock, heartbeat
from service.db import db
from service.doctor import before_production, hotline, skew, wake_up_line, webhook, wechat_api
from service.readiness import MIGRATIONS
from service.sandbox import running
from service.wiring import Wiring
from tests.service.sandbox.conftest import listening
from wsgi import create_app

Made = Callable[[Settings], Flask]
#: Nobody listens here: the port is reserved and never given to a program.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def made() -> Iterator[Made]:
    """Whole applications, whose databases are let go after the test."""
    apps: list[Flask] = []

    def make(settings: Settings) -> Flask:
        apps.append(create_app(settings))
        return apps[-1]

    yield make
    for app in apps:
        with app.app_context():
            db.engine.dispose()
        app.extensions["wiring"].reader.dispose()


def wired(app: Flask) -> Wiring:
    found: Wiring = app.extensions["wiring"]
    return found


def test_everything_well_is_said_and_exits_with_zero(tmp_path: Path, made: Made) -> None:
    settings = replace(Settings(), data_dir=tmp_path)
    with running(settings) as sandbox, listening(made(sandbox.settings)) as address:
        app = made(replace(sandbox.settings, public_base_url=address))
        with app.app_context():
            upgrade(str(MIGRATIONS))
        with wired(app).unit() as unit:
            heartbeat.beat(unit)
        told = app.test_cli_runner().invoke(args=["doctor"])
    for well in ("数据库正常", "表结构是最新的", "后台进程在工作", "access_token 可以取得"):
        assert f"✓ {well}" in told.output
    assert "应答正确" in told.output


def test_everything_amiss_is_said_with_a_way_out_and_exits_with_one(
    tmp_path: Path, made: Made
) -> None:
    settings = Settings(
        data_dir=tmp_path,
        wechat_api_base=NOWHERE,
        public_base_url=NOWHERE,
        redis_url="redis://127.0.0.1:9",
    )
    told = made(settings).test_cli_runner().invoke(args=["doctor"])
    assert told.exit_code == 1
    lines = told.output.splitlines()
    amiss = [number for number, line in enumerate(lines) if line.startswith("✗")]
    assert len(amiss) == 4
    assert all(lines[number + 1].startswith("    ") for number in amiss)


def test_the_way_to_production_is_named_without_being_a_fault() -> None:
    finding = before_production(Settings())
    assert finding.well
    assert "WECHAT_SECRET" in finding.way_out


def test_a_hotline_nobody_filled_in_is_named_with_its_setting() -> None:
    missing, there = hotline(Settings()), hotline(replace(Settings(), hotline="95500"))
    assert missing.well
    assert "HOTLINE" in missing.way_out
    assert (there.well, there.way_out) == (True, "")


def test_an_account_that_wechat_refuses_is_seen(tmp_path: Path, made: Made) -> None:
    settings = replace(Settings(), data_dir=tmp_path)
    with running(settings) as sandbox:
        app = made(replace(sandbox.settings, wechat_secret="another-secret"))
        with app.app_context():
            db.create_all()
        *_, last = wechat_api(wired(app))
    assert not last.well
    assert "AppSecret" in last.says
    assert "another-secret" not in last.says


@pytest.mark.parametrize(("minutes", "well"), [(0, True), (2, False), (-2, False)])
def test_a_clock_that_is_off_is_seen(minutes: int, well: bool) -> None:
    there = clock.now() + timedelta(minutes=minutes)
    date = format_datetime(there, usegmt=True)
    assert skew(date).well is well
    assert skew(f"{date}, {date}").well is well


def test_a_push_address_with_another_token_is_seen(app: Flask) -> None:
    with listening(app) as address:
        ours = replace(Settings(), public_base_url=address)
        assert webhook(ours).well
        other = webhook(replace(ours, wechat_token="anothertoken"))
    assert not other.well
    assert "WECHAT_TOKEN" in other.way_out


@pytest.mark.redis
def test_redis_is_looked_at(redis_url: str) -> None:
    assert wake_up_line(Settings(redis_url=redis_url)).well
    assert not wake_up_line(Settings(redis_url="redis://127.0.0.1:9")).well
