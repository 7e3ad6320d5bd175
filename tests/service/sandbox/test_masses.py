"""Mass messages by list: sizes, keys, four a month, quotas, the report, the administrator."""

from __future__ import annotations

import time
from typing import Any

import pytest

from service.sandbox.calls import Json
from tests.service.sandbox.conftest import Caller, Receiver

SEND = "/cgi-bin/message/mass/send"


def send(caller: Caller, openids: list[Any], **changed: Any) -> Json:
    body = {"touser": openids, "msgtype": "text", "text": {"content": "台风将至"}, **changed}
    return caller.post(SEND, {name: value for name, value in body.items() if value is not None})


def read(caller: Caller, openid: str) -> list[str]:
    chat = caller.control("GET", f"followers/{openid}")["chat"]
    return [one["content"]["content"] for one in chat if one.get("through") == "mass"]


def fans(caller: Caller, many: int) -> list[str]:
    return [caller.fan() for _ in range(many)]


def test_everybody_on_the_list_reads_it_without_any_window(caller: Caller) -> None:
    people = fans(caller, 3)
    caller.world.followers[people[0]].windows.close()
    answer = send(caller, people)
    assert (answer["errcode"], answer["errmsg"]) == (0, "send job submission success")
    assert [read(caller, one) for one in people] == [["台风将至"]] * 3


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"touser": ["o" + "x" * 27]}, 40130),
        ({"touser": ["o" + "x" * 27] * 2}, 40130),
        ({"touser": ["o" + f"{number:027}" for number in range(10_001)]}, 40032),
        ({"touser": ["o" + "x" * 27, "nobody"]}, 40003),
        ({"touser": None}, 40130),
        ({"msgtype": "mpnews"}, 40008),
        ({"text": {"content": " "}}, 44004),
        ({"text": {"content": "长" * 683}}, 45002),
        ({"clientmsgid": "k" * 33}, 45067),
    ],
)
def test_every_mistake_has_its_code(caller: Caller, changed: dict[str, Any], code: int) -> None:
    assert send(caller, fans(caller, 2), **changed)["errcode"] == code


def test_a_key_is_known_for_a_day_and_sends_once(caller: Caller) -> None:
    people = fans(caller, 2)
    first = send(caller, people, clientmsgid="a")
    assert send(caller, people, clientmsgid="a")["errcode"] == 45066
    caller.world.offset += 61
    again = send(caller, people, clientmsgid="a")
    assert (again["errcode"], again["msg_id"]) == (45065, first["msg_id"])
    assert read(caller, people[0]) == ["台风将至"]
    caller.world.offset += 86_400
    caller.sign_in()
    assert send(caller, people, clientmsgid="a")["errcode"] == 0


def test_without_a_key_the_same_content_to_the_same_list_counts_as_a_repeat(
    caller: Caller,
) -> None:
    people = fans(caller, 2)
    assert [send(caller, people)["errcode"] for _ in range(2)] == [0, 45066]
    assert send(caller, people, text={"content": "另一条"})["errcode"] == 0


def test_four_a_calendar_month_then_the_follower_is_filtered(
    caller: Caller, receiver: Receiver
) -> None:
    caller.world.webhook.reports = True
    people = fans(caller, 2)
    for number in range(4):
        assert send(caller, people, clientmsgid=f"k{number}")["errcode"] == 0
    late = caller.fan()
    answer = send(caller, [*people, late], clientmsgid="k5")
    assert answer["errcode"] == 0
    assert [len(read(caller, one)) for one in (*people, late)] == [4, 4, 1]
    heard = finished(receiver, answer["msg_id"])
    counts = ("TotalCount", "FilterCount", "SentCount", "ErrorCount")
    # FilterCount is how many are left after the filter.
    assert [heard[name] for name in counts] == ["3", "1", "1", "0"]
    assert heard["Status"] == "send success"
    caller.world.offset += 32 * 86_400
    caller.sign_in()
    assert send(caller, people, clientmsgid="k6")["errcode"] == 0
    assert len(read(caller, people[0])) == 5


def test_whoever_left_counts_as_an_error_and_whoever_is_muted_as_filtered(
    caller: Caller, receiver: Receiver
) -> None:
    caller.world.webhook.reports = True
    people = fans(caller, 4)
    caller.world.followers[people[1]].muted = True
    caller.do(people[2], "unsubscribe", quiet=True)
    answer = send(caller, people)
    heard = finished(receiver, answer["msg_id"])
    counts = ("TotalCount", "FilterCount", "SentCount", "ErrorCount")
    assert [heard[name] for name in counts] == ["4", "3", "2", "1"]


def test_what_wechat_does_not_let_through_reaches_nobody(
    caller: Caller, receiver: Receiver
) -> None:
    caller.world.webhook.reports = True
    caller.control("PUT", "limits", {"mass_status": "err(10001)"})
    people = fans(caller, 2)
    heard = finished(receiver, send(caller, people)["msg_id"])
    assert (heard["Status"], heard["SentCount"]) == ("err(10001)", "0")
    assert read(caller, people[0]) == []


def test_a_hundred_a_day_and_sixty_a_minute(caller: Caller) -> None:
    people = fans(caller, 2)
    caller.world.offset += 60 - caller.world.now() % 60
    codes = [send(caller, people, clientmsgid=f"k{number}")["errcode"] for number in range(61)]
    assert codes == [0] * 60 + [45011]
    caller.control("PUT", "quotas", {"used": {SEND: 100}})
    caller.world.offset += 60
    assert send(caller, people, clientmsgid="x")["errcode"] == 45009


def test_an_administrator_may_have_to_confirm_first(caller: Caller) -> None:
    people = fans(caller, 2)
    caller.control("PUT", "limits", {"mass_waits_for_admin": True})
    assert send(caller, people, clientmsgid="a")["errcode"] == 89504
    caller.control("PUT", "limits", {"mass_waits_for_admin": False})
    assert send(caller, people, clientmsgid="a")["errcode"] == 0


def finished(receiver: Receiver, msg_id: int) -> dict[str, str]:
    """The report on this job, which is pushed a moment after the answer."""
    for _ in range(100):
        for fields in list(receiver.heard):
            if fields.get("MsgID") == str(msg_id):
                assert fields["Event"] == "MASSSENDJOBFINISH"
                return fields
        time.sleep(0.05)
    pytest.fail("no report came")
