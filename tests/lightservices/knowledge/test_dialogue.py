"""What the chat says, in which order, and that it keeps nothing of what was said to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY

from lightservices import answers, catalogue
from lightservices.catalogue import own
from lightservices.knowledge import lines
from lightservices.knowledge.index import Index
from regions import presence
from service import clock
from service.happenings import Fact, MediaReceived, TextReceived
from service.replies import HandOver, Text
from service.wiring import Unit
from tests.lightservices.conftest import PEOPLES_SQUARE, WHO, XUANWU, stand
from tests.lightservices.knowledge.test_ready import OWN

LINK = re.compile(r'<a href="http://127\.0\.0\.1:8000(/[^"]+)">([^<>]+)</a>')

pytestmark = pytest.mark.usefixtures("index")


def said(unit: Unit, text: str) -> str:
    reply = answers.texted(unit, TextReceived(WHO, clock.now(), text))
    assert isinstance(reply, Text)
    assert len(reply.content.encode()) <= lines.MOST_BYTES
    assert "<" not in LINK.sub("", reply.content)
    return reply.content


def links(content: str) -> list[str]:
    return [path for path, _words in LINK.findall(content)]


@contextmanager
def counted(outcome: str) -> Iterator[None]:
    """The outcome is counted once within the block."""

    def total() -> float:
        labels = {"outcome": outcome}
        return REGISTRY.get_sample_value("account_texts_answered_total", labels) or 0

    before = total()
    yield
    assert total() == before + 1


def test_an_answer_names_its_source_and_the_rule_behind_it(bank: Unit) -> None:
    stand(bank, PEOPLES_SQUARE)
    with counted("answer"):
        content = said(bank, "人去世了几千块小额存款继承怎么取不用公证")
    service = catalogue.services()["small-inheritance"]
    assert links(content)[0] == service.path
    assert "以上是上海市分行的“小额遗产简化取”" in content
    assert service.legal[0].source in content
    assert f"第一步 {service.steps[0].title}" in content


def test_steps_and_what_can_be_chosen_do_not_look_alike(bank: Unit) -> None:
    content = said(bank, "银行卡丢了怎么办")
    steps = catalogue.services()["lost-card"].steps
    numbered = [line for line in content.splitlines() if re.match(r"\d+\.", line)]
    also = content.split("回复数字就能看")[1].splitlines()[1:]
    assert numbered == also
    assert "第三步 " in content
    assert f"……后面还有 {len(steps) - 3} 步" in content
    # Whoever answers with the words of a step is not taken to choose.
    with counted("nothing"):
        said(bank, "第二步")


def test_candidates_say_that_a_number_is_an_answer(bank: Unit) -> None:
    first, *rest = said(bank, "限额").splitlines()
    assert "回复数字" in first
    assert [line[:3] for line in rest[:3]] == ["1. ", "2. ", "3. "]


def test_no_follower_is_asked_to_fill_in_the_number_to_call(bank: Unit) -> None:
    for asked in (
        "我刚被骗了五万块怎么办",
        "银行卡丢了怎么办",
        "那个那个",
        "今天天气怎么样",
        "转人工",
    ):
        content = said(bank, asked)
        assert "客服热线：见本行银行卡背面" in content, asked
        assert "请填写客服热线" not in content
        assert "HOTLINE" not in content


def test_a_question_about_the_fee_is_told_the_fee(bank: Unit) -> None:
    assert "费用：" in said(bank, "银行卡丢了补办要多少钱")
    assert "费用：" not in said(bank, "银行卡丢了怎么办")
    assert "要带的材料：" in said(bank, "挂失补卡要带什么")


def test_a_gap_in_the_content_stays_marked_without_its_paper(bank: Unit) -> None:
    content = said(bank, "银行卡丢了补办要多少钱")
    assert "【请填写：收费标准】" in content
    assert "来源：" not in content


def test_what_may_be_several_things_is_listed_to_be_tapped(bank: Unit) -> None:
    with counted("candidates"):
        content = said(bank, "限额")
    found = links(content)
    assert {"/s/card-limit", "/s/online-limit"} <= set(found[:3])
    assert found[-2:] == ["/t/new", "/s/directory"]


def test_what_is_no_business_of_a_bank_is_said_plainly(bank: Unit) -> None:
    with counted("outside"):
        content = said(bank, "今天天气怎么样")
    assert content.startswith("这个我不懂")
    assert links(content) == ["/s/directory", "/s/outlets", "/z/local"]


def test_what_is_not_understood_goes_to_people(bank: Unit) -> None:
    with counted("nothing"):
        content = said(bank, "那个那个")
    assert links(content)[:2] == ["/s/directory", "/t/new"]
    assert "客服热线" in content


@pytest.mark.parametrize(("hour", "is_told"), [(15, True), (4, False)])
def test_at_night_nobody_is_promised_a_quick_answer(
    bank: Unit, monkeypatch: pytest.MonkeyPatch, hour: int, is_told: bool
) -> None:
    at = datetime(2026, 3, 2, hour, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: at)
    assert ("现在是夜里" in said(bank, "那个那个")) is is_told


def test_danger_is_answered_with_numbers_before_anything_else(bank: Unit) -> None:
    with counted("danger"):
        content = said(bank, "我刚被骗了五万块怎么办呀谢谢")
    first = content.splitlines()[0]
    assert "110" in first
    assert "96110" in first
    assert content.index("客服热线") < content.index("<a ")
    assert links(content)[0] == "/s/scam-warning"


def test_a_voice_in_danger_is_heard_as_well(bank: Unit) -> None:
    voice = MediaReceived(WHO, clock.now(), "voice", "喂我的卡被盗刷了三千块钱。")
    reply = answers.media(bank, voice)
    assert isinstance(reply, Text)
    assert "锁卡或挂失" in reply.content.splitlines()[0]
    assert "96110" in reply.content.splitlines()[1]


def test_a_voice_nobody_made_out_is_asked_for_again(bank: Unit) -> None:
    heard = answers.media(bank, MediaReceived(WHO, clock.now(), "voice", " "))
    seen = answers.media(bank, MediaReceived(WHO, clock.now(), "image"))
    assert isinstance(heard, Text)
    assert isinstance(seen, Text)
    assert "没听清" in heard.content
    assert "看不了图片" in seen.content


def test_whoever_wants_a_person_is_not_kept_by_a_program(bank: Unit) -> None:
    with counted("person"):
        reply = answers.texted(bank, TextReceived(WHO, clock.now(), "转人工"))
    assert isinstance(reply, HandOver) or "/t/new" in said(bank, "转人工")


def test_danger_goes_before_a_wish_for_a_person(bank: Unit) -> None:
    assert "110" in said(bank, "我被骗了快转人工").splitlines()[0]


def test_what_holds_in_a_place_is_told_to_those_who_are_there(bank: Unit) -> None:
    question = "公积金余额怎么查"
    stand(bank, PEOPLES_SQUARE)
    assert "在上海市分行：随申办" in said(bank, question)
    presence.forget(bank, Fact(WHO, clock.now()))  # type: ignore[arg-type]  # any fact about them
    stand(bank, XUANWU)
    assert "随申办" not in said(bank, question)


def test_a_branchs_own_service_answers_its_own_followers(bank: Unit) -> None:
    own.put(bank, branch="B310000", content=OWN)
    stand(bank, PEOPLES_SQUARE)
    assert links(said(bank, "夜宵专车怎么约"))[0] == "/s/b310000-night-bus"
    presence.forget(bank, Fact(WHO, clock.now()))  # type: ignore[arg-type]  # any fact about them
    assert "/s/b310000-night-bus" not in said(bank, "夜宵专车怎么约")


@pytest.mark.parametrize(
    "text",
    ["<a href='https://evil.example'>卡丢了</a>", "卡丢了\x00\x1b[31m\u202e",
     "卡丢了" + "啊" * 3000, "{name}{0.__class__}卡丢了", "'; DROP TABLE followers; -- 卡丢了",
     "]]>卡丢了"],
)  # fmt: skip
def test_hostile_text_is_read_for_its_words_alone(bank: Unit, text: str) -> None:
    content = said(bank, text)
    assert links(content)[0] == "/s/lost-card"
    assert "evil" not in content
    assert "DROP" not in content


def test_nothing_of_what_was_written_is_said_back_linked_or_logged(
    bank: Unit, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "张小明13812345678"
    for text in (f"{secret}那个那个", f"{secret}卡丢了", f"{secret}被骗了", f"{secret}转人工"):
        reply = answers.texted(bank, TextReceived(WHO, clock.now(), text))
        assert "张小明" not in str(reply)
        assert "%E5%BC%A0" not in str(reply)
    heard = capsys.readouterr()
    assert "张小明" not in heard.out + heard.err


def test_no_answer_is_lost_while_the_index_is_being_built(
    bank: Unit, monkeypatch: pytest.MonkeyPatch, index: Index
) -> None:
    from lightservices.knowledge import ready

    monkeypatch.setattr(ready, "index", lambda: None)
    assert links(said(bank, "卡片挂失"))[0] == "/s/lost-card"


def test_an_editors_brackets_open_nothing(bank: Unit) -> None:
    content = OWN | {"summary": '<a href="https://evil.example">礼品</a>'}
    own.put(bank, branch="B310000", content=content)
    stand(bank, PEOPLES_SQUARE)
    assert "＜a href" in said(bank, "夜宵专车怎么约")


def test_the_mascots_name_is_the_banks_to_choose(bank: Unit) -> None:
    wiring = replace(bank.wiring, settings=replace(bank.settings, bot_name="小京"))
    assert "小京" in said(Unit(bank.db, wiring), "你是谁")
