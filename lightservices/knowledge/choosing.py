"""Choosing one of the candidates by its number: “2”, “２”, “二”, “第二个”, spoken or written.

For a few minutes it is kept which services were offered, as their keys; nothing of what was asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import JSON, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from lightservices.knowledge.terms import cleaned
from service import clock
from service.db import Model, UtcTime, table_of
from service.happenings import OpenId, Unfollowed
from service.wiring import Unit

#: How long the numbers of a list mean something. Later nobody remembers them, and a bare number is
#: more likely the answer to something else.
LIVES: Final = timedelta(minutes=10)
#: The number that means the last, however many there are.
LAST: Final = -1

_DIGITS: Final = "一二三四五六七八九"
#: 我选第二个吧, 就看最后一个: the number, and around it only words that ask for nothing else.
_BEFORE: Final = "我?[想要选择看问点就是的]*"
_AFTER: Final = "[个项条种件号]?[吧呢呀啊的]?"
_NUMBERED: Final = re.compile(rf"{_BEFORE}第?(?P<number>[1-9{_DIGITS}]){_AFTER}")
_AT_THE_END: Final = re.compile(rf"{_BEFORE}最后一?{_AFTER}")


class OfferedRow(Model):
    """The table of what was last offered to a follower to choose from; gone within minutes."""

    __tablename__ = "chat_offers"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: Their keys, in the order of their numbers.
    services: Mapped[list[str]] = mapped_column(JSON)
    offered_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


_TABLE = table_of(OfferedRow)


def number_in(text: str) -> int | None:
    """The number that a text consists of, 1 for the first, :data:`LAST` for the last."""
    said = cleaned(text).replace(" ", "")
    if _AT_THE_END.fullmatch(said):
        return LAST
    found = _NUMBERED.fullmatch(said)
    if found is None:
        return None
    sign = found["number"]
    return 1 + _DIGITS.index(sign) if sign in _DIGITS else int(sign)


def offer(unit: Unit, openid: OpenId, keys: Sequence[str]) -> None:
    """These were just offered, in place of what was offered before."""
    values = {"services": list(keys), "offered_at": clock.now()}
    row = unit.insert(OfferedRow).values(openid=openid, **values)
    unit.db.execute(row.on_conflict_do_update(index_elements=[OfferedRow.openid], set_=values))


def offered(unit: Unit, openid: OpenId) -> Sequence[str]:
    """What may be chosen from; nothing where nothing was offered lately."""
    row = unit.db.execute(
        select(_TABLE.c.services).where(
            _TABLE.c.openid == openid, _TABLE.c.offered_at > clock.now() - LIVES
        )
    ).first()
    found: Sequence[str] = row[0] if row is not None else ()
    return found


def withdraw(unit: Unit, openid: OpenId) -> None:
    """Something else was answered meanwhile: the numbers mean nothing any more."""
    unit.db.execute(delete(_TABLE).where(_TABLE.c.openid == openid))


def forget(unit: Unit, fact: Unfollowed) -> None:
    """The follower left."""
    withdraw(unit, fact.openid)


def forget_old(unit: Unit) -> None:
    """The chore: lists whose numbers mean nothing any more."""
    unit.db.execute(delete(_TABLE).where(_TABLE.c.offered_at <= clock.now() - LIVES))
