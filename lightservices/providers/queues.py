"""How many people wait at an outlet now, where the bank's ticket machines tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from marshmallow import fields, validate

from lightservices.ages import age
from lightservices.providers import asking, core_client
from lightservices.providers.core_client import SOURCE
from lightservices.providers.protocol import Answer, Audience, Card, Failed, Provider, Query
from lightservices.providers.shapes import Dated, Shape, whole
from service import clock
from service.wiring import Wiring

KEEP_SECONDS: Final = 30
#: A count from longer ago says nothing about how long somebody would wait now.
WORTH: Final = timedelta(minutes=30)


class OutletInputs(Shape):
    outlet = fields.String(required=True, validate=validate.Regexp(r"^[A-Za-z0-9-]{1,32}$"))


class QueueShape(Dated):
    waiting = whole(9999)
    windows = whole(99, required=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait, and when they were counted."""

    words: str
    as_of: datetime
    sample: bool

    @property
    def age(self) -> str:
        return age(self.as_of)


_QUEUE = QueueShape()


def queue(query: Query) -> Answer:
    """The queue of one outlet, in words."""
    found = core_client.call(
        query.wiring, "GET", f"/v1/outlets/{query.inputs['outlet']}/queue",
        deadline=query.deadline, schema=_QUEUE,
    )  # fmt: skip
    words = f"约 {found['waiting']} 人在等候" if found["waiting"] else "现在不用排队"
    if found["windows"]:
        words += f"，{found['windows']} 个窗口在办理"
    return Answer((Card("排队", words),), found["as_of"], SOURCE, sample=found["sample"])


QUEUE: Final = Provider(
    "outlet-queue", "网点排队", Audience.EVERYBODY, OutletInputs, queue,
    core_client.is_connected, KEEP_SECONDS,
)  # fmt: skip


def waiting_at(wiring: Wiring, outlet: str) -> Waiting | None:
    """The queue at this outlet, or nothing: a page is as good without it."""
    try:
        answer = asking.ask(wiring, QUEUE, {"outlet": outlet})
    except Failed:
        return None
    card = answer.parts[0]
    if not isinstance(card, Card) or clock.now() - answer.as_of > WORTH:
        return None
    return Waiting(card.figure, answer.as_of, answer.sample)
