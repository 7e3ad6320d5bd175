"""What approving an edition means, in numbers, and how far what was approved has come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import select

from lightservices import zones
from menus import fills, frame, keys, moving, offers, publication
from menus.book import MenuAccount
from menus.buttons import Menu, digest
from menus.console import seen
from menus.estimate import BATCH
from menus.resolve import Resolved
from menus.slots import Frame, SlotKind
from menus.wish import Ingredients, ingredients, resolved
from regions import branches, coverage
from service.approvals.kinds import Content
from service.delivery.ledger import FAILED, RUNNING, WAITING, Row
from service.wechat.errors import WillNever
from service.wiring import Unit

#: How many branches are named before "and so on".
_NAMED: Final = 6


def of_zone(unit: Unit, branch: str, content: Content) -> list[str]:
    """Whom a branch's edition reaches, and what it costs with WeChat."""
    try:
        after = seen.with_edition(unit, branch, content)
    except WillNever as refused:
        return [str(refused)]
    followers = offers.census(unit).followers
    said = [_page_readers(unit, branch, followers)]
    return [*said, *_of_menus(unit, after, followers)]


def of_frame(unit: Unit, _branch: str, content: Content) -> list[str]:
    """Whom another frame reaches, and which decisions of branches end with it."""
    try:
        after = seen.with_frame(unit, content.get("frame"))
    except WillNever as refused:
        return [str(refused)]
    ended = list(lost_fills(unit, after.frame))
    return [*_of_menus(unit, after, offers.census(unit).followers), *ended]


def lost_fills(unit: Unit, wanted: Frame) -> Iterator[str]:
    """What branches decided for the live frame and what this one has no place for."""
    names = unit.wiring.tables.branch_names(unit)
    titles = {slot.key: slot.name for slot in frame.current(unit).slots()}
    stored, (kept, _refused) = fills.all(unit), fills.sound(unit, wanted)
    before, _refused = fills.sound(unit, frame.current(unit))
    for code in sorted(stored):
        for slot in sorted(before.get(code, {}).keys() - kept.get(code, {}).keys()):
            shown = f"{names.get(code, code)}在“{titles.get(slot, slot)}”填写的内容"
            yield f"{shown}将不再显示（填写的内容保留，位置恢复后会再出现）"


def _page_readers(unit: Unit, branch: str, followers: Mapping[str, int]) -> str:
    """How many followers have this branch's zone as their own."""
    tree, own = branches.directory(unit), zones.zones_by_branch(unit)
    served = [
        one
        for one in tree.all
        if branch
        == next((b.code for b in tree.chain(one.code) if b.code in own or b.code == branch), None)
    ]
    count = sum(followers.get(one.code, 0) for one in served)
    below = len(served) - 1
    whom = f"本行和沿用本行专区的 {below} 家下属分行" if below > 0 else "本行"
    return f"专区页面和优惠：{whom}的粉丝会看到，{coverage.rounded(count)}"


def _of_menus(unit: Unit, after: Ingredients, followers: Mapping[str, int]) -> Iterator[str]:
    before = resolved(unit, ingredients(unit))
    wanted = resolved(unit, after)
    old, new = _by_branch(before), _by_branch(wanted)
    changed = [code for code in sorted(wanted.codes) if old[code] != new[code]]
    if not changed and before.default == wanted.default:
        yield "菜单不变，不需要调用微信的菜单接口"
        return
    names = unit.wiring.tables.branch_names(unit)
    named = "、".join(keys.named(code, names) for code in changed[:_NAMED])
    more = f"等 {keys.branches_in(changed)} 家分行" if len(changed) > _NAMED else ""
    count = sum(followers.get(code, 0) for code in changed)
    yield f"菜单会变：{named}{more}的粉丝，{coverage.rounded(count)}"
    yield _cost(before, wanted, followers)
    if (room := publication.ceiling(unit)) is not None and len(wanted.variants) > room - 1:
        need = f"个性化菜单共需 {len(wanted.variants)} 个，微信最多容纳 {room} 个"
        yield f"{need}，粉丝少的分行会沿用上级的"


def _cost(before: Resolved, wanted: Resolved, followers: Mapping[str, int]) -> str:
    """The calls a publication of these menus makes, as far as the menus themselves tell."""
    old = {digest(one.menu) for one in before.variants}
    new = {digest(one.menu) for one in wanted.variants}
    menus = len(new - old) + len(old - new) + (before.default != wanted.default)
    keys = {one.key for one in before.variants}
    tags = sum(one.key not in keys for one in wanted.variants)
    was = {code: one.key for one in before.variants for code in one.branches}
    will = {code: one.key for one in wanted.variants for code in one.branches}
    moved = [code for code in wanted.codes if was.get(code) != will.get(code)]
    tagged = sum(2 * -(-followers.get(code, 0) // BATCH) for code in moved)
    said = f"发布要调用微信：菜单接口约 {menus} 次"
    if tags:
        said += f"，新建标签 {tags} 个"
    return said + (f"，给粉丝换标签约 {tagged} 次" if tagged else "，不用给粉丝换标签")


def _by_branch(found: Resolved) -> dict[str, Menu]:
    menus = {code: one.menu for one in found.variants for code in one.branches}
    return {code: menus.get(code, found.default) for code in found.codes}


def progress(unit: Unit, _branch: str) -> str | None:
    """How far the publication of the menus has come; None when WeChat has all of it."""
    rows = unit.db.execute(
        select(Row.state, Row.last_failure, Row.attempts).where(
            Row.kind == offers.PUBLISH, Row.key != offers.NEXT_CHANGE
        )
    ).all()
    by_state: dict[str, Any] = {row.state: row for row in rows}
    if (row := by_state.get(FAILED)) is not None:
        return f"菜单发布失败：{row.last_failure}"
    if RUNNING in by_state:
        return "菜单正在发布到微信"
    if (row := by_state.get(WAITING)) is not None:
        again = f"（第 {row.attempts} 次没有成功：{row.last_failure}）" if row.attempts else ""
        return f"菜单在等待发布到微信{again}"
    if not unit.db.execute(select(MenuAccount.wanted)).scalar():
        return "菜单还没有从这里发布过，要由运维人员先发布一次"
    left = moving.progress(unit).left
    return f"菜单已发布，还有 {coverage.rounded(left)}在换新菜单" if left else None


def of_campaign(unit: Unit, branch: str, content: Content) -> list[str]:
    """Whose menus get the campaign's entry while it lasts."""
    raw = content.get("zone")
    named = raw.get("reach") if isinstance(raw, Mapping) else None
    roots = set(named if isinstance(named, list) and named else [branch])
    tree, followers = branches.directory(unit), offers.census(unit).followers
    reached = {one.code for root in roots for one in tree.below(root)}
    count = sum(followers.get(code, 0) for code in reached)
    said = [f"活动期间，{len(reached)} 家分行的菜单里出现会场入口，{coverage.rounded(count)}会看到"]
    if not any(slot.kind is SlotKind.CAMPAIGN for slot in frame.current(unit).slots()):
        said.append("总行的菜单框架里没有活动位，入口不会出现在菜单里")
    return said
