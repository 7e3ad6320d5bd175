"""Sending followers the answers that are ready, one after the other, none of them twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lightservices.tickets import replies
from lightservices.tickets.replies import Outgoing, Reach
from service import journal
from service.delivery.ledger import Delivery, Desk, Outcomes, Performer
from service.happenings import OpenId
from service.wechat.errors import AccountRefused, TryLater, Unsettled, WillNever


def deliver(desk: Desk, deliveries: Sequence[Delivery]) -> Outcomes:
    """Each follower's answers, until none is left or WeChat takes no more."""
    outcomes = {one.id: _deliver(desk, OpenId(one.key)) for one in deliveries}
    return {number: outcome for number, outcome in outcomes.items() if outcome is not None}


def _deliver(desk: Desk, openid: OpenId) -> TryLater | WillNever | None:
    with desk.unit() as unit:
        replies.doubt(unit, openid)
        outgoing = replies.begin(unit, openid)
    while outgoing is not None:
        goes_on, outcome = _sent(desk, openid, outgoing)
        if not goes_on:
            return outcome
        with desk.unit() as unit:
            outgoing = replies.begin(unit, openid)
    return None


def _sent(
    desk: Desk, openid: OpenId, outgoing: Outgoing
) -> tuple[bool, TryLater | WillNever | None]:
    """Send one; whether the next may follow, and what the delivery has come to if not."""
    try:
        desk.gateway.send_text(openid, outgoing.text)
    except Unsettled:
        return _settled(desk, outgoing, Reach.UNSURE), None
    except TryLater as later:
        _settled(desk, outgoing, Reach.READY)
        return False, later
    except AccountRefused as never:
        # Nothing is wrong with this answer: it goes when operators have mended the account.
        _settled(desk, outgoing, Reach.READY, why=never.why)
        return False, never
    except WillNever as never:
        with desk.unit() as unit:
            reach = replies.refused(unit, openid, outgoing.event, never)
        journal.count("ticket_replies", outcome=reach.value)
        return reach is Reach.REFUSED, None
    return _settled(desk, outgoing, Reach.SENT), None


def _settled(desk: Desk, outgoing: Outgoing, reach: Reach, *, why: str = "") -> bool:
    with desk.unit() as unit:
        replies.settle(unit, outgoing.event, reach, why=why)
    journal.count("ticket_replies", outcome=reach.value)
    return True


DELIVER: Final = Performer(deliver)
