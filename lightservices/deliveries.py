"""Counting each branch's followers once a day, with nothing open while it lasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lightservices import counts
from regions import population
from service.delivery.ledger import Delivery, Desk, Performer, request
from service.wechat.errors import WillNever
from service.wiring import Unit

KIND: Final = "figures.followers"


def ask(unit: Unit) -> None:
    """The chore: ask for today's count while there is none."""
    if not counts.has_followers(unit, counts.today()):
        request(unit, KIND, key="all")


def count(desk: Desk, _deliveries: Sequence[Delivery]) -> Mapping[int, WillNever] | None:
    """The delivery: count and write down."""
    day = counts.today()
    found = population.by_branch(desk.reading)
    with desk.unit() as unit:
        counts.put_followers(unit, day, found)
    return None


COUNT: Final = Performer(count)
