"""An emergency's area drawn with the mouse, from the map of a province to the proposal."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import delete

from lightservices.emergency import queries
from lightservices.emergency.models import EmergencyRow, ReviewRow, VersionRow
from service.epochs import bump
from tests.browser.test_console_signin import desk as desk  # A fixture.
from tests.browser.test_console_signin import sign_in
from tests.browser.test_zone_editor import look
from tests.journeys.town import Town
from tests.lightservices.emergency.duty import opened
from tests.screens import chrome as chrome  # A fixture.

pytestmark = pytest.mark.browser


@pytest.fixture
def calm(town: Town) -> Iterator[Town]:
    """Nothing is open before, and nothing after."""
    yield town
    with town.wiring.unit() as unit:
        for model in (ReviewRow, VersionRow, EmergencyRow):
            unit.db.execute(delete(model))
        bump(unit, "emergencies")


def begin(desk: Page, town: Town, province: str = "广东省") -> Locator:
    """The form with the map of a province."""
    sign_in(desk, town, "ops.wang")
    desk.goto(f"{town.web}/console/emergency/begin/typhoon")
    look(desk, "30-begin")
    desk.get_by_label("看哪里").select_option(label=province)
    expect(desk.locator('path[data-code="440402"]')).to_have_count(1)
    return desk.locator("#ground")


def click(ground: Locator, *places: tuple[float, float]) -> None:
    """Clicks at these shares of the map's width and height."""
    ground.scroll_into_view_if_needed()
    box = ground.bounding_box()
    assert box is not None
    for across, down in places:
        ground.click(position={"x": box["width"] * across, "y": box["height"] * down})


def mode(desk: Page, name: str) -> None:
    desk.locator("label", has_text=re.compile(f"^{name}$")).click()


def test_zhuhai_and_a_piece_of_zhongshan_are_drawn_and_proposed(desk: Page, calm: Town) -> None:
    ground = begin(desk, calm)
    desk.get_by_label("查找行政区划").fill("zhuhai")
    desk.get_by_role("button", name="广东省珠海市 440400").click()
    found = desk.locator("[data-found]")
    # The first question of a process reads the whole map of the country.
    expect(found).to_contain_text("广东省珠海市香洲区", timeout=20_000)
    expect(ground.locator("path.is-in")).to_have_count(3)
    # Close to 中山 its own name can be read, and a piece of it be drawn.
    desk.get_by_label("放大到").select_option(label="中山市")
    expect(ground.locator("text", has_text="斗门区")).to_be_visible()
    mode(desk, "画多边形")
    click(ground, (0.42, 0.40), (0.55, 0.40), (0.55, 0.52), (0.42, 0.52))
    expect(ground.locator("polygon")).to_have_count(1)
    expect(found).to_contain_text("中山分行")
    expect(found).to_contain_text(re.compile(r"约 \d+%"))
    look(desk, "31-drawn")
    desk.get_by_label("为什么").fill("台风将至")
    desk.get_by_role("button", name="下一步：核对影响范围").click()
    expect(desk.get_by_role("heading", name="核对")).to_be_visible()
    expect(desk.locator("main")).to_contain_text("2 家：珠海分行、中山分行")
    look(desk, "32-check")
    # Nobody goes on without the tick, and nothing is lost by trying.
    desk.get_by_role("button", name="提出", exact=True).click()
    expect(desk.get_by_role("alert")).to_contain_text("还没有勾选影响范围")
    desk.get_by_label("我核对过").first.check()
    desk.get_by_role("button", name="提出", exact=True).click()
    desk.wait_for_url(re.compile("/console/emergency/typhoon-"))
    with calm.wiring.reading() as unit:
        [record] = queries.unfinished(unit)
        [version] = queries.versions(unit, record)
    area = version.content.area
    assert area is not None
    assert area.inside.divisions == {"440400"}
    assert version.branches == ("B440400", "B442000")
    [polygon] = area.inside.polygons
    # GCJ-02, in 中山.
    assert all(22.1 < lat < 22.8 and 113.1 < lng < 113.8 for lat, lng in polygon.corners)
    assert 0 < version.covered.parts["442000"] < 0.6


def test_corners_are_taken_back_and_shapes_deleted(desk: Page, calm: Town) -> None:
    ground = begin(desk, calm)
    mode(desk, "画多边形")
    click(ground, (0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6))
    drawn = desk.get_by_label("划入的图形（坐标）")
    assert len(drawn.input_value().split("\n")) == 4
    desk.get_by_role("button", name="撤销一点").click()
    assert len(drawn.input_value().split("\n")) == 3
    desk.get_by_role("button", name="这块画完").click()
    click(ground, (0.2, 0.7))
    shapes = desk.get_by_label("画好的图形")
    expect(shapes).to_contain_text("多边形 2（1 个点，还没画完）")
    mode(desk, "画圆")
    desk.get_by_label("圆的半径（公里）").fill("25")
    click(ground, (0.5, 0.5))
    expect(shapes).to_contain_text("圆 1（半径 25 公里）")
    expect(ground.locator("ellipse")).to_have_count(1)
    mode(desk, "除外")
    desk.get_by_label("圆心纬度").fill("22.9")
    desk.get_by_label("圆心经度").fill("113.2")
    desk.get_by_role("button", name="加入这个圆").click()
    assert desk.get_by_label("除外的图形（坐标）").input_value() == "22.9, 113.2, 25000"
    expect(ground.locator("ellipse.is-out")).to_have_count(1)
    look(desk, "33-shapes")
    desk.get_by_role("button", name="删除多边形 2").click()
    expect(shapes).not_to_contain_text("还没画完")
    desk.get_by_role("button", name="删除多边形 1").click()
    desk.get_by_role("button", name="删除除外：圆 1").click()
    expect(ground.locator("polygon")).to_have_count(0)
    expect(ground.locator("ellipse")).to_have_count(1)


def test_the_map_is_dragged_picked_from_and_shows_what_is_open_there(
    desk: Page, calm: Town
) -> None:
    with calm.wiring.unit() as unit:
        record = opened(unit)
    ground = begin(desk, calm)
    ground.scroll_into_view_if_needed()
    desk.get_by_label("放大到").select_option(label="珠海市")
    before = ground.get_attribute("viewBox")
    box = ground.bounding_box()
    assert box is not None
    desk.mouse.move(box["x"] + 300, box["y"] + 200)
    desk.mouse.down()
    desk.mouse.move(box["x"] + 200, box["y"] + 160, steps=4)
    desk.mouse.up()
    assert ground.get_attribute("viewBox") != before
    codes = desk.get_by_label("划入的行政区划")
    # Whoever drags picks nothing; whoever clicks does, and once more takes it out.
    assert codes.input_value() == ""
    desk.get_by_label("放大到").select_option(label="珠海市")
    piece = ground.locator('path[data-code="440403"]')
    at = ground.locator("text", has_text="斗门区").bounding_box()
    assert at is not None
    desk.mouse.click(at["x"] + at["width"] / 2, at["y"] + at["height"])
    assert codes.input_value() == "440403 斗门区"
    expect(piece).to_have_class(re.compile("is-in"))
    expect(piece).to_have_class(re.compile("is-other"))
    expect(desk.locator("[data-found]")).to_contain_text(record.key)
    look(desk, "34-overlap")
    desk.mouse.click(at["x"] + at["width"] / 2, at["y"] + at["height"])
    assert codes.input_value() == ""


def test_one_hand_is_asked_once_more_with_what_follows_from_it(desk: Page, calm: Town) -> None:
    begin(desk, calm)
    desk.get_by_label("划入的行政区划").fill("珠海市")
    desk.get_by_label("为什么").fill("凌晨一人值班")
    desk.get_by_label("演练", exact=False).check()
    desk.get_by_role("button", name="下一步：核对影响范围").click()
    desk.locator("summary", has_text="紧急开启").click()
    look(desk, "35-glass")
    form = desk.locator("details form")
    form.get_by_label("我核对过").check()
    form.get_by_role("button", name="紧急开启").click()
    dialog = desk.locator("#ask")
    expect(dialog).to_contain_text("必须由另一位同事补审")
    dialog.get_by_role("button", name="再想想").click()
    with calm.wiring.reading() as unit:
        assert queries.unfinished(unit) == []
    form.get_by_role("button", name="紧急开启").click()
    dialog.get_by_role("button", name="紧急开启").click()
    desk.wait_for_url(re.compile("/console/emergency/typhoon-"))
    with calm.wiring.reading() as unit:
        [record] = queries.unfinished(unit)
        assert record.broke_glass
        assert record.drill


def test_functions_come_move_and_go_and_a_text_too_long_is_marked(desk: Page, calm: Town) -> None:
    begin(desk, calm)
    desk.locator("summary", has_text="可用的功能").click()
    rows = desk.locator("fieldset[data-rows]").first
    uses = rows.get_by_label("现在有什么用")
    before, first = uses.count(), uses.first.input_value()
    rows.get_by_role("button", name="下移这项功能").first.press("Enter")
    assert uses.nth(1).input_value() == first
    rows.get_by_role("button", name="删除这项功能").nth(1).click()
    expect(uses).to_have_count(before - 1)
    rows.get_by_role("button", name="＋ 再加一条").click()
    expect(uses).to_have_count(before)
    uses.first.fill("字" * 41)
    expect(uses.first).to_have_class(re.compile("is-invalid"))
