"""How a ticket goes from hand to hand: states, what may be done in each, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where a ticket stands."""

    OPEN = "open"  #: waits for somebody
    TAKEN = "taken"  #: somebody works on it
    ANSWERED = "answered"  #: the follower has an answer and may come back
    CLOSED = "closed"


class Act(StrEnum):
    """What somebody does with a ticket."""

    OPEN = "open"
    TAKE = "take"
    RELEASE = "release"
    ANSWER = "answer"
    SAY = "say"  #: the follower adds something
    CLOSE = "close"
    SETTLE = "settle"  #: the follower says that it is settled
    REOPEN = "reopen"
    HAND = "hand"
    ESCALATE = "escalate"


#: What people call them.
TITLES: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.OPEN: "待受理",
        State.TAKEN: "处理中",
        State.ANSWERED: "已答复",
        State.CLOSED: "已办结",
    }
)
#: The states in which the bank owes something.
OWED: Final = (State.OPEN, State.TAKEN)

_NEXT: Final[Mapping[tuple[State, Act], State]] = MappingProxyType(
    {
        (State.OPEN, Act.TAKE): State.TAKEN,
        (State.OPEN, Act.ANSWER): State.ANSWERED,
        (State.OPEN, Act.SAY): State.OPEN,
        (State.OPEN, Act.CLOSE): State.CLOSED,
        (State.OPEN, Act.SETTLE): State.CLOSED,
        (State.OPEN, Act.HAND): State.OPEN,
        (State.OPEN, Act.ESCALATE): State.OPEN,
        # Somebody may have gone home with it: a colleague takes it over.
        (State.TAKEN, Act.TAKE): State.TAKEN,
        (State.TAKEN, Act.RELEASE): State.OPEN,
        (State.TAKEN, Act.ANSWER): State.ANSWERED,
        (State.TAKEN, Act.SAY): State.TAKEN,
        (State.TAKEN, Act.CLOSE): State.CLOSED,
        (State.TAKEN, Act.SETTLE): State.CLOSED,
        (State.TAKEN, Act.HAND): State.OPEN,
        (State.TAKEN, Act.ESCALATE): State.OPEN,
        (State.ANSWERED, Act.ANSWER): State.ANSWERED,
        (State.ANSWERED, Act.SAY): State.OPEN,
        (State.ANSWERED, Act.CLOSE): State.CLOSED,
        (State.ANSWERED, Act.SETTLE): State.CLOSED,
        (State.ANSWERED, Act.REOPEN): State.OPEN,
        (State.CLOSED, Act.SAY): State.OPEN,
        (State.CLOSED, Act.REOPEN): State.OPEN,
    }
)


class NotNow(Exception):
    """In this state the act makes no sense; ``says`` is why, ``way_out`` what to do instead."""

    def __init__(self, says: str, way_out: str = "请刷新页面，看看最新的状态") -> None:
        super().__init__(says)
        self.says = says
        self.way_out = way_out


def after(state: State, act: Act) -> State:
    """The state that this act leads to.

    Raises:
        NotNow: when it cannot be done in this state.
    """
    following = _NEXT.get((state, act))
    if following is None:
        raise NotNow(f"这张工单{TITLES[state]}，不能这样操作")
    return following


def allowed(state: State) -> frozenset[Act]:
    """What may be done in this state."""
    return frozenset(act for known, act in _NEXT if known is state)
