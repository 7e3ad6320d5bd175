"""What a bound follower reads, masked and kept nowhere, and what everybody may read."""

from __future__ import annotations

import logging
import re
from decimal import Decimal

import pytest
from marshmallow import ValidationError
from sqlalchemy import MetaData, select

from lightservices.pages import script
from lightservices.providers.accounts import AccountsShape, CardsShape, StatementShape, money
from lightservices.providers.registry import PROVIDERS
from lightservices.providers.shapes import masked
from service.db import db
from tests.lightservices.corebank import CoreBank, core_site, corebank

__all__ = ["core_site", "corebank"]

OWN = ("account-balance", "account-statement", "card-status", "application-progress",
       "points-balance")  # fmt: skip
FOR_ALL = ("service-fees", "gold-price", "exchange-rates", "deposit-rates", "loan-rates")


@pytest.mark.parametrize("key", OWN)
def test_a_bound_follower_reads_their_own_and_nobody_keeps_it(corebank: CoreBank, key: str) -> None:
    corebank.bind()
    answer = corebank.client.get(f"/s/{key}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers
    assert "示例数据，不是真实的账户和价格" in answer.text
    assert "数据时间" in answer.text
    assert 'property="og:' not in answer.text
    assert not re.search(r"(?<![\dA-Za-z])\d{9,}(?![\dA-Za-z])", answer.text)


@pytest.mark.parametrize("key", FOR_ALL)
def test_what_is_for_everybody_needs_no_binding(corebank: CoreBank, key: str) -> None:
    page = corebank.page(f"/s/{key}")
    assert "示例" in page
    # A table of rates that is a sample is nobody's word, so that it names no source.
    is_rates = key.endswith("-rates")
    assert ("来自银行核心系统" in page) is not is_rates
    assert ("本行还没有公布数字" in page) is is_rates


def test_figures_of_a_customer_reach_no_table_and_no_log(
    corebank: CoreBank, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        corebank.bind()
        person_pages = [corebank.page(f"/s/{key}") for key in OWN]
        corebank.client.get("/s/account-balance", headers={"Accept-Language": "zh-HK"})
        corebank.core.misbehave({"path": "/v1/*", "do": "wrong_type"})
        corebank.page("/s/account-balance")
    finally:
        logging.getLogger().setLevel(logging.INFO)
    figures = set(re.findall(r'class="figure">([\d,.]+)', "".join(person_pages)))
    figures = {figure for figure in figures if len(figure) >= 5}
    assert figures
    told = capsys.readouterr()
    stored = _dumped(corebank)
    token = next(iter(corebank.core.world.customers))
    for secret in (*figures, *(figure.replace(",", "") for figure in figures), token):
        assert secret not in told.out + told.err
        assert secret not in stored
    # Nor does the memory for pages in Traditional characters hold it.
    assert not any(figure in str(key) for figure in figures for key in _remembered())


def _dumped(bank: CoreBank) -> str:
    metadata: MetaData = db.metadata
    with bank.wiring.reading() as unit:
        return "\n".join(
            str(tuple(row)) for table in metadata.sorted_tables if table.name != "outlets"
            for row in unit.db.execute(select(table))
        )  # fmt: skip


def _remembered() -> list[object]:
    import gc

    held = [one for one in gc.get_referents(script.converted) if isinstance(one, dict)]
    return [key for one in held for key in one]


def test_a_statement_is_as_long_as_asked_for(corebank: CoreBank) -> None:
    corebank.bind()
    assert corebank.page("/s/account-statement").count("<tr>") == 11
    assert corebank.page("/s/account-statement?most=最近 20 笔").count("<tr>") == 21
    assert "请重新选择" in corebank.page("/s/account-statement?most=全部")


def test_numbers_of_accounts_cards_and_people_are_masked_whoever_let_them_through() -> None:
    assert masked("转给 6222021234567890123 张三") == "转给 尾号 0123 张三"
    assert masked("卡 6222 0212 3456 7890") == "卡 尾号 7890"
    assert masked("证件 31010119900101001X") == "证件 尾号 001X"
    assert masked("电话 13800138000") == "电话 尾号 8000"
    assert masked("2026-11-22 消费 1234.56 元") == "2026-11-22 消费 1234.56 元"


@pytest.mark.parametrize(
    ("field", "value"),
    [("available", 12.5), ("available", "1e9"), ("available", "NaN"), ("available", None),
     ("tail", "12345"), ("tail", 1234), ("tail", "123a"), ("currency", "元"),
     ("name", "x" * 25), ("name", "")],
)  # fmt: skip
def test_an_account_of_another_shape_is_refused(field: str, value: object) -> None:
    account = {"name": "借记卡", "tail": "1234", "currency": "CNY", "available": "1.00"}
    whole = {"as_of": "2026-11-22T10:00:00+08:00", "accounts": [account]}
    assert AccountsShape().load(whole)["accounts"][0]["available"] == Decimal("1.00")
    with pytest.raises(ValidationError):
        AccountsShape().load(whole | {"accounts": [account | {field: value}]})


def test_answers_without_a_zone_a_list_or_a_known_state_are_refused() -> None:
    for shape, wrong in (
        (AccountsShape, {"as_of": "2026-11-22T10:00:00", "accounts": []}),
        (AccountsShape, {"as_of": "2026-11-22T10:00:00Z", "accounts": {}}),
        (AccountsShape, []),
        (StatementShape, {"as_of": "2026-11-22T10:00:00Z", "entries": [None]}),
        (CardsShape, {"as_of": "2026-11-22T10:00:00Z",
                      "cards": [{"name": "卡", "tail": "1234", "state": "new",
                                 "since": "2020-01-01"}]}),
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            shape().load(wrong)


def test_amounts_are_read_as_people_write_them() -> None:
    assert money(Decimal("1234567.8")) == "1,234,567.80"
    assert money(Decimal("-12")) == "-12.00"
    assert money(Decimal("0.1234")) == "0.1234"


def test_every_provider_is_named_by_a_service_or_used_by_a_page() -> None:
    from lightservices import catalogue

    named = {service.provider for service in catalogue.services().values()}
    assert set(PROVIDERS) - named == {"outlet-queue"}
