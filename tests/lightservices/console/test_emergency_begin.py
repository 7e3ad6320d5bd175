"""Beginning and changing an emergency in the console: area, words, hours, reach, hands."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from lightservices.emergency import packs, queries
from lightservices.emergency.content import Severity
from lightservices.emergency.models import EmergencyRow, Record, Version
from tests.lightservices.console.conftest import Bank, Desk, words
from tests.lightservices.console.writing import PIECE, ROOT, form_of
from tests.lightservices.console.writing import calm as calm  # A fixture.
from tests.lightservices.emergency.duty import broken, opened, proposed, said

BEGIN = f"{ROOT}/begin/typhoon"
AREA = {"codes": "440400 广东省珠海市", "drawn": PIECE}


def send(desk: Desk, path: str, form: MultiDict[str, str], **changed: Any) -> TestResponse:
    """The form with some fields changed; None leaves one out."""
    sent = MultiDict(form)
    for name, value in changed.items():
        sent.poplist(name)
        if value is not None:
            sent.setlist(name, value if isinstance(value, list) else [value])
    sent["csrf"] = desk.csrf
    return desk.client.post(path, data=sent, headers={"Accept": "text/html"})


def begun(desk: Desk, path: str = BEGIN) -> MultiDict[str, str]:
    return form_of(desk.get(path).text, path)


def checked(desk: Desk, **changed: Any) -> TestResponse:
    """The second step, of the plan over Zhuhai and a piece of Zhongshan."""
    given = AREA | {"why": "台风将至", "do": "check"} | changed
    return send(desk, BEGIN, begun(desk), **given)


def finish(desk: Desk, second: TestResponse, do: str, path: str = BEGIN, **more: Any) -> Any:
    form = form_of(second.text, path)
    return send(desk, path, form, do=do, ticked=more.pop("ticked", "约 50 人"), **more)


def emergencies(bank: Bank) -> list[tuple[Record, Version]]:
    with bank.wiring.reading() as unit:
        keys = unit.db.execute(select(EmergencyRow.key)).scalars().all()
        records = [found for key in keys if (found := queries.find(unit, key)) is not None]
        return [(one, queries.versions(unit, one)[0]) for one in records]


# The form


def test_the_form_is_filled_from_the_plan(calm: Bank) -> None:
    form, pack = begun(calm.desk("head")), packs.shipped()["typhoon"]
    assert form["headline"] == pack.headline
    assert form["body"] == pack.body
    assert (form["hours"], form["severity"]) == ("48", "critical")
    assert form.getlist("functions.why")[:-1] == [one.why for one in pack.functions]
    assert "drill" not in form


def test_a_plan_there_is_not_is_not_found(calm: Bank) -> None:
    assert calm.desk("head").get(f"{ROOT}/begin/none").status_code == 404


def test_whoever_may_not_propose_sees_why_and_who_may(calm: Bank) -> None:
    answer = calm.desk("reader").get(BEGIN)
    assert "您的角色只能查看" in answer.text
    assert "总行值班" in answer.text
    assert "下一步" not in answer.text
    assert send(calm.desk("reader"), BEGIN, MultiDict()).status_code == 403


def test_faults_keep_everything_that_was_typed(calm: Bank) -> None:
    desk = calm.desk("head")
    typed = {
        "codes": "440400\n朝阳区", "drawn": "22.5, 113.3\n22.6", "without": "110000",
        "without_drawn": "22, 113, 900", "headline": "大" * 30, "hours": "三天",
        "functions.service": ["随便写的", "附近网点"], "functions.why": ["用", "看营业"],
        "why": "", "drill": "1", "do": "check",
    }  # fmt: skip
    answer = send(desk, BEGIN, begun(desk), **typed)
    assert answer.status_code == 409
    again = form_of(answer.text, BEGIN)
    for name in ("codes", "drawn", "without", "without_drawn", "headline", "hours", "why", "drill"):
        assert again[name] == typed[name], name
    assert again.getlist("functions.service")[:2] == ["随便写的", "附近网点"]
    shown = words(answer)
    for fault in (
        "大标题：应为 1 至 24 个字", "时长：应填数字", "“随便写的”不是现有的服务",
        "叫“朝阳区”的不止一个", "坐标第 2 行“22.6”看不懂", "没有写原因",
    ):  # fmt: skip
        assert fault in shown, fault
    assert emergencies(calm) == []


def test_nothing_drawn_is_told(calm: Bank) -> None:
    answer = checked(calm.desk("head"), codes="", drawn="")
    assert answer.status_code == 409
    assert "还没有划定区域" in answer.text


def test_hours_beyond_the_severity_are_told_with_its_cap(calm: Bank) -> None:
    answer = checked(calm.desk("head"), hours="100")
    assert "“紧急”级最长 72 小时" in words(answer)
    assert checked(calm.desk("head"), hours="100", severity="serious").status_code == 200


def test_without_a_script_another_province_is_looked_at_and_nothing_is_lost(calm: Bank) -> None:
    desk = calm.desk("head")
    answer = send(desk, BEGIN, begun(desk), do="look", province="310000", codes="珠海", why="试")
    assert answer.status_code == 200
    again = form_of(answer.text, BEGIN)
    assert (again["codes"], again["why"], again["province"]) == ("珠海", "试", "310000")
    assert 'data-code="310101"' in answer.text
    assert "广东省珠海市香洲区" in answer.text


# The second step


def test_the_second_step_says_in_numbers_what_it_would_do(calm: Bank) -> None:
    shown = words(checked(calm.desk("head")))
    assert "约 50 人在每一页看到横幅" in shown
    assert "确定 约 30 人，可能 约 20 人" in shown
    assert "另有 约 40 人算不到" in shown
    assert "2 家：珠海分行、中山分行" in shown
    assert "1 家整个在区域内的分行，全部粉丝；1 家只有一部分在内的分行" in shown
    assert "停用 7 项：" in shown
    assert "确认后 48 小时自动结束" in shown
    assert "我核对过：粉丝 约 50 人，机构 2 家" in shown


def test_outlets_that_close_are_counted_by_the_rules_that_close_them(calm: Bank) -> None:
    orders = {
        "orders.who": ["all"], "orders.why": ["台风"], "orders.hours": [""],
        "orders.outlets": [""], "orders.divisions": [""],
    }  # fmt: skip
    given = {"codes": "440100", "drawn": "", **orders}
    assert "区域内 2 个，其中 2 个显示停业" in words(checked(calm.desk("head"), **given))
    shown = words(checked(calm.desk("head"), **given, drill="1"))
    assert "演练不改变它们的营业" in shown
    assert "演练不停任何服务" in shown


def test_going_back_keeps_everything(calm: Bank) -> None:
    desk = calm.desk("head")
    second = checked(desk, headline="风大，别出门", drill="1")
    first = finish(desk, second, "back")
    again = form_of(first.text, BEGIN)
    assert (again["headline"], again["drill"], again["drawn"]) == ("风大，别出门", "1", PIECE)


def test_what_is_proposed_is_what_was_written(calm: Bank) -> None:
    desk = calm.desk("head")
    answer = finish(desk, checked(desk, headline="风大，别出门", hours="24"), "propose")
    [(record, version)] = emergencies(calm)
    assert answer.status_code == 303
    assert answer.location == f"{ROOT}/{record.key}"
    assert (record.state, record.drill, version.hours) == ("proposed", False, 24)
    assert (version.why, version.maker_id) == ("台风将至", desk.me.id)
    area = version.content.area
    assert area is not None
    assert area.inside.divisions == {"440400"}
    assert len(area.inside.polygons) == 1
    # Whatever was not touched is the plan's, to the letter.
    assert version.content == said(area, headline="风大，别出门", hours=24)


def test_a_drill_stays_one(calm: Bank) -> None:
    desk = calm.desk("head")
    second = checked(desk, drill="1")
    assert "【演练】" in second.text
    finish(desk, second, "propose")
    [(record, _version)] = emergencies(calm)
    assert record.drill


@pytest.mark.parametrize("ticked", [None, "约 90 人"])
def test_nobody_goes_on_without_ticking_the_reach_there_is(calm: Bank, ticked: str | None) -> None:
    desk = calm.desk("head")
    for do in ("propose", "glass"):
        answer = finish(desk, checked(desk), do, ticked=ticked, glass_hours="2")
        assert answer.status_code == 409
        shown = words(answer)
        assert ("影响范围现在是约 50 人" if ticked else "还没有勾选影响范围") in shown
        assert form_of(answer.text, BEGIN)["drawn"] == PIECE
    assert emergencies(calm) == []


def test_overlaps_are_named_before_anything_is_proposed(calm: Bank) -> None:
    with calm.wiring.unit() as unit:
        record = opened(unit)
        proposed(unit, drill=True)
    shown = words(checked(calm.desk("head")))
    assert "台风应急服务（已开启，" in shown
    assert "【演练】台风应急服务（待开启，" in shown
    assert record.key in shown
    assert "重叠" not in words(checked(calm.desk("head"), codes="310000", drawn=""))


# One hand


def test_breaking_the_glass_opens_at_once_for_the_hours_chosen(calm: Bank) -> None:
    desk = calm.desk("head")
    second = checked(desk)
    assert "必须由另一位" in words(second)
    answer = finish(desk, second, "glass", glass_hours="1")
    assert answer.status_code == 303
    [(record, version)] = emergencies(calm)
    assert (record.state, record.broke_glass, version.hours) == ("open", True, 1)


@pytest.mark.parametrize("hours", ["3", "0", "", "zwei"])
def test_one_hand_has_two_hours_and_no_more(calm: Bank, hours: str) -> None:
    desk = calm.desk("head")
    answer = finish(desk, checked(desk), "glass", glass_hours=hours)
    assert answer.status_code == 409
    assert "时长应在 1 至 2 小时之间" in words(answer)
    assert emergencies(calm) == []


def test_a_review_owed_keeps_the_glass_closed_and_says_whose(calm: Bank) -> None:
    desk = calm.desk("head")
    with calm.wiring.unit() as unit:
        record = broken(unit, desk.me)
    second = checked(desk)
    assert "还没有补审" in words(second)
    assert record.key in second.text
    answer = finish(desk, second, "glass", glass_hours="2")
    assert answer.status_code == 409
    assert "补审前不能再次紧急开启" in words(answer)


def test_an_editor_may_propose_at_home_and_not_break_the_glass(calm: Bank) -> None:
    desk = calm.desk("maker")
    second = checked(desk)
    assert "紧急开启要有“开启应急专区”权限" in words(second)
    assert finish(desk, second, "glass", glass_hours="2").status_code == 409
    assert emergencies(calm) == []
    assert finish(desk, second, "propose").status_code == 303


# Other people's ground


def test_no_number_is_told_of_other_peoples_ground(calm: Bank) -> None:
    desk = calm.desk("outsider")
    answer = checked(desk)
    assert answer.status_code == 409
    assert "这个区域涉及您没有权限的机构：珠海分行、中山分行" in words(answer)
    assert "约 50 人" not in answer.text
    told = desk.client.post(f"{ROOT}/area", data=AREA | {"csrf": desk.csrf}).json
    assert "没有权限的机构" in told["problem"]
    assert (told["reach"], told["counties"], told["outlets"]) == ({}, [], 0)
    assert "约 50 人" not in told["html"]
    finish(desk, checked(calm.desk("head")), "propose")
    assert emergencies(calm) == []


def test_the_area_is_told_while_it_is_drawn(calm: Bank) -> None:
    desk = calm.desk("maker")
    with calm.wiring.unit() as unit:
        record = opened(unit)
    sent = AREA | {"csrf": desk.csrf, "without_drawn": "22.52, 113.32, 900\n\n22.6, 113.3"}
    told = desk.client.post(f"{ROOT}/area", data=sent).json
    assert told["problem"] == ""
    assert told["reach"] == {
        "total": "约 50 人", "certain": "约 30 人", "likely": "约 20 人", "unknown": "约 40 人",
    }  # fmt: skip
    shares = {one["code"]: one["share"] for one in told["counties"]}
    assert shares["440404"] == 1
    assert 0.1 < shares["442000"] < 0.2
    assert told["branches"] == ["B440400", "B442000"]
    assert "440404" in told["picture"]["codes"]
    assert len(told["picture"]["polygons"][0]) == 4
    assert len(told["picture"]["outside_polygons"][0]) == 48
    [other] = told["overlaps"]
    assert (other["key"], other["state"]) == (record.key, "已开启")
    # What is being changed is no other.
    sent["besides"] = record.key
    assert desk.client.post(f"{ROOT}/area", data=sent).json["overlaps"] == []


def test_an_area_at_sea_concerns_nobody_and_says_so(calm: Bank) -> None:
    answer = checked(calm.desk("head"), codes="", drawn="19, 119, 1000")
    assert "区域里没有一个区县" in words(answer)


def test_divisions_are_found_and_maps_are_shown(calm: Bank) -> None:
    desk = calm.desk("reader")
    assert desk.get(f"{ROOT}/divisions?q=zhuhai").json[0]["code"] == "440400"
    assert desk.get(f"{ROOT}/divisions").json == []
    shown = desk.get(f"{ROOT}/ground?code=440000").json
    assert shown["code"] == "440000"
    assert ["440400", "珠海市"] in shown["cities"]
    assert 'data-code="440402"' in shown["html"]
    assert 'data-code="440000"' in desk.get(f"{ROOT}/ground").json["html"]
    assert desk.get(f"{ROOT}/ground?code=999999").status_code == 404


# Changing what is open


def amending(bank: Bank, desk: Desk, **changed: Any) -> tuple[str, TestResponse]:
    """What is open over Zhuhai, in the second step of being changed."""
    with bank.wiring.unit() as unit:
        record = opened(unit)
    path = f"{ROOT}/{record.key}/amend"
    given = {"why": "风小了", "do": "check"} | changed
    return path, send(desk, path, begun(desk, path), **given)


def test_a_change_shows_what_differs_in_words_and_waits_for_another(calm: Bank) -> None:
    desk = calm.desk("head")
    path, second = amending(calm, desk, headline="风小了，路上还有积水", severity="serious", **AREA)
    shown = words(second)
    assert "大标题 台风来了，人先安全 风小了，路上还有积水" in shown
    assert "级别 紧急 严重" in shown
    assert "划入的图形（坐标） （没有） 22.5, 113.3" in shown
    assert "正文" not in shown.partition("改了什么")[2].partition("提出修改")[0]
    assert "不变：" in shown
    assert "紧急开启" not in shown
    answer = finish(desk, second, "propose", path)
    assert answer.status_code == 303
    [(record, version)] = emergencies(calm)
    assert (record.live, version.number, version.kind, version.stage) == (1, 2, "amend", "proposed")
    assert (version.hours, version.content.headline) == (None, "风小了，路上还有积水")
    again = desk.get(path)
    assert again.status_code == 409
    assert "已有一项修改（版本 2）在等待批准" in words(again)


def test_a_change_may_set_new_hours(calm: Bank) -> None:
    desk = calm.desk("head")
    path, second = amending(calm, desk, hours="12", codes="440400")
    assert "确认后 12 小时自动结束" in words(second)
    assert "只改结束时间" in words(second)
    finish(desk, second, "propose", path, ticked="约 30 人")
    [(_record, version)] = emergencies(calm)
    assert version.hours == 12


def test_a_graver_severity_needs_no_hours_typed_to_keep_its_cap(calm: Bank) -> None:
    desk = calm.desk("head")
    with calm.wiring.unit() as unit:
        record = opened(unit, severity=Severity.NOTICE, hours=300)
    path = f"{ROOT}/{record.key}/amend"
    given = {"why": "更重了", "do": "check", "severity": "critical"}
    second = send(desk, path, begun(desk, path), **given)
    assert second.status_code == 200, words(second)


def test_the_glass_is_not_broken_by_way_of_a_change(calm: Bank) -> None:
    desk = calm.desk("head")
    path, second = amending(calm, desk, headline="别的")
    answer = finish(desk, second, "glass", path, glass_hours="2")
    assert answer.status_code == 200
    [(_record, version)] = emergencies(calm)
    assert version.number == 1


def test_what_is_not_open_is_not_changed(calm: Bank) -> None:
    desk = calm.desk("head")
    with calm.wiring.unit() as unit:
        proposed(unit)
    [(record, _version)] = emergencies(calm)
    answer = desk.get(f"{ROOT}/{record.key}/amend")
    assert answer.status_code == 409
    assert "待开启" in words(answer)
    assert "下一步" not in answer.text


def test_another_branch_finds_nothing_to_change(calm: Bank) -> None:
    with calm.wiring.unit() as unit:
        record = opened(unit)
    desk = calm.desk("outsider")
    assert desk.get(f"{ROOT}/{record.key}/amend").status_code == 404
    assert send(desk, f"{ROOT}/{record.key}/amend", MultiDict({"do": "check"})).status_code == 404
    assert desk.get(f"{ROOT}/none/amend").status_code == 404


def test_the_menu_of_the_console_shows_that_one_is_among_emergencies(calm: Bank) -> None:
    shown = calm.desk("head").get(BEGIN).text
    assert 'aria-current="page">应急专区' in shown
    assert shown.count('aria-current="page"') == 1
