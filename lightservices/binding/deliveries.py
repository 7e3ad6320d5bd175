"""What the bank core is told in its own time: a binding ended, or a newer text was agreed to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from lightservices.binding.operations import opened_token
from lightservices.providers import core_client
from lightservices.providers.protocol import Customer, Failed, Why
from service.delivery.ledger import Delivery, Desk, Outcomes, Performer
from service.wechat.errors import TryLater, Unreachable, WillNever

Tell = Callable[[Desk, Customer, dict[str, Any]], object]


def _end(desk: Desk, customer: Customer, _payload: dict[str, Any]) -> object:
    return core_client.in_time(desk.wiring, "DELETE", "/v1/customer/binding", customer=customer)


def _agree(desk: Desk, customer: Customer, payload: dict[str, Any]) -> object:
    return core_client.in_time(
        desk.wiring, "PUT", "/v1/customer/consent", customer=customer,
        body={"version": payload["version"], "given_at": payload["at"]},
    )  # fmt: skip


def _performing(tell: Tell) -> Callable[[Desk, Sequence[Delivery]], Outcomes]:
    def perform(desk: Desk, deliveries: Sequence[Delivery]) -> Outcomes:
        outcomes = {one.id: _told(tell, desk, one) for one in deliveries}
        return {number: outcome for number, outcome in outcomes.items() if outcome is not None}

    return perform


def _told(tell: Tell, desk: Desk, delivery: Delivery) -> TryLater | WillNever | None:
    with desk.reading() as unit:
        token = opened_token(unit, delivery.payload["sealed"])
    if token is None:
        return WillNever("SECRET_KEY 已更换，无法再通知银行核心系统")
    try:
        tell(desk, Customer(token), delivery.payload)
    except Failed as failed:
        # A binding the core has ended by itself needs no more telling.
        if failed.why is Why.UNBOUND:
            return None
        if failed.why is Why.UNCONFIGURED:
            return WillNever("没有设置 CORE_API_BASE，银行核心系统没有被通知")
        return Unreachable(timedelta(seconds=2), f"银行核心系统没有应答（{failed.why.value}）")
    return None


TELL_END = Performer(_performing(_end))
TELL_AGREED = Performer(_performing(_agree))
