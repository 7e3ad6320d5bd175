"""Who opens one of our pages inside WeChat, and what the page may ask of the phone.

OAuth with ``snsapi_base`` identifies silently; signing a page's address unlocks the JS-SDK. The
page-side session, and the ``state`` that guards it, belong to the pages.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, Final
from urllib.parse import quote, urldefrag, urlsplit

from config import Settings
from service import clock
from service.wechat.gateway import gateway_of
from service.wiring import Unit, Wiring


class ForeignAddress(ValueError):
    """An address that is not one of our own pages; nothing is signed for it."""


def authorize_url(settings: Settings, *, redirect_uri: str, state: str) -> str:
    """Where to send a visitor so that WeChat sends them back to ``redirect_uri`` with a code.

    The order of the parameters and the fragment are part of WeChat's contract. ``state`` must be at
    most 128 letters and digits.

    Raises:
        ForeignAddress: when ``redirect_uri`` is not on our own host.
        ValueError: when ``state`` is not what WeChat passes through.
    """
    _must_be_ours(settings, redirect_uri)
    if not (state.isascii() and state.isalnum() and len(state) <= 128):
        raise ValueError("state must be 1 to 128 letters and digits")
    return (
        f"{settings.wechat_oauth_base}/connect/oauth2/authorize"
        f"?appid={settings.wechat_appid}&redirect_uri={quote(redirect_uri, safe='')}"
        f"&response_type=code&scope=snsapi_base&state={state}#wechat_redirect"
    )


def jssdk_config(place: Unit | Wiring, url: str) -> dict[str, Any]:
    """What ``wx.config`` needs on the page at ``url``: its whole address as the browser has it.

    Must not be called within a transaction: the ticket may have to be fetched from WeChat.

    Raises:
        ForeignAddress: when the page is not on our own host.
        TryLater: when WeChat does not give a ticket just now.
    """
    wiring = place.wiring if isinstance(place, Unit) else place
    _must_be_ours(wiring.settings, url)
    noncestr, timestamp = secrets.token_hex(8), int(clock.now().timestamp())
    ticket = gateway_of(wiring).jsapi_ticket()
    return {
        "appId": wiring.settings.wechat_appid,
        "timestamp": timestamp,
        "nonceStr": noncestr,
        "signature": jssdk_signature(ticket, noncestr=noncestr, timestamp=timestamp, url=url),
    }


def jssdk_signature(ticket: str, *, noncestr: str, timestamp: int, url: str) -> str:
    """The signature over the four values in the order of their names, the fragment left off."""
    signed = (
        f"jsapi_ticket={ticket}&noncestr={noncestr}&timestamp={timestamp}&url={urldefrag(url).url}"
    )
    # WeChat prescribes SHA-1 here.
    return hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()


_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def _must_be_ours(settings: Settings, url: str) -> None:
    """Compare scheme, host and port: a look-alike host, or a user name before ours, is foreign."""
    try:
        ours, theirs = _origin(settings.public_base_url), _origin(url)
    except ValueError:
        raise ForeignAddress("not an address") from None
    if theirs != ours or "@" in urlsplit(url).netloc or "\\" in url:
        raise ForeignAddress("not an address of our own")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
