"""What an editor chooses from: services by scenario, zones, divisions, branches below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lightservices import catalogue, zones
from lightservices.catalogue import Service
from regions import branches, divisions, jurisdiction
from regions.branches import Branch
from regions.divisions import Division
from service.wiring import Unit

#: The ways through the account itself, which no branch can take from its followers.
ALWAYS = frozenset(("directory", "my-city"))


@dataclass(frozen=True, slots=True)
class City:
    """A city with the districts in it that a branch serves."""

    city: Division
    districts: Sequence[Division]


def chain(unit: Unit, branch: str) -> list[str]:
    """The codes from the branch up to head office."""
    return [one.code for one in branches.directory(unit).chain(branch)]


def services(unit: Unit, branch: str) -> Mapping[str, Service]:
    """Everything that may be offered to followers of this branch, by key."""
    return catalogue.offered(unit, chain(unit, branch))


def by_scenario(offered: Mapping[str, Service]) -> list[tuple[str, list[Service]]]:
    """The services as the catalogue groups them."""
    found: dict[str, list[Service]] = {name: [] for name in catalogue.scenarios()}
    for one in offered.values():
        found.setdefault(one.scenario or "其他", []).append(one)
    return [(name, some) for name, some in found.items() if some]


def zone_names(unit: Unit) -> list[tuple[str, str]]:
    """Every zone a button may lead to: its key, and how editors know it."""
    tree = branches.directory(unit)
    found = []
    for zone in zones.every(unit):
        keeper = tree.get(zone.branch)
        found.append((zone.key, f"{zone.title}（{keeper.name if keeper else zone.branch}）"))
    return found


def territory(unit: Unit, branch: str) -> list[City]:
    """The cities and districts in which this branch, or one below it, serves."""
    tree, table = branches.directory(unit), divisions.table()
    ours = jurisdiction.below(unit, branch)
    found = []
    for _province, cities in table.prefectures():
        for city in cities:
            counties = table.counties(city.code)
            own = [one for one in counties if tree.serving(one.code).branch.code in ours]
            if own or (not counties and tree.serving(city.code).branch.code in ours):
                found.append(City(city, own))
    return found


def outside(cities: Sequence[City], codes: Sequence[str]) -> list[tuple[str, str]]:
    """Which of these divisions are none of these cities' and districts, with their names."""
    known = {one.city.code for one in cities} | {d.code for one in cities for d in one.districts}
    table = divisions.table()
    return [(code, table.label(code) or code) for code in codes if code and code not in known]


def below(unit: Unit, branch: str, *, levels: int) -> list[Branch]:
    """This branch and those so many levels below it, each before its own."""
    here, *others = branches.directory(unit).below(branch)
    return [here, *(one for one in others if one.level <= here.level + levels)]
