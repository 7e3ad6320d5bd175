"""The log of everything said in both directions, with secrets masked before they are kept."""

from __future__ import annotations

import itertools
import re
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from service.sandbox.calls import OK, Call, Json, Refused

if TYPE_CHECKING:
    from service.sandbox.world import World

_KEPT: Final = 2000
_RID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{8}){2}")
_RID_SECONDS: Final = 7 * 86_400
_LONGEST: Final = 8000
_MASKED: Final = "access_token|refresh_token|secret|appsecret|ticket|code|jsapi_ticket"
_IN_QUERY: Final = re.compile(rf"\b({_MASKED})=([^&\s\"]{{0,4}})[^&\s\"]*")
_IN_JSON: Final = re.compile(rf'"({_MASKED})"(\s*:\s*)"([^"]{{0,4}})[^"]*"')


class Exchanges:
    """The last two thousand exchanges; numbered, so that a reader can ask for what is new."""

    def __init__(self) -> None:
        self._kept: deque[Json] = deque(maxlen=_KEPT)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, direction: str, **what: Any) -> Json:
        """Keep one exchange: ``in`` is a call to the platform, ``out`` a push to the webhook."""
        shown = {
            name: masked(value)[:_LONGEST] if isinstance(value, str) else value
            for name, value in what.items()
        }
        with self._lock:
            entry = {"id": next(self._numbers), "direction": direction, **shown}
            self._kept.append(entry)
        return entry

    def after(self, number: int = 0) -> list[Json]:
        """Those with a higher number, oldest first."""
        with self._lock:
            return [entry for entry in self._kept if entry["id"] > number]

    def by_rid(self, rid: str) -> Json | None:
        with self._lock:
            return next((entry for entry in self._kept if entry.get("rid") == rid), None)


def request_of(world: World, call: Call) -> Json:
    """``POST /cgi-bin/openapi/rid/get``: what a refusal's ``rid`` was about, for seven days."""
    rid = call.word("rid")
    if not _RID.fullmatch(rid):
        raise Refused(76002)
    found = world.exchanges.by_rid(rid)
    if found is None:
        raise Refused(76001)
    if call.at - found["at"] > _RID_SECONDS:
        raise Refused(76004)
    about = {
        "invoke_time": int(found["at"]),
        "cost_in_ms": int(found["ms"]),
        "request_url": f"{found['path']}?{found['query']}",
        "request_body": found["request"],
        "response_body": found["response"],
        "client_ip": "127.0.0.1",
    }
    return {**OK, "request": about}


def masked(text: str) -> str:
    """The text with all but the first four characters of every secret hidden."""
    text = _IN_QUERY.sub(r"\1=\2…", text)
    return _IN_JSON.sub(r'"\1"\2"\3…"', text)
