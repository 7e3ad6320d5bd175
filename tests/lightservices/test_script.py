"""Simplified and Traditional: who gets which, and that nothing but what people read is changed."""

from __future__ import annotations

import re

import opencc
import pytest

from lightservices import catalogue, characters
from lightservices.pages import script
from tests.lightservices.conftest import WHO, Site


@pytest.mark.parametrize(
    ("cookie", "languages", "wants"),
    [
        (None, ["zh-CN"], False), (None, ["zh-TW", "zh"], True), (None, ["en", "zh-HK"], True),
        (None, ["zh-Hant-CN"], True), (None, ["zh-CN", "zh-TW"], False), (None, [], False),
        ("hant", ["zh-CN"], True), ("hans", ["zh-HK"], False), ("<x>", ["zh-MO"], True),
    ],
)  # fmt: skip
def test_the_choice_goes_before_the_phone_s_language(
    cookie: str | None, languages: list[str], wants: bool
) -> None:
    assert script.wants_traditional(cookie, languages) is wants


def test_only_what_people_read_is_converted() -> None:
    page = (
        '<a href="/s/directory?q=银行" class="银行" aria-label="银行页面">银行后台</a>'
        '<input placeholder="卡丢了" value="银行"><textarea name="a">银行</textarea>'
    )
    assert script.converted(page) == (
        '<a href="/s/directory?q=银行" class="银行" aria-label="銀行頁面">銀行後台</a>'
        '<input placeholder="卡丟了" value="银行"><textarea name="a">银行</textarea>'
    )
    assert script.converted("<p>plain</p>") == "<p>plain</p>"


def test_the_pack_reads_as_opencc_writes_for_hong_kong() -> None:
    whole = "".join(path.read_text("utf-8") for path in sorted(catalogue.PACK.glob("*.yaml")))
    assert characters.traditional(whole) == opencc.OpenCC("s2hk").convert(whole)


def test_the_switch_turns_every_page_and_back(site: Site) -> None:
    client = site.visitor(openid=WHO)
    plain = client.get("/s/lost-card").text
    assert "&#32321;&#39636;" in plain
    answer = client.post("/visit/script", data={"to": "hant", "next": "/s/lost-card"})
    assert (answer.status_code, answer.location) == (303, "/s/lost-card")
    turned = client.get("/s/lost-card").text
    assert 'lang="zh-HK"' in turned
    assert "卡片掛失" in turned
    assert "卡片挂失" not in turned
    links = re.compile(r'(?:href|action|value|class)="([^"]*)"')
    swapped = turned.replace('value="hans"', 'value="hant"')
    assert links.findall(swapped) == links.findall(plain)
    client.post("/visit/script", data={"to": "hans"})
    assert client.get("/s/lost-card").text == plain


def test_a_phone_that_reads_traditional_gets_it_at_once(site: Site) -> None:
    client = site.visitor()
    asked = {"Accept-Language": "zh-TW,zh;q=0.9"}
    assert "附近網點" in client.get("/s/outlets", headers=asked).text
    assert "附近网点" in client.get("/s/outlets", headers={"Accept-Language": "zh-CN"}).text
    assert (
        "找不到" in client.get("/s/nothing", headers=asked).text
        or "頁面" in client.get("/s/nothing", headers=asked).text
    )


def test_a_script_nobody_reads_is_not_chosen(site: Site) -> None:
    client = site.visitor()
    answer = client.post("/visit/script", data={"to": "latin", "next": "https://evil.example/"})
    assert (answer.status_code, answer.location) == (303, "/z/local")
    assert "script=" not in answer.headers.get("Set-Cookie", "")


def test_the_part_of_a_page_comes_in_the_same_script(site: Site) -> None:
    client = site.visitor(openid=WHO)
    client.set_cookie("script", "hant")
    told = client.post(
        "/visit/place", json={"latitude": 31.2304, "longitude": 121.4737, "accuracy": 10}
    ).get_json()
    assert "網點" in told["outlets"]
    assert "切換城市" in told["line"]
