"""Pushes as WeChat sends them, for tests: XML, signature, envelope."""

from __future__ import annotations

import time
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from config import Settings
from service.wechat.envelope import Envelope, sign

ACCOUNT = "gh_0123456789ab"
FOLLOWER = "oTESTfollower000000000000001"


def xml(**fields: object) -> bytes:
    """One message; nested dictionaries become nested elements."""
    return f"<xml>{_inner(fields)}</xml>".encode()


def _inner(fields: dict[str, object]) -> str:
    return "".join(
        f"<{name}>{_inner(value) if isinstance(value, dict) else escape(str(value))}</{name}>"
        for name, value in fields.items()
    )


def event(name: str, *, openid: str = FOLLOWER, at: int | None = None, **more: object) -> bytes:
    return xml(
        ToUserName=ACCOUNT,
        FromUserName=openid,
        CreateTime=int(time.time()) if at is None else at,
        MsgType="event",
        Event=name,
        **more,
    )


def location(
    latitude: float,
    longitude: float,
    *,
    precision: float = 30.0,
    openid: str = FOLLOWER,
    at: int | None = None,
) -> bytes:
    """A LOCATION event, in the datum the settings say."""
    return event(
        "LOCATION",
        openid=openid,
        at=at,
        Latitude=latitude,
        Longitude=longitude,
        Precision=precision,
    )


def message(kind: str, *, openid: str = FOLLOWER, at: int | None = None, **more: object) -> bytes:
    return xml(
        ToUserName=ACCOUNT,
        FromUserName=openid,
        CreateTime=int(time.time()) if at is None else at,
        MsgType=kind,
        **{"MsgId": time.time_ns(), **more},
    )


def envelope(settings: Settings) -> Envelope:
    return Envelope(
        token=settings.wechat_token, appid=settings.wechat_appid, keys=[settings.wechat_aes_key]
    )


def sealed(settings: Settings, document: bytes, **overrides: str) -> tuple[str, bytes]:
    """Query and body of a safe-mode push; ``overrides`` replace query parameters."""
    encrypted = envelope(settings).seal(document)
    return sealed_text(settings, encrypted, **overrides)


def sealed_text(settings: Settings, encrypted: str, **overrides: str) -> tuple[str, bytes]:
    parameters = _signed(settings, overrides)
    parameters["encrypt_type"] = "aes"
    parameters["msg_signature"] = sign(
        settings.wechat_token, parameters["timestamp"], parameters["nonce"], encrypted
    )
    parameters |= overrides
    body = f"<xml><ToUserName>{ACCOUNT}</ToUserName><Encrypt>{escape(encrypted)}</Encrypt></xml>"
    return urlencode(parameters), body.encode()


def plain(settings: Settings, document: bytes, **overrides: str) -> tuple[str, bytes]:
    """Query and body of a plaintext push."""
    return urlencode(_signed(settings, overrides) | overrides), document


def _signed(settings: Settings, overrides: dict[str, str]) -> dict[str, str]:
    timestamp = overrides.get("timestamp", str(int(time.time())))
    nonce = overrides.get("nonce", str(time.time_ns()))
    return {
        "timestamp": timestamp,
        "nonce": nonce,
        "signature": sign(settings.wechat_token, timestamp, nonce),
    }
