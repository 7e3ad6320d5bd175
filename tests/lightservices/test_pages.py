"""Every page: served, light, safe, readable without a script, with a way on when it is gone."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from sqlalchemy import text

from lightservices import zones
from lightservices.pages.assets import shelf
from regions.branches import BranchCode
from service import clock
from tests.lightservices.conftest import WHO, Site

#: One of each kind of page; test_crawl.py opens every service.
PATHS = [
    "/s/lost-card", "/s/outlets", "/s/exchange-rates", "/s/promotions", "/s/my-city",
    "/s/directory", "/s/directory?class=business", "/s/directory?scenario=生活缴费",
    "/z/local", "/z/yuehui-modu", "/z/liyu-jiangsu", "/p/1", "/o/SYN-310101-01",
    "/s/directory?q=卡丢了", "/s/my-city?province=320000", "/s/outlets?county=310115",
    "/s/loan-calculator?amount=100&years=30&rate=3.1&method=equal-principal",
    "/s/deposit-calculator?amount=10000&months=12&rate=1",
]  # fmt: skip


class Reader(HTMLParser):
    """What a page loads, and whether anything in it is inline."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inline += [name for name in given if name.startswith("on") and name != "on"]
        self.inline += [name for name in given if name == "style"]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        if tag in ("script", "img") and given.get("src"):
            self.loads.append(given["src"] or "")
        if tag == "link" and not (given["href"] or "").startswith("data:"):
            self.loads.append(given["href"] or "")


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_light_and_has_nothing_inline(site: Site, path: str) -> None:
    client = site.visitor(openid=WHO)
    answer = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["Content-Encoding"] == "gzip"
    html = gzip.decompress(answer.data).decode()
    seen = Reader(html)
    assert not seen.inline
    # The page itself and, where the script asks WeChat for something, the signature.
    assert len(seen.loads) + 1 + ("data-wx" in html) <= 6
    ours = sum(len(one.gzipped) for name, one in shelf().items() if name != "share.png")
    assert len(answer.data) + ours <= 60 * 1024
    assert "分行" in html or "总行" in html
    assert "大字版" in html
    assert "切换城市" in html
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_our_own_script_is_small() -> None:
    assert len(shelf()["page.js"].body) <= 10 * 1024


def test_a_page_is_asked_for_again_and_comes_only_if_it_changed(site: Site) -> None:
    client = site.visitor(openid=WHO)
    first = client.get("/s/lost-card")
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert {"Cookie", "Accept-Encoding", "Accept-Language"} <= set(first.vary)
    again = client.get("/s/lost-card", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    elsewhere = site.visitor(city="320500")
    moved = elsewhere.get("/s/lost-card", headers={"If-None-Match": first.headers["ETag"]})
    assert moved.status_code == 200


def test_an_asset_is_kept_for_ever_under_its_digest_alone(site: Site) -> None:
    client = site.visitor()
    for name, asset in shelf().items():
        served = client.get(asset.path, headers={"Accept-Encoding": "gzip"})
        assert gzip.decompress(served.data) == asset.body
        assert "immutable" in served.headers["Cache-Control"]
        stale = client.get(f"/assets/0000/{name}")
        assert (stale.data, stale.headers["Cache-Control"]) == (asset.body, "no-cache")
    assert client.get("/assets/0000/config.py").status_code == 404
    assert client.get("/assets/0000/..%2f..%2fconfig.py").status_code == 404


def test_an_asset_that_caches_share_carries_nobodys_cookie(site: Site) -> None:
    client = site.visitor(openid=WHO, _permanent=True)
    for asset in shelf().values():
        served = client.get(asset.path)
        assert "public" in served.headers["Cache-Control"]
        assert "Set-Cookie" not in served.headers
        assert "Cookie" not in served.headers["Vary"]


@pytest.mark.parametrize("path", ["/s//outlets", "//s/outlets", "/z//local", "//wechat"])
def test_no_answer_names_the_host_that_a_request_claims(site: Site, path: str) -> None:
    answer = site.visitor().get("http://evil.example/", environ_overrides={"PATH_INFO": path})
    assert answer.status_code in (200, 404)
    assert "Location" not in answer.headers


def test_the_sample_rates_are_called_a_sample_on_their_pages(site: Site) -> None:
    for key in ("exchange-rates", "deposit-rates", "loan-rates"):
        page = site.visitor().get(f"/s/{key}").text
        assert "本行还没有公布数字" in page
        assert "请以网点公布为准" in page
        table = page[page.index("<tbody>") : page.index("</tbody>")]
        figures = re.findall(r"<td>(.*?)</td>", table)
        assert set(figures) == {'<span class="sample">示例</span>'}
        assert "%" not in table


def test_the_loan_calculator_answers_without_a_script(site: Site) -> None:
    page = site.visitor().get("/s/loan-calculator?amount=1,00&years=30&rate=4.9").text
    assert "5,307.27" in page
    assert "第 30 年" in page


@pytest.mark.parametrize(
    ("query", "fault"),
    [("amount=x&years=30&rate=3", "应填数字"), ("years=30&rate=3", "请填写这一项"),
     ("amount=10&years=99&rate=3", "应在 1 到 30 年之间"),
     ("amount=NaN&years=3&rate=3", "应填数字"),
     ("amount=<script>&years=3&rate=3", "&lt;script&gt;"),
     ("amount=1e9999999&years=3&rate=3", "应在")],
)  # fmt: skip
def test_a_form_says_what_to_mend_and_keeps_what_was_typed(
    site: Site, query: str, fault: str
) -> None:
    page = site.visitor().get(f"/s/loan-calculator?{query}").text
    assert fault in page
    assert 'class="figure"' not in page


def test_the_deposit_calculator_answers_without_a_script(site: Site) -> None:
    page = site.visitor().get("/s/deposit-calculator?amount=10000&months=24&rate=1.5").text
    assert "300.00" in page
    assert "请选择存期" not in page


def test_outlets_are_listed_by_distance_for_a_follower_and_by_county_for_a_city(site: Site) -> None:
    by_distance = site.visitor(openid=WHO).get("/s/outlets").text
    found = re.findall(r'href="/o/(SYN-[\d-]+)"', by_distance)
    assert found[:3] == ["SYN-310101-01", "SYN-310101-02", "SYN-310115-01"]
    by_city = site.visitor(city="310000").get("/s/outlets?county=310115").text
    assert re.findall(r'href="/o/(SYN-[\d-]+)"', by_city) == ["SYN-310115-01"]
    nowhere = site.visitor().get("/s/outlets").text
    assert "选择城市" in nowhere


def test_a_sample_outlet_warns_and_has_no_number_to_dial(site: Site) -> None:
    page = site.visitor().get("/o/SYN-310101-01").text
    assert "这是示例网点，并不存在" in page
    assert 'href="tel:' not in page


def test_a_zone_of_another_branch_says_so_and_shows_its_own_promotions(site: Site) -> None:
    page = site.visitor(openid=WHO).get("/z/liyu-jiangsu").text
    assert "您正在看江苏省分行的专区" in page
    assert "水韵江苏文旅礼" in page
    assert "浦江夜游礼" not in page


def test_a_zone_that_is_over_leads_to_the_visitors_own(site: Site) -> None:
    past = clock.now() - timedelta(days=1)
    over = zones.Zone(
        "over", "往年专区", "", BranchCode("B310000"), (), past, past + timedelta(1, -1)
    )
    with site.wiring.unit() as unit:
        zones.put(unit, over)
    site.wiring.shelf.clear()
    page = site.visitor(openid=WHO).get("/z/over").text
    assert "现在没有开放" in page
    assert 'href="/z/local"' in page


@pytest.mark.parametrize("path", ["/s/nothing", "/z/nowhere", "/p/999999", "/o/none", "/s/a/b"])
def test_a_page_that_is_not_there_has_a_way_on(site: Site, path: str) -> None:
    answer = site.visitor().get(path)
    assert answer.status_code == 404
    assert 'href="/s/directory"' in answer.text


def test_a_browser_finds_a_way_on_from_any_address(site: Site) -> None:
    answer = site.visitor().get("/nothing", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 404
    assert 'href="/s/directory"' in answer.text


def test_other_addresses_keep_the_plain_answer(site: Site) -> None:
    answer = site.visitor().get("/nothing", headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert answer.is_json


def test_a_fault_in_the_database_leaves_the_telephone_on_the_page(site: Site) -> None:
    site.wiring.shelf.clear()
    client = site.visitor(openid=WHO)
    with site.wiring.engine.begin() as connection:
        connection.execute(text("ALTER TABLE presences RENAME TO presences_away"))
    try:
        answer = client.get("/s/lost-card")
    finally:
        with site.wiring.engine.begin() as connection:
            connection.execute(text("ALTER TABLE presences_away RENAME TO presences"))
    assert answer.status_code in (500, 503)
    assert "客服热线" in answer.text


def test_the_hotline_can_be_dialled_once_the_bank_has_named_it(site: Site) -> None:
    before = site.visitor().get("/s/lost-card").text
    assert "客服热线：见本行银行卡背面" in before
    assert 'href="tel:' not in before
    named = replace(site.wiring, settings=replace(site.wiring.settings, hotline="000-0000"))
    site.app.extensions["wiring"] = named
    try:
        after = site.visitor().get("/s/lost-card").text
    finally:
        site.app.extensions["wiring"] = site.wiring
    assert 'href="tel:000-0000"' in after
    assert "见本行银行卡背面" not in after


def test_a_city_without_outlets_says_so_and_leads_to_another(site: Site) -> None:
    page = site.visitor(city="710000").get("/s/outlets").text
    assert "这里还没有我们的网点" in page
    assert "区县" not in page


def test_the_outlets_of_a_chosen_city_say_of_which_county_they_are(site: Site) -> None:
    page = site.visitor(city="310000").get("/s/outlets?county=310101").text
    assert "上海市黄浦区，共 2 个网点" in page


def test_the_page_that_changes_the_city_does_not_lead_to_itself(site: Site) -> None:
    assert "/s/my-city?next=/s/my-city" not in site.visitor(openid=WHO).get("/s/my-city").text
    assert "/s/my-city?next=/s/outlets" in site.visitor(openid=WHO).get("/s/outlets").text


def test_a_shared_page_says_what_it_is_for_and_carries_nobodys_search(site: Site) -> None:
    page = site.visitor(openid=WHO).get("/s/directory?q=卡丢了").text
    assert '<meta property="og:title" content="全部服务">' in page
    assert '<meta property="og:url" content="http://localhost/s/directory">' in page
    picture = re.search(r'og:image" content="http://localhost(/assets/[^"]+)"', page)
    assert picture is not None
    assert site.visitor().get(picture[1]).mimetype == "image/png"
    assert "og:title" not in site.visitor().get("/s/nothing").text


def test_each_way_has_the_button_that_opens_it(site: Site) -> None:
    before = site.visitor().get("/s/lost-card").text
    assert "<span>打开手机银行<" not in before
    assert ">查附近网点<" in before
    settings = replace(
        site.wiring.settings, app_url="https://app.bank.example/open", hotline="000-0000"
    )
    site.app.extensions["wiring"] = replace(site.wiring, settings=settings)
    try:
        after = site.visitor().get("/s/lost-card").text
    finally:
        site.app.extensions["wiring"] = site.wiring
    assert 'href="https://app.bank.example/open" aria-label="手机银行：打开手机银行"' in after
    assert 'href="tel:000-0000" aria-label="客服热线：拨打 000-0000"' in after
    assert 'href="tel:110"' in site.visitor().get("/s/scam-warning").text


def test_a_link_names_the_site_before_it_leads_there(site: Site) -> None:
    page = site.visitor().get("/s/social-query").text
    assert 'href="https://www.12333.gov.cn"' in page
    assert "将离开本行页面，前往 www.12333.gov.cn" in page


def test_what_the_bank_must_fill_in_is_marked_in_words(site: Site) -> None:
    page = site.visitor().get("/s/lost-card").text
    assert "【请填写" not in page
    assert '<span class="gap">待本行填写：收费标准<small>（来源：《本行服务价格目录》）' in page


def test_a_city_is_searched_for_without_a_script_and_the_present_one_is_marked(site: Site) -> None:
    client = site.visitor(city="320500")
    page = client.get("/s/my-city").text
    assert page.index('aria-current="true">江苏省') < page.index("北京市")
    assert 'method="get" action="/s/my-city"' in page
    found = client.get("/s/my-city?q=suzhou&next=/s/outlets").text
    assert 'value="320500" aria-current="true"' in found
    assert 'value="341300">宿州市' in found
    assert 'name="next" value="/s/outlets"' in found
    assert "没有找到“火星”" in client.get("/s/my-city?q=火星").text
    assert "<script>" not in client.get("/s/my-city?q=<script>").text


@pytest.mark.parametrize("key", ["deposit-calculator", "loan-calculator"])
def test_the_hint_in_the_field_of_a_rate_fits_it_in_large_print(site: Site, key: str) -> None:
    field = re.search(r'id="rate"[^>]*placeholder="([^"]+)"', site.visitor().get(f"/s/{key}").text)
    assert field is not None
    assert len(field[1]) <= 5
