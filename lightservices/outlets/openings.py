"""Whether an outlet is open now: its hours, the holidays, and what the bank has closed itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lightservices.emergency import outlet_orders
from lightservices.emergency.outlet_orders import Changed
from lightservices.outlets.holidays import Calendar, calendar
from lightservices.outlets.hours import parse
from lightservices.outlets.models import Outlet
from regions import branches
from regions.branches import BranchCode
from service import clock
from service.wiring import Unit


@dataclass(frozen=True, slots=True)
class Openness:
    """``says`` is empty where the hours are unknown."""

    is_open: bool
    says: str


Look = Callable[[Outlet], Openness]


def look(unit: Unit, *, at: datetime | None = None) -> Look:
    """A look at outlets at this moment; one is made for a page and used for all it shows."""
    moment = at or clock.now()
    local, days = clock.shanghai(moment), calendar()
    ordered = outlet_orders.of(unit, moment)
    directory = branches.directory(unit) if days.has_closings_on(local.date()) else None

    def lineage(code: str) -> tuple[str, ...]:
        found = directory.chain(BranchCode(code)) if directory else ()
        return tuple(branch.code for branch in found)

    return looking(local, days, lineage, ordered)


def looking(
    local: datetime,
    days: Calendar,
    lineage: Callable[[str], tuple[str, ...]],
    ordered: Callable[[Outlet], Changed | None] | None,
) -> Look:
    """The same from what it depends on: the time in Asia/Shanghai, the calendar, each branch's
    codes up to head office, and what an emergency orders."""

    def openness(outlet: Outlet) -> Openness:
        changed = ordered(outlet) if ordered is not None else None
        if changed is None:
            return _openness(outlet, local, days, lineage)
        if not changed.hours:
            return Openness(False, f"暂停营业：{changed.why}")
        hours = parse(changed.hours)
        return Openness(hours.is_open(local, days), f"{hours.state(local, days)}（{changed.why}）")

    return openness


def _openness(
    outlet: Outlet, local: datetime, days: Calendar, lineage: Callable[[str], tuple[str, ...]]
) -> Openness:
    if days.has_closings_on(local.date()):
        why = days.closed_for(local.date(), outlet=outlet.id, lineage=lineage(outlet.branch_code))
        if why:
            return Openness(False, f"今天停业：{why}")
    hours = parse(outlet.hours)
    if not hours.spans:
        return Openness(False, "")
    return Openness(hours.is_open(local, days), hours.state(local, days))
