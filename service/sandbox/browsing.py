"""Opening a page as a follower would inside WeChat, cookies and OAuth included."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

import requests

from service.sandbox.calls import Json

if TYPE_CHECKING:
    from service.sandbox.world import Follower, World

#: The cookie by which the sandbox's OAuth page knows who holds the phone.
FOLLOWER_COOKIE: Final = "sandbox_follower"

USER_AGENT: Final = (
    "Mozilla/5.0 (Linux; Android 13; Sandbox) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.47.2560(0x28002F35) "
    "NetType/WIFI Language/zh_CN"
)
_REDIRECTS: Final = 10
_SECONDS: Final = 20
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class Jars:
    """Each follower's own cookies, kept between visits."""

    def __init__(self) -> None:
        self._of: dict[str, requests.Session] = {}

    def of(self, openid: str) -> requests.Session:
        if openid not in self._of:
            session = self._of[openid] = requests.Session()
            # A proxy set for this machine is no part of the follower's phone.
            session.trust_env = False
            session.headers.update({"User-Agent": USER_AGENT, "Accept-Language": "zh-CN"})
        return self._of[openid]

    def empty(self, openid: str) -> None:
        self._of.pop(openid, None)


def open_page(world: World, one: Follower, url: str) -> Json:
    """Fetch the page and follow every redirect, telling only the sandbox who is asking.

    Returns ``status``, the final ``url``, ``html``, ``ms`` for everything together, ``bytes`` of
    the final body, and the ``redirects`` passed through. Without an answer, ``status`` is None and
    ``why`` says what happened.
    """
    session, began, passed = world.jars.of(one.openid), time.perf_counter(), []
    try:
        for _ in range(_REDIRECTS):
            cookies = {FOLLOWER_COOKIE: one.openid} if is_sandbox(world, url) else {}
            response = session.get(url, cookies=cookies, allow_redirects=False, timeout=_SECONDS)
            onward = response.headers.get("Location") if response.is_redirect else None
            if onward is None:
                break
            passed.append(url)
            url = urljoin(url, onward)
    except (requests.RequestException, ValueError) as failed:
        return {"status": None, "url": url, "why": type(failed).__name__, "redirects": passed}
    return {
        "status": response.status_code,
        "url": url,
        "html": response.content.decode("utf-8", "replace"),
        "ms": round((time.perf_counter() - began) * 1000, 1),
        "bytes": len(response.content),
        "headers": dict(response.headers),
        "redirects": passed,
    }


def is_web_address(url: str) -> bool:
    """Whether this is an address that a browser can be sent to."""
    try:
        parts = urlsplit(url)
        # Asking for the port is what finds a port that is none.
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_sandbox(world: World, url: str) -> bool:
    """Whether this address is the sandbox's own; loopback names are one place."""
    there, here = urlsplit(url), urlsplit(world.base_url)
    if there.port != here.port:
        return False
    both_local = there.hostname in _LOOPBACK and here.hostname in _LOOPBACK
    return both_local or there.hostname == here.hostname
