"""What was approved for later goes live then, once, or comes back with the reason."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import update

from service import audit, clock
from service.approvals import operations as do
from service.approvals import queries, schedule
from service.approvals.models import DOCUMENTS, Version
from service.approvals.refusals import AlreadySettled, ContentChanged, Refused, TimePassed
from service.approvals.states import State
from service.wiring import Unit, Wiring
from tests.service.approvals.board import (
    BREAKS,
    CHECKER,
    HEAD,
    HERE,
    MAKER,
    MATE,
    SECOND,
    ban,
    person,
    shown,
)

TOMORROW = timedelta(days=1)
HEAD_EDITOR = person(20, "zong", ("editor", "HQ"))


def proposed(at: Unit, title: str = "春节", *, wait: timedelta = TOMORROW) -> Version:
    draft = do.open_draft(at, "board", branch=HERE, by=MAKER)
    draft = do.save(at, draft.id, content={"notice": {"title": title}}, seen=draft.hash, by=MAKER)
    when = clock.now() + wait
    return do.propose(at, draft.id, why="节日", seen=draft.hash, by=MAKER, scheduled_at=when)


def scheduled(at: Unit, title: str = "春节", **more: Any) -> Version:
    version = proposed(at, title, **more)
    return do.approve(at, version.id, seal=version.seal, by=CHECKER)


def at_its_time(at: Unit) -> None:
    with time_machine.travel(clock.now() + TOMORROW + timedelta(seconds=1)):
        schedule.due(at)


def test_it_waits_for_its_time_and_goes_live_then(at: Unit) -> None:
    version = scheduled(at)
    schedule.due(at)
    assert (version.state, shown(at)) == (State.APPROVED, None)
    at_its_time(at)
    now = queries.find(at, version.id, by=MAKER)
    assert (now.state, now.reviewer, shown(at)) == (
        State.LIVE,
        "Checker（checker）",
        {"title": "春节"},
    )
    told = audit.search(at, audit.Filters(act="approvals.live"))[0]
    assert (told.actor, '"approved_by":"checker"' in told.after) == ("", True)


def test_a_time_that_has_passed_is_refused(at: Unit) -> None:
    with pytest.raises(TimePassed):
        proposed(at, wait=-TOMORROW)


def test_an_approval_is_bound_to_the_time_as_well(at: Unit) -> None:
    seen = proposed(at)
    edited = do.save(at, seen.id, content={}, seen=seen.hash, by=MAKER)
    assert (edited.state, edited.hash, edited.scheduled_at) == (State.DRAFT, seen.hash, None)
    do.propose(at, seen.id, why="现在就上", seen=edited.hash, by=MAKER)
    with pytest.raises(ContentChanged):
        do.approve(at, seen.id, seal=seen.seal, by=CHECKER)


@pytest.mark.parametrize(
    "undo",
    [
        lambda at, version: do.withdraw(at, version.id, by=MAKER),
        lambda at, version: do.return_(at, version.id, reason="等等", by=SECOND),
    ],
)
def test_what_waits_can_still_be_stopped(at: Unit, undo: Callable[[Unit, Version], Any]) -> None:
    version = scheduled(at)
    with pytest.raises(AlreadySettled):
        do.save(at, version.id, content={}, seen=version.hash, by=MAKER)
    undo(at, version)
    at_its_time(at)
    assert shown(at) is None


def _overtake(at: Unit) -> None:
    other = do.open_draft(at, "board", branch=HERE, by=MATE)
    other = do.save(at, other.id, content={"notice": {"title": "急"}}, seen=other.hash, by=MATE)
    other = do.propose(at, other.id, why="急", seen=other.hash, by=MATE)
    do.approve(at, other.id, seal=other.seal, by=CHECKER)


@pytest.mark.parametrize(
    ("meanwhile", "reason", "left"),
    [
        (_overtake, "版本 2 已经上线", {"title": "急"}),
        (lambda at: ban(at, "春节"), "这个标题已被停用", None),
    ],
)
def test_what_cannot_go_live_any_more_comes_back_with_the_reason(
    at: Unit, meanwhile: Callable[[Unit], None], reason: str, left: Any
) -> None:
    version = scheduled(at)
    meanwhile(at)
    at_its_time(at)
    now = queries.find(at, version.id, by=MAKER)
    assert (now.state, shown(at)) == (State.RETURNED, left)
    assert reason in now.reason
    assert reason in audit.search(at, audit.Filters(act="approvals.fail"))[0].why


def test_one_that_breaks_leaves_no_trace_and_holds_up_no_other(at: Unit) -> None:
    broken = scheduled(at, "", wait=TOMORROW / 2)
    other = do.open_draft(at, "board", branch="HQ", by=HEAD_EDITOR)
    broken = _with_breaking_content(at, broken)
    content = {"notice": {"title": "总行"}}
    other = do.save(at, other.id, content=content, seen=other.hash, by=HEAD_EDITOR)
    other = do.propose(
        at,
        other.id,
        why="节日",
        seen=other.hash,
        by=HEAD_EDITOR,
        scheduled_at=clock.now() + TOMORROW,
    )
    do.approve(at, other.id, seal=other.seal, by=HEAD)
    at_its_time(at)
    assert queries.find(at, broken.id, by=MAKER).state is State.RETURNED
    assert (shown(at), shown(at, branch="HQ")) == (None, {"title": "总行"})
    assert audit.verify(at).broken is None
    acts = [entry.act for entry in audit.search(at, audit.Filters(act="approvals.live"))]
    assert acts == ["approvals.live"]


def _with_breaking_content(at: Unit, version: Version) -> Version:
    do.return_(at, version.id, reason="改", by=CHECKER)
    content = {"hours": {"text": BREAKS}}
    edited = do.save(at, version.id, content=content, seen=version.hash, by=MAKER)
    again = do.propose(
        at,
        version.id,
        why="节日",
        seen=edited.hash,
        by=MAKER,
        scheduled_at=clock.now() + TOMORROW / 2,
    )
    return do.approve(at, version.id, seal=again.seal, by=CHECKER)


def together(steps: list[Callable[[], Any]]) -> list[Any]:
    """What each step gave or raised, all begun at the same moment."""
    start, gave = threading.Barrier(len(steps)), [None] * len(steps)

    def run(number: int) -> None:
        start.wait()
        try:
            gave[number] = steps[number]()
        except Exception as refusal:
            gave[number] = refusal  # type: ignore[call-overload]  # whatever came of it

    threads = [threading.Thread(target=run, args=[number]) for number in range(len(steps))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return gave


def test_two_workers_put_it_live_once(wired: Wiring) -> None:
    with wired.unit() as unit:
        scheduled(unit)

    def work() -> None:
        with wired.unit() as unit:
            schedule.due(unit)

    with time_machine.travel(clock.now() + TOMORROW + timedelta(seconds=1)):
        assert together([work] * 4) == [None] * 4
    with wired.reading() as unit:
        assert len(audit.search(unit, audit.Filters(act="approvals.live"))) == 1
        assert audit.verify(unit).broken is None


def test_of_two_who_approve_at_once_one_wins_and_the_other_is_told(wired: Wiring) -> None:
    with wired.unit() as unit:
        draft = do.open_draft(unit, "board", branch=HERE, by=MAKER)
        version = do.propose(unit, draft.id, why="新", seen=draft.hash, by=MAKER)

    def approving(by: Any) -> Callable[[], Version]:
        def approve() -> Version:
            with wired.unit() as unit:
                return do.approve(unit, version.id, seal=version.seal, by=by)

        return approve

    gave = together([approving(CHECKER), approving(SECOND)])
    won = next(one for one in gave if isinstance(one, Version))
    lost = next(one for one in gave if isinstance(one, Refused))
    assert isinstance(lost, AlreadySettled)
    assert (lost.by, lost.state) == (won.reviewer, State.LIVE)
    with wired.reading() as unit:
        assert len(audit.search(unit, audit.Filters(act="approvals.live"))) == 1


def test_of_two_versions_approved_at_once_only_one_goes_live_on_that_base(wired: Wiring) -> None:
    versions = []
    for by, title in ((MAKER, "甲"), (MATE, "乙")):
        with wired.unit() as unit:
            draft = do.open_draft(unit, "board", branch=HERE, by=by)
            content = {"notice": {"title": title}}
            draft = do.save(unit, draft.id, content=content, seen=draft.hash, by=by)
            versions.append(do.propose(unit, draft.id, why="新", seen=draft.hash, by=by))

    def approving(version: Version) -> Callable[[], Version]:
        def approve() -> Version:
            with wired.unit() as unit:
                return do.approve(unit, version.id, seal=version.seal, by=CHECKER)

        return approve

    gave = together([approving(version) for version in versions])
    (won,) = (one for one in gave if isinstance(one, Version))
    with wired.reading() as unit:
        assert shown(unit) == won.content["notice"]


def test_two_who_begin_the_same_document_at_once_get_a_draft_each(wired: Wiring) -> None:
    def opening(by: Any) -> Callable[[], Version]:
        def begin() -> Version:
            with wired.unit() as unit:
                return do.open_draft(unit, "board", branch=HERE, by=by)

        return begin

    gave = together([opening(MAKER), opening(MATE)])
    assert sorted(version.number for version in gave) == [1, 2]
    assert len({version.document_id for version in gave}) == 1


def test_what_nobody_knows_any_more_keeps_nothing_else_from_its_time(at: Unit) -> None:
    """A release may drop a kind of document while one of them waits for its time."""
    unknown, version = scheduled(at, "旧"), scheduled_elsewhere(at)
    at.db.execute(
        update(DOCUMENTS).where(DOCUMENTS.c.id == unknown.document_id).values(kind="gone")
    )
    at_its_time(at)
    assert queries.find(at, version.id, by=HEAD).state == State.LIVE


def scheduled_elsewhere(at: Unit) -> Version:
    draft = do.open_draft(at, "board", branch="B440100", by=HEAD_EDITOR)
    draft = do.save(
        at, draft.id, content={"notice": {"title": "元宵"}}, seen=draft.hash, by=HEAD_EDITOR
    )
    when = clock.now() + TOMORROW
    draft = do.propose(at, draft.id, why="节日", seen=draft.hash, by=HEAD_EDITOR, scheduled_at=when)
    return do.approve(at, draft.id, seal=draft.seal, by=HEAD)
