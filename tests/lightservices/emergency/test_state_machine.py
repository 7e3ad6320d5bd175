"""Generated lives of emergencies: never live without its right, never past its end, one state."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete

from config import Settings
from lightservices.emergency import changes, in_force, operations, queries, reach
from lightservices.emergency.content import CAPS, Severity
from lightservices.emergency.models import (
    EMERGENCIES,
    EmergencyRow,
    Record,
    ReviewRow,
    VersionRow,
    record_of,
)
from lightservices.emergency.models import SELECT_RECORD as EVERY
from lightservices.emergency.refusals import Refused
from lightservices.emergency.states import ENDS, LEADS_TO, Stage, State
from regions import sample
from service import audit, clock
from service.db import db
from service.wiring import Unit, Wiring
from tests.lightservices.emergency.duty import (
    EDITOR,
    GUANGDONG,
    LI,
    SHANGHAI,
    SHANGHAI_CITY,
    WANG,
    ZHUHAI,
    said,
)
from wsgi import create_app

PEOPLE = {one.id: one for one in (WANG, LI, GUANGDONG, SHANGHAI, EDITOR)}
#: Mostly those who may, so that lives become long.
WHO = st.sampled_from([WANG.id, LI.id] * 4 + [GUANGDONG.id] * 2 + [SHANGHAI.id, EDITOR.id])
AREAS = st.sampled_from([ZHUHAI, ZHUHAI, ZHUHAI, SHANGHAI_CITY])
#: A version by its number; 0 means the latest.
NUMBER = st.sampled_from([0, 0, 0, 1, 2, 5])
#: Where what is moved mostly stands, so that moves succeed often enough to lead anywhere.
FITTING = {
    **dict.fromkeys(("open_", "reject", "withdraw"), State.PROPOSED),
    **dict.fromkeys(("extend", "amend", "close", "adopt", "decline", "retract"), State.OPEN),
}
#: What is wrong with what an approver sends, mostly nothing: they saw something else, or ticked
#: another number.
SLIP = st.sampled_from(["", "", "", "", "seal", "tick"])
#: Whichever there are, those that a move fits last; a number beyond them means the last.
WHICH = st.sampled_from([0, 1, 2, 9, 9, 9])


class Lives(RuleBasedStateMachine):
    """Everything anybody may try, each in a transaction of its own, while the clock jumps."""

    wiring: Wiring
    #: What came about in all lives together.
    done: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.moved = timedelta(0)
        patch = self.stack.enter_context(pytest.MonkeyPatch.context())
        real = clock.now
        patch.setattr(clock, "now", lambda: real() + self.moved)
        self.stood: dict[str, State] = {}
        self.drills: dict[str, bool] = {}
        with self.wiring.unit() as unit:
            for model in (ReviewRow, VersionRow, EmergencyRow):
                unit.db.execute(delete(model))
        self.wiring.shelf.clear()

    def teardown(self) -> None:
        with self.wiring.reading() as unit:
            assert audit.verify(unit).broken is None
        self.stack.close()

    # What people try

    @initialize(area=AREAS, drill=st.booleans(), far=st.integers(0, 3))
    def begin(self, area: Any, drill: bool, far: int) -> None:
        """Something stands already, proposed, open, with a change that waits or opened by one, so
        that even a short life gets somewhere."""
        if far == 3:
            self.break_glass(WANG.id, area, 2, drill)
            return
        self.propose(WANG.id, area, 24, drill)
        if far:
            self.decide(9, LI.id, "", operations.open_, number=None)
        if far == 2:
            self.extend(9, WANG.id, 24)

    @rule(who=WHO, area=AREAS, hours=st.integers(1, 72), drill=st.booleans())
    def propose(self, who: int, area: Any, hours: int, drill: bool) -> None:
        content = said(area, hours=hours)
        self.attempt(
            "propose",
            lambda unit: operations.propose(
                unit, content=content, drill=drill, why="演习", by=PEOPLE[who]
            ),
        )

    @rule(which=WHICH, who=WHO, slip=SLIP, twice=st.booleans())
    def open_(self, which: int, who: int, slip: str, twice: bool) -> None:
        for _ in range(1 + twice):
            self.decide(which, who, slip, operations.open_, number=None)

    @rule(which=WHICH, who=WHO, slip=SLIP, twice=st.booleans())
    def adopt(self, which: int, who: int, slip: str, twice: bool) -> None:
        for _ in range(1 + twice):
            self.decide(which, who, slip, changes.adopt, number=-1)

    @rule(which=WHICH, who=WHO)
    def reject(self, which: int, who: int) -> None:
        self.upon(which, operations.reject, reason="没有台风", by=PEOPLE[who])

    @rule(which=WHICH, who=WHO, number=NUMBER)
    def decline(self, which: int, who: int, number: int) -> None:
        self.about(which, changes.decline, number, reason="不用改", by=PEOPLE[who])

    @rule(which=WHICH, who=WHO, number=NUMBER)
    def retract(self, which: int, who: int, number: int) -> None:
        self.about(which, changes.retract, number, by=PEOPLE[who])

    @rule(which=WHICH, who=WHO, hours=st.integers(1, 72))
    def extend(self, which: int, who: int, hours: int) -> None:
        self.upon(which, changes.extend, hours=hours, why="未结束", by=PEOPLE[who])

    @rule(which=WHICH, who=WHO, area=AREAS, severity=st.sampled_from(Severity))
    def amend(self, which: int, who: int, area: Any, severity: Severity) -> None:
        content = said(area, severity=severity, hours=24)
        self.upon(which, changes.amend, content=content, why="改区域", by=PEOPLE[who])

    @rule(which=WHICH, who=WHO)
    def close(self, which: int, who: int) -> None:
        """Whoever may everywhere always can, whatever else is waiting or owed."""
        with self.wiring.reading() as unit:
            key = self.key(which, "close")
            record = queries.find(unit, key) if key else None
            must = record is not None and record.stands is State.OPEN and who in (WANG.id, LI.id)
        closed = self.done["close"]
        self.upon(which, operations.close, by=PEOPLE[who])
        assert self.done["close"] == closed + 1 or not must

    @rule(which=WHICH, who=WHO)
    def withdraw(self, which: int, who: int) -> None:
        self.upon(which, operations.withdraw, by=PEOPLE[who])

    @rule(who=WHO, area=AREAS, hours=st.integers(1, 3), drill=st.booleans())
    def break_glass(self, who: int, area: Any, hours: int, drill: bool) -> None:
        content, by = said(area, hours=hours), PEOPLE[who]

        def act(unit: Unit) -> Record:
            owed = queries.owed(unit, person_id=who, drill=drill)
            ticked = reach.assess(unit, area).ticked
            record = operations.break_glass(
                unit, content=content, why="一人值班", ticked=ticked, by=by, drill=drill
            )
            assert not owed, "broken again before the review"
            return record

        self.attempt("break", act)

    @rule(which=WHICH, who=WHO)
    def review(self, which: int, who: int) -> None:
        self.upon(which, operations.review, justified=True, words="属实", by=PEOPLE[who])

    @rule()
    def chore(self) -> None:
        with self.wiring.unit() as unit:
            operations.expire(unit)
            found = [record_of(row) for row in unit.db.execute(EVERY)]
        assert all(one.state is one.stands for one in found)
        stood = self.stood.items()
        over = {key for key, state in stood if state is State.OPEN}
        self.done["expire"] += sum(one.state is State.EXPIRED and one.key in over for one in found)

    @rule(minutes=st.sampled_from([-180, -30, 1, 1, 1, 59, 61, 119, 121, 4400]))
    def jump(self, minutes: int) -> None:
        self.moved += timedelta(minutes=minutes)

    # What must hold

    @invariant()
    def what_is_live_has_its_right_and_its_end_ahead(self) -> None:
        with self.wiring.reading() as unit:
            self.wiring.shelf.clear()
            for one in in_force.everywhere(unit):
                record = queries.find(unit, one.key)
                assert record is not None
                assert record.state is State.OPEN
                assert clock.now() < one.ends_at == record.ends_at
                version = queries.version(unit, record, one.number)
                assert one.drill == record.drill
                assert version.stage is Stage.LIVE
                assert version.number == record.live
                self.require_right(unit, record, version)

    def require_right(self, unit: Unit, record: Record, version: Any) -> None:
        opener = version.maker_id if version.kind == "break_glass" else version.decider_id
        assert reach.may_everywhere(unit, PEOPLE[opener], "open_emergency", version.branches)
        if version.kind == "break_glass":
            assert queries.review_of(unit, record) is not None
            assert record.ends_at - version.proposed_at <= timedelta(hours=2)
        else:
            assert version.decider_id != version.maker_id
            cap = timedelta(hours=CAPS[version.content.severity])
            assert record.ends_at - version.decided_at <= cap

    @invariant()
    def it_is_in_one_state_and_got_there_by_a_move(self) -> None:
        with self.wiring.reading() as unit:
            for record in map(record_of, unit.db.execute(EVERY)):
                before = self.stood.get(record.key)
                # A drill is one for ever, and what is real never becomes one.
                assert self.drills.setdefault(record.key, record.drill) == record.drill
                assert before in (None, record.state) or record.state in [
                    to for (frm, _), to in LEADS_TO.items() if frm is before
                ]
                self.stood[record.key] = record.state
                stages = Counter(one.stage for one in queries.versions(unit, record))
                assert stages[Stage.LIVE] == (record.state is State.OPEN)
                assert stages[Stage.PROPOSED] <= (record.state in (State.OPEN, State.PROPOSED))

    # How

    def attempt(self, name: str, act: Callable[[Unit], Any]) -> None:
        try:
            with self.wiring.unit() as unit:
                act(unit)
        except Refused:
            return
        self.done[name] += 1

    def key(self, which: int, name: str) -> str | None:
        with self.wiring.reading() as unit:
            found = [record_of(row) for row in unit.db.execute(EVERY.order_by(EMERGENCIES.c.id))]
        if name == "review":
            found.sort(key=lambda one: one.broke_glass)
        else:
            found.sort(key=lambda one: one.stands is FITTING.get(name, one.stands))
        return found[min(which, len(found) - 1)].key if found else None

    def upon(self, which: int, operation: Callable[..., Any], **values: Any) -> None:
        key = self.key(which, operation.__name__)
        if key is not None:
            self.attempt(operation.__name__, lambda unit: operation(unit, key, **values))

    def about(self, which: int, operation: Callable[..., Any], number: int, **values: Any) -> None:
        key = self.key(which, operation.__name__)
        if key is None:
            return

        def act(unit: Unit) -> None:
            record = queries.find(unit, key)
            assert record is not None
            operation(unit, key, number or record.next - 1, **values)

        self.attempt(operation.__name__, act)

    def decide(
        self, which: int, who: int, slip: str, operation: Callable[..., Any], number: int | None
    ) -> None:
        key = self.key(which, operation.__name__)
        if key is None:
            return

        def act(unit: Unit) -> None:
            record = queries.find(unit, key)
            assert record is not None
            version = queries.versions(unit, record)[0 if number else -1]
            area = version.content.area
            assert area is not None
            shown = {
                "seen": "0" * 64 if slip == "seal" else version.seal,
                "ticked": "约 12 人" if slip == "tick" else reach.assess(unit, area).ticked,
                "by": PEOPLE[who],
            }
            operation(unit, key, *([version.number] if number else []), **shown)
            assert not slip, f"opened in spite of another {slip}"

        self.attempt(operation.__name__, act)


#: All that people and the clock do, under the names it is counted by.
_EVERYTHING = {
    *("propose", "open_", "reject", "withdraw", "extend", "amend", "adopt", "decline", "retract"),
    *("close", "break", "review", "expire"),
}


#: A life in which each of them comes about, in turn.
_FULL_LIFE: tuple[tuple[str, Callable[[Lives], None]], ...] = (
    ("propose", lambda life: life.propose(WANG.id, ZHUHAI, 24, False)),
    ("reject", lambda life: life.reject(9, LI.id)),
    ("propose", lambda life: life.propose(WANG.id, ZHUHAI, 24, False)),
    ("withdraw", lambda life: life.withdraw(9, WANG.id)),
    ("propose", lambda life: life.propose(WANG.id, ZHUHAI, 24, False)),
    ("open_", lambda life: life.open_(9, LI.id, "", False)),
    ("extend", lambda life: life.extend(9, WANG.id, 30)),
    ("adopt", lambda life: life.adopt(9, LI.id, "", False)),
    ("amend", lambda life: life.amend(9, WANG.id, ZHUHAI, Severity.SERIOUS)),
    ("decline", lambda life: life.decline(9, LI.id, 0)),
    ("amend", lambda life: life.amend(9, WANG.id, ZHUHAI, Severity.SERIOUS)),
    ("retract", lambda life: life.retract(9, WANG.id, 0)),
    ("close", lambda life: life.close(9, WANG.id)),
    ("break", lambda life: life.break_glass(LI.id, SHANGHAI_CITY, 2, False)),
    ("review", lambda life: life.review(9, WANG.id)),
    ("expire", lambda life: (life.jump(121), life.chore())[1]),
)


def test_in_a_full_life_each_move_succeeds_once_and_is_right(lives: type[Lives]) -> None:
    life = lives()
    for name, move in _FULL_LIFE:
        before = life.done.copy()
        move(life)
        assert life.done - before == Counter({name: 1}), name
        life.what_is_live_has_its_right_and_its_end_ahead()
        life.it_is_in_one_state_and_got_there_by_a_move()
    life.teardown()
    assert set(life.done) == _EVERYTHING
    assert set(life.stood.values()) == ENDS


def test_generated_lives_of_emergencies(lives: type[Lives]) -> None:
    run_state_machine_as_test(
        lives,
        settings=settings(
            max_examples=int(os.environ.get("LIVES", "25")), stateful_step_count=40,
            deadline=None, derandomize=True, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    # Lives in which nothing ever succeeds would prove nothing. What comes about in how many of them
    # is chance; that each move can succeed and is right then, a full life shows.
    assert set(lives.done) >= {"propose", "open_", "break"}, lives.done


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[type[Lives]]:
    """Lives in a bank of their own, where nothing has happened yet."""
    app = create_app(replace(Settings(), data_dir=tmp_path))
    wiring: Wiring = app.extensions["wiring"]
    with app.app_context():
        db.create_all()
    with wiring.unit() as unit:
        sample.seed(unit)
    yield type("These", (Lives,), {"wiring": wiring, "done": Counter()})
    wiring.hang_up()
