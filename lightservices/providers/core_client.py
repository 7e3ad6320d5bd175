"""The bank core's HTTP API as this program speaks it: signed, timed, and every answer checked.

The contract is ``docs/bank-core.openapi.yaml``. The customer's token travels in a header, never in
an address, and nothing that comes back is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from marshmallow import Schema, ValidationError

from lightservices.providers import transport
from lightservices.providers.protocol import Customer, Failed, Why
from lightservices.providers.transport import Exchange
from service import clock
from service.wechat.token import Deadline
from service.wiring import Wiring

SOURCE: Final = "银行核心系统"
#: Refusals of our own credentials: somebody must mend a setting, so they count as failures.
_OURS: Final = frozenset(("key_unknown", "signature_wrong", "clock_wrong", "replayed"))


def is_connected(wiring: Wiring) -> bool:
    """Whether this installation has a bank core to ask."""
    return bool(wiring.settings.core_api_base)


def signature(
    secret: str, *, method: str, target: str, timestamp: str, nonce: str, customer: str, body: bytes
) -> str:
    """HMAC-SHA256 over six lines, in hexadecimal; ``target`` is path and query below the base."""
    digest = hashlib.sha256(body).hexdigest()
    lines = "\n".join((method, target, timestamp, nonce, customer, digest))
    return hmac.new(secret.encode(), lines.encode(), hashlib.sha256).hexdigest()


def signed(
    key: str, secret: str, *, method: str, target: str, customer: str, body: bytes
) -> dict[str, str]:
    """The headers that say who asks and that nobody changed what is asked."""
    timestamp, nonce = str(clock.epoch()), secrets.token_hex(16)
    headers = {
        "X-Core-Key": key,
        "X-Core-Timestamp": timestamp,
        "X-Core-Nonce": nonce,
        "X-Core-Signature": signature(
            secret, method=method, target=target, timestamp=timestamp, nonce=nonce,
            customer=customer, body=body,
        ),
    }  # fmt: skip
    if customer:
        headers["X-Core-Customer"] = customer
    if body:
        headers["Content-Type"] = "application/json"
    return headers


def call(
    wiring: Wiring,
    method: str,
    path: str,
    *,
    deadline: Deadline,
    schema: Schema | None = None,
    params: Mapping[str, str | int] | None = None,
    body: Mapping[str, Any] | None = None,
    customer: Customer | None = None,
) -> Any:
    """What the core answers, as the schema makes of it.

    Raises:
        Failed: when it does not answer, or says no; then ``code`` is its word for it.
    """
    settings = wiring.settings
    if not settings.core_api_base:
        raise Failed(Why.UNCONFIGURED)
    target = f"{path}?{urlencode(params)}" if params else path
    content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    headers = signed(
        settings.core_api_key, settings.core_api_secret, method=method, target=target,
        customer=customer.token if customer else "", body=content,
    )  # fmt: skip
    exchange = Exchange(method, settings.core_api_base + target, headers, content)
    status, answer = transport.exchanged(transport.line(wiring), exchange, deadline)
    if status not in (200, 201, 204):
        raise _refusal(status, answer)
    return _checked(schema, answer)


def in_time(wiring: Wiring, method: str, path: str, **asked: Any) -> Any:
    """The same with a time of its own, for those who ask outside a provider."""
    deadline = Deadline(transport.TOTAL_SECONDS)
    return transport.within(
        transport.line(wiring),
        deadline,
        lambda: call(wiring, method, path, deadline=deadline, **asked),
    )


def _refusal(status: int, answer: Any) -> Failed:
    code = answer.get("code", "") if isinstance(answer, dict) else ""
    code = code if isinstance(code, str) and len(code) <= 40 else ""
    if status == 401:
        # The core names who is refused: us, or the customer whose binding it no longer knows.
        return Failed(Why.REFUSED if code in _OURS or not code else Why.UNBOUND, code)
    if status in (404, 409, 410, 422) and code:
        return Failed(Why.DECLINED, code)
    if status == 429 and code:
        return Failed(Why.DECLINED, code)
    return Failed(Why.STATUS, code)


def _checked(schema: Schema | None, answer: Any) -> Any:
    if schema is None:
        return None
    try:
        return schema.load(answer)
    except (ValidationError, TypeError, ValueError):
        # What was wrong may hold what was sent, and that is the customer's.
        raise Failed(Why.UNREADABLE) from None
