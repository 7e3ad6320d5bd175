"""``flask menus``: what a publication would do, doing it, undoing it, and how things stand."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import click
from flask.cli import AppGroup
from sqlalchemy import Row as Found
from sqlalchemy import select

from menus import book, importing, offers, overlays, plan_report, publication, snapshots, status
from menus.estimate import Left
from menus.plan_report import Outlook, said
from menus.preview_command import preview_command
from menus.publication import Draft
from menus.slots import SlotKind
from regions import branches
from service import clock
from service.delivery import claims, quotas
from service.delivery.claims import Claim
from service.delivery.ledger import FAILED, RUNNING, WAITING, Desk, Lane, Row
from service.wechat.errors import TryLater, WillNever
from service.wiring import Wiring, wiring

menus_group = AppGroup("menus", help="微信菜单：查看计划、发布、回退、导入、查看现状。")
menus_group.add_command(preview_command)

#: Nobody renews the lease of a publication in the foreground, so it is taken for longer.
_LEASE: Final = timedelta(minutes=10)
_LOOK_SECONDS: Final = 0.5
#: How a publication on the ledger stands: its state, when it is due, why it failed last.
_Try = Found[str, datetime, str]
#: What is due within this time is waited for.
_SOON: Final = timedelta(seconds=5)

_wait = click.option("--wait", is_flag=True, help="在前台完成，并显示每一步")
_adopt = click.option("--adopt", is_flag=True, help="别处的改动已核对，允许覆盖（会先存档）")


@menus_group.command("plan", help="与微信上的菜单比较，列出发布时要做的每一步；不作任何改动。")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def show_plan(as_json: bool) -> None:
    wired = wiring()
    found = _drafted(wired)
    with wired.reading() as unit:
        held = snapshots.held(unit)
    _show(wired, found, snapshot=held, as_json=as_json)


@menus_group.command("apply", help="把菜单发布到微信；由后台进程完成，或用 --wait 就在这里完成。")
@_wait
@_adopt
def apply(wait: bool, adopt: bool) -> None:
    wired = wiring()
    if adopt:
        _accept(wired, _drafted(wired))
    with wired.reading() as unit:
        held = snapshots.held(unit)
    if held is not None:
        click.echo(f"菜单停在第 {held} 号存档；要恢复各分行的配置，用 flask menus resume")
    with _refusing(), wired.unit() as unit:
        publication.request_publication(unit)
    _carry_on(wired, wait=wait)


@menus_group.command("status", help="查看已发布的菜单、标签和粉丝的归属情况。")
def show_status() -> None:
    wired = wiring()
    names = _names(wired)
    with wired.reading() as unit:
        for line in status.lines(unit, names):
            click.echo(line)


@menus_group.command("snapshots", help="列出每次发布前的存档，新的在前。")
@click.option("--most", default=20, show_default=True, type=click.IntRange(1, 200), help="条数")
def show_snapshots(most: int) -> None:
    with wiring().reading() as unit:
        found, held = snapshots.listed(unit, most=most), snapshots.held(unit)
    for number, taken_at, titles, count in found:
        mark = "，现在停在这里" if number == held else ""
        click.echo(
            f"{number}：{status.at(taken_at)}，默认菜单 {titles}，个性化菜单 {count} 个{mark}"
        )
    if not found:
        click.echo("还没有存档；每次发布改动之前会自动存一份")


@menus_group.command("rollback", help="回到某号存档的菜单并停在那里；先显示计划。")
@click.argument("number", type=int)
@click.option("--yes", is_flag=True, help="不再询问")
@_wait
@_adopt
def rollback(number: int, yes: bool, wait: bool, adopt: bool) -> None:
    wired = wiring()
    found = _drafted(wired, snapshot=number)
    _show(wired, found, snapshot=number)
    with wired.reading() as unit:
        hidden = [one.title for one in overlays.known(unit) if one.kind is SlotKind.EMERGENCY]
    if hidden:
        click.echo(
            f"现在开着应急专区，停在存档期间菜单里没有它的入口：{'、'.join(hidden)}", err=True
        )
    if not yes:
        click.confirm(f"回到第 {number} 号存档，并停在那里直到 flask menus resume？", abort=True)
    if adopt:
        _accept(wired, found)
    with _refusing(), wired.unit() as unit:
        publication.hold(unit, number)
    _carry_on(wired, wait=wait)


@menus_group.command("resume", help="结束回退，恢复各分行的配置并发布。")
@_wait
def resume(wait: bool) -> None:
    wired = wiring()
    with _refusing(), wired.unit() as unit:
        was_held = publication.resume(unit)
    if not was_held:
        click.echo("菜单没有停在存档上，各分行的配置一直有效")
        return
    _carry_on(wired, wait=wait)


@menus_group.command("ceiling", help="查看个性化菜单的上限；--forget 重新向微信探一次。")
@click.option("--forget", is_flag=True, help="忘掉学到的上限，下次发布时重新探明")
def show_ceiling(forget: bool) -> None:
    wired = wiring()
    if forget:
        with _refusing(), wired.unit() as unit:
            publication.forget_ceiling(unit)
        click.echo("已忘掉学到的上限；后台进程会重新发布，微信拒绝时就知道新的上限")
        return
    with wired.reading() as unit:
        click.echo(status.ceiling_in_words(unit))


@menus_group.command("import", help="把公众平台上手工制作的菜单收进总行菜单，不丢一项。")
@click.option("--yes", is_flag=True, help="不再询问")
def import_menu(yes: bool) -> None:
    wired = wiring()
    with _refusing():
        found = importing.found(Desk(wired))
    for line in importing.described(found):
        click.echo(line)
    with wired.reading() as unit:
        for line in importing.consequences(unit):
            click.echo(line)
        is_kept = publication.is_kept(unit)
    if not yes:
        click.confirm("收进总行菜单？", abort=True)
    with _refusing(), wired.unit() as unit:
        importing.take_over(unit, found)
    click.echo(
        "已收进总行菜单，原菜单已存档；后台进程会在一分钟内自动发布，要反悔用 flask menus rollback"
        if is_kept
        else "已收进总行菜单，原菜单已存档；用 flask menus plan 查看，再用 flask menus apply 发布"
    )


def _show(
    wired: Wiring, found: Draft, *, snapshot: int | None = None, as_json: bool = False
) -> None:
    calls, work, changes = plan_report.foreseen(found)
    outlook = Outlook(calls, left_today(wired, calls), work, changes, snapshot)
    if as_json:
        shown = plan_report.as_json(found, outlook)
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for line in plan_report.lines(found, outlook, _names(wired)):
        click.echo(line)


def left_today(wired: Wiring, paths: Iterable[str]) -> dict[str, Left]:
    """What is left today of each call: as WeChat says, or where it does not, as we counted."""
    with wired.reading() as unit:
        counted = {row.path: row for row in quotas.used_today(unit)}
    found: dict[str, Left] = {}
    for path in paths:
        row = counted.get(path)
        limit = (row.learned if row else None) or quotas.DEFAULTS.get(path)
        found[path] = Left(limit, row.reserved if row else 0, is_asked=False)
        try:
            quota = Desk(wired).gateway.quota(path)
        except (TryLater, WillNever):
            continue  # Some calls have no quota that can be asked for; our own count is shown.
        found[path] = Left(quota.daily_limit, quota.used, is_asked=True)
    return found


def _accept(wired: Wiring, found: Draft) -> None:
    for one in found.drift:
        click.echo(f"允许覆盖：{one.says}")
    if not found.drift:
        click.echo("没有发现别处的改动")
    with wired.unit() as unit:
        book.accept(unit, found.drift)


def _carry_on(wired: Wiring, *, wait: bool) -> None:
    if wait:
        _publish_here(wired)
    else:
        click.echo("已登记，后台进程会完成发布；用 flask menus status 查看进展")


def _publish_here(wired: Wiring) -> None:
    """Perform the publication asked for in this process, unless a worker is quicker."""
    held = _held(wired)
    if held is None:
        click.echo("后台进程已经接手并处理完毕；用 flask menus status 查看结果")
        return
    names = _names(wired)
    outcome: TryLater | WillNever | None = TryLater(_SOON, "在前台发布时中断")
    done = False
    try:
        done = publication.settle(Desk(wired), lambda step: click.echo(said(step, names)))
        outcome = None
    except (TryLater, WillNever) as refused:
        outcome = refused
    finally:
        # Also when somebody presses Ctrl-C, or the worker would wait for our lease to end.
        claims.settle(wired, held, {one.id: outcome for one in held.deliveries if outcome})
    if isinstance(outcome, TryLater):
        raise click.ClickException(f"微信暂时没有完成：{outcome}。后台进程会接着做")
    if outcome is not None:
        raise click.ClickException(str(outcome))
    click.echo("发布完成" if done else "其余步骤要等粉丝换好标签，后台进程会接着做")


def _held(wired: Wiring) -> Claim | None:
    """The waiting publication, taken by us; none once a worker has taken and finished it."""
    with wired.unit() as unit:
        claims.retry(unit, offers.PUBLISH)  # Whoever publishes by hand waits for no retry.
    there = select(Row.state, Row.due_at, Row.last_failure).where(
        Row.kind == offers.PUBLISH, Row.key == offers.THE_MENUS
    )
    resting = select(Lane.stopped_until).where(Lane.name == offers.THE_MENUS)
    while True:
        with wired.unit() as unit:
            held = claims.claim(unit, offers.PUBLISH, offers.THE_MENUS, batch=1, lease=_LEASE)
            if held is not None:
                return held
            rows = {row.state: row for row in unit.db.execute(there)}
            rests = unit.db.execute(resting).scalar()
        if RUNNING not in rows:
            _tell_of_worker(rows.get(WAITING), rows.get(FAILED), rests)
        if not rows:
            return None
        time.sleep(_LOOK_SECONDS)


def _tell_of_worker(waiting: _Try | None, failed: _Try | None, rests: datetime | None) -> None:
    """End the command where a worker was quicker and could not do it either.

    Raises:
        click.ClickException: with the reason, and when it is tried again.
    """
    due = max(waiting.due_at, rests or waiting.due_at) if waiting is not None else None
    if waiting is not None and due is not None and due > clock.now() + _SOON:
        again = f"后台进程会在 {status.at(due)} 再试"
        raise click.ClickException(f"后台进程刚刚试过：{waiting.last_failure}。{again}")
    if waiting is None and failed is not None:
        raise click.ClickException(f"后台进程刚刚试过：{failed.last_failure}")


@contextmanager
def _refusing() -> Iterator[None]:
    """A refusal ends the command with its reason."""
    try:
        yield
    except (TryLater, WillNever) as refused:
        raise click.ClickException(str(refused)) from None


def _drafted(wired: Wiring, *, snapshot: int | None = None) -> Draft:
    with _refusing():
        return publication.draft(Desk(wired), snapshot=snapshot)


def _names(wired: Wiring) -> Mapping[str, str]:
    with wired.reading() as unit:
        return {str(one.code): one.name for one in branches.directory(unit).all}
