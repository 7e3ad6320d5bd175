"""Telling followers one by one, each asked for in a transaction of its own and none told twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lightservices.emergency import messages
from lightservices.emergency.messages import TELL, Next
from service import journal
from service.delivery import ledger
from service.delivery.ledger import Delivery, Desk, Outcomes, Performer
from service.wechat.errors import AccountRefused, TryLater, Unsettled, WillNever

#: After so many the delivery is asked for anew, so that no batch is held for long.
_AT_ONCE: Final = 200


def tell(desk: Desk, deliveries: Sequence[Delivery]) -> Outcomes:
    """Go on with each telling, until nobody is left, it is stopped, or WeChat takes no more."""
    outcomes = {one.id: _tell(desk, int(one.key)) for one in deliveries}
    return {number: outcome for number, outcome in outcomes.items() if outcome is not None}


def _tell(desk: Desk, run: int) -> TryLater | WillNever | None:
    with desk.unit() as unit:
        messages.doubt(unit, run)
    for _ in range(_AT_ONCE):
        with desk.unit() as unit:
            told = messages.next_of(unit, run)
        if told is None:
            return None
        if (outcome := _sent(desk, told)) is not None:
            return outcome
    with desk.unit() as unit:
        ledger.request(unit, TELL, key=str(run))
    return None


def _sent(desk: Desk, told: Next) -> TryLater | WillNever | None:
    """Send one; what the whole delivery has come to if the next may not follow."""
    try:
        desk.gateway.send_text(told.openid, told.text)
    except Unsettled:
        _settle(desk, told, messages.UNSURE, "微信没有应答，不再重发")
        return None
    except (TryLater, AccountRefused) as refused:
        with desk.unit() as unit:
            messages.put_back(unit, told)
        return refused
    except WillNever as never:
        _settle(desk, told, messages.REFUSED, never.why)
        return None
    _settle(desk, told, messages.SENT)
    return None


def _settle(desk: Desk, told: Next, state: str, why: str = "") -> None:
    with desk.unit() as unit:
        messages.settle(unit, told, state, why)
    journal.count("emergency_messages", outcome=state)


TELLING: Final = Performer(tell)
