"""A branch's zone from the first keystroke to followers' phones and back, in a real browser."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from service import audit, clock
from tests.browser.test_console_signin import sign_in
from tests.journeys.town import Town
from tests.lightservices.test_pictures import png
from tests.screens import chrome as chrome  # A fixture.
from tests.screens import is_readable

pytestmark = pytest.mark.browser

GUANGDONG = "B440000"
#: In 天河, WGS-84.
TIANHE = (23.1247, 113.3611)
#: Where to leave pictures of every page, for whoever wants to look at them.
SHOTS = os.environ.get("SCREENSHOTS", "")


@pytest.fixture
def desks(chrome: Browser) -> Iterator[list[BrowserContext]]:
    """Computers of several people; nothing may go wrong unseen on any of them."""
    opened: list[BrowserContext] = []
    yield opened
    for context in opened:
        context.close()


def desk(
    chrome: Browser,
    desks: list[BrowserContext],
    town: Town,
    login: str,
    *,
    colours: Literal["light", "dark"] = "light",
) -> Page:
    """Somebody of the cast at a branch's computer."""
    screen: ViewportSize = {"width": 1366, "height": 768}
    context = chrome.new_context(viewport=screen, color_scheme=colours)
    desks.append(context)
    page = context.new_page()
    wrong: list[str] = []

    def hear(text: str) -> None:
        # What is refused here is refused on purpose.
        if "status of 4" not in text:
            wrong.append(text)
            raise AssertionError(text)

    page.on("console", lambda line: hear(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda fault: hear(str(fault)))
    page.on("dialog", lambda box: hear(box.message) if box.type != "beforeunload" else box.accept())
    sign_in(page, town, login)
    return page


def look(page: Page, name: str) -> None:
    """The page is readable to everybody, and pictured for whoever asked."""
    is_readable(page)
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def zone(town: Town, tab: str = "", code: str = GUANGDONG) -> str:
    return f"{town.web}/console/branches/{code}/zone{tab}"


def copy_down(page: Page) -> None:
    """改成本行自己的, where it is not done yet."""
    button = page.locator("#slot-local-one").get_by_role("button", name="改成本行自己的")
    if button.count():
        button.click()


def write_menu(page: Page, town: Town) -> None:
    """改成本行自己的, another name, a second item, moved up by keys."""
    page.goto(zone(town))
    look(page, "01-menu")
    # Each column has a place of the branch's own.
    expect(page.get_by_role("button", name="改成本行自己的")).to_have_count(3)
    copy_down(page)
    name = page.get_by_label("按钮名称")
    name.fill("早茶地图早茶地图早茶地图早茶地图早茶地图早")
    expect(page.locator(".counter").first).to_contain_text("超出 3 字节")
    expect(page.locator("#faults")).to_contain_text("有 1 处要改")
    look(page, "02-menu-too-long")
    name.fill("早茶地图")
    expect(page.locator(".phone__button--own")).to_have_text(re.compile("早茶地图"))
    expect(page.locator("#faults")).not_to_contain_text("要改")
    page.get_by_role("button", name="＋ 添加一项").click()
    expect(page.get_by_label("按钮名称")).to_have_count(2)
    page.get_by_label("按钮名称").nth(1).fill("广府庙会")
    page.get_by_label("输入几个字查找服务").nth(1).fill("网点")
    # The second stands first once it is moved, by keys alone.
    handle = page.locator("[data-handle]").nth(1)
    handle.focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".phone__button--own")).to_have_text(re.compile("广府庙会"))
    page.locator("[data-move=remove]").first.click()
    expect(page.get_by_label("按钮名称")).to_have_count(1)
    expect(page.locator(".phone__button--own")).to_have_text(re.compile("早茶地图"))
    look(page, "03-menu-own")


def write_page(page: Page) -> None:
    """A block of text and a banner with a picture."""
    page.get_by_role("link", name="专区页面").click()
    # Whoever goes to another tab takes along what was typed.
    expect(page.locator("main")).to_contain_text("页面内容")
    page.get_by_label("添加哪一种内容").select_option(label="横幅")
    page.get_by_role("button", name="＋ 添加一块").click()
    block = page.locator("#row-blocks-3")
    block.get_by_label("大字").fill("一盅两件")
    block.locator("input[type=file]").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": png(320, 120)}
    )
    expect(block.locator("img")).to_be_visible()
    block.get_by_label("图片说明").fill("早茶")
    page.get_by_label("添加哪一种内容").select_option(label="图文说明")
    page.get_by_role("button", name="＋ 添加一块").click()
    page.locator("#row-blocks-4").get_by_label("正文").fill("本周**全场**立减")
    expect(page.locator("#row-blocks-4 .rendered strong")).to_have_text("全场")
    look(page, "04-page")


def write_promotion(page: Page, title: str) -> None:
    """One for followers in 天河, from tomorrow."""
    page.get_by_role("link", name="优惠", exact=True).click()
    look(page, "05-promotions")
    page.get_by_role("link", name="＋ 新增优惠").click()
    page.get_by_label("标题").fill(title)
    page.get_by_role("textbox", name="内容").fill("凭本行卡**立减**二十元")
    expect(page.locator("#phone")).to_contain_text(title)
    tomorrow = clock.shanghai(clock.now() + timedelta(days=1))
    page.get_by_label("开始（北京时间）").fill(f"{tomorrow:%Y-%m-%d}T08:00")
    page.get_by_label("在地图上画").check()
    ground = page.locator("#ground")
    box = ground.bounding_box()
    assert box is not None
    for across, down in ((0.3, 0.3), (0.6, 0.3), (0.5, 0.6)):
        ground.click(position={"x": box["width"] * across, "y": box["height"] * down})
    expect(ground.locator("polygon")).to_have_count(1)
    assert len(page.get_by_label("各点坐标").input_value().split("\n")) == 3
    look(page, "06-promotion-drawn")
    page.get_by_label("选城市、区县").check()
    page.locator("summary", has_text="广州市").click()
    page.get_by_label("天河区").check()
    look(page, "07-promotion-districts")


def preview(page: Page, title: str) -> None:
    """As a follower in 天河 sees it tomorrow at nine, light, dark and large."""
    page.get_by_role("button", name="预览").click()
    page.get_by_label("粉丝在哪里").select_option(label="天河区")
    tomorrow = clock.shanghai(clock.now() + timedelta(days=1))
    page.get_by_label("什么时候").fill(f"{tomorrow:%Y-%m-%d}T09:00")
    for name, shot in (("浅色", "light"), ("深色", "dark"), ("大字", "large")):
        page.get_by_label(name).check()
        page.get_by_role("button", name="按此预览").click()
        expect(page.locator(".lead-line")).to_contain_text("粉丝在广东省广州市天河区")
        frame = page.frame_locator("iframe")
        expect(frame.locator("main")).to_contain_text(title)
        expect(frame.locator("main")).to_contain_text("一盅两件")
        expect(page.locator(".phone__menu")).to_contain_text("早茶地图")
        ground = frame.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        assert (ground == "rgb(16, 19, 22)") is (shot == "dark"), shot
        look(page, f"08-preview-{shot}")
    expect(page.locator("main")).to_contain_text("广东省分行填写的“本地特色”")


def propose(page: Page, town: Town, why: str) -> str:
    """Put it before a second person; the address of the change."""
    page.goto(zone(town, "/propose"))
    expect(page.locator("main")).to_contain_text("批准以后")
    look(page, "09-propose")
    page.get_by_label("为什么改").fill(why)
    page.get_by_role("button", name="提交审批").click()
    expect(page.locator(".lead-line")).to_contain_text("待审批")
    look(page, "10-proposed")
    return page.url


def sees(town: Town, follower: str) -> list[str]:
    """The buttons below the third column of somebody's phone."""
    return [button["name"] for button in town.menu(follower)[2]["sub_button"]]


@pytest.fixture
def follower(town: Town) -> Iterator[str]:
    """Somebody in 天河."""
    openid: str = town.control("followers", name="小陈")["openid"]
    town.do(openid, "subscribe")
    town.at(openid, TIANHE)
    yield openid
    town.do(openid, "unsubscribe")
    town.settle()


def test_a_text_is_laid_out_by_buttons_and_by_the_keyboard_alone(
    chrome: Browser, desks: list[BrowserContext], town: Town
) -> None:
    page = desk(chrome, desks, town, "gd.editor")
    page.goto(zone(town, "/promotions/new"))
    area = page.get_by_role("textbox", name="内容")
    area.fill("凭本行卡立减")
    area.press("End")
    for _ in "立减":
        area.press("Shift+ArrowLeft")
    area.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="加粗")).to_be_focused()
    page.keyboard.press("Enter")
    expect(area).to_be_focused()
    expect(area).to_have_value("凭本行卡**立减**")
    expect(page.locator("#phone strong")).to_have_text("立减")
    area.press("ControlOrMeta+z")
    expect(area).to_have_value("凭本行卡立减")
    area.press("ControlOrMeta+End")
    area.press("Enter")
    page.keyboard.type("一楼")
    page.keyboard.press("Enter")
    page.keyboard.type("二楼")
    area.press("Shift+ArrowUp")
    page.get_by_role("button", name="列表").click()
    expect(area).to_have_value("凭本行卡立减\n\n- 一楼\n- 二楼")
    expect(page.locator("#phone li")).to_have_text(["一楼", "二楼"])
    area.press("ControlOrMeta+End")
    page.keyboard.type(" ")
    page.get_by_role("button", name="链接").click()
    page.keyboard.type("https://a.example.com")
    expect(area).to_have_value("凭本行卡立减\n\n- 一楼\n- 二楼 [文字](https://a.example.com)")
    look(page, "07-promotion-laid-out")


def test_from_the_first_keystroke_to_followers_phones_and_back(
    chrome: Browser, desks: list[BrowserContext], town: Town, follower: str
) -> None:
    assert "附近网点" in sees(town, follower)
    editor = desk(chrome, desks, town, "gd.editor")
    write_menu(editor, town)
    write_page(editor)
    write_promotion(editor, "天河早茶立减")
    preview(editor, "天河早茶立减")
    change = propose(editor, town, "配合早茶节")

    # The maker cannot decide; nobody of another branch can even see it.
    expect(editor.get_by_role("link", name="批准…")).to_have_count(0)
    answer = editor.goto(f"{change}/approve")
    assert answer is not None
    assert answer.status == 403
    stranger = desk(chrome, desks, town, "sh.editor")
    for address in (change, zone(town), zone(town, "/preview")):
        answer = stranger.goto(address)
        assert answer is not None
        assert answer.status == 404

    checker = desk(chrome, desks, town, "gd.checker")
    checker.goto(change)
    expect(checker.frame_locator("iframe").locator("h1")).to_be_visible()
    look(checker, "11-checker")
    checker.get_by_label("退回原因").fill("按钮名再短一点")
    checker.get_by_role("button", name="退回", exact=True).click()
    expect(checker.locator(".lead-line")).to_contain_text("已退回")

    editor.goto(zone(town))
    expect(editor.locator("main")).to_contain_text("按钮名再短一点")
    look(editor, "12-returned")
    editor.get_by_label("按钮名称").fill("早茶")
    editor.get_by_role("button", name="保存草稿").click()
    expect(editor.locator(".said")).to_contain_text("草稿已保存")
    propose(editor, town, "已改短")

    checker.goto(change)
    checker.get_by_role("link", name="批准…").click()
    look(checker, "13-approve")
    checker.get_by_label("我已逐项核对下面的改动").check()
    checker.get_by_role("button", name="批准", exact=True).click()
    expect(checker.locator("main")).to_contain_text("菜单在等待发布到微信")
    look(checker, "14-publishing")
    town.settle()
    checker.reload()
    expect(checker.locator("main")).not_to_contain_text("正在送达微信")
    assert "早茶" in sees(town, follower)
    assert "一盅两件" in town.open(follower, "/z/local")["html"]

    checker.get_by_role("link", name=re.compile("回退到版本 0")).click()
    checker.get_by_label("回退原因").fill("商户临时停业")
    checker.get_by_role("button", name="确认回退").click()
    expect(checker.locator("main")).to_contain_text("版本 0（回退）")
    look(checker, "15-rolled-back")
    town.settle()
    assert "附近网点" in sees(town, follower)
    assert "一盅两件" not in town.open(follower, "/z/local")["html"]

    with town.wiring.reading() as unit:
        assert audit.verify(unit).broken is None
        told = [entry.act for entry in audit.search(unit, audit.Filters(branch=GUANGDONG))]
    for act in ("propose", "return", "approve", "live", "roll_back"):
        assert f"approvals.{act}" in told


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_editor_of_head_office_is_readable(
    chrome: Browser, desks: list[BrowserContext], town: Town, colours: Literal["light", "dark"]
) -> None:
    page = desk(chrome, desks, town, "ops.wang", colours=colours)
    for number, path in enumerate(
        ("frame", "branches/HQ/campaigns", "branches/HQ/campaigns/spring-2027", "branches/HQ/zone",
         "branches/HQ/zone/services", "branches/B310000/zone/preview",
         "branches/B310000/zone/promotions/new")
    ):  # fmt: skip
        page.goto(f"{town.web}/console/{path}")
        look(page, f"2{number}-{colours}-{path.rpartition('/')[2]}")
    page.goto(f"{town.web}/console/frame")
    page.locator("summary", has_text="设置和内容").nth(3).click()
    look(page, "26-frame-open")
    page.locator("[data-move=remove]").nth(1).click()
    expect(page.locator("#unsaved")).to_be_visible()


#: One of each manner; the whole list is tried without a browser in tests/menus/console.
NASTY = (
    "<img src=x onerror=alert(1)>",
    "</textarea><script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
    "{{7*7}}${7*7}<%= 7*7 %>",
)


@pytest.mark.parametrize("payload", NASTY, ids=range(len(NASTY)))
def test_nothing_typed_into_a_field_ever_runs(
    chrome: Browser, desks: list[BrowserContext], town: Town, payload: str
) -> None:
    page = desk(chrome, desks, town, "sh.editor")
    here = zone(town, code="B310000")
    page.goto(here)
    copy_down(page)
    page.get_by_label("按钮名称").fill(payload)
    expect(page.locator(".phone__button--own")).to_be_visible()
    page.get_by_role("button", name="保存草稿").click()
    page.goto(f"{here}/page")
    page.get_by_label("标语").fill(payload)
    page.get_by_label("专区名").fill(payload)
    expect(page.locator("#faults")).to_contain_text("要改")
    page.get_by_role("button", name="保存草稿").click()
    page.goto(f"{here}/promotions/new")
    page.get_by_label("标题").fill(payload)
    page.get_by_role("textbox", name="内容").fill(payload)
    page.get_by_label("活动标签").fill(payload)
    page.get_by_label("在地图上画").check()
    page.get_by_label("各点坐标").fill(payload)
    page.get_by_role("button", name="保存草稿").click()
    for tab in ("", "/page", "/promotions", "/propose", "/preview"):
        page.goto(f"{here}{tab}", wait_until="networkidle")
        assert page.locator("main").inner_html().count("<script") == 0
