"""One emergency on one screen: every move by its form, who may and who is told why not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from lightservices.emergency import changes, operations
from lightservices.emergency.models import EmergencyRow, Record, VersionRow
from lightservices.emergency.states import State
from regions.presence import Presence
from service import audit, clock, followers
from service.happenings import OpenId, Subscribed
from tests.lightservices.console.conftest import Bank, words
from tests.lightservices.console.emergency_desk import ROOT, filled, laid, move, one, standing
from tests.lightservices.console.emergency_desk import calm as calm  # A fixture.
from tests.lightservices.emergency.duty import EDITOR, HOUR, LI, WANG, broken, said


def test_the_page_says_what_where_who_and_until_when(calm: Bank) -> None:
    record = standing(calm)
    shown = words(calm.desk("reader").get(f"{ROOT}/{record.key}"))
    for told in (
        "台风",
        "广东省珠海市（440400）",
        "珠海",
        "duty.one",
        "duty.two",
        "台风将至",
        "还剩",
    ):
        assert told in shown
    assert "第 1 版" in shown


def test_a_second_person_ticks_the_reach_and_opens(calm: Bank) -> None:
    key = laid(calm)
    answer = move(calm.desk("duty.two"), key, "open")
    assert answer.status_code == 303
    record = one(calm)
    assert record.stands is State.OPEN
    shown = words(calm.desk("duty.two").get(f"{ROOT}/{key}"))
    assert "已生效" in shown
    assert "确认开启" in shown


def test_the_maker_cannot_open_and_is_told_who_may(calm: Bank) -> None:
    key = laid(calm)
    shown = words(calm.desk("duty.one").get(f"{ROOT}/{key}"))
    assert "这是您自己提出的" in shown
    assert "可以做的人" in shown
    assert "duty.two" in shown
    form = filled(calm.desk("duty.two"), key, "open")
    answer = calm.desk("duty.one").post(f"{ROOT}/{key}/open", **form)
    assert answer.status_code == 403
    assert "请通知另一位" in words(answer)
    assert one(calm).stands is State.PROPOSED


@pytest.mark.parametrize("step", ["open", "reject", "withdraw", "close", "extend", "adopt"])
def test_an_editor_may_not_and_another_branch_knows_nothing_of_it(calm: Bank, step: str) -> None:
    key = laid(calm)
    outside = calm.desk("duty.sh")
    for path in (f"{ROOT}/{key}", f"{ROOT}/{key}/layers", f"{ROOT}/{key}/seen/1"):
        assert outside.get(path).status_code == 404
    assert outside.post(f"{ROOT}/{key}/{step}", hours=2, why="x", sure="1").status_code == 404
    assert outside.post(f"{ROOT}/keiner/{step}", hours=2, why="x").status_code == 404
    assert calm.desk("reader").post(f"{ROOT}/{key}/{step}").status_code == 403
    assert one(calm).stands is State.PROPOSED


def test_a_stale_tick_is_told_with_the_new_number(calm: Bank) -> None:
    key = laid(calm)
    desk = calm.desk("duty.two")
    form = filled(desk, key, "open")
    assert form["ticked"] == "0 人"
    with calm.wiring.unit() as unit:
        for number in range(30):
            followers.arrive(unit, Subscribed(OpenId(f"o-{number}"), clock.now(), ""))
        found = [presence_in_zhuhai(number) for number in range(30)]
        unit.db.execute(unit.insert(Presence), found)
    answer = desk.post(f"{ROOT}/{key}/open", **form)
    assert answer.status_code == 409
    assert "影响范围现在是约 30 人" in words(answer)
    assert filled(desk, key, "open")["ticked"] == "约 30 人"
    assert one(calm).stands is State.PROPOSED
    assert move(desk, key, "open").status_code == 303


def presence_in_zhuhai(number: int) -> dict[str, Any]:
    return {
        "openid": f"o-{number}", "branch": "B440400", "division": "440402", "source": "event",
        "seen_at": clock.now(), "cell_south": None, "cell_west": None,
    }  # fmt: skip


def test_without_a_tick_nothing_opens(calm: Bank) -> None:
    key = laid(calm)
    desk = calm.desk("duty.two")
    form = filled(desk, key, "open")
    del form["ticked"]
    assert desk.post(f"{ROOT}/{key}/open", **form).status_code == 409
    assert one(calm).stands is State.PROPOSED


def test_what_was_seen_before_an_edit_opens_nothing(calm: Bank) -> None:
    key = laid(calm)
    answer = move(calm.desk("duty.two"), key, "open", seal="0" * 64)
    assert answer.status_code == 409
    assert "内容又有了变动" in words(answer)


def test_pressing_twice_is_harmless(calm: Bank) -> None:
    key = laid(calm)
    desk = calm.desk("duty.two")
    form = filled(desk, key, "open")
    assert [desk.post(f"{ROOT}/{key}/open", **form).status_code for _ in range(2)] == [303, 303]
    with calm.wiring.reading() as unit:
        found = audit.search(unit, audit.Filters(act="emergency.open", words=key))
    assert len(found) == 1
    sure = filled(desk, key, "close")
    assert [desk.post(f"{ROOT}/{key}/close", **sure).status_code for _ in range(2)] == [303, 303]


def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(calm: Bank) -> None:
    key = laid(calm)
    desks = [calm.desk("duty.two"), calm.desk("head")]
    forms = [filled(desk, key, "open") for desk in desks]
    reject = {"reason": "看错了"}
    with ThreadPoolExecutor(2) as pool:
        asked = [
            pool.submit(desks[0].post, f"{ROOT}/{key}/open", **forms[0]),
            pool.submit(desks[1].post, f"{ROOT}/{key}/reject", **reject),
        ]
        answers = [one.result() for one in asked]
    assert sorted(one.status_code for one in answers) == [303, 409]
    [told] = [words(one) for one in answers if one.status_code == 409]
    assert "不能再做这一步" in told
    assert one(calm).stands in (State.OPEN, State.REJECTED)


def test_rejecting_needs_a_reason_and_tells_it(calm: Bank) -> None:
    key = laid(calm)
    desk = calm.desk("duty.two")
    assert desk.post(f"{ROOT}/{key}/reject", reason=" ").status_code == 422
    assert desk.post(f"{ROOT}/{key}/reject", reason="没有台风").status_code == 303
    shown = words(calm.desk("duty.one").get(f"{ROOT}/{key}"))
    assert "已否决" in shown
    assert "没有台风" in shown


def test_the_maker_withdraws(calm: Bank) -> None:
    key = laid(calm)
    assert move(calm.desk("duty.one"), key, "withdraw").status_code == 303
    assert one(calm).stands is State.WITHDRAWN


def test_closing_takes_one_person_and_one_tick(calm: Bank) -> None:
    record = standing(calm)
    desk = calm.desk("duty.one")
    answer = desk.post(f"{ROOT}/{record.key}/close")
    assert answer.status_code == 422
    assert "还没有勾选确认" in words(answer)
    assert one(calm).stands is State.OPEN
    assert move(desk, record.key, "close", why="台风过去了").status_code == 303
    assert one(calm).stands is State.CLOSED
    shown = words(desk.get(f"{ROOT}/{record.key}"))
    assert "台风过去了" in shown
    assert "已停止" in shown


def test_whoever_is_on_duty_in_the_province_closes_what_lies_in_it(calm: Bank) -> None:
    record = standing(calm)
    assert move(calm.desk("duty.gd"), record.key, "close").status_code == 303


def test_extending_is_asked_for_by_one_and_taken_by_another(calm: Bank) -> None:
    record = standing(calm)
    maker, other = calm.desk("duty.one"), calm.desk("duty.two")
    for hours in ("0", "1000", "viele"):
        wrong = maker.post(f"{ROOT}/{record.key}/extend", hours=hours, why="未停")
        assert wrong.status_code == 422, hours
    assert "未停" in wrong.text
    assert move(maker, record.key, "extend", hours=60, why="台风未停").status_code == 303
    again = maker.post(f"{ROOT}/{record.key}/extend", hours=60, why="台风未停")
    assert again.status_code == 409
    assert "已有一项修改" in words(again)
    shown = words(other.get(f"{ROOT}/{record.key}"))
    assert "从确认时起 60 小时" in shown
    assert one(calm).ends_at == record.ends_at
    assert "这是您自己提出的" in words(maker.get(f"{ROOT}/{record.key}"))
    assert move(other, record.key, "adopt").status_code == 303
    assert one(calm).ends_at > record.ends_at
    assert one(calm).live == 2


def amended(bank: Bank, record: Record) -> None:
    with bank.wiring.unit() as unit:
        content = said(headline="请留在室内")
        hidden = replace(content, hide=(*content.hide, "complaint"))
        changes.amend(unit, record.key, content=hidden, why="措辞不对", by=bank.people["duty.one"])


def test_a_change_is_shown_by_what_it_changes_and_declined_or_retracted(calm: Bank) -> None:
    record = standing(calm)
    amended(calm, record)
    other = calm.desk("duty.two")
    shown = words(other.get(f"{ROOT}/{record.key}"))
    assert "大标题" in shown
    assert "请留在室内" in shown
    assert "（complaint）" in shown
    assert "结束时间不变" in shown
    assert move(other, record.key, "decline", reason="不用改").status_code == 303
    amended(calm, record)
    assert move(calm.desk("duty.one"), record.key, "retract").status_code == 303
    assert one(calm).live == 1
    amended(calm, record)
    assert move(other, record.key, "adopt").status_code == 303
    assert "请留在室内" in words(other.get(f"{ROOT}/{record.key}"))


def test_after_breaking_the_glass_another_person_reviews_once(calm: Bank) -> None:
    with calm.wiring.unit() as unit:
        record = broken(unit, calm.people["duty.one"])
    own, other = calm.desk("duty.one"), calm.desk("duty.two")
    assert "这是您自己提出的" in words(own.get(f"{ROOT}/{record.key}"))
    path = f"{ROOT}/{record.key}/review"
    assert own.post(path, justified="yes", words="要").status_code == 403
    assert other.post(path, words="要").status_code == 422
    assert other.post(path, justified="yes", words="").status_code == 422
    assert other.post(path, justified="no", words="可以等").status_code == 303
    assert other.post(path, justified="yes", words="要").status_code == 409
    shown = words(other.get(f"{ROOT}/{record.key}"))
    assert "没有必要" in shown
    assert "可以等" in shown


def test_reviewing_what_broke_no_glass_is_not_found(calm: Bank) -> None:
    record = standing(calm)
    answer = calm.desk("duty.two").post(f"{ROOT}/{record.key}/review", justified="yes", words="a")
    assert answer.status_code == 404


def test_a_drill_says_so_everywhere(calm: Bank) -> None:
    key = laid(calm, drill=True)
    for path in (ROOT, f"{ROOT}/{key}", f"{ROOT}/{key}/seen/1"):
        assert "【演练】" in calm.desk("duty.two").get(path).text, path
    assert "开启【演练】" in words(calm.desk("duty.two").get(f"{ROOT}/{key}/confirm"))


def test_the_follower_page_is_seen_before_it_opens_and_nowhere_else(calm: Bank) -> None:
    key = laid(calm)
    desk = calm.desk("checker")
    assert "台风" in desk.get(f"{ROOT}/{key}/seen/1").text
    assert desk.get(f"{ROOT}/{key}/seen/2").status_code == 404
    assert calm.app.test_client().get(f"/e/{key}").status_code == 404


def test_the_layers_come_as_a_part_and_say_when_nothing_more_changes(calm: Bank) -> None:
    record = standing(calm)
    part = calm.desk("reader").get(f"{ROOT}/{record.key}/layers")
    assert part.status_code == 200
    assert "<html" not in part.text
    assert "data-layers" in part.text
    # This account's menus were never published from here, so they will not change by themselves.
    assert "不会自动更新" in part.text
    with calm.wiring.unit() as unit:
        past = clock.now() - HOUR
        unit.db.execute(update(EmergencyRow).values(opened_at=past))
        unit.db.execute(update(VersionRow).values(decided_at=past))
    assert "data-settled" in calm.desk("reader").get(f"{ROOT}/{record.key}/layers").text


def test_the_timeline_is_the_audit_chains_and_is_taken_away_by_those_who_may(calm: Bank) -> None:
    record = standing(calm)
    assert move(calm.desk("duty.one"), record.key, "extend", hours=5, why="=1+1").status_code == 303
    shown = words(calm.desk("duty.two").get(f"{ROOT}/{record.key}"))
    for told in ("提出开启", "确认开启", "提出修改", "申请再开 5 小时", "确认的影响范围：0 人"):
        assert told in shown
    path = f"{ROOT}/{record.key}/timeline"
    assert calm.desk("reader").post(path).status_code == 403
    assert calm.desk("duty.sh").post(path).status_code == 404
    answer = calm.desk("watcher").post(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{record.key}')
    told = answer.data.decode("utf-8-sig").splitlines()
    assert len(told) == 4
    assert ",=1+1" not in answer.text
    assert "导出经过" in words(calm.desk("watcher").get(f"{ROOT}/{record.key}"))
    assert "在审计里查" in words(calm.desk("watcher").get(f"{ROOT}/{record.key}"))
    assert "在审计里查" not in words(calm.desk("duty.one").get(f"{ROOT}/{record.key}"))


def test_one_emergencys_steps_are_not_anothers(calm: Bank) -> None:
    first, second = standing(calm), standing(calm)
    with calm.wiring.unit() as unit:
        operations.close(unit, second.key, by=WANG, why=f"并入 emergency:{first.key}")
    assert "并入" not in calm.desk("duty.one").get(f"{ROOT}/{first.key}").text


def test_what_has_ended_by_the_clock_is_over_before_anybody_wrote_it_down(calm: Bank) -> None:
    record = standing(calm)
    with calm.wiring.unit() as unit:
        unit.db.execute(update(EmergencyRow).values(ends_at=clock.now() - HOUR))
    shown = calm.desk("duty.one").get(f"{ROOT}/{record.key}")
    assert "已到期" in words(shown)
    assert f"{record.key}/close" not in shown.text
    listed = words(calm.desk("duty.one").get(ROOT))
    assert "现在没有开启的" in listed
    assert "已到期" in listed


def test_the_inbox_leads_to_the_one_that_waits(calm: Bank) -> None:
    key = laid(calm)
    assert f'href="{ROOT}/{key}"' in calm.desk("duty.two").get("/console/").text
    standing(calm)
    laid(calm)
    assert f'href="{ROOT}"' in calm.desk("duty.two").get("/console/").text


def test_people_of_the_demonstration_do_not_count_as_those_who_may(calm: Bank) -> None:
    """Who is not among the staff, such as a test's own people, is named nowhere."""
    with calm.wiring.unit() as unit:
        record = broken(unit, WANG)
    shown = words(calm.desk("maker").get(f"{ROOT}/{record.key}"))
    assert LI.name not in shown
    assert EDITOR.name not in shown
    assert "可以做的人" in shown
