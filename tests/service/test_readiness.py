"""What a load balancer, a monitor and a lost visitor are answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask_migrate import stamp
from sqlalchemy import text

from config import Settings
from service import clock, heartbeat
from service.headers import security_headers
from service.readiness import MIGRATIONS
from service.wiring import Wiring
from wsgi import create_app


@pytest.fixture
def migrated(app: Flask, wiring: Wiring) -> Iterator[None]:
    """The database says that it is at the newest migration; undone after the test."""
    with app.app_context():
        stamp(str(MIGRATIONS))
    yield
    with wiring.unit() as unit:
        unit.db.execute(text("DROP TABLE alembic_version"))
        unit.db.execute(heartbeat.Heartbeat.__table__.delete())


def lost_database(folder: Path) -> Flask:
    """An application whose database cannot be opened."""
    return create_app(
        replace(Settings(), data_dir=folder, database_url=f"sqlite:///{folder}/none/bank.sqlite3")
    )


def test_a_process_that_answers_is_alive(app: Flask) -> None:
    assert app.test_client().get("/livez").get_json() == {"alive": True}


@pytest.mark.usefixtures("migrated")
def test_a_migrated_database_makes_ready(app: Flask) -> None:
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["ready"]) == (200, True)


def test_old_tables_are_not_ready_and_the_way_out_is_said(app: Flask) -> None:
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["ready"]) == (503, False)
    assert "flask db upgrade" in answer.json["migrations"]["way_out"]


def test_a_lost_database_is_not_ready_yet_the_process_is_alive(tmp_path: Path) -> None:
    app = lost_database(tmp_path)
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["database"]["well"]) == (503, False)
    assert app.test_client().get("/livez").status_code == 200


@pytest.mark.usefixtures("migrated")
def test_a_silent_worker_is_told_but_does_not_take_the_web_away(app: Flask, wiring: Wiring) -> None:
    ask = app.test_client().get
    assert not ask("/readyz").json["beside"]["worker"]["well"]
    with wiring.unit() as unit:
        heartbeat.beat(unit)
    assert ask("/readyz").json["beside"]["worker"]["well"]
    with time_machine.travel(clock.now() + heartbeat.SILENCE + timedelta(seconds=1)):
        late = ask("/readyz")
    assert late.status_code == 200
    assert not late.json["beside"]["worker"]["well"]


def test_counters_are_published_as_prometheus_reads_them(app: Flask) -> None:
    answer = app.test_client().get("/metrics")
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    assert b"python_info" in answer.data


def test_every_answer_carries_the_headers_even_a_refusal(app: Flask) -> None:
    for path in ("/livez", "/nowhere"):
        headers = app.test_client().get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_the_phone_may_frame_pages_only_while_there_is_a_sandbox() -> None:
    sandbox = Settings(sandbox_port=8123)
    assert "http://127.0.0.1:8123" in security_headers(sandbox)["Content-Security-Policy"]
    earnest = Settings(
        wechat_api_base="https://api.weixin.qq.com",
        wechat_oauth_base="https://open.weixin.qq.com",
        public_base_url="https://bank.example",
    )
    policy = security_headers(earnest)["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors 'self'")
    assert "script-src 'self' https://res.wx.qq.com;" in policy


def test_https_is_kept_once_seen() -> None:
    assert "Strict-Transport-Security" not in security_headers(Settings())
    secure = Settings(public_base_url="https://bank.example")
    assert "Strict-Transport-Security" in security_headers(secure)


def test_a_program_is_refused_in_json_and_a_person_in_words(app: Flask) -> None:
    client = app.test_client()
    told = client.get("/nowhere", headers={"Accept": "application/json"})
    assert (told.status_code, told.json["error"]) == (404, "Not Found")
    shown = client.get("/nowhere", headers={"Accept": "text/html"})
    assert (shown.status_code, shown.mimetype) == (404, "text/html")
    assert "从微信" in shown.text


def test_a_refusal_keeps_the_headers_that_say_what_is_allowed(app: Flask) -> None:
    answer = app.test_client().post("/livez")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


@pytest.fixture
def breaking(tmp_path: Path) -> Flask:
    """An application with a page that breaks and one that asks a lost database."""
    app = lost_database(tmp_path)

    @app.get("/breaks")
    def breaks() -> str:
        raise RuntimeError("the fault that nobody outside may read")

    @app.get("/asks")
    def asks() -> str:
        with app.extensions["wiring"].reading() as unit:
            return str(unit.db.execute(text("SELECT 1")).scalar())

    return app


def test_a_fault_is_answered_without_its_text(breaking: Flask) -> None:
    answer = breaking.test_client().get("/breaks", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert "nobody outside" not in answer.text


def test_a_database_that_is_away_is_a_matter_of_waiting(breaking: Flask) -> None:
    answer = breaking.test_client().get("/asks", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
