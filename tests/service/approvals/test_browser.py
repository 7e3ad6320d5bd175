"""The pages of changes and of the audit in a real browser: readable, and usable by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from service.approvals import operations as do
from service.approvals.models import Version
from service.approvals.states import State
from tests import screens
from tests.screens import chrome as chrome  # A fixture.
from tests.service.approvals.board import HERE
from tests.service.approvals.office import Office
from tests.service.sandbox.conftest import listening

pytestmark = pytest.mark.browser

LONG = "周末满 100 减 20，天河、越秀、海珠三区门店通用，每人每周限一次，数量有限，先到先得。" * 2


@pytest.fixture(scope="module")
def web(premises: Office) -> Iterator[str]:
    with listening(premises.app) as address:
        yield address


@pytest.fixture
def screen(chrome: Browser) -> Iterator[Page]:
    """A branch's computer; nothing may go wrong unseen."""
    # Colours that are still on their way to dark are nothing axe could judge.
    context = chrome.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    page = context.new_page()
    wrong = screens.complaints(page)
    yield page
    context.close()
    assert wrong == []


def come_in(page: Page, office: Office, web: str, login: str) -> None:
    cookie = office.desk(login).cookie
    page.context.clear_cookies()
    page.context.add_cookies([{"name": "console", "value": cookie, "url": web}])


def is_readable(page: Page) -> None:
    """Axe finds nothing by day or by night, and nothing is wider than the screen."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its words
        expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
        screens.is_readable(page)


def written(office: Office, title: str, *, by: str, upto: State) -> Version:
    """A version by this person, taken as far as said."""
    me = office.people[by]
    with office.wiring.unit() as unit:
        draft = do.open_draft(unit, "board", branch=HERE, by=me)
        content = {
            "notice": {"title": title, "优惠": LONG if by == "maker" else "敬请期待"},
            "hours": {"周末": "09:00–17:00"} if by == "maker" else {"平日": "09:00–17:30"},
        }
        draft = do.save(unit, draft.id, content=content, seen=draft.hash, by=me)
        if upto is State.DRAFT:
            return draft
        asked = do.propose(unit, draft.id, why="五一假期调整", seen=draft.hash, by=me)
        if upto is State.PROPOSED:
            return asked
        return do.approve(unit, asked.id, seal=asked.seal, by=office.people["checker"])


def test_every_page_is_readable(screen: Page, web: str, office: Office, tmp_path: Path) -> None:
    first = written(office, "约惠岭南", by="maker", upto=State.LIVE)
    written(office, "岭南有礼", by="mate", upto=State.LIVE)
    stale = written(office, "太长太长太长的标题", by="both", upto=State.DRAFT)
    written(office, "岭南好礼", by="mate", upto=State.LIVE)
    waiting = written(office, "约惠五一", by="maker", upto=State.PROPOSED)
    seen = {
        "checker": [
            *("changes", "changes?shelf=live", f"changes/{waiting.id}"),
            *(f"changes/{waiting.id}/approve", f"changes/{waiting.id}/roll-back/{first.number}"),
        ],
        "both": ["changes?shelf=mine", f"changes/{stale.id}", f"changes/{stale.id}/merge"],
        "auditor": ["audit", "audit?words=nirgends"],
    }
    for login, places in seen.items():
        come_in(screen, office, web, login)
        for number, place in enumerate(places):
            screen.goto(f"{web}/console/{place}")
            if place == "audit":
                screen.locator("summary", has_text="详情").first.click()
            is_readable(screen)
            screen.screenshot(path=tmp_path / f"{login}-{number}.png", full_page=True)


def test_a_checker_decides_with_the_keyboard(screen: Page, web: str, office: Office) -> None:
    version = written(office, "约惠岭南", by="maker", upto=State.PROPOSED)
    come_in(screen, office, web, "checker")
    screen.goto(f"{web}/console/changes")
    screen.get_by_role("link", name="公告栏，版本").press("Enter")
    screen.get_by_role("link", name="批准…").press("Enter")
    expect(screen.get_by_text("约 12 名粉丝会看到新公告")).to_be_visible()
    screen.get_by_role("button", name="批准").press("Enter")
    # The browser itself asks for the tick first.
    assert screen.url.endswith("/approve")
    screen.get_by_label("我已逐项核对").press("Space")
    screen.get_by_role("button", name="批准").press("Enter")
    expect(screen.get_by_text("已批准，正在送达微信")).to_be_visible()
    assert screen.url.endswith(f"/changes/{version.id}")


def test_what_is_under_way_tells_of_itself(screen: Page, web: str, office: Office) -> None:
    """Nobody has to press anything to see that it is done."""
    version = written(office, "约惠岭南", by="maker", upto=State.LIVE)
    come_in(screen, office, web, "checker")
    screen.goto(f"{web}/console/changes/{version.id}")
    expect(screen.get_by_text("正在张贴：剩 2 块")).to_be_visible()
    answers: list[str] = []

    def answered(route: Route) -> None:
        """The same page one step further, and then without anything under way."""
        answers.append(route.request.url)
        page = route.fetch().text()
        page = page.replace("剩 2 块", "剩 1 块") if len(answers) == 1 else done(page)
        route.fulfill(body=page, content_type="text/html")

    def done(page: str) -> str:
        return page.replace('id="progress"', 'id="over"').replace("data-refresh", "data-over")

    screen.route(f"**/changes/{version.id}", answered)
    expect(screen.get_by_text("正在张贴：剩 1 块")).to_be_visible(timeout=20_000)
    expect(screen.locator("#progress")).to_have_count(0, timeout=20_000)
    assert len(answers) >= 3, "once for a change, once for the end, and the page anew"


def test_the_maker_takes_it_back_after_being_asked(screen: Page, web: str, office: Office) -> None:
    written(office, "约惠岭南", by="maker", upto=State.PROPOSED)
    come_in(screen, office, web, "maker")
    screen.goto(f"{web}/console/changes?shelf=mine")
    screen.get_by_role("link", name="公告栏，版本").click()
    screen.get_by_role("button", name="撤回这项改动").click()
    expect(screen.get_by_role("dialog")).to_contain_text("撤回后不会上线")
    screen.get_by_role("dialog").get_by_role("button", name="撤回这项改动").click()
    expect(screen.locator(".lead-line")).to_contain_text("已撤回")
