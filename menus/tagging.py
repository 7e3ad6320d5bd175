"""Making the menu tags followers carry in WeChat agree with those they should carry.

The new tag is put on before the old one comes off, and before WeChat is called the row says which
tag is being tried: whatever a crash leaves behind, the row names every tag the follower may carry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select, update

from menus import keys, offers, variants
from menus.offers import NO_TAG, MenuOffer
from service import clock, journal
from service.delivery.ledger import Delivery, Desk, Outcomes
from service.happenings import OpenId
from service.wechat.errors import NotAFollower, TryLater, WillNever
from service.wechat.gateway import Gateway
from service.wiring import Unit

log = journal.logger("menus.tagging")

#: How many followers are settled together; WeChat takes fifty of them in one call.
BATCH: Final = 500
_GONE_TAG: Final = 45159
_FULL_OF_TAGS: Final = 45059


@dataclass(frozen=True, slots=True)
class _Move:
    """One follower's way from the tags they may carry to the one they are to carry."""

    openid: OpenId
    #: The tag to put on, or 0.
    aim: int
    #: The tags to take off afterwards.
    off: tuple[int, ...]
    #: Whether this only finishes what was begun, and the wanted tag comes after it.
    is_first_half: bool


def settle_offers(desk: Desk, deliveries: Sequence[Delivery]) -> Outcomes:
    """Have these followers carry the tag of their audience, together as far as WeChat allows."""
    moves = _begin(desk, [OpenId(delivery.key) for delivery in deliveries])
    undone = _carry_out(desk.gateway, moves)
    _record(desk, moves, undone)
    return {one.id: undone[OpenId(one.key)] for one in deliveries if OpenId(one.key) in undone}


def _begin(desk: Desk, openids: Sequence[OpenId]) -> list[_Move]:
    """What each follower needs as of now, written down before WeChat hears of it."""
    query = select(
        *(MenuOffer.openid, MenuOffer.branch, MenuOffer.inside),
        *(MenuOffer.applied_tag_id, MenuOffer.trying_tag_id),
    ).where(MenuOffer.openid.in_(openids))
    with desk.unit() as unit:
        rows = unit.db.execute(query.order_by(MenuOffer.openid).with_for_update()).all()
        audience = {row.openid: keys.key(row.branch, row.inside) for row in rows}
        tags = variants.standing(unit, set(audience.values()))
        wanted = {openid: tags.get(its) for openid, its in audience.items()}
        moves = []
        for row in rows:
            openid, tag = OpenId(row.openid), wanted[row.openid]
            move = _move(openid, row.applied_tag_id, row.trying_tag_id, tag)
            moves += [move] if move else []
        for aim, group in _grouped((move.openid, (move.aim,)) for move in moves):
            _note(unit, group, trying_tag_id=aim)
        for tag, group in _grouped((one, (tag or NO_TAG,)) for one, tag in wanted.items()):
            _note(unit, group, wanted_tag_id=tag or None)
    return moves


def _move(openid: OpenId, applied: int | None, trying: int | None, tag: int | None) -> _Move | None:
    if trying is None and applied == tag:
        return None
    may_carry = {one for one in (applied, trying) if one}
    aim = tag or NO_TAG
    # Another tag would have no place in the row: what was begun is finished first.
    is_first_half = bool(trying) and aim != trying
    if is_first_half:
        aim = trying or NO_TAG
    return _Move(openid, aim, tuple(sorted(may_carry - {aim})), is_first_half)


def _carry_out(gateway: Gateway, moves: Sequence[_Move]) -> dict[OpenId, TryLater | WillNever]:
    """New tags on, then old tags off; returns who is not done and why."""
    undone: dict[OpenId, TryLater | WillNever] = {}
    by_openid = {one.openid: one for one in moves}
    for tag, openids in _grouped((one.openid, (one.aim,)) for one in moves if one.aim):
        undone |= _put_on(gateway, [by_openid[openid] for openid in openids], tag)
    left = [one for one in moves if one.openid not in undone]
    for tag, openids in _grouped((one.openid, one.off) for one in left):
        undone |= _take_off(gateway, openids, tag)
    return undone


def _put_on(
    gateway: Gateway, moves: Sequence[_Move], tag: int
) -> Mapping[OpenId, TryLater | WillNever]:
    openids = [one.openid for one in moves]
    try:
        return gateway.tag_each(openids, tag)
    except TryLater as refused:
        return dict.fromkeys(openids, refused)
    except WillNever as refused:
        if refused.errcode != _FULL_OF_TAGS:
            return dict.fromkeys(openids, refused)
        if len(moves) == 1:
            return _exchange(gateway, moves[0], refused)
    # One follower who bears twenty tags spoils it for all; tagging the others again is harmless.
    middle = len(moves) // 2
    return {
        **_put_on(gateway, moves[:middle], tag),
        **_put_on(gateway, moves[middle:], tag),
    }


def _exchange(
    gateway: Gateway, move: _Move, refused: WillNever
) -> Mapping[OpenId, TryLater | WillNever]:
    """The old tag off first, where the follower has no room for one more: better a moment with the
    default menu than another branch's for ever."""
    if not move.off:
        return {move.openid: refused}
    for tag in move.off:
        if failed := _take_off(gateway, [move.openid], tag):
            return failed
    try:
        return gateway.tag_each([move.openid], move.aim)
    except (TryLater, WillNever) as still:
        return {move.openid: still}


def _take_off(
    gateway: Gateway, openids: Sequence[OpenId], tag: int
) -> Mapping[OpenId, TryLater | WillNever]:
    try:
        return gateway.untag_each(openids, tag)
    except TryLater as refused:
        return dict.fromkeys(openids, refused)
    except WillNever as refused:
        # A tag that is gone is carried by nobody.
        return {} if refused.errcode == _GONE_TAG else dict.fromkeys(openids, refused)


def _record(desk: Desk, moves: Sequence[_Move], undone: dict[OpenId, TryLater | WillNever]) -> None:
    """Write down what WeChat did, and what follows from what it refused."""
    with desk.unit() as unit:
        held = set(offers.hold(unit, [one.openid for one in moves]))
        done = [one for one in moves if one.openid in held - undone.keys()]
        for aim, group in _grouped((one.openid, (one.aim,)) for one in done):
            _settle_rows(unit, group, aim)
        offers.ask_for_each(unit, [one.openid for one in done if one.is_first_half])
        left = {one: why for one, why in undone.items() if one in held}
        strangers = [one for one, why in left.items() if isinstance(why, NotAFollower)]
        _note(unit, strangers, applied_tag_id=None, trying_tag_id=None)
        gone = [one for one, why in left.items() if getattr(why, "errcode", 0) == _GONE_TAG]
        if gone:
            _tag_is_gone(unit, gone, undone)
    journal.count("menu_tags_settled", len(moves) - len(undone))


def _settle_rows(unit: Unit, openids: Sequence[OpenId], aim: int) -> None:
    """Only rows still trying this: one that was forgotten and came anew knows nothing of it."""
    unit.db.execute(
        update(MenuOffer)
        .where(MenuOffer.openid.in_(openids), MenuOffer.trying_tag_id == aim)
        .values(applied_tag_id=aim or None, trying_tag_id=None, applied_at=clock.now())
    )


def _tag_is_gone(
    unit: Unit, openids: Sequence[OpenId], undone: dict[OpenId, TryLater | WillNever]
) -> None:
    """Somebody deleted a tag of ours: publication makes another, then these are settled."""
    log.warning("a menu tag is gone", followers=len(openids))
    _note(unit, openids, trying_tag_id=NO_TAG)
    offers.ask_for_publication(unit)
    undone |= dict.fromkeys(openids, TryLater(timedelta(seconds=30), "菜单标签已被删除，正在重建"))


def _note(unit: Unit, openids: Sequence[OpenId], **known: int | None) -> None:
    if openids:
        unit.db.execute(update(MenuOffer).where(MenuOffer.openid.in_(openids)).values(**known))


def _grouped(
    pairs: Iterable[tuple[OpenId, Iterable[int]]],
) -> list[tuple[int, list[OpenId]]]:
    """The followers of each tag, in the order of the tags."""
    groups: defaultdict[int, list[OpenId]] = defaultdict(list)
    for openid, tags in pairs:
        for tag in tags:
            groups[tag].append(openid)
    return sorted(groups.items())
