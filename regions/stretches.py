"""The followers kept under a division, in stretches over none of which a statement takes long.

A county may hold a million followers. Whatever is asked of each of them beside their place is asked
a stretch at a time, along the index of places; what changes meanwhile is counted here or there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, select, tuple_

from regions.divisions import DivisionCode
from regions.presence import Presence
from service.wiring import Unit

#: So many followers are a stretch.
LENGTH: Final = 20_000

Stretch = tuple[ColumnElement[bool], ...]

#: Those of whom no cell is known; compared so that every database finds them in the index.
NO_CELL: Final = (Presence.cell_south == None, Presence.cell_west == None)  # noqa: E711
#: Those without a cell, then cell by cell: so the index of places has a division.
ORDER: Final = (Presence.cell_south, Presence.cell_west, Presence.openid)


def of(unit: Unit, division: DivisionCode | str) -> Iterator[Stretch]:
    """The conditions under which a place lies in each stretch of the division, one after another.

    First come those of whom no cell is known.
    """
    here = Presence.division == division
    yield from _cut(unit, (here, *NO_CELL), (Presence.openid,))
    yield from _cut(unit, (here, Presence.cell_south.is_not(None)), ORDER)


def _cut(unit: Unit, among: Stretch, order: tuple[Any, ...]) -> Iterator[Stretch]:
    place, beyond = tuple_(*order), among
    while (end := unit.db.execute(_end(beyond, order)).first()) is not None:
        yield (*beyond, place <= tuple(end))
        beyond = (*among, place > tuple(end))
    yield beyond


def _end(beyond: Stretch, order: tuple[Any, ...]) -> Select[Any]:
    return select(*order).where(*beyond).order_by(*order).offset(LENGTH - 1).limit(1)
