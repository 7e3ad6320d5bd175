"""Whether the account may write to a follower now, as far as we know: WeChat's windows.

A message opens 48 hours. A scan or a new follow opens one minute, in which no person answers, so
these only let go what waits. A tap opens a minute as well, but a tap has no transaction of its own
and is not given one for this. WeChat has the last word: a refusal is taken in as well as a fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, delete, select, update

from lightservices.tickets.models import ConversationRow
from service import clock, followers
from service.db import Insert, Prepared, table_of
from service.delivery import ledger
from service.happenings import (
    MediaReceived,
    OpenId,
    Scanned,
    Subscribed,
    TextReceived,
    Unfollowed,
)
from service.wiring import Unit

#: How long a message lets the account write; source: the platform's table of message windows.
WINDOW: Final = timedelta(hours=48)
#: Times are kept no finer than this, rounded down: what we believe open is open.
COARSE: Final = timedelta(minutes=10)
REPLY: Final = "tickets.reply"

_TABLE = table_of(ConversationRow)


def _hearing(insert: Insert) -> Any:
    new = insert(_TABLE)
    return new.on_conflict_do_update(
        index_elements=["openid"], set_={"heard_at": new.excluded.heard_at}
    ).returning(_TABLE.c.waits)


_HEAR = Prepared(_hearing)
_WAITS = select(_TABLE.c.waits).where(_TABLE.c.openid == bindparam("of"))


@dataclass(frozen=True, slots=True)
class Window:
    """``until`` is when it closes; ``is_known`` is false where we never heard of the follower."""

    until: datetime | None
    is_known: bool

    @property
    def is_open(self) -> bool:
        return self.until is not None and clock.now() < self.until


def hear(unit: Unit, fact: TextReceived | MediaReceived) -> None:
    """The follower wrote: the window opens, and what waited may go."""
    seconds = int(fact.at.timestamp())
    heard = clock.from_epoch(seconds - seconds % int(COARSE.total_seconds()))
    row = {"openid": fact.openid, "heard_at": heard, "waits": False}
    if unit.db.execute(_HEAR.on(unit.db), row).scalar():
        _let_go(unit, fact.openid)


def sense(unit: Unit, fact: Scanned | Subscribed) -> None:
    """The follower gave a sign that opens a minute: long enough for what waited."""
    if waits(unit, fact.openid):
        _let_go(unit, fact.openid)


def waits(unit: Unit, openid: OpenId) -> bool:
    """Whether an answer waits for this follower's next sign."""
    return bool(unit.db.execute(_WAITS, {"of": openid}).scalar())


def look(unit: Unit, openid: OpenId) -> Window:
    """What is known of this follower's window."""
    heard = unit.db.execute(
        select(_TABLE.c.heard_at).where(_TABLE.c.openid == openid)
    ).one_or_none()
    if heard is None:
        return Window(None, is_known=False)
    return Window(heard[0] + WINDOW if heard[0] else None, is_known=True)


def wait(unit: Unit, openid: OpenId, *, is_shut: bool) -> None:
    """Something waits for the follower's next sign; ``is_shut`` when WeChat says it is closed."""
    followers.alone(unit, openid)
    # Nobody who left meanwhile is written down again.
    if not followers.is_known(unit, openid):
        return
    values: Mapping[str, Any] = {"waits": True} | ({"heard_at": None} if is_shut else {})
    insert = unit.insert(ConversationRow).values(openid=openid, heard_at=None, waits=True)
    unit.db.execute(
        insert.on_conflict_do_update(index_elements=[ConversationRow.openid], set_=dict(values))
    )


def ask(unit: Unit, openid: OpenId) -> None:
    """Have the worker send this follower what is ready for them."""
    ledger.request(unit, REPLY, key=openid, openid=openid)


def forget(unit: Unit, fact: Unfollowed) -> None:
    """The follower left."""
    unit.db.execute(delete(_TABLE).where(_TABLE.c.openid == fact.openid))


def forget_old(unit: Unit) -> None:
    """The chore: windows that closed, where nothing waits for another."""
    limit = clock.now() - WINDOW - COARSE
    is_old = _TABLE.c.heard_at.is_(None) | (_TABLE.c.heard_at < limit)
    unit.db.execute(delete(_TABLE).where(is_old, _TABLE.c.waits.is_(False)))


def _let_go(unit: Unit, openid: OpenId) -> None:
    unit.db.execute(update(_TABLE).where(_TABLE.c.openid == openid).values(waits=False))
    ask(unit, openid)
