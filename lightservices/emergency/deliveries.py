"""Telling followers, each asked for in a transaction of its own and none told twice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from lightservices.emergency import batches, messages, notices, telling
from lightservices.emergency.messages import STOPPED
from lightservices.emergency.recipients import REFUSED, SENT, UNSURE, Channel
from lightservices.emergency.telling import Next
from service import clock, journal
from service.delivery.ledger import Delivery, Desk, Outcomes, Performer
from service.wechat.errors import (
    AccountRefused,
    AwaitsAdministrator,
    RepeatedTooSoon,
    TryLater,
    Unanswered,
    Unsettled,
    WillNever,
)

#: After so many the delivery is asked for anew, so that no batch is held for long.
_AT_ONCE: Final = 200
#: WeChat takes sixty mass messages a minute.
_BETWEEN: Final = timedelta(seconds=1)
#: How often a template is repeated at once when no answer came: WeChat knows its key for minutes.
_REPEATS: Final = 2
_NO_ANSWER: Final = "微信没有应答，不再重发"
#: The window is closed, or what it allows was used up by others.
_SHUT: Final = frozenset({45015, 45047})
#: What is wrong with the message itself: every other follower would be refused as well.
_OURS: Final = frozenset({40037, 40247, 40249, 43106, 43116, 45002, 47003, 48011})


def tell(desk: Desk, deliveries: Sequence[Delivery]) -> Outcomes:
    """Go on with each telling, until nobody is left, it is stopped, or WeChat takes no more."""
    outcomes = {one.id: _tell(desk, int(one.key)) for one in deliveries}
    return {number: outcome for number, outcome in outcomes.items() if outcome is not None}


def _tell(desk: Desk, run: int) -> TryLater | None:
    with desk.unit() as unit:
        channel = messages.channel_of(unit, run)
        telling.doubt(unit, run)
    if channel is None:
        return None
    return _one_list(desk, run) if channel is Channel.MASS else _one_by_one(desk, run, channel)


def _one_by_one(desk: Desk, run: int, channel: Channel) -> TryLater | None:
    with desk.reading() as unit:
        queue = telling.queue_of(unit, run)
    done, came_through = 0, False
    while done < _AT_ONCE:
        with desk.unit() as unit:
            told = telling.next_of(unit, run, queue)
        if told is None and queue.is_over:
            return None
        if told is None:
            continue
        done += 1
        outcome = _sent(desk, told)
        is_silent = isinstance(outcome, Unsettled | Unanswered)
        # One answer is lost now and then; while WeChat is away, nobody else is given up to it.
        if outcome is not None and not (is_silent and came_through):
            return outcome
        came_through = not is_silent
    with desk.unit() as unit:
        telling.keep(unit, run, queue.last)
        messages.ask(unit, run, channel)
    return None


def _sent(desk: Desk, told: Next) -> TryLater | None:
    """Send one; what the whole delivery has come to if the next may not follow."""
    try:
        _say(desk, told)
    except (Unsettled, Unanswered) as silence:
        _settle(desk, told, UNSURE, _NO_ANSWER)
        return silence
    except TryLater as later:
        with desk.unit() as unit:
            telling.put_back(unit, told, later.why)
        return later
    except WillNever as never:
        _refuse(desk, told, never)
    else:
        _settle(desk, told, SENT)
    return None


def _say(desk: Desk, told: Next) -> None:
    """The one call; a template that got no answer is repeated, as WeChat knows it again."""
    if told.channel is Channel.SERVICE:
        desk.gateway.send_text(told.openid, told.text)
        return
    notice = notices.read(told.text)
    key = hashlib.sha256(f"{told.run}\n{told.openid}".encode()).hexdigest()[:32]
    unanswered: Unanswered | None = None
    for _ in range(1 + _REPEATS):
        try:
            desk.gateway.send_template(
                told.openid, notice.template, notice.data, notice.url, client_msg_id=key
            )
            return
        except Unanswered as silence:
            unanswered = silence
        except (TryLater, WillNever):
            # What is said of the repeat does not say that the first one was lost.
            if unanswered is None:
                raise
            break
    assert unanswered is not None
    raise unanswered


def _refuse(desk: Desk, told: Next, never: WillNever) -> None:
    """WeChat will not have it: of this follower, in this window, or at all."""
    is_ours = isinstance(never, AccountRefused) or never.errcode in _OURS
    with desk.unit() as unit:
        if is_ours:
            telling.put_back(unit, told)
            telling.end(unit, told.run, STOPPED, never.why)
        elif never.errcode in _SHUT:
            telling.shut(unit, told, never.why)
        else:
            telling.settle(unit, told, REFUSED, never.why)
    journal.count("emergency_messages", outcome="stopped" if is_ours else REFUSED)


def _settle(desk: Desk, told: Next, state: str, why: str = "") -> None:
    with desk.unit() as unit:
        telling.settle(unit, told, state, why)
    journal.count("emergency_messages", outcome=state)


def _one_list(desk: Desk, run: int) -> TryLater | None:
    """Send one mass message, and ask for the next one a second later."""
    with desk.reading() as unit:
        chosen = batches.choose(unit, run)
    with desk.unit() as unit:
        batch = batches.next_of(unit, run, chosen)
    if batch is None:
        return None
    try:
        msg_id = desk.gateway.send_mass(batch.openids, batch.text, client_key=batch.client_key)
    except (Unsettled, Unanswered, RepeatedTooSoon, AwaitsAdministrator) as doubtful:
        # WeChat may have it: the same list is sent under the same key until it says so.
        with desk.unit() as unit:
            telling.wait(unit, run, doubtful.why)
        return doubtful
    except TryLater as later:
        with desk.unit() as unit:
            batches.put_back(unit, batch, later.why)
            telling.wait(unit, run, later.why)
        return later
    except WillNever as never:
        with desk.unit() as unit:
            batches.give_up(unit, batch, never.why)
        return None
    with desk.unit() as unit:
        batches.settle(unit, batch, msg_id)
        messages.ask(unit, run, Channel.MASS, due=clock.now() + _BETWEEN)
    journal.count("emergency_messages", len(batch.openids), outcome=SENT)
    return None


TELLING: Final = Performer(tell)
