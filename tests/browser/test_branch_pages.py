"""A branch's pages in a real browser: readable, usable by keyboard, and they show what they do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lightservices import workbooks
from lightservices.outlets.branch_list import COLUMNS
from tests import screens
from tests.lightservices.console.conftest import HERE, Bank, bank, premises, row, sheet
from tests.lightservices.console.test_figures import fill
from tests.screens import chrome as chrome  # A fixture.
from tests.service.sandbox.conftest import listening

#: The fixtures, see tests/lightservices/console/conftest.py.
__all__ = ["bank", "premises"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def web(premises: Bank) -> Iterator[str]:
    with listening(premises.app) as address:
        yield f"{address}/console/branches/{HERE}"


@pytest.fixture(params=["light", "dark"])
def screen(chrome: Browser, bank: Bank, web: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The maker's computer; nothing may go wrong unseen."""
    context = chrome.new_context(
        viewport={"width": 1366, "height": 768}, color_scheme=request.param, locale="zh-CN"
    )
    cookie = bank.desk("maker").cookie
    context.add_cookies([{"name": "console", "value": cookie, "url": web.partition("/console")[0]}])
    page = context.new_page()
    wrong = screens.complaints(page)
    yield page
    context.close()
    assert wrong == []


def is_readable(page: Page, shots: Path, name: str) -> None:
    """The page is pictured, and readable to everybody."""
    page.screenshot(path=shots / f"{name}.png", full_page=True)
    screens.is_readable(page)


def test_a_list_goes_from_the_file_to_the_proposal(screen: Page, web: str, tmp_path: Path) -> None:
    wrong, good = tmp_path / "wrong.csv", tmp_path / "good.xlsx"
    wrong.write_bytes(sheet([row("GZ001", hours="全年无休"), row("GZ001")]))
    told = [[one.get(name, "") for name in COLUMNS] for one in (row("GZ001"), row("GZ009"))]
    good.write_bytes(workbooks.as_xlsx("网点", list(COLUMNS.values()), told))
    screen.goto(f"{web}/outlets")
    is_readable(screen, tmp_path, "outlets")
    screen.get_by_label("文件（CSV 或 XLSX）").set_input_files(wrong)
    screen.get_by_role("button", name="上传并核对").press("Enter")
    # The first list of a process waits for the map to be read.
    expect(screen.get_by_text("有 2 处要改")).to_be_visible(timeout=30_000)
    is_readable(screen, tmp_path, "faults")
    screen.get_by_role("link", name="重新上传").press("Enter")
    screen.get_by_label("文件（CSV 或 XLSX）").set_input_files(good)
    screen.get_by_role("button", name="上传并核对").press("Enter")
    expect(screen.get_by_text("＋ 新增")).to_be_visible()
    expect(screen.get_by_text("－ 撤下")).to_be_visible()
    expect(screen.get_by_text("≠ 修改")).to_be_visible()
    is_readable(screen, tmp_path, "changes")
    screen.get_by_role("checkbox").press("Space")
    screen.get_by_role("button", name="存为草稿").press("Enter")
    expect(screen.get_by_text("已存为草稿")).to_be_visible()
    is_readable(screen, tmp_path, "draft")
    screen.goto(f"{web}/outlets")
    expect(screen.get_by_role("link", name="查看版本")).to_be_visible()
    is_readable(screen, tmp_path, "waiting")


def test_a_file_that_is_none_is_told_of_where_one_is(
    screen: Page, web: str, tmp_path: Path
) -> None:
    bad = tmp_path / "list.csv"
    bad.write_bytes("编号,名称\nA,B\n".encode())
    screen.goto(f"{web}/outlets")
    screen.get_by_label("文件（CSV 或 XLSX）").set_input_files(bad)
    screen.get_by_role("button", name="上传并核对").click()
    expect(screen.get_by_role("alert")).to_contain_text("缺少这些列：地址、经度、纬度")
    expect(screen.get_by_role("button", name="上传并核对")).to_be_enabled()
    is_readable(screen, tmp_path, "refused")


def test_figures_are_readable_at_every_span(
    screen: Page, web: str, bank: Bank, tmp_path: Path
) -> None:
    fill(bank)
    screen.goto(f"{web}/figures")
    expect(screen.get_by_role("img", name="菜单点击")).to_be_visible()
    is_readable(screen, tmp_path, "figures")
    screen.get_by_role("link", name="最近 90 天").press("Enter")
    screen.get_by_role("link", name="只看本机构").press("Enter")
    expect(screen.get_by_role("link", name="最近 90 天")).to_have_attribute("aria-current", "page")
    is_readable(screen, tmp_path, "figures-90")
    with screen.expect_download() as coming:
        screen.get_by_role("button", name="导出（CSV）").click()
    assert coming.value.suggested_filename.startswith(f"figures-{HERE}-")


def test_a_service_is_written_and_looked_at_by_keyboard(
    screen: Page, web: str, tmp_path: Path
) -> None:
    screen.goto(f"{web}/services")
    is_readable(screen, tmp_path, "services-none")
    screen.get_by_label("名称").fill("地铁卡充值")
    screen.get_by_label("编号").fill("metro")
    screen.get_by_label("表单：粉丝填写").press("Space")
    screen.keyboard.press("Enter")
    said = screen.locator("[data-faults-said]")
    expect(said).to_contain_text("还有")
    is_readable(screen, tmp_path, "service-new")
    screen.get_by_label("类型").first.select_option(label="指南")
    screen.get_by_label("场景").select_option(label="线上办理")
    screen.get_by_label("简介").fill("用手机给地铁卡充值，不用去车站排队，充完贴卡即可")
    screen.get_by_label("步骤标题").fill("第二步")
    screen.get_by_role("button", name="再加一条").first.press("Enter")
    screen.keyboard.type("第一步")
    screen.get_by_role("button", name="上移这一步").last.press("Enter")
    screen.get_by_label("搜索词").fill("地铁卡\n羊城通\n公交卡充值\n坐地铁\n交通卡")
    screen.get_by_label("常见问法").fill("地铁卡怎么充值\n羊城通没钱了怎么办\n手机能充公交卡吗")
    expect(said).to_have_text("内容符合要求。")
    screen.get_by_role("button", name="按现在写的预览").press("Enter")
    phone = screen.frame_locator("iframe[name=own-preview]")
    expect(phone.locator(".steps li").first).to_contain_text("第一步")
    is_readable(screen, tmp_path, "service")
    screen.get_by_role("button", name="保存并去提交审批").press("Enter")
    expect(screen.get_by_role("heading", name="提交审批")).to_be_visible()
    screen.goto(f"{web}/services")
    expect(screen.get_by_role("link", name="地铁卡充值")).to_be_visible()
    is_readable(screen, tmp_path, "services")
