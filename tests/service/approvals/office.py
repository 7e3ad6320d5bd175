"""The console with the notice board in it, and everybody of its cast at a browser of their own."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config import Settings
from service import assembly
from service.approvals.console import changes, returned, waiting
from service.audit.console import audit_pages
from service.console.blueprints import CONSOLE
from service.db import db
from service.staff import Me, operations, sessions
from service.wiring import NavigationEntry, Tables, Unit, Wiring
from tests.service.approvals import board

NAMES = {"HQ": "总行", "B310000": "上海分行", "B440000": "广东分行", "B440100": "广州分行"}


class Desk:
    """One person, signed in."""

    def __init__(self, office: Office, me: Me) -> None:
        self.office, self.me = office, me
        self.client: FlaskClient = office.app.test_client()
        with office.wiring.unit() as unit:
            token = sessions.open_session(unit, staff_id=me.id, stage=sessions.SIGNED_IN)
        self.cookie = token
        self.client.set_cookie("console", token)
        self.headers = {"Accept": "text/html"}

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers=self.headers)

    def post(self, path: str, **form: Any) -> TestResponse:
        """Send a form with the session's token; fields are named as in the page."""
        token = re.search(r'name="csrf" value="([^"]+)"', self.get("/console/").text)
        assert token
        data = {"csrf": token[1], **{name.replace("__", ":"): form[name] for name in form}}
        return self.client.post(path, data=data, headers=self.headers)


class Office:
    """The application with its people."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'office.sqlite3'}"
        self.settings = replace(
            Settings(), data_dir=folder, database_url=url, public_base_url="http://localhost"
        )
        tables = Tables(
            changes=board.CHANGES,
            lineage=board.lineage,
            branch_names=lambda _unit: NAMES,
            inbox=(waiting, returned),
            navigation=(
                NavigationEntry("审批", "approvals.shelf", "read"),
                NavigationEntry("审计", "audit.page", "read_audit"),
            ),
        )
        self.app: Flask = assembly.assemble(
            self.settings, tables, blueprints=(*CONSOLE, changes, audit_pages)
        )
        self.wiring: Wiring = self.app.extensions["wiring"]
        with self.app.app_context():
            db.create_all()
        board.METADATA.create_all(self.wiring.engine)
        with self.wiring.unit() as unit:
            self.people = {one.login: self._take_on(unit, one) for one in board.CAST}

    def _take_on(self, unit: Unit, one: Me) -> Me:
        number = operations.add(unit, login=one.login, name=one.name, by=None)
        for grant in one.grants:
            held = [other.role for other in one.grants if other.branch == grant.branch]
            operations.set_grants(
                unit, staff_id=number, branch=grant.branch, roles=held, by=None, why="入职"
            )
        return replace(one, id=number)

    def desk(self, login: str) -> Desk:
        return Desk(self, self.people[login])

    def close(self) -> None:
        self.wiring.hang_up()
