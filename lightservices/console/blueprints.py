"""The branch pages' blueprints and files, for the tables in ``wsgi.py``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flask import Blueprint

from lightservices.console.emergency_area import begins
from lightservices.console.emergency_begin import amends
from lightservices.console.emergency_plans import plan_pages
from lightservices.console.figures import branch_figures
from lightservices.console.outlets import branch_outlets
from lightservices.console.own_services import own_services

_STATIC: Final = Path(__file__).resolve().parent / "static"

BRANCH_PAGES: Final[tuple[Blueprint, ...]] = (branch_outlets, branch_figures, own_services)
#: Where emergencies are written: from a plan, and over what is open.
EMERGENCY_WRITING: Final[tuple[Blueprint, ...]] = (begins, amends, plan_pages)
BRANCH_FILES: Final[Mapping[str, tuple[Path, str]]] = {
    "branch.css": (_STATIC / "branch.css", "text/css"),
    "branch.js": (_STATIC / "branch.js", "text/javascript"),
    "emergency-writing.css": (_STATIC / "emergency-writing.css", "text/css"),
    "emergency-writing.js": (_STATIC / "emergency-writing.js", "text/javascript"),
    "duty.css": (_STATIC / "duty.css", "text/css"),
    "duty.js": (_STATIC / "duty.js", "text/javascript"),
    "ground.css": (_STATIC / "ground.css", "text/css"),
    "ground.js": (_STATIC / "ground.js", "text/javascript"),
    "own.js": (_STATIC / "own.js", "text/javascript"),
    "rows.js": (_STATIC / "rows.js", "text/javascript"),
}
