"""Plaintext mode's replay defence: a nonce that was seen belongs to the body it came with.

In safe and compat mode ``msg_signature`` covers the body, so a replay can only repeat what was
already acted on. The plaintext signature covers no body, so whoever overheard one could put any
body under it; here the first body wins and any other is refused. It is asked where a push would
have an effect or an answer: one that has neither may be repeated by anybody.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, bindparam, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from service import clock
from service.db import Model, Prepared, UtcTime, table_of
from service.webhook.receipts import RECEIPT_KEPT
from service.wiring import Unit


class Nonce(Model):
    """One signature that was used, and the body it was used for."""

    __tablename__ = "intake_nonces"

    signature: Mapped[str] = mapped_column(String(40), primary_key=True)
    body: Mapped[str] = mapped_column(String(32))
    seen_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


_TABLE = table_of(Nonce)
_CLAIM = Prepared(
    lambda insert: (
        insert(_TABLE)
        .on_conflict_do_nothing(index_elements=["signature"])
        .returning(_TABLE.c.signature)
    )
)
_FIRST = select(_TABLE.c.body).where(_TABLE.c.signature == bindparam("of"))


class Reused(Exception):
    """A signature that came with another body before."""


@dataclass(frozen=True, slots=True)
class PlainSignature:
    """The signature a plaintext push came with, and the body it came with now."""

    signature: str
    body: bytes

    def require_own(self, unit: Unit) -> None:
        """Go on only if this signature is new, or comes again with the body it first came with.

        Raises:
            Reused: it came with another body.
        """
        digest = hashlib.blake2b(self.body, digest_size=16).hexdigest()
        row = {"signature": self.signature, "body": digest, "seen_at": clock.now()}
        if unit.db.execute(_CLAIM.on(unit.db), row).first() is not None:
            return
        first = unit.db.execute(_FIRST, {"of": self.signature}).scalar()
        if first != digest:
            raise Reused


def forget_old(unit: Unit) -> None:
    """Drop signatures that would be refused as stale anyway."""
    unit.db.execute(delete(Nonce).where(Nonce.seen_at < clock.now() - RECEIPT_KEPT))
