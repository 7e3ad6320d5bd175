"""What is open, on the console's home page, for everybody who may see it."""

from __future__ import annotations

from lightservices.console import emergency_showing as showing
from lightservices.emergency import holding, places, queries, titles
from lightservices.emergency.content import KINDS
from lightservices.emergency.models import Record
from lightservices.emergency.states import State
from service.console import shell
from service.staff import Me
from service.wiring import Standing, Unit


def standing(unit: Unit, me: Me) -> list[Standing]:
    """Each that is open in this person's jurisdiction: what, where, until when; drills as such."""
    found = queries.current(unit, me)
    return [_told(unit, one) for one in found if one.stands is State.OPEN]


def _told(unit: Unit, record: Record) -> Standing:
    version = queries.version(unit, record, record.live or 1)
    content = holding.readable(version)
    until = f"到 {shell.moment(record.ends_at)}"
    if content is None:
        says = f"内容读不出来，请打开后关闭它；{until}"
    else:
        where = places.places(showing.as_if_open(record, version))
        says = f"{KINDS[content.kind][0]}，{where}，{until}"
    return Standing(titles.titled(record, content), says, f"{queries.ROOT}/{record.key}")
