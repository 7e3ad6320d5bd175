"""The form of an emergency as a browser sends it back, and followers to be reached by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from sqlalchemy import delete, insert
from werkzeug.datastructures import MultiDict

from lightservices.emergency.models import EmergencyRow, PlanRow, ReviewRow, VersionRow
from regions.presence import Presence
from service import clock
from service.epochs import bump
from service.followers import Follower
from tests.lightservices.console.conftest import Bank

ROOT = "/console/emergency"
#: Where followers are: one in 珠海 for certain, and where in 中山 the coarse cell tells.
PLACES = [("440402", None)] * 30 + [("442000", (2255, 11340))] * 20 + [("442000", None)] * 40
PIECE = "22.5, 113.3\n22.6, 113.3\n22.6, 113.5\n22.5, 113.5"


class _Form(HTMLParser):
    """The first form of a page that is sent to this address, field by field."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.fields: MultiDict[str, str] = MultiDict()
        self._action, self._inside, self._done = action, False, False
        self._area, self._choice, self._in_template = "", "", False
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        name, value = told.get("name") or "", told.get("value") or ""
        if tag == "form" and told.get("action") == self._action and not self._done:
            self._inside = True
        if tag == "template":
            self._in_template = True
        if not self._inside or self._in_template:
            return
        if tag == "input" and name and (told.get("type") not in ("checkbox", "radio")):
            self.fields.add(name, value)
        if tag == "input" and name and told.get("type") in ("checkbox", "radio"):
            if "checked" in told:
                self.fields.add(name, value)
        elif tag == "textarea" and name:
            self._area, self._text = name, []
        elif tag == "select":
            self._choice, self._first = name, True
        elif tag == "option" and self._choice:
            if self._first or "selected" in told:
                chosen = self.fields.poplist(self._choice)
                kept = chosen if self._first else chosen[:-1]
                self.fields.setlist(self._choice, [*kept, value])
            self._first = False

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._inside:
            self._inside, self._done = False, True
        elif tag == "template":
            self._in_template = False
        elif tag == "textarea" and self._area:
            # A browser drops the line that begins right after the tag.
            self.fields.add(self._area, "".join(self._text).removeprefix("\n"))
            self._area = ""
        elif tag == "select":
            self._choice = ""


def form_of(html: str, action: str) -> MultiDict[str, str]:
    """What a browser would send if a button were pressed at once."""
    found = _Form(action)
    found.feed(html)
    return found.fields


@pytest.fixture
def calm(bank: Bank) -> Iterator[Bank]:
    """Nothing is open before and nothing after; people are where :data:`PLACES` says."""
    with bank.wiring.unit() as unit:
        for number, (division, cell) in enumerate(PLACES):
            openid, at = f"oTESTdrawn{number:018}", clock.now() - timedelta(minutes=1)
            south, west = cell or (None, None)
            unit.db.execute(insert(Follower).values(openid=openid, followed_at=at))
            unit.db.execute(
                insert(Presence).values(
                    openid=openid, branch="B440400", division=division, cell_south=south,
                    cell_west=west, source="event", seen_at=at,
                )
            )  # fmt: skip
    yield bank
    with bank.wiring.unit() as unit:
        for model in (ReviewRow, VersionRow, EmergencyRow, PlanRow, Presence, Follower):
            unit.db.execute(delete(model))
        bump(unit, "emergencies")
    bank.wiring.shelf.clear()
