"""The life of an emergency and of its versions: every move there is, and what forbids one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where an emergency stands. Followers meet it while it is OPEN and its end has not come."""

    PROPOSED = "proposed"
    OPEN = "open"
    CLOSED = "closed"
    EXPIRED = "expired"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Stage(StrEnum):
    """Where one version of it stands: at most one is LIVE, and at most one is PROPOSED."""

    PROPOSED = "proposed"
    LIVE = "live"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    #: Over together with the emergency, decided or not.
    LAPSED = "lapsed"


class Move(StrEnum):
    """What is done to it, by people or (EXPIRE) by the clock."""

    #: A second person opens what was proposed; REJECT and WITHDRAW end it before it began.
    OPEN = "open"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    #: While it is open: another version is proposed, and a second person takes it or does not.
    CHANGE = "change"
    ADOPT = "adopt"
    DECLINE = "decline"
    RETRACT = "retract"
    CLOSE = "close"
    EXPIRE = "expire"


_S, _M = State, Move

#: Every move there is. Nothing leads out of an end, and nothing but OPEN leads into being open:
#: breaking the glass begins there.
LEADS_TO: Final[Mapping[tuple[State, Move], State]] = {
    (_S.PROPOSED, _M.OPEN): _S.OPEN,
    (_S.PROPOSED, _M.REJECT): _S.REJECTED,
    (_S.PROPOSED, _M.WITHDRAW): _S.WITHDRAWN,
    (_S.OPEN, _M.CHANGE): _S.OPEN,
    (_S.OPEN, _M.ADOPT): _S.OPEN,
    (_S.OPEN, _M.DECLINE): _S.OPEN,
    (_S.OPEN, _M.RETRACT): _S.OPEN,
    (_S.OPEN, _M.CLOSE): _S.CLOSED,
    (_S.OPEN, _M.EXPIRE): _S.EXPIRED,
}
ENDS: Final = frozenset({_S.CLOSED, _S.EXPIRED, _S.REJECTED, _S.WITHDRAWN})

#: What becomes of the version that a move is about.
STAGES: Final[Mapping[Move, Stage]] = {
    _M.OPEN: Stage.LIVE,
    _M.REJECT: Stage.REJECTED,
    _M.WITHDRAW: Stage.WITHDRAWN,
    _M.CHANGE: Stage.PROPOSED,
    _M.ADOPT: Stage.LIVE,
    _M.DECLINE: Stage.REJECTED,
    _M.RETRACT: Stage.WITHDRAWN,
}

#: Made by a second person, on the very content and the very reach they saw.
CONFIRMS: Final = frozenset({_M.OPEN, _M.ADOPT})
#: Decided by somebody who did not write it.
DECIDES: Final = frozenset({_M.OPEN, _M.REJECT, _M.ADOPT, _M.DECLINE})


class Hindrance(StrEnum):
    """Why a move is refused, in the order in which one is told."""

    UNSEEN = "unseen"
    SETTLED = "settled"
    NOT_ALLOWED = "not allowed"
    OWN_WORK = "own work"
    CHANGED = "changed"
    OTHER_REACH = "other reach"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All a decision depends on, and nothing else."""

    state: State
    move: Move
    #: Where the version that the move is about stands; None where it is about none.
    stage: Stage | None = None
    #: Whether the person may look at it at all, and may do this everywhere in the area.
    sees: bool = True
    permitted: bool = True
    person: int | None = None
    maker: int | None = None
    #: The seal of what the person saw, and of what there is; the reach likewise.
    seen: str = ""
    there: str = ""
    ticked: str = ""
    reach: str = ""


def hindrance(case: Case) -> Hindrance | None:
    """What stands in the way of the move, None if nothing does."""
    move = case.move
    undecided = case.stage in (None, Stage.PROPOSED)
    checks = (
        (Hindrance.UNSEEN, not case.sees),
        (Hindrance.SETTLED, (case.state, move) not in LEADS_TO or not undecided),
        (Hindrance.NOT_ALLOWED, not case.permitted),
        (Hindrance.OWN_WORK, move in DECIDES and case.person == case.maker),
        (Hindrance.CHANGED, move in CONFIRMS and case.seen != case.there),
        (Hindrance.OTHER_REACH, move in CONFIRMS and case.ticked != case.reach),
    )
    return next((found for found, holds in checks if holds), None)


def standing(state: State, ends_at: datetime | None, moment: datetime) -> State:
    """Where it stands at this moment: an end that has come needs nobody to write it down."""
    if state is State.OPEN and ends_at is not None and moment >= ends_at:
        return State.EXPIRED
    return state
