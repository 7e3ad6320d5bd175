"""Branches fill the slots left to them and no others; what they may not is named and refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from config import Settings
from lightservices import zones
from lightservices.zones import Zone, ZoneKind
from menus import fills, frame, wish
from menus.fills import FillRefused, FillRow
from menus.items import Item
from menus.slots import Column, Fill, Frame, Overlay, Slot, SlotKind
from regions import sample
from regions.branches import BranchCode, BranchRow, TerritoryRow
from service import clock
from service.db import Model
from service.wiring import Tables, Unit, Wiring
from tests.menus.frames import NOON
from tests.service.delivery.wired import wire

BASE = "https://bank.example"
GIFT = Fill((Item("地铁礼", "/s/promotions"),))
JIANGSU, WUXI = "B320000", "B320200"

ALARM = Slot("alarm", SlotKind.EMERGENCY)
HOME = Slot("home", items=(Item("首页", "zone:home"),))
#: A slot of every kind of leave.
FRAME = Frame(
    (
        Column(
            "列",
            (
                ALARM,
                HOME,
                Slot("top", SlotKind.DELEGATED, levels=(1,), may_override=True, gives_way=True),
                Slot("hidden", SlotKind.DELEGATED, levels=(1, 2), may_hide=True),
                Slot("two", SlotKind.DELEGATED, most=2, levels=(1, 2), may_override=True),
            ),
        ),
    )
)


@pytest.fixture(scope="module")
def wiring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wiring]:
    folder: Path = tmp_path_factory.mktemp("fills")
    settings = Settings(data_dir=folder, public_base_url=BASE, linked_mini_programs="wxA")
    found = wire(settings, Tables(overlays=(lambda _unit: BROUGHT.values(),)))
    Model.metadata.create_all(found.engine)
    with found.unit() as unit:
        sample.seed(unit)
    yield found
    found.hang_up()


@pytest.fixture
def unit(wiring: Wiring) -> Iterator[Unit]:
    """One transaction that is undone after the test."""
    wiring.shelf.clear()
    with wiring.engine.connect() as connection, connection.begin() as transaction:
        yield Unit(connection, wiring)
        transaction.rollback()


FLOOD = Overlay(
    kind=SlotKind.EMERGENCY, key="flood", title="防汛服务", target="/z/flood",
    branches=frozenset({WUXI}), starts_at=NOON, ends_at=NOON + timedelta(hours=1),
)  # fmt: skip


#: What another package brings.
BROUGHT = {0: FLOOD}


def shown(unit: Unit, branch: str, **when: object) -> list[str]:
    found = wish.wish(unit, **when).resolved.menu_of(branch)  # type: ignore[arg-type]  # only ``at``
    return [button.name for column in found for button in column.buttons]


def test_what_a_branch_puts_is_its_own_and_that_of_the_branches_below(unit: Unit) -> None:
    fills.put(unit, JIANGSU, "local-one", GIFT)
    assert fills.of(unit, JIANGSU) == {"local-one": GIFT}
    assert fills.all(unit) == {JIANGSU: {"local-one": GIFT}}
    assert fills.of(unit, WUXI) == {}
    for branch in (JIANGSU, WUXI):
        assert "地铁礼" in shown(unit, branch)
    assert "地铁礼" not in shown(unit, "B310000")


def test_a_branch_below_overrides_hides_and_restores(unit: Unit) -> None:
    fills.put(unit, JIANGSU, "local-one", GIFT)
    fills.put(unit, WUXI, "local-one", Fill((Item("太湖游", "/s/outlets"),)))
    assert "太湖游" in shown(unit, WUXI)
    fills.put(unit, WUXI, "local-one", Fill(hide=True))
    assert {"太湖游", "地铁礼", "附近网点"}.isdisjoint(shown(unit, WUXI))
    fills.restore(unit, WUXI, "local-one")
    assert "地铁礼" in shown(unit, WUXI)
    fills.restore(unit, WUXI, "local-one")


@pytest.mark.parametrize(
    ("branch", "slot", "fill", "rule"),
    [
        (JIANGSU, "home", GIFT, "总行没有把这个位置交给分行"),
        (JIANGSU, "alarm", GIFT, "总行没有把这个位置交给分行"),
        (JIANGSU, "gone", GIFT, "总行没有把这个位置交给分行"),
        (WUXI, "top", GIFT, "这个位置不由无锡分行这一级分行填写"),
        ("HQ", "two", GIFT, "这个位置不由总行这一级分行填写"),
        (JIANGSU, "hidden", GIFT, "只允许隐藏"),
        (JIANGSU, "top", Fill(hide=True), "不允许隐藏"),
        (JIANGSU, "two", Fill(), "没有填写任何项目"),
        (JIANGSU, "two", Fill(GIFT.items * 3), "同时最多显示 2 项"),
        ("B999999", "two", GIFT, "没有这家分行"),
        (JIANGSU, "two", Fill((Item("甲", "svc:nothing"),)), "没有轻服务 nothing"),
        (JIANGSU, "two", Fill((Item("甲", "/s/outlets/../x"),)), "没有轻服务 outlets/../x"),
        (JIANGSU, "two", Fill((Item("甲", "//evil.example"),)), "没有页面 //evil.example"),
        (JIANGSU, "two", Fill((Item("字" * 21, "/s/outlets"),)), "名称最多 60 字节"),
        (JIANGSU, "two", Fill((Item("甲", "k", "poke"),)), "不认识的动作 poke"),
        (JIANGSU, "two", Fill((Item("甲"),)), "没有动作"),
        (
            JIANGSU,
            "two",
            Fill((Item("甲", "https://a.example", "miniprogram", "wxB", "p"),)),
            "没有与本服务号关联",
        ),
        (
            JIANGSU,
            "two",
            Fill((Item("甲", "/s/outlets", starts_at=NOON, ends_at=NOON),)),
            "结束时间不在开始时间之后",
        ),
    ],
)
def test_what_a_branch_may_not_is_refused_by_item_and_rule(
    unit: Unit, branch: str, slot: str, fill: Fill, rule: str
) -> None:
    frame.publish(unit, FRAME)
    with pytest.raises(FillRefused) as refused:
        fills.put(unit, branch, slot, fill)
    assert any(rule in fault.rule for fault in refused.value.faults), refused.value.faults
    assert all(fault.where and fault.way_out for fault in refused.value.faults)
    assert fills.all(unit) == {}


def test_every_kind_of_button_may_be_put(unit: Unit) -> None:
    kinds = [
        Item("查网点", "svc:outlets"),
        Item("看网点", "/s/outlets?from=menu"),
        Item("专区", "zone:home"),
        Item("官网", "https://shop.example/a"),
        Item("乘车码", "https://shop.example/", "miniprogram", "wxA", "pages/a"),
        *(
            Item("扫一扫", "scan", kind)
            for kind in ("scancode_push", "scancode_waitmsg", "pic_sysphoto", "location_select")
        ),
        *(Item("素材", "m-1", kind) for kind in ("media_id", "view_limited")),
        *(Item("文章", "a-1", kind) for kind in ("article_id", "article_view_limited")),
    ]
    for item in kinds:
        fills.put(unit, JIANGSU, "local-one", Fill((item,)))
        assert fills.of(unit, JIANGSU)["local-one"].items == (item,)


def test_a_service_of_other_branches_is_refused(
    unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = frame.known(unit)
    ours = replace(known.services["outlets"], branches=("B310000",))  # type: ignore[type-var]  # a dataclass behind a protocol
    services = {**known.services, "outlets": ours}
    monkeypatch.setattr(frame, "known", lambda _unit: replace(known, services=services))
    only = Fill((Item("网点", "svc:outlets"),))
    assert fills.faults(unit, "B310000", {"local-one": only}) == []
    (fault,) = fills.faults(unit, JIANGSU, {"local-one": only})
    assert fault.rule == "轻服务 outlets 不在本分行提供"


def linking(host: str) -> Fill:
    return Fill((Item(host, f"https://{host}.example/"),))


def test_all_branches_together_may_link_to_two_hosts_beside_our_own(unit: Unit) -> None:
    fills.put(unit, JIANGSU, "local-one", linking("one"))
    fills.put(unit, "B310000", "local-one", linking("two"))
    fills.put(unit, WUXI, "local-one", linking("one"))
    with pytest.raises(FillRefused, match=r"已经用了 bank\.example、one\.example、two\.example"):
        fills.put(unit, "B330000", "local-one", linking("three"))
    fills.put(unit, "B310000", "local-one", linking("three"))


def test_what_is_no_longer_allowed_is_passed_over_and_said(unit: Unit) -> None:
    for branch, host in ((JIANGSU, "one"), ("B310000", "two"), (WUXI, "three")):
        row = {"content": {"fill": [{"name": host, "target": f"https://{host}.example/"}]}}
        unit.session.add(FillRow(branch_code=branch, slot="local-one", **row))
    unit.flush()
    found = wish.wish(unit)
    assert set(found.refused) == {WUXI}
    assert "three.example" in found.refused[WUXI][0].way_out
    assert "one" in shown(unit, WUXI)
    object.__setattr__(unit.settings, "link_hosts", "two.example")
    try:
        assert set(wish.wish(unit).refused) == {JIANGSU, WUXI}
    finally:
        object.__setattr__(unit.settings, "link_hosts", "")


def test_a_branch_that_is_gone_takes_its_fills_with_it(unit: Unit) -> None:
    fills.put(unit, WUXI, "local-one", GIFT)
    unit.db.execute(delete(TerritoryRow).where(TerritoryRow.branch_code == WUXI))
    unit.db.execute(delete(BranchRow).where(BranchRow.code == WUXI))
    assert fills.all(unit) == {}


def test_a_fill_that_cannot_be_read_any_more_is_passed_over(unit: Unit) -> None:
    unit.session.add(FillRow(branch_code=WUXI, slot="local-one", content={"fil": []}))
    unit.flush()
    assert fills.all(unit) == {}


# Campaigns, emergencies and the clock


def fair(**other: object) -> Zone:
    branch = BranchCode(JIANGSU)
    made = Zone(
        "fair", "金秋庙会", "", branch, (), NOON, NOON + timedelta(days=2), ZoneKind.CAMPAIGN
    )
    return replace(made, **other)  # type: ignore[arg-type]  # the keywords are those of Zone


@pytest.mark.parametrize(
    ("reach", "reached", "others"),
    [
        ((), {JIANGSU, WUXI}, {"HQ", "B310000"}),
        (("B310000", WUXI), {"B310000", WUXI}, {JIANGSU, "HQ"}),
        (("HQ",), {JIANGSU, WUXI, "HQ", "B310000"}, set()),
    ],
)
def test_an_open_campaign_has_its_entry_with_those_it_is_for(
    unit: Unit, reach: tuple[str, ...], reached: set[str], others: set[str]
) -> None:
    zones.put(unit, fair(reach=tuple(map(BranchCode, reach))))
    for branch in reached:
        assert "金秋庙会" in shown(unit, branch, at=NOON)
        assert "金秋庙会" not in shown(unit, branch, at=NOON + timedelta(days=2))
    for branch in others:
        assert "金秋庙会" not in shown(unit, branch, at=NOON)


def test_a_campaign_is_nobodys_local_zone(unit: Unit) -> None:
    zones.put(unit, fair(branch=BranchCode(WUXI)))
    assert zones.local_zone(unit, BranchCode(WUXI), at=NOON) is None
    assert [one.key for one in zones.campaigns(unit, at=NOON)] == ["fair"]


def test_a_campaign_with_too_long_a_name_is_left_out_and_its_branch_is_told(unit: Unit) -> None:
    zones.put(unit, fair(title="字" * 21))
    found = wish.wish(unit, at=NOON)
    assert set(found.refused) == {JIANGSU}
    assert shown(unit, JIANGSU, at=NOON) == shown(unit, "B310000", at=NOON)


def test_an_emergency_brought_by_another_package_has_its_entry_for_its_time(unit: Unit) -> None:
    assert "防汛服务" in shown(unit, WUXI, at=NOON)
    assert "防汛服务" not in shown(unit, JIANGSU, at=NOON)
    assert "防汛服务" not in shown(unit, WUXI, at=NOON + timedelta(hours=1))


def test_an_emergency_with_too_long_a_name_has_its_entry_all_the_same(
    unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = replace(FLOOD, title="字" * 30)
    monkeypatch.setitem(BROUGHT, 0, long)
    assert "字" * 20 in shown(unit, WUXI, at=NOON)


def test_the_next_change_is_the_next_moment_anything_begins_or_ends(unit: Unit) -> None:
    day = timedelta(days=1)
    item = Item("限时礼", "/s/promotions", starts_at=NOON + 3 * day, ends_at=NOON + 4 * day)
    fills.put(unit, WUXI, "local-one", Fill((item,)))
    zones.put(unit, fair())
    expected = [NOON, NOON + timedelta(hours=1), NOON + 2 * day, NOON + 3 * day, NOON + 4 * day]
    found, after = [], NOON - day
    while (moment := wish.next_change(unit, after)) is not None:
        found.append(moment)
        after = moment
    assert found == expected
    assert shown(unit, WUXI, at=NOON + 3 * day) != shown(unit, WUXI, at=NOON + 4 * day)


def test_the_wish_is_for_now_unless_told(unit: Unit) -> None:
    now = clock.now()
    soon = Item("限时礼", "/s/promotions", starts_at=now + timedelta(hours=1))
    fills.put(unit, WUXI, "local-one", Fill((soon,)))
    assert "限时礼" not in shown(unit, WUXI)
    assert "限时礼" in shown(unit, WUXI, at=now + timedelta(hours=1))
