"""Over https, and in production: strict cookies, no sample people, nothing secret in a log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pyotp
import pytest
import structlog
from sqlalchemy import update

from service.staff import cast, operations, sessions
from service.staff.models import Staff
from service.wiring import Wiring
from tests.service.console.conftest import Browser, Office
from wsgi import create_app


@pytest.fixture(scope="module")
def strict(premises: Office) -> Iterator[Office]:
    """The same database behind the settings of a bank."""
    settings = replace(
        premises.settings, environment="production", public_base_url="https://bank.example",
        wechat_api_base="https://api.weixin.qq.com",
    )  # fmt: skip
    app = create_app(settings)
    wiring: Wiring = app.extensions["wiring"]
    yield Office(app, wiring, settings)
    wiring.hang_up()


@pytest.fixture
def visitor(office: Office, strict: Office) -> Browser:
    browser = strict.browser()
    browser.client.environ_base["wsgi.url_scheme"] = "https"
    browser.client.environ_base["HTTP_HOST"] = "bank.example"
    return browser


def set_cookies(browser: Browser) -> list[str]:
    return [one for answer in browser.seen for one in answer.headers.getlist("Set-Cookie")]


def test_every_cookie_is_bound_to_this_host_and_hidden_from_scripts(
    office: Office, visitor: Browser
) -> None:
    office.take_on("real.person")
    assert visitor.give_password("real.person").status_code == 303
    ours = [one for one in set_cookies(visitor) if "console" in one]
    assert len(ours) >= 3
    for one in ours:
        assert one.startswith("__Host-console"), one
        for flag in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
            assert flag in one, one
        assert "Domain" not in one


def test_on_a_newcomers_machine_cookies_work_without_https(office: Office) -> None:
    browser = office.browser()
    browser.give_password("gd.editor")
    ours = [one for one in set_cookies(browser) if "console" in one]
    assert ours
    assert all("HttpOnly" in one and "SameSite=Strict" in one for one in ours)
    assert not any("Secure" in one or "__Host" in one for one in ours)


def test_production_lets_nobody_of_the_sample_bank_in(office: Office, visitor: Browser) -> None:
    for player in cast.CAST[:2]:
        assert visitor.give_password(player.login, office.password).status_code == 401
    assert "试用环境" not in visitor.seen[-1].text


def test_a_session_from_a_trial_is_none_in_production(office: Office, strict: Office) -> None:
    """Somebody may have carried the trial's database along."""
    with office.wiring.unit() as unit:
        person = operations.required(unit, "admin")
        token = sessions.open_session(unit, staff_id=person.id, stage=sessions.SIGNED_IN)
        assert sessions.current(unit, token)
    with strict.wiring.reading() as unit:
        assert sessions.current(unit, token) is None


def test_the_sample_peoples_codes_are_shown_to_them_alone(office: Office) -> None:
    office.take_on("real.person")
    secret = pyotp.random_base32()
    with office.wiring.unit() as unit:
        from service.staff import second_factor

        unit.db.execute(
            update(Staff)
            .where(Staff.login == "real.person")
            .values(totp_sealed=second_factor.sealed(unit, secret))
        )
    real, sample = office.browser(), office.browser()
    real.give_password("real.person")
    assert "demo-code" not in real.get("/console/second-factor").text
    sample.give_password("gd.editor")
    shown = re.search(r'id="demo-code">(\d{6})<', sample.get("/console/second-factor").text)
    assert shown
    assert shown[1] == office.code("gd.editor")


def test_nothing_secret_is_logged_on_any_way_in_or_out(
    office: Office, capfd: pytest.CaptureFixture[str]
) -> None:
    office.take_on("real.person")
    wrong = "Wrong-Password-4711"
    with structlog.testing.capture_logs() as lines:
        browser = office.browser()
        browser.give_password("real.person", wrong)
        browser.give_password("real.person")
        half_way = browser.cookie
        page = browser.get("/console/second-factor")
        secret = re.search(r'id="secret">([A-Z2-7]+)<', page.text)
        assert secret
        browser.post("/console/second-factor", code="123123")
        code = pyotp.TOTP(secret[1]).now()
        codes = browser.post("/console/second-factor", code=code)
        recovery = re.findall(r"<code>([A-Z2-7]{5}-[A-Z2-7]{5})</code>", codes.text)
        browser.get("/console/password")
        browser.post("/console/password", password="Eigene-Worte-77", again="Eigene-Worte-77")
        inside = browser.cookie
        with office.wiring.unit() as unit:
            unit.db.exec_driver_sql("ALTER TABLE staff_sessions RENAME TO hidden_sessions")
        try:
            assert browser.get("/console/").status_code >= 500
        finally:
            with office.wiring.unit() as unit:
                unit.db.exec_driver_sql("ALTER TABLE hidden_sessions RENAME TO staff_sessions")
    told = str(lines) + "".join(capfd.readouterr())
    assert "a sign-in was refused" in told
    assert len(recovery) == 10
    for hidden in (
        wrong, office.password, "Eigene-Worte-77", secret[1], code, *recovery, half_way, inside,
        "192.0.2.1", "real.person",
    ):  # fmt: skip
        assert hidden not in told
