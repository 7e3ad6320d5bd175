"""``flask demo``: the whole thing on one machine, with a sample bank and a WeChat of its own."""

from __future__ import annotations

import shutil
import socket
import sys
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

import click
import requests
from flask.cli import AppGroup, with_appcontext
from flask_migrate import upgrade
from sqlalchemy import func, select

from config import Settings
from service import clock
from service.db import db
from service.delivery.ledger import FAILED, RUNNING, WAITING, Row
from service.delivery.worker import CHORE
from service.family import Family, MemberDied, ToldToEnd
from service.readiness import MIGRATIONS
from service.staff import cast
from service.wiring import Wiring, wiring

#: How long everything together may take to answer, and then to agree with the sandbox.
START_SECONDS: Final = 90
SETTLE_SECONDS: Final = 60

demo = AppGroup("demo", help="在本机试用：示例银行、微信沙箱、网页和后台进程。")


@demo.command("seed", help="写入示例银行；可以反复运行。")
@with_appcontext
def seed() -> None:
    """Lay the sample bank out, telling each step."""
    _refuse_production(wiring().settings)
    lay_out(wiring())


@demo.command("run", help="启动一切：沙箱、网页、后台进程；按 Ctrl-C 全部结束。")
@with_appcontext
def run() -> None:
    """Prepare, start, publish, say where everything is, and stay until told to end."""
    wired = wiring()
    _refuse_production(wired.settings)
    _require_free_ports(wired.settings)
    upgrade(str(MIGRATIONS))
    if is_empty(wired):
        lay_out(wired)
    metrics = _emptied(wired.settings.data_dir / "metrics")
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(metrics), "PYTHONUNBUFFERED": "1"}
    logs = wired.settings.data_dir / "logs"
    try:
        with Family(logs, environment) as family:
            _open(family, wired)
            family.watch()
    except ToldToEnd:
        click.echo("\n已全部结束。")
    except MemberDied as death:
        click.echo(
            f"\n{death.name} 意外退出（状态 {death.status}），其余进程已结束。最后的日志：",
            err=True,
        )
        click.echo(death.last_words, err=True)
        sys.exit(1)


def lay_out(wired: Wiring) -> None:
    """Run every seed in one transaction: the sample bank is there as a whole or not at all."""
    with wired.unit() as unit:
        for name, step in wired.tables.seeds:
            began = time.monotonic()
            click.echo(f"写入{name} …", nl=False)
            step(unit)
            unit.flush()
            click.echo(f" {time.monotonic() - began:.1f} 秒")


def is_empty(wired: Wiring) -> bool:
    """Whether the floors above keep nothing yet; what this floor keeps comes from running alone."""
    content = [
        mapper.local_table
        for mapper in db.Model.registry.mappers  # type: ignore[attr-defined]  # untyped there
        if not mapper.class_.__module__.startswith("service.")
    ]
    with wired.reading() as unit:
        return not any(
            unit.db.execute(select(1).select_from(table).limit(1)).first() for table in content
        )


def _open(family: Family, wired: Wiring) -> None:
    settings = wired.settings
    click.echo("启动沙箱、网页和后台进程 …")
    for name, command in _commands(settings).items():
        family.start(name, command)
    sandbox = f"http://127.0.0.1:{settings.sandbox_port}/"
    page = f"http://127.0.0.1:{settings.port}"

    def serving() -> bool:
        return _answers(sandbox) and _answers(f"{page}/readyz")

    if not family.wait_for(serving, seconds=START_SECONDS):
        raise click.ClickException(f"{START_SECONDS} 秒内没有全部就绪，请看日志：{family.logs}")
    for name, step in wired.tables.openings:
        click.echo(f"{name} …")
        with wired.unit() as unit:
            step(unit)
    if not family.wait_for(lambda: _in_state(wired, WAITING, RUNNING) == 0, seconds=SETTLE_SECONDS):
        click.echo(f"还有事项没有送达沙箱，后台会继续；日志：{family.log_of('worker')}", err=True)
    if failed := _in_state(wired, FAILED):
        click.echo(f"有 {failed} 项送达失败，原因请看：flask worker status", err=True)
    _welcome(settings, family.logs)


def _welcome(settings: Settings, logs: Path) -> None:
    click.echo(
        f"""
已就绪。用浏览器打开：
  手机（扮演一位粉丝）  http://127.0.0.1:{settings.sandbox_port}/
  网页                  {settings.public_base_url}/
  沙箱收到的调用        http://127.0.0.1:{settings.sandbox_port}/_control/log
  日志                  {logs}
{cast.card(settings)}
按 Ctrl-C 结束全部。"""
    )


def _commands(settings: Settings) -> Mapping[str, list[str]]:
    python, flask = sys.executable, [sys.executable, "-m", "flask"]
    return {
        "sandbox": [*flask, "sandbox", "serve"],
        "web": [
            *(python, "-m", "gunicorn", "wsgi:create_app()", "--no-control-socket"),
            *("--worker-class", "gthread", "--workers", "2", "--threads", "4"),
            *("--bind", f"127.0.0.1:{settings.port}", "--graceful-timeout", "5"),
        ],
        "worker": [*flask, "worker", "run"],
    } | ({"core": [*flask, "core", "sandbox"]} if settings.uses_core_sandbox else {})


def _refuse_production(settings: Settings) -> None:
    """Followers must never read of outlets and promotions that do not exist."""
    if settings.in_production:
        raise click.ClickException(
            "这是正式环境（ENVIRONMENT=production），不能写入或运行示例银行。"
        )


def _require_free_ports(settings: Settings) -> None:
    needed = {"PORT": settings.port, "SANDBOX_PORT": settings.sandbox_port}
    if settings.uses_core_sandbox:
        needed["CORE_SANDBOX_PORT"] = settings.core_sandbox_port
    for name, port in needed.items():
        with socket.socket() as attempt:
            # As the servers do, or the port of a run that has just ended would look taken.
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError:
                raise click.ClickException(
                    f"端口 {port} 不能使用，可能已被别的程序占用。"
                    f"换一个端口：{name}={port + 10} make run"
                ) from None


def _emptied(folder: Path) -> Path:
    """A folder with nothing left of processes that have ended."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    except requests.RequestException:
        return False


def _in_state(wired: Wiring, *states: str) -> int:
    """How many deliveries that are due are in one of these states; chores never end."""
    query = select(func.count()).where(
        Row.kind != CHORE, Row.state.in_(states), Row.due_at <= clock.now()
    )
    with wired.reading() as unit:
        return int(unit.db.execute(query).scalar_one())
