"""A ceiling that WeChat lowers below the menus that are there."""

from __future__ import annotations

import pytest

from menus import publication
from service.wechat.errors import WillNever
from tests.menus.conftest import WUXI, Bank


def publish_again_and_again(bank: Bank) -> None:
    for _ in range(20):
        publication.settle(bank.desk)
        bank.work()


def test_a_ceiling_far_below_what_is_there_is_told_with_a_way_out(bank: Bank) -> None:
    bank.open_all_zones()
    somebody = bank.follower("B320200")
    bank.publish()
    there = len(bank.shown())
    bank.sandbox.world.limits.change({"conditional_menus": 3})
    bank.open_zone(WUXI)
    with pytest.raises(WillNever, match="MENU_CEILING"):
        publish_again_and_again(bank)
    assert there - 17 <= len(bank.shown()) < there
    assert bank.third_column(somebody) in ("礼遇江苏", "身边优惠")
    object.__setattr__(bank.wiring.settings, "menu_ceiling", 3)
    bank.publish()
    assert len(bank.shown()) == 2
    assert bank.planned() == []
