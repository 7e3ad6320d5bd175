"""What paying back early saves: a lump sum on the day of an instalment, to the cent.

After so many instalments the lump sum lowers what is owed. Either the instalment stays and there
are fewer of them, or their number stays and each is smaller. What is saved is the interest that
would have been paid less the interest that still will be; what the bank may charge for it is in the
contract and not reckoned here.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

from lightservices.loans import CENT, Loan, Method, repayment


class Keep(StrEnum):
    """What stays as it was."""

    INSTALMENT = "instalment"  #: the instalment stays, the term becomes shorter
    TERM = "term"  #: the term stays, the instalment becomes smaller


@dataclass(frozen=True, slots=True)
class Prepayment:
    """``lump`` in yuan after ``paid`` instalments; more than is owed settles the loan."""

    loan: Loan
    paid: int
    lump: Decimal
    keep: Keep


@dataclass(frozen=True, slots=True)
class Outcome:
    """In yuan: what is owed and interest still due, without the lump sum and with it."""

    owed: Decimal
    lump: Decimal
    months_before: int
    months_after: int
    instalment_before: Decimal
    instalment_after: Decimal
    interest_before: Decimal
    interest_after: Decimal

    @property
    def saved(self) -> Decimal:
        return self.interest_before - self.interest_after

    @property
    def settles(self) -> bool:
        return self.months_after == 0


_NOTHING: Final = Decimal(0)


def reckon(asked: Prepayment) -> Outcome:
    """What changes.

    Raises:
        ValueError: unless instalments are left to pay and the lump sum is something.
    """
    loan = asked.loan
    if not 0 <= asked.paid < loan.months or asked.lump < CENT:
        raise ValueError("a prepayment is made while instalments are left, and is something")
    plan = repayment(loan).instalments
    left = plan[asked.paid :]
    owed = plan[asked.paid - 1].balance if asked.paid else loan.principal
    lump = min(asked.lump, owed)
    rest = owed - lump
    payments = _after(loan, rest, len(left), asked.keep, before=left[0].payment)
    return Outcome(
        owed=owed,
        lump=lump,
        months_before=len(left),
        months_after=len(payments),
        instalment_before=left[0].payment,
        instalment_after=sum(payments[0], _NOTHING) if payments else _NOTHING,
        interest_before=sum((each.interest for each in left), _NOTHING),
        interest_after=sum((interest for _principal, interest in payments), _NOTHING),
    )


def _after(
    loan: Loan, rest: Decimal, months: int, keep: Keep, *, before: Decimal
) -> list[tuple[Decimal, Decimal]]:
    """Principal and interest of each instalment that is left."""
    if rest < CENT:
        return []
    if keep is Keep.TERM:
        lower = repayment(Loan(rest, loan.annual_percent, months, loan.method))
        return [(each.principal, each.interest) for each in lower.instalments]
    share = None
    if loan.method is Method.EQUAL_PRINCIPAL:
        share = (loan.principal / loan.months).quantize(CENT, ROUND_HALF_UP)
    return _shorter(rest, loan.annual_percent / 1200, months, payment=before, share=share)


def _shorter(
    rest: Decimal, rate: Decimal, months: int, *, payment: Decimal, share: Decimal | None
) -> list[tuple[Decimal, Decimal]]:
    """Pay as much as before, or the same share of the principal, until nothing is owed."""
    paid: list[tuple[Decimal, Decimal]] = []
    while rest > 0:
        interest = (rest * rate).quantize(CENT, ROUND_HALF_UP)
        wanted = payment - interest if share is None else share
        # Nobody pays longer than before, and the last instalment takes what rounding left.
        principal = rest if len(paid) == months - 1 else min(max(wanted, CENT), rest)
        rest -= principal
        paid.append((principal, interest))
    return paid
