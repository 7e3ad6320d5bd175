"""The one door to a branch: whoever has no business there cannot even tell that it exists."""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.exceptions import Forbidden, NotFound

from service.staff import rights
from service.staff.people import Me
from service.wiring import Unit


def door(unit: Unit, me: Me, code: str, act: str) -> str:
    """The branch code, if this person may do this act there.

    Raises:
        NotFound: for a branch outside every jurisdiction of theirs, exactly as for one that does
            not exist.
        Forbidden: where they may look but not do this, since they know of the branch anyway.
    """
    lineage = unit.wiring.tables.lineage(unit, code)
    if not rights.covers(me.grants, lineage):
        raise NotFound
    if not rights.may(me.grants, act, lineage):
        raise Forbidden
    return code


def may_at(unit: Unit, me: Me, code: str, act: str) -> bool:
    """Whether ``door`` would open, for pages that show a button or leave it out."""
    return rights.may(me.grants, act, unit.wiring.tables.lineage(unit, code))


def branches_of(unit: Unit, me: Me, act: str = "") -> dict[str, str]:
    """The names by code of the branches where this person may do the act.

    Without an act, of all branches that exist for them.
    """
    tables, grants = unit.wiring.tables, me.grants

    def are_theirs(lineage: Sequence[str]) -> bool:
        return rights.may(grants, act, lineage) if act else rights.covers(grants, lineage)

    return {
        code: name
        for code, name in tables.branch_names(unit).items()
        if are_theirs(tables.lineage(unit, code))
    }


def reach_of(unit: Unit, me: Me, act: str) -> frozenset[str] | None:
    """The codes of the branches where this person may do the act; None for all there are.

    Whoever may do it at head office sees what belongs to no branch as well.
    """
    if "HQ" in rights.reach(me.grants, act):
        return None
    return frozenset(branches_of(unit, me, act))
