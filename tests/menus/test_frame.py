"""The frame that ships is one WeChat takes, whole on a phone; one that could break is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import Settings
from lightservices import catalogue
from menus import checks, frame, limits
from menus.buttons import Button, Menu
from menus.frame import FrameRefused, FrameRow, from_menu
from menus.items import Item
from menus.resolve import resolve
from menus.slots import Column, Frame, Overlay, Slot, SlotKind, read_frame, write_frame
from service.db import Model
from service.wiring import Unit, Wiring
from tests.menus import frames
from tests.menus.frames import KNOWN
from tests.menus.test_plan import TREE, Zone
from tests.service.delivery.wired import wire

BASE = "https://bank.example"


def default_menu() -> Menu:
    return resolve(TREE, {}, base_url=BASE).default


def local_column(title: str, key: str) -> Button:
    (variant,) = resolve(TREE, {"B0": Zone(key, title)}, base_url=BASE).variants
    return variant.menu[2]


# The one that ships


def test_every_button_points_at_a_service_of_the_catalogue() -> None:
    assert frame.unknown_services(catalogue.services()) == []


def test_a_service_that_does_not_exist_is_named() -> None:
    known = set(catalogue.services()) - {"outlets"}
    assert frame.unknown_services(known) == ["outlets"]


def test_the_default_menu_is_within_wechats_limits_and_shown_whole() -> None:
    menu = default_menu()
    assert limits.faults(menu) == []
    assert limits.warnings(menu) == []
    assert [column.name for column in menu] == ["服务", "查询", "身边优惠"]
    assert [len(column.buttons) for column in menu] == [5, 5, 5]


def test_every_column_answers_something_in_the_chat() -> None:
    for column in default_menu():
        assert sum(button.type == "click" for button in column.buttons) == 1


def test_a_zones_column_bears_its_name_and_leads_to_its_page() -> None:
    third = local_column("约惠魔都", "yuehui-modu")
    assert third.name == "约惠魔都"
    assert third.buttons == (
        Button("本地优惠", type="click", key="svc:promotions"),
        Button("专区首页", type="view", url=f"{BASE}/z/yuehui-modu"),
        Button("附近网点", type="view", url=f"{BASE}/s/outlets"),
        Button("切换城市", type="view", url=f"{BASE}/s/my-city"),
        Button("全部服务", type="view", url=f"{BASE}/s/directory"),
    )


def test_without_a_zone_the_page_finds_the_followers_own() -> None:
    assert default_menu()[2].buttons[1].url == f"{BASE}/z/local"


def test_all_links_lead_to_one_host() -> None:
    assert limits.domains([default_menu()]) == {"bank.example"}


# What is refused


def fixed(key: str, *, gives_way: bool = False) -> Slot:
    return Slot(key, items=(Item("甲", "/s/a"),), gives_way=gives_way)


ALARM = Slot("alarm", SlotKind.EMERGENCY)
LEFT = Slot("left", SlotKind.DELEGATED, items=(Item("甲", "/s/a"),), levels=(1,), may_override=True)


def column(*slots: Slot, title: str = "列") -> Column:
    return Column(title, slots)


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ((), "一级菜单须有 1–3 个，现在是 0 个"),
        ((column(ALARM, fixed("a")), *(column(fixed(key)) for key in "bcd")), "现在是 4 个"),
        ((column(fixed("a")),), "紧急位须有且只有一个，现在有 0 个"),
        ((column(ALARM, replace(ALARM, key="b"), fixed("a")),), "现在有 2 个"),
        ((column(ALARM, fixed("a"), fixed("a")),), "位置编号 a 用了 2 次"),
        ((column(ALARM, *map(fixed, "abcde")),), "紧急位或活动位打开时会有 6 个"),
        ((column(*map(fixed, "abcdef")), column(ALARM)), "最多会有 6 个"),
        ((column(ALARM, *map(fixed, "abcd"), replace(LEFT, most=2)),), "最多会有 6 个"),
        ((column(ALARM), column()), "没有任何位置"),
        ((column(ALARM),), "没有一列平时有内容"),
        ((column(ALARM, replace(LEFT, may_hide=True)),), "有的时候会没有任何项目"),
        ((column(ALARM, fixed("a"), replace(LEFT, levels=())),), "没有说明交给哪一级分行"),
        ((column(ALARM, fixed("a"), replace(LEFT, may_override=False)),), "等于固定位置"),
        ((column(ALARM, replace(fixed("a"), may_hide=True)),), "只有交给分行的位置可以改写"),
        ((column(ALARM, replace(fixed("a"), most=2)),), "只有交给分行的位置可以占几项"),
        ((column(ALARM, fixed("a"), Slot("b")),), "没有项目"),
        ((column(ALARM, fixed("a"), title="一二三四五六"),), "名称最多 16 字节"),
        ((column(ALARM, Slot("a", items=(Item("甲", "svc:gone"),))),), "没有轻服务 gone"),
        ((column(ALARM, Slot("a", items=(Item("甲", "/z/gone"),))),), "没有专区 gone"),
        ((column(ALARM, Slot("a", items=(Item("甲", "/admin"),))),), "没有页面 /admin"),
        ((column(ALARM, Slot("a", items=(Item("甲", "http://x.cn/"),))),), "必须以 https:// 开头"),
        ((column(ALARM, Slot("a", items=(Item("", "/s/a"),))),), "名称是空的"),
        (
            (column(ALARM, Slot("a", items=(Item("甲", "/s/a"), Item("乙", "/s/b")))),),
            "同时最多显示 1 项",
        ),
    ],
)
def test_a_frame_that_breaks_a_rule_is_refused_by_place_and_rule(
    columns: tuple[Column, ...], rule: str
) -> None:
    found = checks.frame_faults(Frame(columns), known=KNOWN)
    assert any(rule in fault.rule for fault in found), found
    assert all(fault.where and fault.way_out for fault in found)


def test_a_full_column_takes_an_overlay_where_one_item_gives_way() -> None:
    full = column(ALARM, *map(fixed, "abcd"), fixed("e", gives_way=True))
    assert checks.frame_faults(Frame((full,)), known=KNOWN) == []


@given(frames.frames())
@settings(max_examples=60, deadline=None)
def test_a_frame_that_is_written_and_read_is_the_same(drawn: Frame) -> None:
    assert read_frame(write_frame(drawn)) == drawn


# A menu made by hand

WORDS = st.text(alphabet="服务查询活动", min_size=1, max_size=5)
BUTTONS = st.one_of(
    st.builds(Button, WORDS, st.just("click"), key=WORDS),
    st.builds(Button, WORDS, st.just("scancode_push"), key=WORDS),
    st.builds(Button, WORDS, st.just("view"), url=st.just("https://other.example/a?b=c#d")),
    st.builds(Button, WORDS, st.just("media_id"), media_id=WORDS),
    st.builds(Button, WORDS, st.just("article_view_limited"), article_id=WORDS),
    st.builds(
        Button, WORDS, st.just("miniprogram"),
        url=st.just("https://m.example"), appid=st.just("wx1"), pagepath=WORDS,
    ),
    st.builds(Button, WORDS, st.sampled_from(["text", "img", "news"]), value=WORDS),
)  # fmt: skip
MENUS: st.SearchStrategy[Menu] = st.lists(
    BUTTONS
    | st.builds(Button, WORDS, buttons=st.lists(BUTTONS, min_size=1, max_size=5).map(tuple)),
    min_size=1,
    max_size=3,
).map(tuple)


@given(MENUS)
@settings(max_examples=60, deadline=None)
def test_a_menu_made_by_hand_becomes_a_frame_that_makes_the_same_menu(menu: Menu) -> None:
    assert resolve(TREE, {}, base_url=BASE, frame=from_menu(menu)).default == menu
    assert read_frame(write_frame(from_menu(menu))) == from_menu(menu)


@given(MENUS)
@settings(max_examples=60, deadline=None)
def test_in_a_menu_made_by_hand_an_emergency_has_its_entry_too(menu: Menu) -> None:
    flood = Overlay(kind=SlotKind.EMERGENCY, key="flood", title="防汛", target="/z/flood")
    shown = resolve(TREE, {}, base_url=BASE, frame=from_menu(menu), overlays=[flood]).default
    assert len(shown) <= 3
    assert all(len(one.buttons) <= 5 for one in shown)
    assert any(b.url == f"{BASE}/z/flood" for one in shown for b in one.buttons)


def test_what_only_wechats_console_can_make_is_kept_and_refused_with_a_way_out() -> None:
    by_hand = from_menu((Button("你好", "text", value="您好，有什么可以帮您？"),))
    (fault,) = checks.frame_faults(by_hand, known=KNOWN)
    assert "text 动作只能在公众平台里手工设置" in fault.rule
    assert "改为轻服务" in fault.way_out


# The published one


@pytest.fixture
def wiring(tmp_path: Path) -> Iterator[Wiring]:
    found = wire(Settings(data_dir=tmp_path, public_base_url=BASE))
    Model.metadata.create_all(found.engine)
    yield found
    found.hang_up()


@pytest.fixture
def unit(wiring: Wiring) -> Iterator[Unit]:
    with wiring.unit() as unit:
        yield unit


def test_before_any_is_published_the_one_that_ships_is_live(unit: Unit) -> None:
    assert frame.current(unit) == frame.default()


def test_a_published_frame_is_live_from_the_next_look_on(wiring: Wiring) -> None:
    mine = Frame((column(ALARM, Slot("a", items=(Item("挂失", "svc:lost-card"),))),))
    with wiring.unit() as unit:
        frame.publish(unit, mine)
        frame.publish(unit, mine)
        assert frame.current(unit) == mine
    wiring.shelf.clear()
    with wiring.reading() as unit:
        assert frame.current(unit) == mine


def test_a_frame_with_faults_is_not_published(unit: Unit) -> None:
    with pytest.raises(FrameRefused, match="紧急位") as refused:
        frame.publish(unit, Frame((column(Slot("a", items=(Item("挂失", "svc:lost-card"),))),)))
    assert refused.value.faults[0].rule == "紧急位须有且只有一个，现在有 0 个"
    assert frame.current(unit) == frame.default()


def test_a_frame_may_link_to_two_hosts_beside_our_own(unit: Unit) -> None:
    def linking(hosts: str) -> Frame:
        slots = (Slot(host, items=(Item(host, f"https://{host}.example/"),)) for host in hosts)
        return Frame((column(ALARM, *slots),))

    assert frame.faults(unit, linking("ab")) == []
    (fault,) = frame.faults(unit, linking("abc"))
    assert (fault.where, "c.example 超出了" in fault.rule) == ("“c”", True)


def test_a_frame_that_cannot_be_read_any_more_leaves_the_one_that_ships(unit: Unit) -> None:
    row = {"id": 1, "content": {"columns": "?"}}
    unit.session.add(FrameRow(**row, published_at=frames.NOON))
    unit.flush()
    assert frame.current(unit) == frame.default()
