"""The program's own source as the laws read it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from config import HOME

PACKAGES = ("service", "regions", "lightservices", "menus")
#: What is installed, made while running, or left by tools.
_ELSEWHERE = frozenset({"node_modules", "instance", "__pycache__"})


def modules(*, with_tests: bool = False) -> Iterator[Path]:
    """Every Python file of the program, migrations apart: they are written once and then frozen.

    Benchmarks are apart too: they show how others do it, in the others' manner.
    """
    yield from (HOME / "config.py", HOME / "wsgi.py")
    for package in (*PACKAGES, *(("tests",) if with_tests else ())):
        for path in sorted((HOME / package).rglob("*.py")):
            if "versions" not in path.parts:
                yield path


def files() -> Iterator[Path]:
    """Every file of the project that a reader may open."""
    for path in sorted(HOME.rglob("*")):
        top, *inside = path.relative_to(HOME).parts
        hidden = bool(inside) and top.startswith(".") and top != ".ci"
        if not hidden and _ELSEWHERE.isdisjoint((top, *inside)) and path.is_file():
            yield path


def name(path: Path) -> str:
    """The path as a message shows it."""
    return path.relative_to(HOME).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=name(path))


def calls(path: Path, *called: str) -> Iterator[ast.Call]:
    """Calls of anything that ends in one of these names, such as ``.commit()``."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            function = node.func
            last = function.attr if isinstance(function, ast.Attribute) else None
            last = function.id if isinstance(function, ast.Name) else last
            if last in called:
                yield node
