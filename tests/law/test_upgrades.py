"""What a bank has kept under an older version is still there under this one, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, MetaData, Row, Table, inspect, select

from config import Settings
from service.db import db
from service.readiness import MIGRATIONS
from tests.services import own_database
from wsgi import create_app

AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
EMERGENCY = {
    "id": 1, "key": "typhoon-1120-0a1b2c3d", "branch_code": "B000000", "drill": False,
    "broke_glass": False, "state": "open", "revision": 4, "next": 4, "live": 3, "ended_by": "",
    "warned": 0, "created_at": AT, "opened_at": AT, "ends_at": AT,
}  # fmt: skip
RUN = {
    "id": 7, "emergency_id": 1, "event": "opened", "text": "台风来了", "state": "running",
    "started_by": "ops.wang", "started_at": AT, "ended_by": "", "estimate": 2, "sent": 1,
    "refused": 0, "unsure": 0, "why": "",
}  # fmt: skip
MESSAGES = [
    {"run_id": 7, "openid": f"oKEPT{number:023}", "state": state, "why": "", "at": AT}
    for number, state in enumerate(("sent", "sending"))
]


@pytest.fixture
def older(tmp_path: Path, settings: Settings) -> Iterator[None]:
    """A bank whose tables are those of the version before."""
    with own_database(settings.database_url, "upgrades") as url:
        app = create_app(replace(settings, data_dir=tmp_path, database_url=url))
        with app.app_context():
            upgrade(str(MIGRATIONS), revision="0002")
            yield
            db.engine.dispose()
        app.extensions["wiring"].reader.dispose()


def test_a_running_telling_keeps_whom_it_told_and_of_which_version(older: None) -> None:
    with db.engine.begin() as line:
        line.execute(_table(line, "emergencies").insert(), EMERGENCY)
        line.execute(_table(line, "emergency_runs").insert(), RUN)
        line.execute(_table(line, "emergency_messages").insert(), MESSAGES)

    upgrade(str(MIGRATIONS))
    with db.engine.begin() as line:
        (run,) = _rows(line, "emergency_runs")
        assert (run.channel, run.version, run.last_openid, run.sent) == ("service", 3, "", 1)
        told = [(row.emergency_id, row.event, row.openid, row.state, row.batch_id)
                for row in _rows(line, "emergency_messages")]  # fmt: skip
        assert told == [(1, "opened", one["openid"], one["state"], None) for one in MESSAGES]
        # What was broken off is found by its index, on either database.
        names = {one["name"] for one in inspect(line).get_indexes("emergency_messages")}
        assert "ix_emergency_messages_sending" in names

    downgrade(str(MIGRATIONS), revision="0002")
    with db.engine.begin() as line:
        told = [(row.run_id, row.openid, row.state) for row in _rows(line, "emergency_messages")]
        assert told == [(7, one["openid"], one["state"]) for one in MESSAGES]
        (run,) = _rows(line, "emergency_runs")
        assert (run.text, run.estimate) == (RUN["text"], 2)


def _table(line: Connection, name: str) -> Table:
    """As the database has it now, whatever the models say."""
    return Table(name, MetaData(), autoload_with=line)


def _rows(line: Connection, name: str) -> list[Row[tuple[object, ...]]]:
    table = _table(line, name)
    return list(line.execute(select(table).order_by(*table.primary_key.columns)))
