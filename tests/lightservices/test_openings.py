"""Holidays, worked weekends, the bank's own closings, and outlets narrowed by what they offer."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType

import pytest
import yaml
from marshmallow import ValidationError

from lightservices.outlets import holidays, nearest, openings
from lightservices.outlets.holidays import Calendar, Closing
from lightservices.outlets.hours import parse
from lightservices.outlets.imports import check
from lightservices.outlets.imports import replace as put_in_place
from lightservices.outlets.nearest import Index
from service.clock import SHANGHAI
from service.sheets import SheetRefused
from service.wiring import Unit
from tests.lightservices.conftest import OUTLETS, outlet
from tests.lightservices.corebank import CoreBank, core_site, corebank

__all__ = ["core_site", "corebank"]

#: A week in which Thursday and Friday are holidays, and Saturday is worked instead.
CALENDAR = Calendar(
    MappingProxyType({date(2026, 11, 26): "示例节", date(2026, 11, 27): "示例节"}),
    frozenset((date(2026, 11, 28),)),
    (Closing(frozenset((date(2026, 11, 24),)), "系统升级", frozenset(("B310000",))),),
)


def at(day: int, hour: int) -> datetime:
    """2026-11-23 is a Monday."""
    return datetime(2026, 11, 22 + day, hour, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("hours", "moment", "state"),
    [
        ("周一至周五 09:00-17:00", at(4, 10), "今天是示例节，营业时间请先致电"),
        ("周一至周五 09:00-17:00；节假日休息", at(4, 10), "休息中，周六 09:00 开门"),
        ("周一至周五 09:00-17:00；节假日 10:00-12:00", at(4, 10), "营业中，12:00 关门"),
        ("周一至周五、节假日 09:00-17:00", at(5, 10), "营业中，17:00 关门"),
        ("周一至周五 09:00-17:00；周六、周日休息", at(6, 10), "营业中，17:00 关门"),
        ("周一至周五 09:00-17:00；周六、周日休息", at(7, 10), "休息中，明天 09:00 开门"),
        ("周一至周五 09:00-17:00", at(3, 18), "休息中，节后 周六 09:00 开门"),
        ("每天 00:00-24:00", at(4, 10), "营业中，全天 24 小时"),
        ("周三 09:00-12:00，13:30-17:00", at(4, 9), "休息中，周三 09:00 开门"),
        ("节假日 09:00-12:00", at(6, 9), "休息中"),
    ],
)
def test_holidays_and_worked_weekends_change_what_a_follower_reads(
    hours: str, moment: datetime, state: str
) -> None:
    assert parse(hours).state(moment, CALENDAR) == state


def test_without_a_holiday_every_day_is_as_its_name_says() -> None:
    assert parse("周一至周五 09:00-17:00；节假日休息").is_open(at(4, 10))
    assert not parse("周一至周五 09:00-17:00；节假日休息").is_open(at(4, 10), CALENDAR)
    assert not parse("周一至周五 09:00-17:00").is_open(at(6, 10))
    assert parse("周一至周五 09:00-17:00").is_open(at(6, 10), CALENDAR)


@pytest.mark.parametrize("words", ["休息", "节日休息", "周八休息", "节假日 25:00-26:00"])
def test_words_that_are_no_days_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match="“"):
        parse(words)


def test_what_the_bank_closes_is_closed_below_that_branch_alone(
    bank: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openings, "calendar", lambda: CALENDAR)
    look = openings.look(bank, at=at(2, 10).astimezone(UTC))
    shanghai, jiangsu = OUTLETS[0], OUTLETS[3]
    assert look(shanghai) == openings.Openness(False, "今天停业：系统升级")
    assert look(jiangsu).is_open
    assert look(replace(jiangsu, hours="")).says == ""


def test_the_calendars_that_ship_are_samples_and_invent_no_date() -> None:
    shipped = holidays.calendar()
    assert shipped.official == frozenset()
    # Only the days whose dates the law itself fixes.
    fixed = {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}
    assert {(day.month, day.day) for day in shipped.holidays} == fixed
    assert not shipped.workdays
    assert not shipped.closings


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"status": "official"}, "status"),
        ({"workdays": ["2026-10-01"]}, "workdays"),
        ({"workdays": ["2026-10-12"]}, "workdays"),
        ({"workdays": ["2025-10-12"]}, "year"),
        ({"holidays": [{"name": "国庆节", "dates": ["2026-10-01", "2026-10-01"]}]}, "holidays"),
        ({"holidays": [{"name": "国庆节", "dates": ["十月一日"]}]}, "holidays"),
        ({"status": "maybe"}, "status"),
        (
            {"closings": [{"dates": ["2026-10-08"], "why": "盘点", "branches": ["上海"]}]},
            "closings",
        ),
    ],
)
def test_half_a_calendar_is_refused(tmp_path: Path, changed: dict[str, object], where: str) -> None:
    shipped = holidays.PACKS / "holidays-2026.yaml"
    content = yaml.safe_load(shipped.read_text("utf-8")) | changed
    file = tmp_path / "holidays-2026.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    with pytest.raises(ValidationError) as refused:
        holidays.read(file)
    assert where in refused.value.normalized_messages()


def test_the_nearest_that_fit_are_found_however_far() -> None:
    rows = [outlet(f"{n:04d}", "HQ", "310101", (31.0 + n / 1000, 121.0)) for n in range(900)]
    rows[-1] = replace(rows[-1], accessible=("坡道",))
    rows[500] = replace(rows[500], accessible=("坡道",))
    index = Index(rows)
    found = index.nearest(31.0, 121.0, count=5, which=lambda one: bool(one.accessible))
    assert [near.outlet.id for near in found] == [rows[500].id, rows[-1].id]
    assert index.nearest(31.0, 121.0, count=5, which=lambda _one: False) == []
    plain = index.nearest(31.0, 121.0, count=5)
    assert index.nearest(31.0, 121.0, count=5, which=lambda _one: True) == plain


def test_a_list_says_what_is_accessible(bank: Unit, tmp_path: Path) -> None:
    file = tmp_path / "outlets.csv"
    head = "编号,名称,地址,经度,纬度,坐标系,营业时间,服务,无障碍\n"
    row = "A1,甲支行,甲路 1 号,121.4737,31.2304,gcj02,{},对公业务、保险箱,坡道，助听设备\n"
    file.write_text(head + row.format("周一至周五 09:00-12:00、13:30-17:00；节假日休息"), "utf-8")
    put_in_place(bank, check(bank, file))
    found = nearest.outlet(bank, "A1")
    assert found is not None
    assert found.accessible == ("坡道", "助听设备")
    assert found.services == ("对公业务", "保险箱")
    file.write_text(head + row.format("节日休息"), "utf-8")
    with pytest.raises(SheetRefused, match="第 2 行"):
        check(bank, file)


@pytest.fixture
def furnished_outlets(corebank: CoreBank, monkeypatch: pytest.MonkeyPatch) -> CoreBank:
    """One outlet that never closes and one that, without holidays, never opens."""
    monkeypatch.setattr(openings, "calendar", lambda: holidays.PLAIN)
    always = replace(OUTLETS[0], hours="每天 00:00-24:00", services=("自助设备",))
    ramp = replace(
        OUTLETS[1], hours="节假日 09:00-17:00", services=("对公业务",), accessible=("坡道",)
    )
    with corebank.wiring.unit() as unit:
        put_in_place(unit, [always, ramp])
    return corebank


def shown(page: str) -> set[str]:
    return set(re.findall(r'href="/o/([^"]+)"', page))


def test_the_list_is_narrowed_without_a_script(furnished_outlets: CoreBank) -> None:
    page = furnished_outlets.page
    always, ramp = OUTLETS[0].id, OUTLETS[1].id
    assert shown(page("/s/outlets")) == {always, ramp}
    assert shown(page("/s/outlets?open=1")) == {always}
    assert shown(page("/s/outlets?accessible=1")) == {ramp}
    assert shown(page("/s/outlets?does=对公业务")) == {ramp}
    assert shown(page("/s/outlets?does=对公业务&open=1")) == set()
    assert "没有符合条件的网点" in page("/s/outlets?does=对公业务&open=1")
    # An unknown wish is none, and a chip that is on leads to the list without it.
    assert shown(page("/s/outlets?does=<script>&open=2")) == {always, ramp}
    assert 'href="/s/outlets?accessible=1"' in page("/s/outlets?accessible=1&open=1")


def test_an_outlets_page_tells_the_queue_and_its_age(furnished_outlets: CoreBank) -> None:
    path = OUTLETS[0].path
    page = furnished_outlets.page(path)
    assert re.search(r"(约 \d+ 人在等候|现在不用排队)，\d 个窗口在办理", page)
    assert "刚刚的数（示例）" in page
    furnished_outlets.core.misbehave({"path": "/v1/outlets/*", "do": "wrong_type"})
    furnished_outlets.wiring.shelf.pop("providers.asking")
    without = furnished_outlets.page(path)
    assert "窗口在办理" not in without
    assert "营业中" in without


def test_a_closed_outlet_is_not_asked_how_many_wait(furnished_outlets: CoreBank) -> None:
    page = furnished_outlets.page(OUTLETS[1].path)
    assert "休息中" in page
    assert "坡道" in page
    assert not [path for path in furnished_outlets.core.world.calls if "queue" in path]
