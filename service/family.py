"""Several programs run as one: they start together, and when one ends, all end.

Every member is the head of a process group of its own, so that whatever it starts goes with it; on
Linux the kernel ends it when this process is killed and can no longer do so itself.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final

#: How long a member may take to finish what it is doing before it is killed.
GRACE_SECONDS: Final = 8
#: How many of a member's last lines are shown when it died by itself.
LAST_LINES: Final = 20
_LOOK_SECONDS: Final = 0.2
_PR_SET_PDEATHSIG: Final = 1


class MemberDied(Exception):
    """A member ended by itself, and with it the family's reason to go on."""

    def __init__(self, name: str, status: int, last_words: str) -> None:
        super().__init__(name)
        self.name = name
        self.status = status
        self.last_words = last_words


class ToldToEnd(Exception):
    """Somebody pressed Ctrl-C, or a supervisor sent SIGTERM."""


@dataclass(slots=True)
class Family:
    """Programs that live and end together; a context manager that leaves none behind."""

    logs: Path
    environment: Mapping[str, str]
    _members: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _told: bool = False
    _before: dict[int, object] = field(default_factory=dict)

    def __enter__(self) -> Family:
        self.logs.mkdir(parents=True, exist_ok=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # Whoever started us with nohup wants us to outlive the terminal.
            self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() itself returned

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._told = True

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start one member; what it says goes to a file of its own."""
        with self.log_of(name).open("wb") as log:
            self._members[name] = subprocess.Popen(  # noqa: S603  # Commands are literal, see demo.py.
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=_end_with_parent(),
            )

    def wait_for(self, well: Callable[[], bool], *, seconds: float) -> bool:
        """Look until it is well or the time is over, while everybody lives.

        Raises:
            MemberDied: when a member ended by itself.
            ToldToEnd: when somebody asked for the end.
        """
        deadline = time.monotonic() + seconds
        while True:
            self._look_around()
            if well():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_SECONDS)

    def watch(self) -> None:
        """Stay until somebody asks for the end or a member dies; raises like :meth:`wait_for`."""
        while True:
            self._look_around()
            time.sleep(_LOOK_SECONDS)

    def _look_around(self) -> None:
        if self._told:
            raise ToldToEnd
        for name, member in self._members.items():
            if (status := member.poll()) is not None:
                lines = self.log_of(name).read_text("utf-8", errors="replace").splitlines()
                raise MemberDied(name, status, "\n".join(lines[-LAST_LINES:]))

    def _end(self) -> None:
        """Ask every group to end, wait, then insist; the groups outlive their heads."""
        for member in self._members.values():
            _tell(member, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for member in self._members.values():
            with suppress(subprocess.TimeoutExpired):
                member.wait(max(0.0, deadline - time.monotonic()))
        for member in self._members.values():
            _tell(member, signal.SIGKILL)
            member.wait()


def _tell(member: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(member.pid, number)


def _end_with_parent() -> Callable[[], None] | None:
    """On Linux, what a new process does so that it gets SIGTERM when its parent dies."""
    if sys.platform != "linux":
        return None
    kernel = ctypes.CDLL(None)
    return lambda: kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
