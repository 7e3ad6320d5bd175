"""Zones and promotions: whose they are, who inherits them, where and when they hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from lightservices import promotions, zones
from lightservices.catalogue import services
from regions import branches, presence
from regions.branches import BranchCode
from regions.divisions import DivisionCode
from service import clock
from service.wiring import Unit


def titles(unit: Unit, division: str, at: datetime | None = None) -> list[str]:
    place = presence.at_city(unit, DivisionCode(division))
    return [
        one.title.removeprefix("示例优惠｜")
        for one in promotions.current(unit, place, at or clock.now())
    ]


@pytest.mark.parametrize(
    ("branch", "title"),
    [
        ("B310000", "约惠魔都"),
        ("B320000", "礼遇江苏"),
        ("B320200", "礼遇江苏"),
        ("B320500", "姑苏有礼"),
    ],
)
def test_a_branch_has_its_own_zone_or_its_parents(bank: Unit, branch: str, title: str) -> None:
    found = zones.local_zone(bank, BranchCode(branch))
    assert found is not None
    assert found.title == title


def test_head_office_and_unknown_branches_have_no_local_zone(bank: Unit) -> None:
    assert zones.local_zone(bank, BranchCode("HQ")) is None
    assert zones.local_zone(bank, BranchCode("B000000")) is None


def test_every_level_1_branch_has_one_zone_whose_title_fits_a_menu(bank: Unit) -> None:
    own = zones.zones_by_branch(bank)
    # WeChat shows four characters of a menu column and dots for the rest.
    assert max(len(zone.title) for zone in own.values()) == 4
    level_1 = {branch.code for branch in branches.directory(bank).all if branch.level == 1}
    assert set(own) == level_1
    assert len({zone.key for zone in own.values()}) == len({zone.title for zone in own.values()})
    for zone in own.values():
        assert len(zone.title.encode()) <= 16
        assert set(zone.services) <= set(services())


def test_a_zone_opens_and_closes_by_the_clock(bank: Unit) -> None:
    noon = clock.now()
    campaign = zones.Zone(
        "fair", "金秋庙会", "", BranchCode("B310000"), ("outlets",), noon, noon + timedelta(hours=1)
    )
    zones.put(bank, campaign)
    shanghai = campaign.branch
    for minutes, key in ((-1, "yuehui-modu"), (0, "fair"), (59, "fair"), (60, "yuehui-modu")):
        found = zones.local_zone(bank, shanghai, at=noon + timedelta(minutes=minutes))
        assert found is not None
        assert found.key == key
    zones.put(bank, replace(campaign, ends_at=noon))
    assert zones.zone(bank, "fair") == replace(campaign, ends_at=noon)


def test_the_branchs_own_promotions_come_before_its_parents(bank: Unit) -> None:
    assert titles(bank, "320200") == [
        "无锡地铁乘车礼", "水韵江苏文旅礼", "周末生活缴费礼", "社区商户满减", "新客有礼",
    ]  # fmt: skip
    assert "无锡地铁乘车礼" not in titles(bank, "320100")
    assert "水韵江苏文旅礼" not in titles(bank, "320500")


def test_a_promotion_for_a_district_reaches_that_district_only(bank: Unit) -> None:
    assert "浦东新区商圈礼" in titles(bank, "310115")
    assert "浦东新区商圈礼" not in titles(bank, "310101")
    assert "浦东新区商圈礼" not in titles(bank, "310000")


def test_promotions_come_and_go_by_themselves(bank: Unit) -> None:
    now = clock.now()
    assert "下月开始的出行礼" not in titles(bank, "310101", now)
    assert "下月开始的出行礼" in titles(bank, "310101", now + timedelta(days=31))
    assert "已经结束的开学季" not in titles(bank, "310101", now)
    assert "已经结束的开学季" in titles(bank, "310101", now - timedelta(days=30))


def test_a_visitor_nobody_can_place_sees_what_is_for_all(bank: Unit) -> None:
    found = promotions.current(bank, presence.nowhere(bank), clock.now())
    assert [one.title for one in found] == ["示例优惠｜新客有礼"]


@pytest.mark.parametrize(("hours", "url"), [(0, ""), (1, "http://bank.example/")])
def test_a_promotion_that_makes_no_sense_is_refused(bank: Unit, hours: int, url: str) -> None:
    now = clock.now()
    with pytest.raises(ValueError, match=r"优惠|网址"):
        promotions.add(
            bank, branch=BranchCode("HQ"), title="一", text="二",
            starts_at=now, ends_at=now + timedelta(hours=hours), url=url,
        )  # fmt: skip
