"""One page of each kind on a small phone: light, dark, large print, Traditional, nothing amiss."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from lightservices import catalogue
from lightservices.catalogue import Kind
from tests.lightservices.conftest import Site
from tests.lightservices.conftest import furnished as furnished  # A fixture, as the next ones are.
from tests.lightservices.conftest import site as site
from tests.lightservices.test_browser import address as address
from tests.lightservices.test_browser import browser as browser
from tests.lightservices.test_browser import faults_on, opened, phone

pytestmark = pytest.mark.browser

MODES = {
    "light": {}, "dark": {"dark": True}, "care": {"care": True},
    "traditional": {"traditional": True},
}  # fmt: skip
#: Pages that no content file stands for.
BESIDE = (
    "/s/directory", "/s/directory?class=business", "/s/directory?scenario=信用卡",
    "/s/directory?q=guashi", "/s/lost-card?said=no", "/z/local",
)  # fmt: skip


def fullest(kind: Kind) -> str:
    """The service of this kind whose page has most on it."""
    of_kind = [one for one in catalogue.services().values() if one.kind is kind]
    return max(of_kind, key=_fullness).path


def _fullness(service: catalogue.Service) -> int:
    parts = (service.steps, service.documents, service.channels, service.notes, service.legal)
    return sum(map(len, parts)) + 5 * bool(service.alert) + len(service.related)


@pytest.mark.parametrize("mode", MODES)
def test_one_page_of_each_kind_can_be_read_and_tapped(
    browser: Browser, site: Site, address: str, mode: str
) -> None:
    context = phone(browser, site, address, **MODES[mode])
    kinds = {one.kind for one in catalogue.services().values()}
    paths = (*(fullest(kind) for kind in sorted(kinds)), *BESIDE)
    assert not faults_on(context, address, paths, care=mode == "care")
    context.close()


def test_the_script_is_switched_where_one_is(browser: Browser, site: Site, address: str) -> None:
    context = phone(browser, site, address)
    page, said = opened(context, f"{address}/s/directory?q=挂失")
    page.click("button[name=to]")
    page.wait_for_selector("html[lang=zh-HK]")
    assert page.url.endswith("?q=%E6%8C%82%E5%A4%B1")
    assert "掛失" in page.inner_text("main")
    page.click("button[name=to]")
    page.wait_for_selector("html[lang=zh-CN]")
    assert not said
    context.close()


def test_somebody_says_that_a_page_helped(browser: Browser, site: Site, address: str) -> None:
    context = phone(browser, site, address, script=False)
    page, _said = opened(context, f"{address}/s/lost-card")
    page.click("text=没帮上忙")
    assert page.url == f"{address}/s/lost-card?said=no#useful"
    page.click("text=换个说法搜索")
    assert page.url == f"{address}/s/directory"
    context.close()
