"""Generated lives of emergencies: never live without its right, never past its end, one state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, select

from config import Settings
from lightservices.emergency import changes, in_force, operations, queries, reach
from lightservices.emergency.content import CAPS
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
from lightservices.emergency.states import LEADS_TO, Stage, State
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
HONEST = st.sampled_from([True, True, True, False])
#: Whichever there are; a number beyond them means the latest.
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
        with self.wiring.unit() as unit:
            for model in (ReviewRow, VersionRow, EmergencyRow):
                unit.db.execute(delete(model))
        self.wiring.shelf.clear()

    def teardown(self) -> None:
        with self.wiring.reading() as unit:
            assert audit.verify(unit).broken is None
        self.stack.close()

    # What people try

    @rule(who=WHO, area=AREAS, hours=st.integers(1, 72), drill=st.booleans())
    def propose(self, who: int, area: Any, hours: int, drill: bool) -> None:
        content = said(area, hours=hours)
        self.attempt(
            "propose",
            lambda unit: operations.propose(
                unit, content=content, drill=drill, why="演习", by=PEOPLE[who]
            ),
        )

    @rule(which=WHICH, who=WHO, honest=HONEST, twice=st.booleans())
    def open_(self, which: int, who: int, honest: bool, twice: bool) -> None:
        for _ in range(1 + twice):
            self.decide(which, who, honest, operations.open_, number=None)

    @rule(which=WHICH, who=WHO, honest=HONEST, twice=st.booleans())
    def adopt(self, which: int, who: int, honest: bool, twice: bool) -> None:
        for _ in range(1 + twice):
            self.decide(which, who, honest, changes.adopt, number=-1)

    @rule(which=WHICH, who=WHO, hours=st.integers(1, 72))
    def extend(self, which: int, who: int, hours: int) -> None:
        self.upon(which, changes.extend, hours=hours, why="未结束", by=PEOPLE[who])

    @rule(which=WHICH, who=WHO, area=AREAS)
    def amend(self, which: int, who: int, area: Any) -> None:
        self.upon(which, changes.amend, content=said(area), why="改区域", by=PEOPLE[who])

    @rule(which=WHICH, who=WHO)
    def close(self, which: int, who: int) -> None:
        self.upon(which, operations.close, by=PEOPLE[who])

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
        self.attempt("expire", operations.expire)

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

    def key(self, which: int) -> str | None:
        with self.wiring.reading() as unit:
            keys = unit.db.execute(select(EMERGENCIES.c.key).order_by(EMERGENCIES.c.id)).scalars()
            found = keys.all()
        return found[min(which, len(found) - 1)] if found else None

    def upon(self, which: int, operation: Callable[..., Any], **values: Any) -> None:
        key = self.key(which)
        if key is not None:
            self.attempt(operation.__name__, lambda unit: operation(unit, key, **values))

    def decide(
        self, which: int, who: int, honest: bool, operation: Callable[..., Any], number: int | None
    ) -> None:
        key = self.key(which)
        if key is None:
            return

        def act(unit: Unit) -> None:
            record = queries.find(unit, key)
            assert record is not None
            version = queries.versions(unit, record)[0 if number else -1]
            area = version.content.area
            assert area is not None
            shown = {
                "seen": version.seal if honest else "0" * 64,
                "ticked": reach.assess(unit, area).ticked,
                "by": PEOPLE[who],
            }
            operation(unit, key, *([version.number] if number else []), **shown)
            assert honest

        self.attempt(operation.__name__, act)


def test_generated_lives_of_emergencies(tmp_path: Path, settings_of_lives: Settings) -> None:
    app = create_app(settings_of_lives)
    wiring: Wiring = app.extensions["wiring"]
    with app.app_context():
        db.create_all()
    with wiring.unit() as unit:
        sample.seed(unit)
    lives = type("These", (Lives,), {"wiring": wiring, "done": Counter()})
    run_state_machine_as_test(
        lives,
        settings=settings(
            max_examples=20, stateful_step_count=40, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    wiring.hang_up()
    # Lives in which nothing ever succeeds would prove nothing.
    assert {"propose", "open_", "break", "extend", "amend", "adopt", "close", "review"} <= set(
        lives.done
    ), lives.done


@pytest.fixture
def settings_of_lives(tmp_path: Path) -> Settings:
    return replace(Settings(), data_dir=tmp_path)
