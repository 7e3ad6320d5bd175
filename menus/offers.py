"""Which menu tag each follower should carry, and which they carry as far as we know.

A follower's branch decides, and where an emergency takes in only a part of it, also whether they
are inside: together these are their audience, which :mod:`menus.keys` calls by a key. A follower
carries at most one menu tag, so that the order in which tags were put on, by which
WeChat chooses between several, never matters.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import (
    ColumnElement,
    Index,
    String,
    and_,
    bindparam,
    delete,
    false,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Mapped, mapped_column

from menus import insiders, keys, variants
from menus.capacity import Census
from regions import branches
from regions.moves import FollowerMoved, FollowerShifted
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
    """One follower's menu: the audience that decides it, the tag wanted, the tag applied."""

    __tablename__ = "menu_offers"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    branch: Mapped[str] = mapped_column(String(16))
    #: The mark of the emergencies they are inside of that take in only a part of the branch.
    inside: Mapped[str] = mapped_column(String(8), default="", server_default="")
    wanted_tag_id: Mapped[int | None]
    applied_tag_id: Mapped[int | None]
    #: The tag WeChat is being asked to put on (0: none); empty while nothing is uncertain.
    trying_tag_id: Mapped[int | None]
    wanted_at: Mapped[datetime] = mapped_column(UtcTime)
    applied_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        # Walks and counts go branch by branch and find all they need in the index.
        Index(
            "ix_menu_offers_audience",
            *("branch", "inside", "wanted_tag_id", "applied_tag_id", "trying_tag_id"),
        ),
    )


def _offering(insert: Insert) -> sqlite.Insert:
    new = insert(table_of(MenuOffer)).values(
        openid=bindparam("openid"),
        branch=bindparam("branch"),
        inside=bindparam("inside"),
        wanted_tag_id=bindparam("wanted_tag_id"),
        wanted_at=bindparam("wanted_at"),
    )
    wanted = ("branch", "inside", "wanted_tag_id", "wanted_at")
    upsert = new.on_conflict_do_update(
        index_elements=["openid"], set_={name: new.excluded[name] for name in wanted}
    )
    return cast(sqlite.Insert, upsert.returning(MenuOffer.applied_tag_id, MenuOffer.trying_tag_id))


_OFFER: Final = Prepared(_offering)


# What the webhook and the pages cause


def offer_local_menu(unit: Unit, fact: FollowerMoved) -> None:
    """Want the menu of the follower's audience, and ask for it unless they carry it already."""
    audience = insiders.audience(unit, fact.branch, fact.division, fact.cell)
    tag = keys.served(variants.reach(unit), audience)
    wanted = {**_columns(audience), "wanted_tag_id": tag, "wanted_at": fact.at}
    row = unit.db.execute(_OFFER.on(unit.db), {"openid": fact.openid, **wanted}).one()
    if row.trying_tag_id is not None or row.applied_tag_id != tag:
        ask(unit, fact.openid)


def offer_by_place(unit: Unit, fact: FollowerShifted) -> None:
    """The same for a follower whose branch is the same, if an emergency takes in a part of it."""
    if insiders.open_now(unit):
        audience = insiders.audience(unit, fact.branch, fact.division, fact.cell)
        assign(unit, {fact.openid: audience})


def assign(unit: Unit, audiences: Mapping[OpenId, str]) -> int:
    """Count these followers of known branches to these audiences, and have those tagged who carry
    another's tag; returns how many were of another audience before."""
    changed, unlike = 0, list[OpenId]()
    # Who comes back only now is counted by whoever meets them; nobody is touched who is not held.
    audiences = {openid: audiences[openid] for openid in hold(unit, audiences)}
    tags = variants.standing(unit, set(audiences.values()))
    for audience in sorted(set(audiences.values())):
        tag, mark = tags.get(audience), keys.inside_of(audience)
        rows = unit.db.execute(
            update(MenuOffer)
            .where(
                MenuOffer.openid.in_([one for one, its in audiences.items() if its == audience]),
                MenuOffer.branch == keys.branch_of(audience),
                MenuOffer.inside != mark,
            )
            .values(inside=mark, wanted_tag_id=tag, wanted_at=clock.now())
            .returning(MenuOffer.openid, MenuOffer.applied_tag_id, MenuOffer.trying_tag_id)
        ).all()
        changed += len(rows)
        unlike += [
            OpenId(row.openid)
            for row in rows
            if row.trying_tag_id is not None or row.applied_tag_id != tag
        ]
    ask_for_each(unit, unlike)
    return changed


def hold(unit: Unit, openids: Collection[OpenId]) -> list[OpenId]:
    """Lock what is noted of these until the unit's end, and say of whom something is: always in
    this order, or two who hold some of the same followers might wait for each other."""
    locking = select(MenuOffer.openid).where(MenuOffer.openid.in_(openids))
    held = unit.db.execute(locking.order_by(MenuOffer.openid).with_for_update()).scalars()
    return [OpenId(openid) for openid in held]


def _columns(audience: str) -> dict[str, str]:
    return {"branch": keys.branch_of(audience), "inside": keys.inside_of(audience)}


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
    """Walk through the followers of these audiences, because another tag is in reach of them.

    The walk starts late enough for every process to have seen the change: until then one may still
    offer by the old map, and only a walk that comes after it meets that follower.
    """
    due = clock.now() + timedelta(seconds=2 * LOOK_SECONDS)
    for code in codes:
        request(unit, REOFFER, key=code, due=due)


def walk(desk: Desk, deliveries: Sequence[Delivery]) -> None:
    """Ask for the wanted tag of some followers of an audience, and for the walk's next step.

    What is still to be done is read off the rows themselves, so a walk can stop and begin anywhere.
    """
    for delivery in deliveries:
        with desk.unit() as unit:
            rest = resting(unit)
            if rest is None and _step(unit, delivery.key) < _STRIDE:
                continue
            due = None if rest is None else clock.now() + rest
            request(unit, REOFFER, key=delivery.key, due=due)


def resting(unit: Unit) -> timedelta | None:
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
    """A stride through an audience; of a branch, through those of its followers as well who are a
    part of it and have what it has."""
    found = _stride(unit, code, most=_STRIDE)
    if keys.is_part(code) or found == _STRIDE:
        return found
    marks = select(MenuOffer.inside).where(MenuOffer.branch == code, MenuOffer.inside > "")
    for mark in unit.db.execute(marks.distinct()).scalars().all():
        found += _stride(unit, keys.key(code, mark), most=_STRIDE - found)
    return found


def _stride(unit: Unit, audience: str, *, most: int) -> int:
    tag = variants.standing(unit, [audience]).get(audience)
    openids = unit.db.execute(
        select(MenuOffer.openid)
        .where(_is_of(audience), MenuOffer.wanted_tag_id.is_distinct_from(tag))
        .limit(most)
        # Whoever holds a row just now finds the tag in reach by themselves.
        .with_for_update(skip_locked=True)
    ).scalars()
    found = [OpenId(openid) for openid in openids]
    unit.db.execute(
        update(MenuOffer)
        .where(MenuOffer.openid.in_(found))
        .values(wanted_tag_id=tag, wanted_at=clock.now())
    )
    ask_for_each(unit, found)
    return len(found)


def _is_of(audience: str) -> ColumnElement[bool]:
    columns = _columns(audience)
    return and_(MenuOffer.branch == columns["branch"], MenuOffer.inside == columns["inside"])


_COUNTING: Final = (
    select(MenuOffer.inside, MenuOffer.applied_tag_id, MenuOffer.trying_tag_id, func.count())
    .where(MenuOffer.branch == bindparam("branch"))
    .group_by(MenuOffer.inside, MenuOffer.applied_tag_id, MenuOffer.trying_tag_id)
)


def _counted(
    unit: Unit, codes: Iterable[str] | None = None
) -> Iterator[tuple[str, int | None, int | None, int]]:
    """How many followers of each audience carry and try each tag, at these branches or at all.

    Branch by branch, so that no single statement takes long however many followers there are.
    """
    if codes is None:
        codes = [branch.code for branch in branches.directory(unit).all]
    for code in codes:
        for inside, *tags, count in unit.db.execute(_COUNTING, {"branch": code}):
            applied, trying = tags
            yield keys.key(code, inside), applied, trying, count


def census(unit: Unit) -> Census:
    """How many followers each audience has, and which tags they may be carrying."""
    followers: Counter[str] = Counter()
    carriers: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for audience, applied, trying, count in _counted(unit):
        followers[audience] += count
        for tag in {applied or NO_TAG, trying or NO_TAG} - {NO_TAG}:
            carriers[tag][audience] += count
    return Census(followers, carriers)


def on_the_way(unit: Unit, wanted: Mapping[str, int], codes: Iterable[str] | None = None) -> int:
    """How many followers do not carry the tag of their audience yet, as far as we know.

    Args:
        wanted: by audience the tag it is to carry; a part of a branch that is not named is to carry
            its branch's, others none.
        codes: count at these branches only.
    """
    return sum(
        count
        for audience, applied, trying, count in _counted(unit, codes)
        if trying is not None or applied != keys.served(wanted, audience)
    )


def is_carried(desk: Desk, tag_id: int, codes: Collection[str]) -> bool:
    """Whether followers still carry this tag that no branch is in reach of; if so, see to them.

    Args:
        codes: the audiences of those who carry it as far as we know. Where we know of nobody,
            WeChat is asked, and those it names lose the tag: after a restored backup, for instance,
            it may know of followers whom we do not, or of a tag that we no longer do.
    """
    if carrying(desk, tag_id, codes):
        return True
    strangers = desk.gateway.tag_followers(tag_id)[0][:_STRANGERS]
    desk.gateway.untag_each(strangers, tag_id)
    return bool(strangers)


def carrying(desk: Desk, tag_id: int, codes: Collection[str], *, most: int = 0) -> bool:
    """Whether more than so many followers of these audiences carry this tag; some are seen to."""
    with desk.unit() as unit:
        openids = _carriers(unit, tag_id, codes, most=max(most + 1, _STRIDE))
        ask_for_each(unit, openids[:_STRIDE])
    return len(openids) > most


def _carriers(unit: Unit, tag_id: int, codes: Collection[str], *, most: int) -> list[OpenId]:
    carries = or_(MenuOffer.applied_tag_id == tag_id, MenuOffer.trying_tag_id == tag_id)
    by_mark: defaultdict[str, list[str]] = defaultdict(list)
    for code in codes:
        by_mark[keys.inside_of(code)].append(keys.branch_of(code))
    are_of = [
        and_(MenuOffer.inside == mark, MenuOffer.branch.in_(of)) for mark, of in by_mark.items()
    ]
    query = select(MenuOffer.openid).where(or_(false(), *are_of), carries).limit(most)
    return [OpenId(openid) for openid in unit.db.execute(query).scalars()]


def ask(unit: Unit, openid: OpenId) -> None:
    """Have this follower's tag settled; asked for twice, it is done once."""
    request(unit, SETTLE, key=openid, openid=openid)


def ask_for_each(unit: Unit, openids: Iterable[OpenId]) -> None:
    """The same for these: in one order, because until the unit's end whoever asks for one of them
    too must wait for it."""
    for openid in sorted(openids):
        ask(unit, openid)


def ask_for_publication(unit: Unit, *, due: datetime | None = None) -> None:
    """Have the account's menus settled: one such delivery waits at most, and one runs."""
    request(unit, PUBLISH, key=THE_MENUS, lane=THE_MENUS, due=due)


def ask_for_next_change(unit: Unit, *, due: datetime) -> None:
    """Have the menus settled at this moment too, because something begins or ends then."""
    request(unit, PUBLISH, key=NEXT_CHANGE, lane=THE_MENUS, due=due)


def ask_for_a_look(unit: Unit) -> None:
    """Have WeChat's menus and tags compared with what we gave it; never while they change."""
    request(unit, LOOK, key=THE_MENUS, lane=THE_MENUS)
