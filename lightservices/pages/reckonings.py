"""The calculators for paying back early, for changing money, and for paying in parts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from flask import Response, request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

from lightservices.catalogue import Service
from lightservices.conversions import Conversion, Way, converted
from lightservices.installments import Plan, cost
from lightservices.loans import Loan, Method
from lightservices.pages.calculators import METHODS, asked_by, number
from lightservices.pages.queries import related_to
from lightservices.pages.shell import page
from lightservices.prepayments import Keep, Prepayment, reckon
from lightservices.visit import Visitor
from lightservices.wording import NUMBER_FAULTS
from service.wiring import Unit

KEEPS: Final = {Keep.INSTALMENT: "月供不变，缩短年限", Keep.TERM: "年限不变，减少月供"}
WAYS: Final = {Way.SELL: "外币换人民币", Way.BUY: "按外币数买", Way.SPEND: "按人民币数买"}
#: How many parts cards offer.
PARTS: Final = (3, 6, 9, 12, 18, 24, 36)
_FAULTS: Final = NUMBER_FAULTS | {"required": "请填写这一项"}
_CENT: Final = Decimal("0.01")


def _whole(low: int, high: int, unit: str) -> fields.Integer:
    return fields.Integer(
        required=True,
        error_messages=_FAULTS,
        validate=validate.Range(min=low, max=high, error=f"应在 {low} 到 {high} {unit}之间"),
    )


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


class PrepaymentInput(_Form):
    """The loan as it was, months paid, ten thousands of yuan paid early."""

    amount = number("0.1", "10000")
    years = _whole(1, 30, "年")
    rate = number("0", "24")
    method = fields.Enum(Method, by_value=True, load_default=Method.EQUAL_INSTALMENT)
    paid = _whole(0, 359, "期")
    lump = number("0.01", "10000")
    keep = fields.Enum(Keep, by_value=True, load_default=Keep.INSTALMENT)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Prepayment:
        months = data["years"] * 12
        if data["paid"] >= months:
            raise ValidationError(f"应小于 {months} 期，否则已经还清", "paid")
        principal = (data["amount"] * 10_000).quantize(_CENT)
        loan = Loan(principal, data["rate"], months, data["method"])
        return Prepayment(loan, data["paid"], (data["lump"] * 10_000).quantize(_CENT), data["keep"])


class ConversionInput(_Form):
    """An amount and the price for one or a hundred units."""

    way = fields.Enum(Way, by_value=True, load_default=Way.SELL)
    amount = number("0.01", "100000000")
    price = number("0.0001", "1000000")
    unit = fields.Integer(load_default=100, validate=validate.OneOf((1, 100)))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Conversion:
        return Conversion(**data)


class PlanInput(_Form):
    """Yuan, months, per cent of the whole amount a month."""

    amount = number("1", "10000000")
    parts = fields.Integer(
        required=True, error_messages=_FAULTS, validate=validate.OneOf(PARTS, error="请选择期数")
    )
    fee = number("0", "5")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Plan:
        return Plan(data["amount"].quantize(_CENT), data["parts"], data["fee"])


def prepayment(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """What paying back early saves."""
    asked, faults = asked_by(PrepaymentInput())
    return page(
        "prepayment", visitor, title=service.title, service=service,
        related=related_to(unit, visitor, service), form=request.args,
        faults=faults, asked=asked, methods=METHODS, keeps=KEEPS,
        outcome=reckon(asked) if asked else None,
    )  # fmt: skip


def exchange(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """What an amount comes to at the price the visitor read."""
    asked, faults = asked_by(ConversionInput())
    return page(
        "conversion", visitor, title=service.title, service=service,
        related=related_to(unit, visitor, service), form=request.args,
        faults=faults, asked=asked, ways=WAYS, result=converted(asked) if asked else None,
    )  # fmt: skip


def installment(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """What paying in parts costs, and the yearly rate it comes to."""
    asked, faults = asked_by(PlanInput())
    return page(
        "installment", visitor, title=service.title, service=service,
        related=related_to(unit, visitor, service), form=request.args,
        faults=faults, asked=asked, parts=PARTS, result=cost(asked) if asked else None,
    )  # fmt: skip
