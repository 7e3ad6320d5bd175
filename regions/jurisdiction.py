"""The bank's tree as the staff's rights see it: codes up to head office, and names."""

from __future__ import annotations

from collections.abc import Mapping

from regions.branches import BranchCode, directory
from service.wiring import Unit


def lineage(unit: Unit, code: str) -> tuple[BranchCode, ...]:
    """A branch's code and those above it up to head office; () for a branch there is not."""
    return tuple(branch.code for branch in directory(unit).chain(code))


def names(unit: Unit) -> Mapping[str, str]:
    """Every branch's name by its code: head office, then each branch with those below it."""
    known = directory(unit)
    found: dict[str, str] = {}
    waiting = [known.head]
    while waiting:
        branch = waiting.pop()
        found[branch.code] = branch.name
        waiting.extend(reversed(known.children(branch.code)))
    return found
