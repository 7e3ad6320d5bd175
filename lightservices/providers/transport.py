"""One HTTP exchange under strict limits: connected in half a second, over in a second and a half,
never more than 256 KB, read piece by piece so that neither a drip nor a flood gets past.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, TypeVar

import requests
import urllib3
from requests.adapters import HTTPAdapter

from lightservices.providers.protocol import Failed, Why
from service.wechat.token import Deadline
from service.wiring import Wiring

CONNECT_SECONDS: Final = 0.5
TOTAL_SECONDS: Final = 1.5
MOST_BYTES: Final = 256 * 1024
_PIECE: Final = 16 * 1024
#: Answers this process may be waiting for at once. A system that hangs must not take every thread
#: of the web server with it.
MOST_WAITING: Final = 32

_SHELF: Final = "providers.transport"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class Exchange:
    """One request; it does not show itself because of the people and secrets in it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Line:
    """The connections of this process, and how many may wait on them."""

    http: requests.Session
    seats: threading.BoundedSemaphore


def line(wiring: Wiring) -> Line:
    """The process's one line out, made when it is first needed."""
    found: Line | None = wiring.shelf.get(_SHELF)
    if found is None:
        made = Line(_session(wiring), threading.BoundedSemaphore(MOST_WAITING))
        found = wiring.shelf.setdefault(_SHELF, made)
    return found


def within(line: Line, deadline: Deadline, work: Callable[[], T]) -> T:
    """What ``work`` returns or raises, or :attr:`Why.SLOW` when the time is over.

    Time-outs of sockets count from byte to byte, and looking a name up has none at all, so the
    work is left behind in its own thread when it takes too long; there it ends by itself.
    """
    if not line.seats.acquire(blocking=False):
        raise Failed(Why.BUSY)
    done = threading.Event()
    box: list[T | BaseException] = []

    def run() -> None:
        try:
            box.append(work())
        except BaseException as fault:
            # Raised anew in the thread that waits.
            box.append(fault)
        finally:
            line.seats.release()
            done.set()

    threading.Thread(target=run, name="provider", daemon=True).start()
    if not done.wait(deadline.left()):
        raise Failed(Why.SLOW)
    result = box[0]
    if isinstance(result, BaseException):
        raise result
    return result


def exchanged(line: Line, exchange: Exchange, deadline: Deadline) -> tuple[int, Any]:
    """The status and the JSON that came back, nothing when there is no body.

    Raises:
        Failed: whatever went wrong. The libraries' own exceptions hold addresses and headers and
            do not travel as its context.
    """
    try:
        status, body = _answered(line.http, exchange, deadline)
    except requests.ConnectTimeout:
        failure = Failed(Why.UNREACHABLE)
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        failure = Failed(Why.SLOW)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
        failure = Failed(Why.UNREACHABLE)
    except Failed as known:
        failure = known
    else:
        # What a proxy says in front of a system that is down need not be JSON.
        return status, _decoded(body) if status < 300 else _told(body)
    raise failure from None


def _answered(http: requests.Session, exchange: Exchange, deadline: Deadline) -> tuple[int, bytes]:
    with http.request(
        exchange.method,
        exchange.url,
        data=exchange.body or None,
        # Unpacked, a small answer could become a large one.
        headers={"Accept-Encoding": "identity", "Accept": "application/json", **exchange.headers},
        timeout=urllib3.Timeout(connect=CONNECT_SECONDS, total=deadline.left()),  # type: ignore[arg-type]  # requests hands it on; its stubs do not say so.
        stream=True,
        allow_redirects=False,
    ) as response:
        return response.status_code, _body(response, deadline)


def _body(response: requests.Response, deadline: Deadline) -> bytes:
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced[:12]) > MOST_BYTES:
        raise Failed(Why.TOO_LARGE)
    body = bytearray()
    while piece := response.raw.read1(_PIECE, decode_content=False):
        body += piece
        if len(body) > MOST_BYTES:
            raise Failed(Why.TOO_LARGE)
        if deadline.left() <= 0:
            raise Failed(Why.SLOW)
    return bytes(body)


def _decoded(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Failed(Why.UNREADABLE) from None


def _told(body: bytes) -> Any:
    try:
        return _decoded(body)
    except Failed:
        return None


def _session(wiring: Wiring) -> requests.Session:
    """Connections shared by threads. The bank's proxy settings count, except for the sandbox on
    this machine; cookies, stored passwords and hidden repeats never do."""
    session = requests.Session()
    session.trust_env = not wiring.settings.uses_core_sandbox
    session.auth = lambda prepared: prepared
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=2, pool_maxsize=MOST_WAITING, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
