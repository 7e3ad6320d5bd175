"""How a loan is paid back: equal instalments or equal principal, to the cent.

The arithmetic is the usual one of Chinese banks: the monthly rate is a twelfth of the yearly one,
each amount is rounded half up to the cent, and the last instalment takes what rounding left.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from typing import Final

CENT: Final = Decimal("0.01")
#: Enough digits that 360 compounded months lose nothing of a cent.
_DIGITS: Final = 50


class Method(StrEnum):
    """How the principal comes back."""

    EQUAL_INSTALMENT = "equal-instalment"  #: 等额本息
    EQUAL_PRINCIPAL = "equal-principal"  #: 等额本金


@dataclass(frozen=True, slots=True)
class Loan:
    """``principal`` in yuan, ``annual_percent`` such as 3.1, ``months`` of term."""

    principal: Decimal
    annual_percent: Decimal
    months: int
    method: Method


@dataclass(frozen=True, slots=True)
class Instalment:
    """One month: what is paid back, the interest on top, and what is still owed; in yuan."""

    number: int
    principal: Decimal
    interest: Decimal
    balance: Decimal

    @property
    def payment(self) -> Decimal:
        return self.principal + self.interest


@dataclass(frozen=True, slots=True)
class Repayment:
    """All instalments of a loan."""

    instalments: tuple[Instalment, ...]

    @property
    def total_interest(self) -> Decimal:
        return sum((each.interest for each in self.instalments), Decimal(0))

    @property
    def total(self) -> Decimal:
        return sum((each.payment for each in self.instalments), Decimal(0))

    @property
    def first(self) -> Instalment:
        return self.instalments[0]

    @property
    def last(self) -> Instalment:
        return self.instalments[-1]


def repayment(loan: Loan) -> Repayment:
    """Reckon every instalment.

    Raises:
        ValueError: unless there is something to pay back, a term, and a rate that is not negative.
    """
    if loan.principal < CENT or loan.months < 1 or loan.annual_percent < 0:
        raise ValueError("a loan has a principal, a term of months and a rate of zero or more")
    with localcontext() as context:
        context.prec = _DIGITS
        return Repayment(tuple(_instalments(loan)))


def _instalments(loan: Loan) -> list[Instalment]:
    rate = loan.annual_percent / 1200
    level = _cents(_level_payment(loan.principal, rate, loan.months))
    share = _cents(loan.principal / loan.months)
    balance = loan.principal
    paid: list[Instalment] = []
    for number in range(1, loan.months + 1):
        interest = _cents(balance * rate)
        wanted = level - interest if loan.method is Method.EQUAL_INSTALMENT else share
        # Rounding may make the shares a little too large; nobody pays back more than they owe.
        principal = balance if number == loan.months else min(max(wanted, Decimal(0)), balance)
        balance -= principal
        paid.append(Instalment(number, principal, interest, balance))
    return paid


def _level_payment(principal: Decimal, rate: Decimal, months: int) -> Decimal:
    growth = (1 + rate) ** months
    # A rate so small that it vanishes in the digits is none.
    if growth == 1:
        return principal / months
    return principal * rate * growth / (growth - 1)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
