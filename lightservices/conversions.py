"""Changing money at a price somebody names: yuan for so many units of the foreign currency."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from enum import StrEnum

from lightservices.loans import CENT


class Way(StrEnum):
    """What is given and what is wanted."""

    SELL = "sell"  #: so much foreign currency is given for yuan, at the bank's buying price
    BUY = "buy"  #: so much foreign currency is wanted, at the bank's selling price
    SPEND = "spend"  #: so many yuan are given for foreign currency, at the bank's selling price


@dataclass(frozen=True, slots=True)
class Conversion:
    """``price`` is yuan for ``unit`` units; ``amount`` is foreign, or yuan for ``SPEND``."""

    way: Way
    amount: Decimal
    price: Decimal
    unit: int


def converted(asked: Conversion) -> Decimal:
    """Yuan, to the cent; or for :attr:`Way.SPEND` foreign currency, rounded down.

    Raises:
        ValueError: for an amount or price that is not above zero.
    """
    if asked.amount <= 0 or asked.price <= 0 or asked.unit < 1:
        raise ValueError("an amount, a price and a unit are above zero")
    if asked.way is Way.SPEND:
        return (asked.amount * asked.unit / asked.price).quantize(CENT, ROUND_DOWN)
    return (asked.amount * asked.price / asked.unit).quantize(CENT, ROUND_HALF_UP)
