"""How the duty list is told: one HTTPS call to the bank's own paging, signed, and never followed
anywhere else. What is sent holds nothing about any follower.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import requests

from config import Settings, faults
from lightservices.emergency import queries, titles
from service import journal
from service.audit.chain import canonical
from service.delivery.ledger import Delivery, Desk, Outcomes, Performer
from service.sealing import keyed_digest
from service.wechat.errors import TryLater, WillNever

log = journal.logger("lightservices.emergency.duty")

#: Seconds to connect, and between two bytes of the answer, of which only the status is read.
TIMEOUT: Final = (2.0, 3.0)
_AGAIN: Final = timedelta(seconds=15)
#: After so many tries somebody must look: the delivery then stands in the console as failed.
_MOST_TRIES: Final = 40

#: What the page says, by event.
EVENTS: Final[Mapping[str, str]] = {
    "proposed": "有应急专区等待您确认开启",
    "opened": "应急专区已开启",
    "broke_glass": "一人紧急开启了应急专区，请尽快补审",
    "change_proposed": "开启中的应急专区有修改等待确认",
    "changed": "应急专区已修改",
    "closed": "应急专区已关闭",
    "expired": "应急专区已到期结束",
    "ending": "应急专区即将到期，如需继续请申请延长",
}


def page(desk: Desk, deliveries: Sequence[Delivery]) -> Outcomes | None:
    """Tell the duty list; without an address there is the console's inbox alone."""
    settings = desk.wiring.settings
    if not settings.duty_webhook:
        return None
    if "DUTY_WEBHOOK" in faults(settings):
        raise WillNever("DUTY_WEBHOOK 要写成 https:// 开头、不带用户名和密码的地址")
    outcomes = {one.id: _told(settings, one) for one in deliveries}
    return {number: outcome for number, outcome in outcomes.items() if outcome is not None}


def said(settings: Settings, delivery: Delivery) -> dict[str, Any]:
    """What is sent, in the shape that the bank's paging takes apart."""
    told = delivery.payload
    title = titles.unmarked(told["title"], drill=told["drill"])
    mark = titles.DRILL if told["drill"] else ""
    return {
        **told,
        "says": f"{mark}{EVENTS.get(told['event'], told['event'])}：{title}",
        "href": f"{settings.public_base_url}{queries.ROOT}/{told['key']}",
        "id": delivery.idempotency_key,
    }


def signature(settings: Settings, body: bytes) -> str:
    """HMAC-SHA-256 over the body, under a key that is only for this."""
    key = keyed_digest(settings.secret_key, "duty webhook", "signature")
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def _told(settings: Settings, delivery: Delivery) -> TryLater | WillNever | None:
    body = canonical(said(settings, delivery)).encode()
    try:
        status = _posted(settings, body)
    except requests.RequestException as fault:
        log.warning("the duty list could not be told", fault=type(fault).__name__)
        status = 0
    if 200 <= status < 300:
        journal.count("duty_pages", outcome="told")
        return None
    journal.count("duty_pages", outcome="failed")
    why = f"值班通知没有送达（{status or '无应答'}）"
    return TryLater(_AGAIN, why) if delivery.attempts < _MOST_TRIES else WillNever(why)


def _posted(settings: Settings, body: bytes) -> int:
    """The status of one call. It follows nowhere, carries no cookie, and reads no answer."""
    with (
        requests.Session() as session,
        session.post(
            settings.duty_webhook,
            data=body,
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "X-Signature": signature(settings, body),
            },
            timeout=TIMEOUT,
            allow_redirects=False,
            stream=True,
        ) as answer,
    ):
        return answer.status_code


PAGE: Final = Performer(page)
