"""How the sandbox misbehaves when told to: late, silent, broken, wrong, or far too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from flask import Response, request

from service.sandbox.connections import drop

Deed = Literal["delay", "hang", "cut", "status", "garbage", "wrong_type", "huge", "drip"]

_HUGE_BYTES: Final = 10 * 1024 * 1024


class FaultRefused(ValueError):
    """A fault that cannot be played."""


@dataclass(slots=True)
class Rule:
    """One line of the script.

    Attributes:
        path: an API path, or one that ends in ``*`` for all below it.
        do: ``delay`` answers well but late; ``hang`` never answers; ``cut`` drops the connection;
            ``status`` answers with that HTTP status; ``garbage`` answers what is not JSON;
            ``wrong_type`` answers JSON of another shape; ``huge`` answers ten megabytes; ``drip``
            sends a sign at a time.
        times: on how many calls; 0 means until told otherwise.
    """

    path: str
    do: Deed
    times: int = 0
    seconds: float = 30.0
    status: int = 503
    met: int = 0

    def covers(self, path: str) -> bool:
        matches = path.startswith(self.path[:-1]) if self.path.endswith("*") else path == self.path
        return matches and (not self.times or self.met < self.times)


def rule(sent: Any) -> Rule:
    """One rule of a script.

    Raises:
        FaultRefused: naming what is wrong with it.
    """
    if not isinstance(sent, Mapping) or not isinstance(sent.get("path"), str):
        raise FaultRefused("every rule needs a path")
    if sent.get("do") not in get_args(Deed):
        raise FaultRefused(f"do must be one of {', '.join(get_args(Deed))}")
    known = {"path": str, "do": str, "times": int, "seconds": (int, float), "status": int}
    for name, value in sent.items():
        if name not in known or not isinstance(value, known[name]):  # type: ignore[arg-type]  # types by name
            raise FaultRefused(f"{name} is no field of a rule, or of another kind")
    return Rule(**sent)


def played(met: Rule, closing: threading.Event) -> Response | None:
    """The answer this fault gives; nothing where the call goes on well, only late."""
    if met.do == "delay":
        closing.wait(met.seconds)
        return None
    if met.do == "hang":
        closing.wait(met.seconds)
        return drop(request.environ)
    if met.do == "cut":
        return drop(request.environ)
    if met.do == "status":
        return Response("<html>502 Bad Gateway</html>", met.status, mimetype="text/html")
    if met.do == "garbage":
        return Response('{"as_of": "2026-', mimetype="application/json")
    if met.do == "wrong_type":
        return Response('{"as_of": 5, "accounts": "many"}', mimetype="application/json")
    if met.do == "huge":
        return Response(_flood(), mimetype="application/json")
    return Response(_drip(met.seconds, closing), mimetype="application/json")


def _flood() -> Iterator[bytes]:
    piece = b'"' + b"9" * 65_534 + b'"'
    for _ in range(_HUGE_BYTES // len(piece)):
        yield piece


def _drip(seconds: float, closing: threading.Event) -> Iterator[bytes]:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not closing.wait(0.1):
        yield b" "
