"""An area over Zhuhai and a piece of Zhongshan: each menu is as its phone's place is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import Settings
from lightservices.emergency import operations
from tests.journeys.town import Town, built
from tests.lightservices.emergency.conftest import with_map
from tests.lightservices.emergency.duty import (
    IN_THE_PIECE,
    IN_ZHONGSHAN,
    IN_ZHUHAI,
    WANG,
    ZHUHAI_AND_A_PIECE,
    opened,
)

#: A fixture of the emergencies' own tests.
__all__ = ["with_map"]

WHOLE, PIECE, OUTSIDE = (f"oEMERGENCYmenus{number:013}" for number in range(3))
PLACES = {WHOLE: IN_ZHUHAI, PIECE: IN_THE_PIECE, OUTSIDE: IN_ZHONGSHAN}
ENTRY = "台风应急"


@pytest.fixture(scope="module")
def town(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, with_map: Callable[[Path], Path]
) -> Iterator[Town]:
    with built(with_map(tmp_path_factory.mktemp("town")), settings) as town:
        for openid, place in PLACES.items():
            town.control("followers", openid=openid)
            town.do(openid, "subscribe")
            town.at(openid, place)
        yield town


def entries(town: Town) -> dict[str, list[str]]:
    """The buttons of each phone's menu."""
    return {
        openid: [one["name"] for top in town.menu(openid) for one in top.get("sub_button") or [top]]
        for openid in PLACES
    }


def come_to(town: Town, *inside: str) -> None:
    """These phones, and no others, come to have the entry; walks begin two seconds late."""
    for _ in range(80):
        town.settle()
        if {openid for openid, names in entries(town).items() if ENTRY in names} == set(inside):
            return
        time.sleep(0.25)
    pytest.fail(f"the menus never came to it: {entries(town)}")


def test_each_menu_follows_its_phone_in_and_out_and_all_is_as_before_at_the_end(
    town: Town,
) -> None:
    before = entries(town)
    with town.wiring.unit() as unit:
        record = opened(unit, area=ZHUHAI_AND_A_PIECE)
    come_to(town, WHOLE, PIECE)
    assert entries(town)[OUTSIDE] == before[OUTSIDE]
    town.at(OUTSIDE, IN_THE_PIECE)
    come_to(town, WHOLE, PIECE, OUTSIDE)
    town.at(OUTSIDE, IN_ZHONGSHAN)
    town.at(PIECE, IN_ZHONGSHAN)
    come_to(town, WHOLE)
    town.at(PIECE, IN_ZHUHAI)
    come_to(town, WHOLE, PIECE)
    with town.wiring.unit() as unit:
        operations.close(unit, record.key, by=WANG)
    come_to(town)
    town.at(PIECE, IN_THE_PIECE)
    assert entries(town) == before
