"""What stands on what, how large a thing may be, and what may be called what."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import ForeignKeyConstraint

from config import HOME
from service.db import db
from tests.law import source

#: The import line, ground floor first: what is to the right may point to what is to the left.
FLOORS = ("service", "regions", "lightservices", "menus")

FILE_LINES = 400
FUNCTION_LINES = 50
USUAL_LINES = 20

#: Only these may end a transaction: the webhook's intake, a request or a command, the worker.
MAY_COMMIT = re.compile(
    r"service/(wiring|demo)\.py"
    r"|service/webhook/.*\.py"
    r"|service/delivery/.*\.py"
    r"|service/wechat/(token|visitor)\.py"
    r"|service/migrations/env\.py"
    r"|service/sandbox/.*\.py"
    r"|(.*/)?(pages|views|console|api|commands|deliveries)(/.*)?(\.py)?"
)


def test_nothing_imports_upward_and_pure_modules_stay_pure() -> None:
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_settings_know_nothing_of_what_uses_them() -> None:
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(source.tree(HOME / "config.py"))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not {module for module in imported if module.split(".")[0] in (*FLOORS, "wsgi")}


def test_foreign_keys_point_down_the_line() -> None:
    owner = {
        mapper.local_table.name: mapper.class_.__module__.split(".")[0]
        for mapper in db.Model.registry.mappers
    }
    upward = [
        f"{table.name} → {constraint.referred_table.name}"
        for table in db.metadata.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, ForeignKeyConstraint)
        and FLOORS.index(owner[table.name]) < FLOORS.index(owner[constraint.referred_table.name])
    ]
    assert not upward


def test_only_the_three_places_end_a_transaction() -> None:
    elsewhere = [
        f"{source.name(path)}:{call.lineno}"
        for path in source.modules()
        if not MAY_COMMIT.fullmatch(source.name(path))
        for call in source.calls(path, "commit", "unit")
        # A desk is lent by the worker, so what a performer does with it happens in the worker.
        if isinstance(call.func, ast.Attribute)
        and not ast.unparse(call.func.value).endswith("desk")
    ]
    assert not elsewhere


def test_only_the_clock_asks_what_time_it_is() -> None:
    asking = [
        f"{source.name(path)}:{node.lineno} {ast.unparse(node)}"
        for path in source.modules()
        if source.name(path) != "service/clock.py"
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node)
        in ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time")
    ]
    assert not asking


def test_a_file_holds_one_idea() -> None:
    long = [
        f"{source.name(path)}: {lines} lines"
        for path in source.modules(with_tests=True)
        if (lines := len(path.read_text("utf-8").splitlines())) > FILE_LINES
    ]
    assert not long


def test_functions_are_mostly_short_and_never_long() -> None:
    lengths = {
        f"{source.name(path)}:{node.lineno} {node.name}": _length(node)
        for path in source.modules()
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.FunctionDef)
    }
    assert not {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES}
    short = sum(lines <= USUAL_LINES for lines in lengths.values())
    assert short >= 0.9 * len(lengths)


def _length(function: ast.FunctionDef) -> int:
    """Lines from the first statement after the docstring to the end."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("vague", ["util", "helper", "common", "misc", "manager", "stuff"])
def test_names_say_what_is_inside(vague: str) -> None:
    assert not [
        source.name(path)
        for path in source.modules(with_tests=True)
        if any(vague in part.lower() for part in path.relative_to(HOME).parts)
    ]


def test_every_file_says_what_it_knows() -> None:
    silent = [
        source.name(path)
        for path in source.modules(with_tests=True)
        if path.read_text("utf-8").strip() and not ast.get_docstring(source.tree(path))
    ]
    assert not silent


def test_an_exception_from_a_rule_says_why() -> None:
    """``# noqa`` and ``# type: ignore`` name the rule; the reason follows, or stands just above."""
    marked = re.compile(r"#\s*(?:noqa|type:\s*ignore)\b(?P<rest>.*)")
    named = re.compile(r"(?:\[[\w, -]+\]|:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)(?P<reason>\s*#\s*\S.*)?")
    silent = []
    for path in source.modules():
        lines = ["", *path.read_text("utf-8").splitlines()]
        for number, line in enumerate(lines):
            if not (found := marked.search(line)):
                continue
            rule = named.fullmatch(found["rest"].strip())
            if not rule or not (rule["reason"] or lines[number - 1].lstrip().startswith("#")):
                silent.append(f"{source.name(path)}:{number}")
    assert not silent


def test_the_project_names_no_machine_and_no_place_of_its_making() -> None:
    # Each is taken apart here, or this file would be the first to be found.
    places = ("/wo" + "rk/", "/ro" + "ot/", "/op" + "t/", "/Us" + "ers/", "/ho" + "me/")
    hosts = ("py" + r"pi\.org", "python" + "hosted", "npm" + r"js\.org", "deb" + r"ian\.org")
    marks = ("TO" + r"DO\b", "FIX" + r"ME\b", r"#\s*XX" + r"X\b", "far" + r"m-\w")
    words = "|".join((*(rf"(?<![\w.]){place}" for place in places), *hosts, *marks))
    found = [
        f"{source.name(path)}: {place.group()}"
        for path in source.files()
        if (text := _text(path)) and (place := re.search(words, text))
    ]
    assert not found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""
