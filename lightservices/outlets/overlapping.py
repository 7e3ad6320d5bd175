"""Lists of outlets under way above and below a branch: whichever goes live last takes all it says.

A branch's list holds the outlets of the branches below it as well, so two lists can speak of the
same outlets without either of them being a version of the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from regions import jurisdiction
from service.approvals.models import DOCUMENTS, VERSIONS
from service.approvals.refusals import STATES
from service.approvals.states import OPEN, State
from service.wiring import Unit

#: The name of the kind, which ``section`` brings; not taken from there, as it asks for this here.
_KIND = "outlets"


def said(unit: Unit, branch: str) -> Sequence[str]:
    """One sentence for each branch above or below whose list is under way, with both names."""
    names = jurisdiction.names(unit)
    above = frozenset(jurisdiction.lineage(unit, branch)) - {branch}
    own = names.get(branch, branch)
    return [
        _sentence(
            upper=names.get(other, other) if other in above else own,
            lower=own if other in above else names.get(other, other),
            whose=names.get(other, other),
            state=state,
        )
        for other, state in _under_way(unit, above | jurisdiction.below(unit, branch) - {branch})
    ]


def _under_way(unit: Unit, codes: frozenset[str]) -> Sequence[tuple[str, State]]:
    rows = unit.db.execute(
        select(DOCUMENTS.c.branch_code, VERSIONS.c.state)
        .join_from(VERSIONS, DOCUMENTS, VERSIONS.c.document_id == DOCUMENTS.c.id)
        .where(
            DOCUMENTS.c.kind == _KIND,
            DOCUMENTS.c.branch_code.in_(codes),
            VERSIONS.c.state.in_(OPEN),
        )
        .distinct()
        .order_by(DOCUMENTS.c.branch_code, VERSIONS.c.state)
    )
    return [(row.branch_code, State(row.state)) for row in rows]


def _sentence(*, upper: str, lower: str, whose: str, state: State) -> str:
    return (
        f"{whose}也有一份名单（{STATES[state]}）。{upper}的名单包含{lower}的网点，"
        f"两份都上线时，后上线的会盖掉先上线的；请两家先商量好由谁提交。"
    )
