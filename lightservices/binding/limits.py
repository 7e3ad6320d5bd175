"""How often codes may be asked for and tried: by one follower, and for one telephone number.

The core has limits of its own. These hold even where it has none, and keep strangers from having
messages sent to somebody else's telephone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import case, delete, literal

from lightservices.binding.models import BindingLimit
from service import clock, sealing
from service.db import UtcTime
from service.wiring import Unit

HOUR: Final = timedelta(hours=1)
#: Codes one follower may ask for, and one telephone number may be sent, within an hour.
MOST_STARTS: Final = 5
#: Codes one follower may try within an hour, over all attempts.
MOST_TRIES: Final = 10
_PURPOSE: Final = "binding limits"


class TooOften(Exception):
    """Not now; within the hour it will be possible again."""


def count(unit: Unit, what: str, whom: str, *, most: int) -> None:
    """Count one more, in this transaction.

    Raises:
        TooOften: when this one is too many; the transaction is undone and the count stays.
    """
    present = clock.now()
    digest = sealing.keyed_digest(unit.settings.secret_key, _PURPOSE, f"{what}\0{whom}")
    insert = unit.insert(BindingLimit).values(digest=digest, count=1, since=present)
    is_over = BindingLimit.since <= present - HOUR
    done = unit.db.execute(
        insert.on_conflict_do_update(
            index_elements=[BindingLimit.digest],
            set_={
                "count": case((is_over, 1), else_=BindingLimit.count + 1),
                "since": case((is_over, literal(present, UtcTime)), else_=BindingLimit.since),
            },
        ).returning(BindingLimit.count)
    ).scalar_one()
    if done > most:
        raise TooOften(what)


def forget_old(unit: Unit, *, before: datetime) -> None:
    """Drop what no longer counts."""
    unit.db.execute(delete(BindingLimit).where(BindingLimit.since < before))
