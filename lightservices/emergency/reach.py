"""Whom an area concerns: counties, branches, followers, outlets, and what is open there already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lightservices.emergency.refusals import OtherReach
from lightservices.outlets import nearest
from regions import atlas, branches, coverage, divisions
from regions.areas import Area
from regions.branches import HEAD_OFFICE, Branch
from regions.coverage import Coverage, Reach
from service.staff import Me, rights
from service.staff import operations as people
from service.staff.models import LOCKED
from service.wiring import Unit


@dataclass(frozen=True, slots=True)
class Assessment:
    """What people see of an area before they propose, open or change something there."""

    covered: Coverage
    reach: Reach
    #: The branches it touches, each once, in the order of their codes.
    branches: tuple[Branch, ...]
    outlets: int

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(branch.code for branch in self.branches)

    @property
    def ticked(self) -> str:
        """The rounded reach, which an approver ticks and is held to."""
        return coverage.rounded(self.reach.total)


def assess(unit: Unit, area: Area) -> Assessment:
    """Everything about the area; asked when something is proposed or decided, not at every page.

    The first question of a process reads the whole map, which takes about a second: ask before the
    transaction begins.
    """
    covered = coverage.cover(area)
    return Assessment(
        covered,
        coverage.reach(unit, area, covered),
        touched(unit, area, covered),
        sum(1 for _ in outlets_in(unit, area)),
    )


def outlets_in(unit: Unit, area: Area) -> Iterable[str]:
    """The ids of the outlets inside."""
    return (
        one.id
        for one in nearest.index(unit).outlets
        if area.contains(division=one.division, position=(one.lat, one.lng))
    )


def touched(unit: Unit, area: Area, covered: Coverage) -> tuple[Branch, ...]:
    """Every branch with followers that may be inside, whoever draws the area must answer for.

    Besides those who serve the counties: those who serve land drawn out of a county, and those of
    listed divisions that no map shows.
    """
    directory = branches.directory(unit)
    table = divisions.table()
    counties = set(covered.counties)
    for code in area.inside.divisions:
        counties |= {county.code for county in table.counties(code)} or {code}
    outside = area.outside.divisions
    counties = {
        code
        for code in counties
        if code in covered.counties or outside.isdisjoint(step.code for step in table.path(code))
    }
    found = {one.code: one for code in counties for one in directory.serving_in(code)}
    return tuple(found[code] for code in sorted(found))


def certain_branches(unit: Unit, covered: Coverage) -> frozenset[str]:
    """The branches all of whose followers with a known place are inside for certain.

    These, and no others, can be given another menu as a whole.
    """
    directory = branches.directory(unit)
    whole = set(covered.whole)
    inside: set[str] = set()
    outside: set[str] = set()
    for county in atlas.current(unit.settings).codes:
        serving = {branch.code for branch in directory.serving_in(county)}
        if county in whole:
            inside |= serving
        else:
            outside |= serving
    # Head office also serves everybody whose place nobody knows.
    return frozenset(inside - outside - {HEAD_OFFICE})


def partial_branches(unit: Unit, codes: Iterable[str], covered: Coverage) -> frozenset[str]:
    """The branches it touches that are not inside as a whole: their followers differ one by one."""
    return frozenset(codes) - certain_branches(unit, covered)


def may_everywhere(unit: Unit, me: Me, act: str, codes: Sequence[str]) -> bool:
    """Whether the person may do this at every one of these branches.

    A branch there is no more is head office's: what touches it can still be closed.
    """
    return bool(codes) and all(rights.may(me.grants, act, _lineage(unit, code)) for code in codes)


def sees(unit: Unit, me: Me, codes: Sequence[str]) -> bool:
    """Whether the person has any business in one of these branches."""
    return any(rights.covers(me.grants, _lineage(unit, code)) for code in codes)


def who_may(unit: Unit, act: str, codes: Sequence[str], *, but: Iterable[int] = ()) -> list[str]:
    """The names of those who may do this at every one of these branches, for whoever may not."""
    lineages = [_lineage(unit, code) for code in codes]
    left_out = set(but)
    return [
        person.name
        for person in people.everybody(unit)
        if person.state != LOCKED and person.id not in left_out
        and lineages and all(rights.may(person.grants, act, lineage) for lineage in lineages)
    ]  # fmt: skip


def above(unit: Unit, codes: Sequence[str]) -> str:
    """The nearest branch that stands above all of these."""
    chains = [tuple(_lineage(unit, code)) for code in codes]
    shared = set(chains[0]).intersection(*chains[1:]) if chains else set()
    return next((code for code in (chains[0] if chains else ()) if code in shared), HEAD_OFFICE)


def _lineage(unit: Unit, code: str) -> Sequence[str]:
    lineage = unit.wiring.tables.lineage
    return lineage(unit, code) or lineage(unit, HEAD_OFFICE)


def require_ticked(assessment: Assessment, ticked: str) -> None:
    """Hold whoever decides to the reach they ticked.

    Raises:
        OtherReach: it is another by now.
    """
    if assessment.ticked != ticked:
        raise OtherReach(assessment.ticked)
