"""Whatever several people do in whatever order: what nobody else approved never goes live."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import time_machine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)
from sqlalchemy import select

from service import audit, clock
from service.approvals import operations as do
from service.approvals import schedule
from service.approvals.models import DOCUMENTS, SELECT, VERSIONS, Version, as_text, version_of
from service.approvals.refusals import Refused
from service.approvals.states import State
from service.audit.chain import canonical
from service.wiring import Unit
from tests.service.approvals import board
from tests.service.approvals.board import (
    ADMINISTRATOR,
    BELOW,
    BOTH,
    CHECKER,
    HEAD,
    HERE,
    MAKER,
    MATE,
    OUTSIDER,
    SECOND,
)
from tests.service.approvals.conftest import put_together

#: Written out here, not asked of the program: these may decide at this branch, and nobody else.
MAY_DECIDE: Final = {person.id for person in (CHECKER, SECOND, BOTH, HEAD)}
EVERYBODY: Final = (MAKER, MATE, CHECKER, SECOND, BOTH, HEAD, OUTSIDER, BELOW, ADMINISTRATOR)
#: Everybody tries everything, but most often those who may, and whoever may do both.
PEOPLE: Final = st.sampled_from((*EVERYBODY, MAKER, MATE, BOTH, CHECKER, SECOND, HEAD))
WRITERS: Final = st.sampled_from((MAKER, MATE, BOTH, BOTH))
DECIDERS: Final = st.sampled_from((CHECKER, SECOND, HEAD, BOTH, BOTH, MAKER, OUTSIDER, BELOW))
TITLES: Final = st.sampled_from(["春", "夏", "秋", "冬", "节", "年", "汛", "这个标题太长太长了"])
HOURS: Final = st.sampled_from([None, None, None, 1, 5])
#: The state a move told of in the chain leaves a version in.
TOLD: Final = {
    "draft": State.DRAFT,
    "save": State.DRAFT,
    "void": State.DRAFT,
    "propose": State.PROPOSED,
    "approve": State.APPROVED,
    "return": State.RETURNED,
    "fail": State.RETURNED,
    "withdraw": State.WITHDRAWN,
    "live": State.LIVE,
    "found": State.LIVE,
    "supersede": State.SUPERSEDED,
    "roll_back": State.ROLLED_BACK,
}

T = TypeVar("T")


class Approvals(RuleBasedStateMachine):
    """One notice board, nine people, two workers, and a clock that jumps."""

    versions: Bundle[int] = Bundle("versions")
    proposals: Bundle[int] = Bundle("proposals")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        place = Path(self.folder.name)
        self.wired = put_together(f"sqlite:///{place / 'board.sqlite3'}", place)
        self.travel = time_machine.travel(datetime(2026, 3, 2, 1, tzinfo=UTC), tick=False)
        self.clock = self.travel.start()
        #: Who had a hand in each version, as this test saw it happen.
        self.hands: dict[int, set[int]] = {}
        #: The texts a second person said yes to, by version.
        self.approved: dict[int, str] = {}
        self.refusals: list[Refused] = []
        #: The texts that were live at some time, and so may be brought back.
        self.was_live: set[str] = set()

    def teardown(self) -> None:
        try:
            self.check_the_chain()
            assert all(refusal.says and refusal.way_out for refusal in self.refusals)
        finally:
            self.travel.stop()
            self.wired.hang_up()
            self.folder.cleanup()

    def attempt(self, act: Callable[[Unit], T]) -> T | None:
        """Do it in a transaction of its own; None where it was refused."""
        try:
            with self.wired.unit() as unit:
                return act(unit)
        except Refused as refusal:
            self.refusals.append(refusal)
            return None

    def now(self, version: int) -> Version:
        with self.wired.reading() as unit:
            return version_of(unit.db.execute(SELECT.where(VERSIONS.c.id == version)).one())

    @initialize(there=st.booleans())
    def begin(self, there: bool) -> None:
        if there:
            with self.wired.unit() as unit:
                board.KIND.sections["notice"].apply(unit, HERE, "", {"title": "开业"}, HEAD)

    @rule(target=versions, by=PEOPLE, copy_of=st.none() | st.integers(0, 3))
    def draft(self, by: Any, copy_of: int | None) -> Any:
        made = self.attempt(
            lambda unit: do.open_draft(unit, "board", branch=HERE, by=by, copy_of=copy_of)
        )
        if made is None:
            return multiple()
        self.hands.setdefault(made.id, set()).add(by.id)
        return made.id

    @rule(version=versions, by=PEOPLE, title=TITLES, is_current=st.booleans(), merge=st.booleans())
    def save(self, version: int, by: Any, title: str, is_current: bool, merge: bool) -> None:
        there = self.now(version)
        saved = self.attempt(
            lambda unit: do.save(
                unit,
                version,
                content={"notice": {"title": title}},
                seen=there.hash if is_current else "",
                onto=there.live if merge else None,
                by=by,
            )
        )
        if saved is not None:
            assert is_current
            self.hands[version].add(by.id)

    @rule(version=versions, by=PEOPLE, hours=HOURS)
    def propose(self, version: int, by: Any, hours: int | None) -> None:
        seen = self.now(version).hash
        when = clock.now() + timedelta(hours=hours) if hours else None
        if self.attempt(
            lambda unit: do.propose(unit, version, why="换", seen=seen, by=by, scheduled_at=when)
        ):
            self.hands[version].add(by.id)

    @rule(target=proposals, by=WRITERS, writer=WRITERS, title=TITLES, hours=HOURS)
    def push(self, by: Any, writer: Any, title: str, hours: int | None) -> Any:
        """The usual way, so that it is not left to luck: begin, let somebody write, propose."""
        version = self.draft(by, None)
        if isinstance(version, int):
            self.save(version, writer, title, True, True)
            self.propose(version, by, hours)
            return version
        return multiple()

    @rule(which=st.integers(0, 2), by=DECIDERS, is_current=st.sampled_from([True, True, False]))
    def approve(self, which: int, by: Any, is_current: bool) -> None:
        if waiting := self.waiting():
            version = self.now(waiting[which % len(waiting)])
            self.approve_with(version.id, by, version.seal if is_current else version.hash)

    @rule(version=proposals | versions, by=DECIDERS)
    def approve_whatever(self, version: int, by: Any) -> None:
        """Also what is no proposal, no more or not yet."""
        self.approve_with(version, by, self.now(version).seal)

    def waiting(self) -> list[int]:
        proposed = select(VERSIONS.c.id).where(VERSIONS.c.state == State.PROPOSED)
        with self.wired.reading() as unit:
            return list(unit.db.execute(proposed.order_by(VERSIONS.c.id)).scalars())

    def approve_with(self, version: int, by: Any, seal: str) -> Version | None:
        before = self.now(version)
        done = self.attempt(lambda unit: do.approve(unit, version, seal=seal, by=by))
        if done is not None:
            assert by.id in MAY_DECIDE
            assert by.id not in self.hands[version]
            assert (before.seal, before.text) == (seal, done.text)
            self.approved[version] = done.text
        return done

    @rule(which=st.integers(0, 2), pair=st.permutations([CHECKER, SECOND, BOTH, HEAD, MAKER]))
    def approve_together(self, which: int, pair: list[Any]) -> None:
        """Two at the same moment: at most one of them decides."""
        if not (waiting := self.waiting()):
            return
        version = waiting[which % len(waiting)]
        seal, done = self.now(version).seal, []

        def decide(by: Any) -> None:
            done.append(self.approve_with(version, by, seal))

        threads = [threading.Thread(target=decide, args=[by]) for by in pair[:2]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(done) == 2
        assert sum(one is not None for one in done) <= 1

    @rule(which=st.integers(0, 2), title=TITLES, by=WRITERS, checker=DECIDERS)
    def edit_while_it_is_read(self, which: int, title: str, by: Any, checker: Any) -> None:
        """The approver looks, somebody writes and proposes again, the approver says yes."""
        if not (waiting := self.waiting()):
            return
        version = waiting[which % len(waiting)]
        seen = self.now(version)
        self.save(version, by, title, True, False)
        self.propose(version, by, None)
        if self.now(version).hash != seen.hash:
            assert self.approve_with(version, checker, seen.seal) is None

    @rule(version=proposals, by=DECIDERS)
    def send_back(self, version: int, by: Any) -> None:
        if self.attempt(lambda unit: do.return_(unit, version, reason="改", by=by)):
            assert by.id in MAY_DECIDE - self.hands[version]

    @rule(version=consumes(proposals), by=PEOPLE)
    def withdraw(self, version: int, by: Any) -> None:
        self.attempt(lambda unit: do.withdraw(unit, version, by=by))

    @rule(version=proposals, by=DECIDERS, to=st.integers(0, 6))
    def roll_back(self, version: int, by: Any, to: int) -> None:
        seen = self.now(version).live
        done = self.attempt(
            lambda unit: do.roll_back(
                unit, version, to=to, why="错", seen_live=-1 if seen is None else seen, by=by
            )
        )
        if done is not None:
            assert by.id in MAY_DECIDE
            assert done.text in self.was_live
            self.approved[done.id], self.hands[done.id] = done.text, {by.id}

    @rule(title=TITLES)
    def change_the_rules(self, title: str) -> None:
        with self.wired.unit() as unit:
            unit.db.execute(board.BOARD.delete().where(board.BOARD.c.part == "banned"))
            board.ban(unit, title)

    @rule(hours=st.sampled_from([0, 1, 2, 6]))
    def wait(self, hours: int) -> None:
        """Time passes, and two workers look at once what is due."""
        self.clock.shift(timedelta(hours=hours))
        faults: list[Exception] = []

        def look() -> None:
            try:
                with self.wired.unit() as unit:
                    schedule.due(unit)
            except Exception as fault:
                faults.append(fault)

        threads = [threading.Thread(target=look) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults

    @invariant()
    def what_is_live_was_approved(self) -> None:
        with self.wired.reading() as unit:
            rows = unit.db.execute(SELECT.where(VERSIONS.c.state == State.LIVE))
            live = [version_of(row) for row in rows]
            hangs = unit.db.execute(
                select(board.BOARD.c.text).where(board.BOARD.c.part == "notice")
            ).scalar()
            named = unit.db.execute(select(DOCUMENTS.c.live)).scalar()
        assert [version.number for version in live] == ([] if named is None else [named])
        if not live:
            assert hangs in (None, '{"title":"开业"}')
            return
        version = live[0]
        assert hangs == canonical(version.content["notice"])
        assert version.hash == as_text(json.loads(version.text))[1]
        if version.number:
            assert self.approved[version.id] == version.text
        self.was_live.add(version.text)

    def check_the_chain(self) -> None:
        with self.wired.reading() as unit:
            found = audit.verify(unit)
            entries = list(audit.between(unit, audit.Filters()))
            states = {one.subject: one.state for one in map(version_of, unit.db.execute(SELECT))}
        assert found.broken is None
        assert {one.subject: TOLD[one.act.split(".")[1]] for one in entries} == states


TestApprovals = Approvals.TestCase
TestApprovals.settings = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
