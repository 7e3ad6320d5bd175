"""The pages of changes: what they show, to whom, and what happens at a press of a button."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import insert

from service import clock
from service.approvals import operations as do
from service.approvals import queries
from service.approvals.models import Version
from service.approvals.states import State
from service.console import guard
from tests.service.approvals.board import BOARD, HERE, shown
from tests.service.approvals.office import Desk, Office


def drafted(office: Office, title: str = "约惠岭南", *, by: str = "maker") -> Version:
    me = office.people[by]
    with office.wiring.unit() as unit:
        draft = do.open_draft(unit, "board", branch=HERE, by=me)
        content = {"notice": {"title": title}}
        return do.save(unit, draft.id, content=content, seen=draft.hash, by=me)


def proposed(office: Office, title: str = "约惠岭南", *, by: str = "maker") -> Version:
    draft = drafted(office, title, by=by)
    with office.wiring.unit() as unit:
        return do.propose(unit, draft.id, why="换季", seen=draft.hash, by=office.people[by])


def live(office: Office, title: str, *, by: str = "maker") -> Version:
    version = proposed(office, title, by=by)
    with office.wiring.unit() as unit:
        return do.approve(unit, version.id, seal=version.seal, by=office.people["checker"])


def now(office: Office, version: Version) -> Version:
    with office.wiring.reading() as unit:
        return queries.find(unit, version.id, by=office.people["maker"])


def hangs(office: Office) -> object:
    with office.wiring.reading() as unit:
        return shown(unit)


def path(version: Version, *more: object) -> str:
    return "/".join(map(str, ("/console/changes", version.id, *more))).rstrip("/")


def said(desk: Desk, where: str) -> str:
    """What the page says, without its markup."""
    text = unescape(re.sub(r"<[^>]+>", " ", desk.get(where).text))
    return re.sub(r"\s+", " ", text)


def test_from_the_draft_to_the_board_in_the_browser(office: Office) -> None:
    draft, maker, checker = drafted(office), office.desk("maker"), office.desk("checker")
    assert maker.post(path(draft, "propose"), why="换季", seen=draft.hash).status_code == 303
    assert "约惠岭南" in said(checker, path(draft))
    assert "待审批的改动" in said(checker, "/console/")
    confirm = checker.get(path(draft, "approve")).text
    assert "约 12 名粉丝会看到新公告" in confirm
    seal = re.search(r'name="seal" value="(\w+)"', confirm)
    assert seal
    answer = checker.post(path(draft, "approve"), seal=seal[1])
    assert (answer.status_code, hangs(office)) == (303, {"title": "约惠岭南"})
    page = said(maker, path(draft))
    assert "已上线" in page
    assert "公告正在张贴：剩 2 块" in page


def test_differences_are_told_by_sign_words_and_both_texts(office: Office) -> None:
    live(office, "原来")
    draft = drafted(office, "现在")
    with office.wiring.unit() as unit:
        me = office.people["maker"]
        content = {"notice": {"title": "现在", "foot": "新的一行"}}
        do.save(unit, draft.id, content=content, seen=draft.hash, by=me)
    page = said(office.desk("checker"), path(draft))
    assert re.search(r"title ≠ 修改 原来 现在", page)
    assert re.search(r"foot ＋ 新增 （没有） 新的一行", page)


@pytest.mark.parametrize("who", ["outsider", "below"])
@pytest.mark.parametrize("page", ["", "approve", "merge", "roll-back/0"])
def test_foreign_and_absent_look_alike(office: Office, who: str, page: str) -> None:
    version, desk = proposed(office), office.desk(who)
    answers = [
        desk.get(place)
        for place in (path(version, page), f"/console/changes/4711/{page}".rstrip("/"))
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    bodies = [re.sub(r"4711|/\d+", "", answer.text) for answer in answers]
    assert bodies[0] == bodies[1]
    for verb in ("approve", "return", "withdraw", "propose", "merge"):
        assert desk.post(path(version, verb), reason="我", why="我").status_code == 404
    assert now(office, version) == version


@pytest.mark.parametrize("who", ["maker", "mate", "administrator", "auditor"])
def test_nobody_without_the_right_decides(office: Office, who: str) -> None:
    version, desk = proposed(office), office.desk(who)
    assert "批准…" not in said(desk, path(version))
    assert desk.get(path(version, "approve")).status_code == 403
    assert desk.post(path(version, "approve"), seal=version.seal).status_code == 403
    assert desk.post(path(version, "return"), reason="我").status_code == 403
    assert (hangs(office), now(office, version)) == (None, version)


def test_the_maker_with_both_roles_is_told_why_not(office: Office) -> None:
    version, desk = proposed(office, by="both"), office.desk("both")
    assert "需要另一位复核人员来审批" in said(desk, path(version))
    answer = desk.post(path(version, "approve"), seal=version.seal)
    assert (answer.status_code, "不能由您来审批" in answer.text) == (403, True)


def test_the_second_approver_is_told_who_was_first(office: Office) -> None:
    version, second = proposed(office), office.desk("second")
    office.desk("checker").post(path(version, "approve"), seal=version.seal)
    answer = second.post(path(version, "approve"), seal=version.seal)
    assert answer.status_code == 409
    assert "已由Checker（checker）于" in answer.text


def test_an_approval_of_what_was_edited_since_is_refused(office: Office) -> None:
    version, checker = proposed(office), office.desk("checker")
    me = office.people["maker"]
    with office.wiring.unit() as unit:
        content = {"notice": {"title": "偷换"}}
        edited = do.save(unit, version.id, content=content, seen=version.hash, by=me)
        do.propose(unit, version.id, why="换季", seen=edited.hash, by=me)
    answer = checker.post(path(version, "approve"), seal=version.seal)
    assert (answer.status_code, "又被改动了" in answer.text) == (409, True)
    assert hangs(office) is None


def test_returning_asks_for_a_reason_and_tells_the_maker(office: Office) -> None:
    version, checker = proposed(office), office.desk("checker")
    assert checker.post(path(version, "return"), reason=" ").status_code == 422
    assert checker.post(path(version, "return"), reason="有错字").status_code == 303
    maker = office.desk("maker")
    assert "退回原因：有错字" in said(maker, path(version))
    assert "有错字" not in maker.get("/console/changes?shelf=waiting").text
    assert path(version) in maker.get("/console/changes?shelf=mine").text
    assert "被退回、待修改的改动 1" in said(maker, "/console/")


def test_every_round_of_a_returned_change_is_told_on_its_page(office: Office) -> None:
    version, checker = proposed(office), office.desk("checker")
    checker.post(path(version, "return"), reason="有错字")
    maker, me = office.desk("maker"), office.people["maker"]
    with office.wiring.unit() as unit:
        content = {"notice": {"title": "约惠湾区"}}
        edited = do.save(unit, version.id, content=content, seen=version.hash, by=me)
    maker.post(path(version, "propose"), why="错字已改", seen=edited.hash)
    again = now(office, version)
    office.desk("second").post(path(version, "approve"), seal=again.seal)
    steps = [
        "Maker（maker） 开始编写",
        "Maker（maker） 提交审批 ： 换季",
        "Checker（checker） 退回 ： 有错字",
        "Maker（maker） 提交审批 ： 错字已改",
        "Second（second） 批准",
        "Second（second） 上线",
    ]
    minute = r"\d{4}-\d\d-\d\d \d\d:\d\d"
    told = " ".join(f"{minute} {step}" for step in steps)
    for who in ("maker", "checker"):
        page = said(office.desk(who), path(version))
        assert re.search(told, page), page


def test_the_course_of_a_change_is_its_own(office: Office) -> None:
    first = proposed(office)
    other = proposed(office, by="mate")
    office.desk("checker").post(path(other, "return"), reason="只对另一份说的")
    assert "只对另一份说的" in said(office.desk("maker"), path(other))
    assert "只对另一份说的" not in said(office.desk("maker"), path(first))


def test_what_was_there_before_approvals_has_nobody_who_proposed_it(office: Office) -> None:
    with office.wiring.unit() as unit:
        unit.db.execute(insert(BOARD).values(branch=HERE, part="notice", text='{"title": "旧"}'))
    drafted(office)
    with office.wiring.reading() as unit:
        found = queries.live_of(unit, "board", branch=HERE)
    assert found
    assert found.number == 0
    page = said(office.desk("checker"), path(found))
    assert "提出人 （启用审批前已有）" in page
    assert "上线时间 启用审批前已有" in page
    assert "系统 登记启用审批前的内容" in page


def test_a_time_is_read_by_shanghais_clock(office: Office) -> None:
    draft, maker = drafted(office), office.desk("maker")
    when = clock.shanghai(clock.now() + timedelta(days=1)).replace(hour=9, minute=0)
    told = f"{when:%Y-%m-%dT%H:%M}"
    maker.post(path(draft, "propose"), why="节日", seen=draft.hash, scheduled_at=told)
    version = now(office, draft)
    assert version.scheduled_at
    assert f"{clock.shanghai(version.scheduled_at):%Y-%m-%dT%H:%M}" == told
    office.desk("checker").post(path(draft, "approve"), seal=version.seal)
    assert f"{when:%Y-%m-%d} 09:00" in said(maker, path(draft))
    assert now(office, draft).state is State.APPROVED
    wrong = maker.post(path(draft, "propose"), why="节日", seen=draft.hash, scheduled_at="明天")
    assert wrong.status_code == 400
    for edge in ("0001-01-01T00:00", "9999-12-31T23:59"):
        assert maker.get(f"{path(draft)}?at={edge}").status_code == 400


@pytest.mark.parametrize(
    "asked",
    ["older=99999999999999999999999", "from=0001-01-01", "to=9999-12-31", "older=-9", "from=x"],
)
def test_no_number_and_no_day_breaks_the_audits_page(office: Office, asked: str) -> None:
    assert office.desk("auditor").get(f"/console/audit?{asked}").status_code in (200, 400)


def test_one_checker_goes_back_after_seeing_what_that_changes(office: Office) -> None:
    good, bad = live(office, "好的"), live(office, "坏的")
    checker = office.desk("checker")
    confirm = said(checker, path(bad, "roll-back", good.number))
    assert "坏的 好的" in confirm
    assert "立即下线" in confirm
    where = path(bad, "roll-back", good.number)
    assert checker.post(where, why="", seen_live=bad.number).status_code == 422
    assert checker.post(where, why="价格写错", seen_live=good.number).status_code == 409
    assert checker.post(where, why="价格写错", seen_live=bad.number).status_code == 303
    assert hangs(office) == {"title": "好的"}
    assert office.desk("maker").post(where, why="我", seen_live=3).status_code == 403


def test_a_stale_draft_is_merged_with_both_texts_in_sight(office: Office) -> None:
    live(office, "原来")
    mine, maker = drafted(office, "我的"), office.desk("maker")
    theirs = live(office, "他们的", by="mate")
    assert "去合并" in said(maker, path(mine))
    page = said(maker, path(mine, "merge"))
    assert re.search("原来： 原来 .*保留我写的 我的 .*保留已上线的（版本 3） 他们的", page)
    form = {"seen": mine.hash, "onto": theirs.number}
    assert maker.post(path(mine, "merge"), **form).status_code == 400
    form["side__notice/title"] = "mine"
    assert maker.post(path(mine, "merge"), **form).status_code == 303
    merged = now(office, mine)
    assert (merged.base, merged.content["notice"]) == (theirs.number, {"title": "我的"})


@pytest.mark.parametrize("typed", ["[]", "{", '{"other": 1}', '{"hours": 1}'])
def test_what_was_typed_and_not_saved_is_merged_as_well(office: Office, typed: str) -> None:
    live(office, "原来")
    mine, maker = drafted(office, "我的"), office.desk("maker")
    theirs = live(office, "他们的", by="mate")
    form = {"seen": mine.hash, "onto": theirs.number, "side__notice/title": "theirs"}
    answer = maker.post(path(mine, "merge"), **form, mine=typed)
    is_content = set(json.loads(typed)) == {"hours"} if typed != "{" else False
    assert answer.status_code == (303 if is_content else 400)
    if is_content:
        assert now(office, mine).content == {"notice": {"title": "他们的"}, "hours": 1}


def test_what_people_wrote_is_never_markup(office: Office) -> None:
    evil = "\"'><img src=x onerror=alert(1)>"
    me = office.people["maker"]
    draft = drafted(office)
    with office.wiring.unit() as unit:
        content = {"hours": {evil: evil}}
        draft = do.save(unit, draft.id, content=content, seen=draft.hash, by=me)
        do.propose(unit, draft.id, why=evil, seen=draft.hash, by=me)
    checker = office.desk("checker")
    checker.post(path(draft, "return"), reason=evil)
    for place in (path(draft), "/console/changes?shelf=mine"):
        page = office.desk("maker").get(place).text
        assert "<img" not in page
        assert "&lt;img" in page
    page = office.desk("auditor").get("/console/audit").text
    assert "<img" not in page
    assert "&lt;img" in page


def test_lists_are_read_page_by_page(office: Office) -> None:
    maker = office.people["maker"]
    with office.wiring.unit() as unit:
        for number in range(queries.PAGE + 1):
            do.open_draft(unit, "board", branch=HERE, by=maker, key=f"k{number:02}")
    desk, found = office.desk("maker"), []
    where: str | None = "/console/changes?shelf=mine"
    while where:
        page = desk.get(where).text
        found += re.findall(r"公告栏 (k\d\d)，", page)
        older = re.search(r'href="([^"]*older=\d+[^"]*)"', page)
        where = unescape(older[1]) if older else None
    assert sorted(found) == [f"k{number:02}" for number in range(queries.PAGE + 1)]
    assert desk.get("/console/changes?shelf=theirs").status_code == 404


def test_a_form_without_its_token_does_nothing(office: Office) -> None:
    version, checker = proposed(office), office.desk("checker")
    answer = checker.client.post(path(version, "approve"), data={"seal": version.seal})
    assert (answer.status_code, hangs(office)) == (400, None)


def test_every_page_of_changes_is_closed_to_strangers(office: Office) -> None:
    version = proposed(office)
    stranger = office.app.test_client()
    for place in ("/console/changes", path(version), "/console/audit"):
        answer = stranger.get(place, headers={"Accept": "text/html"})
        assert answer.location.startswith(guard.SIGN_IN)


def test_the_auditor_searches_and_takes_the_chain_away(office: Office) -> None:
    live(office, "好的")
    auditor = office.desk("auditor")
    page = said(auditor, "/console/audit?act=approvals&words=好的")
    assert "上线" in page
    assert f"board:{HERE}:#1" in page
    assert "没有符合条件的记录" in said(auditor, "/console/audit?words=没有这样的字")
    taken = auditor.post("/console/audit/export", format="csv", act="approvals")
    assert (taken.status_code, taken.text.startswith("\ufeff编号")) == (200, True)
    assert "approvals.live" in taken.text
    assert "导出审计记录" in said(auditor, "/console/audit")
    assert auditor.get("/console/audit?from=gestern").status_code == 400
    assert auditor.post("/console/audit/export", format="exe").status_code == 400
    for who in ("maker", "checker", "administrator"):
        assert office.desk(who).get("/console/audit").status_code == 403
        assert office.desk(who).post("/console/audit/export", format="csv").status_code == 403
