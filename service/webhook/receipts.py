"""Which pushes were already acted on, and what was answered: one effect however often it comes.

The claim and the effects are one transaction. If the process dies half-way both vanish and the
next delivery does the work; if it comes twice at once, the second waits for the first and then
reads its answer. Nothing here names the follower: the key is a digest only we can make.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, Text, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from service import clock, replies
from service.db import Model, Prepared, UtcTime, table_of
from service.replies import Reply
from service.wiring import Unit

#: Twice the freshness window and more: after this a repeated push is refused as stale.
RECEIPT_KEPT = timedelta(minutes=30)


class Receipt(Model):
    """One push that was acted on."""

    __tablename__ = "intake_receipts"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    #: The reply as JSON, or nothing where the push was only acknowledged.
    reply: Mapped[str | None] = mapped_column(Text)


_TABLE = table_of(Receipt)
_CLAIM = Prepared(
    lambda insert: (
        insert(_TABLE).on_conflict_do_nothing(index_elements=["key"]).returning(_TABLE.c.key)
    )
)
_KEEP = update(_TABLE).where(_TABLE.c.key == bindparam("of")).values(reply=bindparam("reply"))
_GIVEN = select(_TABLE.c.reply).where(_TABLE.c.key == bindparam("of"))


def key_of(unit: Unit, identity: str) -> str:
    """The digest under which a push is remembered."""
    key = unit.settings.secret_key.encode()[:64]
    return hashlib.blake2b(identity.encode(), key=key, digest_size=20).hexdigest()


def claim(unit: Unit, key: str) -> bool:
    """Whether this push is new; from now on, in this transaction, it is ours."""
    claimed = unit.db.execute(_CLAIM.on(unit.db), {"key": key, "taken_at": clock.now()})
    return claimed.first() is not None


def first_answer(unit: Unit, key: str, reply: Reply) -> Reply:
    """The answer of whichever delivery of this push came first: this one's, or an earlier one's.

    One statement that stands alone, for pushes that have no effect but their answer.
    """
    row = {"key": key, "taken_at": clock.now(), "reply": _written(reply)}
    if unit.db.execute(_CLAIM.on(unit.db), row).first() is not None:
        return reply
    return answer_given(unit, key) or reply


def keep_answer(unit: Unit, key: str, reply: Reply) -> None:
    """Remember what was answered, for the deliveries still to come."""
    unit.db.execute(_KEEP, {"of": key, "reply": _written(reply)})


def answer_given(unit: Unit, key: str) -> Reply | None:
    """What an earlier delivery of this push was answered."""
    written = unit.db.execute(_GIVEN, {"of": key}).scalar()
    return _read(written) if written else None


def forget_old(unit: Unit) -> None:
    """Drop receipts of pushes that would be refused as stale anyway."""
    unit.db.execute(delete(Receipt).where(Receipt.taken_at < clock.now() - RECEIPT_KEPT))


def _written(reply: Reply) -> str:
    return json.dumps(
        {"kind": type(reply).__name__, **dataclasses.asdict(reply)}, ensure_ascii=False
    )


def _read(written: str) -> Reply:
    content: dict[str, Any] = json.loads(written)
    match content.pop("kind"):
        case "News":
            return replies.News(tuple(replies.Article(**a) for a in content["articles"]))
        case "HandOver":
            return replies.HandOver(**content)
        case _:
            return replies.Text(**content)
