"""One token for everybody: fetched once, renewed in time, replaced when refused, never shown."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, text

from config import Settings
from service import clock
from service.wechat.errors import AccountRefused, TryLater, Unreachable
from service.wechat.gateway import gateway_of
from service.wechat.token import Credential, Deadline, Granted, SharedCredential, granted
from service.wiring import Wiring
from tests.service.delivery.wired import create_tables, wire
from tests.service.delivery.workers import processes
from tests.service.wechat.conftest import Account

STABLE = "/cgi-bin/stable_token"
TICKET = "/cgi-bin/ticket/getticket"


def start_cold(settings: Settings, together: Any, told: Any) -> None:
    """One process with eight threads that all need the token at the same moment."""
    wiring = wire(settings)
    failures: list[str] = []

    def call() -> None:
        together.wait()
        try:
            gateway_of(wiring).tags()
        except Exception as fault:
            failures.append(type(fault).__name__)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wiring.hang_up()
    told.put(failures)


def run_four_processes(settings: Settings) -> list[str]:
    context = processes()
    together, told = context.Barrier(32), context.Queue()
    started = [context.Process(target=start_cold, args=(settings, together, told)) for _ in "1234"]
    for process in started:
        process.start()
    failures = [failure for _ in started for failure in told.get(timeout=60)]
    for process in started:
        process.join(30)
    told.close()
    told.join_thread()
    return failures


def test_four_cold_processes_of_eight_threads_fetch_one_token(account_anywhere: Account) -> None:
    account = account_anywhere
    assert run_four_processes(account.wiring.settings) == []
    assert len(account.calls("/cgi-bin/tags/get")) == 32
    assert len(account.calls(STABLE)) == 1


def test_the_token_is_asked_for_without_ending_the_old_one(account: Account) -> None:
    account.gateway.tags()
    assert '"force_refresh": false' in account.calls(STABLE)[0]["request"]


def test_a_second_process_uses_what_the_first_has_stored(account: Account) -> None:
    account.gateway.tags()
    other = wire(account.wiring.settings)
    gateway_of(other).tags()
    other.hang_up()
    assert len(account.calls(STABLE)) == 1


def test_the_token_is_stored_sealed_and_another_key_cannot_read_it(account: Account) -> None:
    account.gateway.tags()
    with account.wiring.reading() as unit:
        sealed = unit.db.execute(select(Credential.sealed)).scalar_one()
    tokens = account.sandbox.world.tokens._known
    assert sealed
    assert all(token not in sealed for token in tokens)
    settings = account.wiring.settings
    changed = Settings(
        **{name: getattr(settings, name) for name in Settings.__dataclass_fields__}
        | {"secret_key": "another-secret-key-of-thirty-two-chars"}
    )
    other = wire(changed)
    gateway_of(other).tags()
    other.hang_up()
    assert len(account.calls(STABLE)) == 2


def test_a_refused_token_is_replaced_once_and_the_call_repeated_once(account: Account) -> None:
    account.gateway.tags()
    account.sandbox.world.tokens.revoke_all(account.sandbox.world.now())
    account.gateway.tags()
    assert len(account.calls(STABLE)) == 2


def test_another_process_with_the_refused_token_takes_the_new_one_over(account: Account) -> None:
    other = wire(account.wiring.settings)
    account.gateway.tags()
    gateway_of(other).tags()
    account.sandbox.world.tokens.revoke_all(account.sandbox.world.now())
    account.gateway.tags()
    gateway_of(other).tags()
    other.hang_up()
    assert len(account.calls(STABLE)) == 2


def test_40001_for_ever_costs_two_attempts_a_call_and_no_flood_of_tokens(account: Account) -> None:
    account.play("/cgi-bin/tags/get", "errcode", errcode=40001)
    for _ in range(5):
        with pytest.raises(Unreachable) as refused:
            account.gateway.tags()
        assert refused.value.errcode == 40001
    assert len(account.calls("/cgi-bin/tags/get")) == 10
    assert len(account.calls(STABLE)) <= 2


@pytest.mark.parametrize("errcode", [40014, 42001])
def test_the_other_codes_of_a_bad_token_are_treated_alike(account: Account, errcode: int) -> None:
    account.play("/cgi-bin/tags/get", "errcode", errcode=errcode, nth=1)
    account.gateway.tags()
    assert len(account.calls("/cgi-bin/tags/get")) == 2


def test_a_hung_token_endpoint_lets_every_caller_go_in_time(account: Account) -> None:
    account.play(STABLE, "hang", seconds=30)
    spent: list[float] = []

    def call() -> None:
        began = time.monotonic()
        with pytest.raises(TryLater):
            account.gateway.tags()
        spent.append(time.monotonic() - began)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(spent) == 8
    assert max(spent) <= 3.5


def test_a_server_that_may_not_ask_is_told_so_and_leaves_wechat_alone(account: Account) -> None:
    account.play(
        STABLE, "errcode", errcode=40164, errmsg="invalid ip 203.0.113.9, not in whitelist"
    )
    for _ in range(4):
        with pytest.raises(AccountRefused, match="白名单"):
            account.gateway.tags()
    assert len(account.calls(STABLE)) == 1


def test_a_wrong_secret_is_named_as_such(account: Account) -> None:
    account.play(STABLE, "errcode", errcode=40001)
    with pytest.raises(AccountRefused, match="AppSecret"):
        account.gateway.tags()


def test_the_ticket_is_shared_in_the_same_way(account: Account) -> None:
    other = wire(account.wiring.settings)
    assert account.gateway.jsapi_ticket() == gateway_of(other).jsapi_ticket()
    other.hang_up()
    assert len(account.calls(TICKET)) == len(account.calls(STABLE)) == 1


class Source:
    """A make-believe place to fetch values from, which counts and can fail."""

    def __init__(self, seconds: int = 7200) -> None:
        self.seconds = seconds
        self.fetches = 0
        self.fails = False

    def __call__(self, _deadline: Deadline) -> Granted:
        self.fetches += 1
        if self.fails:
            raise Unreachable(timedelta(seconds=1), "连接不上微信")
        return granted(f"value-{self.fetches}", self.seconds)


@pytest.fixture
def place(tmp_path: Path) -> Any:
    wiring = wire(Settings(data_dir=tmp_path))
    create_tables(wiring)
    yield wiring
    wiring.hang_up()


def soon() -> Deadline:
    return Deadline(0.3)


def test_a_value_is_renewed_before_it_ends_and_not_sooner(place: Wiring) -> None:
    source = Source()
    shared = SharedCredential(place, "x", source)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        assert shared.value(soon()) == "value-1"
        traveller.shift(timedelta(minutes=109))
        assert shared.value(soon()) == "value-1"
        traveller.shift(timedelta(minutes=4))
        assert shared.value(soon()) == "value-2"


def test_the_old_value_serves_while_a_new_one_cannot_be_had(place: Wiring) -> None:
    source = Source()
    shared = SharedCredential(place, "x", source)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        shared.value(soon())
        source.fails = True
        traveller.shift(timedelta(minutes=115))
        assert [shared.value(soon()) for _ in range(5)] == ["value-1"] * 5
        assert source.fetches == 2, "a failed renewal is not tried again at every call"
        traveller.shift(timedelta(minutes=6))
        shared._failure = None
        with pytest.raises(Unreachable):
            shared.value(soon())


def test_a_value_given_out_again_near_its_end_is_not_asked_for_at_every_call(
    place: Wiring,
) -> None:
    source = Source(seconds=400)
    shared = SharedCredential(place, "x", source)
    for _ in range(10):
        shared.value(soon())
    assert source.fetches == 1


def test_while_another_process_fetches_the_old_value_serves_and_a_cold_caller_waits(
    place: Wiring,
) -> None:
    source = Source()
    shared = SharedCredential(place, "x", source)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        shared.value(soon())
        traveller.shift(timedelta(minutes=115))
        taken = {"lease_by": "other", "lease_until": clock.now() + timedelta(seconds=5)}
        shared._update(**taken)
        assert shared.value(soon()) == "value-1"
        shared._update(expires_at=clock.now())
        shared._kept = None
        with pytest.raises(Unreachable):
            shared.value(soon())
        traveller.shift(timedelta(seconds=6))
        assert shared.value(soon()) == "value-2", "the lease of a killed process ends"


def test_only_the_failing_value_is_forgotten(place: Wiring) -> None:
    source = Source()
    shared = SharedCredential(place, "x", source)
    shared.value(soon())
    shared.forget("some other value", soon())
    assert shared.value(soon()) == "value-1"
    shared.forget("value-1", soon())
    assert shared.value(soon()) == "value-2"
    shared.forget("value-1", soon())
    assert shared.value(soon()) == "value-2"


def test_no_value_shows_itself(place: Wiring) -> None:
    shared = SharedCredential(place, "x", Source())
    shared.value(soon())
    assert "value-1" not in f"{shared!r} {vars(shared)!r} {shared._stored()!r}"
    with place.reading() as unit:
        kept = unit.db.execute(text("SELECT * FROM credentials")).one()
    assert "value-1" not in str(kept)
