"""Search: as written, in either script, in pinyin, by its questions, with a slip of the hand."""

from __future__ import annotations

import pytest

from lightservices import catalogue, finding, pinyin
from lightservices.pages.directory import marked
from tests.lightservices.conftest import Site


def first(text: str) -> str:
    found = finding.find(catalogue.services().values(), text)
    return found[0].key if found else ""


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("卡片挂失", "lost-card"),
        ("我的卡丢了怎么办", "lost-card"),
        ("附近网点", "outlets"),
        # Traditional.
        ("卡片掛失", "lost-card"),
        ("附近網點", "outlets"),
        # Whole pinyin, half of it, initials, capitals, with blanks.
        ("kapianguashi", "lost-card"),
        ("fujinwang", "outlets"),
        ("fjwd", "outlets"),
        ("Fu Jin Wang Dian", "outlets"),
        ("mimachongzhi", "password-reset"),
        # As a southern tongue types it.
        ("kapianguasi", "lost-card"),
        # A sign that sounds alike, one wrong, one missing, two exchanged.
        ("卡片挂施", "lost-card"),
        ("防骗题醒", "scam-warning"),
        ("附近网店", "outlets"),
        ("开通手机银形", "mobile-bank"),
        ("外汇牌家", "exchange-rates"),
        # A question that people ask.
        ("转账被骗了还能追回来吗", "scam-warning"),
    ],
)  # fmt: skip
def test_what_was_typed_brings_what_was_meant(typed: str, key: str) -> None:
    assert first(typed) == key


@pytest.mark.parametrize("typed", ["", "  ", "qqqqwwzz", "？！", "\x00", "𠮷𠮷𠮷"])
def test_nonsense_finds_nothing(typed: str) -> None:
    assert first(typed) == ""


def test_a_long_text_costs_no_more_than_its_beginning() -> None:
    assert first("卡片挂失" + "啊" * 5000) == "lost-card"
    assert first("z" * 5000) == ""


def test_a_word_that_no_reader_sees_is_named() -> None:
    hit = finding.search(catalogue.services().values(), "不见了")[0]
    assert hit.unseen in hit.service.words
    assert not finding.search(catalogue.services().values(), "卡片挂失")[0].unseen


@pytest.mark.parametrize(
    ("asked", "term", "end"),
    [("yinhang", "银行", 2), ("yh", "银行", 2), ("yhang", "银行", 2), ("guash", "挂失", 2),
     ("chongzhi", "重置", 2), ("zhongliang", "重置", None), ("etc", "etc", 3)],
)  # fmt: skip
def test_signs_are_read_whole_by_initials_or_half(asked: str, term: str, end: int | None) -> None:
    assert pinyin.end(asked, term, 0) == end


def test_the_readings_are_those_of_the_dictionary() -> None:
    assert pinyin.made() == pinyin.READINGS.read_text("utf-8")


def test_what_was_found_is_marked_and_nothing_else_is_markup() -> None:
    assert marked("卡片挂失", ("挂失",)) == "卡片<mark>挂失</mark>"
    assert marked("<b>挂失</b>", ("挂失",)) == "&lt;b&gt;<mark>挂失</mark>&lt;/b&gt;"
    assert marked("İstanbul 卡", ("卡",)) == "İstanbul 卡"


def test_the_directory_searches_without_a_script(site: Site) -> None:
    client = site.visitor()
    found = client.get("/s/directory?q=guashi").text
    assert 'href="/s/lost-card"' in found
    assert "卡片<mark>挂失</mark>" in found
    nothing = client.get("/s/directory", query_string={"q": "<script>qq"}).text
    assert "没有找到“&lt;script&gt;qq”" in nothing
    assert "查看全部服务" in nothing


def test_the_directory_shows_every_service_by_situation_and_by_class(site: Site) -> None:
    client = site.visitor()
    start = client.get("/s/directory").text
    by_class = "".join(
        client.get(f"/s/directory?class={slug}").text for slug in ("account", "business", "advice")
    )
    for service in catalogue.services().values():
        if service.key == "directory" or service.availability.branches:
            continue
        assert f">{service.scenario}</span>" in start
        assert f'href="{service.path}"' in by_class
    one = client.get("/s/directory", query_string={"scenario": "急用求助"}).text
    assert 'href="/s/lost-card"' in one
    assert 'href="/s/outlets"' not in one.split("<main")[1].split("</main>")[0]
