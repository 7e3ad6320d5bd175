"""Which outlets are closed, or keep other hours, because of what is in force around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lightservices.emergency import in_force
from lightservices.emergency.content import Order
from lightservices.emergency.in_force import Emergency
from lightservices.outlets.models import Outlet
from regions import divisions
from service.wiring import Unit


@dataclass(frozen=True, slots=True)
class Changed:
    """What holds for one outlet; no hours: it is closed."""

    why: str
    hours: str


def of(unit: Unit, moment: datetime) -> Callable[[Outlet], Changed | None] | None:
    """What holds for an outlet at this moment, asked outlet by outlet; None while nothing does.

    A drill closes no doors. An order reaches only outlets inside its own area, so nobody who may
    alert one city can close another's.
    """
    ordering = [
        one for one in in_force.everywhere(unit, moment) if one.content.orders and not one.drill
    ]
    return finding(ordering) if ordering else None


def finding(ordering: list[Emergency]) -> Callable[[Outlet], Changed | None]:
    """The same for these emergencies, the gravest first."""

    def find(outlet: Outlet) -> Changed | None:
        for one in ordering:
            order = next((each for each in one.content.orders if _concerns(each, outlet)), None)
            if order is not None and one.holds(outlet.division, (outlet.lat, outlet.lng)):
                return Changed(order.why, order.hours)
        return None

    return find


def _concerns(order: Order, outlet: Outlet) -> bool:
    if order.all or outlet.id in order.outlets:
        return True
    if not order.divisions:
        return False
    path = divisions.table().path(outlet.division)
    return any(step.code in order.divisions for step in path)
