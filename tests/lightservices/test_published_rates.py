"""Rates of either source: how old they are is always said, and when nobody answers, the last."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import time_machine
from marshmallow import ValidationError

import config
from config import Settings
from lightservices import rates
from lightservices.ages import age, age_in_days
from lightservices.providers import asking, breaker, last_heard, quoting, transport
from lightservices.providers.breaker import State
from lightservices.providers.last_heard import Heard
from lightservices.providers.published import ExchangesShape, Published, RatesShape
from lightservices.rates import Rate
from service import clock
from tests.lightservices.conftest import Site
from tests.lightservices.corebank import CoreBank, core_site, corebank
from tests.lightservices.test_provider_faults import FAULTS, PAGE_SECONDS, misbehave, timed

__all__ = ["core_site", "corebank"]

TABLES = ("exchange", "deposit", "loan")
#: What stands in the place of a number that the bank did not publish.
SAMPLED = '<span class="sample">示例</span>'
STALE = "系统暂时没有回应，下面是最后查到的数据"


@pytest.fixture
def without_memory(corebank: CoreBank, monkeypatch: pytest.MonkeyPatch) -> CoreBank:
    """A process that keeps no answer, as if each page came from one that has just begun."""
    monkeypatch.setattr(asking, "_keep", lambda *_: None)
    return corebank


@pytest.fixture
def imported(corebank: CoreBank) -> Iterator[CoreBank]:
    """The bank imported a table of deposits today; afterwards it has the sample again."""
    line = Rate("deposit", clock.today(), "m12", "定期 1 年", annual_percent=Decimal("1.35"))
    with corebank.wiring.unit() as unit:
        rates.publish(unit, [line])
    yield corebank
    with corebank.wiring.unit() as unit:
        rates.publish(unit, rates.check(Path(rates.__file__).parent / "packs/sample-rates.csv"))


def heard(bank: CoreBank, table: str) -> Path:
    return bank.wiring.settings.data_dir / f"last-heard-{table}-rates.json"


def grow_old(bank: CoreBank, table: str, by: timedelta) -> None:
    said = json.loads(heard(bank, table).read_text("utf-8"))
    said["as_of"] = (clock.now() - by).isoformat()
    heard(bank, table).write_text(json.dumps(said), "utf-8")


def test_the_setting_says_where_rates_come_from(site: Site, corebank: CoreBank) -> None:
    for table in TABLES:
        asked = sum(corebank.core.world.calls.values())
        imported_page = site.visitor().get(f"/s/{table}-rates").text
        assert sum(corebank.core.world.calls.values()) == asked
        page = corebank.page(f"/s/{table}-rates")
        # Both are samples: neither says whose numbers they are, as if somebody had published them.
        for one in (imported_page, page):
            assert SAMPLED in one
            assert "来自" not in one
            assert "公布日期" not in one
            assert "数据时间" not in one
    assert corebank.core.world.calls["/v1/quotes/exchange"] == 1
    assert corebank.core.world.calls["/v1/rates"] == 2


def test_rates_from_a_core_need_a_core() -> None:
    made = Settings(environment="production", rates_source="core")
    assert "RATES_SOURCE" in config.faults(made)
    assert "RATES_SOURCE" not in config.faults(replace(made, core_api_base="https://core.bank"))


@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_last_heard_stands_in_with_its_age(without_memory: CoreBank, fault: str) -> None:
    bank = without_memory
    assert SAMPLED in bank.page("/s/exchange-rates")
    grow_old(bank, "exchange", timedelta(hours=3, minutes=5))
    misbehave(bank, fault)
    seconds, page = timed(bank, "/s/exchange-rates")
    print(f"{fault}: {seconds * 1000:.0f} ms")
    assert seconds < PAGE_SECONDS
    assert f"{STALE}（3 小时前）" in page
    assert SAMPLED in page
    assert "暂时查不到" not in page


def test_what_is_too_old_stands_in_for_nothing(without_memory: CoreBank) -> None:
    bank = without_memory
    for table in TABLES:
        bank.page(f"/s/{table}-rates")
        grow_old(bank, table, quoting.WORTH[table] + timedelta(hours=1))
    misbehave(bank, "cut off")
    for table in TABLES:
        page = bank.page(f"/s/{table}-rates")
        assert "暂时查不到" in page
        assert SAMPLED not in page


def test_the_newer_of_the_imported_table_and_of_what_was_heard_stands_in(
    imported: CoreBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_keep", lambda *_: None)
    imported.page("/s/deposit-rates")
    misbehave(imported, "cut off")
    assert SAMPLED in imported.page("/s/deposit-rates")
    grow_old(imported, "deposit", timedelta(days=2))
    page = imported.page("/s/deposit-rates")
    assert f"{STALE}（今天）" in page
    assert "1.35%" in page
    assert "来自本行公布的数据" in page
    assert SAMPLED not in page


def test_a_sample_stands_in_for_nothing_where_a_bank_is_at_work(tmp_path: Path) -> None:
    trial = Settings(data_dir=tmp_path)
    line = Rate("loan", clock.today(), "home", "住房贷款", annual_percent=Decimal("3.1"))
    answer = Published((), clock.now(), "样例", lines=(line,))
    for sample, environment, stands in (
        (True, "development", True), (True, "production", False), (False, "production", True),
    ):  # fmt: skip
        path = tmp_path / "last-heard-loan-rates.json"
        written = last_heard._written(Heard(replace(answer, sample=sample), clock.now()))
        path.write_text(json.dumps(written), "utf-8")
        settings = replace(trial, environment=environment)
        assert (quoting.without_database(settings, "loan") is not None) is stands


def test_an_imported_table_stands_in_for_as_long_as_it_was_heard_of_lately(
    site: Site, tmp_path: Path
) -> None:
    """A bank changes its rates of deposits once in years: their own day says nothing here."""
    wiring = replace(
        site.wiring, settings=replace(site.wiring.settings, data_dir=tmp_path), shelf={}
    )
    told = quoting.told(wiring, "deposit")
    assert told.by_day
    assert clock.now() - told.as_of > quoting.WORTH["deposit"]
    last = quoting.without_database(wiring.settings, "deposit")
    assert last is not None
    assert (last.is_stale, last.lines) == (True, told.lines)
    month = quoting.WORTH["deposit"] + timedelta(hours=1)
    with time_machine.travel(clock.now() + month, tick=False):
        assert quoting.without_database(wiring.settings, "deposit") is None
        last_heard.keep(wiring, "deposit", told)
        assert quoting.without_database(wiring.settings, "deposit") is not None


def test_what_could_not_be_written_down_is_written_with_the_next_answer(
    site: Site, tmp_path: Path
) -> None:
    settings = replace(site.wiring.settings, data_dir=tmp_path / "not there yet")
    wiring = replace(site.wiring, settings=settings, shelf={})
    line = Rate("loan", clock.today(), "home", "住房贷款", annual_percent=Decimal("3.1"))
    answer = Published((), clock.now(), "银行核心系统", lines=(line,))
    last_heard.keep(wiring, "loan", answer)
    assert last_heard.load(settings, "loan") is None
    settings.data_dir.mkdir()
    last_heard.keep(wiring, "loan", answer)
    found = last_heard.load(settings, "loan")
    assert found is not None
    assert found.answer == answer


@pytest.mark.parametrize(
    "said", ["", "[]", "{", '{"as_of": 5, "lines": []}', '{"as_of": "2026-01-01", "lines": [{}]}']
)
def test_a_broken_file_is_as_none(without_memory: CoreBank, said: str) -> None:
    heard(without_memory, "exchange").write_text(said, "utf-8")
    misbehave(without_memory, "cut off")
    assert "暂时查不到" in without_memory.page("/s/exchange-rates")


def test_the_breaker_before_the_rates_opens_and_closes(
    without_memory: CoreBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = without_memory
    bank.page("/s/loan-rates")
    misbehave(bank, "cut off")
    for _ in range(breaker.FAILURES):
        assert STALE in bank.page("/s/loan-rates")
    calls = bank.core.world.calls["/v1/rates"]
    seconds, page = timed(bank, "/s/loan-rates")
    assert seconds < 0.3
    assert STALE in page
    assert bank.core.world.calls["/v1/rates"] == calls
    assert asking.breaker(bank.wiring, "deposit-rates").state is State.CLOSED
    bank.core.misbehave()
    monkeypatch.setattr(breaker, "REST_SECONDS", 0.0)
    assert STALE not in bank.page("/s/loan-rates")
    assert asking.breaker(bank.wiring, "loan-rates").state is State.CLOSED


QUOTE = {"code": "USD", "name": "美元", "unit": 100, "buying": "700.1", "selling": "703"}
LINE = {"code": "m12", "name": "定期 1 年", "annual_percent": "1.35"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("code", "usd"), ("code", "US"), ("unit", 7), ("unit", "100"), ("unit", None),
     ("buying", "-1"), ("buying", 700.1), ("buying", "１"), ("buying", "1e3"), ("buying", None),
     ("selling", ""), ("cash_buying", "x"), ("name", "")],
)  # fmt: skip
def test_a_price_of_another_shape_is_refused(field: str, value: object) -> None:
    whole = {"as_of": "2026-11-22T10:00:00+08:00", "quotes": [QUOTE]}
    assert ExchangesShape().load(whole)["quotes"][0]["cash_buying"] is None
    with pytest.raises(ValidationError):
        ExchangesShape().load(whole | {"quotes": [QUOTE | {field: value}]})


@pytest.mark.parametrize(
    ("field", "value"),
    [("annual_percent", "100"), ("annual_percent", "-1"), ("annual_percent", 1.35),
     ("code", "a b"), ("code", "")],
)  # fmt: skip
def test_a_rate_of_another_shape_is_refused(field: str, value: object) -> None:
    whole = {"as_of": "2026-11-22T10:00:00+08:00", "rates": [LINE]}
    assert RatesShape().load(whole)["rates"][0]["annual_percent"] == Decimal("1.35")
    with pytest.raises(ValidationError):
        RatesShape().load(whole | {"rates": [LINE | {field: value}]})


@pytest.mark.parametrize(
    ("path", "result", "said"),
    [
        ("deposit-calculator?amount=10000&months=12", "111.00", "示例数字“定期 1 年”"),
        ("loan-calculator?amount=50&years=10&kind=home-first", "4,404.12", "首套住房贷款"),
        ("exchange-calculator?amount=500&currency=USD", "555.55", "美元的现汇买入价"),
        ("exchange-calculator?amount=500&currency=USD&held=cash", "555.55", "现钞买入价"),
        ("exchange-calculator?way=buy&amount=500&currency=JPY", "555.55", "日元的卖出价"),
    ],
)
def test_a_calculator_takes_the_published_rate_where_none_was_typed(
    corebank: CoreBank, path: str, result: str, said: str
) -> None:
    page = corebank.page(f"/s/{path}")
    assert f'class="figure">{result}' in page
    assert said in page
    assert "用示例数字试算" in page


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("deposit-calculator?amount=10000&months=12&rate=2", "200.00"),
        ("exchange-calculator?amount=500&currency=USD&price=700&unit=100", "3,500.00"),
    ],
)
def test_what_was_typed_counts_before_what_is_published(
    corebank: CoreBank, path: str, result: str
) -> None:
    page = corebank.page(f"/s/{path}")
    assert f'class="figure">{result}' in page
    assert "示例" not in page.split('id="result"')[1].split("</div>\n<p class")[0]


def test_a_calculator_goes_on_without_rates(corebank: CoreBank) -> None:
    misbehave(corebank, "silent")
    began = time.monotonic()
    assert 'class="figure">200.00' in corebank.page(
        "/s/deposit-calculator?amount=10000&months=12&rate=2"
    )
    assert time.monotonic() - began < PAGE_SECONDS
    misbehave(corebank, "cut off")
    assert "请填写这一项" in corebank.page("/s/deposit-calculator?amount=10000&months=12")
    assert 'name="currency"' not in corebank.page("/s/exchange-calculator")


def test_an_import_is_on_the_page_with_the_next_request(site: Site) -> None:
    line = Rate("loan", clock.today(), "home", "住房贷款（新）", annual_percent=Decimal("3.05"))
    before = rates.check(Path(rates.__file__).parent / "packs/sample-rates.csv")
    try:
        with site.wiring.unit() as unit:
            rates.publish(unit, [line])
        page = site.visitor().get("/s/loan-rates").text
        assert "住房贷款（新）" in page
        assert "（今天）" in page
    finally:
        with site.wiring.unit() as unit:
            rates.publish(unit, before)


def test_ages_are_told_as_people_tell_them() -> None:
    now = clock.now()
    for seconds, said in (
        (-30, "刚刚"), (59, "刚刚"), (60, "1 分钟前"), (3599, "59 分钟前"), (3601, "1 小时前"),
        (86_401, "1 天前"), (10 * 86_401, "10 天前"),
    ):  # fmt: skip
        assert age(now - timedelta(seconds=seconds)) == said
    today = clock.today()
    assert [age_in_days(today - timedelta(days=days)) for days in (-1, 0, 1, 5)] == [
        "今天", "今天", "昨天", "5 天前",
    ]  # fmt: skip
    assert transport.TOTAL_SECONDS < PAGE_SECONDS
