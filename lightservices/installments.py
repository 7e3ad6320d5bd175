"""What paying in parts (分期) costs: the fee of each part, and the yearly rate it comes to.

Each part is an equal share of the amount and a fee on the whole amount, as Chinese credit cards
reckon. Because the debt shrinks while the fee does not, the yearly rate is nearly twice what the
fee suggests: it is the monthly internal rate of return, times twelve.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from lightservices.loans import CENT

#: Halving so often leaves less than a millionth of a per cent.
_HALVINGS: Final = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """``amount`` in yuan, ``parts`` months, ``fee_percent`` of the whole amount each month."""

    amount: Decimal
    parts: int
    fee_percent: Decimal


@dataclass(frozen=True, slots=True)
class Cost:
    """In yuan; ``annual_percent`` is simple, twelve times the monthly rate."""

    first: Decimal
    last: Decimal
    fee: Decimal
    total_fee: Decimal
    total: Decimal
    annual_percent: Decimal


def cost(plan: Plan) -> Cost:
    """What the plan comes to.

    Raises:
        ValueError: unless there is an amount, at least one part, and a fee of zero or more.
    """
    if plan.amount < CENT or plan.parts < 1 or plan.fee_percent < 0:
        raise ValueError("a plan has an amount, parts, and a fee of zero or more")
    share = (plan.amount / plan.parts).quantize(CENT, ROUND_HALF_UP)
    fee = (plan.amount * plan.fee_percent / 100).quantize(CENT, ROUND_HALF_UP)
    payments = [share + fee] * (plan.parts - 1)
    payments.append(plan.amount - share * (plan.parts - 1) + fee)
    return Cost(
        first=payments[0],
        last=payments[-1],
        fee=fee,
        total_fee=fee * plan.parts,
        total=sum(payments, Decimal(0)),
        annual_percent=(_monthly_rate(plan.amount, payments) * 1200).quantize(CENT, ROUND_HALF_UP),
    )


def _monthly_rate(amount: Decimal, payments: list[Decimal]) -> Decimal:
    """The rate at which the payments are worth what was borrowed, found by halving."""
    low, high = Decimal(0), Decimal(1)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        worth, factor = Decimal(0), Decimal(1)
        for payment in payments:
            factor /= 1 + middle
            worth += payment * factor
        if worth > amount:
            low = middle
        else:
            high = middle
    return low
