"""Which services stand in front for one follower, and why: a pure reckoning from little.

Known are tags and, for each situation of life, a count of openings that halves every two weeks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from lightservices.catalogue.model import Service

#: After so many days an opening counts half.
HALF_LIFE_DAYS: Final = 14
#: What a tag weighs beside openings: as much as three of today.
TAG_WEIGHT: Final = 3.0
#: Below this nothing is left worth keeping.
FAINT: Final = 0.1
#: How many services of one situation are shown, the second only after every other's first.
MOST_ALIKE: Final = 2


class Source(StrEnum):
    """Who gave a tag."""

    CHOSEN = "chosen"
    SCENE = "scene"
    BANK = "bank"


@dataclass(frozen=True, slots=True)
class Tag:
    """``scenarios`` are the situations of life it points to."""

    key: str
    title: str
    scenarios: tuple[str, ...]
    choice: bool


@dataclass(frozen=True, slots=True)
class Given:
    """A tag a follower has, and from whom."""

    tag: Tag
    source: Source


@dataclass(frozen=True, slots=True)
class Taste:
    """How much a situation was opened, as of a day."""

    weight: float
    stamped: date

    def on(self, day: date) -> float:
        """What is left of it on a day; a clock that went back adds nothing."""
        days = max(0, (day - self.stamped).days)
        return float(self.weight * 0.5 ** (days / HALF_LIFE_DAYS))

    def opened(self, day: date) -> Taste:
        """The same with one more opening; several on one day are one."""
        if day <= self.stamped and self.weight > 0:
            return self
        return Taste(self.on(day) + 1.0, day)


@dataclass(frozen=True, slots=True)
class Pick:
    """One service put in front, and the sentence that says why."""

    service: Service
    why: str


_WHY: Final[Mapping[Source, str]] = {
    Source.CHOSEN: "您选了“{}”",
    Source.SCENE: "您扫过“{}”的二维码",
    Source.BANK: "您是本行的“{}”",
}


def pick(
    services: Iterable[Service],
    *,
    given: Collection[Given],
    tastes: Mapping[str, Taste],
    today: date,
    most: int,
    without: Collection[str] = (),
) -> list[Pick]:
    """At most ``most`` services that something speaks for, the strongest first.

    Equals keep the catalogue's order, and nothing that nothing speaks for is ever picked.
    """
    found: list[tuple[float, int, Pick]] = []
    for place, service in enumerate(services):
        score, why = weigh(service.scenario, given=given, tastes=tastes, today=today)
        if score >= FAINT and service.key not in without:
            found.append((-score, place, Pick(service, why)))
    found.sort(key=lambda one: one[:2])
    seen: dict[str, int] = {}
    turns: list[list[Pick]] = [[] for _turn in range(MOST_ALIKE)]
    for _score, _place, one in found:
        turn = seen[one.service.scenario] = seen.get(one.service.scenario, 0) + 1
        if turn <= MOST_ALIKE:
            turns[turn - 1].append(one)
    return [one for turn in turns for one in turn][:most]


def weigh(
    scenario: str, *, given: Collection[Given], tastes: Mapping[str, Taste], today: date
) -> tuple[float, str]:
    """How much speaks for a situation, and what most of it is, in a sentence for the follower."""
    pointing = [one for one in given if scenario in one.tag.scenarios]
    taste = tastes[scenario].on(today) if scenario in tastes else 0.0
    score = TAG_WEIGHT * len({one.tag.key for one in pointing}) + taste
    if pointing and taste <= TAG_WEIGHT * len(pointing):
        first = min(pointing, key=lambda one: (list(Source).index(one.source), one.tag.key))
        return score, _WHY[first.source].format(first.tag.title)
    return score, f"您最近看过“{scenario}”" if taste else ""
