"""``flask worker``: run one, see what it has to do, and give failed deliveries another chance."""

from __future__ import annotations

import signal
import threading
from datetime import datetime, timedelta
from typing import Final

import click
from flask.cli import AppGroup
from sqlalchemy import func, select

from service import clock
from service.delivery import claims, quotas
from service.delivery.learning import ask
from service.delivery.ledger import FAILED, RUNNING, WAITING, Lane, Row
from service.delivery.worker import CHORE, Worker, work_off
from service.wiring import Unit, wiring

worker_group = AppGroup("worker", help="后台进程：把标签、菜单和消息送达微信。")

_SHOWN_FAILURES: Final = 10


@worker_group.command("run", help="运行后台进程，直到收到停止信号。")
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 32), help="线程数")
@click.option("--once", is_flag=True, help="只处理现在到期的，处理完就结束")
def run(threads: int, once: bool) -> None:
    wired = wiring()
    if once:
        click.echo(f"处理了 {work_off(wired)} 项")
        return
    worker = Worker(wired, threads=threads)
    for number in (signal.SIGTERM, signal.SIGINT):
        # A thread of its own, because the interrupted one may hold the lock that stopping takes.
        signal.signal(number, lambda *_: threading.Thread(target=worker.stop).start())
    click.echo("后台进程已启动")
    worker.run()
    click.echo("后台进程已停止，手头的事都已做完")


@worker_group.command("status", help="查看等待、进行中和失败的事项。")
def status() -> None:
    with wiring().reading() as unit:
        _show_counts(unit)
        _show_resting(unit)
        _show_failures(unit)


def _show_counts(unit: Unit) -> None:
    counted = unit.db.execute(
        select(
            Row.kind,
            *(
                func.count().filter(Row.state == state).label(state)
                for state in (WAITING, RUNNING, FAILED)
            ),
            func.min(Row.created_at).filter(Row.state != FAILED).label("oldest"),
        )
        .where(Row.kind != CHORE)
        .group_by(Row.kind)
        .order_by(Row.kind)
    ).all()
    if not counted:
        click.echo("没有等待送达的事项")
    performed = unit.wiring.tables.deliveries
    for row in counted:
        age = f"，最早的已等 {_for_people(clock.now() - row.oldest)}" if row.oldest else ""
        orphan = "" if row.kind in performed else "（没有程序处理这一类）"
        click.echo(
            f"{row.kind}{orphan}：等待 {row.waiting}，进行中 {row.running}，失败 {row.failed}{age}"
        )


def _show_resting(unit: Unit) -> None:
    resting = unit.db.execute(
        select(Lane.name, Lane.stopped_until, Lane.why)
        .where(Lane.stopped_until > clock.now())
        .order_by(Lane.name)
    ).all()
    for lane in resting:
        click.echo(f"暂停：{lane.name}，{_at(lane.stopped_until)} 恢复，原因：{lane.why}")


def _show_failures(unit: Unit) -> None:
    """The latest failures, by number: keys may name a person."""
    failures = unit.db.execute(
        select(Row.id, Row.kind, Row.state, Row.attempts, Row.last_failure, Row.due_at)
        .where(Row.last_failure != "", Row.state != RUNNING)
        .order_by(Row.id.desc())
        .limit(_SHOWN_FAILURES)
    ).all()
    for row in failures:
        then = (
            "已放弃，可用 flask worker retry 重试"
            if row.state == FAILED
            else (f"{_at(row.due_at)} 再试")
        )
        click.echo(f"第 {row.id} 号 {row.kind}，试过 {row.attempts} 次：{row.last_failure}；{then}")


@worker_group.command("retry", help="让失败的和正在等待重试的事项马上再试一次。")
@click.argument("kind", required=False)
def retry(kind: str | None) -> None:
    with wiring().unit() as unit:
        count = claims.retry(unit, kind)
    click.echo(f"{count} 项将马上重试" if count else "没有需要重试的事项")


@worker_group.command("quotas", help="查看今天各接口已用和剩余的调用次数。")
@click.option("--ask", "asks", is_flag=True, help="请后台进程向微信查询实际额度")
def show_quotas(asks: bool) -> None:
    wired = wiring()
    with wired.reading() as unit:
        rows = quotas.used_today(unit)
    for row in rows:
        limit = row.learned or quotas.DEFAULTS.get(row.path)
        source = "微信告知" if row.learned else "默认值"
        known = f"上限 {limit}（{source}）" if limit else "上限未知"
        used = min(row.reserved, limit) if limit else row.reserved
        click.echo(f"{row.path}：已用约 {used}，{known}{'，今天已用完' if row.spent else ''}")
    if not rows:
        click.echo("今天还没有调用过微信接口")
    if asks:
        with wired.unit() as unit:
            ask(unit)
        click.echo("已安排查询，稍后再看")


def _at(moment: datetime) -> str:
    return f"{clock.shanghai(moment):%m-%d %H:%M:%S}"


def _for_people(age: timedelta) -> str:
    seconds = int(age.total_seconds())
    if seconds < 60:
        return f"{seconds} 秒"
    return f"{seconds // 60} 分钟" if seconds < 7200 else f"{seconds // 3600} 小时"
