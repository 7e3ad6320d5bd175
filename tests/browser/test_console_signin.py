"""The console in a real browser: the first sign-in, menus and dialogs, readable to everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from service import clock
from service.staff import cast, operations, passwords, second_factor
from tests.journeys.town import Town
from tests.screens import chrome as chrome  # A fixture.
from tests.screens import complaints, is_readable

pytestmark = pytest.mark.browser

PASSWORD = "Anfang-Wort-2026"


@pytest.fixture(params=["light", "dark"])
def desk(chrome: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A branch's computer; nothing may go wrong unseen."""
    context = chrome.new_context(
        viewport={"width": 1366, "height": 768}, color_scheme=request.param
    )
    page = context.new_page()
    wrong = complaints(page)
    yield page
    context.close()
    # Chromium calls every refused form an error; what is refused here is refused on purpose.
    assert [word for word in wrong if "status of 4" not in word] == []


def new_code(secret: str, *, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(clock.epoch() + steps * second_factor.STEP_SECONDS)


def sign_in(page: Page, town: Town, login: str) -> None:
    """As one of the sample bank's people, with the code the page shows."""
    with town.wiring.unit() as unit:
        unit.db.exec_driver_sql("UPDATE staff SET totp_step = 0")
        unit.db.exec_driver_sql("DELETE FROM staff_throttles")
    page.goto(f"{town.web}/console/")
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码").fill(cast.password(town.settings))
    page.get_by_role("button", name="下一步").click()
    page.get_by_label("动态码或恢复码").fill(page.locator("#demo-code").inner_text())
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("heading", name="首页")).to_be_visible()


def test_the_first_sign_in_step_by_step(desk: Page, town: Town) -> None:
    login = f"neu.{clock.epoch()}"
    with town.wiring.unit() as unit:
        operations.add(
            unit, login=login, name="新同事", by=None, password_hash=passwords.hashed(PASSWORD)
        )
    desk.goto(f"{town.web}/console/account")
    is_readable(desk)
    desk.get_by_label("登录名").fill(login)
    desk.get_by_label("密码").fill("Falsch-Wort-2026")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("alert")).to_contain_text("登录名或密码不正确")
    is_readable(desk)
    desk.get_by_label("密码").fill(PASSWORD)
    desk.keyboard.press("Enter")

    expect(desk.get_by_role("heading", name="绑定动态码")).to_be_visible()
    square = desk.get_by_alt_text("动态码应用要扫描的二维码")
    assert square.evaluate("image => image.complete && image.naturalWidth > 100")
    is_readable(desk)
    secret = desk.locator("#secret").inner_text()
    desk.get_by_label("6 位动态码").fill(new_code(secret))
    desk.keyboard.press("Enter")

    expect(desk.get_by_role("heading", name="保存恢复码")).to_be_visible()
    expect(desk.locator("#recovery-codes li")).to_have_count(10)
    is_readable(desk)
    desk.get_by_role("link", name="我已经保存好，继续").click()

    expect(desk.get_by_role("heading", name="设置新密码")).to_be_visible()
    is_readable(desk)
    desk.get_by_label("新密码", exact=True).fill("mein-langer-satz")
    desk.get_by_label("再输入一次").fill("mein-langer-satz")
    desk.get_by_role("button", name="保存并继续").click()
    expect(desk.get_by_role("alert")).to_contain_text("三种")
    is_readable(desk)
    desk.get_by_label("新密码", exact=True).fill("Mein-langer-Satz-7")
    desk.get_by_label("再输入一次").fill("Mein-langer-Satz-7")
    desk.get_by_role("button", name="保存并继续").click()

    expect(desk.get_by_role("heading", name="首页")).to_be_visible()
    expect(desk.locator("main")).to_contain_text("还没有任何权限")
    is_readable(desk)


def test_every_page_of_an_administrator_is_readable(desk: Page, town: Town) -> None:
    sign_in(desk, town, "admin")
    is_readable(desk)
    for path in (
        *("account", "people", "people/new", "people/gd.editor", "people/admin"),
        *("prove", "no-such-page"),
    ):
        desk.goto(f"{town.web}/console/{path}")
        is_readable(desk)
    desk.goto(f"{town.web}/console/")
    desk.locator("summary", has_text="赵管理").click()
    is_readable(desk)


def test_the_keyboard_leads_everywhere(desk: Page, town: Town) -> None:
    sign_in(desk, town, "ops.wang")
    desk.goto(f"{town.web}/console/")
    desk.keyboard.press("Tab")
    expect(desk.get_by_role("link", name="跳到正文")).to_be_focused()
    desk.keyboard.press("Enter")
    assert desk.url.endswith("#content")
    menu = desk.locator("summary", has_text="王值班")
    menu.focus()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("button", name="退出", exact=True)).to_be_visible()
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("button", name="退出", exact=True)).to_be_hidden()
    expect(menu).to_be_focused()


def test_whoever_has_several_branches_chooses_one(desk: Page, town: Town) -> None:
    sign_in(desk, town, "ops.wang")
    expect(desk.locator(".lead-line")).to_contain_text("总行")
    desk.locator("summary", has_text="机构").click()
    is_readable(desk)
    desk.get_by_label("切换到").select_option(label="上海市分行")
    desk.get_by_role("button", name="切换").click()
    expect(desk.locator(".lead-line")).to_contain_text("上海市分行")
    desk.reload()
    expect(desk.locator("summary", has_text="机构：上海市分行")).to_be_visible()


def test_colours_stay_as_they_were_chosen(desk: Page, town: Town) -> None:
    sign_in(desk, town, "gd.editor")
    for button, theme in (("深色", "dark"), ("浅色", "light")):
        desk.locator("summary", has_text="陈小燕").click()
        desk.get_by_role("button", name=button).click()
        expect(desk.locator("html")).to_have_attribute("data-bs-theme", theme)
        desk.goto(f"{town.web}/console/account")
        expect(desk.locator("html")).to_have_attribute("data-bs-theme", theme)


def test_what_cannot_be_taken_back_is_asked_first(desk: Page, town: Town) -> None:
    sign_in(desk, town, "gd.checker")
    desk.goto(f"{town.web}/console/account")
    desk.get_by_role("button", name="重新生成恢复码").click()
    dialog = desk.get_by_role("dialog")
    expect(dialog).to_contain_text("全部作废")
    is_readable(desk)
    desk.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert desk.url.endswith("/console/account")
    desk.get_by_role("button", name="重新生成恢复码").click()
    dialog.get_by_role("button", name="再想想").click()
    expect(dialog).to_be_hidden()
    desk.get_by_role("button", name="重新生成恢复码").click()
    dialog.get_by_role("button", name="重新生成恢复码").click()
    expect(desk.locator("#recovery-codes li")).to_have_count(10)


def test_after_signing_out_going_back_shows_nothing(desk: Page, town: Town) -> None:
    sign_in(desk, town, "sh.editor")
    desk.goto(f"{town.web}/console/account")
    desk.locator("summary", has_text="顾雯").click()
    desk.get_by_role("button", name="退出", exact=True).click()
    expect(desk.get_by_role("heading", name="登录")).to_be_visible()
    desk.go_back()
    expect(desk.get_by_role("heading", name="登录")).to_be_visible()
    assert not re.search("顾雯", desk.content())
