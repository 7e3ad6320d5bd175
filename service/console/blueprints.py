"""The console's own blueprints, for the table in ``wsgi.py``."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

from service.console.account import account
from service.console.assets import assets
from service.console.entrance import entrance
from service.console.people import people
from service.console.shell import console
from service.console.sso import sso

CONSOLE: Final[tuple[Blueprint, ...]] = (console, assets, entrance, sso, account, people)
