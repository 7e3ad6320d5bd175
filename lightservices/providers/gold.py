"""What the bank buys and sells precious metals for; the same for everybody, so kept a minute."""

from __future__ import annotations

from typing import Final

from lightservices.providers import core_client
from lightservices.providers.accounts import NoInputs, money
from lightservices.providers.core_client import SOURCE
from lightservices.providers.protocol import Answer, Audience, Provider, Query, Table
from lightservices.providers.shapes import Amount, Dated, Shape, Words, rows

KEEP_SECONDS: Final = 60


class QuoteShape(Shape):
    name = Words(30)
    unit = Words(12)
    buying = Amount(required=False)
    selling = Amount()


class QuotesShape(Dated):
    quotes = rows(QuoteShape)


_QUOTES = QuotesShape()


def gold(query: Query) -> Answer:
    """The price of each kind; some the bank sells and does not buy back."""
    found = core_client.call(
        query.wiring, "GET", "/v1/quotes/gold", deadline=query.deadline, schema=_QUOTES
    )
    lines = tuple(
        (
            f"{one['name']}\n{one['unit']}",
            "—" if one["buying"] is None else money(one["buying"]),
            money(one["selling"]),
        )
        for one in found["quotes"]
    )
    return Answer(
        (Table(("品种", "银行买入", "银行卖出"), lines, "人民币"),) if lines else (),
        found["as_of"], SOURCE, sample=found["sample"],
        note="您卖给银行看“银行买入”，向银行买看“银行卖出”。价格随市场变动，以成交时为准。",
        empty="暂时没有报价。",
    )  # fmt: skip


GOLD: Final = Provider(
    "gold-price", "贵金属报价", Audience.EVERYBODY, NoInputs, gold, core_client.is_connected,
    KEEP_SECONDS,
)  # fmt: skip
