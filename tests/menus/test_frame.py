"""Head office's menu is one WeChat takes, whole on a phone, and points only at what exists."""

from __future__ import annotations

from lightservices import catalogue
from menus import frame, limits
from menus.buttons import Button

BASE = "https://bank.example"


def test_every_button_points_at_a_service_of_the_catalogue() -> None:
    assert frame.unknown_services(catalogue.services()) == []


def test_a_service_that_does_not_exist_is_named() -> None:
    known = set(catalogue.services()) - {"outlets"}
    assert frame.unknown_services(known) == ["outlets"]


def test_the_default_menu_is_within_wechats_limits_and_shown_whole() -> None:
    menu = frame.menu(BASE)
    assert limits.faults(menu) == []
    assert limits.warnings(menu) == []
    assert [column.name for column in menu] == ["服务", "查询", "身边优惠"]


def test_every_column_answers_something_in_the_chat() -> None:
    for column in frame.menu(BASE):
        assert sum(button.type == "click" for button in column.buttons) == 1


def test_a_zones_column_bears_its_name_and_leads_to_its_page() -> None:
    third = frame.menu(BASE, title="约惠魔都", home="/z/yuehui-modu")[2]
    assert third.name == "约惠魔都"
    assert third.buttons == (
        Button("本地优惠", type="click", key="svc:promotions"),
        Button("专区首页", type="view", url=f"{BASE}/z/yuehui-modu"),
        Button("附近网点", type="view", url=f"{BASE}/s/outlets"),
        Button("切换城市", type="view", url=f"{BASE}/s/my-city"),
        Button("全部服务", type="view", url=f"{BASE}/s/directory"),
    )


def test_without_a_zone_the_page_finds_the_followers_own() -> None:
    assert frame.menu(BASE)[2].buttons[1].url == f"{BASE}/z/local"


def test_all_links_lead_to_one_host() -> None:
    assert limits.domains([frame.menu(BASE)]) == {"bank.example"}
