"""How the account speaks: courtesies are returned, nights are told, questions have sides."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from config import Settings
from lightservices.knowledge import persona

SETTINGS = Settings(bot_name="小招", bank_name="某某银行")


@pytest.mark.parametrize("text", ["谢谢", "谢谢啦", "好的谢谢", "OK", "辛苦了！", "知道了哦"])
def test_thanks_are_returned(text: str) -> None:
    assert persona.courtesy(SETTINGS, text) == "不客气！"


@pytest.mark.parametrize("text", ["你好", "您好！", "在吗？", "晚上好呀", "Hi", "[微笑]", "", "😀"])
def test_greetings_are_returned(text: str) -> None:
    assert persona.courtesy(SETTINGS, text) == "您好！"


@pytest.mark.parametrize("text", ["你是谁", "你是真人吗", "你叫什么名字呀"])
def test_nobody_is_told_that_a_program_is_a_person(text: str) -> None:
    said = persona.courtesy(SETTINGS, text)
    assert "某某银行" in said
    assert "小招" in said
    assert "不是真人" in said


@pytest.mark.parametrize("text", ["谢谢，卡丢了怎么办", "你好我要挂失", "再见的礼怎么领", "{name}"])
def test_a_courtesy_beside_a_question_is_none(text: str) -> None:
    assert persona.courtesy(SETTINGS, text) == ""


@pytest.mark.parametrize(
    ("hour_in_china", "night"), [(21, False), (22, True), (3, True), (7, True), (8, False)]
)
def test_night_is_night_in_china(hour_in_china: int, night: bool) -> None:
    at = datetime(2026, 3, 2, (hour_in_china - 8) % 24, tzinfo=UTC)
    assert persona.is_night(at) is night


def test_a_question_has_sides() -> None:
    assert [facet.field for facet in persona.facets_in("补卡要多久多少钱")] == ["fee", "time"]
    assert persona.facets_in("卡丢了") == []
