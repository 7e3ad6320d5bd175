"""The duty list: told by a signed call that follows nowhere, and asked again until it hears."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from config import Settings, faults
from lightservices.emergency import duty
from service.delivery.ledger import Delivery, Desk
from service.wechat.errors import TryLater, WillNever
from service.wiring import Wiring


class Pager(BaseHTTPRequestHandler):
    """The bank's paging on this machine."""

    heard: ClassVar[list[tuple[str, bytes, str]]] = []
    status: ClassVar[int] = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append((self.path, body, self.headers["X-Signature"]))
        self.send_response(self.status)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing: the tests look at what was heard."""


@pytest.fixture
def pager() -> Iterator[str]:
    Pager.heard.clear()
    Pager.status = 200
    server = HTTPServer(("127.0.0.1", 0), Pager)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/page"
    server.shutdown()
    server.server_close()
    thread.join()


PAYLOAD = {
    "event": "broke_glass", "key": "typhoon-1122-a", "title": "台风", "kind": "typhoon",
    "severity": "critical", "drill": True, "by": "王值班", "ends_at": None,
}  # fmt: skip


def told(wiring: Wiring, url: str, *, attempts: int = 1) -> Any:
    desk = Desk(replace(wiring, settings=replace(wiring.settings, duty_webhook=url)))
    delivery = Delivery(7, "emergency.page", "k", "", None, PAYLOAD, attempts)
    return (duty.page(desk, [delivery]) or {}).get(7)


def test_what_is_told_is_signed_and_says_drill(wiring: Wiring, pager: str) -> None:
    assert told(wiring, pager) is None
    ((path, body, signature),) = Pager.heard
    assert path == "/page"
    assert signature == duty.signature(wiring.settings, body)
    said = json.loads(body)
    assert said["says"] == "【演练】一人紧急开启了应急专区，请尽快补审：台风"
    assert said["href"].endswith("/console/emergency/typhoon-1122-a")


def test_a_redirect_is_not_followed_and_told_again_later(wiring: Wiring, pager: str) -> None:
    Pager.status = 302
    assert isinstance(told(wiring, pager), TryLater)
    assert [path for path, _, _ in Pager.heard] == ["/page"]


def test_nobody_answering_is_asked_again_but_not_for_ever(wiring: Wiring) -> None:
    gone = "http://127.0.0.1:9/page"
    assert isinstance(told(wiring, gone), TryLater)
    assert isinstance(told(wiring, gone, attempts=40), WillNever)


def test_without_an_address_the_inbox_is_enough(wiring: Wiring) -> None:
    assert told(wiring, "") is None


@pytest.mark.parametrize(
    "url",
    ["http://pager.bank.example/x", "ftp://x", "https://u:p@pager.example/", "https://x/#y"],
)
def test_an_unsafe_address_is_never_called(wiring: Wiring, url: str) -> None:
    with pytest.raises(WillNever, match="DUTY_WEBHOOK"):
        told(wiring, url)


def test_in_production_even_this_machine_needs_https() -> None:
    here = replace(Settings(), duty_webhook="http://127.0.0.1:1/")
    assert "DUTY_WEBHOOK" not in faults(here)
    assert "DUTY_WEBHOOK" in faults(replace(here, environment="production"))
