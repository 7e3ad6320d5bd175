"""How far a publication has come, for those a floor below who wait for their page to be in menus.

Nothing remembers the steps of a publication: it plans anew from what WeChat has. What it still has
to do shows all the same, in what is wanted beside what was noted around each call.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row as Found
from sqlalchemy import func, select

from menus import book, drift, offers, publication, snapshots, variants
from menus.book import MenuAccount, MenuGiven
from menus.buttons import Menu, digest, leaves
from menus.drift import State
from menus.resolve import Resolved
from menus.status import at
from service.delivery.ledger import FAILED, RUNNING, WAITING, Row
from service.wechat.errors import WillNever
from service.wiring import MenuProgress, Unit

#: For how long a count of followers is told again.
KEPT_SECONDS: Final = 30
_SHELF: Final = "menus.to_move"
_WAY_OUT: Final = "处理后用 flask menus apply 再发布一次"


def of(unit: Unit, path: str) -> MenuProgress:
    """How far the menus are, and how many lead to the page at this path by now."""
    account = unit.db.execute(select(*MenuAccount.__table__.columns)).first()
    asked_at = account.requested_at if account is not None else None
    state, trouble = _standing(unit, account)
    try:
        resolved = publication.wanted(unit).resolved
    except WillNever as never:
        return MenuProgress(
            is_kept=publication.is_kept(unit), state="stuck", trouble=f"{never.why}。{_WAY_OUT}",
            asked_at=asked_at, latest_at=_latest(unit), next_at=_next(unit),
        )  # fmt: skip
    sight = _sight(unit, resolved, path)
    return MenuProgress(
        is_kept=publication.is_kept(unit), state=state, trouble=trouble,
        to_add=sight.to_add, to_remove=sight.to_remove, added=_added(unit, asked_at),
        wanted=len(sight.leading), shown=len(sight.leading & sight.there),
        groups=sight.groups, groups_shown=sight.groups_shown, asked_at=asked_at,
        latest_at=_latest(unit), next_at=_next(unit),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sight:
    """What is wanted beside what WeChat shows, as far as our own notes go."""

    #: The digests of the menus that lead to the page, and of all that WeChat shows.
    leading: frozenset[str]
    there: frozenset[str]
    to_add: int
    to_remove: int
    groups: frozenset[str]
    groups_shown: frozenset[str]


def _sight(unit: Unit, resolved: Resolved, path: str) -> _Sight:
    known = book.known(unit)
    marks = {one.key: digest(one.menu) for one in resolved.variants}
    menus = {digest(one.menu): one.menu for one in resolved.variants}
    default = digest(resolved.default)
    # Meant for nobody, and rightly there where room is short.
    shelters = {digest(one.menu) for one in resolved.shelters}
    leading = {mark for mark, menu in menus.items() if _leads_to(menu, path)}
    everybody = {default} if _leads_to(resolved.default, path) else set()
    kept = [one for one in known.menus if one.state is not State.SENT]
    under = {one.tag_id: one.digest for one in kept if one.state is State.THERE}
    there = frozenset(under.values())
    tags = variants.in_reach(unit)
    groups = {code for one in resolved.variants if marks[one.key] in leading
              for code in one.branches}  # fmt: skip
    shown = {code for code in groups if under.get(tags.get(code, -1)) in leading}
    if known.default is not None:
        there |= {known.default}
    return _Sight(
        frozenset(leading | everybody), there, len((menus.keys() | {default}) - there),
        len(kept) - len(there & (menus.keys() | shelters)), frozenset(groups), frozenset(shown),
    )  # fmt: skip


def _leads_to(menu: Menu, path: str) -> bool:
    """Whether a button opens our page at this path; our addresses are ever one host and a path."""
    return any(button.url.endswith(path) for button in leaves(menu))


def _standing(unit: Unit, account: Found[Any] | None) -> tuple[str, str]:
    """Where the publication stands, and what is in its way."""
    if account is not None and account.drift:
        return "stuck", f"菜单在别处被改动过：{'；'.join(account.drift)}。{drift.WAY_OUT}"
    rows = {
        row.state: row
        for row in unit.db.execute(
            select(Row.state, Row.due_at, Row.last_failure).where(
                Row.kind == offers.PUBLISH, Row.key == offers.THE_MENUS
            )
        )
    }
    number = snapshots.held(unit)
    held = f"菜单停在第 {number} 号存档，各处的改动暂不生效；用 flask menus resume 恢复"
    held = "" if number is None else held
    if RUNNING in rows:
        return "running", held
    if waiting := rows.get(WAITING):
        failed = f"上一次没有成功，{at(waiting.due_at)} 再试：{waiting.last_failure}"
        return "waiting", failed if waiting.last_failure else held
    if failure := rows.get(FAILED):
        return "stuck", f"菜单没有发布成功：{failure.last_failure}。{_WAY_OUT}"
    return "settled", held


def to_move(unit: Unit, codes: Collection[str]) -> int:
    """How many followers of these branches still have to be moved to another menu.

    Counting millions takes seconds, and whoever looks asks again and again: it is counted only
    while any may have to be, and then kept by this process for half a minute.

    Raises:
        OperationalError: the database did not count them in time.
    """
    busy = select(Row.id).where(
        Row.kind.in_((offers.SETTLE, offers.REOFFER)), Row.state.in_((WAITING, RUNNING))
    )
    if unit.db.execute(busy.limit(1)).first() is None:
        return 0
    shelf, key, present = unit.wiring.shelf, (_SHELF, frozenset(codes)), time.monotonic()
    kept: tuple[float, int] | None = shelf.get(key)
    if kept is None or present - kept[0] > KEPT_SECONDS:
        kept = (present, offers.on_the_way(unit, variants.in_reach(unit), sorted(codes)))
        shelf[key] = kept
    return kept[1]


def _added(unit: Unit, since: datetime | None) -> int:
    if since is None:
        return 0
    query = select(func.count()).where(
        MenuGiven.state == State.THERE, MenuGiven.given_at >= since, MenuGiven.menu_id.is_not(None)
    )
    return unit.db.execute(query).scalar_one()


def _latest(unit: Unit) -> datetime | None:
    """When WeChat last took a conditional menu from us."""
    return unit.db.execute(
        select(func.max(MenuGiven.given_at)).where(MenuGiven.state == State.THERE)
    ).scalar()


def _next(unit: Unit) -> datetime | None:
    """When something in the menus begins or ends by the clock next."""
    return unit.db.execute(
        select(Row.due_at).where(
            Row.kind == offers.PUBLISH, Row.key == offers.NEXT_CHANGE, Row.state == WAITING
        )
    ).scalar()
