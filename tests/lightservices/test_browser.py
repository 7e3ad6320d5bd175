"""Pages in a real browser: light, dark and large print; and what the script does when it may."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from config import HOME
from lightservices.pages.assets import shelf
from service.wiring import Wiring
from tests.lightservices.conftest import WHO, XUANWU, Site
from tests.services import absent
from tests.services import chromium as chromium  # A fixture.

pytestmark = pytest.mark.browser

PATHS = (
    "/z/local", "/z/liyu-jiangsu", "/s/outlets", "/s/outlets?county=310101", "/o/SYN-310101-01",
    "/s/exchange-rates", "/s/loan-rates", "/s/lost-card", "/s/scam-warning", "/s/promotions",
    "/p/1",
    "/s/my-city", "/s/my-city?province=320000", "/s/directory", "/s/directory?q=没有", "/s/nothing",
    "/s/loan-calculator?amount=100&years=30&rate=3.1", "/s/loan-calculator?amount=x",
    "/s/deposit-calculator?amount=10000&months=12&rate=1",
)  # fmt: skip
AXE = HOME / "node_modules" / "axe-core" / "axe.min.js"
#: What axe finds wrong, each with its first place.
_ASK_AXE = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(
    one => one.id + ' ' + one.nodes[0].target))"""
#: Targets too low and, in large print, words too small; places that only frame others do not count.
_MEASURE = """care => {
  const low = [], small = [];
  for (const one of document.querySelectorAll('a, button, input, select, summary')) {
    const inText = one.tagName === 'A' && one.closest('p, dd') && !one.classList.contains('tel');
    if (inText || one.type === 'hidden' || one.type === 'radio' || one.matches('.skip')) continue;
    const cell = one.closest('.weui-cell');
    const height = (cell || one).getBoundingClientRect().height;
    if (height && height < (care ? 60 : 44) - 0.5) low.push(one.outerHTML.slice(0, 80));
  }
  for (const one of document.querySelectorAll('main *, header *, footer *')) {
    const says = [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    const size = parseFloat(getComputedStyle(one).fontSize) * (one.currentCSSZoom || 1);
    if (care && says && one.offsetParent && size < 18) small.push(one.outerHTML.slice(0, 80));
  }
  return [...low, ...small, ...(document.documentElement.scrollWidth > innerWidth ? ['wide'] : [])];
}"""
#: A phone that grants everything and stands in Nanjing.
_FAKE_WX = """window.wx = {
  config() {}, ready(call) { call(); }, error() {},
  getLocation(asked) {
    window.asked = asked.type;
    asked.success({latitude: LATITUDE, longitude: LONGITUDE, accuracy: 15});
  },
  openLocation(place) { window.opened = place; },
  updateAppMessageShareData(card) { window.card = card; },
  updateTimelineShareData(card) {},
};""".replace("LATITUDE", str(XUANWU[0])).replace("LONGITUDE", str(XUANWU[1]))


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the tests look at the page."""


@pytest.fixture(scope="module")
def address(furnished: Site) -> Iterator[str]:
    """The site over real HTTP, under an address it calls its own."""
    server = make_server("127.0.0.1", 0, furnished.app, threaded=True, request_handler=_Quiet)
    found = f"http://127.0.0.1:{server.port}"
    before: Wiring = furnished.app.extensions["wiring"]
    settings = replace(before.settings, public_base_url=found)
    furnished.app.extensions["wiring"] = replace(before, settings=settings)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()
    furnished.app.extensions["wiring"] = before


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    if "weui.css" not in shelf() or not AXE.exists():
        absent("chromium", "the pages' npm packages are not installed")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield found
        found.close()


def phone(
    browser: Browser, site: Site, address: str, *, care: bool = False, dark: bool = False,
    script: bool = True, traditional: bool = False,
) -> BrowserContext:  # fmt: skip
    """A small phone of a follower in Shanghai, with a fake of WeChat's own script."""
    context = browser.new_context(
        viewport={"width": 375, "height": 667},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        is_mobile=True,
        has_touch=True,
    )
    assert isinstance(site.app.session_interface, SecureCookieSessionInterface)
    signer = site.app.session_interface.get_signing_serializer(site.app)
    assert signer is not None
    visit = signer.dumps({"openid": WHO})
    context.add_cookies([{"name": "visit", "value": str(visit), "url": address}])
    if care:
        context.add_cookies([{"name": "care", "value": "1", "url": address}])
    if traditional:
        context.add_cookies([{"name": "script", "value": "hant", "url": address}])

    def answer(route: Route) -> None:
        route.fulfill(body=_FAKE_WX, content_type="text/javascript")

    context.route("**/jweixin.js", answer)
    return context


def opened(context: BrowserContext, url: str) -> tuple[Page, list[str]]:
    """The page, and what the browser complained about."""
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda fault: said.append(str(fault)))
    page.goto(url)
    return page, said


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("care", [False, True], ids=["standard", "large"])
def test_every_page_can_be_read_and_tapped(
    browser: Browser, site: Site, address: str, care: bool, dark: bool
) -> None:
    context = phone(browser, site, address, care=care, dark=dark)
    assert not faults_on(context, address, PATHS, care=care)
    context.close()


def faults_on(
    context: BrowserContext, address: str, paths: Iterable[str], *, care: bool
) -> dict[str, list[str]]:
    """What axe, our own measures and the browser find wrong, by path."""
    # Brought by the browser itself, it need not be sent anew to every page.
    context.add_init_script(path=AXE)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda fault: said.append(str(fault)))
    wrong: dict[str, list[str]] = {}
    for path in paths:
        said.clear()
        page.goto(address + path)
        found = [*page.evaluate(_ASK_AXE), *page.evaluate(_MEASURE, care)]
        found += [word for word in said if "404 (NOT FOUND)" not in word]
        if found:
            wrong[path] = found
    return wrong


def test_large_print_comes_at_once_and_stays(browser: Browser, site: Site, address: str) -> None:
    context = phone(browser, site, address)
    page, said = opened(context, f"{address}/s/lost-card")
    page.click("text=大字版")
    assert page.get_attribute("body", "data-weui-mode") == "care"
    assert page.url.endswith("/s/lost-card")
    page.goto(f"{address}/s/outlets")
    assert page.get_attribute("body", "data-weui-mode") == "care"
    page.click("text=标准版")
    page.reload()
    assert page.get_attribute("body", "data-weui-mode") is None
    assert not said
    context.close()


def test_a_sum_appears_on_the_same_page_and_a_slip_is_shown(
    browser: Browser, site: Site, address: str
) -> None:
    context = phone(browser, site, address)
    page, said = opened(context, f"{address}/s/loan-calculator")
    for name, value in (("amount", "100"), ("years", "30"), ("rate", "4.9")):
        page.fill(f"#{name}", value)
    page.click("button:has-text('计算')")
    page.wait_for_selector(".figure")
    assert "5,307.27" in page.inner_text(".figure")
    assert page.url == f"{address}/s/loan-calculator"
    page.fill("#years", "99")
    page.click("button:has-text('计算')")
    page.wait_for_selector("#years-fault")
    assert page.input_value("#amount") == "100"
    assert not said
    context.close()


def test_the_position_is_asked_for_in_gcj02_and_brings_outlets(
    browser: Browser, site: Site, address: str
) -> None:
    context = phone(browser, site, address)
    page, said = opened(context, f"{address}/s/outlets")
    page.click("text=用我的位置查找")
    page.wait_for_selector("text=按您现在的位置")
    assert page.evaluate("window.asked") == "gcj02"
    card = page.evaluate("window.card")
    assert (card["title"], card["link"]) == ("附近网点", f"{address}/s/outlets")
    assert card["imgUrl"].endswith("/share.png")
    assert "SYN-320102-01" in (page.get_attribute("#outlets a", "href") or "")
    page.click("#outlets a >> nth=0")
    page.click("text=导航到这里")
    assert page.evaluate("window.opened.latitude") == pytest.approx(32.0510)
    assert page.evaluate("window.opened.name").endswith("（示例网点）")
    assert not said
    context.close()


def test_without_a_script_everything_is_still_there(
    browser: Browser, site: Site, address: str
) -> None:
    context = phone(browser, site, address, script=False)
    page, _said = opened(context, f"{address}/s/deposit-calculator")
    page.fill("#amount", "10000")
    page.fill("#rate", "1.5")
    page.select_option("#months", "24")
    page.click("button:has-text('计算')")
    assert "300.00" in page.inner_text(".figure")
    page.click("text=大字版")
    assert page.get_attribute("body", "data-weui-mode") == "care"
    page.goto(f"{address}/o/SYN-310101-01")
    assert not page.is_visible("text=导航到这里")
    assert page.is_visible("text=示例地址")
    context.close()


def test_a_page_makes_at_most_six_requests(browser: Browser, site: Site, address: str) -> None:
    context = phone(browser, site, address)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/s/outlets")
    page.wait_for_selector("text=用我的位置查找")
    assert len([url for url in asked if not url.startswith("data:")]) <= 6
    context.close()
