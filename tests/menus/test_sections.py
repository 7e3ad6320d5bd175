"""What is approved goes live as it was read, and every fault and change is told in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from lightservices import zones
from lightservices.zones import ZoneKind
from menus import fills, frame, sections
from menus.items import Item
from menus.slots import Fill, write_frame
from regions.branches import HEAD_OFFICE
from service.delivery.ledger import Row
from service.wiring import Unit
from tests.menus.conftest import Bank

SHANGHAI = "B310000"
GIFT = {"local-one": {"fill": [{"name": "浦江游", "target": "/s/outlets"}]}}


@dataclass(frozen=True)
class Checker:
    """Whoever approved it."""

    id: int = 1
    login: str = "checker"


BY = Checker()


def apply(bank: Bank, content: Any, *, key: str = "yuehui-modu") -> None:
    with bank.wiring.unit() as unit:
        sections.FILLS.apply(unit, SHANGHAI, key, content, BY)
    bank.wiring.shelf.clear()


def requests(unit: Unit) -> int:
    return unit.session.query(Row).filter_by(kind="menus.settle_menus").count()


def test_what_is_applied_is_what_is_read(bank: Bank) -> None:
    apply(bank, GIFT)
    with bank.wiring.unit() as unit:
        assert sections.FILLS.read(unit, SHANGHAI, "") == GIFT
        assert fills.of(unit, SHANGHAI) == {"local-one": Fill((Item("浦江游", "/s/outlets"),))}
    apply(bank, {"local-one": {"hide": True}})
    with bank.wiring.unit() as unit:
        assert sections.FILLS.read(unit, SHANGHAI, "") == {"local-one": {"hide": True}}
    apply(bank, {})
    with bank.wiring.unit() as unit:
        assert sections.FILLS.read(unit, SHANGHAI, "") == {}


@pytest.mark.postgresql
def test_fills_frames_and_campaigns_are_kept_by_postgresql_too(bank_on_postgresql: Bank) -> None:
    bank = bank_on_postgresql
    bank.publish()
    somebody = bank.follower(SHANGHAI)
    bank.work()
    with bank.wiring.unit() as unit:
        sections.FRAME.apply(unit, "HQ", "", edited(), BY)
    apply(bank, GIFT)
    bank.open_zone(zones.Zone("fair", "金秋庙会", "", HEAD_OFFICE, (), kind=ZoneKind.CAMPAIGN))
    apply(bank, {})
    apply(bank, GIFT)
    bank.publish()
    shown = [button.name for column in bank.sees(somebody) for button in column.buttons]
    assert {"卡片挂失", "浦江游", "金秋庙会"} <= set(shown)


def test_a_published_account_is_published_again_and_another_is_left_alone(bank: Bank) -> None:
    apply(bank, GIFT)
    with bank.wiring.unit() as unit:
        assert requests(unit) == 0
    bank.publish()
    shown = bank.follower(SHANGHAI)
    bank.work()
    apply(bank, {"local-one": {"hide": True}})
    bank.work()
    assert [button.name for button in bank.sees(shown)[2].buttons] == [
        "本地优惠", "专区首页", "切换城市", "全部服务",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "where", "rule"),
    [
        ([], "", "写法不对"),
        ({"local-one": []}, "local-one", "写法不对"),
        ({"local-one": {"fill": [{"target": "/s/outlets"}]}}, "local-one/fill/0/name", "缺少必填"),
        ({"local-one": {"fill": [{"name": "甲", "url": "x"}]}}, "local-one/fill/0/url", "没有这个"),
        (
            {"local-one": {"fill": [{"name": "甲", "ends_at": "2026-11-11T00:00"}]}},
            "local-one/fill/0/ends_at",
            "时间须带时区",
        ),
        ({"local-one": {"fill": [{"name": "甲\x00"}]}}, "local-one/fill/0/name", "不能显示的符号"),
        ({"local-one": {"fill": []}}, "local-one", "没有填写任何项目"),
        ({"lost-card": {"hide": True}}, "lost-card", "总行没有把这个位置交给分行"),
        (
            {"local-one": {"fill": [{"name": "甲", "target": "/s/gone"}]}},
            "local-one",
            "“本地特色”第 1 项“甲”：没有轻服务 gone",
        ),
    ],
)
def test_each_fault_is_told_with_its_path_and_rule(
    bank: Bank, content: Any, where: str, rule: str
) -> None:
    with bank.wiring.unit() as unit:
        found = sections.FILLS.faults(unit, SHANGHAI, "", content)
    assert found[0].where == where
    assert rule in found[0].rule
    assert found[0].way_out


def test_sound_content_has_no_faults(bank: Bank) -> None:
    with bank.wiring.unit() as unit:
        for content in ({}, GIFT, {"local-one": {"hide": True}}):
            assert sections.FILLS.faults(unit, SHANGHAI, "", content) == []


def test_what_changes_is_told_slot_by_slot(bank: Bank) -> None:
    later = {"name": "灯会", "target": "/s/outlets", "starts_at": "2026-11-11T00:00:00+08:00"}
    with bank.wiring.unit() as unit:
        differences = sections.FILLS.differences
        (added,) = differences(unit, None, GIFT)
        (changed,) = differences(unit, GIFT, {"local-one": {"fill": [later]}})
        (removed,) = differences(unit, {"local-one": {"hide": True}}, {})
        assert differences(unit, GIFT, GIFT) == []
    assert (added.where, added.before, added.after) == (
        "本地特色",
        "沿用上级",
        "浦江游（打开“附近网点”）",
    )
    assert changed.after == "灯会（打开“附近网点”，限时显示（2026-11-11 00:00起））"
    assert (removed.before, removed.after) == ("隐藏", "沿用上级")


# The frame


def edited() -> dict[str, Any]:
    content = write_frame(frame.default())
    content["columns"][0]["slots"][1]["items"][0]["name"] = "卡片挂失"
    return content


def test_a_frame_that_is_applied_is_live_and_published(bank: Bank) -> None:
    bank.publish()
    somebody = bank.follower()
    with bank.wiring.unit() as unit:
        assert sections.FRAME.faults(unit, "HQ", "", edited()) == []
        sections.FRAME.apply(unit, "HQ", "", edited(), BY)
        assert sections.FRAME.read(unit, "HQ", "") == edited()
    bank.wiring.shelf.clear()
    bank.work()
    assert bank.sees(somebody)[0].buttons[0].name == "卡片挂失"


def test_applying_the_live_frame_changes_nothing(bank: Bank) -> None:
    bank.publish()
    with bank.wiring.unit() as unit:
        before = requests(unit)
        sections.FRAME.apply(unit, "HQ", "", sections.FRAME.read(unit, "HQ", ""), BY)
        assert requests(unit) == before


def test_a_frames_faults_and_changes_are_told_by_place(bank: Bank) -> None:
    broken = edited()
    broken["columns"][0]["slots"].pop(0)
    with bank.wiring.unit() as unit:
        (fault,) = sections.FRAME.faults(unit, "HQ", "", broken)
        assert "紧急位须有且只有一个" in fault.rule
        (fault,) = sections.FRAME.faults(unit, "HQ", "", {"columns": [{"title": "列"}]})
        assert fault.where == "columns/0/slots"
        (changed,) = sections.FRAME.differences(unit, write_frame(frame.default()), edited())
        everything = sections.FRAME.differences(unit, None, edited())
    assert changed.where == "第 1 列第 2 个位置"
    assert (changed.before, changed.after) == (
        "银行卡挂失（回复“卡片挂失”）",
        "卡片挂失（回复“卡片挂失”）",
    )
    assert {one.before for one in everything} == {""}
    delegated = next(one.after for one in everything if "本地特色" in one.after)
    assert delegated == (
        "本地特色：附近网点（打开“附近网点”）【交给分行，1 级分行，2 级分行，可改写，可隐藏】"
    )


@pytest.mark.parametrize("content", [{}, None, [], {"columns": 5}, {"columns": [{"slots": 1}]}])
def test_a_frame_of_the_wrong_shape_can_still_be_looked_at(bank: Bank, content: Any) -> None:
    with bank.wiring.reading() as unit:
        live = sections.FRAME.read(unit, "HQ", "")
        assert sections.FRAME.faults(unit, "HQ", "", content)
        assert sections.FRAME.differences(unit, live, content) == []
