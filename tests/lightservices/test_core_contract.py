"""The core's sandbox does what its own document says, and refuses whoever is not its caller."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from requests import PreparedRequest
from requests.auth import AuthBase

from config import HOME, Settings
from lightservices.coresandbox.people import Person
from lightservices.coresandbox.server import CoreSandbox, running
from lightservices.providers.core_client import signed
from service import clock

DOCUMENT = HOME / "docs" / "bank-core.openapi.yaml"
SIGNED_WITH = ("Key", "Timestamp", "Nonce", "Signature")
TOKEN = "cus_" + "5" * 48

schema = schemathesis.openapi.from_path(DOCUMENT)


@pytest.fixture(scope="module")
def core() -> CoreSandbox:
    with running(Settings()) as sandbox:
        sandbox.world.customers[TOKEN] = "a" * 64
        yield sandbox


class Signing(AuthBase):
    """Signs what is sent, as it is sent."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __call__(self, prepared: PreparedRequest) -> PreparedRequest:
        if not all(f"X-Core-{name}" in prepared.headers for name in SIGNED_WITH):
            # Left out on purpose, to see whether it is missed.
            return prepared
        parts = urlsplit(prepared.url or "")
        body = prepared.body or b""
        headers = signed(
            self.settings.core_api_key,
            self.settings.core_api_secret,
            method=prepared.method or "",
            target=f"{parts.path}?{parts.query}" if parts.query else parts.path,
            customer=prepared.headers.get("X-Core-Customer", ""),
            body=body.encode() if isinstance(body, str) else body,
        )
        headers.pop("X-Core-Customer", None)
        for name, value in headers.items():
            if name != "Content-Type" or name not in prepared.headers:
                prepared.headers[name] = value
        return prepared


@schema.parametrize()
@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_keeps_to_the_document(core: CoreSandbox, case: schemathesis.Case) -> None:
    if case.path.startswith("/v1/customer/") and case.headers.get("X-Core-Customer"):
        case.headers["X-Core-Customer"] = TOKEN
        core.world.customers[TOKEN] = "a" * 64
    case.call_and_validate(base_url=core.base_url, auth=Signing(core.settings))


def asked(core: CoreSandbox, path: str = "/v1/health", **changed: str) -> tuple[int, str]:
    headers = signed(
        core.settings.core_api_key, core.settings.core_api_secret, method="GET", target=path,
        customer="", body=b"",
    )  # fmt: skip
    answer = requests.get(core.base_url + path, headers=headers | changed, timeout=5)
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"X-Core-Key": "somebody-else"}, "key_unknown"),
        ({"X-Core-Timestamp": "0"}, "clock_wrong"),
        ({"X-Core-Timestamp": "9" * 400}, "clock_wrong"),
        ({"X-Core-Nonce": "another"}, "signature_wrong"),
        ({"X-Core-Customer": TOKEN}, "signature_wrong"),
        ({"X-Core-Signature": "0" * 64}, "signature_wrong"),
    ],
)
def test_whoever_is_not_the_caller_or_changed_something_is_refused(
    core: CoreSandbox, changed: dict[str, str], code: str
) -> None:
    assert asked(core) == (200, "")
    assert asked(core, **changed) == (401, code)


def test_a_request_is_carried_out_once(core: CoreSandbox) -> None:
    headers = signed(
        core.settings.core_api_key, core.settings.core_api_secret, method="GET",
        target="/v1/quotes/gold", customer="", body=b"",
    )  # fmt: skip
    first, again = (
        requests.get(f"{core.base_url}/v1/quotes/gold", headers=headers, timeout=5)
        for _ in range(2)
    )
    assert first.status_code == 200
    assert (again.status_code, again.json()["code"]) == (401, "replayed")


def test_a_page_in_a_browser_cannot_drive_the_sandbox(core: CoreSandbox) -> None:
    url = f"{core.base_url}/_control/faults"
    rules = {"rules": [{"path": "/v1/*", "do": "status", "status": 500}]}
    foreign = requests.put(url, json=rules, headers={"Origin": "http://evil.example"}, timeout=5)
    assert foreign.status_code == 403
    assert asked(core) == (200, "")
    assert requests.put(url, json=rules, timeout=5).json() == {"rules": 1}
    assert requests.get(f"{core.base_url}/v1/health", timeout=5).status_code == 500
    assert requests.put(url, json={"rules": []}, timeout=5).ok
    for wrong in ({}, {"rules": [{"path": "/", "do": "explode"}]}, {"rules": [{"do": "cut"}]}):
        assert requests.put(url, json=wrong, timeout=5).status_code == 400


def test_a_subject_is_always_the_same_customer(core: CoreSandbox) -> None:
    now = clock.now()
    assert Person("a" * 64, now).accounts() == Person("a" * 64, now).accounts()
    assert Person("a" * 64, now).tails != Person("b" * 64, now).tails
