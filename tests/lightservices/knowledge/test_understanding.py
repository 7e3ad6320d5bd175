"""What a text asks for: one service, a few, or nothing that is ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from benchmarks import answers as benchmark
from lightservices.catalogue import Service
from lightservices.knowledge.index import Index
from lightservices.knowledge.understanding import MOST, Outcome, understand

Offered = Mapping[str, Service]


def test_a_clear_question_has_one_answer_first(index: Index, offered: Offered) -> None:
    found = understand(index, "银行卡丢了怎么办", offered=offered)
    assert (found.outcome, found.services[0].key) == (Outcome.ANSWER, "lost-card")


def test_what_may_be_several_things_is_asked_back(index: Index, offered: Offered) -> None:
    found = understand(index, "限额", offered=offered)
    assert found.outcome is Outcome.CANDIDATES
    assert {"card-limit", "online-limit"} <= {one.key for one in found.services}


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("今天天气怎么样", Outcome.OUTSIDE), ("给我写一首诗", Outcome.OUTSIDE),
        ("", Outcome.NOTHING), ("嗯", Outcome.NOTHING), ("asdfghjkl", Outcome.NOTHING),
        ("6222020200112233445", Outcome.NOTHING), ("how are you doing", Outcome.NOTHING),
        ("\x00\u202e<a href=x>", Outcome.NOTHING), ("𠮷𠮷𠮷", Outcome.NOTHING),
    ],
)  # fmt: skip
def test_what_is_not_ours_gets_no_service(
    index: Index, offered: Offered, text: str, outcome: Outcome
) -> None:
    found = understand(index, text, offered=offered)
    assert (found.outcome, found.services) == (outcome, ())


@pytest.mark.parametrize(
    ("typed", "key"),
    [("guashi", "lost-card"), ("wodekadiule", "lost-card"), ("guasi", "lost-card"),
     ("wang dian", "outlets"), ("挂施银行卡", "lost-card"), ("掛失", "lost-card"),
     ("信用卡丢了", "lost-card")],
)  # fmt: skip
def test_pinyin_slips_and_the_other_script_are_understood(
    index: Index, offered: Offered, typed: str, key: str
) -> None:
    assert understand(index, typed, offered=offered).services[0].key == key


@pytest.mark.parametrize(
    ("text", "guide", "form"),
    [("开户", "open-account", "open-account-booking"),
     ("办卡", "open-account", "open-account-booking"),
     ("我要开户", "open-account", "open-account-booking"),
     ("信用卡", "credit-card-apply", "credit-card-callback")],
)  # fmt: skip
def test_the_form_of_a_service_stands_next_to_it(
    index: Index, offered: Offered, text: str, guide: str, form: str
) -> None:
    found = understand(index, text, offered=offered)
    assert [one.key for one in found.services[:2]] == [guide, form]
    assert len(found.services) <= MOST


def test_a_form_that_is_closed_here_is_no_candidate(index: Index, offered: Offered) -> None:
    fewer = {key: one for key, one in offered.items() if key != "open-account-booking"}
    found = understand(index, "开户", offered=fewer)
    assert "open-account-booking" not in [one.key for one in found.services]


def test_a_service_that_is_not_offered_here_is_never_an_answer(
    index: Index, offered: Offered
) -> None:
    fewer = {key: one for key, one in offered.items() if key != "lost-card"}
    found = understand(index, "银行卡丢了怎么办", offered=fewer)
    assert "lost-card" not in [one.key for one in found.services]


def test_a_branchs_own_service_is_found_and_worded_by_it(index: Index, offered: Offered) -> None:
    pattern = offered["lost-card"]
    own = replace(
        pattern, key="b310000-night-bus", title="夜宵专车", summary="看完演出送您回家",
        words=("夜宵专车", "专车接送"), asks=("夜宵专车怎么约",), steps=(), owner="B310000",
    )  # fmt: skip
    here = {**offered, own.key: own}
    found = understand(index, "夜宵专车怎么约", offered=here, own=[index.entry(own)])
    assert found.services[0] is own
    assert understand(index, "夜宵专车怎么约", offered=offered).services[:1] != (own,)


def test_what_the_branch_says_is_what_is_told(index: Index, offered: Offered) -> None:
    local = replace(offered["fund-query"], notes=("本地说明",))
    found = understand(index, "公积金余额怎么看", offered={**offered, "fund-query": local})
    assert found.services[0] is local


@pytest.mark.parametrize(
    ("text", "name", "key"),
    [
        ("我被骗了两万块", "scam", "scam-warning"),
        ("群里刷单返利我上当了", "scam", "rebate-scam"),
        ("卡被盗刷了三千", "stolen", "unknown-charge"),
        ("在国外卡被盗刷", "stolen", "overseas-lost-card"),
        ("钱转错人了", "wrong", "wrong-transfer"),
        ("让我转到安全账户", "scam-call", "scam-warning"),
    ],
)
def test_danger_goes_before_everything(
    index: Index, offered: Offered, text: str, name: str, key: str
) -> None:
    found = understand(index, text, offered=offered)
    assert found.danger is not None
    assert (found.danger.name, found.services[0].key) == (name, key)


@pytest.mark.parametrize("text", ["怎么防止被骗", "怕被骗怎么办", "怎么避免卡被盗刷", "卡丢了"])
def test_whoever_only_asks_how_to_beware_is_not_alarmed(
    index: Index, offered: Offered, text: str
) -> None:
    assert understand(index, text, offered=offered).danger is None


def test_somebody_in_despair_is_given_people_and_no_service(index: Index, offered: Offered) -> None:
    found = understand(index, "欠了好多钱不想活了", offered=offered)
    assert found.danger is not None
    assert found.services == ()
    assert "12356" in "".join(found.danger.says)


def test_the_questions_it_was_tuned_on_stay_answered() -> None:
    path = benchmark.QUESTIONS.with_name("dev_questions.yaml")
    figures = benchmark.measure(benchmark.read(path))["ours"].figures()
    assert figures["top1"] >= 0.85
    assert figures["top3"] >= 0.94
    assert figures["rejection"] >= 0.85
