"""The audit chain tells every act once, in order, and shows when somebody changed it."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from config import Settings
from service import audit, clock
from service.audit.chain import HIDDEN, ORIGIN
from service.audit.export import as_csv, as_jsonl
from service.audit.models import AuditEntry, AuditHead, guarding
from service.db import table_of
from service.readiness import MIGRATIONS
from service.wiring import Unit, Wiring
from tests.service.delivery.wired import wire
from tests.services import own_database
from wsgi import create_app

TABLES = [table_of(AuditEntry), table_of(AuditHead)]


@dataclass(frozen=True)
class Somebody:
    """Whoever acts in these tests."""

    id: int = 7
    login: str = "li.na"
    source: str = "5ca1ab1e"


@pytest.fixture
def wired(database_url: str, tmp_path: Path) -> Iterator[Wiring]:
    wired = wire(replace(Settings(), data_dir=tmp_path, database_url=database_url))
    metadata = TABLES[0].metadata
    metadata.drop_all(wired.engine, tables=TABLES)
    metadata.create_all(wired.engine, tables=TABLES)
    yield wired
    metadata.drop_all(wired.engine, tables=TABLES)
    wired.hang_up()


def acts(wired: Wiring, count: int) -> None:
    for number in range(1, count + 1):
        with wired.unit() as unit:
            audit.note(unit, actor=Somebody(), act="zone.publish", subject=f"zone:{number}")


def tamper(wired: Wiring, *statements: str) -> None:
    """Change the past as somebody with the database's keys could, past its triggers."""
    with wired.engine.begin() as connection:
        for statement in _disarming(connection.dialect.name):
            connection.execute(text(statement))
        for statement in statements:
            connection.execute(text(statement))
        for statement in guarding(connection.dialect.name):
            connection.exec_driver_sql(statement)


def _disarming(dialect: str) -> list[str]:
    names = {"entries_stay", "entries_remain", "head_advances", "head_remains"}
    table = "ON audit_{}" if dialect == "postgresql" else ""
    return [f"DROP TRIGGER audit_{name} {table.format(name.split('_')[0])}" for name in names]


def test_an_entry_says_who_did_what_where_and_why(unit: Unit) -> None:
    audit.note(
        unit,
        actor=Somebody(),
        act="zone.publish",
        subject="zone:B310000",
        branch="B310000",
        before={"title": "旧"},
        after={"title": "约惠魔都"},
        why="换季",
    )
    (entry,) = audit.search(unit, audit.Filters(subject="zone:B310000"))
    assert (entry.actor_id, entry.actor, entry.source) == (7, "li.na", "5ca1ab1e")
    assert (entry.act, entry.branch, entry.why) == ("zone.publish", "B310000", "换季")
    assert (entry.before, entry.after) == ('{"title":"旧"}', '{"title":"约惠魔都"}')
    assert clock.now() - entry.at < timedelta(minutes=1)


def test_what_is_undone_leaves_no_entry(wired: Wiring) -> None:
    acts(wired, 1)
    with wired.engine.connect() as connection, connection.begin() as transaction:
        undone = Unit(connection, wired)
        audit.note(undone, actor=None, act="worker.run", subject="a")
        assert audit.head(undone).seq == 2
        transaction.rollback()
    with wired.reading() as unit:
        assert audit.head(unit).seq == 1


@pytest.mark.parametrize("name", ["password", "totp_secret", "access_token", "新密码", "AES_KEY"])
def test_secrets_are_left_out_however_deep_they_lie(unit: Unit, name: str) -> None:
    state = {"staff": [{name: "hunter2", "login": "li.na"}]}
    audit.note(unit, actor=None, act="staff.reset", subject="s", before=state, after=state)
    (entry,) = audit.search(unit, audit.Filters(act="staff"))
    assert "hunter2" not in entry.before + entry.after
    assert json.loads(entry.after) == {"staff": [{name: HIDDEN, "login": "li.na"}]}


@given(st.text(), st.text())
def test_any_text_can_be_noted_and_still_verifies(app: Flask, why: str, value: str) -> None:
    wiring: Wiring = app.extensions["wiring"]
    with wiring.engine.connect() as connection, connection.begin() as transaction:
        unit = Unit(connection, wiring)
        audit.note(unit, actor=None, act="a", subject=value, after=[value], why=why)
        assert audit.verify(unit).broken is None
        transaction.rollback()


def test_a_number_without_end_is_refused_and_not_written_down(unit: Unit) -> None:
    with pytest.raises(ValueError, match="JSON"):
        audit.note(unit, actor=None, act="a", subject="s", after=float("nan"))
    assert audit.head(unit).seq == 0


def test_the_chain_is_one_line_although_many_write_at_once(wired: Wiring) -> None:
    start, faults = threading.Barrier(8), []

    def act() -> None:
        start.wait()
        try:
            acts(wired, 10)
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=act) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    with wired.reading() as unit:
        found = audit.verify(unit)
    assert (found.sound, found.broken) == (80, None)


def test_nobody_holds_the_end_of_the_chain_while_they_are_busy(wired: Wiring) -> None:
    if wired.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with wired.unit() as slow:
        audit.note(slow, actor=None, act="import.run", subject="outlets")
        acts(wired, 1)
    with wired.reading() as unit:
        assert [entry.act for entry in audit.between(unit, audit.Filters())] == [
            "zone.publish",
            "import.run",
        ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET why = 'other' WHERE seq = 1",
        "DELETE FROM audit_entries",
        "UPDATE audit_head SET seq = 0",
        "DELETE FROM audit_head",
    ],
)
def test_the_database_refuses_to_change_the_past(wired: Wiring, statement: str) -> None:
    acts(wired, 2)
    with pytest.raises(DBAPIError, match="append-only"), wired.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_migrated_database_refuses_as_well(tmp_path: Path, settings: Settings) -> None:
    with own_database(settings.database_url, "audit") as url:
        app = create_app(replace(settings, data_dir=tmp_path, database_url=url))
        wired: Wiring = app.extensions["wiring"]
        with app.app_context():
            upgrade(str(MIGRATIONS))
        acts(wired, 1)
        with pytest.raises(DBAPIError, match="append-only"), wired.engine.begin() as connection:
            connection.execute(text("DELETE FROM audit_entries"))
        wired.hang_up()


def test_postgresql_refuses_to_empty_the_table(wired: Wiring) -> None:
    if wired.engine.dialect.name == "sqlite":
        pytest.skip("SQLite knows no TRUNCATE")
    acts(wired, 1)
    with pytest.raises(DBAPIError, match="append-only"), wired.engine.begin() as connection:
        connection.execute(text("TRUNCATE audit_entries"))


@pytest.mark.parametrize(
    ("statements", "broken", "why"),
    [
        (["UPDATE audit_entries SET actor = 'wang' WHERE seq = 3"], 3, "内容被改过"),
        (["UPDATE audit_entries SET at = '2020-01-01 00:00:00' WHERE seq = 2"], 2, "内容被改过"),
        (["DELETE FROM audit_entries WHERE seq = 3"], 4, "编号从 2 跳到 4"),
        (["DELETE FROM audit_entries WHERE seq > 3"], 4, "后面的记录被删除了"),
        (["UPDATE audit_entries SET previous = hash WHERE seq = 4"], 4, "与上一条接不上"),
        (["DELETE FROM audit_entries"], 1, "后面的记录被删除了"),
    ],
)
def test_verifying_names_the_first_entry_that_was_changed(
    wired: Wiring, statements: list[str], broken: int, why: str
) -> None:
    acts(wired, 5)
    tamper(wired, *statements)
    with wired.reading() as unit:
        found = audit.verify(unit)
    assert found.broken is not None
    assert found.broken.seq == broken
    assert why in found.broken.why


def test_a_chain_written_anew_is_told_by_an_end_kept_elsewhere(wired: Wiring) -> None:
    acts(wired, 3)
    with wired.reading() as unit:
        kept = audit.head(unit)
        assert audit.verify(unit, anchor=kept).broken is None
    tamper(wired, "DELETE FROM audit_entries", "DELETE FROM audit_head")
    with wired.reading() as unit:
        found = audit.verify(unit, anchor=kept)
    assert found.broken == audit.Broken(1, "比留存的链尾少，后面的记录被删除了")
    acts(wired, 4)
    with wired.reading() as unit:
        assert audit.verify(unit).broken is None
        found = audit.verify(unit, anchor=kept)
    assert found.broken == audit.Broken(3, "与留存的链尾不一致")


def test_an_empty_chain_is_sound(unit: Unit) -> None:
    assert audit.verify(unit) == audit.Soundness(0, None, audit.Head(0, ORIGIN))


FOUND: list[tuple[Callable[[], audit.Filters], list[str]]] = [
    (lambda: audit.Filters(actor="li.na"), ["b", "a"]),
    (lambda: audit.Filters(act="zone"), ["b", "a"]),
    (lambda: audit.Filters(act="zone.open"), ["b"]),
    (lambda: audit.Filters(act="zon"), []),
    (lambda: audit.Filters(branch="B440000"), ["b"]),
    (lambda: audit.Filters(within={"B310000"}), ["a"]),
    (lambda: audit.Filters(within=()), []),
    (lambda: audit.Filters(words="换季"), ["a"]),
    (lambda: audit.Filters(words="100%"), ["b"]),
    (lambda: audit.Filters(since=clock.now() + timedelta(hours=1)), []),
    (lambda: audit.Filters(until=clock.now() + timedelta(hours=1)), ["c", "b", "a"]),
]


@pytest.mark.parametrize(("filters", "subjects"), FOUND)
def test_searching_finds_what_fits(
    unit: Unit, filters: Callable[[], audit.Filters], subjects: list[str]
) -> None:
    said: list[dict[str, Any]] = [
        {"act": "zone.publish", "subject": "a", "branch": "B310000", "why": "换季"},
        {"act": "zone.open", "subject": "b", "branch": "B440000", "after": "100% 返现"},
        {"act": "zones.open", "subject": "c"},
    ]
    for one in said:
        audit.note(unit, actor=Somebody() if one["subject"] != "c" else None, **one)
    assert [entry.subject for entry in audit.search(unit, filters())] == subjects


def test_the_next_page_goes_on_where_the_last_one_ended(unit: Unit) -> None:
    for number in range(60):
        audit.note(unit, actor=None, act="a", subject=str(number))
    first = audit.search(unit, audit.Filters())
    second = audit.search(unit, audit.Filters(), older_than=first[-1].seq)
    assert [entry.subject for entry in [*first, *second]] == [str(n) for n in range(59, -1, -1)]


def test_a_spreadsheet_finds_no_formula(unit: Unit) -> None:
    for why in ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "plain"):
        audit.note(unit, actor=None, act="a", subject="s", why=why)
    rows = list(csv.DictReader(as_csv(audit.between(unit, audit.Filters()))))
    told = [row["原因"] for row in rows]
    assert told == ["'=HYPERLINK(1)", "'+1", "'-1", "'@SUM(1)", "'\t=1", "plain"]


def test_programs_get_what_the_hash_was_made_of(unit: Unit) -> None:
    audit.note(unit, actor=Somebody(), act="a", subject="s", after={"标题": 1})
    (line,) = as_jsonl(audit.between(unit, audit.Filters()))
    told = json.loads(line)
    assert (told["previous"], told["hash"]) == (ORIGIN, audit.head(unit).hash)
    assert json.loads(told["after"]) == {"标题": 1}


@pytest.fixture
def commanded(app: Flask, wiring: Wiring) -> Iterator[Flask]:
    """The application with a chain of two entries."""
    metadata = TABLES[0].metadata
    metadata.drop_all(wiring.engine, tables=TABLES)
    metadata.create_all(wiring.engine, tables=TABLES)
    acts(wiring, 2)
    yield app
    metadata.drop_all(wiring.engine, tables=TABLES)
    metadata.create_all(wiring.engine, tables=TABLES)


def test_the_command_line_verifies_against_the_end_it_printed(commanded: Flask) -> None:
    runner = commanded.test_cli_runner()
    anchor = runner.invoke(args=["audit", "head"]).output.strip()
    assert anchor.startswith("2:")
    sound = runner.invoke(args=["audit", "verify", "--anchor", anchor])
    assert (sound.exit_code, "共 2 条" in sound.output) == (0, True)
    wrong = runner.invoke(args=["audit", "verify", "--anchor", f"2:{'f' * 64}"])
    assert (wrong.exit_code, "第 2 条" in wrong.output) == (1, True)


def test_the_command_line_exports_the_days_asked_for(commanded: Flask) -> None:
    runner = commanded.test_cli_runner()
    today = clock.shanghai(clock.now()).strftime("%Y-%m-%d")
    told = runner.invoke(args=["audit", "export", "--from", today, "--to", today]).output
    assert told.count("zone.publish") == 2
    past = ["audit", "export", "--to", "2020-01-01", "--format", "jsonl"]
    assert runner.invoke(args=past).output == ""
