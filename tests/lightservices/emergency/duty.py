"""The people on duty, areas on the map, and content for tests of emergencies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from lightservices.emergency import operations, packs, queries, reach
from lightservices.emergency.content import Content
from lightservices.emergency.models import Record, Version
from regions import areas
from regions.areas import Area
from service.staff import Grant, Me
from service.wiring import Unit

#: Two on duty at head office, one in Guangdong, one in Shanghai, an editor, and a reader.
WANG = Me(901, "ops.wang", "王值班", (Grant("operations", "HQ"),))
LI = Me(902, "ops.li", "李值班", (Grant("operations", "HQ"),))
GUANGDONG = Me(903, "gd.ops", "粤值班", (Grant("operations", "B440000"),))
SHANGHAI = Me(904, "sh.ops", "沪值班", (Grant("operations", "B310000"),))
EDITOR = Me(905, "gd.editor", "陈小燕", (Grant("editor", "B440000"),))
READER = Me(906, "reader", "吴只读", (Grant("reader", "HQ"),))

ZHUHAI = areas.read({"inside": {"divisions": ["440400"]}})
SHANGHAI_CITY = areas.read({"inside": {"divisions": ["310000"]}})
ZHUHAI_AND_A_PIECE = areas.read(
    {
        "inside": {
            "divisions": ["440400"],
            "polygons": [[[22.5, 113.3], [22.6, 113.3], [22.6, 113.5], [22.5, 113.5]]],
        }
    }
)
#: GCJ-02: 香洲 in Zhuhai, in the piece of Zhongshan, and elsewhere in Zhongshan.
IN_ZHUHAI = (22.2700, 113.5760)
IN_THE_PIECE = (22.5500, 113.4000)
IN_ZHONGSHAN = (22.6800, 113.4000)


def said(area: Area | None = ZHUHAI, *, pack: str = "typhoon", **changed: Any) -> Content:
    """The pack's content over this area."""
    return replace(packs.shipped()[pack], area=area, **changed)


def proposed(unit: Unit, by: Me = WANG, *, drill: bool = False, **changed: Any) -> Version:
    """A proposal of the pack over Zhuhai, unless told otherwise."""
    asked = said(**changed)
    return operations.propose(unit, content=asked, drill=drill, why="台风将至", by=by)


def key_of(unit: Unit, version: Version) -> str:
    return next(one.key for one in queries.unfinished(unit) if one.id == version.emergency_id)


def ticked(unit: Unit, area: Area | None) -> str:
    """The reach as an approver reads and ticks it."""
    assert area is not None
    return reach.assess(unit, area).ticked


def opened(unit: Unit, by: Me = LI, *, proposer: Me = WANG, **changed: Any) -> Record:
    """An emergency proposed by one and opened by another."""
    version = proposed(unit, proposer, **changed)
    return operations.open_(
        unit, key_of(unit, version), seen=version.seal,
        ticked=ticked(unit, version.content.area), by=by,
    )  # fmt: skip


def broken(
    unit: Unit, by: Me = WANG, *, hours: int = 2, drill: bool = False, **changed: Any
) -> Record:
    """An emergency that one person opened alone."""
    asked = said(hours=hours, **changed)
    return operations.break_glass(
        unit, content=asked, why="凌晨一人值班", ticked=ticked(unit, asked.area), by=by, drill=drill
    )


HOUR = timedelta(hours=1)
