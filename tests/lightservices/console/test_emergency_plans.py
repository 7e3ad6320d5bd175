"""Plans in the console: read by all, changed by whoever may open what they describe."""

from __future__ import annotations

from lightservices.emergency import packs, plans
from lightservices.emergency.plans import Plan
from regions import areas
from tests.lightservices.console.conftest import Bank, words
from tests.lightservices.console.test_emergency_begin import begun, send
from tests.lightservices.console.writing import ROOT
from tests.lightservices.console.writing import calm as calm  # A fixture.

TYPHOON = f"{ROOT}/plans/typhoon"


def plan(bank: Bank, key: str = "typhoon") -> Plan | None:
    with bank.wiring.reading() as unit:
        return plans.every(unit, with_retired=True).get(key)


def test_everybody_sees_the_plans_and_may_begin_from_one_who_may_propose(calm: Bank) -> None:
    for login, begins in (("reader", False), ("checker", False), ("maker", True), ("head", True)):
        shown = calm.desk(login).get(f"{ROOT}/plans").text
        assert "台风应急服务" in shown
        assert (f"{ROOT}/begin/typhoon" in shown) is begins, login
        assert ("复制" in shown) is (login == "head"), login


def test_only_head_office_on_duty_changes_a_plan(calm: Bank) -> None:
    assert "您只能查看" in calm.desk("maker").get(TYPHOON).text
    desk = calm.desk("head")
    form = begun(desk, TYPHOON)
    for login in ("maker", "checker", "reader", "outsider"):
        assert send(calm.desk(login), TYPHOON, form, do="save").status_code == 403
    assert plan(calm) == plan(calm)
    found = plan(calm)
    assert found is not None
    assert found.edited_at is None


def test_a_plan_that_is_saved_untouched_stays_as_it_was(calm: Bank) -> None:
    desk = calm.desk("head")
    for key in packs.shipped():
        path = f"{ROOT}/plans/{key}"
        assert send(desk, path, begun(desk, path), do="save").status_code == 303
        found = plan(calm, key)
        assert found is not None
        assert found.content == packs.shipped()[key]
        assert found.edited_by == desk.me.name


def test_a_change_and_an_area_are_kept_and_begun_from(calm: Bank) -> None:
    desk = calm.desk("head")
    answer = send(
        desk, TYPHOON, begun(desk, TYPHOON), do="save", headline="沿海注意", codes="珠海市"
    )
    assert answer.location == TYPHOON
    found = plan(calm)
    assert found is not None
    assert found.content.area == areas.read({"inside": {"divisions": ["440400"]}})
    form = begun(desk, f"{ROOT}/begin/typhoon")
    assert (form["headline"], form["codes"]) == ("沿海注意", "440400 广东省珠海市")


def test_faults_keep_what_was_typed(calm: Bank) -> None:
    desk = calm.desk("head")
    answer = send(desk, TYPHOON, begun(desk, TYPHOON), do="save", headline="", codes="火星市")
    assert answer.status_code == 409
    assert "没有叫“火星市”的行政区划" in words(answer)
    assert "大标题" in words(answer)
    assert ">\n火星市</textarea>" in answer.text


def test_two_who_save_at_once_do_not_overwrite_each_other(calm: Bank) -> None:
    desk = calm.desk("head")
    form = begun(desk, TYPHOON)
    assert send(desk, TYPHOON, form, do="save", headline="第一").status_code == 303
    answer = send(desk, TYPHOON, form, do="save", headline="第二")
    assert answer.status_code == 409
    assert "这份预案被别人改过了" in words(answer)
    found = plan(calm)
    assert found is not None
    assert found.content.headline == "第一"


def test_a_copy_is_another_plan_under_a_code_of_its_own(calm: Bank) -> None:
    desk = calm.desk("head")
    page = desk.get(f"{TYPHOON}?copy=1")
    assert "复制预案" in page.text
    form = begun(desk, TYPHOON)
    answer = send(desk, TYPHOON, form, do="save", copy="1", key="typhoon-south", title="南海台风")
    assert answer.location == f"{ROOT}/plans/typhoon-south"
    found, before = plan(calm, "typhoon-south"), plan(calm)
    assert found is not None
    assert before is not None
    assert (found.content.title, before.content.title) == ("南海台风", "台风应急服务")
    # A code that is taken, and one that is none.
    for key, fault in (("typhoon-south", "已经有一份预案在用"), ("台风", "只能用小写字母")):
        answer = send(desk, TYPHOON, form, do="save", copy="1", key=key)
        assert answer.status_code == 409
        assert fault in words(answer)
        assert "复制预案" in answer.text


def test_a_retired_plan_is_begun_from_by_nobody_and_comes_back_by_being_saved(calm: Bank) -> None:
    desk = calm.desk("head")
    assert send(desk, TYPHOON, begun(desk, TYPHOON), do="retire").status_code == 303
    assert desk.get(f"{ROOT}/begin/typhoon").status_code == 404
    shown = desk.get(f"{ROOT}/plans").text
    assert "已停用" in shown
    assert f"{ROOT}/begin/typhoon" not in shown
    assert "已停用，保存就恢复" in desk.get(TYPHOON).text
    assert send(desk, TYPHOON, begun(desk, TYPHOON), do="save").status_code == 303
    assert desk.get(f"{ROOT}/begin/typhoon").status_code == 200


def test_a_plan_there_is_not_is_not_found(calm: Bank) -> None:
    desk = calm.desk("head")
    assert desk.get(f"{ROOT}/plans/none").status_code == 404
    assert send(desk, f"{ROOT}/plans/none", begun(desk, TYPHOON), do="save").status_code == 404
