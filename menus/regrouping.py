"""Who has come inside an emergency, or is no longer, because it opened, changed or ended.

Only the divisions it touches are looked through, in the order in which the index of places has
their followers: each is passed once, and only for those whose audience is another than it was is
anything written. How far it came stands in the key of the delivery: a walk may stop anywhere, and
one that begins anew meanwhile does not end the other.

Whoever moves, is tagged or leaves meanwhile locks places, then offers, then deliveries. So does a
step, and of each kind in the order of the openids: none of them ever waits for the other for good.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, select, tuple_

from lightservices.emergency.overlays import InsidersChanged
from menus import insiders, keys, offers
from menus.offers import MenuOffer
from regions import moves
from regions.presence import Presence
from regions.stretches import NO_CELL, ORDER
from service import clock
from service.delivery.ledger import Delivery, Desk, Row, request
from service.epochs import LOOK_SECONDS
from service.happenings import OpenId, Unfollowed
from service.wiring import Unit

REGROUP: Final = "menus.regroup"

#: How many followers one step sees to, so that the webhook never waits long.
_STRIDE: Final = 200
#: How many it passes at most while it looks for them.
_PASSED: Final = 1_000

#: The south-west corner of a cell.
Corner = tuple[int, int]

_PLACE: Final = (
    *(Presence.openid, Presence.branch, Presence.division),
    *(Presence.cell_south, Presence.cell_west),
)


@dataclass(frozen=True, slots=True)
class _Where:
    """How far a walk through a division has come: to this cell, or not beyond those of whom no
    cell is known, and there to this follower."""

    division: str
    corner: Corner | None = None
    #: Who was passed last; empty before the first.
    openid: str = ""

    @property
    def key(self) -> str:
        south, west = self.corner or ("", "")
        return f"{self.division}:{south}:{west}:{self.openid}".rstrip(":")


def _where(key: str) -> _Where:
    division, south, west, openid = [*key.split(":", 3), "", "", ""][:4]
    return _Where(division, (int(south), int(west)) if south else None, openid)


def regroup(unit: Unit, fact: InsidersChanged) -> None:
    """Walk through these divisions, late enough for every process to know what is open: one that
    does not yet would count somebody to the audience they were of before."""
    due = clock.now() + timedelta(seconds=2 * LOOK_SECONDS)
    for division in sorted(fact.divisions):
        request(unit, REGROUP, key=division, due=due)


def walk(desk: Desk, deliveries: Sequence[Delivery]) -> None:
    """Take a step of each walk, and ask for the next."""
    for delivery in deliveries:
        with desk.unit() as unit:
            rest = offers.resting(unit)
            here = _where(delivery.key)
            following = _kept(unit, here) if rest else _step(unit, here)
            if following is not None:
                _go_on(unit, following, due=None if rest is None else clock.now() + rest)


def forget(unit: Unit, fact: Unfollowed) -> None:
    """Who left is named by no walk: one that came just as far as them goes back to their cell."""
    # What names them goes with all else in the ledger that does.
    named = select(Row.key).where(Row.kind == REGROUP, Row.openid == fact.openid)
    for key in unit.db.execute(named).scalars().all():
        _go_on(unit, replace(_where(key), openid=""))


def _go_on(unit: Unit, here: _Where, *, due: datetime | None = None) -> None:
    openid = OpenId(here.openid) if here.openid else None
    request(unit, REGROUP, key=here.key, openid=openid, due=due)


def _step(unit: Unit, here: _Where) -> _Where | None:
    """See to some followers; where to go on, or None at the division's end."""
    page = _page(unit, here)
    wrong, passed = _of_others(unit, page)
    last = page[passed - 1] if passed and (passed < len(page) or passed == _PASSED) else None
    # Who is named by the next step stays until it is asked for, so that they can be forgotten.
    rows = _held(unit, {*wrong, last.openid} if last is not None else wrong)
    rows_of_wrong = (rows[openid] for openid in wrong if openid in rows)
    audiences = {OpenId(row.openid): _audience(unit, row) for row in rows_of_wrong if row.branch}
    offers.assign(unit, audiences)
    if last is None:
        return None
    there = _Where(here.division, _corner(last))
    return replace(there, openid=last.openid if last.openid in rows else "")


def _kept(unit: Unit, here: _Where) -> _Where:
    """The same place, without the name of somebody who is no longer there."""
    if not here.openid or here.openid in _held(unit, [here.openid]):
        return here
    return replace(here, openid="")


def _held(unit: Unit, openids: Collection[str]) -> dict[str, Any]:
    """Where these are. Their places are held until the step is done: who moves just now comes
    after, and is then counted anew."""
    rows = unit.db.execute(
        select(*_PLACE)
        .where(Presence.openid.in_(openids))
        .order_by(Presence.openid)
        .with_for_update(read=True)
    )
    return {row.openid: row for row in rows}


def _page(unit: Unit, here: _Where) -> list[Any]:
    """The next followers of the division, and what they are counted to."""
    found = list[Any]()
    if here.corner is None:
        found += unit.db.execute(_counted(here, *NO_CELL, Presence.openid > here.openid))
    if len(found) < _PASSED:
        is_beyond: ColumnElement[bool] = Presence.cell_south.is_not(None)
        if here.corner is not None:
            is_beyond = tuple_(*ORDER) > (*here.corner, here.openid)
        found += unit.db.execute(_counted(here, is_beyond, most=_PASSED - len(found)))
    return found


def _counted(here: _Where, *are: ColumnElement[bool], most: int | None = None) -> Select[Any]:
    some = (
        select(*_PLACE)
        .where(Presence.division == here.division, *are)
        .order_by(*ORDER)
        .limit(_PASSED if most is None else most)
        .subquery()
    )
    return (
        select(some, MenuOffer.branch.label("offered"), MenuOffer.inside)
        .join_from(some, MenuOffer, MenuOffer.openid == some.c.openid, isouter=True)
        .order_by(some.c.cell_south, some.c.cell_west, some.c.openid)
    )


def _of_others(unit: Unit, page: Sequence[Any]) -> tuple[list[str], int]:
    """Those who are counted to another audience than they are of, as many as a step sees to; and
    how many of the page were passed to find them."""
    marks: dict[tuple[str, Corner | None], str] = {}
    wrong: list[str] = []
    for number, row in enumerate(page, 1):
        if row.branch is None or row.branch != row.offered:
            continue
        known = (row.branch, _corner(row))
        if known not in marks:
            marks[known] = keys.inside_of(_audience(unit, row))
        if row.inside != marks[known]:
            wrong.append(row.openid)
            if len(wrong) == _STRIDE:
                return wrong, number
    return wrong, len(page)


def _corner(row: Any) -> Corner | None:
    return None if row.cell_south is None else (row.cell_south, row.cell_west)


def _audience(unit: Unit, row: Any) -> str:
    cell = moves.middle(row.cell_south, row.cell_west)
    return insiders.audience(unit, row.branch, row.division, cell)
