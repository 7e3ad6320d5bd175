"""What the page of one emergency says to whoever decides, and where its content cannot be read."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from lightservices.emergency import changes
from lightservices.emergency.content import Severity
from lightservices.emergency.messages import Estimate
from lightservices.emergency.models import VersionRow
from lightservices.emergency.recipients import Channel
from lightservices.emergency.states import State
from regions import coverage
from tests.lightservices.console.conftest import Bank, words
from tests.lightservices.console.emergency_desk import ROOT, filled, laid, move, one, standing
from tests.lightservices.console.emergency_desk import calm as calm  # A fixture.
from tests.lightservices.emergency.duty import SHANGHAI_CITY, ZHUHAI_AND_A_PIECE, said


def spoiled(bank: Bank, number: int = 1) -> None:
    with bank.wiring.unit() as unit:
        row = update(VersionRow).where(VersionRow.number == number)
        unit.db.execute(row.values(text='{"title": 1}'))


def test_what_cannot_be_read_still_opens_says_so_and_can_be_closed(calm: Bank) -> None:
    record = standing(calm)
    spoiled(calm)
    desk = calm.desk("duty.two")
    for path in ("", f"/{record.key}", f"/{record.key}?count=1", f"/{record.key}/layers"):
        assert desk.get(f"{ROOT}{path}").status_code == 200, path
    for part in ("confirm", "moving", "messages"):
        assert desk.get(f"{ROOT}/{record.key}/{part}").status_code == 200, part
    shown = words(desk.get(f"{ROOT}/{record.key}"))
    assert "这一版的内容读不出来" in shown
    assert "请在“可以做什么”里关闭它" in shown
    assert desk.get(f"{ROOT}/{record.key}/amend").status_code == 303
    assert desk.post(f"{ROOT}/{record.key}/extend", hours=3, why="a").status_code == 409
    assert move(desk, record.key, "close").status_code == 303
    assert one(calm).stands is State.CLOSED
    assert desk.get(f"{ROOT}/{record.key}").status_code == 200


def test_a_proposal_that_cannot_be_read_is_not_opened_but_rejected(calm: Bank) -> None:
    key = laid(calm)
    desk = calm.desk("duty.two")
    form = filled(desk, key, "open")
    spoiled(calm)
    assert "读不出来" in words(desk.get(f"{ROOT}/{key}"))
    answer = desk.post(f"{ROOT}/{key}/open", **form)
    assert answer.status_code == 409
    assert "这一版的内容读不出来，这一步不能做" in words(answer)
    assert move(desk, key, "reject", reason="读不出来").status_code == 303


def test_a_change_that_cannot_be_read_is_declined_or_lapses(calm: Bank) -> None:
    record = standing(calm)
    with calm.wiring.unit() as unit:
        changes.extend(unit, record.key, hours=5, why="未停", by=calm.people["duty.one"])
    spoiled(calm, 2)
    desk = calm.desk("duty.two")
    shown = words(desk.get(f"{ROOT}/{record.key}?count=1"))
    assert "改后的内容读不出来" in shown
    assert "立即看不到它" in shown
    declined = desk.post(f"{ROOT}/{record.key}/decline", version=2, reason="读不出来")
    assert declined.status_code == 303


def test_what_cannot_be_read_keeps_nobody_from_beginning_another(calm: Bank) -> None:
    standing(calm)
    spoiled(calm)
    answer = calm.desk("duty.one").post(f"{ROOT}/area", codes="440400")
    assert answer.status_code == 200
    assert answer.get_json()["overlaps"] == []


def test_whoever_confirms_sees_the_map_the_branches_and_the_words_above_the_tick(
    calm: Bank,
) -> None:
    key = laid(calm, area=ZHUHAI_AND_A_PIECE)
    part = calm.desk("duty.two").get(f"{ROOT}/{key}/confirm")
    before = part.text[: part.text.index('name="ticked"')]
    assert '<svg class="ground' in before
    for told in ("广东省珠海市", "珠海分行", "中山分行", "台风来了，人先安全", said().body[:20]):
        assert told in before, told


def test_a_change_is_confirmed_with_its_own_area_and_words(calm: Bank) -> None:
    record = standing(calm)
    with calm.wiring.unit() as unit:
        content = said(ZHUHAI_AND_A_PIECE, headline="请留在室内")
        changes.amend(unit, record.key, content=content, why="扩大", by=calm.people["duty.one"])
    part = calm.desk("duty.two").get(f"{ROOT}/{record.key}/confirm")
    before = part.text[: part.text.index('name="ticked"')]
    assert "请留在室内" in before
    assert "中山分行" in before


def test_closing_says_what_waits_and_lapses_with_it(calm: Bank) -> None:
    record = standing(calm)
    desk = calm.desk("duty.two")
    assert "一并作废" not in words(desk.get(f"{ROOT}/{record.key}"))
    with calm.wiring.unit() as unit:
        changes.extend(unit, record.key, hours=5, why="台风未停", by=calm.people["duty.one"])
    shown = words(desk.get(f"{ROOT}/{record.key}"))
    told = "duty.one提出、等待确认的延长（第 2 版，再开 5 小时：台风未停）一并作废"
    assert told in shown
    assert move(desk, record.key, "close").status_code == 303
    assert one(calm).stands is State.CLOSED


@pytest.mark.parametrize("step", ["withdraw", "retract"])
def test_taking_back_is_offered_to_the_maker_only(calm: Bank, step: str) -> None:
    if step == "withdraw":
        key = laid(calm)
    else:
        key = standing(calm).key
        with calm.wiring.unit() as unit:
            changes.extend(unit, key, hours=5, why="未停", by=calm.people["duty.one"])
    path = f'action="{ROOT}/{key}/{step}"'
    assert path in calm.desk("duty.one").get(f"{ROOT}/{key}").text
    assert path not in calm.desk("duty.two").get(f"{ROOT}/{key}").text


def test_who_opened_it_stays_named_beside_who_extended_it(calm: Bank) -> None:
    record = standing(calm)
    desk = calm.desk("duty.one")
    with calm.wiring.unit() as unit:
        changes.extend(unit, record.key, hours=5, why="台风未停", by=calm.people["duty.two"])
    assert move(desk, record.key, "adopt").status_code == 303
    shown = words(desk.get(f"{ROOT}/{record.key}"))
    said_of = shown[shown.index("说什么，在哪里") : shown.index("经过")]
    assert "台风将至" in said_of
    assert "duty.two确认" in said_of
    assert "duty.two提出，duty.one确认" in said_of
    assert "台风未停" in said_of
    assert "台风将至" in words(desk.get(ROOT))


def test_where_a_graver_one_has_the_place_in_menus_it_is_named(calm: Bank) -> None:
    mild = standing(calm, severity=Severity.NOTICE)
    grave = standing(calm, pack="flood", severity=Severity.CRITICAL, area=ZHUHAI_AND_A_PIECE)
    standing(calm, pack="fraud", severity=Severity.CRITICAL, area=SHANGHAI_CITY)
    calm.wiring.shelf.clear()
    desk = calm.desk("duty.two")
    told = "与更严重（或同级而排在前面）的 “" + said(pack="flood").title + "” 重叠的地方"
    assert told in words(desk.get(f"{ROOT}/{mild.key}/layers"))
    assert "重叠的地方" not in words(desk.get(f"{ROOT}/{grave.key}/layers"))


def test_the_home_page_shows_what_is_open_to_everybody_who_may_see_it(calm: Bank) -> None:
    laid(calm)
    assert "正在进行的应急" not in words(calm.desk("reader").get("/console/"))
    record = standing(calm, drill=True)
    for login in ("reader", "checker", "duty.two"):
        home = calm.desk(login).get("/console/")
        assert f'href="{ROOT}/{record.key}"' in home.text
        told = words(home)
        assert "【演练】" + said().title in told
        assert "台风，珠海市，到 20" in told
    assert record.key not in calm.desk("duty.sh").get("/console/").text
    spoiled(calm)
    assert "内容读不出来" in words(calm.desk("reader").get("/console/"))


def test_the_list_tells_the_three_steps_and_the_way_of_one_alone(calm: Bank) -> None:
    shown = words(calm.desk("reader").get(ROOT))
    for told in ("提出", "另一人核对开启", "随时关闭", "破窗", "最长 2 小时"):
        assert told in shown


def test_the_list_of_plans_says_which_button_edits(calm: Bank) -> None:
    for login, said_of in (("duty.two", "编辑"), ("reader", "查看")):
        shown = calm.desk(login).get(f"{ROOT}/plans").text
        button = shown[shown.index(f'href="{ROOT}/plans/typhoon">') :]
        assert button.split(">", 1)[1].startswith(said_of)


def test_followers_are_counted_for_nobody_but_who_may_confirm(
    calm: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    reach = coverage.reach
    monkeypatch.setattr(coverage, "reach", lambda *asked: counted.append("x") or reach(*asked))
    key = laid(calm)
    counted.clear()
    for login in ("reader", "duty.one"):
        for path in ("/confirm", "?count=1"):
            shown = calm.desk(login).get(f"{ROOT}/{key}{path}")
            assert shown.status_code == 200
            assert 'name="ticked"' not in shown.text
    assert counted == []
    assert 'name="ticked"' in calm.desk("duty.two").get(f"{ROOT}/{key}/confirm").text
    assert counted == ["x"]


@pytest.mark.parametrize(
    ("people", "left", "fits"), [(20_000, 2, True), (20_001, 2, False), (0, 0, True)]
)
def test_mass_messages_fit_a_day_by_what_one_submission_takes(
    people: int, left: int, fits: bool
) -> None:
    assert Estimate(Channel.MASS, people, (), left, 100, "").fits is fits
