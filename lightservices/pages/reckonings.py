"""The calculators for paying back early, for changing money, and for paying in parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from flask import Response, request
from marshmallow import ValidationError, fields, post_load, validate

from lightservices.catalogue import Service
from lightservices.conversions import Conversion, Way, converted
from lightservices.installments import Plan, cost
from lightservices.loans import CENT, Loan, Method
from lightservices.pages import rate_pages
from lightservices.pages.calculators import (
    FAULTS,
    METHODS,
    TEN_THOUSAND,
    Form,
    asked_by,
    line_used,
    number,
    whole,
)
from lightservices.pages.later import Later
from lightservices.pages.queries import related_to
from lightservices.pages.shell import page
from lightservices.prepayments import Keep, Prepayment, reckon
from lightservices.rates import Rate
from lightservices.visit import Visitor
from service.wiring import Unit, Wiring

KEEPS: Final = {Keep.INSTALMENT: "月供不变，缩短年限", Keep.TERM: "年限不变，减少月供"}
WAYS: Final = {Way.SELL: "外币换人民币", Way.BUY: "按外币数买", Way.SPEND: "按人民币数买"}
#: Foreign notes and coins, which banks buy for less than money on an account.
CASH: Final = "cash"
#: How many parts cards offer.
PARTS: Final = (3, 6, 9, 12, 18, 24, 36)


class PrepaymentInput(Form):
    """The loan as it was, months paid, ten thousands of yuan paid early."""

    amount = number("0.1", "10000")
    years = whole(1, 30, "年")
    rate = number("0", "24")
    method = fields.Enum(Method, by_value=True, load_default=Method.EQUAL_INSTALMENT)
    paid = whole(0, 359, "期")
    lump = number("0.01", "10000")
    keep = fields.Enum(Keep, by_value=True, load_default=Keep.INSTALMENT)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Prepayment:
        months = data["years"] * 12
        if data["paid"] >= months:
            raise ValidationError(f"应小于 {months} 期，否则已经还清", "paid")
        principal = (data["amount"] * TEN_THOUSAND).quantize(CENT)
        loan = Loan(principal, data["rate"], months, data["method"])
        return Prepayment(
            loan, data["paid"], (data["lump"] * TEN_THOUSAND).quantize(CENT), data["keep"]
        )


class ConversionInput(Form):
    """An amount and the price for one or a hundred units."""

    way = fields.Enum(Way, by_value=True, load_default=Way.SELL)
    amount = number("0.01", "100000000")
    price = number("0.0001", "1000000")
    unit = fields.Integer(load_default=100, validate=validate.OneOf((1, 100, 10_000)))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Conversion:
        return Conversion(**data)


class PlanInput(Form):
    """Yuan, months, per cent of the whole amount a month."""

    amount = number("1", "10000000")
    parts = fields.Integer(
        required=True, error_messages=FAULTS, validate=validate.OneOf(PARTS, error="请选择期数")
    )
    fee = number("0", "5")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Plan:
        return Plan(data["amount"].quantize(CENT), data["parts"], data["fee"])


def prepayment(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """What paying back early saves."""
    asked, faults = asked_by(PrepaymentInput())
    return page(
        "prepayment", visitor, title=service.title, service=service,
        related=related_to(unit, visitor, service), form=request.args,
        faults=faults, asked=asked, methods=METHODS, keeps=KEEPS,
        outcome=reckon(asked) if asked else None,
    )  # fmt: skip


def exchange(unit: Unit, visitor: Visitor, service: Service) -> Later:
    """What an amount comes to, at the published price or at the one the visitor read."""
    values = {"service": service, "related": related_to(unit, visitor, service)}
    wiring = unit.wiring
    return Later(lambda: _exchange(wiring, visitor, values))


def _exchange(wiring: Wiring, visitor: Visitor, values: Mapping[str, Any]) -> Response:
    told = rate_pages.known(wiring, "exchange")
    used = line_used(told, request.args.get("currency", ""), "price")
    name, price = _price_of(used)
    asked, faults = asked_by(ConversionInput(), otherwise=price)
    if used is not None and asked is not None:
        asked = replace(asked, unit=used.unit)
    return page(
        "conversion", visitor, title=values["service"].title, form=request.args, faults=faults,
        asked=asked, ways=WAYS, result=converted(asked) if asked else None, told=told, used=used,
        used_price=name, **values,
    )  # fmt: skip


def _price_of(used: Rate | None) -> tuple[str, Mapping[str, str]]:
    """Which of a currency's prices is meant, in words, and as the form would hold it."""
    if used is None:
        return "", {}
    if request.args.get("way", Way.SELL) != Way.SELL:
        name, price = "卖出价", used.selling
    elif request.args.get("held") == CASH:
        name, price = "现钞买入价", used.cash_buying
    else:
        name, price = "现汇买入价", used.buying
    return name, {} if price is None else {"price": str(price)}


def installment(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """What paying in parts costs, and the yearly rate it comes to."""
    asked, faults = asked_by(PlanInput())
    return page(
        "installment", visitor, title=service.title, service=service,
        related=related_to(unit, visitor, service), form=request.args,
        faults=faults, asked=asked, parts=PARTS, result=cost(asked) if asked else None,
    )  # fmt: skip
