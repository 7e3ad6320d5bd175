"""How a text becomes words: cleaned, cut, taken in pairs."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightservices.knowledge.lexicon import Worth
from lightservices.knowledge.terms import MOST_SIGNS, cleaned, kept, terms_of, widened, words_of


def names(text: str) -> list[str]:
    return [word.name for word in kept(words_of(cleaned(text)))]


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("ＡＴＭ吞卡！！", "atm吞卡"),
        ("銀行卡丟了，怎麼辦？", "银行卡丢了 怎么办"),
        ("/:8*卡丢了[流泪]😭", "卡丢了"),
        ("卡\u200b丢\x00了<script>", "卡 丢 了 script"),
        ("💳丢了", "💳丢了"),
        ("  \n ", ""),
    ],
)  # fmt: skip
def test_what_nobody_sees_or_says_is_cleaned_away(typed: str, plain: str) -> None:
    assert cleaned(typed) == plain


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("银行卡找不着了咋整", ["卡", "丢"]),
        ("💳不见了", ["卡", "丢"]),
        # Whoever takes the longest word first reads 怎么办 here and loses 办一张卡.
        ("怎么办一张银行卡", ["开户"]),
        ("折子弄丢了", ["存折", "丢"]),
        # An amount and a length of time are named, not which.
        ("五万块存三年", ["数额", "存", "期限"]),
        ("麻烦问一下那个年费谢谢", ["年费"]),
        # A city tells where, not what.
        ("深圳的公积金", ["公积金"]),
    ],
)  # fmt: skip
def test_words_that_mean_the_same_are_the_same(typed: str, meant: list[str]) -> None:
    assert names(typed) == meant


def test_a_long_number_is_nobodys_business() -> None:
    assert names("6222020200112233445") == []
    assert "95588" in names("95588")


def test_words_of_daily_life_are_known_as_such() -> None:
    assert any(word.worth is Worth.OUTSIDE for word in words_of("今天天气好"))


def test_words_worth_nothing_do_not_part_a_pair() -> None:
    apart, together = terms_of(words_of("卡在家里丢了")), terms_of(words_of("卡丢了"))
    assert "卡|丢" in together
    assert "丢+卡" in apart
    assert "卡|丢" in terms_of(words_of("卡被我丢了"))


def test_a_credit_card_is_faintly_a_card() -> None:
    words = words_of("信用卡丢了")
    assert "丢+卡" not in terms_of(words)
    assert 0 < widened(words)["丢+卡"] < widened(words)["丢+信用卡"]


@given(st.text(max_size=400))
def test_any_text_can_be_cut_and_nothing_of_it_is_invented(text: str) -> None:
    plain = cleaned(text)
    assert len(plain) <= MOST_SIGNS
    words = words_of(plain)
    unknown = [word.name for word in words if not word.known]
    assert all(name in plain for name in unknown)


@pytest.mark.parametrize("text", ["卡" * 100_000, "z" * 100_000, "万" * 100_000, "[" * 100_000])
def test_a_very_long_text_costs_no_more_than_its_beginning(text: str) -> None:
    began = time.process_time()
    terms_of(words_of(cleaned(text)))
    # Generous, for a machine that is shared; without the limit it would be minutes.
    assert time.process_time() - began < 1
