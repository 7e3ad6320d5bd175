"""Lists of followers, their particulars, and the blacklist."""

from __future__ import annotations

from tests.service.sandbox.conftest import Caller

ABSENT = "o" + "x" * 27


def test_followers_come_in_pages_and_leavers_do_not(caller: Caller) -> None:
    everyone = [caller.fan() for _ in range(3)]
    caller.world.unsubscribe(caller.world.followers[caller.fan()])
    caller.control("PUT", "limits", {"page_size": 2})
    first = caller.get("/cgi-bin/user/get")
    assert (first["total"], first["count"]) == (3, 2)
    second = caller.get("/cgi-bin/user/get", next_openid=first["next_openid"])
    assert first["data"]["openid"] + second["data"]["openid"] == everyone
    last = caller.get("/cgi-bin/user/get", next_openid=second["next_openid"])
    assert last == {"total": 3, "count": 0, "next_openid": ""}


def test_particulars_hold_no_name_and_no_place(caller: Caller) -> None:
    one, tag = caller.fan(), caller.tag("上海")
    caller.put_on(tag, one)
    caller.post("/cgi-bin/user/info/updateremark", {"openid": one, "remark": "老客户"})
    info = caller.get("/cgi-bin/user/info", openid=one)
    assert (info["subscribe"], info["tagid_list"], info["remark"]) == (1, [tag], "老客户")
    assert info["nickname"] == info["headimgurl"] == ""
    assert not {"sex", "city", "province", "country"} & set(info)
    batch = caller.post("/cgi-bin/user/info/batchget", {"user_list": [{"openid": one}]})
    assert batch == {"user_info_list": [info]}


def test_of_somebody_who_does_not_follow_nothing_is_told(caller: Caller) -> None:
    stranger = caller.world.add_follower().openid
    shown = caller.get("/cgi-bin/user/info", openid=stranger)
    assert shown == {"subscribe": 0, "openid": stranger}
    assert caller.get("/cgi-bin/user/info", openid=ABSENT)["errcode"] == 40003
    assert caller.post("/cgi-bin/user/info/batchget", {"user_list": []})["errcode"] == 40032
    remark = {"openid": stranger, "remark": "x"}
    assert caller.post("/cgi-bin/user/info/updateremark", remark)["errcode"] == 46004


def test_particulars_tell_the_code_somebody_came_by(caller: Caller) -> None:
    one = caller.world.add_follower().openid
    caller.do(one, "scan", scene="B310000", quiet=True)
    info = caller.get("/cgi-bin/user/info", openid=one)
    assert info["subscribe_scene"] == "ADD_SCENE_QR_CODE"
    assert info["qr_scene_str"] == "B310000"


def test_the_blacklist_takes_twenty_at_a_time(caller: Caller) -> None:
    everyone = [caller.fan() for _ in range(21)]
    path = "/cgi-bin/tags/members/batchblacklist"
    assert caller.post(path, {"openid_list": everyone})["errcode"] == 40032
    assert caller.post(path, {"openid_list": ["x"]})["errcode"] == 40003
    assert caller.post(path, {"openid_list": [ABSENT]})["errcode"] == 49003
    assert caller.post(path, {"openid_list": everyone[:2]})["errcode"] == 0
    listed = caller.post("/cgi-bin/tags/members/getblacklist", {"begin_openid": ""})
    assert listed["data"]["openid"] == everyone[:2]
    assert caller.do(everyone[0], "message", content="你好")["outcome"] == "unsent"
    one = {"openid_list": everyone[:1]}
    assert caller.post("/cgi-bin/tags/members/batchunblacklist", one)["errcode"] == 0
    listed = caller.post("/cgi-bin/tags/members/getblacklist", {"begin_openid": ""})
    assert listed["total"] == 1
