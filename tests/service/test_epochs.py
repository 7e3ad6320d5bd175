"""What every event reads is kept, and a change anywhere is seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from service import epochs
from service.epochs import Kept, bump
from service.wiring import Unit, Wiring


def counting() -> tuple[Kept[int], list[int]]:
    loads: list[int] = []

    def load(_unit: Unit) -> int:
        loads.append(1)
        return len(loads)

    return Kept(f"thing-{time.monotonic_ns()}", load), loads


def other_process(wiring: Wiring) -> Wiring:
    """The same installation with a memory of its own."""
    return replace(wiring, shelf={})


def read(wiring: Wiring, kept: Kept[int]) -> int:
    with wiring.reading() as unit:
        return kept.get(unit)


def until(fulfilled: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if fulfilled():
            return True
        time.sleep(0.02)
    return False


def test_it_is_loaded_once_and_kept(wiring: Wiring) -> None:
    kept, loads = counting()
    assert [read(wiring, kept) for _ in range(3)] == [1, 1, 1]
    assert len(loads) == 1


def test_a_change_is_seen_by_other_processes_within_two_seconds(wiring: Wiring) -> None:
    kept, _ = counting()
    other = other_process(wiring)
    assert read(other, kept) == 1
    with wiring.unit() as unit:
        bump(unit, kept.name)
    assert until(lambda: read(other, kept) == 2, seconds=2)


def test_inside_the_changing_transaction_the_new_state_is_read(wiring: Wiring) -> None:
    kept, _ = counting()
    with wiring.unit() as unit:
        assert kept.get(unit) == 1
        bump(unit, kept.name)
        assert kept.get(unit) == 2


def test_an_undone_change_is_not_kept(wiring: Wiring) -> None:
    kept, _ = counting()
    assert read(wiring, kept) == 1

    def change_and_fail() -> None:
        with wiring.unit() as unit:
            bump(unit, kept.name)
            kept.get(unit)
            raise LookupError

    with pytest.raises(LookupError):
        change_and_fail()
    assert read(wiring, kept) == 1


@pytest.mark.redis
def test_with_redis_a_change_is_seen_at_once(
    wiring: Wiring, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "LOOK_SECONDS", 3600.0)
    ringing = replace(wiring, settings=replace(wiring.settings, redis_url=redis_url), shelf={})
    other = other_process(ringing)
    kept, _ = counting()
    assert read(other, kept) == 1
    time.sleep(0.2)
    with ringing.unit() as unit:
        bump(unit, kept.name)
    assert until(lambda: read(other, kept) == 2, seconds=1)


def test_a_silent_redis_delays_nothing_for_long(wiring: Wiring) -> None:
    settings = replace(wiring.settings, redis_url="redis://127.0.0.1:1/0")
    ringing = replace(wiring, settings=settings, shelf={})
    kept, _ = counting()
    began = time.monotonic()
    assert read(ringing, kept) == 1
    with ringing.unit() as unit:
        bump(unit, kept.name)
    assert time.monotonic() - began < 1
