"""What other pages put in front for a follower: a few services, and promotions meant for them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from lightservices.foryou import ranking
from lightservices.foryou.operations import Known
from lightservices.foryou.ranking import Pick
from lightservices.pages import queries
from lightservices.visit import Visitor
from service import clock
from service.wiring import Unit

ON_A_SHELF: Final = 3
#: Tools of this account, which help nobody by standing in front.
TOOLS: Final = frozenset(
    ("directory", "my-city", "for-you", "promotions", "bind-account", "unbind-account",
     "my-tickets")
)  # fmt: skip


def shelf(
    unit: Unit, visitor: Visitor, found: Known, *, without: Collection[str] = ()
) -> list[Pick]:
    """The few services put in front on another page, beside those already on it."""
    return picks(unit, visitor, found, most=ON_A_SHELF, without=without)


def picks(
    unit: Unit, visitor: Visitor, found: Known, *, most: int, without: Collection[str] = ()
) -> list[Pick]:
    """The services that something speaks for, of those offered to this visitor."""
    if not found.given and not found.tastes:
        return []
    return ranking.pick(
        queries.offered_services(unit, visitor), given=found.given, tastes=found.tastes or {},
        today=clock.shanghai(clock.now()).date(), most=most, without=TOOLS.union(without),
    )  # fmt: skip
