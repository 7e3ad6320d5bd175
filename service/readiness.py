"""Whether this process is alive, whether it can serve, and how much it has done.

Only what keeps *this* process from serving makes ``/readyz`` answer 503: a load balancer must not
take every web process out because a worker elsewhere has stopped. The rest is said beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path

from alembic.script import ScriptDirectory
from flask import Blueprint, Response, jsonify
from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from config import HOME
from service import journal
from service.access import access
from service.wiring import Unit, Wiring, wiring

log = journal.logger("service.readiness")
readiness = Blueprint("readiness", __name__)

MIGRATIONS = HOME / "service" / "migrations"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found: whether it is well, in Chinese words, and what to do if it is not."""

    well: bool
    says: str
    way_out: str = ""


@readiness.get("/livez")
@access("public", why="a load balancer asks whether the process answers at all")
def livez() -> Response:
    return jsonify(alive=True)


@readiness.get("/readyz")
@access("public", why="a load balancer asks whether to send requests here")
def readyz() -> Response:
    needed = {"database": database(wiring())}
    if needed["database"].well:
        needed["migrations"] = migrations(wiring())
    ready = all(finding.well for finding in needed.values())
    others = checks(wiring()) if ready else {}
    answer = jsonify(
        ready=ready,
        **{name: _worded(finding) for name, finding in needed.items()},
        beside={name: _worded(finding) for name, finding in others.items()},
    )
    answer.status_code = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return answer


@readiness.get("/metrics")
@access("public", why="counts without a person in them; the proxy keeps the address inside")
def metrics() -> Response:
    return Response(journal.exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")


def database(wired: Wiring) -> Finding:
    """Whether the database answers at all."""
    try:
        with wired.reading() as unit:
            unit.db.execute(text("SELECT 1"))
    except SQLAlchemyError as fault:
        log.warning("database unreachable", fault=type(fault).__name__)
        return Finding(False, "数据库连不上", "请检查 DATABASE_URL，以及数据库服务是否在运行")
    return Finding(True, "数据库正常")


def migrations(wired: Wiring) -> Finding:
    """Whether the tables are those this program was written for."""
    with wired.reading() as unit:
        found = _revision(unit)
    if found is not None and found == newest_revision():
        return Finding(True, "表结构是最新的")
    return Finding(False, "表结构不是最新的", "请运行 flask db upgrade")


def _revision(unit: Unit) -> str | None:
    if not inspect(unit.db).has_table("alembic_version"):
        return None
    found = unit.db.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


@cache
def newest_revision(folder: Path = MIGRATIONS) -> str | None:
    """The last migration this program brings, read once."""
    return ScriptDirectory(str(folder)).get_current_head()


def checks(wired: Wiring) -> dict[str, Finding]:
    """What the floors above look at, by name, see ``checks`` in ``wsgi.py``."""
    with wired.reading() as unit:
        return {name: look(unit) for name, look in wired.tables.checks.items()}


def _worded(finding: Finding) -> dict[str, object]:
    worded: dict[str, object] = {"well": finding.well, "says": finding.says}
    return worded | ({"way_out": finding.way_out} if finding.way_out else {})
