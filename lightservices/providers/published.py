"""The rates a bank publishes, of money, deposits and loans: as it imports them or from its core.

Which of the two is a setting, ``RATES_SOURCE``; pages and calculators cannot tell them apart. What
they read when neither answers is in :mod:`lightservices.providers.quoting`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from types import MappingProxyType
from typing import Final

from marshmallow import Schema, fields, validate
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from lightservices import rates
from lightservices.ages import age, age_in_days
from lightservices.providers import core_client
from lightservices.providers.accounts import NoInputs
from lightservices.providers.core_client import SOURCE
from lightservices.providers.protocol import Answer, Audience, Failed, Provider, Query, Why
from lightservices.providers.shapes import Amount, Dated, Shape, Words, rows
from lightservices.rates import TABLES, Rate
from service import clock
from service.wiring import Wiring

KEEP_SECONDS: Final = 60
#: Whose word the imported table is.
PUBLISHED: Final = "本行公布的数据"
_PRICE: Final = r"^[0-9]{1,7}(\.[0-9]{1,6})?\Z"
_PERCENT: Final = r"^[0-9]{1,2}(\.[0-9]{1,4})?\Z"


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Published(Answer):
    """A table of rates as lines to show and to reckon with.

    Attributes:
        lines: in the bank's order.
        by_day: whether the source names a day and no time of it.
    """

    lines: tuple[Rate, ...] = ()
    by_day: bool = False

    @property
    def age(self) -> str:
        """How old it is, in words."""
        return age_in_days(clock.shanghai(self.as_of).date()) if self.by_day else age(self.as_of)

    def line(self, code: str) -> Rate | None:
        """The line of this code."""
        return next((one for one in self.lines if one.code == code), None)


class ExchangeShape(Shape):
    code = fields.String(required=True, validate=validate.Regexp(r"^[A-Z]{3}\Z"))
    name = Words(30)
    unit = fields.Integer(required=True, strict=True, validate=validate.OneOf((1, 100, 10_000)))
    buying = Amount(pattern=_PRICE)
    cash_buying = Amount(required=False, pattern=_PRICE)
    selling = Amount(pattern=_PRICE)


class ExchangesShape(Dated):
    quotes = rows(ExchangeShape)


class RateShape(Shape):
    code = fields.String(required=True, validate=validate.Regexp(r"^[A-Za-z0-9-]{1,16}\Z"))
    name = Words(30)
    annual_percent = Amount(pattern=_PERCENT)


class RatesShape(Dated):
    rates = rows(RateShape)


#: Where the core tells each table: path, query, the field that holds the lines, and their shape.
_ASKED: Final[Mapping[str, tuple[str, Mapping[str, str], str, Schema]]] = {
    "exchange": ("/v1/quotes/exchange", {}, "quotes", ExchangesShape()),
    "deposit": ("/v1/rates", {"kind": "deposit"}, "rates", RatesShape()),
    "loan": ("/v1/rates", {"kind": "loan"}, "rates", RatesShape()),
}


def from_core(table: str) -> Callable[[Query], Published]:
    """This table as the core tells it now."""
    path, params, field, schema = _ASKED[table]

    def fetch(query: Query) -> Published:
        found = core_client.call(
            query.wiring, "GET", path, deadline=query.deadline, schema=schema, params=params
        )
        day = clock.shanghai(found["as_of"]).date()
        lines = tuple(
            Rate(table=table, as_of=day, sample=found["sample"], **one) for one in found[field]
        )
        return Published((), found["as_of"], SOURCE, sample=found["sample"], lines=lines)

    return fetch


def from_table(table: str) -> Callable[[Query], Published]:
    """This table as the bank last imported it."""

    def fetch(query: Query) -> Published:
        try:
            found = imported(query.wiring, table)
        except SQLAlchemyError:
            raise Failed(Why.UNREACHABLE) from None
        return found or Published((), clock.now(), PUBLISHED)

    return fetch


def imported(wiring: Wiring, table: str) -> Published | None:
    """The imported table; nothing where the bank never imported one."""
    with wiring.reading() as unit:
        found = rates.tables(unit).get(table)
    if found is None:
        return None
    as_of = datetime.combine(found.as_of, time(), clock.SHANGHAI).astimezone(UTC)
    return Published((), as_of, PUBLISHED, sample=found.sample, lines=found.lines, by_day=True)


def _providers(
    made: Callable[[str], Callable[[Query], Published]],
    is_connected: Callable[[Wiring], bool],
    keep_seconds: int,
) -> Mapping[str, Provider]:
    return MappingProxyType(
        {
            table: Provider(
                f"{table}-rates", title, Audience.EVERYBODY, NoInputs, made(table), is_connected,
                keep_seconds,
            )
            for table, title in TABLES.items()
        }
    )  # fmt: skip


#: By table. The imported one is kept by its own epoch, so that an import shows within a second.
FROM_CORE: Final = _providers(from_core, core_client.is_connected, KEEP_SECONDS)
FROM_TABLE: Final = _providers(from_table, lambda _wiring: True, 0)


def chosen(settings: Settings) -> Mapping[str, Provider]:
    """The providers of the source that this bank chose, by table."""
    return FROM_CORE if settings.rates_source == "core" else FROM_TABLE
