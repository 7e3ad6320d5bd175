"""A province's branch at work in the console: its people, its outlets, browsers to come in with."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from config import Settings
from lightservices import counts, workbooks, zones
from lightservices.outlets import branch_list
from lightservices.outlets.imports import add
from lightservices.outlets.models import Outlet, OutletRow
from lightservices.outlets.uploads import UploadRow
from regions import sample
from service.approvals import operations as changes
from service.approvals import queries as versions
from service.approvals.models import DOCUMENTS, VERSIONS, Version
from service.db import db, table_of
from service.staff import Me, operations, sessions
from service.wiring import Unit, Wiring
from tests.services import own_database
from wsgi import create_app

HERE, BELOW, ELSEWHERE = "B440000", "B440500", "B310000"
#: GCJ-02, well inside 广州市天河区, 汕头市龙湖区 and 上海市黄浦区.
TIANHE, LONGHU, HUANGPU = (23.1250, 113.3610), (23.3720, 116.7160), (31.2304, 121.4737)
CAST = {
    "maker": ("editor", HERE),
    "checker": ("checker", HERE),
    "reader": ("reader", HERE),
    "outsider": ("editor", ELSEWHERE),
    "head": ("operations", "HQ"),
}


def outlet(number: str, place: tuple[float, float], branch: str, county: str) -> Outlet:
    return Outlet(
        id=number, branch_code=branch, division=county, name=f"{number} 支行",
        address="某某路 1 号", phone="020-00000000", lat=place[0], lng=place[1],
        hours="周一至周五 09:00-17:00", services=("个人业务", "自助设备"), synthetic=False,
        accessible=("坡道",),
    )  # fmt: skip


OUTLETS = [
    outlet("GZ001", TIANHE, HERE, "440106"),
    outlet("GZ002", (23.1310, 113.3270), HERE, "440106"),
    outlet("ST001", LONGHU, BELOW, "440507"),
    outlet("SH001", HUANGPU, ELSEWHERE, "310101"),
]


class Desk:
    """One person, signed in."""

    def __init__(self, bank: Bank, me: Me) -> None:
        self.me, self.client = me, bank.app.test_client()
        with bank.wiring.unit() as unit:
            token = sessions.open_session(unit, staff_id=me.id, stage=sessions.SIGNED_IN)
            found = sessions.current(unit, token)
        assert found is not None
        self.cookie, self.csrf = token, found.csrf
        self.client.set_cookie("console", token)

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers={"Accept": "text/html"})

    def post(self, path: str, **form: Any) -> TestResponse:
        accept = form.pop("accept", "text/html")
        data = {"csrf": self.csrf, **{name.replace("__", "."): form[name] for name in form}}
        return self.client.post(path, data=data, headers={"Accept": accept})

    def upload(self, raw: bytes, *, code: str = HERE, name: str = "a.csv", **form: Any) -> Any:
        """What the page shows after a file was sent."""
        accept = form.pop("accept", "text/html")
        file = FileStorage(BytesIO(raw), filename=name)
        # The test client would leave a file of its own open behind a large one.
        boundary, body = encode_multipart({"csrf": self.csrf, **form, "file": file})
        answer = self.client.post(
            f"/console/branches/{code}/outlets/check",
            data=body,
            content_type=f"multipart/form-data; boundary={boundary}",
            headers={"Accept": accept},
        )
        return self.get(answer.location) if answer.status_code == 303 else answer


@dataclass
class Bank:
    """The application with the branch's people."""

    app: Flask
    wiring: Wiring
    people: Mapping[str, Me]

    def desk(self, login: str) -> Desk:
        return Desk(self, self.people[login])

    def live(self, branch: str = HERE) -> dict[str, branch_list.Entry]:
        with self.wiring.reading() as unit:
            return branch_list.live(unit, branch)

    def approved(self, kind: str, key: str, *, branch: str = HERE) -> Version:
        """The maker's draft, proposed and approved."""
        maker, checker = self.people["maker"], self.people["checker"]
        with self.wiring.unit() as unit:
            [draft] = versions.open_of(unit, kind, branch=branch, key=key)
            asked = changes.propose(unit, draft.id, why="换季", seen=draft.hash, by=maker)
            return changes.approve(unit, asked.id, seal=asked.seal, by=checker)


@pytest.fixture(scope="session")
def premises(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Bank]:
    folder = tmp_path_factory.mktemp("branch")
    server = os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{folder / 'branch.sqlite3'}"
    with own_database(server, "branch") as url:
        app = create_app(
            replace(settings, data_dir=folder, database_url=url, public_base_url="http://localhost")
        )
        wiring: Wiring = app.extensions["wiring"]
        with app.app_context():
            db.create_all()
        with wiring.unit() as unit:
            sample.seed(unit)
            zones.seed(unit)
            people = {login: _taken_on(unit, login, *where) for login, where in CAST.items()}
        yield Bank(app, wiring, people)
        wiring.hang_up()


def _taken_on(unit: Unit, login: str, role: str, branch: str) -> Me:
    number = operations.add(unit, login=login, name=login.title(), by=None)
    operations.set_grants(unit, staff_id=number, branch=branch, roles=[role], by=None)
    person = operations.required(unit, login)
    return Me(number, login, person.name, person.grants)


@pytest.fixture
def bank(premises: Bank) -> Bank:
    """The branch in the morning: the four outlets, no figures, nothing proposed."""
    from lightservices.catalogue.own import EPOCH, OwnServiceRow
    from service.epochs import bump

    with premises.wiring.unit() as unit:
        for table in (
            *(VERSIONS, DOCUMENTS, table_of(OutletRow), table_of(UploadRow)),
            *(table_of(counts.TapRow), table_of(counts.OpenRow), table_of(counts.FeedbackRow)),
            *(table_of(counts.FollowerCountRow), table_of(OwnServiceRow)),
        ):
            unit.db.execute(table.delete())
        add(unit, OUTLETS)
        bump(unit, EPOCH)
    premises.wiring.shelf.clear()
    return premises


def sheet(rows: Sequence[Mapping[str, str]], *, columns: Sequence[str] = ()) -> bytes:
    """A CSV file of these rows, by field."""
    header = columns or [name for name in branch_list.COLUMNS if any(name in row for row in rows)]
    titles = [branch_list.COLUMNS.get(name, name) for name in header]
    lines = workbooks.as_csv(titles, [[row.get(name, "") for name in header] for row in rows])
    return "".join(lines).encode()


def row(number: str, **more: str) -> dict[str, str]:
    """A sound row in 天河."""
    return {
        "id": number, "name": f"{number} 支行", "address": "某某路 1 号", "lng": "113.3610",
        "lat": "23.1250", "datum": "GCJ-02", **more,
    }  # fmt: skip


def words(answer: TestResponse) -> str:
    """What a page says, without its markup."""
    from html import unescape

    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))
