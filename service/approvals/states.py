"""The life of a version: which move leads where, and what stands in the way of one. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a version stands. Content goes live only by way of PROPOSED."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    #: Approved, and waiting for the time it was approved for.
    APPROVED = "approved"
    LIVE = "live"
    #: Sent back with a reason; whoever wrote it goes on from here.
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    ROLLED_BACK = "rolled_back"


class Move(StrEnum):
    """What is done to a version, by people or (the last four) by the program."""

    EDIT = "edit"
    PROPOSE = "propose"
    WITHDRAW = "withdraw"
    RETURN = "return"
    APPROVE = "approve"
    SCHEDULE = "schedule"
    GO_LIVE = "go_live"
    FAIL = "fail"
    SUPERSEDE = "supersede"
    ROLL_BACK = "roll_back"


_S, _M = State, Move

#: Every move there is. An edit after the proposal voids it; what was approved is not edited.
LEADS_TO: Final[Mapping[tuple[State, Move], State]] = {
    (_S.DRAFT, _M.EDIT): _S.DRAFT,
    (_S.RETURNED, _M.EDIT): _S.DRAFT,
    (_S.PROPOSED, _M.EDIT): _S.DRAFT,
    (_S.DRAFT, _M.PROPOSE): _S.PROPOSED,
    (_S.RETURNED, _M.PROPOSE): _S.PROPOSED,
    (_S.DRAFT, _M.WITHDRAW): _S.WITHDRAWN,
    (_S.RETURNED, _M.WITHDRAW): _S.WITHDRAWN,
    (_S.PROPOSED, _M.WITHDRAW): _S.WITHDRAWN,
    (_S.APPROVED, _M.WITHDRAW): _S.WITHDRAWN,
    (_S.PROPOSED, _M.RETURN): _S.RETURNED,
    (_S.APPROVED, _M.RETURN): _S.RETURNED,
    (_S.PROPOSED, _M.APPROVE): _S.LIVE,
    (_S.PROPOSED, _M.SCHEDULE): _S.APPROVED,
    (_S.APPROVED, _M.GO_LIVE): _S.LIVE,
    (_S.APPROVED, _M.FAIL): _S.RETURNED,
    (_S.LIVE, _M.SUPERSEDE): _S.SUPERSEDED,
    (_S.LIVE, _M.ROLL_BACK): _S.ROLLED_BACK,
}

#: What somebody still has to do something about.
OPEN: Final = frozenset({_S.DRAFT, _S.PROPOSED, _S.APPROVED, _S.RETURNED})
#: What was approved and live once, so that one may go back to it.
WAS_LIVE: Final = frozenset({_S.SUPERSEDED, _S.ROLLED_BACK})

#: Only somebody who had no hand in the content decides on it.
_DECIDES: Final = frozenset({_M.APPROVE, _M.SCHEDULE, _M.RETURN})
#: Made on what the person saw; if that is no longer what there is, they must look again.
_SEEN: Final = frozenset({_M.EDIT, _M.PROPOSE, _M.APPROVE, _M.SCHEDULE})
#: Made against what is live; if something else went live since, that would be overwritten unseen.
_ON_BASE: Final = frozenset({_M.EDIT, _M.PROPOSE, _M.APPROVE, _M.SCHEDULE, _M.GO_LIVE})
#: A draft may be full of faults; whatever is on its way to followers may not.
FAULTLESS: Final = frozenset({_M.PROPOSE, _M.APPROVE, _M.SCHEDULE, _M.GO_LIVE})


class Hindrance(StrEnum):
    """Why a move is refused, in the order in which one is told."""

    NOT_YOURS = "not yours"
    SETTLED = "settled"
    OWN_WORK = "own work"
    CHANGED = "changed"
    STALE = "stale"
    FAULTY = "faulty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All a decision depends on, and nothing else."""

    state: State
    move: Move
    #: Whether the person may do this at this branch; the program always may.
    permitted: bool
    person: int | None = None
    #: Everybody who had a hand in the content, the maker among them.
    editors: Collection[int] = field(default=frozenset())
    #: The digest of what the person saw, and of what there is.
    seen: str = ""
    there: str = ""
    #: The version the content was written on, and the one that is live.
    base: int | None = None
    live: int | None = None
    faulty: bool = False


def hindrance(case: Case) -> Hindrance | None:
    """What stands in the way of the move, None if nothing does."""
    move = case.move
    checks = (
        (Hindrance.NOT_YOURS, not case.permitted),
        (Hindrance.SETTLED, (case.state, move) not in LEADS_TO),
        (Hindrance.OWN_WORK, move in _DECIDES and case.person in case.editors),
        (Hindrance.CHANGED, move in _SEEN and case.seen != case.there),
        (Hindrance.STALE, move in _ON_BASE and case.base != case.live),
        (Hindrance.FAULTY, move in FAULTLESS and case.faulty),
    )
    return next((found for found, holds in checks if holds), None)
