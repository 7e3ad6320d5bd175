"""Forgetting much at once: a stride at a time, and so many strides in a transaction.

After a large telling millions of rows are to go. One statement over all of them would be cut off,
every time anew, and nobody would ever be forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Delete, Table, delete, select, tuple_

from service.wiring import Unit

#: So many rows of one table go at a time.
STRIDE: Final = 5_000
#: After so many strides the rest waits for the next time: others want to write as well.
MOST: Final = 10

Old = Sequence[tuple[Table, ColumnElement[bool]]]


def in_strides(unit: Unit, old: Old) -> None:
    """Delete what is old, so much of it as one transaction should; the rest is for next time."""
    for _ in range(MOST):
        if not _went(unit, old):
            return


def _went(unit: Unit, old: Old) -> bool:
    """One stride through each table; whether there may be more to go."""
    gone = [unit.db.execute(_some(table, where)).rowcount for table, where in old]
    return max(gone) >= STRIDE


def _some(table: Table, where: ColumnElement[bool]) -> Delete:
    keys = tuple(table.primary_key.columns)
    chosen = select(*keys).where(where).limit(STRIDE)
    return delete(table).where((tuple_(*keys) if len(keys) > 1 else keys[0]).in_(chosen))
