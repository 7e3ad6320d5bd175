"""The phone: what its pages serve, and a follower played in a real browser."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, Route, expect, sync_playwright
from werkzeug.wrappers import Request, Response

import service.sandbox
from config import Settings
from service.replies import Article, News, Reply, Text
from service.sandbox import Sandbox, running
from service.sandbox.tokens import page_signature
from tests.service.sandbox.conftest import Caller, Receiver, listening

STATIC = Path(service.sandbox.__file__).parent / "static"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SQUARE = [[[100.0, 20.0], [120.0, 20.0], [120.0, 40.0], [100.0, 40.0]]]
SHANGHAI = {
    "code": "310000",
    "name": "上海市",
    "province": "上海市",
    "lat": 31.2285,
    "lng": 121.4782,
    "wgs84": [31.2304, 121.4737],
}


def backdrop(_settings: Settings) -> dict[str, Any]:
    province = {"code": "000000", "name": "方块省", "rings": SQUARE}
    return {"provinces": [province], "cities": [SHANGHAI]}


class Bank(Receiver):
    """A server that answers pushes and has one page that asks the phone where it is."""

    sandbox: Sandbox
    asked: list[str]

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if request.path == "/wechat":
            return super().__call__(environ, start_response)
        self.asked.append(request.full_path.rstrip("?"))
        return self._page(request)(environ, start_response)

    def _page(self, request: Request) -> Response:
        if request.path == "/oauth/start":
            return Response(status=302, headers={"Location": request.args["next"]})
        world = self.sandbox.world
        ticket = world.tokens.ticket(world.now(), seconds=7200).token
        config = {
            "appId": self.settings.wechat_appid,
            "timestamp": 1,
            "nonceStr": "n",
            "signature": page_signature(ticket, nonce="n", timestamp="1", url=request.url),
            "jsApiList": ["getLocation", "openLocation"],
        }
        return Response(
            f"""<!doctype html><meta charset=utf-8><title>附近网点</title>
            <script src="{self.sandbox.base_url}/jssdk/jweixin.js"></script>
            <p id=place></p><button id=map>导航</button><script>
            wx.config({json.dumps(config)});
            wx.error((e) => (place.textContent = e.errMsg));
            wx.ready(() => wx.getLocation({{
              type: "gcj02",
              success: (r) => (place.textContent = r.latitude + "," + r.longitude),
              fail: (e) => (place.textContent = e.errMsg),
            }}));
            const outlet = {{ latitude: 31.2, longitude: 121.5, name: "网点" }};
            map.onclick = () => wx.openLocation(outlet);
            </script>""",
            content_type="text/html; charset=utf-8",
        )


def said(fields: dict[str, str]) -> Reply | bytes:
    if fields.get("Event") == "subscribe":
        return Text(
            '您好<script>alert(1)</script>，<a href="https://bank.example/s/outlets">网点</a>'
        )
    if fields.get("Event") == "CLICK":
        return News((Article("约惠魔都", "本周优惠", "https://bank.example/z/local"),))
    return b"success"


@pytest.fixture
def bank(sandbox: Sandbox) -> Iterator[Bank]:
    """A bank and a sandbox of its own whose phone has a map."""
    server = Bank(Settings())
    server.answer, server.asked = said, []
    with listening(server) as address:
        settings = replace(Settings(), public_base_url=address)
        with running(settings, backdrop=backdrop) as here:
            server.sandbox = here
            yield server


@pytest.fixture
def page() -> Iterator[Page]:
    """A browser window of a small laptop, in which nothing may go wrong unseen."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        window = browser.new_page(viewport={"width": 1366, "height": 768})
        wrong: list[str] = []
        window.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
        window.on("pageerror", lambda error: wrong.append(str(error)))
        yield window
        browser.close()
    assert wrong == []


def published(bank: Bank) -> Caller:
    """The bank's menu: a group of two, and a button that asks."""
    caller = Caller(bank.sandbox)
    caller.sign_in()
    address = bank.sandbox.settings.public_base_url
    buttons = [
        {
            "name": "便民服务",
            "sub_button": [
                {"type": "view", "name": "附近网点", "url": f"{address}/s/outlets?a=1"},
                {"type": "click", "name": "名字很长的一个按钮", "key": "k"},
            ],
        },
        {"type": "click", "name": "我的城市啊", "key": "svc:my-city"},
    ]
    assert caller.post("/cgi-bin/menu/create", {"button": buttons})["errcode"] == 0
    return caller


def new_follower(page: Page, bank: Bank) -> str:
    page.goto(bank.sandbox.base_url)
    page.get_by_placeholder("新粉丝的名字").fill("小王")
    page.get_by_role("button", name="创建").click()
    page.get_by_role("button", name="关注", exact=True).click()
    expect(page.locator("#chat")).to_contain_text("您好")
    return next(iter(bank.sandbox.world.followers))


@pytest.mark.browser
def test_a_follower_is_played_from_the_first_word_to_the_page(bank: Bank, page: Page) -> None:
    published(bank)
    one = new_follower(page, bank)
    # What a reply says is text and links, never markup.
    expect(page.locator("#chat a")).to_have_text("网点")
    assert page.locator("#chat script").count() == 0
    page.get_by_role("button", name=re.compile("我的城市")).click()
    expect(page.locator("#chat .card")).to_contain_text("约惠魔都")
    page.locator("#city").fill("上海市")
    page.locator("#city").press("Tab")
    page.get_by_role("button", name="上报位置").click()
    expect(page.locator("#hint")).to_contain_text("已接收")
    page.get_by_role("button", name="发送位置消息").click()
    expect(page.locator("#chat")).to_contain_text("上海市")
    page.get_by_role("button", name="便民服务").click()
    page.get_by_role("button", name="附近网点").click()
    frame = page.frame_locator("#frame")
    expect(frame.locator("#place")).to_have_text("31.2285,121.4782")
    frame.get_by_role("button", name="导航").click()
    expect(page.locator("#sheet")).to_contain_text("GCJ-02")
    page.get_by_role("button", name="确定").click()
    page.get_by_role("button", name="关闭网页").click()
    expect(page.locator("#page")).to_be_hidden()
    events = {fields.get("Event", fields["MsgType"]): fields for fields in bank.heard}
    assert list(events) == ["subscribe", "CLICK", "LOCATION", "location", "VIEW"]
    # The position goes out as satellites give it, the message as the map has it.
    assert events["LOCATION"]["Latitude"] == "31.230400"
    assert events["location"]["Location_X"] == "31.228500"
    assert bank.asked[0] == "/oauth/start?next=%2Fs%2Foutlets%3Fa%3D1"
    assert {fields["FromUserName"] for fields in bank.heard} == {one}


@pytest.mark.browser
def test_the_phone_can_be_used_without_a_mouse(bank: Bank, page: Page) -> None:
    published(bank)
    one = new_follower(page, bank)
    place = bank.sandbox.world.followers[one]
    page.locator("#map").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#where")).to_contain_text("上海市附近")
    first = (place.place or {})["gcj02"]
    page.keyboard.press("ArrowDown")
    page.wait_for_function(
        "(before) => !document.getElementById('where').textContent.includes(before)",
        arg=f"{first[0]:.4f}",
    )
    assert (place.place or {})["gcj02"][0] < first[0]
    top = page.get_by_role("button", name="便民服务")
    top.press("Enter")
    expect(page.get_by_role("button", name="附近网点")).to_be_focused()
    page.keyboard.press("Escape")
    expect(top).to_be_focused()
    expect(top).to_have_attribute("aria-expanded", "false")


@pytest.mark.browser
def test_the_phone_works_while_its_map_is_still_being_drawn(bank: Bank, page: Page) -> None:
    published(bank)
    held: list[Route] = []
    page.route("**/phone/backdrop", lambda route: held.append(route))
    one = new_follower(page, bank)
    expect(page.locator("#menu > div > button").first).to_have_text("≡ 便民服务")
    held[0].continue_()
    expect(page.locator("#map path").first).to_be_attached()
    assert list(bank.sandbox.world.followers) == [one]


@pytest.mark.browser
def test_names_are_cut_as_wechat_cuts_them(bank: Bank, page: Page) -> None:
    published(bank)
    new_follower(page, bank)
    expect(page.locator("#menu > div").nth(1)).to_have_text("我的城市…")
    page.get_by_role("button", name="便民服务").click()
    expect(page.locator("#menu .below button").nth(1)).to_have_text("名字很长的一个按…")


@pytest.mark.browser
def test_a_page_signed_for_another_address_is_told_so(bank: Bank, page: Page) -> None:
    published(bank)
    new_follower(page, bank)
    bank.sandbox.world.tokens._ticket = None
    page.get_by_role("button", name="便民服务").click()
    # The phone refuses what the sandbox did not sign.
    page.route("**/_jssdk/verify", lambda route: route.fulfill(json={"errMsg": "config:fail"}))
    page.get_by_role("button", name="附近网点").click()
    expect(page.frame_locator("#frame").locator("#place")).to_have_text("config:fail")


@pytest.mark.browser
def test_without_a_backdrop_there_is_a_list_of_cities(sandbox: Sandbox, page: Page) -> None:
    sandbox.world.reset()
    page.goto(sandbox.base_url)
    expect(page.locator("#cities option").first).to_have_attribute("value", "北京市")
    expect(page.locator("#map")).to_be_hidden()


def test_the_phone_runs_under_a_strict_policy(caller: Caller) -> None:
    for path in ("/", "/phone"):
        answer = requests.get(caller.sandbox.base_url + path, timeout=10)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=|https?://", answer.text)


def test_scripts_and_styles_name_no_other_host() -> None:
    for path in STATIC.rglob("*"):
        if path.suffix in (".js", ".css", ".html"):
            text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"https?://\w", text), path.name


def test_only_followers_are_handed_the_phone(caller: Caller) -> None:
    one, base = caller.fan(), caller.sandbox.base_url
    ours = caller.sandbox.settings.public_base_url

    def opened(openid: str, url: str) -> requests.Response:
        asked = {"openid": openid, "url": url}
        return requests.get(f"{base}/phone/open", asked, allow_redirects=False, timeout=10)

    inside = opened(one, f"{ours}/s/outlets?a=1")
    assert inside.headers["Location"] == f"{ours}/oauth/start?next=%2Fs%2Foutlets%3Fa%3D1"
    assert "Path=/connect" in inside.headers["Set-Cookie"]
    outside = opened(one, "https://elsewhere.example/")
    assert outside.headers["Location"] == "https://elsewhere.example/"
    for nowhere in ("javascript:alert(1)", "http://a.example:80.evil/", "http://[", "/s/outlets"):
        assert opened(one, nowhere).status_code == 400
    assert opened("nobody", ours).status_code == 404
