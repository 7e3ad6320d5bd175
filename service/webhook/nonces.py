"""Plaintext mode's replay defence: a nonce that was seen belongs to the body it came with.

In safe and compat mode ``msg_signature`` covers the body, so a replay can only repeat what was
already acted on. The plaintext signature covers no body, so whoever overheard one could put any
body under it; here the first body wins and any other is refused.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from service import clock
from service.db import Model, UtcTime
from service.webhook.receipts import RECEIPT_KEPT
from service.wiring import Unit, Wiring


class Nonce(Model):
    """One signature that was used, and the body it was used for."""

    __tablename__ = "intake_nonces"

    signature: Mapped[str] = mapped_column(String(40), primary_key=True)
    body: Mapped[str] = mapped_column(String(32))
    seen_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


def is_first_use(wiring: Wiring, signature: str, body: bytes) -> bool:
    """Whether this signature is new, or comes again with the body it first came with."""
    digest = hashlib.blake2b(body, digest_size=16).hexdigest()
    with wiring.unit() as unit:
        insert = unit.insert(Nonce).values(signature=signature, body=digest, seen_at=clock.now())
        insert = insert.on_conflict_do_nothing(index_elements=[Nonce.signature])
        if unit.db.execute(insert.returning(Nonce.signature)).first() is not None:
            return True
        first = unit.db.execute(select(Nonce.body).where(Nonce.signature == signature)).scalar()
        return first == digest


def forget_old(unit: Unit) -> None:
    """Drop signatures that would be refused as stale anyway."""
    unit.db.execute(delete(Nonce).where(Nonce.seen_at < clock.now() - RECEIPT_KEPT))
