"""When the core is slow, down, wrong or endless: a page in two seconds, plain words, a way on."""

from __future__ import annotations

import socket
import statistics
import time
from dataclasses import replace

import grimp
import pytest

from config import Settings
from lightservices.providers import asking, breaker, transport
from lightservices.providers.breaker import Breaker, State
from lightservices.providers.protocol import Failed, Why
from lightservices.providers.registry import PROVIDERS
from service import journal
from service.wiring import Tables, Wiring
from tests.lightservices.corebank import CoreBank, core_site, corebank

__all__ = ["core_site", "corebank"]

PAGE_SECONDS = 2.0
FAULTS = {
    "slow": {"do": "delay", "seconds": 5.0},
    "silent": {"do": "hang", "seconds": 5.0},
    "dripping": {"do": "drip", "seconds": 5.0},
    "cut off": {"do": "cut"},
    "wrong status": {"do": "status", "status": 503},
    "redirecting": {"do": "status", "status": 302},
    "no JSON": {"do": "garbage"},
    "wrong type": {"do": "wrong_type"},
    "huge": {"do": "huge"},
}


def misbehave(bank: CoreBank, fault: str) -> None:
    bank.core.misbehave({"path": "/v1/*", **FAULTS[fault]})


def timed(bank: CoreBank, path: str) -> tuple[float, str]:
    began = time.monotonic()
    page = bank.page(path)
    return time.monotonic() - began, page


@pytest.mark.parametrize(
    ("path", "fault"),
    [*(("/s/account-balance", fault) for fault in FAULTS), ("/s/gold-price", "cut off"),
     ("/s/service-fees", "wrong type"), ("/s/points-balance", "huge"),
     *(("/s/exchange-rates", fault) for fault in FAULTS), ("/s/deposit-rates", "wrong type"),
     ("/s/loan-rates", "huge")],
)  # fmt: skip
def test_a_page_comes_in_time_with_a_plain_word_and_a_way_on(
    corebank: CoreBank, path: str, fault: str
) -> None:
    corebank.bind()
    # What a process does once, when it shows its first page, is not what the core costs.
    corebank.page("/s/lost-card")
    misbehave(corebank, fault)
    rounds = [timed(corebank, path) for _ in range(3)]
    seconds, page = statistics.median(one[0] for one in rounds), rounds[-1][1]
    print(f"{fault} {path}: {seconds * 1000:.0f} ms")
    assert seconds < PAGE_SECONDS
    assert "暂时查不到" in page
    assert "不是您操作的问题" in page
    assert "再查一次" in page
    assert "客服热线" in page
    assert 'href="/s/outlets"' in page
    assert "示例" not in page.split("</header>")[1].split("<footer")[0]
    # Nothing of what went wrong reaches the follower.
    assert not {"timeout", "Traceback", "503", "9999"} & set(page.split())


def test_a_core_that_is_not_there_is_no_different(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    wiring = _wiring(replace(settings, core_api_base=address))
    began = time.monotonic()
    with pytest.raises(Failed) as failed:
        asking.ask(wiring, PROVIDERS["gold-price"], {})
    assert failed.value.why is Why.UNREACHABLE
    assert time.monotonic() - began < transport.CONNECT_SECONDS + 0.3


def test_an_address_that_swallows_every_packet_costs_half_a_second(settings: Settings) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        place = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(place)
        wiring = _wiring(replace(settings, core_api_base=f"http://127.0.0.1:{place[1]}"))
        began = time.monotonic()
        with pytest.raises(Failed):
            asking.ask(wiring, PROVIDERS["gold-price"], {})
        assert time.monotonic() - began < transport.TOTAL_SECONDS + 0.3
        for each in waiting:
            each.close()


def test_production_without_a_core_says_so_and_asks_nobody(settings: Settings) -> None:
    wiring = _wiring(Settings(environment="production", data_dir=settings.data_dir))
    assert not wiring.settings.core_api_base
    with pytest.raises(Failed) as failed:
        asking.ask(wiring, PROVIDERS["gold-price"], {})
    assert failed.value.why is Why.UNCONFIGURED


def test_the_breaker_opens_and_closes_again(
    corebank: CoreBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    corebank.bind()
    misbehave(corebank, "cut off")
    for _ in range(breaker.FAILURES - 1):
        assert "暂时查不到" in corebank.page("/s/account-balance")
    misbehave(corebank, "slow")
    assert timed(corebank, "/s/account-balance")[0] >= transport.TOTAL_SECONDS - 0.1
    calls = corebank.core.world.calls["/v1/customer/accounts"]
    seconds, page = timed(corebank, "/s/account-balance")
    print(f"breaker open: {seconds * 1000:.1f} ms")
    assert seconds < 0.2
    assert "暂时查不到" in page
    assert corebank.core.world.calls["/v1/customer/accounts"] == calls
    # Another provider of the same core has a breaker of its own.
    assert asking.breaker(corebank.wiring, "points-balance").state is State.CLOSED
    corebank.core.misbehave()
    assert "暂时查不到" in corebank.page("/s/account-balance")
    monkeypatch.setattr(breaker, "REST_SECONDS", 0.0)
    assert "可用余额" in corebank.page("/s/account-balance")
    assert asking.breaker(corebank.wiring, "account-balance").state is State.CLOSED
    told = journal.exposition().decode()
    for turned in ("open", "half_open", "closed"):
        labels = f'provider="account-balance",turned="{turned}"'
        assert f"account_provider_breakers_total{{{labels}}}" in told


def test_a_breaker_counts_failures_within_half_a_minute() -> None:
    now = [0.0]
    turned: list[State] = []
    guard = Breaker(turned=turned.append, now=lambda: now[0])
    for _ in range(10):
        now[0] += breaker.WITHIN_SECONDS / 4 + 1
        guard.failed()
    assert guard.state is State.CLOSED
    for _ in range(breaker.FAILURES):
        guard.failed()
    assert guard.state is State.OPEN
    assert not guard.admits()
    now[0] += breaker.REST_SECONDS
    assert guard.admits()
    assert not guard.admits()
    guard.failed()
    assert guard.state is State.OPEN
    now[0] += breaker.REST_SECONDS
    assert guard.admits()
    guard.succeeded()
    assert guard.admits()
    assert turned == [
        State.OPEN, State.HALF_OPEN, State.OPEN, State.HALF_OPEN, State.CLOSED
    ]  # fmt: skip


def test_what_is_the_same_for_all_is_asked_once_a_minute_and_may_grow_old(
    corebank: CoreBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        assert "示例金条" in corebank.page("/s/gold-price")
    assert corebank.core.world.calls["/v1/quotes/gold"] == 1
    misbehave(corebank, "cut off")
    present = time.monotonic()
    monkeypatch.setattr(asking.time, "monotonic", lambda: present + 61)
    page = corebank.page("/s/gold-price")
    assert "示例金条" in page
    assert "这是稍早前查到的结果" in page
    monkeypatch.setattr(asking.time, "monotonic", lambda: present + asking.STALE_SECONDS + 1)
    assert "暂时查不到" in corebank.page("/s/gold-price")


def test_no_connection_to_our_database_is_held_while_the_core_is_asked(
    corebank: CoreBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    corebank.bind()
    held: list[tuple[int, int]] = []
    asked = transport.exchanged

    def watched(*args: object) -> object:
        wiring = corebank.wiring
        taken = wiring.reader.pool.checkedout() - len(wiring._lines)  # type: ignore[attr-defined]  # both pools count
        held.append((wiring.engine.pool.checkedout(), taken))  # type: ignore[attr-defined]  # the same
        return asked(*args)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(transport, "exchanged", watched)
    for path in (
        "/s/account-balance", "/s/gold-price", "/s/account-statement?most=最近 50 笔",
        "/s/exchange-rates", "/s/deposit-calculator?amount=100&months=12", "/s/loan-rates",
    ):  # fmt: skip
        corebank.page(path)
    assert held == [(0, 0)] * 6


def test_one_process_waits_for_so_many_answers_and_no_more(corebank: CoreBank) -> None:
    corebank.bind()
    line = transport.line(corebank.wiring)
    for _ in range(transport.MOST_WAITING):
        assert line.seats.acquire(blocking=False)
    try:
        seconds, page = timed(corebank, "/s/account-balance")
    finally:
        for _ in range(transport.MOST_WAITING):
            line.seats.release()
    assert seconds < 0.3
    assert "暂时查不到" in page
    assert asking.breaker(corebank.wiring, "account-balance").state is State.CLOSED


def test_a_provider_is_never_asked_inside_a_transaction_of_the_worker(
    corebank: CoreBank,
) -> None:
    from service.delivery.ledger import Desk

    with pytest.raises(RuntimeError), Desk(corebank.wiring).unit():
        asking.ask(corebank.wiring, PROVIDERS["gold-price"], {})


def _wiring(settings: Settings) -> Wiring:
    from service.db import reading_engine

    engine = reading_engine("sqlite://")
    return Wiring(settings=settings, engine=engine, reader=engine, tables=Tables())


def test_nothing_the_webhook_answers_with_can_reach_a_provider() -> None:
    graph = grimp.build_graph("lightservices")
    asking_module = "lightservices.providers.transport"
    assert graph.chain_exists("lightservices.pages.query_pages", asking_module)
    assert not graph.chain_exists("lightservices.answers", asking_module)
