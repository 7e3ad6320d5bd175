"""Menus: what is refused with which code, and which menu a follower sees."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.sandbox.conftest import BUTTONS, Caller

CREATE, ADD = "/cgi-bin/menu/create", "/cgi-bin/menu/addconditional"


def top(**changed: Any) -> list[dict[str, Any]]:
    return [{"type": "click", "name": "按钮", "key": "k", **changed}]


def below(*buttons: dict[str, Any], **changed: Any) -> list[dict[str, Any]]:
    return [{"name": "更多", "sub_button": list(buttons), **changed}]


SUB = {"type": "view", "name": "牌价", "url": "https://bank.example/s/exchange-rates"}


@pytest.mark.parametrize(
    ("buttons", "code"),
    [
        ([], 40016),
        (top() * 4, 40016),
        ("button", 40016),
        (top(name=""), 40018),
        (top(name="一二三四五六"), 40018),  # 18 bytes
        (top(type="press"), 40017),
        (top(type=None), 65308),
        (top(key=""), 40019),
        (top(key="k" * 129), 40019),
        (top(type="view", url="https://a.example/" + "x" * 1024), 40020),
        (top(type="view", url="javascript:alert(1)"), 40055),
        (below(*[SUB] * 6), 40023),
        (below(SUB, type="click", key="k"), 40017),
        (below({**SUB, "sub_button": [SUB]}), 40022),
        (below({**SUB, "type": "press"}), 40024),
        (below({**SUB, "name": "长" * 21}), 40025),  # 63 bytes
        (below({"type": "click", "name": "点", "key": "钥" * 43}), 40026),  # 129 bytes
        (below({**SUB, "url": ""}), 40027),
        (below({**SUB, "url": "ftp://a.example/"}), 40054),
        (below("sub"), 41007),  # type: ignore[arg-type]  # What is no button at all.
        (top(type="miniprogram", url="https://a.example", appid="wx1", pagepath="p"), 45064),
        (top(type="media_id", media_id=""), 40117),
    ],
)
def test_every_mistake_in_a_menu_has_its_code(caller: Caller, buttons: Any, code: int) -> None:
    assert caller.post(CREATE, {"button": buttons})["errcode"] == code
    assert caller.get("/cgi-bin/menu/get")["errcode"] == 46003


def test_a_menu_may_go_up_to_every_limit(caller: Caller) -> None:
    caller.world.limits.mini_programs = ["wx1"]
    program = {"type": "miniprogram", "url": "https://a.example", "appid": "wx1", "pagepath": "p"}
    buttons = [
        {"type": "click", "name": "一二三四五a", "key": "k" * 128},
        {"name": "更多", "sub_button": [{**SUB, "name": "长" * 20}] * 5},
        {**program, "name": "小程序"},
    ]
    assert caller.post(CREATE, {"button": buttons})["errcode"] == 0


def test_the_menu_comes_back_as_wechat_nests_it(caller: Caller) -> None:
    caller.post(CREATE, {"button": below({**SUB, "unknown": 1}), "matchrule": {"tag_id": "2"}})
    kept = {**SUB, "sub_button": []}
    assert caller.get("/cgi-bin/menu/get") == {
        "menu": {"button": [{"name": "更多", "sub_button": [kept]}]}
    }
    assert caller.get("/cgi-bin/get_current_selfmenu_info") == {
        "is_menu_open": 1,
        "selfmenu_info": {"button": [{"name": "更多", "sub_button": {"list": [SUB]}}]},
    }


def test_a_menu_made_by_hand_shows_in_one_call_only(caller: Caller) -> None:
    caller.control("PUT", "menu", {"button": [{"type": "text", "name": "你好", "value": "您好"}]})
    assert caller.get("/cgi-bin/menu/get")["errcode"] == 46003
    shown = caller.get("/cgi-bin/get_current_selfmenu_info")
    assert shown["selfmenu_info"]["button"][0]["type"] == "text"


def test_a_tag_goes_in_as_tag_id_and_comes_back_as_group_id(caller: Caller) -> None:
    caller.menu("总行")
    tag = caller.tag("上海")
    answer = caller.menu("上海", tag_id=str(tag))
    assert isinstance(answer["menuid"], str)
    found = caller.get("/cgi-bin/menu/get")
    conditional = found["conditionalmenu"][0]
    assert conditional["matchrule"] == {"group_id": str(tag)}
    assert conditional["menuid"] == int(answer["menuid"])
    assert isinstance(found["menu"]["menuid"], int)


def test_the_newest_matching_menu_wins(caller: Caller) -> None:
    caller.menu("总行")
    tag, one = caller.tag("上海"), caller.fan()
    caller.put_on(tag, one)
    first = caller.menu("旧", tag_id=str(tag))["menuid"]
    second = caller.menu("新", tag_id=str(tag))["menuid"]
    shown = caller.get("/cgi-bin/menu/get")["conditionalmenu"]
    assert [str(menu["menuid"]) for menu in shown] == [second, first]
    assert caller.sees(one) == "新"
    caller.post("/cgi-bin/menu/delconditional", {"menuid": second})
    assert caller.sees(one) == "旧"


def test_the_tag_put_on_last_decides_and_putting_it_on_again_changes_nothing(
    caller: Caller,
) -> None:
    caller.menu("总行")
    one, east, gold = caller.fan(), caller.tag("华东"), caller.tag("金卡")
    caller.menu("华东", tag_id=str(east))
    caller.put_on(east, one)
    assert caller.sees(one) == "华东"
    caller.put_on(gold, one)
    assert caller.sees(one) == "总行"
    caller.put_on(east, one)
    assert caller.sees(one) == "总行"
    caller.post("/cgi-bin/tags/members/batchuntagging", {"openid_list": [one], "tagid": east})
    caller.put_on(east, one)
    assert caller.sees(one) == "华东"


def test_a_menu_may_be_for_one_kind_of_phone(caller: Caller) -> None:
    caller.menu("总行")
    caller.menu("苹果", client_platform_type="1")
    apple = caller.world.add_follower(platform="1", subscribed=True).openid
    assert caller.sees(apple) == "苹果"
    assert caller.sees(caller.fan()) == "总行"


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({}, 65304),
        (None, 65304),
        ({"tag_id": "", "sex": ""}, 65304),
        ({"tag_id": "2", "sex": "1"}, 65320),
        ({"city": "上海"}, 65320),
        ({"language": "zh_CN"}, 65320),
        ({"tag_id": "999"}, 45159),
        ({"client_platform_type": "9"}, 40035),
    ],
)
def test_a_rule_is_a_tag_or_a_kind_of_phone(caller: Caller, rule: Any, code: int) -> None:
    caller.menu("总行")
    assert caller.post(ADD, {"button": BUTTONS, "matchrule": rule})["errcode"] == code
    assert caller.post(ADD, {"button": BUTTONS, "matchrule": {"tag_id": "2"}}).get("menuid")


def test_conditional_menus_need_a_default_first(caller: Caller) -> None:
    assert caller.menu("上海", tag_id="2")["errcode"] == 65303


def test_an_empty_conditional_menu_is_refused(caller: Caller) -> None:
    caller.menu("总行")
    assert caller.post(ADD, {"button": [], "matchrule": {"tag_id": "2"}})["errcode"] == 65307


def test_conditional_menus_have_a_ceiling_that_can_be_moved(caller: Caller) -> None:
    caller.menu("总行")
    caller.control("PUT", "limits", {"conditional_menus": 2})
    ids = [caller.menu(name, tag_id="2")["menuid"] for name in ("甲", "乙")]
    assert caller.menu("丙", tag_id="2")["errcode"] == 65305
    caller.post("/cgi-bin/menu/delconditional", {"menuid": ids[0]})
    assert "menuid" in caller.menu("丙", tag_id="2")


def test_conditional_menus_lead_to_three_domains_at_most(caller: Caller) -> None:
    caller.menu("总行")

    def add(host: str) -> dict[str, Any]:
        button = {"type": "view", "name": "网页", "url": f"https://{host}/"}
        return caller.post(ADD, {"button": [button], "matchrule": {"tag_id": "2"}})

    for host in ("a.example", "b.example", "c.example", "a.example"):
        assert "menuid" in add(host)
    assert add("d.example")["errcode"] == 65316


def test_deleting_the_default_deletes_all_and_replacing_it_keeps_all(caller: Caller) -> None:
    caller.menu("总行")
    caller.menu("上海", tag_id="2")
    caller.menu("总行二")
    assert len(caller.get("/cgi-bin/menu/get")["conditionalmenu"]) == 1
    assert caller.get("/cgi-bin/menu/delete")["errcode"] == 0
    assert caller.get("/cgi-bin/menu/get")["errcode"] == 46003
    caller.menu("总行三")
    assert "conditionalmenu" not in caller.get("/cgi-bin/menu/get")


def test_only_conditional_menus_can_be_deleted_by_number(caller: Caller) -> None:
    caller.menu("总行")
    caller.menu("上海", tag_id="2")
    default = caller.get("/cgi-bin/menu/get")["menu"]["menuid"]
    for number in (str(default), "1", "x", None):
        answer = caller.post("/cgi-bin/menu/delconditional", {"menuid": number})
        assert answer["errcode"] == 65301


def test_trying_a_match_needs_a_follower_and_a_menu(caller: Caller) -> None:
    path, one = "/cgi-bin/menu/trymatch", caller.fan()
    assert caller.post(path, {"user_id": one})["errcode"] == 46003
    caller.menu("总行")
    assert caller.post(path, {"user_id": "nobody"})["errcode"] == 65302
    stranger = caller.world.add_follower().openid
    assert caller.post(path, {"user_id": stranger})["errcode"] == 65315
    by_name = caller.post(path, {"user_id": caller.world.followers[one].name})
    assert by_name["button"][0]["sub_button"] == []


def test_escaped_characters_are_refused_in_menus(caller: Caller) -> None:
    escaped = rb'{"button":[{"type":"click","name":"\u4e0a\u6d77","key":"k"}]}'
    assert caller.raw(CREATE, escaped).json()["errcode"] == 40033
    caller.control("PUT", "limits", {"unicode_escapes": "literal"})
    short = rb'{"button":[{"type":"click","name":"\u4e0a","key":"\\u4e0a"}]}'
    # Two characters are twelve bytes when nobody undoes the escapes; three would be too many.
    assert caller.raw(CREATE, escaped).json()["errcode"] == 0
    assert caller.raw(CREATE, short).json()["errcode"] == 0
    shown = caller.get("/cgi-bin/menu/get")["menu"]["button"][0]
    assert (shown["name"], shown["key"]) == (r"\u4e0a", r"\u4e0a")
    three = rb'{"button":[{"type":"click","name":"\u4e0a\u6d77\u5e02","key":"k"}]}'
    assert caller.raw(CREATE, three).json()["errcode"] == 40018
