"""The tables of rates the bank publishes: imported whole, shown with their date, never made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema
from sqlalchemy import Date, String, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Model
from service.epochs import Kept, bump
from service.sheets import RowFault, SheetRefused, read
from service.wiring import Unit
from service.wording import FAULTS, NUMBER_FAULTS

#: The tables there are, by what the CSV file calls them.
TABLES: Final = MappingProxyType(
    {"exchange": "外汇牌价", "deposit": "存款利率", "loan": "贷款利率"}
)

PRICES: Final = ("buying", "cash_buying", "selling", "annual_percent")

HEADINGS: Final = MappingProxyType(
    {
        **{name: name for name in ("table", "as_of", "code", "name", "unit", "buying",
                                   "cash_buying", "selling", "annual_percent", "sample")},
        "表": "table", "日期": "as_of", "代码": "code", "名称": "name", "单位": "unit",
        "现汇买入价": "buying", "现钞买入价": "cash_buying", "卖出价": "selling",
        "年利率": "annual_percent", "示例": "sample",
    }
)  # fmt: skip


class RateRow(Model):
    """One line of one table. Prices are text, since no database here keeps exact decimals alike."""

    __tablename__ = "rates"

    table: Mapped[str] = mapped_column(String(16), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    as_of: Mapped[date] = mapped_column(Date)
    code: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(40))
    unit: Mapped[int] = mapped_column(default=100)
    buying: Mapped[str | None] = mapped_column(String(24))
    cash_buying: Mapped[str | None] = mapped_column(String(24))
    selling: Mapped[str | None] = mapped_column(String(24))
    annual_percent: Mapped[str | None] = mapped_column(String(24))
    sample: Mapped[bool] = mapped_column(default=False)


@dataclass(frozen=True, slots=True)
class Rate:
    """One line: a currency with prices in yuan per ``unit``, or a term with its yearly per cent."""

    table: str
    as_of: date
    code: str
    name: str
    unit: int = 100
    buying: Decimal | None = None
    cash_buying: Decimal | None = None
    selling: Decimal | None = None
    annual_percent: Decimal | None = None
    sample: bool = False


@dataclass(frozen=True, slots=True)
class RateTable:
    """A published table: its date, whether it is only a sample, its lines in the bank's order."""

    as_of: date
    sample: bool
    lines: tuple[Rate, ...]


def _decimal(most: int) -> fields.Decimal:
    return fields.Decimal(
        error_messages=NUMBER_FAULTS,
        validate=validate.Range(min=Decimal(0), max=Decimal(most), error=f"应在 0 到 {most} 之间"),
    )


class RateInput(Schema):
    """One row of the CSV file."""

    table = fields.String(
        required=True,
        error_messages=FAULTS,
        validate=validate.OneOf(TABLES, error=f"只能是 {'、'.join(TABLES)} 之一"),
    )
    as_of = fields.Date(required=True, error_messages=FAULTS | {"invalid": "应写成 2026-01-31"})
    code = fields.String(
        required=True,
        error_messages=FAULTS,
        validate=validate.Regexp(r"^[A-Za-z0-9-]{1,16}$", error="只能用 16 个以内的字母和数字"),
    )
    name = fields.String(
        required=True,
        error_messages=FAULTS,
        validate=validate.Length(max=40, error="最多 40 个字"),
    )
    unit = fields.Integer(
        error_messages=FAULTS,
        validate=validate.OneOf((1, 100, 10_000), error="只能是 1、100 或 10000"),
    )
    buying = _decimal(1_000_000)
    cash_buying = _decimal(1_000_000)
    selling = _decimal(1_000_000)
    annual_percent = _decimal(100)
    sample = fields.Boolean(error_messages=FAULTS)

    @validates_schema
    def _is_whole(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("table") == "exchange" and not {"buying", "selling"} <= data.keys():
            raise ValidationError("外汇牌价要有买入价和卖出价", "buying")
        if data.get("table") in ("deposit", "loan") and "annual_percent" not in data:
            raise ValidationError("利率表要有年利率", "annual_percent")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Rate:
        return Rate(**data)


def check(path: Path) -> list[Rate]:
    """The lines of a CSV file, all sound.

    Raises:
        SheetRefused: naming every fault by row.
    """
    faults: list[RowFault] = []
    seen: set[tuple[str, str]] = set()
    dates: dict[str, date] = {}
    rates: list[Rate] = []
    for row, rate in read(path, RateInput(), headings=HEADINGS):
        if (rate.table, rate.code) in seen:
            faults.append(RowFault(row, "code", f"{rate.code} 在同一张表里出现了两次"))
        if dates.setdefault(rate.table, rate.as_of) != rate.as_of:
            faults.append(RowFault(row, "as_of", "同一张表的日期应一致"))
        seen.add((rate.table, rate.code))
        rates.append(rate)
    if faults:
        raise SheetRefused(faults)
    return rates


def publish(unit: Unit, rates: Sequence[Rate]) -> None:
    """Put these in place of the tables they belong to; other tables stay."""
    unit.db.execute(delete(RateRow).where(RateRow.table.in_({rate.table for rate in rates})))
    unit.db.execute(insert(RateRow), [_row(position, rate) for position, rate in enumerate(rates)])
    bump(unit, "rates")


def tables(unit: Unit) -> Mapping[str, RateTable]:
    """Every table that has lines, by name, as of at most a second ago."""
    return _kept.get(unit)


def seed(unit: Unit) -> None:
    """Fill empty tables with placeholders nobody could take for a price: the same round numbers
    everywhere, and marked as samples."""
    if unit.db.execute(select(RateRow.position).limit(1)).first() is None:
        publish(unit, check(Path(__file__).parent / "packs" / "sample-rates.csv"))


def _row(position: int, rate: Rate) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(rate, name) for name in Rate.__slots__}
    for name in PRICES:
        row[name] = None if row[name] is None else str(row[name])
    return row | {"position": position}


def _load(unit: Unit) -> Mapping[str, RateTable]:
    lines: dict[str, list[Rate]] = {}
    columns = [RateRow.__table__.c[name] for name in Rate.__slots__]
    rows = unit.db.execute(select(*columns).order_by(RateRow.table, RateRow.position))
    for row in rows.mappings():
        values: dict[str, Any] = dict(row)
        for name in PRICES:
            values[name] = None if values[name] is None else Decimal(values[name])
        lines.setdefault(row["table"], []).append(Rate(**values))
    return {
        name: RateTable(found[0].as_of, any(each.sample for each in found), tuple(found))
        for name, found in lines.items()
    }


_kept: Kept[Mapping[str, RateTable]] = Kept("rates", _load)
