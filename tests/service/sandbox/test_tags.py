"""Tags: their names and ceilings, and batches that one bad openid spoils."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.service.sandbox.conftest import Caller

PUT, TAKE = "/cgi-bin/tags/members/batchtagging", "/cgi-bin/tags/members/batchuntagging"
ABSENT = "o" + "x" * 27


def create(caller: Caller, name: Any) -> int:
    code: int = caller.post("/cgi-bin/tags/create", {"tag": {"name": name}}).get("errcode", 0)
    return code


def carried(caller: Caller, openid: str) -> list[int]:
    found: list[int] = caller.post("/cgi-bin/tags/getidlist", {"openid": openid})["tagid_list"]
    return found


def test_tags_are_numbered_from_a_hundred_and_counted(caller: Caller) -> None:
    one, tag = caller.fan(), caller.tag("上海")
    assert tag == 100
    caller.put_on(tag, one)
    tags = caller.get("/cgi-bin/tags/get")["tags"]
    assert tags[0]["id"] == 2
    assert tags[1] == {"id": 100, "name": "上海", "count": 1}


def test_a_name_is_unique_and_at_most_thirty_bytes(caller: Caller) -> None:
    assert create(caller, "十个汉字的标签名称呀") == 0
    assert create(caller, "十一个汉字的标签的名称") == 45158
    assert create(caller, "十个汉字的标签名称呀") == 45157
    assert create(caller, " ") == 45157
    assert create(caller, None) == 45157
    assert create(caller, "星标组") == 45157


def test_an_escaped_name_stays_escaped_and_counts_as_it_stands(caller: Caller) -> None:
    caller.raw("/cgi-bin/tags/create", rb'{"tag":{"name":"\u4e0a\u6d77"}}')
    assert caller.get("/cgi-bin/tags/get")["tags"][-1]["name"] == r"\u4e0a\u6d77"
    six = rb'{"tag":{"name":"\u4e0a\u6d77\u5e02\u5206\u884c\u4e0a"}}'
    assert caller.raw("/cgi-bin/tags/create", six).json()["errcode"] == 45158


def test_an_account_has_a_hundred_tags(caller: Caller) -> None:
    for number in range(100):
        assert create(caller, f"标签{number}") == 0
    assert create(caller, "一个也不能多") == 45056


def test_a_tag_can_be_renamed_and_deleted_and_its_number_never_comes_back(
    caller: Caller,
) -> None:
    one, tag = caller.fan(), caller.tag("上海")
    caller.put_on(tag, one)
    for name in ("沪", "沪"):
        answer = caller.post("/cgi-bin/tags/update", {"tag": {"id": tag, "name": name}})
        assert answer["errcode"] == 0
    assert caller.post("/cgi-bin/tags/delete", {"tag": {"id": tag}})["errcode"] == 0
    assert carried(caller, one) == []
    assert caller.tag("上海") == tag + 1
    assert caller.post("/cgi-bin/tags/delete", {"tag": {"id": tag}})["errcode"] == 45159


@pytest.mark.parametrize("reserved", [0, 1, 2])
def test_wechats_own_tags_are_not_ours_to_change(caller: Caller, reserved: int) -> None:
    tag = {"id": reserved, "name": "我的"}
    assert caller.post("/cgi-bin/tags/update", {"tag": tag})["errcode"] == 45058
    assert caller.post("/cgi-bin/tags/delete", {"tag": tag})["errcode"] == 45058


def test_a_tag_with_too_many_followers_cannot_be_deleted(caller: Caller) -> None:
    tag = caller.tag("上海")
    caller.control("PUT", "limits", {"tag_fans_deletable": 1})
    caller.put_on(tag, caller.fan(), caller.fan())
    assert caller.post("/cgi-bin/tags/delete", {"tag": {"id": tag}})["errcode"] == 45057


def test_a_follower_carries_twenty_tags(caller: Caller) -> None:
    one, other = caller.fan(), caller.fan()
    for number in range(20):
        assert caller.put_on(caller.tag(f"标签{number}"), one)["errcode"] == 0
    # Nobody of the batch gets it, and one carried already is no new one.
    assert caller.put_on(caller.tag("第二十一"), other, one)["errcode"] == 45059
    assert carried(caller, other) == []
    assert caller.put_on(100, one)["errcode"] == 0


@pytest.mark.parametrize(("bad", "code"), [("short", 40003), (ABSENT, 49003), (None, 40003)])
def test_one_bad_openid_spoils_the_whole_batch(caller: Caller, bad: Any, code: int) -> None:
    one, tag = caller.fan(), caller.tag("上海")
    answer = caller.post(PUT, {"openid_list": [one, bad], "tagid": tag})
    assert answer["errcode"] == code
    assert carried(caller, one) == []


def test_somebody_who_left_spoils_it_too(caller: Caller) -> None:
    one, gone, tag = caller.fan(), caller.fan(), caller.tag("上海")
    caller.world.unsubscribe(caller.world.followers[gone])
    assert caller.put_on(tag, one, gone)["errcode"] == 49003
    assert caller.post("/cgi-bin/tags/getidlist", {"openid": gone})["errcode"] == 46004
    assert caller.post("/cgi-bin/tags/getidlist", {"openid": ABSENT})["errcode"] == 49003


def test_a_batch_has_one_to_fifty_openids_and_a_known_tag(caller: Caller) -> None:
    everyone, tag = [caller.fan() for _ in range(51)], caller.tag("上海")
    for path in (PUT, TAKE):
        for some, code in ((everyone, 40032), ([], 40032), (everyone[:50], 0), (None, 40032)):
            assert caller.post(path, {"openid_list": some, "tagid": tag})["errcode"] == code
        unknown = caller.post(path, {"openid_list": everyone[:1], "tagid": 999})
        assert unknown["errcode"] == 45159


def test_tags_vanish_when_a_follower_leaves(caller: Caller) -> None:
    one, tag = caller.fan(), caller.tag("上海")
    caller.put_on(tag, one)
    caller.do(one, "unsubscribe", quiet=True)
    caller.do(one, "subscribe", quiet=True)
    assert carried(caller, one) == []
    assert caller.get("/cgi-bin/tags/get")["tags"][-1]["count"] == 0


def test_the_followers_of_a_tag_come_in_pages_until_an_empty_one(caller: Caller) -> None:
    everyone, tag = [caller.fan() for _ in range(5)], caller.tag("上海")
    caller.put_on(tag, *everyone)
    caller.control("PUT", "limits", {"page_size": 2})
    found: list[str] = []
    after = ""
    while True:
        page = caller.post("/cgi-bin/user/tag/get", {"tagid": tag, "next_openid": after})
        if not page["count"]:
            break
        found += page["data"]["openid"]
        after = page["next_openid"]
    assert found == everyone
    assert page == {"count": 0, "next_openid": ""}
    older = caller.get("/cgi-bin/user/tag/get", tagid=str(tag))
    assert older["data"]["openid"] == everyone[:2]
    wrong = {"tagid": tag, "next_openid": ABSENT}
    assert caller.post("/cgi-bin/user/tag/get", wrong)["errcode"] == 40003


def test_two_calls_about_the_same_follower_may_not_overlap(caller: Caller) -> None:
    one, other, tag = caller.fan(), caller.fan(), caller.tag("上海")
    caller.world.faults.play({"rules": [{"path": PUT, "do": "delay", "seconds": 0.6, "nth": 1}]})
    slow: list[int] = []
    first = threading.Thread(target=lambda: slow.append(caller.put_on(tag, one)["errcode"]))
    first.start()
    while not caller.world.in_hand:
        pass
    assert caller.put_on(tag, one)["errcode"] == 45169
    assert caller.put_on(tag, other)["errcode"] == 0
    first.join()
    assert slow == [0]
    assert caller.put_on(tag, one)["errcode"] == 0


def test_a_batch_can_fail_in_part(caller: Caller) -> None:
    one, other, tag = caller.fan(), caller.fan(), caller.tag("上海")
    rule = {"path": PUT, "do": "partial", "openids": [other], "nth": [1]}
    caller.control("PUT", "faults", {"rules": [rule]})
    answer = caller.put_on(tag, one, other)
    assert (answer["errcode"], answer["fail_openid_list"]) == (45171, [other])
    assert (carried(caller, one), carried(caller, other)) == ([tag], [])
    assert caller.put_on(tag, other)["errcode"] == 0
