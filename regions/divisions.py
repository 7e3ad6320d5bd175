"""The administrative divisions of China by their GB/T 2260 codes: names, levels, parents, labels.

The table is shipped: ``data/divisions.csv`` holds the Ministry of Civil Affairs' national
place-name list of 2026-09-11, ``data/divisions_unlisted.csv`` what boundaries need beyond it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal, NewType

#: Six digits of GB/T 2260, such as "320102".
DivisionCode = NewType("DivisionCode", str)
Level = Literal["province", "prefecture", "county"]

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Division:
    """One division; ``parent`` is None for provinces only."""

    code: DivisionCode
    name: str
    level: Level
    parent: DivisionCode | None


class Divisions:
    """The whole table. Reads take any six-digit code and never guess: unknown codes give None."""

    def __init__(
        self, listed: Mapping[str, str], unlisted: Mapping[str, str], successors: Mapping[str, str]
    ) -> None:
        names = {**listed, **unlisted}
        self._listed = frozenset(listed)
        #: Superseded codes and the codes the list has for the same land today.
        self.successors = dict(successors)
        self._by_code = {code: _division(code, name, names) for code, name in names.items()}

    def __iter__(self) -> Iterator[Division]:
        """The divisions of the ministry's list, in the order of their codes."""
        return (found for code, found in self._by_code.items() if code in self._listed)

    def get(self, code: str) -> Division | None:
        return self._by_code.get(code)

    def current(self, code: str) -> DivisionCode:
        """The code the list has today for this one, which may have been superseded."""
        return DivisionCode(self.successors.get(code, code))

    def path(self, code: str) -> tuple[Division, ...]:
        """Province, prefecture and county down to this division, as far as they exist."""
        steps: list[Division] = []
        step = self._by_code.get(code)
        while step is not None:
            steps.append(step)
            step = self._by_code.get(step.parent) if step.parent else None
        return tuple(reversed(steps))

    def province(self, code: str) -> Division | None:
        path = self.path(code)
        return path[0] if path else None

    def prefecture(self, code: str) -> Division | None:
        """The prefecture this division is or belongs to, or what stands in its place.

        A municipality and a special administrative region are their own prefecture; so is a
        county directly under a province, such as 济源市 419001. A province proper has none.
        """
        path = self.path(code)
        if not path:
            return None
        if _is_its_own_prefecture(path[0].code):
            return path[0]
        return path[1] if len(path) > 1 else None

    def label(self, code: str) -> str:
        """The full name from the province down, such as 江苏省南京市玄武区; "" if unknown."""
        return "".join(step.name for step in self.path(code))

    def counties(self, code: str) -> tuple[Division, ...]:
        """The listed counties below a province or prefecture, in the order of their codes."""
        return self._counties.get(code, ())

    @cached_property
    def _counties(self) -> dict[str, tuple[Division, ...]]:
        below: dict[str, list[Division]] = {}
        for found in self:
            if found.level == "county":
                for step in self.path(found.code)[:-1]:
                    below.setdefault(step.code, []).append(found)
        return {code: tuple(counties) for code, counties in below.items()}

    def prefectures(self) -> tuple[tuple[Division, tuple[Division, ...]], ...]:
        """Every province with the cities a person picks from, both in the order of their codes."""
        cities: dict[str, dict[str, Division]] = {}
        for found in self:
            city = self.prefecture(found.code)
            if city is not None:
                province = self.path(found.code)[0]
                cities.setdefault(province.code, {})[city.code] = city
        return tuple(
            (self._by_code[province], tuple(found[code] for code in sorted(found)))
            for province, found in cities.items()
        )


@cache
def table() -> Divisions:
    """The shipped table, read once per process."""
    unlisted = list(_rows("divisions_unlisted.csv"))
    return Divisions(
        {row["code"]: row["name"] for row in _rows("divisions.csv")},
        {row["code"]: row["name"] for row in unlisted},
        {row["code"]: row["successor"] for row in unlisted if row["successor"]},
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))


def _division(code: str, name: str, names: Mapping[str, str]) -> Division:
    """Level and parent follow from the code: two digits each for province, prefecture, county.

    Where no prefecture bears the first four digits (municipalities, xx90xx), the parent is the
    province.
    """
    if code.endswith("0000"):
        return Division(DivisionCode(code), name, "province", None)
    prefecture = code[:4] + "00"
    if prefecture == code or prefecture not in names:
        parent = DivisionCode(code[:2] + "0000")
    else:
        parent = DivisionCode(prefecture)
    level: Level = "prefecture" if prefecture == code else "county"
    return Division(DivisionCode(code), name, level, parent)


def _is_its_own_prefecture(province: str) -> bool:
    """Beijing, Tianjin, Shanghai, Chongqing; Taiwan, Hong Kong and Macau, listed without cities."""
    return province[:2] in ("11", "12", "31", "50", "71", "81", "82")
