"""``flask menus``: what a publication would do, doing it, and how things stand."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

import click
from flask.cli import AppGroup
from sqlalchemy import func, select

from menus import limits, offers, publication
from menus.plan import (
    AddMenu,
    CreateDefault,
    CreateTag,
    DeleteMenu,
    DeleteTag,
    EmptyTag,
    LetGo,
    Plan,
    Step,
)
from menus.publication import Draft, MenuAccount, MenuSnapshot
from menus.variants import MenuReach, MenuVariant
from regions import branches
from service import clock
from service.delivery import claims
from service.delivery.claims import Claim
from service.delivery.ledger import FAILED, Desk, Row
from service.wechat.errors import TryLater, WillNever
from service.wiring import Unit, Wiring, wiring

menus_group = AppGroup("menus", help="微信菜单：查看计划、发布、查看现状。")

#: Nobody renews the lease of a publication in the foreground, so it is taken for longer.
_LEASE: Final = timedelta(minutes=10)
_LOOK_SECONDS: Final = 0.5


@menus_group.command("plan", help="与微信上的菜单比较，列出发布时要做的每一步；不作任何改动。")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def show_plan(as_json: bool) -> None:
    wired = wiring()
    found = _drafted(wired)
    if as_json:
        click.echo(json.dumps(_as_json(found), ensure_ascii=False, indent=2))
        return
    names = _names(wired)
    for number, step in enumerate(found.plan.steps, 1):
        click.echo(f"{number:3d}. {said(step, names)}")
    if not found.plan.steps:
        click.echo("微信上的菜单与应有的一致，无需改动")
    click.echo(_room(found))
    for line in remarks(found, names):
        click.echo(line)


@menus_group.command("publish", help="把菜单发布到微信；由后台进程完成，或用 --wait 就在这里完成。")
@click.option("--wait", is_flag=True, help="在前台完成，并显示每一步")
def publish(wait: bool) -> None:
    wired = wiring()
    try:
        with wired.unit() as unit:
            publication.request_publication(unit)
    except WillNever as refused:
        raise click.ClickException(str(refused)) from None
    if not wait:
        click.echo("已登记，后台进程会完成发布；用 flask menus status 查看进展")
        return
    _publish_here(wired)


@menus_group.command("status", help="查看已发布的菜单、标签和粉丝的归属情况。")
def show_status() -> None:
    wired = wiring()
    names = _names(wired)
    with wired.reading() as unit:
        for line in _status(unit, names):
            click.echo(line)


def said(step: Step, names: Mapping[str, str]) -> str:
    """One step of a plan as a Chinese sentence."""
    match step:
        case CreateDefault():
            return "发布默认菜单（总行菜单）"
        case CreateTag(key, name):
            return f"建立标签“{name}”（{names.get(key, key)}）"
        case AddMenu(key, menu):
            return f"发布{names.get(key, key)}的菜单“{menu[-1].name}”"
        case DeleteMenu(menu_id, key):
            return f"删除{names.get(key, key)}的旧菜单 {menu_id}"
        case LetGo(key, _, followers):
            return (
                f"{names.get(key, key)}的 {followers} 位粉丝暂时看到总行菜单（没有空余的菜单名额）"
            )
        case EmptyTag(tag_id, key, followers):
            owner = names.get(key, key)
            return f"等{owner}的 {followers} 位粉丝换好标签（原标签 {tag_id}）"
        case DeleteTag(tag_id, key):
            return f"删除{names.get(key, key)}不再使用的标签 {tag_id}"


def remarks(found: Draft, names: Mapping[str, str]) -> list[str]:
    """What else to know before publishing: who must do without, what is refused or cut off."""
    lines = [
        f"名额不足：{names.get(one.key, one.key)}的“{one.title}”暂不单独显示，"
        f"{one.followers} 位粉丝改看{names[one.heir] if one.heir else '总行'}的菜单"
        for one in found.plan.fallbacks
    ]
    for code, faults in found.wish.refused.items():
        lines += [f"不能发布：{names.get(code, code)}，{fault}" for fault in faults]
    for variant in found.wish.resolved.variants:
        lines += [
            f"请留意：{names.get(variant.key, variant.key)}，{fault}"
            for fault in limits.warnings(variant.menu)
        ]
    return lines


def _room(found: Draft) -> str:
    """What the wanted menus use of what the account allows."""
    used = len(limits.domains(one.menu for one in found.wish.resolved.variants))
    ceiling = found.capacity.ceiling
    allowed = "上限尚不清楚" if ceiling is None else f"上限 {ceiling} 个，留一个备用"
    return (
        f"个性化菜单 {len(set(found.plan.reach.values()))} 个（{allowed}），"
        f"标签最多 {found.capacity.tags} 个，链接域名 {used} 个（最多 {limits.MOST_DOMAINS} 个）"
    )


def _publish_here(wired: Wiring) -> None:
    """Perform the publication asked for in this process, unless a worker is quicker."""
    held = _held(wired)
    if held is None:
        click.echo("后台进程已经接手并处理完毕；用 flask menus status 查看结果")
        return
    names = _names(wired)
    outcome: TryLater | WillNever | None = None
    try:
        done = publication.settle(Desk(wired), lambda step: click.echo(said(step, names)))
    except (TryLater, WillNever) as refused:
        outcome = refused
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
    unfinished = select(Row.id).where(Row.kind == offers.PUBLISH, Row.state != FAILED)
    while True:
        with wired.unit() as unit:
            held = claims.claim(unit, offers.PUBLISH, offers.THE_MENUS, batch=1, lease=_LEASE)
            if held is not None or unit.db.execute(unfinished).first() is None:
                return held
        time.sleep(_LOOK_SECONDS)


def _drafted(wired: Wiring) -> Draft:
    try:
        return publication.draft(Desk(wired))
    except (TryLater, WillNever) as refused:
        raise click.ClickException(str(refused)) from None


def _names(wired: Wiring) -> dict[str, str]:
    with wired.reading() as unit:
        return {str(one.code): one.name for one in branches.directory(unit).all}


def _as_json(found: Draft) -> dict[str, Any]:
    plan: Plan = found.plan
    return {
        "steps": [{"step": type(step).__name__, **asdict(step)} for step in plan.steps],
        "reach": dict(plan.reach),
        "fallbacks": [asdict(one) for one in plan.fallbacks],
        "refused": {code: list(map(str, faults)) for code, faults in found.wish.refused.items()},
        "capacity": asdict(found.capacity),
        "conditional_menus": len(found.live.conditional),
        "domains": sorted(limits.domains(one.menu for one in found.wish.resolved.variants)),
    }


def _status(unit: Unit, names: Mapping[str, str]) -> list[str]:
    account = unit.session.get(MenuAccount, 1)
    if account is None:
        return ["还没有从这里发布过菜单；用 flask menus plan 查看将要做的改动"]
    lines = [f"最近一次登记发布：{_at(account.requested_at)}"]
    ceiling = publication.ceiling(unit)
    lines.append(f"个性化菜单上限：{'尚不清楚' if ceiling is None else f'{ceiling} 个'}")
    reached = dict(
        unit.db.execute(select(MenuReach.tag_id, func.count()).group_by(MenuReach.tag_id)).all()
    )
    found = unit.session.scalars(select(MenuVariant).order_by(MenuVariant.key)).all()
    for one in found:
        owner = names.get(one.key, one.key)
        when = _at(one.published_at) if one.published_at else "尚未发布"
        serves = reached.get(one.tag_id, 0)
        state = f"服务 {serves} 家分行" if serves else "正在撤下"
        lines.append(f"{owner}：标签 {one.tag_id}，菜单 {one.menu_id or '无'}，{state}，{when}")
    lines.append(f"等待换菜单的粉丝：{offers.waiting(unit)} 位")
    snapshots = unit.db.execute(select(func.count()).select_from(MenuSnapshot)).scalar_one()
    return [*lines, f"发布前的存档：{snapshots} 份"]


def _at(moment: datetime) -> str:
    return f"{clock.shanghai(moment):%Y-%m-%d %H:%M}"
