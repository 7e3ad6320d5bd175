"""The mass verb and the template's fields: what WeChat says, and whether it is asked again."""

from __future__ import annotations

import pytest

from service import clock
from service.happenings import MessageSettled, OpenId
from service.wechat.errors import (
    AccountRefused,
    AwaitsAdministrator,
    QuotaSpent,
    RepeatedTooSoon,
    Throttled,
    TryLater,
    Unanswered,
    WillNever,
    refusal,
)
from service.wechat.inbound import fact_in
from service.wechat.templates import fitted
from tests.service.wechat.conftest import Account

SEND = "/cgi-bin/message/mass/send"


def send(account: Account, openids: list[OpenId], key: str = "k1") -> str:
    return account.gateway.send_mass(openids, "台风将至", client_key=key)


def couple(account: Account) -> list[OpenId]:
    return [account.follower(), account.follower()]


def test_a_list_is_sent_once_and_a_repeat_is_recognised(account: Account) -> None:
    people = couple(account)
    number = send(account, people)
    with pytest.raises(RepeatedTooSoon) as soon:
        send(account, people)
    assert soon.value.after.total_seconds() >= 60
    account.sandbox.world.offset += 61
    assert send(account, people) == number
    chat = account.sandbox.world.followers[people[0]].chat
    assert len(chat) == 1


@pytest.mark.parametrize("size", [0, 1, 10_001])
def test_a_list_that_wechat_would_refuse_is_not_sent(account: Account, size: int) -> None:
    people = [OpenId(f"o{number:027}") for number in range(size)]
    with pytest.raises(ValueError, match="2 to 10,000"):
        send(account, people)
    assert not account.calls(SEND)


@pytest.mark.parametrize("fault", ["lost", "garbage"])
def test_no_answer_means_that_the_same_key_may_be_sent_again(account: Account, fault: str) -> None:
    people = couple(account)
    account.play(SEND, fault, times=1, effect=True)
    with pytest.raises(Unanswered):
        send(account, people)
    account.sandbox.world.offset += 61
    assert send(account, people)
    assert len(account.sandbox.world.followers[people[0]].chat) == 1


def test_the_days_hundred_are_counted_before_wechat_refuses(account: Account) -> None:
    account.sandbox.world.quotas.minute.clear()
    people = couple(account)
    for number in range(100):
        send(account, people, key=f"k{number}")
    with pytest.raises(QuotaSpent):
        send(account, people, key="one too many")
    assert len(account.calls(SEND)) == 100


@pytest.mark.parametrize(
    ("errcode", "kind"),
    [
        (45028, WillNever),
        (45065, WillNever),
        (45066, RepeatedTooSoon),
        (45067, WillNever),
        (48003, AccountRefused),
        (89504, AwaitsAdministrator),
        (89505, AwaitsAdministrator),
        (42010, Throttled),
        (40130, WillNever),
    ],
)
def test_what_wechat_says_of_mass_messages_is_later_or_never(
    errcode: int, kind: type[TryLater | WillNever]
) -> None:
    found = refusal({"errcode": errcode, "errmsg": "x"})
    assert isinstance(found, kind)
    assert found.why not in ("", "微信拒绝了这次请求") or errcode == 45065


def test_the_report_of_a_mass_message_keeps_its_numbers() -> None:
    fields = {
        "MsgType": "event", "Event": "MASSSENDJOBFINISH", "FromUserName": "oSandbox",
        "CreateTime": str(int(clock.now().timestamp())), "MsgID": "7", "Status": "send success",
        "TotalCount": "100", "FilterCount": "80", "SentCount": "75", "ErrorCount": "five",
    }  # fmt: skip
    fact = fact_in(fields)
    assert isinstance(fact, MessageSettled)
    assert (fact.message_id, fact.total, fact.ready, fact.sent, fact.failed) == (
        "7",
        100,
        80,
        75,
        0,
    )


def test_values_are_cut_to_what_their_fields_take() -> None:
    data = {
        "thing1": "长" * 21,
        "thing2": "刚好" * 10,
        "phrase3": "已经开启很久了",
        "character_string4": "编号 NO-1",
        "phone_number5": "客服 95599",
        "const6": " \n ",
        "time7": "2026年11月22日 21:04",
        "phone_number8": "没有",
    }
    assert fitted(data) == {
        "thing1": "长" * 19 + "…",
        "thing2": "刚好" * 10,
        "phrase3": "已经开启…",
        "character_string4": "NO-1",
        "phone_number5": "95599",
        "const6": "无",
        "time7": "2026年11月22日 21:04",
        "phone_number8": "-",
    }


def test_the_sandbox_takes_what_was_cut(account: Account) -> None:
    data = fitted({"thing1": "长" * 60, "character_string2": "编号", "phone_number3": ""})
    assert account.gateway.send_template(account.follower(), "t", data)
