"""Two people open an area over Zhuhai and a piece of Zhongshan; a phone inside, and one outside."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from config import Settings
from lightservices.emergency import changes, messages, operations
from lightservices.emergency.models import Record
from lightservices.emergency.refusals import Refused
from service import audit
from service.wiring import Unit
from tests.journeys.town import Town, built
from tests.lightservices.emergency.duty import (
    IN_THE_PIECE,
    IN_ZHONGSHAN,
    IN_ZHUHAI,
    LI,
    WANG,
    ZHUHAI_AND_A_PIECE,
    broken,
    key_of,
    opened,
    proposed,
    ticked,
)
from tests.services import own_database

INSIDE, PIECE, OUTSIDE = (f"oEMERGENCYjourney{number:011}" for number in range(3))
PLACES = {INSIDE: IN_ZHUHAI, PIECE: IN_THE_PIECE, OUTSIDE: IN_ZHONGSHAN}


@pytest.fixture(scope="module")
def town(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, with_map: Callable[[Path], Path]
) -> Iterator[Town]:
    folder = with_map(tmp_path_factory.mktemp("town"))
    server = os.environ.get("TEST_DATABASE_URL", "")
    with (
        own_database(server, "emergency") as url,
        built(folder, replace(settings, database_url=url)) as town,
    ):
        for openid, place in PLACES.items():
            town.control("followers", openid=openid)
            town.do(openid, "subscribe")
            town.at(openid, place)
            town.do(openid, "message", content="你好")
        yield town


def said(town: Town, openid: str) -> str:
    (answer,) = town.do(openid, "message", content="挂失")
    return str(answer["reply"])


def meets(town: Town, openid: str, record: Record) -> tuple[bool, bool]:
    """Whether the pages and the chat speak of it."""
    return (
        record.path in town.open(openid, "/s/lost-card")["html"],
        record.path in said(town, openid),
    )


def entries(town: Town, openid: str) -> list[str]:
    tops = town.menu(openid)
    return [one["name"] for top in tops for one in (top.get("sub_button") or [top])]


def wait_for(town: Town, holds: Callable[[], bool]) -> None:
    """Walks over followers begin two seconds late, when every process has seen the change."""
    for _ in range(40):
        town.settle()
        if holds():
            return
        time.sleep(0.25)
    pytest.fail("the menus never came to it")


def test_open_inside_changes_outside_does_not_and_close_brings_all_back(town: Town) -> None:
    before = {openid: entries(town, openid) for openid in PLACES}
    with town.wiring.unit() as unit:
        record = opened(unit, area=ZHUHAI_AND_A_PIECE)
    # At once, before any worker did anything.
    assert meets(town, INSIDE, record) == (True, True)
    assert meets(town, PIECE, record) == (True, True)
    assert meets(town, OUTSIDE, record) == (False, False)
    wait_for(town, lambda: "台风应急" in entries(town, INSIDE))
    assert entries(town, OUTSIDE) == before[OUTSIDE]

    town.at(OUTSIDE, IN_THE_PIECE)
    assert meets(town, OUTSIDE, record) == (True, True)
    town.at(OUTSIDE, IN_ZHONGSHAN)
    assert meets(town, OUTSIDE, record) == (False, False)

    with town.wiring.unit() as unit:
        version = changes.extend(unit, record.key, hours=24, why="未结束", by=WANG)
    with town.wiring.unit() as unit:
        reach = ticked(unit, ZHUHAI_AND_A_PIECE)
        changes.adopt(unit, record.key, 2, seen=version.seal, ticked=reach, by=LI)
    assert meets(town, INSIDE, record) == (True, True)

    with town.wiring.unit() as unit:
        operations.close(unit, record.key, by=WANG)
    assert meets(town, INSIDE, record) == (False, False)
    wait_for(town, lambda: {openid: entries(town, openid) for openid in PLACES} == before)


def test_followers_inside_are_told_and_nobody_else(town: Town) -> None:
    with town.wiring.unit() as unit:
        record = opened(unit, area=ZHUHAI_AND_A_PIECE)
    with town.wiring.unit() as unit:
        found = messages.estimate(unit, record)
        assert found.reachable == 2
        messages.start(unit, record.key, messages.OPENED, ticked=found.ticked, by=WANG)
    town.settle()
    read = {openid: str(town.control(f"followers/{openid}")) for openid in PLACES}
    told = "请不要冒雨出门办业务"
    assert {openid: told in text for openid, text in read.items()} == {
        INSIDE: True,
        PIECE: True,
        OUTSIDE: False,
    }
    with town.wiring.reading() as unit:
        (progress,) = messages.progress(unit, record)
    assert (progress.state, progress.sent, progress.unsure) == ("done", 2, 0)


def at_once(town: Town, act: Callable[[Unit], object]) -> list[str]:
    """What became of the same act, done by four hands at the same moment."""
    barrier = threading.Barrier(4)

    def run(_: int) -> str:
        barrier.wait()
        try:
            with town.wiring.unit() as unit:
                act(unit)
        except Refused as refused:
            return type(refused).__name__
        return "done"

    with ThreadPoolExecutor(4) as hands:
        return sorted(hands.map(run, range(4)))


def test_of_four_hands_at_once_one_opens_one_breaks_one_closes(town: Town) -> None:
    with town.wiring.unit() as unit:
        version = proposed(unit, drill=True)
        key = key_of(unit, version)
        reach = ticked(unit, version.content.area)
    seen = {"seen": version.seal, "ticked": reach, "by": LI}
    once = ["Settled", "Settled", "Settled", "done"]
    assert at_once(town, lambda unit: operations.open_(unit, key, **seen)) == once
    assert at_once(town, lambda unit: operations.close(unit, key, by=LI)) == once
    owed = ["ReviewOwed", "ReviewOwed", "ReviewOwed", "done"]
    assert at_once(town, lambda unit: broken(unit, LI, drill=True)) == owed
    with town.wiring.reading() as unit:
        assert audit.verify(unit).broken is None
