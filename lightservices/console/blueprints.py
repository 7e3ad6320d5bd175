"""The branch pages' blueprints and files, for the tables in ``wsgi.py``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flask import Blueprint

from lightservices.console.figures import branch_figures
from lightservices.console.outlets import branch_outlets
from lightservices.console.own_services import own_services

_STATIC: Final = Path(__file__).resolve().parent / "static"

BRANCH_PAGES: Final[tuple[Blueprint, ...]] = (branch_outlets, branch_figures, own_services)
BRANCH_FILES: Final[Mapping[str, tuple[Path, str]]] = {
    "branch.css": (_STATIC / "branch.css", "text/css"),
    "branch.js": (_STATIC / "branch.js", "text/javascript"),
    "own.js": (_STATIC / "own.js", "text/javascript"),
}
