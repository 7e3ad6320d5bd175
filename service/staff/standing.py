"""What somebody's account is good for at this moment, by whatever door they come."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, select

from service.staff.models import LOCKED, StaffGrant
from service.staff.rights import Grant
from service.wiring import Unit

_GRANTS: Final = select(StaffGrant.role, StaffGrant.branch_code).where(
    StaffGrant.staff_id == bindparam("staff_id")
)


def may_come_in(unit: Unit, row: Any) -> bool:
    """Whether nothing keeps out whoever a row with ``state`` and ``is_demo`` is about.

    The sample bank's people, whose password everybody knows, are kept out of production.
    """
    return row.state != LOCKED and not (row.is_demo and unit.settings.in_production)


def grants_of(unit: Unit, staff_id: int) -> tuple[Grant, ...]:
    """What the person may do where, in a fixed order."""
    found = unit.db.execute(_GRANTS, {"staff_id": staff_id})
    return tuple(sorted(Grant(role, branch) for role, branch in found))
