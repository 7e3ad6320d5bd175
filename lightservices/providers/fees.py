"""What the bank charges, from its own list of fees; the same for everybody, so kept a minute."""

from __future__ import annotations

from typing import Final

from marshmallow import fields, validate

from lightservices.providers import core_client
from lightservices.providers.core_client import SOURCE
from lightservices.providers.protocol import Answer, Audience, Provider, Query, Table
from lightservices.providers.shapes import Dated, Shape, Words, rows

#: The core's names of the groups of fees, by what the form says.
GROUPS: Final = {
    "银行卡": "card",
    "转账汇款": "transfer",
    "账户服务": "account",
    "贷款": "loan",
    "外汇业务": "exchange",
    "电子银行": "online",
}
KEEP_SECONDS: Final = 60


class FeeInputs(Shape):
    group = fields.String(load_default="银行卡", validate=validate.OneOf(GROUPS))


class FeeShape(Shape):
    name = Words(40)
    price = Words(60)
    waiver = Words(80, required=False)


class FeesShape(Dated):
    fees = rows(FeeShape)


_FEES = FeesShape()


def fees(query: Query) -> Answer:
    """The fees of one group, with who is spared them."""
    found = core_client.call(
        query.wiring, "GET", "/v1/fees", deadline=query.deadline, schema=_FEES,
        params={"group": GROUPS[query.inputs["group"]]},
    )  # fmt: skip
    lines = tuple(
        (f"{one['name']}\n{one['waiver']}" if one["waiver"] else one["name"], one["price"])
        for one in found["fees"]
    )
    table = Table(("项目", "收费"), lines, query.inputs["group"])
    return Answer(
        (table,) if lines else (), found["as_of"], SOURCE, sample=found["sample"],
        note="收费项目和标准以网点公示的服务价目表为准。", empty="这一类没有收费项目。",
    )  # fmt: skip


FEES: Final = Provider(
    "service-fees", "服务收费", Audience.EVERYBODY, FeeInputs, fees, core_client.is_connected,
    KEEP_SECONDS,
)  # fmt: skip
