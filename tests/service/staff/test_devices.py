"""A browser somebody came in with before is known again: to us, for that person, for a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from service import clock
from service.staff import devices

KEY = "a secret key for tests"


def test_a_browser_is_known_for_whoever_came_in_with_it_and_for_nobody_else() -> None:
    held = devices.remember(KEY, "", login="li.wei")
    name = devices.known(KEY, held, login="li.wei")
    assert name
    assert devices.known(KEY, held, login="li.we") == ""
    assert devices.known("another key", held, login="li.wei") == ""
    assert devices.known(KEY, devices.remember(KEY, "", login="li.wei"), login="li.wei") != name


def test_coming_in_again_starts_no_new_count() -> None:
    held = devices.remember(KEY, "", login="li.wei")
    again = devices.remember(KEY, held, login="li.wei")
    assert devices.known(KEY, again, login="li.wei") == devices.known(KEY, held, login="li.wei")
    assert again.count(":") == 0


def test_a_shared_computer_knows_the_eight_who_came_in_last() -> None:
    held = ""
    for number in range(10):
        held = devices.remember(KEY, held, login=f"teller{number}")
    known = [number for number in range(10) if devices.known(KEY, held, login=f"teller{number}")]
    assert known == [2, 3, 4, 5, 6, 7, 8, 9]
    assert len(held) < 1000, "a cookie goes with every request"


def test_a_browser_that_is_not_used_is_forgotten() -> None:
    held = devices.remember(KEY, "", login="li.wei")
    with time_machine.travel(clock.now() + devices.LIFE, tick=False):
        assert devices.known(KEY, held, login="li.wei")
    with time_machine.travel(clock.now() + devices.LIFE + timedelta(days=1), tick=False):
        assert devices.known(KEY, held, login="li.wei") == ""


@pytest.mark.parametrize(
    "held",
    ["", ":", "..", "a.b.c", "a.1." + "0" * 32, "\x00.1.x", "名.一.二", ":" * 5000, "\udc80"],
)
def test_what_is_made_up_is_a_strangers(held: str) -> None:
    assert devices.known(KEY, held, login="li.wei") == ""
    assert devices.known(KEY, devices.remember(KEY, held, login="li"), login="li")
