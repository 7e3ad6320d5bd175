"""Several programs started together leave none behind, however they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config import HOME
from service.family import Family, MemberDied, ToldToEnd

STEADY = "import time; time.sleep(60)"
WITH_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be fetched does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def soon(is_so: object, seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not (so := is_so()) and time.monotonic() < deadline:  # type: ignore[operator]  # a callable
        time.sleep(0.05)
    return bool(so)


def pids_in(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def test_a_member_that_dies_is_named_and_takes_the_others_along(tmp_path: Path) -> None:
    def live() -> None:
        with Family(tmp_path, {}) as family:
            family.start("steady", python(WITH_CHILD))
            family.wait_for(lambda: bool(pids_in(family.log_of("steady"))), seconds=5)
            family.start("frail", python("print('farewell'); raise SystemExit(3)"))
            family.watch()

    with pytest.raises(MemberDied) as death:
        live()
    assert (death.value.name, death.value.status) == ("frail", 3)
    assert death.value.last_words == "farewell"
    [child] = pids_in(tmp_path / "steady.log")
    assert soon(lambda: not is_alive(child))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_everybody(tmp_path: Path, number: signal.Signals) -> None:
    def live() -> None:
        with Family(tmp_path, {}) as family:
            family.start("steady", python(WITH_CHILD))
            family.wait_for(lambda: bool(pids_in(family.log_of("steady"))), seconds=5)
            os.kill(os.getpid(), number)
            family.watch()

    before = signal.getsignal(number)
    with pytest.raises(ToldToEnd):
        live()
    [child] = pids_in(tmp_path / "steady.log")
    assert soon(lambda: not is_alive(child))
    assert signal.getsignal(number) is before


def test_a_member_that_will_not_hear_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.family.GRACE_SECONDS", 0.3)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True);"
    with Family(tmp_path, {}) as family:
        family.start("deaf", python(deaf + STEADY))
        assert family.wait_for(lambda: bool(pids_in(family.log_of("deaf"))), seconds=5)


def test_waiting_ends_when_the_time_is_over(tmp_path: Path) -> None:
    with Family(tmp_path, {}) as family:
        family.start("steady", python(STEADY))
        assert not family.wait_for(lambda: False, seconds=0.1)


def test_members_hear_what_the_family_says(tmp_path: Path) -> None:
    with Family(tmp_path, {"WORD": "heard"}) as family:
        family.start("one", python(f"import os; print(os.environ['WORD'], flush=True); {STEADY}"))
        log = family.log_of("one")
        assert family.wait_for(lambda: "heard" in log.read_text(), seconds=5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a parent's death")
def test_nobody_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    member = f"import os; print(os.getpid(), flush=True); {STEADY}"
    program = f"""
from pathlib import Path
from service.family import Family
with Family(Path({str(tmp_path)!r}), {{}}) as family:
    family.start("steady", {python(member)!r})
    family.watch()
"""
    parent = subprocess.Popen(python(program), cwd=HOME)
    assert soon(lambda: bool(pids_in(tmp_path / "steady.log")))
    [child] = pids_in(tmp_path / "steady.log")
    parent.kill()
    parent.wait()
    assert soon(lambda: not is_alive(child))
