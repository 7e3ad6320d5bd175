"""An emergency from the plan to its end: two people at two desks, and phones inside and outside."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from service import audit
from tests.browser.test_emergency_area import calm as calm  # A fixture.
from tests.browser.test_emergency_area import click, mode
from tests.browser.test_zone_editor import desk, look
from tests.browser.test_zone_editor import desks as desks  # A fixture.
from tests.journeys.town import Town
from tests.lightservices.emergency.duty import IN_THE_PIECE, IN_ZHONGSHAN, IN_ZHUHAI
from tests.screens import chrome as chrome  # A fixture.

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ENTRY = "台风应急"
#: A piece of Zhongshan, in shares of the map as it is shown. Half a kilometre, by which GCJ-02
#: differs from what phones report, is little beside it.
PIECE_SHARES = ((0.40, 0.36), (0.62, 0.36), (0.62, 0.62), (0.40, 0.62))


@pytest.fixture
def phones(town: Town) -> Iterator[dict[str, str]]:
    """Followers in Zhuhai, in the piece of Zhongshan that is drawn, and in the rest of it."""
    found: dict[str, str] = {}
    for name, place in (("zhuhai", IN_ZHUHAI), ("piece", IN_THE_PIECE), ("outside", IN_ZHONGSHAN)):
        found[name] = openid = str(town.control("followers", name=name)["openid"])
        town.do(openid, "subscribe")
        town.at(openid, place)
        town.do(openid, "message", content="你好")
    yield found
    for openid in found.values():
        town.do(openid, "unsubscribe")
    town.settle()


def entries(town: Town, openid: str) -> list[str]:
    tops = town.menu(openid)
    return [one["name"] for top in tops for one in (top.get("sub_button") or [top])]


def wait_for(town: Town, holds: Callable[[], bool]) -> None:
    """Walks over followers begin two seconds late, when every process has seen the change."""
    for _ in range(60):
        town.settle()
        if holds():
            return
        time.sleep(0.25)
    pytest.fail("the menus never came to it")


def told(town: Town, openid: str, path: str) -> tuple[bool, bool]:
    """Whether any page, and any answer, leads to it."""
    (answer,) = town.do(openid, "message", content="挂失")
    return path in town.open(openid, "/s/lost-card")["html"], path in str(answer["reply"])


def draw(page: Page, town: Town) -> None:
    """Zhuhai by its name, and a piece of Zhongshan with the mouse."""
    page.goto(f"{town.web}/console/emergency")
    look(page, "40-calm")
    page.get_by_role("link", name=re.compile("预案")).first.click()
    look(page, "41-plans")
    page.goto(f"{town.web}/console/emergency/begin/typhoon")
    page.get_by_label("看哪里").select_option(label="广东省")
    page.get_by_label("查找行政区划").fill("zhuhai")
    page.get_by_role("button", name="广东省珠海市 440400").click()
    found = page.locator("[data-found]")
    expect(found).to_contain_text("广东省珠海市香洲区", timeout=20_000)
    page.get_by_label("放大到").select_option(label="中山市")
    mode(page, "画多边形")
    click(page.locator("#ground"), *PIECE_SHARES)
    expect(found).to_contain_text(re.compile(r"约 \d+%"))
    look(page, "42-drawn")


def propose(page: Page) -> str:
    """Say why, look at what follows, tick and propose; where the emergency stands from now on."""
    page.get_by_label("为什么").fill("台风将至")
    page.get_by_role("button", name="下一步：核对影响范围").click()
    expect(page.locator("main")).to_contain_text("2 家：珠海分行、中山分行")
    look(page, "43-check")
    page.get_by_label("我核对过").first.check()
    page.get_by_role("button", name="提出", exact=True).click()
    page.wait_for_url(re.compile("/console/emergency/typhoon-"))
    look(page, "44-proposed")
    return page.url


def test_two_people_open_it_phones_inside_change_and_all_is_as_before_in_the_end(
    chrome: Browser, desks: list[BrowserContext], calm: Town, phones: dict[str, str]
) -> None:
    town = calm
    wang = desk(chrome, desks, town, "ops.wang")
    draw(wang, town)
    before = {name: entries(town, openid) for name, openid in phones.items()}
    where = propose(wang)
    path = f"/e/{where.rpartition('/')[2]}"
    # Whoever proposed it cannot open it, and says so before anybody tries.
    expect(wang.get_by_role("button", name="开启", exact=True)).to_have_count(0)
    expect(wang.locator(".duty-acts")).to_contain_text("李")

    li = desk(chrome, desks, town, "ops.li")
    li.goto(where)
    look(li, "45-to-open")
    li.get_by_label("我核对过区域和内容").check()
    li.get_by_role("button", name="开启", exact=True).click()
    expect(li.locator(".lead-line")).to_contain_text("自动结束")
    look(li, "46-open")
    # Pages and answers at once, before any worker did anything; menus after it.
    assert told(town, phones["zhuhai"], path) == (True, True)
    assert told(town, phones["piece"], path) == (True, True)
    assert told(town, phones["outside"], path) == (False, False)
    wait_for(town, lambda: all(ENTRY in entries(town, phones[one]) for one in ("zhuhai", "piece")))
    assert entries(town, phones["outside"]) == before["outside"]
    li.reload()
    look(li, "47-settled")

    wang.goto(where)
    wang.locator("summary", has_text="申请延长").click()
    wang.get_by_label("从确认时起再开几小时").fill("48")
    wang.get_by_label("为什么（必填）").fill("未结束")
    wang.get_by_role("button", name="申请延长").click()
    look(wang, "48-extension")
    li.goto(where)
    li.get_by_label("我核对过改动").check()
    li.get_by_role("button", name="确认，按新的来").click()
    look(li, "49-extended")
    assert told(town, phones["piece"], path) == (True, True)

    li.get_by_label(re.compile("立即看不到它")).check()
    li.get_by_role("button", name="关闭", exact=True).click()
    expect(li.locator(".lead-line")).to_contain_text("李")
    look(li, "50-closed")
    for openid in phones.values():
        assert told(town, openid, path) == (False, False)
    wait_for(town, lambda: {name: entries(town, one) for name, one in phones.items()} == before)
    story = li.locator(".duty-story")
    for step in ("提出", "开启", "延长", "关闭"):
        expect(story).to_contain_text(step)
    with town.wiring.reading() as unit:
        assert audit.verify(unit).broken is None
        filters = audit.Filters(words=path.removeprefix("/e/"))
        acts = [one.act for one in audit.search(unit, filters)]
    for act in ("propose", "open", "change", "extend", "close"):
        assert f"emergency.{act}" in acts
