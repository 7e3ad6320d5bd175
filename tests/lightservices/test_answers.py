"""What the chat answers, within WeChat's limits and with links that lead to our pages."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightservices import answers, catalogue, promotions
from lightservices.knowledge import lines, ready
from regions.branches import BranchCode
from service import clock
from service.happenings import (
    Clicked,
    LocationReported,
    MediaReceived,
    Scanned,
    Subscribed,
    Surface,
    TextReceived,
)
from service.replies import News, Reply, Text
from service.wiring import Unit
from tests.lightservices.conftest import PEOPLES_SQUARE, WHO, stand

LINK = re.compile(r'<a href="http://127\.0\.0\.1:8000(/[^"]+)">[^<>]+</a>')


@pytest.fixture(autouse=True)
def the_index_is_built() -> None:
    assert ready.index(patience=None)


def words(reply: Reply | None) -> str:
    assert isinstance(reply, Text)
    assert len(reply.content.encode()) <= lines.MOST_BYTES
    assert "<" not in LINK.sub("", reply.content)
    return reply.content


def links(reply: Reply | None) -> list[str]:
    return LINK.findall(words(reply))


def click(unit: Unit, key: str) -> Reply | None:
    return answers.clicked(unit, Clicked(WHO, clock.now(), key))


def write(unit: Unit, text: str) -> Reply | None:
    return answers.texted(unit, TextReceived(WHO, clock.now(), text))


@pytest.mark.parametrize("key", catalogue.services())
def test_every_service_answers_a_tap(bank: Unit, key: str) -> None:
    reply = click(bank, f"svc:{key}")
    if key == "promotions":
        assert isinstance(reply, News)
    else:
        assert f"/s/{key}" in links(reply)


@pytest.mark.parametrize("key", ["svc:gone", "other", ""])
def test_a_button_nobody_knows_any_more_leads_to_the_directory(bank: Unit, key: str) -> None:
    assert links(click(bank, key)) == ["/s/directory"]


def test_a_tap_on_promotions_shows_those_of_the_place(bank: Unit) -> None:
    stand(bank, PEOPLES_SQUARE)
    reply = click(bank, "svc:promotions")
    assert isinstance(reply, News)
    assert reply.articles[0].title == "示例优惠｜浦江夜游礼"
    assert reply.articles[0].url.startswith("http://127.0.0.1:8000/p/")
    assert 1 < len(reply.articles) <= answers.MOST_ARTICLES


def test_more_promotions_than_wechat_takes_are_cut_at_eight(bank: Unit) -> None:
    now = clock.now()
    for number in range(12):
        promotions.add(
            bank, branch=BranchCode("HQ"), title=f"第 {number} 项", text="说明",
            starts_at=now - timedelta(1), ends_at=now + timedelta(1),
        )  # fmt: skip
    reply = click(bank, "svc:promotions")
    assert isinstance(reply, News)
    assert len(reply.articles) == answers.MOST_ARTICLES


def test_a_message_gets_one_card_only(bank: Unit) -> None:
    reply = write(bank, "有什么优惠")
    assert isinstance(reply, News)
    assert len(reply.articles) == 1
    assert reply.articles[0].url.endswith("/s/promotions")


def test_no_promotion_is_said_kindly(unit: Unit) -> None:
    assert "暂时没有" in words(click(unit, "svc:promotions"))


@pytest.mark.parametrize(
    ("text", "path"),
    [("我的卡丢了怎么办", "/s/lost-card"), ("忘记密码", "/s/password-reset"),
     ("遇到骗子", "/s/scam-warning"), ("美元汇率", "/s/exchange-rates"),
     ("最近的网点在哪", "/s/outlets"), ("搬家", "/s/moving-house"), ("掛失", "/s/lost-card"),
     ("你们几点下班", "/s/outlets"), ("查余额", "/s/account-balance"), ("网点", "/s/outlets"),
     ("我要投诉", "/s/complaint"), ("客服电话多少", "/s/contact"), ("wodekadiule", "/s/lost-card"),
     ("信用卡丢了", "/s/lost-card"), ("挂施银行卡", "/s/lost-card"), ("开户", "/s/open-account"),
     ("苏州网点旁边卡丢了", "/s/lost-card")],
)  # fmt: skip
def test_plain_words_find_the_service(bank: Unit, text: str, path: str) -> None:
    assert links(write(bank, text))[0] == path


@pytest.mark.parametrize("text", ["天", "a", "1", "asdfgh", "how do you do", "6222020200112233445"])
def test_what_is_not_understood_goes_to_a_person(bank: Unit, text: str) -> None:
    found = links(write(bank, text))
    assert found[:2] == ["/s/directory", "/t/new"]
    assert found[2] in ("/s/my-manager", "/s/contact")


@pytest.mark.parametrize("text", ["今天天气怎么样", "讲个笑话", "茅台股票明天会涨吗"])
def test_what_no_bank_knows_is_not_forced_into_a_service(bank: Unit, text: str) -> None:
    assert links(write(bank, text)) == ["/s/directory", "/s/outlets", "/z/local"]


@pytest.mark.parametrize(
    ("text", "courtesy"),
    [("", "您好！"), (" ", "您好！"), ("😀", "您好！"), ("/:rose", "您好！"), ("[微笑]", "您好！"),
     ("你好呀", "您好！"), ("Hello!", "您好！"), ("谢谢啦", "不客气！"),
     ("再见", "再见"), ("你是机器人吗", "我是示例银行的智能助手小行，是程序，不是真人")],
)  # fmt: skip
def test_a_courtesy_is_returned_and_help_offered(bank: Unit, text: str, courtesy: str) -> None:
    reply = write(bank, text)
    assert words(reply).startswith(courtesy)
    assert links(reply) == ["/s/directory", "/s/outlets", "/z/local"]


def test_a_face_beside_a_question_is_no_greeting(bank: Unit) -> None:
    assert links(write(bank, "/:8*卡丢了[流泪]"))[0] == "/s/lost-card"


@pytest.mark.parametrize("text", ["苏州网点", "切换到苏州", "我在江苏苏州", "苏州市有什么优惠"])
def test_who_names_another_city_is_not_answered_for_this_one(bank: Unit, text: str) -> None:
    stand(bank, PEOPLES_SQUARE)
    reply = write(bank, text)
    assert links(reply) == ["/s/my-city", "/s/directory"]
    assert "您提到了苏州市。现在由上海市分行为您服务" in words(reply)
    assert "选江苏省，再选苏州市" in words(reply)


def test_who_names_a_city_before_we_know_any_is_shown_the_way(bank: Unit) -> None:
    reply = write(bank, "我在苏州")
    assert links(reply) == ["/s/my-city", "/s/directory"]
    assert "总行" not in words(reply)


def test_who_names_their_own_city_is_answered_there(bank: Unit) -> None:
    stand(bank, PEOPLES_SQUARE)
    assert links(write(bank, "上海网点"))[0] == "/o/SYN-310101-01"
    assert words(write(bank, "我在上海")).startswith("现在由上海市分行为您服务")


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(st.text(max_size=600))
def test_any_text_gets_an_answer_within_the_limits(bank: Unit, text: str) -> None:
    reply = write(bank, text)
    assert isinstance(reply, News) or words(reply)


def test_an_urgent_guide_gives_the_number_first(bank: Unit) -> None:
    text = words(click(bank, "svc:lost-card"))
    assert text.index("客服热线：见本行银行卡背面") < text.index("第一步 ")


def test_every_guide_gives_the_number(bank: Unit) -> None:
    assert "客服热线：见本行银行卡背面" in words(click(bank, "svc:password-reset"))


def test_the_greeting_names_bank_and_branch_and_asks_for_the_place(bank: Unit) -> None:
    greet = Subscribed(WHO, clock.now())
    assert "总行" in words(answers.welcomed(bank, greet))
    stand(bank, PEOPLES_SQUARE)
    reply = answers.welcomed(bank, greet)
    assert "示例银行" in words(reply)
    assert "上海市分行" in words(reply)
    assert links(reply) == ["/s/my-city", "/z/local", "/s/directory"]


def test_head_office_is_not_named_twice_for_not_knowing_better(bank: Unit) -> None:
    text = words(answers.welcomed(bank, Subscribed(WHO, clock.now())))
    assert text.count("总行") == 1


def test_a_place_is_answered_with_its_branch_and_three_outlets(bank: Unit) -> None:
    stand(bank, PEOPLES_SQUARE)
    fact = LocationReported(WHO, clock.now(), *PEOPLES_SQUARE, None, Surface.MESSAGE)
    reply = answers.located(bank, fact)
    assert "上海市分行" in words(reply)
    assert [path for path in links(reply) if path.startswith("/o/")] == [
        "/o/SYN-310101-01", "/o/SYN-310101-02", "/o/SYN-310115-01",
    ]  # fmt: skip


def test_a_place_abroad_is_not_taken_for_the_one_before(bank: Unit) -> None:
    stand(bank, PEOPLES_SQUARE)
    tokyo = LocationReported(WHO, clock.now(), 35.68, 139.76, None, Surface.MESSAGE)
    reply = answers.located(bank, tokyo)
    assert words(reply).startswith("您发送的位置不在我们的服务范围内。\n现在由上海市分行为您服务")
    assert links(reply) == ["/z/local", "/s/my-city"]


def test_the_location_event_gets_no_answer(bank: Unit) -> None:
    fact = LocationReported(WHO, clock.now(), *PEOPLES_SQUARE, None, Surface.EVENT)
    assert answers.located(bank, fact) is None


def test_a_tap_on_outlets_lists_the_nearest_once_the_place_is_known(bank: Unit) -> None:
    assert links(click(bank, "svc:outlets")) == ["/s/outlets"]
    assert "把“位置”发给我" in words(click(bank, "svc:outlets"))
    stand(bank, PEOPLES_SQUARE)
    assert links(click(bank, "svc:outlets"))[0] == "/o/SYN-310101-01"
    # From the middle of a cell of a kilometre no distance is exact.
    assert "按您大致的位置" in words(click(bank, "svc:outlets"))


@pytest.mark.parametrize(
    ("fact", "path"),
    [
        (MediaReceived(WHO, clock.now(), "voice", "卡丢了"), "/s/lost-card"),
        (MediaReceived(WHO, clock.now(), "image"), "/s/directory"),
    ],
)
def test_a_voice_is_read_and_a_picture_is_not(bank: Unit, fact: MediaReceived, path: str) -> None:
    assert links(answers.media(bank, fact))[0] == path


def test_a_scan_is_greeted_by_the_branch(bank: Unit) -> None:
    reply = answers.scanned(bank, Scanned(WHO, clock.now(), "branch_B310000"))
    assert links(reply)[0] == "/z/local"


def test_an_editors_words_cannot_open_a_link_of_their_own(bank: Unit) -> None:
    found = lines.link(bank, "/o/1", '<a href="https://evil.example">礼品</a>')
    assert LINK.fullmatch(found)
