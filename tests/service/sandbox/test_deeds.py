"""What followers do on the phone, and the pushes that come of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.sandbox.conftest import Caller, Receiver


def test_following_by_a_code_carries_its_scene_and_ticket(
    caller: Caller, receiver: Receiver
) -> None:
    made = caller.post(
        "/cgi-bin/qrcode/create",
        {
            "action_name": "QR_LIMIT_STR_SCENE",
            "action_info": {"scene": {"scene_str": "B310000"}},
        },
    )
    one = caller.world.add_follower().openid
    caller.do(one, "scan", ticket=made["ticket"])
    caller.do(one, "scan", ticket=made["ticket"])
    followed, scanned = receiver.heard
    assert (followed["Event"], followed["EventKey"]) == ("subscribe", "qrscene_B310000")
    assert (scanned["Event"], scanned["EventKey"]) == ("SCAN", "B310000")
    assert followed["Ticket"] == scanned["Ticket"] == made["ticket"]


def test_following_and_leaving_happen_once(caller: Caller, receiver: Receiver) -> None:
    one = caller.world.add_follower().openid
    for deed in ("subscribe", "subscribe", "unsubscribe", "unsubscribe"):
        caller.do(one, deed)
    assert [fields["Event"] for fields in receiver.heard] == ["subscribe", "unsubscribe"]
    assert receiver.heard[0]["EventKey"] == ""


def test_whoever_does_not_follow_cannot_do_much(caller: Caller) -> None:
    one = caller.world.add_follower().openid
    for deed, sent in (
        ("location", {"lat": 31.2, "lng": 121.5}),
        ("message", {"content": "你好"}),
        ("click", {"key": "k"}),
        ("tap", {"index": [0]}),
    ):
        assert "error" in caller.do(one, deed, **sent)


def test_taps_report_what_wechat_reports(caller: Caller, receiver: Receiver) -> None:
    buttons = [
        {"type": "click", "name": "城市", "key": "svc:my-city"},
        {
            "name": "更多",
            "sub_button": [
                {"type": "view", "name": "牌价", "url": "https://a.example/s/exchange-rates"},
                {"type": "scancode_push", "name": "扫码", "key": "scan"},
                {"type": "location_select", "name": "位置", "key": "place"},
                {"type": "pic_sysphoto", "name": "拍照", "key": "photo"},
                {"type": "article_id", "name": "文章", "article_id": "a1"},
            ],
        },
    ]
    caller.post("/cgi-bin/menu/create", {"button": buttons})
    one = caller.fan()
    assert caller.do(one, "tap", index=[0])["outcome"] == "nothing"
    assert caller.do(one, "tap", index=[1])["outcome"] == "submenu"
    opened = caller.do(one, "tap", index=[1, 0])
    assert opened["opens"] == "https://a.example/s/exchange-rates"
    caller.do(one, "tap", index=[1, 1], result="https://a.example/")
    caller.do(one, "tap", index=[1, 2], lat=31.2, lng=121.5, label="外滩")
    caller.do(one, "tap", index=[1, 3])
    assert caller.do(one, "tap", index=[1, 4])["outcome"] == "content"
    events = [fields.get("Event", fields["MsgType"]) for fields in receiver.heard]
    expected = ["CLICK", "VIEW", "scancode_push", "location_select", "location", "pic_sysphoto"]
    assert events == expected
    click, view, scan, select, location, photo = receiver.heard
    assert "MenuId" not in click
    assert view["EventKey"] == opened["opens"]
    assert view["MenuId"] == str(caller.world.menus.default.menu_id)  # type: ignore[union-attr]
    assert scan["ScanCodeInfo/ScanResult"] == "https://a.example/"
    assert select["SendLocationInfo/Location_X"] == location["Location_X"] == "31.200000"
    assert (location["Location_Y"], location["Label"]) == ("121.500000", "外滩")
    assert photo["SendPicsInfo/Count"] == "1"
    assert "error" in caller.do(one, "tap", index=[7])
    assert "error" in caller.do(one, "tap", index=[0, 0])


def test_a_tap_names_the_conditional_menu_it_hit(caller: Caller, receiver: Receiver) -> None:
    caller.menu("总行")
    one, tag = caller.fan(), caller.tag("上海")
    caller.put_on(tag, one)
    button = {"type": "view", "name": "上海", "url": "https://a.example/z/local"}
    body = {"button": [button], "matchrule": {"tag_id": str(tag)}}
    menu_id = caller.post("/cgi-bin/menu/addconditional", body)["menuid"]
    caller.do(one, "tap", index=[0])
    assert receiver.heard[0]["MenuId"] == menu_id
    # The copy on the phone is still the one fetched when the follower came.
    assert caller.do(one, "tap", index=[0], cached=True)["button"] == "总行"
    assert receiver.heard[1]["Event"] == "CLICK"


def test_wechat_fetches_the_menu_anew_after_five_minutes(caller: Caller) -> None:
    caller.menu("总行")
    one = caller.fan()
    caller.menu("总行二")
    path = f"followers/{one}"
    assert caller.control("POST", f"{path}/enter")["menu_fetched"] is False
    shown = caller.control("GET", path)
    assert shown["menu"][0]["name"] == "总行二"
    assert shown["cached_menu"]["button"][0]["name"] == "总行"
    caller.control("PUT", "clock", {"advance": 301})
    assert caller.control("GET", path)["cached_menu"]["stale"] is True
    entered = caller.control("POST", f"{path}/enter")
    assert entered["menu_fetched"] is True
    assert entered["cached_menu"]["button"][0]["name"] == "总行二"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"type": "text", "content": "a]]>b<c"}, {"Content": "a]]>b<c"}),
        ({"content": "一", "bizmsgmenuid": "7"}, {"bizmsgmenuid": "7"}),
        ({"type": "image"}, {"MediaId": "sandbox-media"}),
        ({"type": "voice", "recognition": "网点"}, {"Recognition": "网点", "Format": "amr"}),
        ({"type": "shortvideo"}, {"ThumbMediaId": "sandbox-thumb"}),
        ({"type": "link", "title": "t", "url": "https://a.example"}, {"Title": "t"}),
        ({"type": "location", "lat": 31.2, "lng": 121.5}, {"Location_X": "31.200000"}),
    ],
)
def test_messages_of_every_type(
    caller: Caller, receiver: Receiver, sent: dict[str, Any], expected: dict[str, str]
) -> None:
    caller.do(caller.fan(), "message", **sent)
    heard = receiver.heard[0]
    assert heard["MsgType"] == sent.get("type", "text")
    assert {name: heard[name] for name in expected} == expected
    assert heard["MsgId"].isdigit()


def test_a_withdrawn_permission_comes_from_wechats_own_sender(
    caller: Caller, receiver: Receiver
) -> None:
    one = caller.fan()
    caller.do(one, "revoke", info="206")
    heard = receiver.heard[0]
    assert heard["Event"] == "user_authorization_revoke"
    assert (heard["OpenID"], heard["RevokeInfo"]) == (one, "206")
    assert heard["FromUserName"] != one


def test_any_event_and_any_characters_can_be_pushed(caller: Caller, receiver: Receiver) -> None:
    one = caller.fan()
    fields = {"SubscribeMsgPopupEvent": {"List": [{"TemplateId": "a"}, {"TemplateId": "b"}]}}
    caller.do(one, "event", event="subscribe_msg_popup_event", fields=fields)
    caller.control("POST", "event", {"event": "annual_renew", "fields": {"ExpiredTime": 1}})
    caller.control("POST", "event", {"event": "debug_demo", "fields": {"debug_str": "x"}})
    caller.do(one, "raw", xml="<xml><MsgType>event</MsgType><Odd>1</Odd></xml>")
    assert receiver.heard[0]["SubscribeMsgPopupEvent/List/TemplateId"] == "a"
    assert receiver.heard[1]["ExpiredTime"] == "1"
    assert receiver.heard[2]["debug_str"] == "x"
    assert receiver.heard[3] == {"MsgType": "event", "Odd": "1"}


def test_a_quiet_deed_changes_the_world_and_pushes_nothing(
    caller: Caller, receiver: Receiver
) -> None:
    one = caller.world.add_follower().openid
    assert caller.do(one, "subscribe", quiet=True)["outcome"] == "unsent"
    assert caller.world.followers[one].subscribed
    assert receiver.heard == []


def test_an_expired_code_leads_nowhere(caller: Caller, receiver: Receiver) -> None:
    scene = {"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 7}}}
    made = caller.post("/cgi-bin/qrcode/create", {**scene, "expire_seconds": 60})
    caller.world.offset += 61
    assert "error" in caller.do(caller.fan(), "scan", ticket=made["ticket"])
    assert receiver.heard == []


@pytest.mark.parametrize(
    "sent", [{"lat": "31"}, {"lat": 31.2}, {"lat": True, "lng": 1}, {"lat": None, "lng": 1}]
)
def test_a_position_is_two_numbers(caller: Caller, sent: dict[str, Any]) -> None:
    assert "error" in caller.do(caller.fan(), "location", **sent)
