"""The loan and deposit calculators: forms that ask by GET, so that they work without a script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from flask import Response, request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

from lightservices.catalogue import Service
from lightservices.deposits import TERMS, Deposit, term_label, yield_of
from lightservices.loans import Instalment, Loan, Method, Repayment, repayment
from lightservices.pages.queries import related_to
from lightservices.pages.shell import page
from lightservices.visit import Visitor
from lightservices.wording import NUMBER_FAULTS, messages
from service.wiring import Unit

_TEN_THOUSAND: Final = 10_000
_FAULTS: Final = NUMBER_FAULTS | {"required": "请填写这一项"}
METHODS: Final = {Method.EQUAL_INSTALMENT: "等额本息", Method.EQUAL_PRINCIPAL: "等额本金"}


@dataclass(frozen=True, slots=True)
class Year:
    """What one year of a loan comes to, in yuan."""

    number: int
    principal: Decimal
    interest: Decimal
    balance: Decimal


def number(low: str, high: str) -> fields.Decimal:
    return fields.Decimal(
        required=True,
        error_messages=_FAULTS,
        validate=validate.Range(
            min=Decimal(low), max=Decimal(high), error=f"应在 {low} 到 {high} 之间"
        ),
    )


class LoanInput(Schema):
    """The loan form: ten thousands of yuan, years, per cent a year."""

    class Meta:
        unknown = EXCLUDE

    amount = number("0.1", "10000")
    years = fields.Integer(
        required=True,
        error_messages=_FAULTS,
        validate=validate.Range(min=1, max=30, error="应在 1 到 30 年之间"),
    )
    rate = number("0", "24")
    method = fields.Enum(Method, by_value=True, load_default=Method.EQUAL_INSTALMENT)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Loan:
        principal = (data["amount"] * _TEN_THOUSAND).quantize(Decimal("0.01"))
        return Loan(principal, data["rate"], data["years"] * 12, data["method"])


class DepositInput(Schema):
    """The deposit form: yuan, months, per cent a year."""

    class Meta:
        unknown = EXCLUDE

    amount = number("50", "100000000")
    months = fields.Integer(
        required=True,
        error_messages=_FAULTS,
        validate=validate.OneOf(TERMS, error="请选择存期"),
    )
    rate = number("0", "10")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Deposit:
        principal = data["amount"].quantize(Decimal("0.01"))
        return Deposit(principal, data["rate"], data["months"])


def loan(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """The loan calculator, with its answer when it was asked."""
    asked, faults = asked_by(LoanInput())
    return page(
        "loan",
        visitor,
        title=service.title,
        service=service,
        related=related_to(unit, visitor, service),
        form=request.args,
        faults=faults,
        loan=asked,
        methods=METHODS,
        repayment=(answer := repayment(asked) if asked else None),
        years=list(_years(answer)) if answer else (),
    )


def deposit(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """The deposit calculator, with its answer when it was asked."""
    asked, faults = asked_by(DepositInput())
    return page(
        "deposit",
        visitor,
        title=service.title,
        service=service,
        related=related_to(unit, visitor, service),
        form=request.args,
        faults=faults,
        deposit=asked,
        terms={months: term_label(months) for months in TERMS},
        result=yield_of(asked) if asked else None,
    )


def asked_by(schema: Schema) -> tuple[Any, Mapping[str, str]]:
    """What the form asks, or what is wrong with it by field; neither when it was not sent."""
    if not request.args:
        return None, {}
    try:
        # People write 1,000,000 and full-width digits; both mean what they say.
        typed = {
            name: value.replace(",", "").replace("，", "") for name, value in request.args.items()
        }
        return schema.load({name: value for name, value in typed.items() if value.strip()}), {}
    except ValidationError as refused:
        found = messages(refused)
        return None, {name: str(faults[0]).rstrip(".") for name, faults in found.items()}


def _years(answer: Repayment) -> Iterator[Year]:
    for start in range(0, len(answer.instalments), 12):
        months: Sequence[Instalment] = answer.instalments[start : start + 12]
        yield Year(
            start // 12 + 1,
            sum((month.principal for month in months), Decimal(0)),
            sum((month.interest for month in months), Decimal(0)),
            months[-1].balance,
        )
