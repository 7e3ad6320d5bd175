"""An answer on its way into the chat: windows, refusals, lost answers, dead workers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import delete, select, update

from config import Settings
from lightservices.tickets import operations, queries, replies, windows
from lightservices.tickets.contents import Content
from lightservices.tickets.models import ConversationRow, TicketEventRow, TicketRow
from lightservices.tickets.queries import Ticket
from lightservices.tickets.replies import Reach
from service import followers
from service.clock import now
from service.delivery.ledger import Row
from service.happenings import Fact, OpenId
from tests.journeys.town import Town, built
from tests.lightservices.tickets.conftest import CLERK
from tests.services import own_database

SEND = "/cgi-bin/message/custom/send"


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Town]:
    with (
        own_database(os.environ.get("TEST_DATABASE_URL", ""), "hall") as url,
        built(tmp_path_factory.mktemp("hall"), replace(settings, database_url=url)) as town,
    ):
        # A follow opens a minute of its own, which here would only be in the way.
        limits = f"{town.sandbox.base_url}/_control/limits"
        assert requests.put(limits, json={"follow_sends": 0}, timeout=5).ok
        yield town


@pytest.fixture
def who(hall: Town) -> Iterator[OpenId]:
    found = OpenId(hall.control("followers", name="林", subscribed=True)["openid"])
    with hall.wiring.unit() as unit:
        followers.meet(unit, Fact(found, now() - timedelta(minutes=1)))
    yield found
    faults(hall)
    with hall.wiring.unit() as unit:
        for model in (TicketEventRow, TicketRow, ConversationRow, Row):
            unit.db.execute(delete(model))


def faults(hall: Town, *rules: dict[str, Any]) -> None:
    answer = requests.put(
        f"{hall.sandbox.base_url}/_control/faults", json={"rules": list(rules)}, timeout=5
    )
    assert answer.ok, answer.text


def chat(hall: Town, who: OpenId) -> list[str]:
    """What the account wrote by itself."""
    said = hall.control(f"followers/{who}")["chat"]
    return [one["content"]["content"] for one in said if one.get("through") == "customer-service"]


def answered(hall: Town, who: OpenId, *words: str) -> Ticket:
    with hall.wiring.unit() as unit:
        asked = operations.Request(
            category="投诉", service="complaint", branch="B310000", openid=who,
            token=f"{words}{len(chat(hall, who))}"[:64], content=Content((("经过", "慢"),)),
        )  # fmt: skip
        number, _new = operations.open_ticket(unit, asked)
        for one in words:
            found = queries.find(unit, number)
            assert found is not None
            operations.answer(unit, found, words=one, by=CLERK)
        made = queries.find(unit, number)
    hall.settle()
    assert made is not None
    return made


def reaches(hall: Town, ticket: Ticket) -> list[tuple[Reach | None, str]]:
    with hall.wiring.reading() as unit:
        return [(one.reach, one.why) for one in queries.history(unit, ticket)[1:]]


def test_within_the_window_the_answer_arrives_with_a_link(hall: Town, who: OpenId) -> None:
    hall.do(who, "message", content="在吗")
    found = answered(hall, who, "查过了：<a href='x'>没有</a>收费")
    [text] = chat(hall, who)
    assert "＜a href='x'＞没有＜/a＞收费" in text
    assert f"{hall.web}/t/{found.number}" in text
    assert reaches(hall, found) == [(Reach.SENT, "")]


def test_outside_it_waits_and_comes_with_the_followers_next_message(
    hall: Town, who: OpenId
) -> None:
    found = answered(hall, who, "先看这个", "再看那个")
    assert chat(hall, who) == []
    assert [reach for reach, _why in reaches(hall, found)] == [Reach.HELD, Reach.READY] or all(
        reach is Reach.HELD for reach, _why in reaches(hall, found)
    )
    with hall.wiring.reading() as unit:
        assert windows.look(unit, who).is_known
        assert not windows.look(unit, who).is_open
    hall.do(who, "message", content="有答复吗")
    hall.settle()
    assert ["先看" in text for text in chat(hall, who)] == [True, False]
    assert [reach for reach, _why in reaches(hall, found)] == [Reach.SENT, Reach.SENT]


def test_a_tap_is_told_that_an_answer_waits_and_a_scan_lets_it_go(hall: Town, who: OpenId) -> None:
    found = answered(hall, who, "好了")
    [tapped] = hall.do(who, "click", key="svc:lost-card")
    assert "工单有了答复" in tapped["reply"]["content"]
    assert chat(hall, who) == []
    hall.do(who, "scan", scene="branch_B310000")
    hall.settle()
    assert len(chat(hall, who)) == 1
    assert reaches(hall, found) == [(Reach.SENT, "")]


def test_who_waits_for_nothing_is_told_nothing(hall: Town, who: OpenId) -> None:
    [tapped] = hall.do(who, "click", key="svc:lost-card")
    assert "工单" not in tapped["reply"]["content"]


def test_when_the_messages_are_used_up_the_rest_waits(hall: Town, who: OpenId) -> None:
    hall.do(who, "message", content="在吗")
    found = answered(hall, who, *map(str, range(7)))
    got = reaches(hall, found)
    assert [reach for reach, _why in got[:5]] == [Reach.SENT] * 5
    assert "上限" in got[5][1]
    hall.do(who, "message", content="还有吗")
    hall.settle()
    assert [reach for reach, _why in reaches(hall, found)] == [Reach.SENT] * 7


@pytest.mark.parametrize(
    ("errcode", "why"), [(48002, "对方已关闭接收消息"), (43004, "对方已取消关注")]
)
def test_what_wechat_will_never_take_is_said_at_the_desk(
    hall: Town, who: OpenId, errcode: int, why: str
) -> None:
    hall.do(who, "message", content="在吗")
    faults(hall, {"path": SEND, "do": "errcode", "errcode": errcode})
    assert reaches(hall, answered(hall, who, "好")) == [(Reach.REFUSED, why)]


def test_a_busy_wechat_is_asked_again(hall: Town, who: OpenId) -> None:
    hall.do(who, "message", content="在吗")
    faults(hall, {"path": SEND, "do": "errcode", "errcode": -1, "times": 1})
    found = answered(hall, who, "好")
    with hall.wiring.unit() as unit:
        unit.db.execute(update(Row).values(due_at=now()))
    hall.settle()
    assert len(chat(hall, who)) == 1
    assert reaches(hall, found) == [(Reach.SENT, "")]


def test_an_answer_that_was_lost_on_the_way_is_never_sent_twice(hall: Town, who: OpenId) -> None:
    hall.do(who, "message", content="在吗")
    faults(hall, {"path": SEND, "do": "lost", "times": 1})
    found = answered(hall, who, "好")
    with hall.wiring.unit() as unit:
        windows.ask(unit, who)
    hall.settle()
    assert len(chat(hall, who)) == 1
    assert reaches(hall, found) == [(Reach.UNSURE, "")]


def test_a_worker_that_died_while_sending_leaves_a_doubt_and_no_second_message(
    hall: Town, who: OpenId
) -> None:
    found = answered(hall, who, "好")
    with hall.wiring.unit() as unit:
        assert replies.begin(unit, who) is not None
        windows.ask(unit, who)
    hall.settle()
    assert chat(hall, who) == []
    assert reaches(hall, found) == [(Reach.UNSURE, "")]


def test_who_leaves_is_sent_nothing_and_leaves_nothing(hall: Town, who: OpenId) -> None:
    answered(hall, who, "好")
    hall.do(who, "unsubscribe")
    hall.settle()
    with hall.wiring.reading() as unit:
        assert queries.of_follower(unit, who) == []
        assert unit.db.execute(select(ConversationRow.openid)).all() == []
    assert chat(hall, who) == []


def test_a_long_answer_is_cut_within_wechats_limit_and_its_link_is_whole() -> None:
    text = replies.worded("长" * 900, number="261120-ABCDEF", category="投诉", link="https://b/t/1")
    assert len(text.encode()) <= replies.MOST_BYTES
    assert text.endswith("</a>")
    assert "……" in text
