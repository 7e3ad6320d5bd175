"""The bank's tree as the staff's rights see it: codes up to head office and down, and names."""

from __future__ import annotations

from collections.abc import Mapping

from regions.branches import BranchCode, directory
from service.wiring import Unit


def lineage(unit: Unit, code: str) -> tuple[BranchCode, ...]:
    """A branch's code and those above it up to head office; () for a branch there is not."""
    return tuple(branch.code for branch in directory(unit).chain(code))


def below(unit: Unit, code: str) -> frozenset[BranchCode]:
    """The codes of a branch and of every branch below it; none for a branch there is not."""
    return frozenset(branch.code for branch in directory(unit).below(code))


def names(unit: Unit) -> Mapping[str, str]:
    """Every branch's name by its code: head office, then each branch with those below it."""
    known = directory(unit)
    return {branch.code: branch.name for branch in known.below(known.head.code)}
