"""We stop before WeChat refuses, in all processes together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from service.delivery import quotas
from service.delivery.quotas import Allowance, Quota
from service.wechat.errors import QuotaSpent
from service.wiring import Wiring

LIST = "/cgi-bin/user/get"  # 500 a day, published
NOON = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def spend_all(allowance: Allowance, path: str) -> int:
    count = 0
    while True:
        try:
            allowance.spend(path)
        except QuotaSpent:
            return count
        count += 1


def test_several_processes_together_spend_the_limit_exactly(wired: Wiring) -> None:
    processes = [Allowance(wired) for _ in range(3)]
    spent: list[int] = []
    threads = [
        threading.Thread(target=lambda each=each: spent.append(spend_all(each, LIST)))
        for each in processes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(spent) == 500


def test_the_day_ends_at_midnight_in_china(wired: Wiring, noon: time_machine.Traveller) -> None:
    allowance = Allowance(wired)
    spend_all(allowance, LIST)
    with pytest.raises(QuotaSpent) as refused:
        allowance.spend(LIST)
    assert refused.value.after == timedelta(hours=12)
    noon.shift(refused.value.after)
    allowance.spend(LIST)


def test_a_refusal_of_wechats_holds_for_every_process_until_wechat_takes_it_back(
    wired: Wiring,
) -> None:
    first, second = Allowance(wired), Allowance(wired)
    first.spend(LIST)
    first.exhausted(LIST)
    for allowance in (first, second):
        with pytest.raises(QuotaSpent):
            allowance.spend(LIST)
    first.learn(LIST, Quota(daily_limit=500, used=3, remain=497))
    first.spend(LIST)


def test_a_refusal_just_after_midnight_may_be_yesterdays(
    wired: Wiring, noon: time_machine.Traveller
) -> None:
    noon.move_to(datetime(2026, 5, 4, 16, 0, 5, tzinfo=UTC))
    allowance = Allowance(wired)
    allowance.spend(LIST)
    allowance.exhausted(LIST)
    allowance.spend(LIST)


def test_a_learned_limit_holds_on_the_days_after(
    wired: Wiring, noon: time_machine.Traveller
) -> None:
    Allowance(wired).learn(LIST, Quota(daily_limit=2, used=0, remain=2))
    noon.shift(timedelta(days=1))
    assert spend_all(Allowance(wired), LIST) == 2


def test_what_others_used_of_our_quota_counts(wired: Wiring) -> None:
    allowance = Allowance(wired)
    allowance.learn(LIST, Quota(daily_limit=500, used=498, remain=2))
    assert spend_all(allowance, LIST) == 2


def test_a_call_without_a_known_limit_is_counted_and_never_refused(wired: Wiring) -> None:
    allowance = Allowance(wired)
    for _ in range(45):
        allowance.spend("/cgi-bin/tags/getidlist")
    with wired.reading() as unit:
        [row] = quotas.used_today(unit)
    assert 45 <= row.reserved < 45 + 20


def test_a_busy_call_costs_the_database_one_write_in_fifty(wired: Wiring) -> None:
    allowance = Allowance(wired)
    for _ in range(51):
        allowance.spend("/cgi-bin/message/template/send")
    with wired.reading() as unit:
        [row] = quotas.used_today(unit)
    assert row.reserved == 100


def test_counts_older_than_a_month_go(wired: Wiring, noon: time_machine.Traveller) -> None:
    Allowance(wired).spend(LIST)
    noon.shift(timedelta(days=31))
    with wired.unit() as unit:
        quotas.tidy(unit)
    noon.shift(timedelta(days=-31))
    with wired.reading() as unit:
        assert quotas.used_today(unit) == []
