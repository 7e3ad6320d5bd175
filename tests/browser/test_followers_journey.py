"""The main job as people see it: a phone on the screen, the program and its worker behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, Page, expect
from sqlalchemy import MetaData

from lightservices.pages.assets import shelf
from tests.journeys.test_follower import mentions
from tests.journeys.town import Town
from tests.screens import complaints, launched
from tests.services import absent

pytestmark = pytest.mark.browser


@pytest.fixture
def phone(chromium: str, town: Town) -> Iterator[Page]:
    """The sandbox's phone, held by nobody yet; nothing may go wrong unseen."""
    if "weui.css" not in shelf():
        absent("chromium", "the pages' npm packages are not installed")
    with launched(chromium) as browser:
        page = browser.new_page(viewport={"width": 1366, "height": 900})
        wrong = complaints(page)
        page.goto(town.sandbox.base_url)
        # Cities can be chosen once the outlines are drawn, which the first time takes a moment.
        expect(page.locator("#map path").first).to_be_attached()
        yield page
    assert wrong == []


@pytest.fixture
def follower(phone: Page, town: Town) -> Iterator[str]:
    """Somebody who has just begun to follow the account, phone in hand."""
    phone.get_by_placeholder("新粉丝的名字").fill("小林")
    phone.get_by_role("button", name="创建").click()
    phone.get_by_role("button", name="关注", exact=True).click()
    expect(phone.locator("#chat")).to_contain_text("欢迎关注")
    openid = phone.locator("#openid").inner_text()
    town.settle()
    yield openid
    town.do(openid, "unsubscribe")
    town.settle()


def travel(phone: Page, town: Town, city: str) -> None:
    """The phone reports from this city, and WeChat is made to agree."""
    phone.locator("#city").fill(city)
    phone.locator("#city").press("Tab")
    expect(phone.locator("#where")).to_contain_text(city)
    phone.get_by_role("button", name="上报位置").click()
    expect(phone.locator("#hint")).to_contain_text("已接收")
    town.settle()


def shows(phone: Page, column: str) -> None:
    """The third column of the menu bears this name."""
    expect(phone.locator("#menu > div > button").nth(2)).to_have_text(f"≡ {column}")


def tap(phone: Page, column: str, button: str) -> None:
    phone.locator("#menu > div > button", has_text=column).click()
    phone.locator("#menu .below").get_by_role("button", name=button, exact=True).click()


def opened(phone: Page, column: str, button: str) -> FrameLocator:
    """The page behind a button, in the phone's frame."""
    tap(phone, column, button)
    expect(phone.locator("#page")).to_be_visible()
    return phone.frame_locator("#frame")


def close(phone: Page) -> None:
    phone.get_by_role("button", name="关闭网页").click()
    expect(phone.locator("#page")).to_be_hidden()


def test_menu_chat_and_pages_travel_with_the_follower(
    phone: Page, town: Town, follower: str
) -> None:
    shows(phone, "身边优惠")

    travel(phone, town, "上海市")
    shows(phone, "约惠魔都")
    tap(phone, "约惠魔都", "本地优惠")
    expect(phone.locator("#chat .card").first).to_contain_text("浦江夜游礼")
    page = opened(phone, "约惠魔都", "专区首页")
    expect(page.locator("h1")).to_have_text("约惠魔都")
    expect(page.locator(".place__branch")).to_have_text("上海市分行")
    expect(page.locator(".place__why")).to_contain_text("您的位置在上海市")
    expect(page.locator("main")).to_contain_text("浦江夜游礼")
    close(phone)

    travel(phone, town, "南京市")
    shows(phone, "礼遇江苏")
    page = opened(phone, "礼遇江苏", "专区首页")
    expect(page.locator(".place__branch")).to_have_text("江苏省分行")
    expect(page.locator("main")).to_contain_text("水韵江苏文旅礼")
    close(phone)

    travel(phone, town, "苏州市")
    shows(phone, "姑苏有礼")
    page = opened(phone, "姑苏有礼", "专区首页")
    expect(page.locator(".place__branch")).to_have_text("苏州分行")
    expect(page.locator("main")).to_contain_text("姑苏园林文化礼")
    expect(page.locator("main")).not_to_contain_text("江苏省分行")
    close(phone)


def test_whoever_keeps_their_place_to_themselves_picks_a_city(
    phone: Page, town: Town, follower: str
) -> None:
    page = opened(phone, "身边优惠", "切换城市")
    expect(page.locator(".place__why")).to_contain_text("还不知道您在哪里")
    page.get_by_role("link", name="江苏省").click()
    page.get_by_role("button", name="南京市").click()
    expect(page.locator("h1")).to_have_text("礼遇江苏")
    expect(page.locator(".place__why")).to_have_text("您选择了江苏省南京市")
    close(phone)
    town.settle()
    shows(phone, "礼遇江苏")

    # A chosen city stands against the satellites until the follower lets it go.
    travel(phone, town, "上海市")
    shows(phone, "礼遇江苏")
    page = opened(phone, "礼遇江苏", "切换城市")
    page.get_by_role("button", name=re.compile("改为跟随定位")).click()
    close(phone)
    travel(phone, town, "上海市")
    shows(phone, "约惠魔都")


def test_whoever_leaves_takes_everything_with_them(phone: Page, town: Town, follower: str) -> None:
    travel(phone, town, "上海市")
    tap(phone, "约惠魔都", "本地优惠")
    opened(phone, "约惠魔都", "附近网点").get_by_text("按您大致的位置").wait_for()
    close(phone)

    phone.get_by_role("button", name="取消关注").click()
    expect(phone.locator("#title")).to_contain_text("未关注")
    town.settle()
    with town.wiring.reading() as unit:
        tables = MetaData()
        tables.reflect(unit.db)
        left = [name for name, each in tables.tables.items() if mentions(unit.db, each, follower)]
    assert left == []
    assert "还不知道您在哪里" in town.open(follower, "/z/local")["html"]
