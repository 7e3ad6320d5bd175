"""When to stop asking a system that does not answer, and when to try it again.

Five failures within thirty seconds open the breaker: nobody is made to wait for what will not come.
After ten seconds one question is let through as a probe; its answer closes the breaker, its failure
opens it for ten more.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Final

FAILURES: Final = 5
WITHIN_SECONDS: Final = 30.0
REST_SECONDS: Final = 10.0


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """One breaker; its threads share it. ``turned`` hears of every change of state."""

    def __init__(
        self,
        *,
        turned: Callable[[State], None] = lambda _state: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._turned = turned
        self._lock = threading.Lock()
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._state = State.CLOSED
        self._since = 0.0

    @property
    def state(self) -> State:
        return self._state

    def admits(self) -> bool:
        """Whether to ask now. Where it says yes, the caller reports what came of it."""
        with self._lock:
            if self._state is State.CLOSED:
                return True
            # A probe that nobody reported on must not block for ever.
            if self._now() - self._since < REST_SECONDS:
                return False
            self._turn(State.HALF_OPEN)
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failures.clear()
            if self._state is not State.CLOSED:
                self._turn(State.CLOSED)

    def failed(self) -> None:
        with self._lock:
            present = self._now()
            self._failures.append(present)
            # Questions that were under way when it opened say nothing new.
            if self._state is State.OPEN:
                return
            many = len(self._failures) == FAILURES and (
                present - self._failures[0] <= WITHIN_SECONDS
            )
            if many or self._state is State.HALF_OPEN:
                self._turn(State.OPEN)

    def _turn(self, state: State) -> None:
        self._since = self._now()
        if self._state is not state:
            self._state = state
            self._turned(state)
