"""What WeChat had before each publication changed it, and how to have that again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from menus import book, limits
from menus.buttons import Menu
from menus.live import Live, LiveTag, read_live
from menus.looking import Look
from menus.resolve import Resolved, Variant
from regions import branches
from regions.branches import Branch
from service import clock
from service.db import Model, UtcTime
from service.wechat.errors import WillNever
from service.wiring import Unit

#: How many are kept; older ones show menus whose pages and promotions are long gone.
_KEPT: Final = 200


class MenuSnapshot(Model):
    """What WeChat had just before a publication changed it, and which branches saw what."""

    __tablename__ = "menu_snapshots"

    id: Mapped[int] = mapped_column(primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(UtcTime)
    #: The answers of ``menu/get`` and ``get_current_selfmenu_info``, and the tags.
    menus: Mapped[dict[str, Any]] = mapped_column(JSON)
    current: Mapped[dict[str, Any]] = mapped_column(JSON)
    tags: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    #: By the number of a tag of ours: the branches whose followers were to carry it.
    reach: Mapped[dict[str, list[str]]] = mapped_column(JSON)

    __table_args__ = ({"sqlite_autoincrement": True},)


def keep(unit: Unit, look: Look, *, reach: Mapping[str, int]) -> None:
    """Keep what WeChat has now, unless the last snapshot shows the same menus.

    Args:
        reach: by branch the tag its followers are to carry.
    """
    latest = select(MenuSnapshot.menus, MenuSnapshot.current)
    row = unit.db.execute(latest.order_by(MenuSnapshot.id.desc()).limit(1)).first()
    if row is not None and (row.menus, row.current) == (look.menus, look.current):
        return
    by_tag: dict[str, list[str]] = {}
    for branch, tag in sorted(reach.items()):
        by_tag.setdefault(str(tag), []).append(branch)
    unit.db.execute(
        unit.insert(MenuSnapshot).values(
            taken_at=clock.now(),
            menus=dict(look.menus),
            current=dict(look.current),
            tags=[{"id": tag.id, "name": tag.name} for tag in look.live.tags],
            reach=by_tag,
        )
    )
    _forget_old(unit)


def listed(unit: Unit, *, most: int = 20) -> Sequence[tuple[int, datetime, str, int]]:
    """The latest snapshots: number, time, the default menu's columns, how many conditional ones."""
    rows = unit.db.execute(
        select(MenuSnapshot.id, MenuSnapshot.taken_at, MenuSnapshot.menus, MenuSnapshot.current)
        .order_by(MenuSnapshot.id.desc())
        .limit(most)
    )
    found = []
    for number, taken_at, menus, current in rows:
        live = read_live(menus, (), current)
        default = live.by_hand or live.default or ()
        titles = "、".join(column.name for column in default) or "没有默认菜单"
        found.append((number, taken_at, titles, len(live.conditional)))
    return found


def count(unit: Unit) -> int:
    return unit.db.execute(select(func.count()).select_from(MenuSnapshot)).scalar_one()


def held(unit: Unit) -> int | None:
    """The snapshot that is held in place of what branches want, after a rollback."""
    return unit.db.execute(select(book.MenuAccount.held_snapshot)).scalar()


def menus_of(unit: Unit, number: int) -> Resolved:
    """What every branch's followers saw at the time of a snapshot.

    Conditional menus that are not ours were never touched, so they are not part of it.

    Raises:
        WillNever: when there is no such snapshot, or it cannot be published through the API.
    """
    row = unit.db.execute(
        select(
            MenuSnapshot.menus, MenuSnapshot.current, MenuSnapshot.tags, MenuSnapshot.reach
        ).where(MenuSnapshot.id == number)
    ).first()
    if row is None:
        raise WillNever(f"没有第 {number} 号存档；用 flask menus snapshots 查看有哪些")
    tags = [LiveTag(int(tag["id"]), str(tag["name"]), 0) for tag in row.tags]
    live = read_live(row.menus, tags, row.current)
    default = live.by_hand or live.default
    if default is None:
        raise WillNever(f"第 {number} 号存档里没有默认菜单，不能回到那时；请选更晚的存档")
    if found := limits.faults(default):
        faults = "；".join(map(str, found))
        raise WillNever(f"第 {number} 号存档的默认菜单不能经接口发布：{faults}")
    known = {str(one.code): one for one in branches.directory(unit).all}
    return Resolved(default, tuple(_variants(unit, live, row.reach, known)), frozenset(known))


def _variants(
    unit: Unit, live: Live, reach: Mapping[str, Sequence[str]], known: Mapping[str, Branch]
) -> Sequence[Variant]:
    """The variants of then, each named after the branch highest up, as publication expects them."""
    shown: dict[str, Menu] = {}
    for one in live.conditional:
        shown.setdefault(str(one.tag_id), one.menu)
    here: list[tuple[Menu, list[str]]] = []
    for tag, codes in reach.items():
        still = sorted(
            (code for code in codes if code in known), key=lambda code: (known[code].level, code)
        )
        if still and tag in shown:
            here.append((shown[tag], still))
    here.sort(key=lambda one: (known[one[1][0]].level, one[1][0]))
    key_of = {code: codes[0] for _menu, codes in here for code in codes}
    return [
        Variant(codes[0], menu[-1].name, menu, _parent(unit, codes[0], key_of), tuple(codes))
        for menu, codes in here
    ]


def _parent(unit: Unit, key: str, key_of: Mapping[str, str]) -> str | None:
    above = (key_of.get(str(one.code), "") for one in branches.directory(unit).chain(key))
    return next((other for other in above if other != key), "") or None


def _forget_old(unit: Unit) -> None:
    """The oldest go, but never the one that is held."""
    newest = select(MenuSnapshot.id).order_by(MenuSnapshot.id.desc()).limit(_KEPT)
    oldest = unit.db.execute(newest).scalars().all()[-1]
    unit.db.execute(
        delete(MenuSnapshot).where(MenuSnapshot.id < oldest, MenuSnapshot.id != (held(unit) or 0))
    )
