"""The loan and deposit calculators: forms that ask by GET, so that they work without a script.

A rate that is left empty is the published one; what was typed is always what counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from flask import Response, request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

from lightservices.catalogue import Service
from lightservices.deposits import TERMS, Deposit, term_label, yield_of
from lightservices.loans import CENT, Instalment, Loan, Method, Repayment, repayment
from lightservices.pages import rate_pages
from lightservices.pages.later import Later
from lightservices.pages.queries import related_to
from lightservices.pages.shell import page
from lightservices.providers.published import Published
from lightservices.rates import Rate
from lightservices.visit import Visitor
from service.wiring import Unit, Wiring
from service.wording import NUMBER_FAULTS, messages

TEN_THOUSAND: Final = 10_000
FAULTS: Final = NUMBER_FAULTS | {"required": "请填写这一项"}
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
        error_messages=FAULTS,
        validate=validate.Range(
            min=Decimal(low), max=Decimal(high), error=f"应在 {low} 到 {high} 之间"
        ),
    )


def whole(low: int, high: int, unit: str) -> fields.Integer:
    return fields.Integer(
        required=True,
        error_messages=FAULTS,
        validate=validate.Range(min=low, max=high, error=f"应在 {low} 到 {high} {unit}之间"),
    )


class Form(Schema):
    """A form in an address, which may hold what somebody else appended."""

    class Meta:
        unknown = EXCLUDE


class LoanInput(Form):
    """The loan form: ten thousands of yuan, years, per cent a year."""

    amount = number("0.1", "10000")
    years = whole(1, 30, "年")
    rate = number("0", "24")
    method = fields.Enum(Method, by_value=True, load_default=Method.EQUAL_INSTALMENT)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Loan:
        principal = (data["amount"] * TEN_THOUSAND).quantize(CENT)
        return Loan(principal, data["rate"], data["years"] * 12, data["method"])


class DepositInput(Form):
    """The deposit form: yuan, months, per cent a year."""

    amount = number("50", "100000000")
    months = fields.Integer(
        required=True,
        error_messages=FAULTS,
        validate=validate.OneOf(TERMS, error="请选择存期"),
    )
    rate = number("0", "10")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Deposit:
        principal = data["amount"].quantize(CENT)
        return Deposit(principal, data["rate"], data["months"])


def loan(unit: Unit, visitor: Visitor, service: Service) -> Later:
    """The loan calculator, with its answer when it was asked."""
    values = {"service": service, "related": related_to(unit, visitor, service)}
    wiring = unit.wiring
    return Later(lambda: _loan(wiring, visitor, values))


def _loan(wiring: Wiring, visitor: Visitor, values: Mapping[str, Any]) -> Response:
    told = rate_pages.known(wiring, "loan")
    used = line_used(told, request.args.get("kind", ""), "rate")
    asked, faults = asked_by(LoanInput(), otherwise=percent_of(used))
    answer = repayment(asked) if asked else None
    return page(
        "loan", visitor, title=values["service"].title, form=request.args, faults=faults,
        loan=asked, methods=METHODS, repayment=answer, told=told, used=used,
        years=list(_years(answer)) if answer else (), **values,
    )  # fmt: skip


def deposit(unit: Unit, visitor: Visitor, service: Service) -> Later:
    """The deposit calculator, with its answer when it was asked."""
    values = {"service": service, "related": related_to(unit, visitor, service)}
    wiring = unit.wiring
    return Later(lambda: _deposit(wiring, visitor, values))


def _deposit(wiring: Wiring, visitor: Visitor, values: Mapping[str, Any]) -> Response:
    told = rate_pages.known(wiring, "deposit")
    used = line_used(told, f"m{request.args.get('months', '')}", "rate")
    asked, faults = asked_by(DepositInput(), otherwise=percent_of(used))
    return page(
        "deposit", visitor, title=values["service"].title, form=request.args, faults=faults,
        deposit=asked, terms={months: term_label(months) for months in TERMS},
        result=yield_of(asked) if asked else None, told=told, used=used, **values,
    )  # fmt: skip


def line_used(told: Published | None, code: str, field: str) -> Rate | None:
    """The published line that fills this field of the form, where nobody typed their own."""
    if told is None or request.args.get(field, "").strip():
        return None
    return told.line(code)


def percent_of(used: Rate | None) -> Mapping[str, str]:
    """The yearly rate of a line as the form would hold it."""
    return {} if used is None or used.annual_percent is None else {"rate": str(used.annual_percent)}


def asked_by(
    schema: Schema, *, otherwise: Mapping[str, str] = MappingProxyType({})
) -> tuple[Any, Mapping[str, str]]:
    """What the form asks, or what is wrong with it by field; neither when it was not sent.

    Args:
        otherwise: what stands in for fields that were left empty.
    """
    if not request.args:
        return None, {}
    try:
        # People write 1,000,000 and full-width digits; both mean what they say.
        typed = {
            name: value.replace(",", "").replace("，", "") for name, value in request.args.items()
        }
        filled = {name: value for name, value in typed.items() if value.strip()}
        return schema.load({**otherwise, **filled}), {}
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
