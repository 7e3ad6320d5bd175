"""One emergency on one screen in a real browser: opened, followed and closed, readable to all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from lightservices.emergency import changes
from lightservices.emergency.models import EmergencyRow, ReviewRow, VersionRow
from menus import publication
from service.epochs import bump
from service.staff import Me
from service.staff import operations as staff
from tests.browser.test_console_signin import desk as desk  # A fixture.
from tests.browser.test_console_signin import sign_in
from tests.journeys.town import Town
from tests.lightservices.emergency.duty import (
    ZHUHAI_AND_A_PIECE,
    broken,
    key_of,
    opened,
    proposed,
    said,
)
from tests.screens import chrome as chrome  # A fixture.
from tests.screens import is_readable

pytestmark = pytest.mark.browser

ROOT = "/console/emergency"


@pytest.fixture
def calm(town: Town) -> Iterator[Town]:
    """Nothing is open before, and nothing after, in menus neither."""
    yield town
    with town.wiring.unit() as unit:
        for model in (ReviewRow, VersionRow, EmergencyRow):
            unit.db.execute(delete(model))
        bump(unit, "emergencies")
    with town.wiring.unit() as unit:
        publication.request_publication(unit)
    town.settle()


def person(town: Town, login: str) -> Me:
    with town.wiring.reading() as unit:
        found = staff.required(unit, login)
    return Me(found.id, found.login, found.name, found.grants)


# Menus are published twice on the way.
@pytest.mark.timeout(300)
def test_it_is_opened_followed_to_the_menus_and_closed(desk: Page, calm: Town) -> None:
    wang = person(calm, "ops.wang")
    with calm.wiring.unit() as unit:
        key = key_of(unit, proposed(unit, wang, area=ZHUHAI_AND_A_PIECE))
    sign_in(desk, calm, "ops.li")
    desk.get_by_role("link", name="应急专区：待确认或待补审").click()
    expect(desk.get_by_role("heading", name="确认开启")).to_be_visible()
    is_readable(desk)
    desk.get_by_text("粉丝看到的页面").click()
    frame = desk.frame_locator("iframe.duty-phone")
    expect(frame.get_by_text("台风来了，人先安全").first).to_be_visible()
    # The button is in reach without scrolling, and does nothing before the reach is ticked.
    button = desk.get_by_role("button", name="开启")
    expect(button).to_be_in_viewport()
    button.click()
    expect(desk.get_by_role("heading", name="确认开启")).to_be_visible()
    desk.get_by_label("我核对过").check()
    button.click()

    expect(desk.get_by_text("已开启。区域内的粉丝现在就能看到")).to_be_visible()
    layers = desk.locator("#layers")
    expect(layers.get_by_text("等待发布")).to_be_visible()
    is_readable(desk)
    calm.settle()
    # Nobody asks for the page again: it looks after itself, and then stops asking.
    expect(layers.get_by_text("已发布")).to_be_visible(timeout=20_000)
    expect(desk.locator("[data-layers][data-settled]")).to_have_count(1, timeout=20_000)
    is_readable(desk)

    desk.get_by_label("立即看不到").check()
    desk.get_by_role("button", name="关闭").click()
    expect(desk.get_by_text("已关闭。页面和回复立即恢复平常")).to_be_visible()
    assert desk.url.endswith(f"{ROOT}/{key}")
    is_readable(desk)


def test_changes_drills_reviews_and_the_list_are_readable(desk: Page, calm: Town) -> None:
    wang, li = person(calm, "ops.wang"), person(calm, "ops.li")
    with calm.wiring.unit() as unit:
        alone = broken(unit, wang)
        content = said(ZHUHAI_AND_A_PIECE, headline="请留在室内")
        changes.amend(unit, alone.key, content=content, why="扩大", by=li)
        drill = key_of(unit, proposed(unit, wang, drill=True))
    sign_in(desk, calm, "ops.wang")
    for path in ("", f"/{alone.key}", f"/{drill}"):
        desk.goto(f"{calm.web}{ROOT}{path}")
        is_readable(desk)
    expect(desk.locator("h1")).to_contain_text("【演练】")
    desk.goto(f"{calm.web}{ROOT}/{alone.key}")
    expect(desk.get_by_role("region", name="改动")).to_contain_text("请留在室内")
    desk.set_viewport_size({"width": 375, "height": 667})
    is_readable(desk)


def test_it_can_all_be_done_without_a_script(desk: Page, calm: Town) -> None:
    with calm.wiring.unit() as unit:
        key = key_of(unit, proposed(unit, person(calm, "ops.wang")))
    sign_in(desk, calm, "ops.li")
    plain = desk.context.browser.new_context(java_script_enabled=False)
    plain.add_cookies(desk.context.cookies())
    page = plain.new_page()
    page.goto(f"{calm.web}{ROOT}/{key}")
    # Whom it concerns is counted when somebody asks.
    page.get_by_role("link", name="数一数，再确认").click()
    page.get_by_label("我核对过").check()
    page.get_by_role("button", name="开启").click()
    expect(page.get_by_text("已开启。区域内的粉丝现在就能看到")).to_be_visible()
    page.get_by_role("link", name="数一数", exact=True).click()
    expect(page.get_by_text("没有粉丝在等换菜单")).to_be_visible()
    page.get_by_role("link", name="刷新").click()
    page.get_by_text("申请延长").first.click()
    page.get_by_label("从确认时起再开几小时").fill("60")
    page.get_by_label("为什么").fill("台风未停")
    page.get_by_role("button", name="申请延长").click()
    expect(page.get_by_text("已申请延长")).to_be_visible()
    page.get_by_label("立即看不到").check()
    page.get_by_role("button", name="关闭").click()
    expect(page.get_by_text("已关闭。页面和回复立即恢复平常")).to_be_visible()
    plain.close()


def test_a_follower_of_unknown_place_chooses_on_a_small_phone_without_a_script(
    desk: Page, calm: Town
) -> None:
    with calm.wiring.unit() as unit:
        wang, li = person(calm, "ops.wang"), person(calm, "ops.li")
        record = opened(unit, li, proposer=wang, area=ZHUHAI_AND_A_PIECE, drill=True)
    desk.set_viewport_size({"width": 375, "height": 667})
    desk.context.clear_cookies()
    for path in ("/e/now", record.path, f"{record.path}?anyway=1"):
        desk.goto(f"{calm.web}{path}")
        is_readable(desk)
    desk.goto(f"{calm.web}/e/now")
    desk.get_by_role("button", name="大字版").click()
    desk.get_by_role("button", name="繁體").click()
    expect(desk.locator("body.large")).to_contain_text("珠海市全市、中山市部分地區")
    is_readable(desk)
    plain = desk.context.browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(f"{calm.web}/e/now")
    in_city(page, "选择我所在的城市", "中山市")
    # Of that city only a part is inside.
    expect(page.get_by_text("您选择了广东省中山市")).to_be_visible()
    page.get_by_role("link", name="台风应急服务").click()
    page.get_by_role("link", name="我在那里，或替家人看").click()
    expect(page.get_by_role("heading", name="台风来了，人先安全")).to_be_visible()
    page.goto(f"{calm.web}{record.path}")
    in_city(page, "选一下我所在的城市", "珠海市")
    expect(page.get_by_role("heading", name="台风来了，人先安全")).to_be_visible()
    expect(page.get_by_text("您现在不在那里")).to_have_count(0)
    plain.close()


def in_city(page: Page, way: str, city: str) -> None:
    page.get_by_role("link", name=way).click()
    page.get_by_role("link", name="广东省").click()
    page.get_by_role("button", name=city).click()
