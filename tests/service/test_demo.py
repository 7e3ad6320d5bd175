"""Trying the program out: laying out a bank, starting everything, ending everything."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from flask import Flask
from sqlalchemy import select

from config import HOME, Settings
from regions.branches import BranchRow
from service import epochs
from service.assembly import assemble
from service.db import db
from service.demo import demo, is_empty
from service.wiring import Tables, Unit, Wiring


def first(unit: Unit) -> None:
    insert = unit.insert(BranchRow).values(
        code="HQ", name="示例总行", short_name="总行", level=0, sort=0
    )
    unit.db.execute(insert.on_conflict_do_nothing())


def broken(_unit: Unit) -> None:
    raise RuntimeError("a seed that fails")


@pytest.fixture
def with_seeds(tmp_path: Path) -> Iterator[object]:
    """Applications on one new database, with the seeds one asks for."""
    made: list[Flask] = []

    def make(*seeds: tuple[str, object]) -> Flask:
        settings = replace(Settings(), data_dir=tmp_path)
        made.append(assemble(settings, Tables(seeds=seeds), commands=[demo]))  # type: ignore[arg-type]  # shortened
        with made[-1].app_context():
            db.create_all()
        return made[-1]

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()
        app.extensions["wiring"].reader.dispose()


def wired(app: Flask) -> Wiring:
    return app.extensions["wiring"]


def test_seeds_are_told_one_by_one_and_may_be_sown_twice(with_seeds) -> None:
    app = with_seeds(("粉丝", first), ("又是粉丝", first))
    for _ in range(2):
        sown = app.test_cli_runner().invoke(args=["demo", "seed"])
        assert sown.exit_code == 0
        assert "写入粉丝" in sown.output
        assert "写入又是粉丝" in sown.output
    with wired(app).reading() as unit:
        assert len(unit.db.execute(select(BranchRow.code)).all()) == 1


def test_a_bank_is_laid_out_as_a_whole_or_not_at_all(with_seeds) -> None:
    app = with_seeds(("粉丝", first), ("故障", broken))
    assert app.test_cli_runner().invoke(args=["demo", "seed"]).exit_code != 0
    assert is_empty(wired(app))


@pytest.mark.parametrize("verb", ["seed", "run"])
def test_no_sample_bank_is_laid_out_in_production(tmp_path: Path, verb: str) -> None:
    settings = replace(Settings(), environment="production", data_dir=tmp_path)
    app = assemble(settings, Tables(seeds=[("粉丝", first)]), commands=[demo])
    told = app.test_cli_runner().invoke(args=["demo", verb])
    assert told.exit_code == 1
    assert "ENVIRONMENT=production" in told.output
    assert not list(tmp_path.glob("*.sqlite3"))


def test_housekeeping_does_not_make_a_bank(with_seeds) -> None:
    app = with_seeds(("粉丝", first))
    with wired(app).unit() as unit:
        epochs.bump(unit, "branches")
    assert is_empty(wired(app))
    app.test_cli_runner().invoke(args=["demo", "seed"])
    assert not is_empty(wired(app))


@pytest.mark.parametrize("name", ["port", "sandbox_port"])
def test_a_taken_port_is_said_in_plain_words_with_the_way_out(tmp_path: Path, name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        web, sandbox = free_ports()
        ports = {"port": web, "sandbox_port": sandbox, name: port}
        settings = Settings(data_dir=tmp_path, **ports)  # type: ignore[arg-type]  # ports by name
        app = assemble(settings, Tables(), commands=[demo])
        told = app.test_cli_runner().invoke(args=["demo", "run"])
    assert told.exit_code == 1
    assert f"端口 {port}" in told.output
    assert f"{name.upper()}=" in told.output
    assert not list(tmp_path.glob("*.sqlite3"))


def test_one_command_starts_everything_and_one_signal_ends_it(tmp_path: Path) -> None:
    web, sandbox = free_ports()
    running = subprocess.Popen(
        [sys.executable, "-m", "flask", "demo", "run"],
        cwd=HOME,
        env={
            **os.environ,
            "PORT": str(web),
            "SANDBOX_PORT": str(sandbox),
            "CORE_SANDBOX_PORT": str(free_ports()[0]),
            "DATA_DIR": str(tmp_path),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert running.stdout is not None
    try:
        told = []
        for line in running.stdout:
            told.append(line)
            if line.startswith("按 Ctrl-C"):
                break
        assert "已就绪。用浏览器打开：\n" in told, told
        for port, path in ((web, "/readyz"), (sandbox, "/_control/log")):
            assert requests.get(f"http://127.0.0.1:{port}{path}", timeout=5).status_code == 200
    finally:
        running.send_signal(signal.SIGINT)
        rest, _ = running.communicate(timeout=30)
    assert "已全部结束" in rest
    assert running.returncode == 0
    for port in (web, sandbox):
        with socket.socket() as knock:
            assert knock.connect_ex(("127.0.0.1", port)) != 0


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
