"""The tables of ``wsgi.py`` leave nothing out: routes, deliveries, and followers who leave."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import JSON, Column, Date, Engine, Enum, Table, insert, inspect, select

from config import Settings
from service import clock
from service.access import AUDIENCES
from service.db import UtcTime, db
from service.happenings import OpenId, Unfollowed
from service.readiness import MIGRATIONS
from service.wiring import Unit, Wiring
from tests.law import source
from tests.services import own_database
from wsgi import TABLES, create_app

OPENID = OpenId("oLeavingFollower_00000000001")


def test_every_route_declares_whom_it_is_for(app: Flask) -> None:
    undeclared = [
        str(rule)
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "authentication", "").split(":")[0]
        not in AUDIENCES
    ]
    assert not undeclared


def test_every_delivery_that_is_asked_for_has_a_performer() -> None:
    asked = {
        (kind, f"{source.name(path)}:{call.lineno}")
        for path in source.modules()
        for call in source.calls(path, "request")
        if len(call.args) >= 2 and (kind := _literal(path, call.args[1])) and "." in kind
    }
    assert asked, "no request for a delivery was found: this law looks in the wrong place"
    assert not {(kind, place) for kind, place in asked if kind not in TABLES.deliveries}


def _literal(path: Path, node: ast.expr) -> str | None:
    """The text an argument stands for: written out, or a constant of the same file."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        for statement in source.tree(path).body:
            targets = statement.targets if isinstance(statement, ast.Assign) else ()
            targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
            if any(isinstance(target, ast.Name) and target.id == node.id for target in targets):
                return _literal(path, statement.value)  # type: ignore[union-attr]  # an assignment
    return None


def tables_about_followers() -> list[Table]:
    return [table for table in db.metadata.sorted_tables if "openid" in table.columns]


@pytest.mark.parametrize("table", tables_about_followers(), ids=lambda table: table.name)
def test_a_follower_who_leaves_is_forgotten_everywhere(unit: Unit, table: Table) -> None:
    _lay(unit, table, {})
    unit.announce(Unfollowed(OPENID, clock.now()))
    left = [
        other.name
        for other in tables_about_followers()
        if unit.db.execute(select(1).where(other.c.openid == OPENID)).first()
    ]
    assert not left


def _lay(unit: Unit, table: Table, laid: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One row about the follower, and first the rows it points to."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.foreign_keys and (not column.nullable or column.name == "openid"):
            target = next(iter(column.foreign_keys)).column
            if target.table.name not in laid:
                laid[target.table.name] = _lay(unit, target.table, laid)
            row[column.name] = laid[target.table.name][target.name]
        elif column.name == "openid":
            row[column.name] = OPENID
        elif not column.nullable and not _counts_up(table, column):
            row[column.name] = _sample(column)
    key = unit.db.execute(insert(table).values(row)).inserted_primary_key
    return row | dict(zip((column.name for column in table.primary_key), key or (), strict=False))


def _counts_up(table: Table, column: Column[Any]) -> bool:
    return column is table.autoincrement_column and not column.foreign_keys


def _sample(column: Column[Any]) -> Any:
    if isinstance(column.type, UtcTime):
        return clock.now()
    if isinstance(column.type, JSON):
        return {}
    if isinstance(column.type, Date):
        return clock.now().date()
    if isinstance(column.type, Enum):
        return column.type.enums[0]
    kind = column.type.python_type
    return "B310000"[: getattr(column.type, "length", None) or 7] if kind is str else kind()


def triggers(engine: Engine) -> set[tuple[str, str]]:
    """The name and the definition of every trigger in a database."""
    told = (
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
        if engine.dialect.name == "postgresql"
        else "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    )
    with engine.connect() as connection:
        return {(name, sql) for name, sql in connection.exec_driver_sql(told)}


def test_a_migration_stays_what_it_was_whatever_becomes_of_the_program() -> None:
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for path in (MIGRATIONS / "versions").glob("*.py")
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported == {"alembic", "sqlalchemy"}


def test_migrations_up_equal_the_models_and_down_leave_nothing(
    tmp_path: Path, settings: Settings, wiring: Wiring
) -> None:
    with own_database(settings.database_url, "migrations") as url:
        app = create_app(replace(settings, data_dir=tmp_path, database_url=url))
        with app.app_context():
            upgrade(str(MIGRATIONS))
            with db.engine.connect() as connection:
                context = MigrationContext.configure(connection, opts={"compare_type": True})
                assert not compare_metadata(context, db.metadata)
            assert triggers(db.engine) == triggers(wiring.engine)
            downgrade(str(MIGRATIONS), revision="base")
            assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
            db.engine.dispose()
        app.extensions["wiring"].reader.dispose()
