"""A bound customer's reward points, and which of them end soon."""

from __future__ import annotations

from typing import Final

from marshmallow import fields

from lightservices.providers import core_client
from lightservices.providers.accounts import NoInputs
from lightservices.providers.core_client import SOURCE
from lightservices.providers.protocol import Answer, Audience, Card, Provider, Query
from lightservices.providers.shapes import Dated, Shape, rows, whole

_MOST: Final = 10**12


class ExpiringShape(Shape):
    points = whole(_MOST)
    on = fields.Date(required=True)


class PointsShape(Dated):
    points = whole(_MOST)
    expiring = rows(ExpiringShape)


_POINTS = PointsShape()


def points(query: Query) -> Answer:
    """How many points there are, and when which part of them ends."""
    found = core_client.call(
        query.wiring, "GET", "/v1/customer/points", deadline=query.deadline, schema=_POINTS,
        customer=query.customer,
    )  # fmt: skip
    ending = sorted(found["expiring"], key=lambda one: one["on"])
    pairs = tuple(
        (
            f"{one['on'].year} 年 {one['on'].month} 月 {one['on'].day} 日到期",
            f"{one['points']:,} 分",
        )
        for one in ending
    )
    return Answer(
        (Card("可用积分", f"{found['points']:,}", "分", pairs),), found["as_of"], SOURCE,
        sample=found["sample"], note="积分规则和可以兑换的礼品以本行公布为准。",
    )  # fmt: skip


POINTS: Final = Provider(
    "points-balance", "积分", Audience.CUSTOMER, NoInputs, points, core_client.is_connected
)
