"""Every limit of WeChat's menus, at its edge and one beyond it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config import Settings
from menus import limits
from menus.buttons import Button, Menu
from menus.limits import Links


def column(
    name: str = "服务", count: int = 1, *, leaf: str = "挂失", key: str = "svc:lost-card"
) -> Button:
    return Button(name, buttons=(Button(leaf, type="click", key=key),) * count)


@pytest.mark.parametrize(
    "menu",
    [
        (column(), column(), column()),
        (column(count=5),),
        (column("一二三四五"),),
        (column("x" * 16),),
        (column(),),
        (Button("挂失", type="click", key="k" * 128),),
        (Button("打开", type="view", url="https://a.example/" + "x" * 1006),),
        (Button("字" * 5, buttons=(Button("字" * 20, type="click", key="k"),)),),
        (Button("文章", type="article_id", article_id="a1"),),
        (Button("小程序", type="miniprogram", url="https://a.cn", appid="wx1", pagepath="p"),),
    ],
)
def test_what_is_just_within_the_limits_is_accepted(menu: Menu) -> None:
    assert limits.faults(menu) == []


@pytest.mark.parametrize(
    ("menu", "where", "rule"),
    [
        ((), "菜单", "一级菜单须有 1–3 个，现在是 0 个"),
        ((column(),) * 4, "菜单", "现在是 4 个"),
        ((column(count=6),), "第 1 列“服务”", "子菜单最多 5 个，现在是 6 个"),
        ((column("一二三四五六"),), "第 1 列“一二三四五六”", "最多 16 字节（5 个汉字）"),
        ((column(leaf="字" * 21),), "第 1 列“服务”第 1 项", "最多 60 字节"),
        ((column(),) * 2 + (Button(" ", type="click", key="k"),), "第 3 列", "名称是空的"),
        ((column(key="k" * 129),), "第 1 项“挂失”", "key 最多 128 字节，现在是 129 字节"),
        ((column(key=""),), "第 1 项“挂失”", "click 动作缺少 key"),
        ((Button("开", type="view", url="https://a.cn/" + "字" * 340),), "“开”", "url 最多 1024"),
        ((Button("开", type="view", url="javascript:x"),), "“开”", "网址写法有误"),
        ((Button("开", type="view", url="https://[a"),), "“开”", "网址写法有误"),
        ((Button("开", type="view"),), "“开”", "view 动作缺少 url"),
        ((Button("开"),), "“开”", "没有动作，也没有子菜单"),
        ((Button("开", type="poke", key="k"),), "“开”", "不认识的动作 poke"),
        ((Button("开", type="miniprogram", url="https://a.cn"),), "“开”", "缺少 appid"),
        (
            (Button("开", type="click", buttons=(Button("挂", type="click", key="k"),)),),
            "“开”",
            "不能再有动作",
        ),
        ((Button("开", buttons=(column(),)),), "“服务”", "菜单只有两级"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_by_place_and_rule(
    menu: Menu, where: str, rule: str
) -> None:
    found = limits.faults(menu)
    assert any(where in fault.where and rule in fault.rule for fault in found), found
    assert all(fault.way_out for fault in found)


def test_names_that_phones_cut_off_are_pointed_out_and_may_still_be_published() -> None:
    long = (column("一二三四五"), column(leaf="一二三四五六七八九"))
    assert limits.faults(long) == []
    first, second = limits.warnings(long)
    assert "前 4 个汉字" in first.rule
    assert "前 8 个汉字" in second.rule


def test_latin_letters_are_half_as_wide() -> None:
    assert limits.warnings((column("ATM网点"),)) == []
    assert limits.warnings((column("ATM网点查"),)) != []


def test_three_domains_are_allowed_and_a_fourth_is_refused() -> None:
    menus = [(Button("开", type="view", url=f"https://{host}.example/x"),) for host in "abcd"]
    assert limits.domain_faults(menus[:3] * 2) == []
    (fault,) = limits.domain_faults(menus)
    assert "a.example、b.example、c.example、d.example" in fault.rule
    assert "跳转" in fault.way_out


def test_a_fault_reads_as_one_sentence() -> None:
    (fault,) = limits.faults((column(key=""),))
    assert str(fault) == "第 1 列“服务”第 1 项“挂失”：click 动作缺少 key；填写 key"


# Where this account's menus may lead

LINKS = Links(
    "https://bank.example", frozenset({"shop.example"}), frozenset({"wx00000000000000a1"})
)
MINI = Button("乘车码", "miniprogram", url="https://shop.example/", pagepath="pages/index")


def opening(url: str) -> Button:
    return Button("打开", "view", url=url)


@pytest.mark.parametrize(
    "button",
    [
        opening("https://bank.example/s/outlets"),
        opening("https://shop.example/sale?id=1#top"),
        opening("https://SHOP.example/"),
        replace(MINI, appid="wx00000000000000a1"),
    ],
)
def test_our_own_pages_listed_hosts_and_linked_mini_programs_may_be_opened(button: Button) -> None:
    assert limits.faults((button,), LINKS) == []


@pytest.mark.parametrize(
    ("button", "rule", "way_out"),
    [
        (opening("http://shop.example/"), "必须以 https:// 开头", "https://"),
        (opening("https://bank.example.evil.example/s/a"), "不在允许的名单里", "LINK_HOSTS"),
        (opening("https://bank.examples/"), "不在允许的名单里（shop.example）", "LINK_HOSTS"),
        (opening("https://10.0.0.8/a"), "不能用 IP 地址", "域名"),
        (opening("https://0x7f000001/"), "不能用 IP 地址", "域名"),
        (opening("https://me:secret@shop.example/"), "不能带用户名或密码", "域名"),
        (opening("https://shop.example:8443/"), "不能带端口", "域名"),
        (opening("javascript:alert(1)"), "网址写法有误", "https://"),
        (replace(MINI, appid="wx00000000000000b2"), "没有与本服务号关联", "LINKED_MINI_PROGRAMS"),
        (
            replace(MINI, appid="wx00000000000000a1", url="http://shop.example/"),
            "必须以 https:// 开头",
            "https://",
        ),
    ],
)
def test_what_leads_elsewhere_is_refused_with_the_rule_and_a_way_out(
    button: Button, rule: str, way_out: str
) -> None:
    (fault,) = limits.faults((button,), LINKS)
    assert rule in fault.rule
    assert way_out in fault.way_out
    assert button.name in fault.where


def test_without_a_list_any_proper_site_may_be_opened() -> None:
    menu = (opening("https://anything.example/"),)
    assert limits.faults(menu, replace(LINKS, hosts=frozenset())) == []


def test_the_lists_are_read_from_the_settings() -> None:
    found = limits.links(
        Settings(
            public_base_url="https://bank.example",
            link_hosts="Shop.example, pay.example,",
            linked_mini_programs=" wxA1 ",
        )
    )
    assert found.hosts == {"shop.example", "pay.example"}
    assert found.mini_programs == {"wxA1"}


@pytest.mark.parametrize(
    ("name", "level", "size", "most", "shown"),
    [
        ("约惠魔都", "column", 12, 16, "约惠魔都"),
        ("一二三四五", "column", 15, 16, "一二三四…"),
        ("ATM网点查询及预约", "button", 24, 60, "ATM网点查询及预…"),
        ("", "button", 0, 60, ""),
    ],
)
def test_a_name_is_measured_in_bytes_and_shown_as_phones_show_it(
    name: str, level: str, size: int, most: int, shown: str
) -> None:
    assert limits.measure(name, level=level) == limits.Measure(size, most, shown)
