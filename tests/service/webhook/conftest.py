"""A webhook with one follower-facing answer, on the test database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete

from config import Settings
from service import followers
from service.happenings import Clicked, Fact, MediaReceived, Subscribed, TextReceived, Unfollowed
from service.replies import Text
from service.webhook import kept
from service.webhook.door import Answer, Webhook
from service.webhook.kept import Kept
from service.webhook.nonces import Nonce
from service.webhook.receipts import Receipt
from service.wechat.fields import fields_of
from service.wiring import Tables, Unit, Wiring
from tests import pushes


class Knocking:
    """Knocks on the webhook and remembers what it made of the pushes."""

    def __init__(self, wiring: Wiring) -> None:
        self.heard: list[Fact] = []
        self.fails = 0
        tables = Tables(
            reactions={
                Subscribed: [followers.arrive, self._note],
                Unfollowed: [kept.forget, followers.depart, self._note],
                Clicked: [self._note],
                TextReceived: [self._note],
            },
            answers={
                Clicked: lambda _unit, fact: Text(f"您点了 {fact.key}，第 {len(self.heard)} 次"),
                TextReceived: lambda _unit, fact: Text(fact.content),
                MediaReceived: lambda _unit, fact: Text(f"{fact.said} {len(self.heard)}"),
            },
        )
        self.wiring = replace(wiring, tables=tables)
        self.webhook = Webhook(self.wiring)

    @property
    def settings(self) -> Settings:
        return self.wiring.settings

    def post(self, document: bytes, **overrides: str) -> Answer:
        return self.webhook.answer("POST", *pushes.sealed(self.settings, document, **overrides))

    def opened(self, answer: Answer) -> dict[str, str]:
        """The fields of a sealed reply."""
        return fields_of(self.webhook._envelope.open(fields_of(answer.body)["Encrypt"]))

    def _note(self, _unit: Unit, fact: Any) -> None:
        if self.fails:
            self.fails -= 1
            raise LookupError("as when a reaction has a fault")
        self.heard.append(fact)


@pytest.fixture
def knocking(wiring: Wiring) -> Iterator[Knocking]:
    yield Knocking(wiring)
    kept.Spool(wiring.settings.data_dir).path.unlink(missing_ok=True)
    with wiring.unit() as unit:
        for table in (Receipt, Kept, Nonce, followers.Follower, followers.Departure):
            unit.db.execute(delete(table))
