"""Every page of the console, by the application's own list of routes: readable to everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
import requests
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.routing import Rule

from config import Settings
from lightservices.emergency import operations as emergencies
from lightservices.outlets import checking, uploads
from lightservices.pages import assets
from lightservices.workbooks import read as read_book
from regions.coordinates import Datum
from service.access import Stamp, stamp_of
from service.approvals import operations as changes
from service.approvals.models import Version
from service.console import guard
from service.staff import Me, operations, sessions
from service.wiring import Unit
from tests.journeys.town import Town, built
from tests.law.expectations import a_ticket
from tests.lightservices.console.conftest import row, sheet
from tests.lightservices.emergency import duty
from tests.screens import chrome as chrome  # A fixture.
from tests.screens import complaints, hindrances, opened
from wsgi import create_app

#: Axe looks at each of some fifty pages twice.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

HERE: Final = "B440000"
#: The pages by blueprint, in parts that a machine gets through; what is named nowhere is the rest.
GROUPS: Final[Mapping[str, frozenset[str]]] = {
    "decisions": frozenset({"approvals", "audit", "api_reference", "console_account"}),
    "editors": frozenset({"editors", "frames", "venues"}),
    "lists": frozenset({"console_outlets", "console_own_services", "console_figures"}),
    "rest": frozenset(),
}
#: Who looks at a page that asks for this act; everything else is looked at from head office's desk.
LOOKS: Final[Mapping[str, str]] = {"manage_staff": "admin", "read_audit": "auditor"}
#: What a script puts into a page that is in the list itself, and why there is no page around it.
PARTS: Final[Mapping[str, str]] = {
    "console_emergency.layers": "a script puts it into the emergency's page again and again",
    "console_emergency.confirm": "a script puts it there once it was counted",
    "console_emergency.moving": "a script puts it there once it was counted",
    "console_emergency_messages.channels": "a script puts it there once it was counted",
}
#: What stands in an address beside the branch, where one value serves every route.
USUAL: Final[Mapping[str, Any]] = {
    "code": HERE, "login": "gd.editor", "look": "dark", "plan": "typhoon", "suffix": "csv", "to": 0,
    "name": "pages.css",
}  # fmt: skip


@dataclass(frozen=True)
class Route:
    """One GET route of the console and what it says about its callers."""

    rule: Rule
    stamp: Stamp

    @property
    def name(self) -> str:
        return str(self.rule.endpoint)

    @property
    def group(self) -> str:
        own = self.name.partition(".")[0]
        return next((name for name, some in GROUPS.items() if own in some), "rest")


def routes(app: Flask) -> list[Route]:
    """Every page of the console that staff who are inside can open."""
    return [
        Route(rule, stamp)
        for rule in app.url_map.iter_rules()
        if (stamp := stamp_of(app.view_functions[rule.endpoint])) is not None
        and (stamp.audience, stamp.stage) == ("staff", sessions.SIGNED_IN)
        and "GET" in (rule.methods or ())
        and str(rule).startswith(guard.ROOT)
    ]


@pytest.fixture(scope="module")
def full_town(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Town]:
    """A town of its own: what is laid out here would be in the way of every other journey."""
    with built(tmp_path_factory.mktemp("full"), settings) as town:
        yield town


class Laid:
    """One of everything that a page can be about."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.cookies: dict[str, str] = {}
        with town.wiring.unit() as unit:
            self.people = {one.login: one for one in operations.everybody(unit)}
            self.ticket = a_ticket(unit, HERE)["number"]
            self.overtaken = self._zone(unit, "sh", "改了别的").id
            live = self._live(unit)
            self.live = live.id
            self.waiting = self._proposed(unit, self._zone(unit, "gd", "粤享冬日")).id
            self.service = self._service(unit)
            self._venue(unit)
            self.upload = self._upload(unit)
            self.emergency, self.emergency_version = self._emergency(unit, is_open=False)
            self.open_emergency, _number = self._emergency(unit, is_open=True)
        self.promotion = self._promotion()

    def me(self, login: str) -> Me:
        one = self.people[login]
        return Me(one.id, one.login, one.name, one.grants)

    def cookie(self, login: str) -> str:
        """A browser's cookie, signed in."""
        if login not in self.cookies:
            with self.town.wiring.unit() as unit:
                self.cookies[login] = sessions.open_session(
                    unit, staff_id=self.people[login].id, stage=sessions.SIGNED_IN
                )
        return self.cookies[login]

    def path(self, route: Route) -> str:
        """The address of the route, about something that is there."""
        values = {**USUAL, **self._beside(route.name), "number": self._number(route.name)}
        fitting = {name: values[name] for name in route.rule.arguments if name in values}
        built_ = route.rule.build(fitting, append_unknown=False)
        assert built_ is not None, f"{route.name}: say in this test what {route.rule} is about"
        asked = {"editors.promotion_look": f"?name={self.promotion}"}.get(route.name, "")
        return f"{built_[1]}{asked}"

    def _number(self, name: str) -> Any:
        return {
            "console_tickets.ticket": self.ticket,
            "console_emergency.seen": self.emergency_version,
            "approvals.change": self.waiting,
            "approvals.confirm_approval": self.waiting,
            "approvals.confirm_roll_back": self.live,
            "approvals.choose": self.overtaken,
        }.get(name, 0)

    def _beside(self, name: str) -> Mapping[str, Any]:
        group = name.partition(".")[0]
        if group == "console_emergency_amend":
            return {"key": self.open_emergency}
        if group.startswith("console_emergency"):
            return {"key": self.emergency}
        return {
            "console_outlets": {"token": self.upload},
            "console_own_services": {"key": self.service},
            "editors": {"name": self.promotion if name == "editors.zone_promotion" else _SHEET},
            "venues": {"code": "HQ", "key": "spring-2027"},
        }.get(group, {})

    def _zone(self, unit: Unit, whose: str, title: str) -> Version:
        by = self.me("ops.li" if whose == "sh" else "gd.editor")
        draft = changes.open_draft(unit, "zone", branch=HERE, by=by)
        zone = {**draft.content["zone"], "title": title}
        return changes.save(unit, draft.id, content={"zone": zone}, seen=draft.hash, by=by)

    def _proposed(self, unit: Unit, draft: Version) -> Version:
        by = self.me("gd.editor")
        return changes.propose(unit, draft.id, why="换季", seen=draft.hash, by=by)

    def _live(self, unit: Unit) -> Version:
        asked = self._proposed(unit, self._zone(unit, "gd", "粤享好物"))
        return changes.approve(unit, asked.id, seal=asked.seal, by=self.me("gd.checker"))

    def _service(self, unit: Unit) -> str:
        key, by = f"{HERE.lower()}-metro", self.me("gd.editor")
        draft = changes.open_draft(unit, "services", branch=HERE, key=key, by=by)
        written = {
            "key": key, "kind": "guide", "title": "地铁卡充值", "scenario": "线上办理",
            "class": "业务办理", "summary": "用手机给地铁卡充值", "icon": "train",
            "steps": [{"title": "贴卡", "text": "把卡贴在手机背面"}], "related": ["lost-card"],
            "legal": [{"source": "某某条例", "text": "票价要明示"}],
            "variants": [{"branches": ["B440500"], "fee": "免费"}],
            "words": ["地铁卡", "羊城通", "公交卡", "坐地铁", "交通卡"],
            "asks": ["地铁卡怎么充值", "羊城通没钱了怎么办", "手机能充公交卡吗"],
        }  # fmt: skip
        content = {"service": {"service": written}}
        changes.save(unit, draft.id, content=content, seen=draft.hash, by=by)
        return key

    def _venue(self, unit: Unit) -> None:
        by = self.me("ops.wang")
        draft = changes.open_draft(unit, "campaign", branch="HQ", key="spring-2027", by=by)
        zone = {**draft.content["zone"], "title": "春节会场"}
        changes.save(unit, draft.id, content={"zone": zone}, seen=draft.hash, by=by)

    def _emergency(self, unit: Unit, *, is_open: bool) -> tuple[str, int]:
        """The key of one that waits for a second person, or is open; and its version's number."""
        version = duty.proposed(unit, by=self.me("ops.li"), drill=not is_open)
        key = duty.key_of(unit, version)
        if is_open:
            ticked = duty.ticked(unit, duty.ZHUHAI)
            emergencies.open_(unit, key, seen=version.seal, ticked=ticked, by=self.me("ops.wang"))
        return key, version.number

    def _upload(self, unit: Unit) -> str:
        """A list with a change of every sort."""
        book = read_book(sheet([row("GZ009")]))
        found = _returned(checking.check(unit, HERE, book, datum=Datum.GCJ02))
        return uploads.keep(unit, HERE, found, name="名单.csv", staff_id=self.people["ops.wang"].id)

    def _promotion(self) -> str:
        answer = requests.get(
            f"{self.town.web}/console/branches/{HERE}/zone/promotions",
            cookies={"console": self.cookie("ops.wang")},
            timeout=30,
        )
        found = re.search(r"/zone/promotions/([\w-]+)", answer.text.replace("/new", ""))
        assert found, "the sample bank's zone has a promotion"
        return found[1]


def _returned(steps: Any) -> Any:
    """What a generator gives back in the end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


#: Any stylesheet of the followers' pages.
_SHEET: Final = next(name for name in assets.shelf() if name.endswith(".css"))


@pytest.fixture(scope="module")
def laid(full_town: Town) -> Laid:
    return Laid(full_town)


class Desk:
    """The computer of one person, who signs in once and then looks at page after page."""

    def __init__(self, chrome: Browser, laid: Laid, login: str, wrong: list[str]) -> None:
        self.laid = laid
        cookie = {"name": "console", "value": laid.cookie(login), "url": laid.town.web}
        context = chrome.new_context(
            # A colour on its way to another is neither of the two.
            viewport={"width": 1366, "height": 768}, locale="zh-CN", reduced_motion="reduce"
        )  # fmt: skip
        context.add_cookies([cookie])  # type: ignore[list-item]  # Playwright's own dict
        self.page = context.new_page()
        complaints(self.page, wrong)
        self.plain = requests.Session()
        self.plain.cookies.set("console", cookie["value"])

    def shows(self, route: Route) -> bool:
        """Open it, unless the route answers with a file or a part; it must answer."""
        url = f"{self.laid.town.web}{self.laid.path(route)}"
        answer = self.plain.get(
            url, headers={"Accept": "text/html"}, timeout=30, allow_redirects=False
        )
        assert answer.status_code == 200, f"{route.name} {url}: {answer.status_code}"
        if not answer.headers["Content-Type"].startswith("text/html") or route.name in PARTS:
            return False
        opened(self.page, url)
        return True

    def close(self) -> None:
        self.plain.close()
        self.page.context.close()


class Desks:
    """Everybody's computers."""

    def __init__(self, chrome: Browser, laid: Laid) -> None:
        self.chrome, self.laid = chrome, laid
        self.wrong: list[str] = []
        self._there: dict[str, Desk] = {}

    def of(self, route: Route) -> Desk:
        """The computer of somebody who may look at this."""
        login = LOOKS.get(route.stamp.may, "ops.wang")
        if login not in self._there:
            self._there[login] = Desk(self.chrome, self.laid, login, self.wrong)
        return self._there[login]

    def close(self) -> None:
        for desk in self._there.values():
            desk.close()


@pytest.fixture(scope="module")
def desks(chrome: Browser, laid: Laid) -> Iterator[Desks]:
    found = Desks(chrome, laid)
    yield found
    found.close()


@pytest.fixture(scope="module")
def found(laid: Laid) -> list[Route]:
    return routes(create_app(laid.town.settings))


def unreadable(page: Page) -> Iterator[str]:
    """What is wrong with the page that is open, in either of the colours."""
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]  # one of two words
        for fault in hindrances(page):
            yield f"{colours} {page.url}: {fault}"


@pytest.mark.parametrize("group", GROUPS)
def test_every_page_of_the_console_is_readable_in_light_and_dark(
    desks: Desks, found: list[Route], group: str
) -> None:
    """No page is left out: the list is the application's own."""
    mine = [route for route in found if route.group == group]
    assert mine
    faults = []
    for route in mine:
        desk = desks.of(route)
        if desk.shows(route):
            faults += [f"{route.name} {fault}" for fault in unreadable(desk.page)]
    assert not faults, "\n".join(faults)
    assert desks.wrong == []


def test_every_group_and_every_part_is_there(found: list[Route]) -> None:
    assert len(found) >= 45
    assert {route.group for route in found} == set(GROUPS)
    assert set(PARTS) <= {route.name for route in found}
