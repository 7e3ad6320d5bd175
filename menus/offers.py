"""Which menu tag each follower should carry, and which they carry as far as we know.

A follower carries at most one menu tag, so that the order in which tags were put on, by which
WeChat chooses between several, never matters.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import Index, Integer, String, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Mapped, mapped_column

from menus import variants
from menus.capacity import Census
from regions import branches
from regions.presence import FollowerMoved
from service import clock
from service.db import Insert, Model, Prepared, UtcTime, table_of
from service.delivery import quotas
from service.delivery.ledger import WAITING, Delivery, Desk, Lane, Row, request
from service.epochs import LOOK_SECONDS
from service.happenings import OpenId, Subscribed, Unfollowed
from service.wechat.errors import until_reset
from service.wiring import Unit

SETTLE: Final = "menus.settle_offer"
REOFFER: Final = "menus.reoffer"
PUBLISH: Final = "menus.settle_menus"
LOOK: Final = "menus.look"
#: The account has one set of menus: one publication waits and one runs.
THE_MENUS: Final = "menus"
#: The publication that waits for the clock; it must not put off one that is wanted now.
NEXT_CHANGE: Final = "next change"

#: How many followers one step of a walk asks for, so that the webhook never waits long for it.
_STRIDE: Final = 200
#: How many strangers lose a tag at once.
_STRANGERS: Final = 1_000
#: How many followers may wait to be tagged because of a walk: whoever crosses a border meanwhile
#: waits behind these few and not behind a million.
_AHEAD: Final = 2_000
#: How long a walk rests while so many wait.
_REST: Final = timedelta(seconds=1)
#: Of the day's tagging calls walks leave one in so many to followers who move.
_RESERVE: Final = 10
_TAGGING: Final = ("/cgi-bin/tags/members/batchtagging", "/cgi-bin/tags/members/batchuntagging")
#: WeChat's own number 0 for "no tag" marks that all menu tags are being taken off.
NO_TAG: Final = 0


class MenuOffer(Model):
    """One follower's menu: the branch that decides it, the tag wanted, the tag applied."""

    __tablename__ = "menu_offers"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    branch: Mapped[str] = mapped_column(String(16))
    wanted_tag_id: Mapped[int | None]
    applied_tag_id: Mapped[int | None]
    #: The tag WeChat is being asked to put on (0: none); empty while nothing is uncertain.
    trying_tag_id: Mapped[int | None]
    wanted_at: Mapped[datetime] = mapped_column(UtcTime)
    applied_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        # Walks and counts go branch by branch and find all they need in the index.
        Index(None, "branch", "wanted_tag_id", "applied_tag_id", "trying_tag_id"),
    )


def _offering(insert: Insert) -> sqlite.Insert:
    new = insert(table_of(MenuOffer)).values(
        openid=bindparam("openid"),
        branch=bindparam("branch"),
        wanted_tag_id=bindparam("wanted_tag_id"),
        wanted_at=bindparam("wanted_at"),
    )
    wanted = ("branch", "wanted_tag_id", "wanted_at")
    upsert = new.on_conflict_do_update(
        index_elements=["openid"], set_={name: new.excluded[name] for name in wanted}
    )
    return cast(sqlite.Insert, upsert.returning(MenuOffer.applied_tag_id, MenuOffer.trying_tag_id))


_OFFER: Final = Prepared(_offering)


# What the webhook and the pages cause


def offer_local_menu(unit: Unit, fact: FollowerMoved) -> None:
    """Want the menu of the follower's branch, and ask for it unless they carry it already."""
    tag = variants.reach(unit).get(fact.branch)
    wanted = {"branch": fact.branch, "wanted_tag_id": tag, "wanted_at": fact.at}
    row = unit.db.execute(_OFFER.on(unit.db), {"openid": fact.openid, **wanted}).one()
    if row.trying_tag_id is not None or row.applied_tag_id != tag:
        ask(unit, fact.openid)


def offer_on_arrival(unit: Unit, fact: Subscribed) -> None:
    """WeChat drops the tags of those who leave; if we missed their leaving, doubt what we noted."""
    known = unit.db.execute(
        update(MenuOffer)
        .where(MenuOffer.openid == fact.openid)
        .values(trying_tag_id=func.coalesce(MenuOffer.trying_tag_id, NO_TAG))
        .returning(MenuOffer.openid)
    ).first()
    if known is not None:
        ask(unit, fact.openid)


def forget(unit: Unit, fact: Unfollowed) -> None:
    """Those who left carry nothing and want nothing."""
    unit.db.execute(delete(MenuOffer).where(MenuOffer.openid == fact.openid))


# What a publication causes


def reoffer(unit: Unit, codes: Iterable[str]) -> None:
    """Walk through the followers of these branches, because another tag is in reach of them.

    The walk starts late enough for every process to have seen the change: until then one may still
    offer by the old map, and only a walk that comes after it meets that follower.
    """
    due = clock.now() + timedelta(seconds=2 * LOOK_SECONDS)
    for code in codes:
        request(unit, REOFFER, key=code, due=due)


def walk(desk: Desk, deliveries: Sequence[Delivery]) -> None:
    """Ask for the wanted tag of some followers of a branch, and for the next step of the walk.

    What is still to be done is read off the rows themselves, so a walk can stop and begin anywhere.
    """
    for delivery in deliveries:
        with desk.unit() as unit:
            rest = _rest(unit)
            if rest is None and _step(unit, delivery.key) < _STRIDE:
                continue
            due = None if rest is None else clock.now() + rest
            request(unit, REOFFER, key=delivery.key, due=due)


def _rest(unit: Unit) -> timedelta | None:
    """How long walks leave the rest of the day's calls, and the queue, to those who move."""
    for row in quotas.used_today(unit):
        limit = row.learned or quotas.DEFAULTS.get(row.path, 0)
        if row.path in _TAGGING and (row.spent or row.reserved >= limit - limit // _RESERVE):
            return until_reset(clock.now())
    stopped = select(Lane.stopped_until).where(Lane.name == SETTLE)
    until = unit.db.execute(stopped).scalar()
    if until is not None and until > clock.now():
        return until - clock.now()
    queue = select(Row.id).where(Row.state == WAITING, Row.kind == SETTLE, Row.lane == "")
    ahead = unit.db.execute(select(func.count()).select_from(queue.limit(_AHEAD).subquery()))
    return _REST if ahead.scalar_one() >= _AHEAD else None


def _step(unit: Unit, code: str) -> int:
    tag = variants.standing(unit, [code]).get(code)
    openids = unit.db.execute(
        select(MenuOffer.openid)
        .where(MenuOffer.branch == code, MenuOffer.wanted_tag_id.is_distinct_from(tag))
        .limit(_STRIDE)
        # Whoever holds a row just now finds the tag in reach by themselves.
        .with_for_update(skip_locked=True)
    ).scalars()
    found = [OpenId(openid) for openid in openids]
    unit.db.execute(
        update(MenuOffer)
        .where(MenuOffer.openid.in_(found))
        .values(wanted_tag_id=tag, wanted_at=clock.now())
    )
    for openid in found:
        ask(unit, openid)
    return len(found)


_COUNTING: Final = (
    select(MenuOffer.applied_tag_id, MenuOffer.trying_tag_id, func.count())
    .where(MenuOffer.branch == bindparam("branch"))
    .group_by(MenuOffer.applied_tag_id, MenuOffer.trying_tag_id)
)
_NOT_YET: Final = select(func.count()).where(
    MenuOffer.branch == bindparam("branch"),
    or_(
        MenuOffer.applied_tag_id.is_distinct_from(bindparam("tag", type_=Integer)),
        MenuOffer.trying_tag_id.is_not(None),
    ),
)


def census(unit: Unit) -> Census:
    """How many followers each branch has, and which tags they may be carrying.

    Branch by branch, so that no single statement takes long however many followers there are.
    """
    followers: Counter[str] = Counter()
    carriers: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for branch in branches.directory(unit).all:
        for applied, trying, count in unit.db.execute(_COUNTING, {"branch": branch.code}):
            followers[branch.code] += count
            for tag in {applied or NO_TAG, trying or NO_TAG} - {NO_TAG}:
                carriers[tag][branch.code] += count
    return Census(followers, carriers)


def on_the_way(unit: Unit, wanted: Mapping[str, int]) -> int:
    """How many followers do not carry the tag of their branch yet, as far as we know.

    Args:
        wanted: by branch the tag its followers are to carry; those of others are to carry none.
    """
    return sum(
        unit.db.execute(
            _NOT_YET, {"branch": branch.code, "tag": wanted.get(branch.code)}
        ).scalar_one()
        for branch in branches.directory(unit).all
    )


def is_carried(desk: Desk, tag_id: int, codes: Collection[str]) -> bool:
    """Whether followers still carry this tag that no branch is in reach of; if so, see to them.

    Args:
        codes: the branches of those who carry it as far as we know. Where we know of nobody, WeChat
            is asked, and those it names lose the tag: after a restored backup, for instance, it
            may know of followers whom we do not, or of a tag that we no longer do.
    """
    if carrying(desk, tag_id, codes):
        return True
    strangers = desk.gateway.tag_followers(tag_id)[0][:_STRANGERS]
    desk.gateway.untag_each(strangers, tag_id)
    return bool(strangers)


def carrying(desk: Desk, tag_id: int, codes: Collection[str], *, most: int = 0) -> bool:
    """Whether more than so many followers of these branches carry this tag; some are seen to."""
    with desk.unit() as unit:
        openids = _carriers(unit, tag_id, codes, most=max(most + 1, _STRIDE))
        for openid in openids[:_STRIDE]:
            ask(unit, openid)
    return len(openids) > most


def _carriers(unit: Unit, tag_id: int, codes: Collection[str], *, most: int) -> list[OpenId]:
    carries = or_(MenuOffer.applied_tag_id == tag_id, MenuOffer.trying_tag_id == tag_id)
    query = select(MenuOffer.openid).where(MenuOffer.branch.in_(codes), carries).limit(most)
    return [OpenId(openid) for openid in unit.db.execute(query).scalars()]


def ask(unit: Unit, openid: OpenId) -> None:
    """Have this follower's tag settled; asked for twice, it is done once."""
    request(unit, SETTLE, key=openid, openid=openid)


def ask_for_publication(unit: Unit, *, due: datetime | None = None) -> None:
    """Have the account's menus settled: one such delivery waits at most, and one runs."""
    request(unit, PUBLISH, key=THE_MENUS, lane=THE_MENUS, due=due)


def ask_for_next_change(unit: Unit, *, due: datetime) -> None:
    """Have the menus settled at this moment too, because something begins or ends then."""
    request(unit, PUBLISH, key=NEXT_CHANGE, lane=THE_MENUS, due=due)


def ask_for_a_look(unit: Unit) -> None:
    """Have WeChat's menus and tags compared with what we gave it; never while they change."""
    request(unit, LOOK, key=THE_MENUS, lane=THE_MENUS)
