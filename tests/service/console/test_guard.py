"""Nobody reaches a staff page who does not fit its stamp; nothing another site sends counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Blueprint

from service.access import access
from service.api import tokens
from service.assembly import assemble
from service.console import guard
from service.console.blueprints import CONSOLE
from service.staff import Me, door
from service.wiring import NavigationEntry, Unit, Waiting, wiring
from tests.service.console.conftest import Browser, Office
from wsgi import TABLES


@pytest.fixture(scope="module")
def annexe(premises: Office) -> Iterator[Office]:
    """The same office with a package's pages that its author has been careless with."""
    extra = Blueprint("careless", __name__, url_prefix="/console/careless")
    outside = Blueprint("outside", __name__)

    @extra.get("/unstamped")
    def unstamped() -> str:
        return "secret"

    @extra.get("/for-followers")
    @access("follower")
    def for_followers() -> str:
        return "secret"

    @extra.route("/edit/<code>", methods=["GET", "POST"])
    @access("staff", may="edit")
    def edit(code: str) -> str:
        with wiring().reading() as unit:
            return door(unit, guard.me(), code, "edit")

    @extra.route("/danger", methods=["GET", "POST"])
    @access("staff", may="edit", fresh=True)
    def danger() -> str:
        return "done"

    @outside.get("/elsewhere/staff")
    @access("staff", may="read")
    def elsewhere() -> str:
        return guard.me().login

    @outside.get("/api/staff")
    @access("staff", may="edit")
    def program() -> str:
        return guard.me().login

    def tasks(_unit: Unit, me: Me) -> Waiting | None:
        mine = me.login == "gd.editor"
        return Waiting("被退回的<稿件>", 3, "/console/careless/danger") if mine else None

    navigation = (
        NavigationEntry("写稿", "careless.edit", "edit", "本地"),
        NavigationEntry("审计", "careless.danger", "read_audit", "本地"),
        NavigationEntry("没有的页面", "careless.gone", "read", "本地"),
    )
    app = assemble(
        premises.settings,
        replace(TABLES, inbox=[tasks], navigation=navigation),
        blueprints=[*CONSOLE, extra, outside],
    )
    yield Office(app, app.extensions["wiring"], premises.settings)
    app.extensions["wiring"].hang_up()


@pytest.fixture
def inside(office: Office, annexe: Office) -> Browser:
    return annexe.browser().sign_in("gd.editor")


@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.parametrize("path", ["/console/careless/unstamped", "/console/careless/for-followers"])
def test_a_page_of_the_console_that_is_not_for_staff_is_closed(
    annexe: Office, office: Office, path: str, signed_in: bool
) -> None:
    browser = annexe.browser()
    if signed_in:
        browser.sign_in("gd.editor")
    answer = browser.get(path)
    assert "secret" not in answer.text
    assert answer.status_code in (303, 404)


@pytest.mark.parametrize(
    "path", ["/console/careless/edit/B440000", "/console/people", "/elsewhere/staff"]
)
@pytest.mark.parametrize("how", ["get", "post"])
def test_a_stranger_is_sent_to_sign_in(annexe: Office, path: str, how: str) -> None:
    answer = getattr(annexe.browser(), how)(path)
    assert answer.status_code in (303, 405)
    assert answer.status_code == 405 or answer.location.startswith("/console/sign-in")


def test_a_staff_page_anywhere_is_guarded(inside: Browser) -> None:
    assert inside.get("/elsewhere/staff").text == "gd.editor"


def test_an_act_nobody_granted_is_forbidden(inside: Browser) -> None:
    answer = inside.get("/console/people")
    assert answer.status_code == 403
    assert "您没有这项权限" in answer.text


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("B440000", 200),
        ("B440200", 200),
        ("B440300", 404),
        ("B310000", 404),
        ("HQ", 404),
        ("B999999", 404),
    ],
)
def test_the_door_opens_for_ones_own_branch_and_below(
    inside: Browser, code: str, status: int
) -> None:
    assert inside.get(f"/console/careless/edit/{code}").status_code == status


def test_foreign_and_absent_look_alike(inside: Browser) -> None:
    foreign = inside.get("/console/careless/edit/B310000")
    absent = inside.get("/console/careless/edit/B999999")
    texts = {
        answer.text.replace(path, "")
        for answer, path in (
            (foreign, "/console/careless/edit/B310000"),
            (absent, "/console/careless/edit/B999999"),
        )
    }
    assert len(texts) == 1


def test_who_may_look_but_not_act_is_told_so(office: Office, annexe: Office) -> None:
    checker = annexe.browser().sign_in("gd.checker")
    assert checker.get("/console/careless/edit/B440000").status_code == 403


@pytest.mark.parametrize("token", ["", "wrong", "0" * 32])
def test_a_change_without_the_token_is_refused(inside: Browser, token: str) -> None:
    path = "/console/careless/edit/B440000"
    assert inside.client.post(path, data={"csrf": token}).status_code == 400
    assert inside.client.post(path).status_code == 400
    inside.get("/console/")
    assert inside.post(path).status_code == 200
    sent = inside.client.post(path, headers={"X-CSRF": inside.token})
    assert sent.status_code == 200


def test_another_persons_token_is_none(inside: Browser, annexe: Office) -> None:
    other = annexe.browser().sign_in("sh.editor")
    other.get("/console/")
    answer = inside.client.post("/console/careless/edit/B440000", data={"csrf": other.token})
    assert answer.status_code == 400


def test_another_site_changes_nothing_even_with_the_token(inside: Browser) -> None:
    inside.get("/console/")
    path = "/console/careless/edit/B440000"
    assert inside.post(path, headers={"Origin": "https://evil.example"}).status_code == 403
    assert inside.post(path, headers={"Origin": "null"}).status_code == 403
    assert inside.post(path, headers={"Origin": "http://localhost"}).status_code == 200


def test_signing_in_needs_the_form_of_this_very_browser(office: Office) -> None:
    here, there = office.browser(), office.browser()
    here.get("/console/sign-in")
    there.get("/console/sign-in")
    given = {"login": "gd.editor", "password": office.password}
    for token in ("", there.token):
        answer = here.client.post("/console/sign-in", data={"csrf": token, **given})
        assert (answer.status_code, here.cookie) == (400, "")
    refused = here.post("/console/sign-in", headers={"Origin": "https://evil.example"}, **given)
    assert (refused.status_code, here.cookie) == (403, "")
    assert here.post("/console/sign-in", **given).status_code == 303


def test_signing_out_by_another_site_does_nothing(inside: Browser) -> None:
    assert inside.client.post("/console/sign-out").status_code == 400
    assert inside.get("/console/").status_code == 200


def test_a_dangerous_act_asks_once_more_who_it_is(
    annexe: Office, inside: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    import time_machine

    from service import clock

    assert inside.get("/console/careless/danger").text == "done"
    with time_machine.travel(clock.now() + timedelta(minutes=5, seconds=2), tick=False):
        asked = inside.get("/console/careless/danger")
        assert asked.location == "/console/prove?next=/console/careless/danger"
        form = inside.get("/console/")
        sent = inside.post(
            "/console/careless/danger",
            headers={"Referer": "http://localhost/console/careless/danger?x=1"},
        )
        assert sent.location == "/console/prove?next=/console/careless/danger%3Fx%3D1"
        assert form.status_code == 200
        before = inside.cookie
        inside.get(asked.location)
        assert inside.post("/console/prove", code="000000").status_code == 401
        assert inside.get("/console/careless/danger").status_code == 303
        proved = inside.post(
            "/console/prove", code=annexe.code("gd.editor"), next="/console/careless/danger"
        )
        assert proved.location == "/console/careless/danger"
        assert inside.cookie != before
        assert inside.get("/console/careless/danger").text == "done"


def test_a_script_is_told_to_go_to_the_form(annexe: Office) -> None:
    answer = annexe.browser().get("/console/people", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/console/sign-in")


def test_a_link_from_another_site_is_opened_from_here(inside: Browser, annexe: Office) -> None:
    """The browser sends no strict cookie along with it; the second request has it."""
    from_mail = {"Sec-Fetch-Site": "cross-site"}
    bounced = annexe.browser().get("/console/people?q=1", headers=from_mail)
    assert bounced.status_code == 200
    assert 'content="0;url=/console/people?q=1"' in bounced.text
    assert inside.get("/console/", headers=from_mail).status_code == 200


@pytest.fixture(scope="module")
def lent(annexe: Office) -> dict[str, str]:
    """A token that is good for the page, one that is not enough, and one nobody was given."""
    found = {"wrong": f"{tokens.PREFIX}wrong"}
    with annexe.wiring.unit() as unit:
        for name, login, role in (("good", "ops.wang", "editor"), ("weak", "reader", "reader")):
            found[name] = tokens.lend(
                unit, login=login, role=role, branch="HQ", name=name, days=1, by=None
            )[1]
    return found


@pytest.mark.parametrize(
    ("header", "status"),
    [("", 401), ("Bearer", 401), ("Bearer wrong", 401), ("Bearer {wrong}", 401),
     ("Basic {good}", 401), ("Bearer {weak}", 403), ("Bearer {good}", 200),
     ("bearer  {good}", 200)],
)  # fmt: skip
def test_programs_bring_a_token(
    annexe: Office, lent: dict[str, str], header: str, status: int
) -> None:
    told = header.format(**lent)
    answer = annexe.browser().get("/api/staff", headers={"Authorization": told})
    assert answer.status_code == status


def test_a_cookie_is_no_token(inside: Browser) -> None:
    assert inside.get("/api/staff").status_code == 401


def test_pages_are_kept_by_nobody_and_load_nothing_foreign(inside: Browser) -> None:
    for path in ("/console/", "/console/sign-in", "/console/nothing", "/console/account"):
        headers = inside.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        policy = headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "default-src 'none'" in policy


def test_faults_are_told_in_the_consoles_own_words(office: Office) -> None:
    from tests.lightservices.test_pages import Reader

    answer = office.browser().sign_in("gd.editor").get("/console/no-such-page")
    assert answer.status_code == 404
    assert "管辖范围" in answer.text
    assert "微信服务号的菜单" not in answer.text
    assert not Reader(answer.text).inline
    told = office.browser().get("/console/no-such-page", headers={"Accept": "application/json"})
    assert told.get_json()["says"] == "没有找到这个页面"


def test_the_home_page_says_what_waits_and_where_one_may_go(
    inside: Browser, annexe: Office
) -> None:
    home = inside.get("/console/").text
    assert "被退回的&lt;稿件&gt;" in home
    assert 'href="/console/careless/edit/B440000"' in home, "a page of the branch one works for"
    assert "审计" not in home
    assert "没有的页面" not in home
    other = annexe.browser(address="192.0.2.8").sign_in("sh.editor").get("/console/").text
    assert "被退回" not in other
    assert 'href="/console/careless/edit/B310000"' in other


def test_one_works_for_a_branch_of_ones_own_only(inside: Browser) -> None:
    inside.get("/console/")
    assert inside.post("/console/branch", code="B310000").status_code == 404
    assert inside.post("/console/branch", code="B440200").status_code == 303
    assert 'href="/console/careless/edit/B440200"' in inside.get("/console/").text


@pytest.mark.parametrize("path", ["/console/sign-in", "/console/branch", "/console/people/x"])
def test_a_sign_no_text_holds_is_refused_before_anything_reads_it(
    inside: Browser, path: str
) -> None:
    """PostgreSQL takes no NUL, and no page has to know that."""
    inside.get("/console/")
    assert inside.post(path, login="gd.editor\x00", code="HQ\x00").status_code in (400, 405)
    assert inside.get(f"{path}%00").status_code in (400, 404)
    assert inside.get(path, query_string={"code": "\x00"}).status_code in (400, 405)
