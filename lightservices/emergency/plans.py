"""Plans made in calm: the shipped packs, and what the bank made of them or added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update

from lightservices.emergency import content as contents
from lightservices.emergency import packs
from lightservices.emergency.content import Content, ContentRefused
from lightservices.emergency.holding import require_area
from lightservices.emergency.models import PlanRow
from lightservices.emergency.refusals import BadContent, NotYours, PlanChanged
from regions.areas import Area
from regions.branches import HEAD_OFFICE
from service import audit, clock
from service.approvals.models import as_text
from service.staff import Me
from service.wiring import Unit

#: Who may write plans: whoever may open what they describe, for the whole bank.
_ACT: Final = "open_emergency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One plan; ``edited_at`` is None for a pack nobody changed."""

    content: Content
    hash: str
    edited_by: str = ""
    edited_at: datetime | None = None
    retired: bool = False

    @property
    def key(self) -> str:
        return self.content.key


def every(unit: Unit, *, with_retired: bool = False) -> Mapping[str, Plan]:
    """All plans by key: the packs, with the bank's own in their place or beside them."""
    found = {key: _shipped(content) for key, content in packs.shipped().items()}
    for row in unit.db.execute(select(*PlanRow.__table__.c)):
        found[row.key] = Plan(
            content=contents.stored(json.loads(row.text)), hash=row.hash,
            edited_by=row.edited_by, edited_at=row.edited_at, retired=bool(row.retired),
        )  # fmt: skip
    return {key: found[key] for key in sorted(found) if with_retired or not found[key].retired}


def find(unit: Unit, key: str) -> Plan:
    """One plan.

    Raises:
        NotYours: there is none with this key, or it was retired.
    """
    found = every(unit).get(key)
    if found is None:
        raise NotYours
    return found


def drawn(plan: Plan, area: Area | None, *, hours: int | None = None) -> Content:
    """The plan's content with its area drawn, and its length chosen, ready to be proposed."""
    content = plan.content if area is None else replace(plan.content, area=area)
    return content if hours is None else replace(content, hours=hours)


def save(unit: Unit, raw: Mapping[str, Any], *, seen: str, by: Me) -> Plan:
    """Keep a plan, new or changed.

    Args:
        seen: the hash of what the person edited; "" for a plan that is new.
    """
    require_area(unit, by, _ACT, (HEAD_OFFICE,))
    try:
        content = contents.read(raw)
    except ContentRefused as refused:
        raise BadContent(refused.faults) from None
    before = every(unit, with_retired=True).get(content.key)
    if (before.hash if before else "") != seen:
        raise PlanChanged
    text, digest = as_text(contents.write(content))
    values = {
        "text": text, "hash": digest, "edited_by": by.name, "edited_at": clock.now(),
        "retired": False,
    }  # fmt: skip
    kept = unit.db.execute(
        unit.insert(PlanRow)
        .values(key=content.key, **values)
        .on_conflict_do_update(
            index_elements=[PlanRow.key], set_=values, where=PlanRow.hash == seen
        )
        .returning(PlanRow.key)
    ).first()
    if kept is None:
        raise PlanChanged
    _tell(unit, "plan_saved", content, before, by)
    return every(unit)[content.key]


def retire(unit: Unit, key: str, *, by: Me) -> None:
    """Take a plan out of the list; what was opened from it goes on."""
    require_area(unit, by, _ACT, (HEAD_OFFICE,))
    plan = find(unit, key)
    if plan.edited_at is None:
        save(unit, contents.write(plan.content), seen=plan.hash, by=by)
    unit.db.execute(update(PlanRow).where(PlanRow.key == key).values(retired=True))
    _tell(unit, "plan_retired", plan.content, plan, by)


def _shipped(content: Content) -> Plan:
    return Plan(content=content, hash=as_text(contents.write(content))[1])


def _tell(unit: Unit, act: str, content: Content, before: Plan | None, by: Me) -> None:
    audit.note(
        unit,
        actor=by,
        act=f"emergency.{act}",
        subject=f"emergency_plan:{content.key}",
        before=contents.write(before.content) if before else None,
        after=contents.write(content),
    )
