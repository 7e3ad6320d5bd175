"""How the account's menus stand, in words: what is shown, who is being moved, what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row as Found
from sqlalchemy import select

from menus import book, drift, keys, moving, offers, publication, snapshots
from menus.book import MenuAccount
from menus.estimate import TAG, UNTAG
from menus.variants import MenuReach, MenuVariant
from service import clock
from service.delivery import quotas
from service.delivery.ledger import FAILED, WAITING, Lane, Row
from service.readiness import Finding
from service.wiring import Unit


def lines(unit: Unit, names: Mapping[str, str]) -> Iterator[str]:
    """Everything an operator wants to know, line by line."""
    account = _account(unit)
    if account is None or account.requested_at is None:
        yield "还没有从这里发布过菜单；用 flask menus plan 查看将要做的改动"
        return
    yield f"最近一次登记发布：{at(account.requested_at)}"
    yield ceiling_in_words(unit)
    yield from _troubles(unit, account)
    yield from _variants(unit, names)
    yield from _moving(unit)
    yield from _waiting(unit)
    yield f"发布前的存档：{snapshots.count(unit)} 份"


def ceiling_in_words(unit: Unit) -> str:
    """How many conditional menus the account may hold, and how we know."""
    account = _account(unit)
    known = publication.ceiling(unit)
    if known is None:
        return "个性化菜单上限：尚不清楚"
    if unit.settings.menu_ceiling == known:
        return f"个性化菜单上限：{known} 个（由 MENU_CEILING 设定）"
    when = f"{at(account.ceiling_learned_at)} " if account and account.ceiling_learned_at else ""
    return (
        f"个性化菜单上限：{known} 个（{when}从微信的拒绝中学到；"
        "微信放宽后用 flask menus ceiling --forget 重新探明）"
    )


def undisturbed(unit: Unit) -> Finding:
    """Whether WeChat's menus were as we left them at the last look: a check of ``wsgi.py``."""
    account = _account(unit)
    if account is not None and account.drift:
        return Finding(False, f"菜单在别处被改动过：{'；'.join(account.drift)}", drift.WAY_OUT)
    failed = unit.db.execute(
        select(Row.last_failure).where(Row.kind == offers.PUBLISH, Row.state == FAILED)
    ).scalar()
    if failed:
        return Finding(
            False, f"菜单没有发布成功：{failed}", "处理后用 flask menus apply 再发布一次"
        )
    if account is not None and account.held_snapshot is not None:
        return Finding(True, f"菜单停在第 {account.held_snapshot} 号存档")
    return Finding(True, "菜单没有在别处被改动")


def at(moment: datetime) -> str:
    return f"{clock.shanghai(moment):%Y-%m-%d %H:%M}"


def _account(unit: Unit) -> Found[Any] | None:
    columns = MenuAccount.__table__.columns
    return unit.db.execute(select(*columns)).first()


def _troubles(unit: Unit, account: Found[Any]) -> Iterator[str]:
    if account.held_snapshot is not None:
        yield (
            f"停在第 {account.held_snapshot} 号存档（{at(account.held_at)} 起），"
            "各分行的配置暂不生效；用 flask menus resume 恢复"
        )
    for says in account.drift:
        yield f"别处的改动：{says}"
    if account.drift:
        yield f"因此没有发布。{drift.WAY_OUT}"
    rows = unit.db.execute(
        select(Row.last_failure, Row.state, Row.due_at).where(
            Row.kind == offers.PUBLISH, Row.last_failure != ""
        )
    )
    for failure, state, due in rows:
        if not account.drift:
            yield f"发布{'失败' if state == FAILED else f'受阻，{at(due)} 再试'}：{failure}"


def _variants(unit: Unit, names: Mapping[str, str]) -> Iterator[str]:
    reached: dict[int, list[str]] = {}
    for audience, tag_id in unit.db.execute(select(MenuReach.branch, MenuReach.tag_id)):
        reached.setdefault(tag_id, []).append(audience)
    shown = book.shown_under(unit)
    rows = unit.db.execute(
        select(MenuVariant.tag_id, MenuVariant.key).order_by(MenuVariant.key, MenuVariant.tag_id)
    )
    for tag_id, key in rows:
        menu_id, since = shown.get(tag_id, ("无", None))
        state = f"服务 {_served(reached[tag_id])}" if tag_id in reached else "正在撤下"
        when = at(since) if since else "尚未发布"
        yield f"{keys.named(key, names)}：标签 {tag_id}，菜单 {menu_id}，{state}，{when}"


def _served(audiences: list[str]) -> str:
    """Whom a tag is for, in numbers."""
    parts = keys.parts(audiences)
    whole, partly = len(audiences) - len(parts), keys.branches_in(parts)
    said = [f"{whole} 家分行"] if whole else []
    return "和".join([*said, f"{partly} 家分行在应急范围内的粉丝"] if partly else said)


def _moving(unit: Unit) -> Iterator[str]:
    present = clock.now()
    progress = moving.progress(unit)
    yield f"等待换菜单的粉丝：{progress.left} 位"
    if not progress.left:
        return
    share = 100 * progress.done // progress.total
    line = f"换标签进度：{progress.done}/{progress.total} 位（{share}%）"
    if ends := progress.ends_at(present):
        line += f"，每秒约 {progress.a_second(present):.1f} 位，预计 {at(ends)} 完成"
    yield line
    for row in quotas.used_today(unit):
        limit = row.learned or quotas.DEFAULTS.get(row.path)
        if row.path in (TAG, UNTAG) and limit:
            left = 0 if row.spent else max(0, limit - row.reserved)
            yield f"今天还可调用 {row.path}：{left}/{limit} 次"
    resting = unit.db.execute(
        select(Lane.stopped_until, Lane.why).where(
            Lane.name == offers.SETTLE, Lane.stopped_until > present
        )
    ).first()
    if resting is not None:
        yield f"换标签暂停到 {at(resting.stopped_until)}：{resting.why}"


def _waiting(unit: Unit) -> Iterator[str]:
    due = unit.db.execute(
        select(Row.due_at).where(
            Row.kind == offers.PUBLISH, Row.key == offers.NEXT_CHANGE, Row.state == WAITING
        )
    ).scalar()
    if due is not None:
        yield f"下一次定时变化：{at(due)}，到时自动发布"
