"""What a fixed deposit (整存整取) yields: simple interest for its term, to the cent.

Interest = principal × yearly rate × months / 12, the whole-term rule by which Chinese banks reckon
a fixed deposit that is left until it falls due.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

#: The terms a fixed deposit comes in, in months.
TERMS: Final = (3, 6, 12, 24, 36, 60)


@dataclass(frozen=True, slots=True)
class Deposit:
    """``principal`` in yuan, ``annual_percent`` such as 1.5, ``months`` of term."""

    principal: Decimal
    annual_percent: Decimal
    months: int


@dataclass(frozen=True, slots=True)
class Yield:
    """Both in yuan."""

    interest: Decimal
    total: Decimal


def yield_of(deposit: Deposit) -> Yield:
    """What the deposit yields when it falls due.

    Raises:
        ValueError: for a negative principal or rate, or a term that is not at least a month.
    """
    if deposit.principal < 0 or deposit.annual_percent < 0 or deposit.months < 1:
        raise ValueError("a deposit has a principal, a rate and a term of months")
    interest = deposit.principal * deposit.annual_percent * deposit.months / 1200
    rounded = interest.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return Yield(rounded, deposit.principal + rounded)


def term_label(months: int) -> str:
    """The term as followers read it, such as 3 个月 or 2 年."""
    return f"{months} 个月" if months % 12 else f"{months // 12} 年"
