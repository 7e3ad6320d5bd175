"""Which days are public holidays, which weekends are worked instead, when the bank itself closes.

One file a year, ``packs/holidays-<year>.yaml``, copied by the bank from the government's notice.
Until then it is a sample that holds only the days whose dates the law itself fixes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml
from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from service.wording import FAULTS

PACKS: Final = Path(__file__).resolve().parents[1] / "packs"


@dataclass(frozen=True, slots=True)
class Closing:
    """Days on which the bank is closed: everywhere, or at some branches or outlets."""

    dates: frozenset[date]
    why: str
    branches: frozenset[str] = frozenset()
    outlets: frozenset[str] = frozenset()

    def concerns(self, outlet: str, lineage: Iterable[str]) -> bool:
        if not self.branches and not self.outlets:
            return True
        return outlet in self.outlets or not self.branches.isdisjoint(lineage)


@dataclass(frozen=True, slots=True)
class Calendar:
    """What differs from the days of the week; ``official`` years were copied from the notice."""

    holidays: Mapping[date, str] = field(default_factory=lambda: MappingProxyType({}))
    workdays: frozenset[date] = frozenset()
    closings: tuple[Closing, ...] = ()
    official: frozenset[int] = frozenset()

    def closed_for(self, day: date, *, outlet: str, lineage: Iterable[str]) -> str:
        """Why this outlet is closed that day; nothing when the bank closed nothing."""
        codes = tuple(lineage)
        for closing in self.closings:
            if day in closing.dates and closing.concerns(outlet, codes):
                return closing.why
        return ""

    def has_closings_on(self, day: date) -> bool:
        return any(day in closing.dates for closing in self.closings)


#: Every day is as its name says.
PLAIN: Final = Calendar()


def _dates(*, required: bool = True) -> fields.List[date]:
    return fields.List(
        fields.Date(error_messages=FAULTS | {"invalid": "应写成 2026-10-01"}),
        required=required,
        error_messages=FAULTS,
    )


class HolidayInput(Schema):
    name = fields.String(required=True, error_messages=FAULTS, validate=validate.Length(1, 12))
    dates = _dates()


class ClosingInput(Schema):
    dates = _dates()
    why = fields.String(required=True, error_messages=FAULTS, validate=validate.Length(1, 40))
    branches = fields.List(
        fields.String(validate=validate.Regexp(r"^(HQ|B\d{6})$", error="不是分行代码"))
    )
    outlets = fields.List(fields.String(validate=validate.Regexp(r"^[A-Za-z0-9-]{1,32}$")))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Closing:
        return Closing(
            frozenset(data["dates"]), data["why"], frozenset(data.get("branches", ())),
            frozenset(data.get("outlets", ())),
        )  # fmt: skip


class YearInput(Schema):
    """One file."""

    year = fields.Integer(required=True, strict=True, error_messages=FAULTS)
    status = fields.String(
        required=True,
        error_messages=FAULTS,
        validate=validate.OneOf(("sample", "official"), error="只能是 sample 或 official"),
    )
    source = fields.String(required=True, error_messages=FAULTS)
    holidays = fields.List(fields.Nested(HolidayInput), required=True, error_messages=FAULTS)
    workdays = _dates()
    closings = fields.List(fields.Nested(ClosingInput), required=True, error_messages=FAULTS)

    @validates_schema
    def _check(self, data: Mapping[str, Any], **_: Any) -> None:
        year = data.get("year")
        free = [day for holiday in data.get("holidays", ()) for day in holiday["dates"]]
        if len(set(free)) != len(free):
            raise ValidationError("同一天写了两次", "holidays")
        if any(day.year != year for day in (*free, *data.get("workdays", ()))):
            raise ValidationError("日期应在这一年之内", "year")
        if not set(free).isdisjoint(data.get("workdays", ())):
            raise ValidationError("同一天不能既放假又上班", "workdays")
        if any(day.weekday() < 5 for day in data.get("workdays", ())):
            raise ValidationError("调休上班日应是周六或周日", "workdays")
        is_whole = all(holiday["dates"] for holiday in data.get("holidays", ()))
        if data.get("status") == "official" and (not is_whole or "【" in data.get("source", "")):
            raise ValidationError("official 要求每个节日都有日期，并写明来源", "status")


def read(path: Path) -> Calendar:
    """One year's file.

    Raises:
        ValidationError: naming every fault; half a calendar sends people to closed doors.
    """
    loaded: dict[str, Any] = YearInput().load(_plain(yaml.safe_load(path.read_text("utf-8"))))
    holidays = {day: one["name"] for one in loaded["holidays"] for day in one["dates"]}
    official = frozenset((loaded["year"],)) if loaded["status"] == "official" else frozenset()
    return Calendar(
        MappingProxyType(holidays),
        frozenset(loaded["workdays"]),
        tuple(loaded["closings"]),
        official,
    )


@functools.lru_cache(maxsize=1)
def calendar() -> Calendar:
    """All years this program ships with, read once in the life of the process."""
    years = [read(path) for path in sorted(PACKS.glob("holidays-*.yaml"))]
    return Calendar(
        MappingProxyType({day: name for year in years for day, name in year.holidays.items()}),
        frozenset(day for year in years for day in year.workdays),
        tuple(closing for year in years for closing in year.closings),
        frozenset(number for year in years for number in year.official),
    )


def _plain(value: Any) -> Any:
    """YAML reads dates as dates; the schema reads them as people write them."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value
