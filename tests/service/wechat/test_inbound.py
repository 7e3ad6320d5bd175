"""Every push of the contract becomes a fact, and every reply becomes the XML WeChat wants."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy import parse_message

from service import clock
from service.happenings import (
    AccountWarned,
    Clicked,
    Fact,
    LocationReported,
    MediaReceived,
    MessageSettled,
    OtherHeard,
    PermissionRevoked,
    Scanned,
    Subscribed,
    Surface,
    TextReceived,
    Unfollowed,
    Viewed,
)
from service.replies import Article, HandOver, News, Text
from service.wechat.fields import Unreadable, fields_of
from service.wechat.inbound import fact_in, identity_of, xml_of
from tests import pushes
from tests.pushes import event, message


def fact(document: bytes) -> Fact:
    return fact_in(fields_of(document))


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (event("subscribe"), Subscribed),
        (event("subscribe", EventKey="qrscene_branch_B310000", Ticket="t"), Subscribed),
        (event("unsubscribe"), Unfollowed),
        (event("SCAN", EventKey="branch_B310000", Ticket="t"), Scanned),
        (event("scan", EventKey="7"), Scanned),
        (event("LOCATION", Latitude="23.1", Longitude="113.3", Precision="119"), LocationReported),
        (event("CLICK", EventKey="svc:outlets"), Clicked),
        (event("VIEW", EventKey="https://bank.example/s/outlets", MenuId="419"), Viewed),
        (event("view_miniprogram", EventKey="pages/index", MenuId="4"), OtherHeard),
        (
            event("scancode_waitmsg", EventKey="6", ScanCodeInfo={"ScanType": "qr"}),
            OtherHeard,
        ),
        (
            event("pic_weixin", EventKey="6", SendPicsInfo={"Count": 1, "PicList": {"item": ""}}),
            OtherHeard,
        ),
        (
            event("location_select", EventKey="6", SendLocationInfo={"Location_X": "23"}),
            OtherHeard,
        ),
        (event("MASSSENDJOBFINISH", MsgID="1", Status="send success"), MessageSettled),
        (event("TEMPLATESENDJOBFINISH", MsgID="1", Status="failed:user block"), MessageSettled),
        (event("user_authorization_revoke", OpenID="oX", RevokeInfo="206"), PermissionRevoked),
        (event("user_authorization_cancellation", OpenID="oX"), Unfollowed),
        (event("user_info_modified", OpenID="oX"), OtherHeard),
        (event("annual_renew", ExpiredTime="1"), AccountWarned),
        (event("verify_expired", ExpiredTime="1"), AccountWarned),
        (event("qualification_verify_fail", FailReason="x"), AccountWarned),
        (event("kf_create_session", KfAccount="a@b"), OtherHeard),
        (
            event("subscribe_msg_popup_event", SubscribeMsgPopupEvent={"List": {"TemplateId": 1}}),
            OtherHeard,
        ),
        (event("debug_demo", debug_str="x"), OtherHeard),
        (event("user_get_card"), OtherHeard),
        (message("text", Content="利率"), TextReceived),
        (message("image", PicUrl="u", MediaId="m"), MediaReceived),
        (message("voice", MediaId="m", Format="amr", Recognition="网点"), MediaReceived),
        (message("video", MediaId="m", ThumbMediaId="t"), MediaReceived),
        (message("shortvideo", MediaId="m"), MediaReceived),
        (message("link", Title="t", Url="u"), MediaReceived),
        (message("location", Location_X="31.2", Location_Y="121.4", Label="x"), LocationReported),
        (message("hologram"), OtherHeard),
    ],
)
def test_every_push_of_the_contract_is_understood(document: bytes, kind: type[Fact]) -> None:
    assert type(fact(document)) is kind


def test_x_is_latitude_and_y_is_longitude() -> None:
    found = fact(message("location", Location_X="31.2", Location_Y="121.4"))
    assert isinstance(found, LocationReported)
    assert (found.latitude, found.longitude, found.surface) == (31.2, 121.4, Surface.MESSAGE)


def test_a_permission_event_is_about_the_follower_it_names() -> None:
    found = fact(event("user_authorization_revoke", OpenID="oNAMED", RevokeInfo="205,206"))
    assert isinstance(found, PermissionRevoked)
    assert (found.openid, found.permissions) == ("oNAMED", {"205", "206"})


def test_only_a_parametric_code_is_a_scene() -> None:
    with_scene = fact(event("subscribe", EventKey="qrscene_12"))
    without = fact(event("subscribe", EventKey="last_trade_no_4001"))
    assert isinstance(with_scene, Subscribed)
    assert isinstance(without, Subscribed)
    assert (with_scene.scene, without.scene) == ("12", None)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"<xml>",
        b"<xml><a></xml>",
        b"<?xml version='1.0' encoding='utf-16'?><xml/>" + bytes([255]),
        b"<!DOCTYPE x><xml/>",
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><MsgType>&a;</MsgType></xml>',
        b"<xml><MsgType>a</MsgType><MsgType>b</MsgType></xml>",
        b"<a>" * 9,
        b"<xml><MsgType>text</MsgType><" + b"n" * 65 + b"/></xml>",
    ],
)
def test_what_is_not_a_push_is_unreadable(document: bytes) -> None:
    with pytest.raises(Unreadable):
        fact(document)


def test_a_repeated_list_item_does_no_harm() -> None:
    listed = pushes.event("subscribe_msg_popup_event").replace(
        b"</xml>", b"<L><List><T>1</T></List><List><T>2</T></List></L></xml>"
    )
    assert fields_of(listed)["L/List/T"] == "1"


def test_retries_are_the_same_event_and_neighbours_are_not() -> None:
    click = event("CLICK", EventKey="a", at=5)
    other = event("CLICK", EventKey="b", at=5)
    spaced = click.replace(b"<Event>", b"\n  <Event>")
    assert identity_of(fields_of(click)) == identity_of(fields_of(spaced))
    assert identity_of(fields_of(click)) != identity_of(fields_of(other))


@given(st.text(max_size=100))
def test_any_text_survives_the_reply_or_loses_only_what_xml_cannot_carry(words: str) -> None:
    document = xml_of(Text(words), to="oX", sender="gh_1", at=1)
    content = fields_of(document)["Content"]
    kept = [c for c in words if c in "\n\t" or (c >= " " and not 0xD800 <= ord(c) <= 0xDFFF)]
    assert content == "".join(c for c in kept if c not in "\ufffe\uffff")


def test_a_long_text_is_cut_to_what_wechat_takes() -> None:
    content = fields_of(xml_of(Text("银" * 2000), to="oX", sender="gh_1", at=1))["Content"]
    assert len(content.encode()) <= 2048
    assert content.endswith("…")


def test_another_implementation_reads_our_replies() -> None:
    news = News((Article("本地优惠", "今天的", "https://bank.example/p/1"),))
    for reply in (Text("您好 ]]> &"), news, HandOver(), HandOver("kf@bank")):
        document = xml_of(reply, to="oX", sender="gh_1", at=1)
        parsed = parse_message(document)
        assert (parsed.source, parsed.target) == ("gh_1", "oX")


def test_an_event_from_the_future_is_taken_as_of_now() -> None:
    soon, far = clock.epoch() + 300, clock.epoch() + 10**9
    assert fact(pushes.event("subscribe", at=soon)).at == clock.from_epoch(soon)
    assert abs(fact(pushes.event("subscribe", at=far)).at - clock.now()) < timedelta(minutes=1)
