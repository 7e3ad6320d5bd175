"""A ticket at hand: opened by a follower who stands in Shanghai, or by a guest."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pytest

from lightservices.tickets import operations, queries
from lightservices.tickets.contents import Content
from lightservices.tickets.queries import Ticket
from service.happenings import OpenId
from service.staff import Me
from service.staff.rights import Grant
from service.wiring import Unit
from tests.lightservices.conftest import PEOPLES_SQUARE, WHO, stand

CLERK = Me(7, "sh.editor", "顾雯", (Grant("editor", "B310000"),))
COLLEAGUE = Me(8, "sh.other", "周敏", (Grant("editor", "B310000"),))
PHONE_NUMBER = "13800138000"


@dataclass(frozen=True)
class Counter:
    """Opens tickets and looks at them again."""

    unit: Unit

    def opened(
        self, *, openid: OpenId | None = WHO, branch: str = "B310000", category: str = "投诉",
        token: str = "", phone: str = PHONE_NUMBER,
    ) -> Ticket:  # fmt: skip
        asked = operations.Request(
            category=category, service="complaint", branch=branch, openid=openid,
            token=token or secrets.token_hex(32), content=Content((("经过", "柜员"),), phone),
        )  # fmt: skip
        number, _is_new = operations.open_ticket(self.unit, asked)
        return self.again(number)

    def again(self, ticket: Ticket | str) -> Ticket:
        number = ticket if isinstance(ticket, str) else ticket.number
        found = queries.find(self.unit, number)
        assert found is not None
        return found


@pytest.fixture
def counter(bank: Unit) -> Counter:
    stand(bank, PEOPLES_SQUARE)
    return Counter(bank)
