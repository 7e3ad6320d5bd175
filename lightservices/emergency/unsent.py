"""Lists that were surely not sent: whoever is on one is let go, to be told by whatever channel.

Whoever lets go of one that waits holds its run: a worker takes it up again only under the same
lock, so it is not on its way.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import delete, select

from lightservices.emergency.message_models import BATCHES, MESSAGES
from lightservices.emergency.reports import give_back_month
from service.wiring import Unit

#: The state of a list that was surely not sent yet.
WAITING: Final = "waiting"


def let_go(unit: Unit, batch: int) -> None:
    """Nobody of this list was told: they may be, by whatever channel."""
    give_back_month(unit, batch)
    unit.db.execute(delete(MESSAGES).where(MESSAGES.c.batch_id == batch))
    unit.db.execute(delete(BATCHES).where(BATCHES.c.id == batch))


def let_go_waiting(unit: Unit, runs: Collection[int]) -> None:
    """The same for what waits of these runs, which are over. Their worker may look at them only
    hours later, when the day's calls are there again; another channel may be started now."""
    waiting = select(BATCHES.c.id).where(BATCHES.c.run_id.in_(runs), BATCHES.c.state == WAITING)
    for batch in unit.db.execute(waiting.order_by(BATCHES.c.id)).scalars().all():
        let_go(unit, batch)
