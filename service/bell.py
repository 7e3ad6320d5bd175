"""Redis as a bell: it says that something changed, the database says what.

With it a change is seen by every process at once; without it, or while it is silent, within a
second, by looking (see :mod:`service.epochs`). It carries names only and is never waited for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

import redis

from service import journal

log = journal.logger("service.bell")

_CHANNEL: Final = "epochs"
_PATIENCE: Final = 0.2
_REST_SECONDS: Final = 5.0


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, decode_responses=True
    )


def ring(url: str, names: Iterable[str]) -> None:
    """Tell every process that what bears these names has changed."""
    try:
        for name in names:
            _client(url).publish(_CHANNEL, name)
    except redis.RedisError:
        journal.count("bell_silent")


def listen(url: str, on_change: Callable[[str], None]) -> threading.Thread:
    """Call ``on_change`` with each name rung, in a thread that outlives any fault of Redis."""

    def attend() -> None:
        while True:
            try:
                _hear(url, on_change)
            except redis.RedisError:
                journal.count("bell_silent")
                time.sleep(_REST_SECONDS)

    thread = threading.Thread(target=attend, name="bell", daemon=True)
    thread.start()
    return thread


def _hear(url: str, on_change: Callable[[str], None]) -> None:
    # The library leaves this method untyped.
    client: Any = redis.Redis.from_url(url, socket_connect_timeout=_PATIENCE, decode_responses=True)
    with client.pubsub(ignore_subscribe_messages=True) as line:
        line.subscribe(_CHANNEL)
        for message in line.listen():
            on_change(message["data"])
