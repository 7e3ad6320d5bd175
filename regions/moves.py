"""What is announced when a follower's place changes, and what of it floors above may need."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from regions.branches import BranchCode
from service import journal
from service.happenings import Fact
from service.wiring import Unit

#: Cells are hundredths of a degree, about a kilometre.
CELLS_PER_DEGREE: Final = 100


def cell_at(latitude: float, longitude: float) -> tuple[int, int]:
    """The south-west corner of the cell around these GCJ-02 degrees, in hundredths of a degree."""
    return math.floor(latitude * CELLS_PER_DEGREE), math.floor(longitude * CELLS_PER_DEGREE)


def middle(south: int | None, west: int | None) -> tuple[float, float] | None:
    """The middle of a cell, in GCJ-02 degrees (latitude, longitude)."""
    if south is None or west is None:
        return None
    return (south + 0.5) / CELLS_PER_DEGREE, (west + 0.5) / CELLS_PER_DEGREE


@dataclass(frozen=True, slots=True)
class Spot:
    """A place as coarse as it is kept: the branch, the division, and the cell's south-west."""

    branch: str | None
    division: str | None = None
    south: int | None = None
    west: int | None = None

    @property
    def cell(self) -> tuple[float, float] | None:
        return middle(self.south, self.west)


@dataclass(frozen=True, slots=True)
class FollowerMoved(Fact):
    """A follower is served by another branch from now on."""

    branch: BranchCode
    previous: BranchCode | None
    #: Where they are now, as far as it is known; the middle of the cell in GCJ-02 degrees.
    division: str | None = None
    cell: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class FollowerShifted(Fact):
    """A follower is elsewhere in the territory of the same branch, as far as that was noticed: in
    another division, or within a county where it matters just now where exactly."""

    branch: BranchCode
    division: str | None = None
    cell: tuple[float, float] | None = None


def announce(unit: Unit, fact: Fact, *, now: Spot, before: Spot) -> None:
    """Say what has changed between these two places of the follower; nothing, if nothing has.

    Args:
        fact: whom it concerns, and when.
        now: where they are; its branch is known.
    """
    assert now.branch is not None
    branch = BranchCode(now.branch)
    if now.branch != before.branch:
        previous = BranchCode(before.branch) if before.branch else None
        journal.count("followers_moved", branch=branch)
        unit.announce(FollowerMoved(fact.openid, fact.at, branch, previous, now.division, now.cell))
    elif now != before:
        unit.announce(FollowerShifted(fact.openid, fact.at, branch, now.division, now.cell))
