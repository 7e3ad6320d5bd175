"""The console with the sample bank in it, and people who read its forms as a browser does."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from lightservices import zone_section
from lightservices.pictures import PictureRow
from lightservices.promotions import PromotionRow
from lightservices.zones import ZoneRow
from menus.fills import FillRow
from menus.frame import FrameRow
from service.approvals.models import DOCUMENTS, VERSIONS, Version
from service.staff import operations, sessions
from service.wiring import Wiring

GUANGDONG = "B440000"
ZONE = f"/console/branches/{GUANGDONG}/zone"
FORM = "editor"


class Fields(HTMLParser):
    """What a browser would send of one form."""

    def __init__(self, html: str, form: str) -> None:
        super().__init__(convert_charrefs=True)
        self.form, self.inside, self.sent = form, False, MultiDict[str, str]()
        self._select: str | None = None
        self._area: tuple[str, list[str]] | None = None
        self._first: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = told.get("id", "") == self.form or told.get("action", "") == self.form
        if not self.inside:
            return
        name, kind = told.get("name", ""), told.get("type", "text")
        if tag == "input" and name and kind not in ("file", "submit"):
            is_box = kind in ("checkbox", "radio")
            if not is_box or "checked" in told:
                self.sent.add(name, told.get("value", "on" if is_box else ""))
        elif tag == "textarea":
            self._area = (name, [])
        elif tag == "select":
            self._select, self._first = name, None
        elif tag == "option" and self._select:
            if self._first is None:
                self._first = told.get("value", "")
            if "selected" in told:
                self._first = told.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "textarea" and self._area is not None:
            # The line end after the opening tag is not part of the text.
            self.sent.add(self._area[0], "".join(self._area[1]).removeprefix("\n"))
            self._area = None
        elif tag == "select" and self._select:
            self.sent.add(self._select, self._first or "")
            self._select = None


class Person:
    """Somebody of the cast, signed in."""

    def __init__(self, office: Office, login: str) -> None:
        self.office = office
        self.client: FlaskClient = office.app.test_client()
        with office.wiring.unit() as unit:
            found = operations.required(unit, login)
            token = sessions.open_session(unit, staff_id=found.id, stage=sessions.SIGNED_IN)
        self.client.set_cookie("console", token)
        self.answer: TestResponse | None = None

    def get(self, path: str) -> TestResponse:
        self.answer = self.client.get(path, headers={"Accept": "text/html"})
        return self.answer

    def page(self, path: str) -> str:
        """The page, which there must be."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[-300:])
        return answer.text

    def fields(self, path: str, form: str = FORM) -> MultiDict[str, str]:
        return Fields(self.page(path), form).sent

    def send(
        self, path: str, form: str = FORM, *, onto: str = "", look: bool = False, **typed: Any
    ) -> TestResponse:
        """Fill in the form on this page and send it; ``__`` stands for a dot, a list for many."""
        return self.post(onto or path, self.fields(path, form), look=look, **typed)

    def post(
        self, path: str, sent: MultiDict[str, str], *, look: bool = False, **typed: Any
    ) -> TestResponse:
        """Send these fields with what is typed over them."""
        data: MultiDict[str, Any] = MultiDict(sent)
        for name, value in typed.items():
            key = name.replace("__", ".")
            if isinstance(value, list):
                data.setlist(key, value)
            else:
                data[key] = value
        headers = {"Accept": "text/html"} | ({"X-Look": "1"} if look else {})
        self.answer = self.client.post(path, data=data, headers=headers)
        return self.answer


class Office:
    """The application with everybody in it."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.wiring: Wiring = app.extensions["wiring"]
        with self.wiring.reading() as unit:
            self._zones = unit.db.execute(ZoneRow.__table__.select()).mappings().all()
            self._promotions = unit.db.execute(PromotionRow.__table__.select()).mappings().all()

    def person(self, login: str) -> Person:
        return Person(self, login)

    def tidy(self) -> None:
        """As it was in the morning."""
        with self.wiring.unit() as unit:
            for table in (VERSIONS, DOCUMENTS):
                unit.db.execute(table.delete())
            for model in (FillRow, FrameRow, PictureRow, ZoneRow, PromotionRow):
                unit.db.execute(delete(model))
            unit.db.execute(ZoneRow.__table__.insert(), [dict(row) for row in self._zones])
            rows = [dict(row) for row in self._promotions]
            unit.db.execute(PromotionRow.__table__.insert(), rows)
        self.wiring.shelf.clear()

    def draft(self, kind: str = "zone") -> Version:
        """The only edition of this kind that is being written or waits."""
        from service.approvals.models import SELECT, version_of
        from service.approvals.states import OPEN

        with self.wiring.reading() as unit:
            query = SELECT.where(DOCUMENTS.c.kind == kind, VERSIONS.c.state.in_(OPEN))
            return version_of(unit.db.execute(query).one())

    def live(self) -> Mapping[str, Any]:
        """广东's zone as followers have it."""
        self.wiring.shelf.clear()
        with self.wiring.reading() as unit:
            found = zone_section.LOCAL.read(unit, GUANGDONG, "")
        assert found is not None
        return dict(found)

    def approve(self, kind: str = "zone", *, checker: str = "gd.checker") -> None:
        """A second person says yes to what waits."""
        number = self.draft(kind).id
        person, path = self.person(checker), f"/console/changes/{number}/approve"
        answer = person.send(path, path)
        assert answer.status_code == 303, answer.text[-500:]
        self.wiring.shelf.clear()

    def propose(self, person: Person, path: str = f"{ZONE}/propose", **typed: Any) -> TestResponse:
        """Put what is on somebody's desk before a second person."""
        kind = typed.pop("kind", "zone")
        action = f"/console/changes/{self.draft(kind).id}/propose"
        return person.send(path, action, onto=action, **{"why": "改一改", **typed})
