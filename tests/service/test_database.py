"""What a database that will not have a transaction looks like to whoever began it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from service.db import prepare


def test_a_file_that_somebody_else_writes_to_is_told_as_every_other_fault(tmp_path: Path) -> None:
    path = tmp_path / "busy.sqlite3"
    engine = prepare(create_engine(f"sqlite:///{path}", connect_args={"timeout": 0.01}))
    other = sqlite3.connect(path, isolation_level=None)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE one (id INTEGER)")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"), engine.begin():
        pytest.fail("it began beside another")
    other.execute("ROLLBACK")
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO one VALUES (1)")
    other.close()
    engine.dispose()
