"""A second person decides on exactly what they saw, and nobody gets past that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete

from service import audit
from service.approvals import operations as do
from service.approvals import queries
from service.approvals.models import Version
from service.approvals.refusals import (
    AlreadySettled,
    ContentChanged,
    Faulty,
    NotAllowed,
    NothingChanges,
    NotYours,
    NoWayBack,
    OwnWork,
    ReasonMissing,
    Refused,
    StaleBase,
)
from service.approvals.states import State
from service.staff.people import Me
from service.wiring import Unit
from tests.service.approvals.board import (
    ADMINISTRATOR,
    AUDITOR,
    BELOW,
    BOARD,
    BOTH,
    CHECKER,
    HEAD,
    HERE,
    KIND,
    MAKER,
    MATE,
    OUTSIDER,
    SECOND,
    ban,
    shown,
)


def drafted(at: Unit, title: str = "约惠岭南", *, by: Me = MAKER) -> Version:
    draft = do.open_draft(at, "board", branch=HERE, by=by)
    content = {"notice": {"title": title}}
    return do.save(at, draft.id, content=content, seen=draft.hash, by=by)


def proposed(at: Unit, title: str = "约惠岭南", *, by: Me = MAKER) -> Version:
    draft = drafted(at, title, by=by)
    return do.propose(at, draft.id, why="换季", seen=draft.hash, by=by)


def live(at: Unit, title: str = "约惠岭南", *, by: Me = MAKER) -> Version:
    version = proposed(at, title, by=by)
    return do.approve(at, version.id, seal=version.seal, by=CHECKER)


def test_what_a_second_person_approves_goes_live(at: Unit) -> None:
    version = proposed(at)
    assert shown(at) is None
    approved = do.approve(at, version.id, seal=version.seal, by=CHECKER)
    assert approved.state is State.LIVE
    assert approved.live == approved.number
    assert shown(at) == {"title": "约惠岭南"}
    assert (approved.maker, approved.reviewer) == ("Maker（maker）", "Checker（checker）")


def test_head_office_may_approve_for_a_branch_below_it(at: Unit) -> None:
    version = proposed(at)
    assert do.approve(at, version.id, seal=version.seal, by=HEAD).state is State.LIVE


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        (MAKER, NotAllowed),
        (MATE, NotAllowed),
        (OUTSIDER, NotYours),
        (BELOW, NotYours),
        (ADMINISTRATOR, NotAllowed),
        (AUDITOR, NotAllowed),
    ],
    ids=lambda value: getattr(value, "login", ""),
)
def test_nobody_else_approves(at: Unit, who: Me, refusal: type[Refused]) -> None:
    version = proposed(at)
    with pytest.raises(refusal):
        do.approve(at, version.id, seal=version.seal, by=who)
    assert shown(at) is None


def test_the_maker_does_not_approve_even_with_the_right_to(at: Unit) -> None:
    version = proposed(at, by=BOTH)
    with pytest.raises(OwnWork):
        do.approve(at, version.id, seal=version.seal, by=BOTH)
    with pytest.raises(OwnWork):
        do.return_(at, version.id, reason="再想想", by=BOTH)
    assert do.approve(at, version.id, seal=version.seal, by=CHECKER).state is State.LIVE


def test_whoever_edited_any_draft_of_it_does_not_approve(at: Unit) -> None:
    draft = drafted(at)
    draft = do.save(at, draft.id, content={"hours": {"open": "9"}}, seen=draft.hash, by=BOTH)
    draft = do.save(at, draft.id, content={"hours": {"open": "8"}}, seen=draft.hash, by=MAKER)
    version = do.propose(at, draft.id, why="换季", seen=draft.hash, by=MAKER)
    with pytest.raises(OwnWork):
        do.approve(at, version.id, seal=version.seal, by=BOTH)


def test_an_edit_after_the_proposal_voids_it(at: Unit) -> None:
    version = proposed(at)
    edited = do.save(at, version.id, content={"notice": {}}, seen=version.hash, by=MAKER)
    assert edited.state is State.DRAFT
    with pytest.raises(AlreadySettled, match="草稿"):
        do.approve(at, version.id, seal=version.seal, by=CHECKER)
    assert shown(at) is None


def test_an_approval_is_bound_to_what_was_seen(at: Unit) -> None:
    seen = proposed(at)
    edited = do.save(at, seen.id, content={"notice": {"title": "别的"}}, seen=seen.hash, by=MAKER)
    again = do.propose(at, seen.id, why="换季", seen=edited.hash, by=MAKER)
    with pytest.raises(ContentChanged):
        do.approve(at, seen.id, seal=seen.seal, by=CHECKER)
    assert do.approve(at, seen.id, seal=again.seal, by=CHECKER).state is State.LIVE


def test_the_second_approver_is_told_who_was_first(at: Unit) -> None:
    version = proposed(at)
    do.approve(at, version.id, seal=version.seal, by=CHECKER)
    with pytest.raises(AlreadySettled, match="Checker（checker）") as told:
        do.approve(at, version.id, seal=version.seal, by=SECOND)
    assert told.value.state is State.LIVE


def test_two_who_save_at_once_do_not_overwrite_each_other(at: Unit) -> None:
    draft = drafted(at)
    do.save(at, draft.id, content={"notice": {"title": "甲"}}, seen=draft.hash, by=MAKER)
    with pytest.raises(ContentChanged) as told:
        do.save(at, draft.id, content={"notice": {"title": "乙"}}, seen=draft.hash, by=MATE)
    assert told.value.version.content["notice"] == {"title": "甲"}


def test_a_returned_version_is_mended_and_proposed_again(at: Unit) -> None:
    version = proposed(at)
    returned = do.return_(at, version.id, reason="标题有错字", by=CHECKER)
    assert (returned.state, returned.reason) == (State.RETURNED, "标题有错字")
    assert do.open_draft(at, "board", branch=HERE, by=MAKER).id == version.id
    mended = do.save(
        at, version.id, content={"notice": {"title": "好"}}, seen=returned.hash, by=MAKER
    )
    again = do.propose(at, version.id, why="已改", seen=mended.hash, by=MAKER)
    do.approve(at, version.id, seal=again.seal, by=CHECKER)
    assert shown(at) == {"title": "好"}


def test_reasons_are_asked_for(at: Unit) -> None:
    draft = drafted(at)
    with pytest.raises(ReasonMissing):
        do.propose(at, draft.id, why=" ", seen=draft.hash, by=MAKER)
    version = do.propose(at, draft.id, why="换季", seen=draft.hash, by=MAKER)
    with pytest.raises(ReasonMissing):
        do.return_(at, version.id, reason="", by=CHECKER)
    do.approve(at, version.id, seal=version.seal, by=CHECKER)
    with pytest.raises(ReasonMissing):
        do.roll_back(at, version.id, to=0, why="", seen_live=1, by=CHECKER)


def test_what_was_withdrawn_is_not_approved_and_can_be_begun_with_again(at: Unit) -> None:
    version = proposed(at)
    gone = do.withdraw(at, version.id, by=MAKER)
    assert gone.state is State.WITHDRAWN
    with pytest.raises(AlreadySettled, match="Maker"):
        do.approve(at, version.id, seal=version.seal, by=CHECKER)
    copy = do.open_draft(at, "board", branch=HERE, by=MAKER, copy_of=gone.number)
    assert (copy.number, copy.content) == (2, gone.content)


def test_faults_keep_content_from_being_proposed_and_from_being_approved(at: Unit) -> None:
    draft = drafted(at, "这个标题实在是太长了")
    assert [fault.where for fault in queries.faults(at, draft)["notice"]] == ["title"]
    with pytest.raises(Faulty, match="标题最多 8 个字"):
        do.propose(at, draft.id, why="换季", seen=draft.hash, by=MAKER)
    mended = do.save(at, draft.id, content={"notice": {"title": "好"}}, seen=draft.hash, by=MAKER)
    version = do.propose(at, draft.id, why="换季", seen=mended.hash, by=MAKER)
    ban(at, "好")
    with pytest.raises(Faulty, match=r"1 处.*停用"):
        do.approve(at, version.id, seal=version.seal, by=CHECKER)
    assert shown(at) is None


def test_a_stale_base_is_told_with_all_three_texts_and_merged(at: Unit) -> None:
    live(at, "原来")
    mine = drafted(at, "我的", by=MAKER)
    theirs = live(at, "他们的", by=MATE)
    with pytest.raises(StaleBase) as told:
        do.propose(at, mine.id, why="换季", seen=mine.hash, by=MAKER)
    texts = [told.value.base, told.value.mine, told.value.theirs]
    assert [text["notice"]["title"] for text in texts] == ["原来", "我的", "他们的"]
    typed = {"notice": {"title": "正在写"}}
    with pytest.raises(StaleBase) as told:
        do.save(at, mine.id, content=typed, seen=mine.hash, by=MAKER)
    assert told.value.mine["notice"] == {"title": "正在写"}
    merged = do.save(at, mine.id, content=typed, seen=mine.hash, by=MAKER, onto=theirs.number)
    assert (merged.base, merged.basis) == (theirs.number, theirs.text)
    again = do.propose(at, mine.id, why="合并", seen=merged.hash, by=MAKER)
    do.approve(at, mine.id, seal=again.seal, by=CHECKER)
    assert shown(at) == {"title": "正在写"}


def test_a_proposal_that_grew_stale_is_not_approved(at: Unit) -> None:
    live(at, "原来")
    stale = proposed(at, "我的")
    live(at, "他们的", by=MATE)
    with pytest.raises(StaleBase):
        do.approve(at, stale.id, seal=stale.seal, by=CHECKER)
    assert shown(at) == {"title": "他们的"}


def test_merging_with_a_version_that_is_no_longer_live_is_stale_again(at: Unit) -> None:
    first = live(at, "一")
    mine = drafted(at, "我的", by=MAKER)
    live(at, "二", by=MATE)
    with pytest.raises(StaleBase):
        do.save(at, mine.id, content=mine.content, seen=mine.hash, by=MAKER, onto=first.number)


def test_one_checker_rolls_back_to_what_was_approved_before(at: Unit) -> None:
    good = live(at, "好的")
    bad = live(at, "坏的")
    again = do.roll_back(
        at, bad.id, to=good.number, why="价格写错", seen_live=bad.number, by=CHECKER
    )
    assert shown(at) == {"title": "好的"}
    assert (again.state, again.restores, again.hash) == (State.LIVE, good.number, good.hash)
    states = {version.number: version.state for version in queries.history(at, again)}
    assert states == {1: State.SUPERSEDED, 2: State.ROLLED_BACK, 3: State.LIVE}
    assert queries.find(at, bad.id, by=MAKER).reviewer == "Checker（checker）"


def test_what_was_there_before_anybody_approved_can_be_brought_back(at: Unit) -> None:
    KIND.sections["notice"].apply(at, HERE, "", {"title": "开业"}, HEAD)
    first = live(at, "第一次")
    assert (first.number, first.base) == (1, 0)
    do.roll_back(at, first.id, to=0, why="不合适", seen_live=1, by=CHECKER)
    assert shown(at) == {"title": "开业"}


def _withdrawn(at: Unit) -> Version:
    version = proposed(at, "没批")
    return do.withdraw(at, version.id, by=MAKER)


@pytest.mark.parametrize("which", [_withdrawn, lambda at: proposed(at, "未批"), live])
def test_nobody_rolls_back_to_what_was_never_approved(
    at: Unit, which: Callable[[Unit], Version]
) -> None:
    now = live(at, "线上")
    other = which(at)
    seen = other.number if other.state is State.LIVE else now.number
    with pytest.raises(NoWayBack):
        do.roll_back(at, now.id, to=other.number, why="试试", seen_live=seen, by=CHECKER)


@pytest.mark.parametrize(
    ("who", "refusal"), [(MAKER, NotAllowed), (OUTSIDER, NotYours), (ADMINISTRATOR, NotAllowed)]
)
def test_nobody_else_rolls_back(at: Unit, who: Me, refusal: type[Refused]) -> None:
    good, bad = live(at, "好的"), live(at, "坏的")
    with pytest.raises(refusal):
        do.roll_back(at, bad.id, to=good.number, why="换", seen_live=bad.number, by=who)


def test_two_who_roll_back_at_once_are_told_of_each_other(at: Unit) -> None:
    good, bad = live(at, "好的"), live(at, "坏的")
    arguments: dict[str, Any] = {"to": good.number, "why": "错", "seen_live": bad.number}
    do.roll_back(at, bad.id, **arguments, by=CHECKER)
    with pytest.raises(AlreadySettled, match="Checker"):
        do.roll_back(at, bad.id, **arguments, by=SECOND)


def test_what_changes_nothing_is_not_proposed(at: Unit) -> None:
    live(at, "一样")
    draft = drafted(at, "一样")
    with pytest.raises(NothingChanges):
        do.propose(at, draft.id, why="换季", seen=draft.hash, by=MAKER)


@pytest.mark.parametrize("who", [OUTSIDER, BELOW])
def test_foreign_and_absent_look_alike(at: Unit, who: Me) -> None:
    version = drafted(at)
    told = []
    for number in (version.id, 4_711):
        with pytest.raises(NotYours) as refusal:
            queries.find(at, number, by=who)
        told.append(str(refusal.value))
    assert told[0] == told[1]
    for attempt in (
        lambda: do.open_draft(at, "board", branch=HERE, by=who),
        lambda: do.save(at, version.id, content={}, seen=version.hash, by=who),
        lambda: do.propose(at, version.id, why="我", seen=version.hash, by=who),
        lambda: do.withdraw(at, version.id, by=who),
        lambda: do.return_(at, version.id, reason="我", by=who),
    ):
        with pytest.raises(NotYours):
            attempt()


def test_a_checker_does_not_write_and_an_unknown_kind_does_not_exist(at: Unit) -> None:
    with pytest.raises(NotAllowed):
        do.open_draft(at, "board", branch=HERE, by=CHECKER)
    with pytest.raises(NotYours):
        do.open_draft(at, "nonsense", branch=HERE, by=MAKER)
    version = drafted(at)
    with pytest.raises(ValueError, match="no such section"):
        do.save(at, version.id, content={"other": 1}, seen=version.hash, by=MAKER)


def test_everybody_finds_what_concerns_them(at: Unit) -> None:
    on = live(at, "线上")
    version = proposed(at, "待批", by=BOTH)

    def ids(name: queries.Shelf, by: Me) -> list[int]:
        return [found.id for found in queries.shelf(at, name, by=by)]

    assert ids("waiting", CHECKER) == [version.id]
    assert ids("waiting", HEAD) == [version.id]
    assert [ids("waiting", who) for who in (BOTH, MAKER, OUTSIDER, BELOW, ADMINISTRATOR)] == [
        []
    ] * 5
    assert (ids("mine", BOTH), ids("mine", MAKER)) == ([version.id], [])
    assert (ids("live", MAKER), ids("live", OUTSIDER)) == ([on.id], [])


def test_the_chain_tells_every_move(at: Unit) -> None:
    good = live(at, "好的")
    bad = live(at, "坏的")
    do.roll_back(at, bad.id, to=good.number, why="价格写错", seen_live=bad.number, by=CHECKER)
    told = [(e.act.split(".")[1], e.actor) for e in audit.between(at, audit.Filters())]
    once = [
        *(("draft", "maker"), ("save", "maker"), ("propose", "maker"), ("approve", "checker")),
        ("live", "checker"),
    ]
    twice = [*once[:4], ("supersede", "checker"), once[4]]
    assert told == [*once, *twice, ("roll_back", "checker"), ("live", "checker")]
    assert audit.verify(at).broken is None
    back = audit.search(at, audit.Filters(act="approvals.roll_back"))[0]
    assert (back.why, back.branch, back.subject) == ("价格写错", HERE, f"board:{HERE}:#2")
    went = audit.search(at, audit.Filters(act="approvals.live"))[0]
    assert "坏的" in went.after
    assert "好的" in went.after


def test_progress_is_asked_of_what_is_live(at: Unit) -> None:
    version = proposed(at)
    assert queries.progress(at, version) == []
    went = do.approve(at, version.id, seal=version.seal, by=CHECKER)
    assert queries.progress(at, went) == ["公告正在张贴：剩 2 块"]


def test_what_was_undone_past_the_console_can_be_asked_for_again(at: Unit) -> None:
    """A command may change what is there; then the content that is live on paper does change it."""
    live(at, "约惠岭南")
    at.db.execute(delete(BOARD).where(BOARD.c.branch == HERE))
    again = proposed(at, "约惠岭南")
    do.approve(at, again.id, seal=again.seal, by=CHECKER)
    assert shown(at) == {"title": "约惠岭南"}


def test_a_draft_begins_with_what_is_there_also_after_a_command_changed_it(at: Unit) -> None:
    """Or a draft on what was there before would quietly take the command's change back."""
    live(at)
    KIND.sections["notice"].apply(at, HERE, "", {"title": "命令改的"}, HEAD)
    draft = do.open_draft(at, "board", branch=HERE, by=MATE)
    assert draft.content["notice"] == {"title": "命令改的"}
    content = {"hours": {"title": "九点"}}
    saved = do.save(at, draft.id, content=content, seen=draft.hash, by=MATE)
    told = queries.differences(at, saved)
    assert [one.after for one in told["notice"]] == []
    asked = do.propose(at, saved.id, why="改时间", seen=saved.hash, by=MATE)
    do.approve(at, asked.id, seal=asked.seal, by=CHECKER)
    assert shown(at) == {"title": "命令改的"}


def test_a_draft_begins_afresh_where_a_command_took_everything_away(at: Unit) -> None:
    live(at)
    at.db.execute(delete(BOARD))
    draft = do.open_draft(at, "board", branch=HERE, by=MATE)
    assert draft.content == {"hours": {}, "notice": {}}
