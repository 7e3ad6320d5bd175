"""Asking WeChat what our quotas are, because it raises them with the number of followers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from service.delivery import quotas
from service.delivery.ledger import Delivery, Desk, Performer, request
from service.wechat.errors import WillNever
from service.wiring import Unit

KIND = "quotas.learn"


def ask(unit: Unit) -> None:
    """The chore: have WeChat asked about every call we made today."""
    for row in quotas.used_today(unit):
        request(unit, KIND, key=row.path, lane=KIND)


def learn(desk: Desk, deliveries: Sequence[Delivery]) -> None:
    """The delivery: the gateway writes what WeChat answers into the quota ledger."""
    for delivery in deliveries:
        # Some calls have no quota of their own; then there is nothing to learn.
        with suppress(WillNever):
            desk.gateway.quota(delivery.key)


LEARN = Performer(learn)
