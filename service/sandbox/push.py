"""Pushing an event to the account's server: signed, sealed, on time, and sent again if need be.

Five seconds to answer, up to three more tries with the same body under a fresh timestamp and
nonce; every try is kept in the log.
"""

from __future__ import annotations

import http.client
import secrets
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from service import clock
from service.sandbox.answers import NOTICE, UNSEEN, Malformed, read
from service.sandbox.calls import Json
from service.sandbox.faults import WEBHOOK, Rule
from service.sandbox.payloads import Pushed, xml
from service.sandbox.world import Webhook, World
from service.wechat.envelope import Envelope, sign

_ANSWER_BYTES: Final = 1_000_000


@dataclass(slots=True)
class Attempt:
    """One try: the HTTP status (None without an answer), how long it took, what came back.

    ``outcome`` is ``reply`` (shown in the chat), ``ignored`` (WeChat shows no reply to this kind),
    ``nothing`` (acknowledged), or ``fault``; ``why`` explains the last two.
    """

    attempt: int
    status: int | None = None
    ms: float = 0.0
    reply: Json | None = None
    body: str = ""
    outcome: str = "fault"
    why: str = ""


def deliver(world: World, pushed: Pushed) -> list[Attempt]:
    """Push it until it is answered, and let the follower see what WeChat would show them.

    Must not be called with the world's lock in hand.
    """
    attempts: list[Attempt] = []
    body = _Sealed.of(world, pushed)
    for number in range(1, 2 + world.webhook.resends):
        attempt = _attempt(world, pushed, body, number)
        attempts.append(attempt)
        if attempt.status == 200 or world.closing.is_set():
            break
    _show(world, pushed, attempts[-1])
    return attempts


def verify(world: World) -> Json:
    """Ask the address to prove itself, as when it is saved in the console.

    The answer must be exactly the ``echostr``, which is plain even in safe mode.
    """
    echo = str(secrets.randbelow(9 * 10**18) + 10**18)
    url = f"{_address(world, None, _Sealed(b'', ''))}&{urlencode({'echostr': echo})}"
    try:
        status, answer = _exchange("GET", url, None, world.webhook.deadline_seconds)
    except (OSError, http.client.HTTPException, ValueError) as failed:
        return {"ok": False, "status": None, "why": _said(failed, world.webhook)}
    ok = status == 200 and answer == echo.encode()
    why = "" if ok else "the answer is not exactly the echostr"
    return {"ok": ok, "status": status, "why": why}


@dataclass(frozen=True, slots=True)
class _Sealed:
    """The body of a push, which stays the same however often it is sent."""

    body: bytes
    encrypted: str

    @classmethod
    def of(cls, world: World, pushed: Pushed) -> _Sealed:
        if world.webhook.mode == "plain":
            return cls(pushed.xml, "")
        encrypted = _envelope(world).seal(pushed.xml)
        if world.webhook.mode == "compat":
            plain = pushed.xml.removesuffix(b"</xml>")
            added = f"<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
            return cls(plain + added.encode(), encrypted)
        return cls(xml({"ToUserName": world.gh_id, "Encrypt": encrypted}), encrypted)


def _envelope(world: World) -> Envelope:
    settings = world.settings
    previous = world.webhook.previous_key and settings.wechat_aes_key_previous
    keys = [settings.wechat_aes_key_previous] if previous else [settings.wechat_aes_key]
    return Envelope(token=settings.wechat_token, appid=settings.wechat_appid, keys=keys)


def _attempt(world: World, pushed: Pushed, sealed: _Sealed, number: int) -> Attempt:
    with world.lock:
        fault = world.faults.decide(WEBHOOK)
        webhook = world.webhook
    if fault and fault.do == "delay":
        world.closing.wait(fault.seconds)
    url = _address(world, pushed, sealed)
    attempt, began = Attempt(number), time.perf_counter()
    answer = b""
    try:
        if fault and fault.do == "cut":
            raise OSError("a fault kept the push from leaving")
        attempt.status, answer = _exchange("POST", url, sealed.body, webhook.deadline_seconds)
        if fault and fault.do == "lost":
            attempt.status, answer = None, b""
            raise OSError("a fault lost the answer")
    except (OSError, http.client.HTTPException, ValueError) as failed:
        attempt.why = _said(failed, webhook)
    attempt.ms = round((time.perf_counter() - began) * 1000, 1)
    _judge(world, pushed, attempt, answer)
    _keep(world, pushed, url, attempt, fault)
    return attempt


def _said(failed: Exception, webhook: Webhook) -> str:
    if isinstance(failed, TimeoutError):
        return f"no answer within {webhook.deadline_seconds:g} seconds"
    return f"no answer: {failed or type(failed).__name__}"


def _address(world: World, pushed: Pushed | None, sealed: _Sealed) -> str:
    """The webhook's address with a fresh signature.

    The timestamp is real time even when the sandbox's clock was moved: the server's clock was not.
    """
    token = world.settings.wechat_token
    timestamp = str(int(clock.now().timestamp()) + world.webhook.skew_seconds)
    nonce = str(secrets.randbelow(9 * 10**9) + 10**9)
    query = {
        "signature": sign(token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
    }
    if pushed:
        query["openid"] = pushed.openid
    if sealed.encrypted:
        query["encrypt_type"] = "aes"
        query["msg_signature"] = sign(token, timestamp, nonce, sealed.encrypted)
    return f"{world.webhook.url}?{urlencode(query)}"


def _exchange(method: str, url: str, body: bytes | None, seconds: float) -> tuple[int, bytes]:
    """Send and read within the deadline, however slowly the answer drips in.

    Raises:
        TimeoutError: the deadline passed.
        OSError: there was no connection, or it broke.
        http.client.HTTPException: the answer is not HTTP.
    """
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    began = time.monotonic()
    over = threading.Event()

    def cut() -> None:
        over.set()
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    # A socket's own timeout starts anew with every byte; only breaking the connection is exact.
    watch = threading.Timer(seconds, cut)
    watch.daemon = True
    try:
        connection.connect()
        watch.start()
        connection.request(
            method,
            f"{parts.path}?{parts.query}",
            body,
            {"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0", "Accept": "*/*"},
        )
        response = connection.getresponse()
        answer = response.read(_ANSWER_BYTES)
    except (OSError, http.client.HTTPException):
        if over.is_set() or time.monotonic() - began >= seconds:
            raise TimeoutError from None
        raise
    finally:
        watch.cancel()
        connection.close()
    if over.is_set():
        raise TimeoutError
    return response.status, answer


def _judge(world: World, pushed: Pushed, attempt: Attempt, answer: bytes) -> None:
    """Decide what WeChat makes of this answer."""
    attempt.body = answer.decode("utf-8", "replace")
    if attempt.status is None:
        return
    if attempt.status != 200:
        attempt.why = f"HTTP {attempt.status}"
        return
    try:
        attempt.reply = read(
            answer,
            pushed,
            gh_id=world.gh_id,
            envelope=_envelope(world),
            token=world.settings.wechat_token,
            mode=world.webhook.mode,
        )
    except Malformed as malformed:
        attempt.why = str(malformed)
        return
    if attempt.reply is None:
        attempt.outcome = "nothing"
    elif pushed.kind in UNSEEN:
        attempt.outcome, attempt.why = "ignored", "WeChat shows no reply to this event"
    else:
        attempt.outcome = "reply"


def _keep(world: World, pushed: Pushed, url: str, attempt: Attempt, fault: Rule | None) -> None:
    parts = urlsplit(url)
    reply: Any = attempt.reply
    world.exchanges.add(
        "out",
        at=world.now(),
        method="POST",
        path=parts.path,
        query=parts.query,
        kind=pushed.kind,
        openid=pushed.openid,
        request=pushed.xml.decode(),
        status=attempt.status,
        response=attempt.body,
        reply=reply,
        ms=attempt.ms,
        attempt=attempt.attempt,
        outcome=attempt.outcome,
        why=attempt.why,
        fault=fault.do if fault else "",
    )


def _show(world: World, pushed: Pushed, last: Attempt) -> None:
    """Put into the follower's chat what they would now see there."""
    with world.lock:
        one = world.followers.get(pushed.openid)
        if one is None or not one.subscribed:
            return
        if last.outcome == "reply" and last.reply is not None:
            world.say(one, "account", kind=last.reply["type"], content=last.reply, through="reply")
        elif last.outcome == "fault" and pushed.kind not in UNSEEN:
            world.say(one, "system", kind="notice", content={"content": NOTICE})
