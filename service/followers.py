"""Who follows the account, since when, and who has just left.

A follower who left is forgotten; what stays for an hour is a keyed digest and the time, so that an
event which WeChat delivers late cannot bring them back.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, String, bindparam, delete, func, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Mapped, mapped_column

from service import clock
from service.db import Insert, Model, Prepared, UtcTime, table_of
from service.happenings import Fact, OpenId, PermissionRevoked, Subscribed, Unfollowed
from service.wiring import Unit

#: Longer than any re-delivery: WeChat gives up within a minute, a replay grows stale in five.
DEPARTURE_KEPT = timedelta(hours=1)

#: WeChat's number for the permission to know the place.
PLACE_PERMISSION = "206"


class Follower(Model):
    """Somebody who follows the account."""

    __tablename__ = "followers"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: When WeChat says they subscribed; for those who followed before us, when we first met them.
    followed_at: Mapped[datetime] = mapped_column(UtcTime)
    #: When they withdrew the permission to know their place, if they did.
    place_withdrawn_at: Mapped[datetime | None] = mapped_column(UtcTime)


class Departure(Model):
    """That somebody left, without saying who."""

    __tablename__ = "departures"

    digest: Mapped[str] = mapped_column(String(32), primary_key=True)
    left_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


_FOLLOWERS, _DEPARTURES = table_of(Follower), table_of(Departure)
_LEFT = select(_DEPARTURES.c.left_at).where(_DEPARTURES.c.digest == bindparam("digest"))
_FOLLOWED = select(_FOLLOWERS.c.followed_at).where(_FOLLOWERS.c.openid == bindparam("openid"))
_WITHDRAWN = select(_FOLLOWERS.c.place_withdrawn_at).where(
    _FOLLOWERS.c.openid == bindparam("openid")
)
_ALONE = select(func.pg_advisory_xact_lock(bindparam("number", type_=BigInteger)))
_MEET = Prepared(
    lambda insert: insert(_FOLLOWERS).on_conflict_do_nothing(index_elements=["openid"])
)


def _arriving(insert: Insert) -> sqlite.Insert:
    new = insert(_FOLLOWERS)
    return new.on_conflict_do_update(
        index_elements=["openid"],
        set_={"followed_at": new.excluded.followed_at},
        where=_FOLLOWERS.c.followed_at < new.excluded.followed_at,
    )


_ARRIVE = Prepared(_arriving)
_RETURN = delete(_DEPARTURES).where(_DEPARTURES.c.digest == bindparam("digest"))


def digest_of(unit: Unit, openid: str) -> str:
    """A keyed digest that only this installation can make of an openid."""
    key = unit.settings.secret_key.encode()[:64]
    return hashlib.blake2b(openid.encode(), key=key, digest_size=16).hexdigest()


def alone(unit: Unit, openid: str) -> None:
    """Let nobody else act on this follower until the transaction ends.

    SQLite writes one transaction at a time anyway. On PostgreSQL a report that began while its
    sender was still there would write them down again after they had left.
    """
    if unit.db.dialect.name == "postgresql":
        unit.db.execute(_ALONE, {"number": int(digest_of(unit, openid)[:15], 16)})


def is_outdated(unit: Unit, fact: Fact) -> bool:
    """Whether the fact speaks of a time before the follower's last coming or going.

    WeChat may deliver events late and out of order; the state is what event time says it is. Within
    the same second leaving wins, because keeping somebody who left is the worse mistake.
    """
    left = unit.db.execute(_LEFT, {"digest": digest_of(unit, fact.openid)}).scalar()
    if left is not None and fact.at <= left:
        return True
    if not isinstance(fact, Unfollowed):
        return False
    followed = unit.db.execute(_FOLLOWED, {"openid": fact.openid}).scalar()
    return followed is not None and fact.at < followed


def meet(unit: Unit, fact: Fact) -> None:
    """Make sure whoever the fact is about is known; most followed long before this program came."""
    unit.db.execute(_MEET.on(unit.db), {"openid": fact.openid, "followed_at": fact.at})


def arrive(unit: Unit, fact: Subscribed) -> None:
    """Somebody subscribed, perhaps again."""
    unit.db.execute(_ARRIVE.on(unit.db), {"openid": fact.openid, "followed_at": fact.at})
    unit.db.execute(_RETURN, {"digest": digest_of(unit, fact.openid)})


def depart(unit: Unit, fact: Unfollowed) -> None:
    """Somebody left: forget them, and remember for an hour that somebody did."""
    unit.db.execute(delete(Follower).where(Follower.openid == fact.openid))
    insert = unit.insert(Departure).values(digest=digest_of(unit, fact.openid), left_at=fact.at)
    unit.db.execute(
        insert.on_conflict_do_update(
            index_elements=[Departure.digest], set_={"left_at": insert.excluded.left_at}
        )
    )


def withdraw_place(unit: Unit, fact: PermissionRevoked) -> None:
    """Record that the permission to know the place was taken back, and when."""
    if PLACE_PERMISSION not in fact.permissions:
        return
    meet(unit, fact)
    unit.db.execute(
        update(Follower).where(Follower.openid == fact.openid).values(place_withdrawn_at=fact.at)
    )


def withdrew_place(unit: Unit, fact: Fact) -> bool:
    """Whether the permission to know the place was taken back at or after the fact's time."""
    withdrawn = unit.db.execute(_WITHDRAWN, {"openid": fact.openid}).scalar()
    return withdrawn is not None and fact.at <= withdrawn


def is_known(unit: Unit, openid: OpenId) -> bool:
    return (
        unit.db.execute(select(Follower.openid).where(Follower.openid == openid)).first()
        is not None
    )


def forget_departures(unit: Unit) -> None:
    """Drop what is remembered of departures once no late event can arrive any more."""
    unit.db.execute(delete(Departure).where(Departure.left_at < clock.now() - DEPARTURE_KEPT))
