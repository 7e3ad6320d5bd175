"""A follower writes and speaks to the account; over HTTP, sealed, through the one transaction."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import MetaData

from lightservices.knowledge import ready
from tests.journeys.test_follower import mentions
from tests.journeys.town import NANJING, SHANGHAI, Town


@pytest.fixture(autouse=True)
def _index() -> None:
    assert ready.index(patience=None)


@pytest.fixture
def friend(town: Town, follower: str) -> str:
    """Somebody who follows and stands in Shanghai."""
    town.do(follower, "subscribe")
    town.at(follower, SHANGHAI)
    return follower


def said(town: Town, openid: str, text: str) -> str:
    (delivery,) = town.do(openid, "message", content=text)
    assert delivery["status"] == 200
    return str(delivery["reply"])


def test_a_clear_question_is_answered_with_its_source(town: Town, friend: str) -> None:
    reply = said(town, friend, "银行卡丢了怎么办")
    assert "/s/lost-card" in reply
    assert "马上口头挂失" in reply
    assert "以上是上海市分行的“卡片挂失”" in reply


def test_a_question_that_may_be_several_is_asked_back(town: Town, friend: str) -> None:
    reply = said(town, friend, "限额")
    assert "/s/card-limit" in reply
    assert "/s/online-limit" in reply
    assert "/t/new" in reply


def test_weather_is_not_a_banks_business(town: Town, friend: str) -> None:
    reply = said(town, friend, "今天天气怎么样")
    assert "这个我不懂" in reply
    assert "/s/directory" in reply


def test_danger_is_answered_before_anything_else(town: Town, friend: str) -> None:
    reply = said(town, friend, "我被骗了，刚转了五万块")
    assert reply.index("110") < reply.index("/s/scam-warning")
    assert reply.index("96110") < reply.index("/s/scam-warning")


def test_another_city_is_not_answered_for_this_one(town: Town, friend: str) -> None:
    reply = said(town, friend, "苏州有什么网点")
    assert "您提到了苏州市" in reply
    assert "/s/my-city" in reply


def test_a_voice_is_read_by_its_transcript(town: Town, friend: str) -> None:
    (delivery,) = town.do(friend, "message", type="voice", recognition="存折丢了。")
    assert "/s/lost-passbook" in str(delivery["reply"])


@pytest.mark.parametrize(
    "text",
    ["卡丢了" + "，急" * 700, "<a href='https://evil.example'>卡丢了</a>", "卡丢了]]>&lt;\u202e"],
)
def test_long_and_hostile_texts_are_read_for_their_words(
    town: Town, friend: str, text: str
) -> None:
    reply = said(town, friend, text)
    assert "/s/lost-card" in reply
    assert "evil" not in reply


def test_the_answer_is_that_of_the_place(town: Town, friend: str) -> None:
    assert "随申办" in said(town, friend, "公积金余额怎么查")
    town.at(friend, NANJING)
    reply = said(town, friend, "公积金余额怎么查")
    assert "随申办" not in reply
    assert "江苏省分行" in reply


def test_four_deliveries_of_a_text_have_one_answer(town: Town, friend: str) -> None:
    deliveries = town.do(friend, "message", content="信用卡丢了", times=4)
    replies = [delivery["reply"] for delivery in deliveries]
    assert len(replies) == 4
    assert all(reply == replies[0] for reply in replies)


def test_nothing_of_what_was_written_is_kept(town: Town, friend: str) -> None:
    word = f"戊戌辛酉{time.time_ns()}"
    said(town, friend, f"{word}存折不见了")
    said(town, friend, f"{word}转人工")
    with town.wiring.reading() as unit:
        tables = MetaData()
        tables.reflect(unit.db)
        for table in tables.tables.values():
            assert mentions(unit.db, table, "戊戌辛酉") == 0, table.name
