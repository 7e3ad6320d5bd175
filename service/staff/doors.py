"""The one door to a branch: whoever has no business there cannot even tell that it exists."""

from __future__ import annotations

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
