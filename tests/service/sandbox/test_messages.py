"""What the account may write by itself: windows, caps, contents, idempotency."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.sandbox.conftest import Caller

SEND = "/cgi-bin/message/custom/send"
TEMPLATE = "/cgi-bin/message/template/send"


def say(caller: Caller, openid: str, **changed: Any) -> int:
    body = {"touser": openid, "msgtype": "text", "text": {"content": "您好"}, **changed}
    code: int = caller.post(SEND, body)["errcode"]
    return code


def silent_fan(caller: Caller) -> str:
    """A follower for whom no window is open."""
    one = caller.fan()
    caller.world.followers[one].windows.close()
    return one


@pytest.mark.parametrize(
    ("deed", "sent", "sends"),
    [
        ("message", {"content": "你好"}, 5),
        ("click", {"key": "k"}, 3),
        ("scan", {"scene": "1"}, 3),
        ("message", {"content": "一", "bizmsgmenuid": "1"}, 3),
    ],
)
def test_what_a_follower_does_opens_a_window_of_so_many_messages(
    caller: Caller, deed: str, sent: dict[str, Any], sends: int
) -> None:
    one = silent_fan(caller)
    assert say(caller, one) == 45015
    caller.do(one, deed, quiet=True, **sent)
    assert [say(caller, one) for _ in range(sends + 1)] == [0] * sends + [45047]


@pytest.mark.parametrize(
    ("deed", "sent"),
    [("location", {"lat": 31.2, "lng": 121.5}), ("view", {"url": "https://a.example/"})],
)
def test_a_position_and_a_link_open_no_window(
    caller: Caller, deed: str, sent: dict[str, Any]
) -> None:
    one = silent_fan(caller)
    caller.do(one, deed, quiet=True, **sent)
    assert say(caller, one) == 45015


def test_windows_close_after_a_minute_or_after_two_days(caller: Caller) -> None:
    one = silent_fan(caller)
    caller.do(one, "click", key="k", quiet=True)
    caller.world.offset += 61
    assert say(caller, one) == 45015
    caller.do(one, "message", content="你好", quiet=True)
    caller.world.offset += 48 * 3600 - 5
    caller.sign_in()
    assert say(caller, one) == 0
    caller.world.offset += 6
    assert say(caller, one) == 45015


def test_following_opens_a_window_and_leaving_closes_all(caller: Caller) -> None:
    one = caller.fan()
    assert say(caller, one) == 0
    caller.do(one, "unsubscribe", quiet=True)
    assert say(caller, one) == 43004


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"touser": "o" + "x" * 27}, 40003),
        ({"touser": 7}, 40003),
        ({"msgtype": "mpnews"}, 40008),
        ({"text": {"content": ""}}, 44004),
        ({"text": None}, 44004),
        ({"text": {"content": "长" * 683}}, 45002),
        ({"msgtype": "news", "news": {"articles": [{"title": "a"}, {"title": "b"}]}}, 45008),
    ],
)
def test_every_mistake_in_a_message_has_its_code(
    caller: Caller, changed: dict[str, Any], code: int
) -> None:
    one = caller.fan()
    assert say(caller, one, **changed) == code
    assert say(caller, one) == 0


def test_what_was_sent_stands_in_the_chat(caller: Caller) -> None:
    one = caller.fan()
    card = {"articles": [{"title": "优惠", "description": "", "url": "https://a.example/"}]}
    assert say(caller, one, msgtype="news", news=card) == 0
    chat = caller.control("GET", f"followers/{one}")["chat"]
    assert (chat[-1]["kind"], chat[-1]["content"]) == ("news", card)


def test_whoever_turned_messages_off_or_is_barred_gets_none(caller: Caller) -> None:
    one = caller.fan()
    caller.control("PATCH", f"followers/{one}", {"muted": True})
    assert say(caller, one) == 48002
    caller.world.followers[one].barred = True
    assert say(caller, one) == 62751
    body = {"touser": one, "template_id": "t", "data": {"thing1": {"value": "好"}}}
    assert caller.post(TEMPLATE, body)["errcode"] == 43019


def test_the_typing_sign_needs_somebody_who_is_there(caller: Caller) -> None:
    one, path = caller.fan(), "/cgi-bin/message/custom/typing"

    def typing(command: str) -> int:
        code: int = caller.post(path, {"touser": one, "command": command})["errcode"]
        return code

    assert [typing("Typing"), typing("Typing"), typing("CancelTyping")] == [0, 45081, 0]
    assert typing("Dancing") == 45072
    caller.world.offset += 31
    assert typing("Typing") == 45080


def template(caller: Caller, openid: str, **changed: Any) -> dict[str, Any]:
    data = {"thing1": {"value": "预约成功"}, "character_string2": {"value": "NO1"}}
    body = {"touser": openid, "template_id": "t", "data": data, **changed}
    return caller.post(TEMPLATE, body)


def test_a_template_with_the_same_client_id_is_sent_once(caller: Caller) -> None:
    one, other = caller.fan(), caller.fan()
    first = template(caller, one, client_msg_id="a")
    assert template(caller, one, client_msg_id="a")["msgid"] == first["msgid"]
    assert template(caller, one, client_msg_id="b")["msgid"] != first["msgid"]
    assert template(caller, other, client_msg_id="a")["msgid"] != first["msgid"]
    chat = caller.control("GET", f"followers/{one}")["chat"]
    assert [entry["kind"] for entry in chat] == ["template", "template"]
    caller.world.offset += 601
    assert template(caller, one, client_msg_id="a")["msgid"] != first["msgid"]
    assert template(caller, one, client_msg_id="a" * 33)["errcode"] == 40035


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"template_id": ""}, 40037),
        ({"data": {}}, 47003),
        ({"data": {"thing1": {"value": " "}}}, 47003),
        ({"data": {"thing1": {"value": "长" * 21}}}, 47003),
        ({"data": {"phone_number3": {"value": "1" * 18}}}, 47003),
        ({"data": {"car_number4": {"value": "沪A123456"}}}, 0),
    ],
)
def test_a_template_needs_fitting_values(
    caller: Caller, changed: dict[str, Any], code: int
) -> None:
    assert template(caller, caller.fan(), **changed)["errcode"] == code


def test_templates_can_be_restricted_to_those_in_use(caller: Caller) -> None:
    one = caller.fan()
    caller.control("PUT", "limits", {"templates": ["known"]})
    assert template(caller, one)["errcode"] == 40037
    assert template(caller, one, template_id="known")["errcode"] == 0
    caller.do(one, "unsubscribe", quiet=True)
    assert template(caller, one, template_id="known")["errcode"] == 43004
