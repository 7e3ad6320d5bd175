"""However WeChat misbehaves, a call ends in time, does nothing twice and tells no secret."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from service import journal
from service.delivery.quotas import Calls
from service.wechat.client import CALL_SECONDS
from service.wechat.errors import (
    Busy,
    QuotaSpent,
    Throttled,
    TryLater,
    Unreachable,
    Unsettled,
    WillNever,
)
from service.wechat.gateway import Gateway, transaction_open
from service.wiring import Wiring
from tests.service.wechat.conftest import Account

TAGS = "/cgi-bin/tags/get"
SEND = "/cgi-bin/message/custom/send"
CREATE_TAG = "/cgi-bin/tags/create"
BUTTONS = [{"type": "click", "name": "我的城市", "key": "svc:my-city"}]


def test_chinese_travels_as_it_is(account: Account) -> None:
    account.gateway.create_menu(BUTTONS)
    [call] = account.calls("/cgi-bin/menu/create")
    assert "我的城市" in call["request"]
    assert "\\u" not in call["request"]


@pytest.mark.parametrize(
    "do",
    [
        {"do": "hang", "seconds": 30},
        {"do": "lost"},
        {"do": "cut"},
        {"do": "status", "status": 503},
        {"do": "garbage"},
        {"do": "garbage", "body": "[]"},
        {"do": "garbage", "body": '{"errcode": "x"}'},
    ],
    ids=lambda how: f"{how['do']} {how.get('body', '')}",
)
def test_no_proper_answer_leaves_a_message_unsettled_and_a_question_harmless(
    account: Account, do: dict[str, object]
) -> None:
    one = account.follower()
    account.gateway.tags()
    calls: list[tuple[str, type[TryLater], Callable[[], object]]] = [
        (SEND, Unsettled, lambda: account.gateway.send_text(one, "您好")),
        (CREATE_TAG, Unsettled, lambda: account.gateway.create_tag("苏州")),
        (TAGS, Unreachable, lambda: account.gateway.tags()),
    ]
    for path, kind, call in calls[-1:] if do["do"] == "hang" else calls:
        account.sandbox.world.faults.play({"rules": [{"path": path, **do}]})
        began = time.monotonic()
        with pytest.raises(TryLater) as refused:
            call()
        assert type(refused.value) is kind
        assert time.monotonic() - began <= 3.5
        assert len(account.calls(path)) <= 2


def test_a_hung_call_that_must_not_be_repeated_ends_unsettled_in_time(account: Account) -> None:
    one = account.follower()
    account.play(SEND, "hang", seconds=30)
    began = time.monotonic()
    with pytest.raises(Unsettled):
        account.gateway.send_text(one, "您好")
    assert time.monotonic() - began <= 3.5


def test_a_notice_that_carries_its_own_key_may_be_repeated(account: Account) -> None:
    one = account.follower()
    account.play("/cgi-bin/message/template/send", "cut")
    with pytest.raises(Unsettled):
        account.gateway.send_template(one, "t", {"thing1": "改签"})
    with pytest.raises(Unreachable):
        account.gateway.send_template(one, "t", {"thing1": "改签"}, client_msg_id="a" * 32)


def test_what_was_never_sent_is_not_unsettled(account: Account) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    one = account.follower()
    account.gateway.tags()
    nowhere = replace(account.wiring.settings, wechat_api_base=f"http://127.0.0.1:{port}")
    with pytest.raises(Unreachable):
        Gateway(replace(account.wiring, settings=nowhere, shelf={})).send_text(one, "您好")


def test_an_answer_without_what_it_must_hold_is_unsettled(account: Account) -> None:
    account.play("/cgi-bin/menu/addconditional", "garbage", body='{"errcode": 0}')
    with pytest.raises(Unsettled):
        account.gateway.add_conditional(BUTTONS, tag_id=100)


@pytest.fixture
def dripping() -> Iterator[int]:
    """A server that answers one byte at a time, for ever."""
    listening = socket.create_server(("127.0.0.1", 0))
    closing = threading.Event()

    def serve() -> None:
        while not closing.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                try:
                    while not closing.wait(0.2):
                        connection.sendall(b" ")
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    yield listening.getsockname()[1]
    closing.set()
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def test_an_answer_that_drips_is_given_up_in_time(account: Account, dripping: int) -> None:
    slow = replace(account.wiring.settings, wechat_api_base=f"http://127.0.0.1:{dripping}")
    began = time.monotonic()
    with pytest.raises(TryLater):
        Gateway(replace(account.wiring, settings=slow, shelf={})).identify("a-code")
    assert CALL_SECONDS - 0.5 <= time.monotonic() - began <= 3.7


def test_a_busy_wechat_is_not_asked_again_within_the_call(account: Account) -> None:
    account.play(TAGS, "errcode", errcode=-1)
    with pytest.raises(Busy):
        account.gateway.tags()
    assert len(account.calls(TAGS)) == 1


@pytest.mark.usefixtures("at_noon")
def test_a_quota_wechat_calls_spent_is_not_tried_again_by_any_process(account: Account) -> None:
    account.play(TAGS, "errcode", errcode=45009)
    with pytest.raises(QuotaSpent) as refused:
        account.gateway.tags()
    assert refused.value.after <= timedelta(days=1)
    other = Gateway(replace(account.wiring, shelf={}))
    for gateway in (account.gateway, other):
        with pytest.raises(QuotaSpent, match="本系统计数"):
            gateway.tags()
    assert len(account.calls(TAGS)) == 1


def test_this_minutes_quota_is_waited_for(account: Account) -> None:
    account.play(TAGS, "errcode", errcode=45011, nth=1)
    with pytest.raises(Throttled) as refused:
        account.gateway.tags()
    assert refused.value.after <= timedelta(seconds=60)
    assert account.gateway.tags() is not None


def test_no_call_is_made_while_a_transaction_is_open(account: Account) -> None:
    mark = transaction_open.set(True)
    try:
        with pytest.raises(RuntimeError):
            account.gateway.tags()
    finally:
        transaction_open.reset(mark)


def test_a_broken_database_is_not_mistaken_for_an_answer(account: Account) -> None:
    with account.wiring.unit() as unit:
        unit.db.exec_driver_sql("DROP TABLE credentials")
    with pytest.raises(Unreachable, match="数据库"):
        account.gateway.tags()


def everything_said(fault: BaseException) -> str:
    """An exception as a careless handler would print it, causes and contexts included."""
    said, seen = [], fault
    while seen is not None:
        said += [str(seen), repr(seen), repr(vars(seen)), *traceback.format_exception(seen)]
        assert seen.__cause__ is None
        seen = seen.__context__  # type: ignore[assignment]
    return "\n".join(said)


MESSAGE = "张三的贷款"
FAILING: list[dict[str, object]] = [
    {"do": "hang", "seconds": 30},
    {"do": "cut"},
    {"do": "status", "status": 500},
    {"do": "garbage"},
    {"do": "errcode", "errcode": 40001},
    {"do": "errcode", "errcode": 40164, "errmsg": "invalid ip 203.0.113.9, not in whitelist"},
    {"do": "errcode", "errcode": 47003, "errmsg": "data.thing1.value is invalid"},
]


@pytest.mark.parametrize("fault", FAILING, ids=lambda how: f"{how['do']} {how.get('errcode', '')}")
@pytest.mark.parametrize("path", ["/cgi-bin/stable_token", SEND])
def test_no_failing_path_tells_a_secret_a_token_or_a_person(
    account: Account, path: str, fault: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    for library in ("urllib3", "requests", "wechatpy"):
        caplog.set_level(logging.DEBUG, logger=library)
    caplog.set_level(logging.DEBUG)
    one = account.follower()
    if path == SEND:
        account.gateway.tags()
    account.sandbox.world.faults.play({"rules": [{"path": path, **fault}]})
    with pytest.raises((TryLater, WillNever)) as refused:
        account.gateway.send_text(one, MESSAGE)
    secrets = [account.wiring.settings.wechat_secret, *account.sandbox.world.tokens._known]
    said = everything_said(refused.value)
    logged = "\n".join(
        f"{record.getMessage()} {record.args}"
        for record in caplog.records
        if not record.name.startswith(("werkzeug", "sqlalchemy"))
    )
    for told in (said, logged):
        assert not [secret for secret in secrets if secret in told]
        assert one not in told
        assert MESSAGE not in told
    assert "stable_token" in logged or "custom/send" in logged, "there were debug lines to look at"


def test_a_refused_account_is_loud(account: Account) -> None:
    account.play(TAGS, "errcode", errcode=40164, errmsg="invalid ip 203.0.113.9, not in whitelist")
    with pytest.raises(WillNever):
        account.gateway.tags()
    assert b'account_account_refusals_total{errcode="40164"}' in journal.exposition()


def test_our_own_count_refuses_before_wechat_does(account: Account) -> None:
    account.gateway.followers()
    wiring: Wiring = account.wiring
    with wiring.unit() as unit:
        unit.db.execute(update(Calls).where(Calls.path == "/cgi-bin/user/get").values(reserved=500))
    with pytest.raises(QuotaSpent):
        account.gateway.followers()
    assert len(account.calls("/cgi-bin/user/get")) == 1


def test_the_request_body_of_a_notice_is_what_wechat_documents(account: Account) -> None:
    one = account.follower()
    account.gateway.send_template(
        one, "t-1", {"thing1": "网点搬迁"}, url="https://bank.example/s/moving-house"
    )
    [call] = account.calls("/cgi-bin/message/template/send")
    assert json.loads(call["request"]) == {
        "touser": one,
        "template_id": "t-1",
        "data": {"thing1": {"value": "网点搬迁"}},
        "url": "https://bank.example/s/moving-house",
    }
