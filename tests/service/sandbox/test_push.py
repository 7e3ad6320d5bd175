"""Pushes as the account's server meets them, and what the follower sees of its answers."""

from __future__ import annotations

import time

import pytest

from service.replies import Article, HandOver, News, Reply, Text
from service.sandbox.answers import NOTICE
from tests.service.sandbox.conftest import Caller, Receiver, greeting


def last_said(caller: Caller, openid: str) -> str:
    chat = caller.control("GET", f"followers/{openid}")["chat"]
    said: str = chat[-1]["content"].get("content", "") if chat else ""
    return said


@pytest.mark.parametrize("mode", ["safe", "compat", "plain"])
def test_a_push_is_signed_in_every_mode_and_sealed_in_two(
    caller: Caller, receiver: Receiver, mode: str
) -> None:
    caller.control("PUT", "webhook", {"mode": mode})
    one = caller.fan()
    # The receiver checks both signatures by itself.
    answer = caller.do(one, "location", lat=31.230416, lng=121.4737, precision=65.5)
    assert answer["outcome"] == "nothing"
    heard, query = receiver.heard[0], receiver.queries[0]
    assert (heard["Latitude"], heard["Longitude"]) == ("31.230416", "121.473700")
    assert (heard["MsgType"], heard["Event"], heard["Precision"]) == (
        "event",
        "LOCATION",
        "65.500000",
    )
    assert heard["FromUserName"] == query["openid"] == one
    assert ("msg_signature" in query) == (mode != "plain")


def test_a_sealed_reply_is_opened_and_shown(caller: Caller, receiver: Receiver) -> None:
    receiver.answer = greeting
    one = caller.fan()
    answer = caller.do(one, "message", type="text", content="你好")
    assert answer["outcome"] == "reply"
    assert answer["deliveries"][0]["reply"] == {"type": "text", "content": "您好，这里是示例银行"}
    assert last_said(caller, one) == "您好，这里是示例银行"
    assert receiver.heard[0]["Content"] == "你好"
    assert int(receiver.heard[0]["MsgId"]) > 2**33


@pytest.mark.parametrize("said", [b"", b"success"])
def test_an_acknowledgement_shows_nothing(caller: Caller, receiver: Receiver, said: bytes) -> None:
    receiver.answer = lambda fields: said
    one = caller.fan()
    assert caller.do(one, "click", key="k")["outcome"] == "nothing"
    assert last_said(caller, one) == ""


MALFORMED = [
    b'{"errcode":0}',
    b" success",
    b"\n<xml></xml>",
    b"<xml></xml>",
    b"<xml><Encrypt>AAAA</Encrypt></xml>",
    b"<xml>",
    b'<xml><!DOCTYPE a [<!ENTITY b "c">]></xml>',
]


@pytest.mark.parametrize("said", MALFORMED)
def test_a_malformed_answer_shows_wechats_notice_and_is_not_asked_for_again(
    caller: Caller, receiver: Receiver, said: bytes
) -> None:
    receiver.answer = lambda fields: said
    one = caller.fan()
    answer = caller.do(one, "message", content="你好")
    assert answer["outcome"] == "fault"
    assert len(answer["deliveries"]) == 1
    assert last_said(caller, one) == NOTICE


@pytest.mark.parametrize("reply", [Text(""), HandOver(), News(())])
def test_a_reply_wechat_would_not_deliver_is_a_fault(
    caller: Caller, receiver: Receiver, reply: Reply
) -> None:
    receiver.answer = lambda fields: reply
    assert caller.do(caller.fan(), "click", key="k")["outcome"] == "fault"


def test_a_message_may_be_handed_to_people(caller: Caller, receiver: Receiver) -> None:
    receiver.answer = lambda fields: HandOver()
    assert caller.do(caller.fan(), "message", content="人工")["outcome"] == "reply"


def test_one_article_answers_a_message_and_eight_an_event(
    caller: Caller, receiver: Receiver
) -> None:
    article = Article("优惠", "本周", "https://bank.example/p/1")
    one = caller.fan()
    receiver.answer = lambda fields: News((article,) * 8)
    assert caller.do(one, "click", key="k")["outcome"] == "reply"
    assert caller.do(one, "message", content="优惠")["outcome"] == "fault"
    receiver.answer = lambda fields: News((article,) * 9)
    assert caller.do(one, "click", key="k")["outcome"] == "fault"
    receiver.answer = lambda fields: News((article,))
    assert caller.do(one, "message", content="优惠")["outcome"] == "reply"


def test_a_plain_reply_does_not_pass_in_safe_mode(caller: Caller, receiver: Receiver) -> None:
    one = caller.fan()

    def plain(fields: dict[str, str]) -> bytes:
        to, sender = fields["FromUserName"], fields["ToUserName"]
        return (
            f"<xml><ToUserName>{to}</ToUserName><FromUserName>{sender}</FromUserName>"
            "<CreateTime>1</CreateTime><MsgType>text</MsgType><Content>好</Content></xml>"
        ).encode()

    receiver.answer = plain
    assert caller.do(one, "message", content="你好")["outcome"] == "fault"
    caller.control("PUT", "webhook", {"mode": "compat"})
    assert caller.do(one, "message", content="你好")["outcome"] == "reply"


def test_a_reply_with_sender_and_reader_mixed_up_is_a_fault(
    caller: Caller, receiver: Receiver
) -> None:
    appid = receiver.settings.wechat_appid
    receiver.answer = lambda fields: receiver.sealed(Text("好"), {**fields, "ToUserName": appid})
    answer = caller.do(caller.fan(), "message", content="你好")
    assert answer["outcome"] == "fault"
    assert "swapped" in answer["why"]


def test_the_reply_to_a_position_is_shown_to_nobody(caller: Caller, receiver: Receiver) -> None:
    receiver.answer = greeting
    one = caller.fan()
    assert caller.do(one, "location", lat=31.2, lng=121.5)["outcome"] == "ignored"
    receiver.answer = lambda fields: b"nonsense"
    assert caller.do(one, "location", lat=31.2, lng=121.5)["outcome"] == "fault"
    assert last_said(caller, one) == ""


def test_an_unanswered_push_is_sent_again_with_the_same_body(
    caller: Caller, receiver: Receiver
) -> None:
    receiver.status = 503
    one = caller.fan()
    answer = caller.do(one, "click", key="svc:my-city")
    assert [each["status"] for each in answer["deliveries"]] == [503] * 4
    assert last_said(caller, one) == NOTICE
    assert all(fields == receiver.heard[0] for fields in receiver.heard)
    assert len({query["nonce"] for query in receiver.queries}) == 4
    assert len({query["msg_signature"] for query in receiver.queries}) == 4


def test_whoever_is_not_there_is_tried_four_times(caller: Caller) -> None:
    answer = caller.do(caller.fan(), "message", content="你好")
    assert [each["status"] for each in answer["deliveries"]] == [None] * 4
    assert answer["outcome"] == "fault"


def test_the_deadline_is_exact_and_the_push_is_sent_again(
    caller: Caller, receiver: Receiver
) -> None:
    caller.control("PUT", "webhook", {"deadline_seconds": 0.3, "resends": 1})
    receiver.wait = 0.8
    one = caller.fan()
    began = time.monotonic()
    answer = caller.do(one, "message", content="你好")
    assert 0.6 <= time.monotonic() - began < 1.2
    assert [each["status"] for each in answer["deliveries"]] == [None, None]
    assert "0.3 seconds" in answer["why"]


def test_an_answer_can_be_lost_so_that_a_push_comes_twice(
    caller: Caller, receiver: Receiver
) -> None:
    receiver.answer = greeting
    rule = {"path": "webhook", "do": "lost", "nth": 1}
    caller.control("PUT", "faults", {"rules": [rule]})
    answer = caller.do(caller.fan(), "message", content="你好")
    assert [each["outcome"] for each in answer["deliveries"]] == ["fault", "reply"]
    assert receiver.heard[0] == receiver.heard[1]


def test_one_event_can_be_delivered_many_times_even_at_once(
    caller: Caller, receiver: Receiver
) -> None:
    one = caller.fan()
    caller.do(one, "click", key="k", times=3, at=1_700_000_000)
    caller.do(one, "click", key="k", times=4, at=1_700_000_000, together=True)
    assert len(receiver.heard) == 7
    assert {fields["CreateTime"] for fields in receiver.heard} == {"1700000000"}
    assert len({query["nonce"] for query in receiver.queries}) == 7


def test_the_timestamp_of_the_signature_is_real_time_and_can_be_skewed(
    caller: Caller, receiver: Receiver
) -> None:
    one = caller.fan()
    caller.control("PUT", "clock", {"advance": 86_400})
    caller.do(one, "click", key="k")
    assert abs(int(receiver.queries[0]["timestamp"]) - time.time()) < 5
    assert int(receiver.heard[0]["CreateTime"]) - time.time() > 86_000
    caller.control("PUT", "webhook", {"skew_seconds": -600})
    caller.do(one, "click", key="k")
    assert abs(int(receiver.queries[1]["timestamp"]) + 600 - time.time()) < 5


def test_a_push_can_be_sealed_with_the_previous_key(caller: Caller, receiver: Receiver) -> None:
    caller.control("PUT", "webhook", {"previous_key": True})
    assert caller.do(caller.fan(), "click", key="k")["outcome"] == "nothing"
    assert receiver.heard[0]["EventKey"] == "k"


def test_the_address_proves_itself_by_echoing(caller: Caller, receiver: Receiver) -> None:
    assert caller.control("POST", "webhook/verify")["ok"] is True
    receiver.echo = '"quoted"'
    assert caller.control("POST", "webhook/verify")["ok"] is False


def test_the_fate_of_a_template_is_reported(caller: Caller, receiver: Receiver) -> None:
    caller.control("PUT", "webhook", {"reports": True})
    one = caller.fan()
    body = {"touser": one, "template_id": "t", "data": {"thing1": {"value": "好"}}}
    sent = caller.post("/cgi-bin/message/template/send", body)
    until = time.monotonic() + 5
    while not receiver.heard and time.monotonic() < until:
        time.sleep(0.05)
    heard = receiver.heard[0]
    assert (heard["Event"], heard["Status"]) == ("TEMPLATESENDJOBFINISH", "success")
    assert heard["MsgID"] == str(sent["msgid"])


def test_every_try_is_in_the_log_in_plain(caller: Caller, receiver: Receiver) -> None:
    receiver.status = 500
    caller.do(caller.fan(), "click", key="svc:my-city")
    tries = [entry for entry in caller.control("GET", "log") if entry["direction"] == "out"]
    assert [entry["attempt"] for entry in tries] == [1, 2, 3, 4]
    assert "svc:my-city" in tries[0]["request"]
