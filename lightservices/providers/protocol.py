"""What a provider is and what it gives: declared inputs in, cards or a table with their time out.

A provider answers or raises :class:`Failed`. How long it may take, whether it is asked at all, and
what the follower reads when it fails are decided in :mod:`lightservices.providers.asking`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from marshmallow import Schema

from service.wechat.token import Deadline
from service.wiring import Wiring


class Why(StrEnum):
    """Why there is no answer; the names are those of the counters."""

    UNCONFIGURED = "unconfigured"  #: the bank has not connected the system that knows
    UNREACHABLE = "unreachable"  #: no connection, or it broke
    SLOW = "slow"  #: no whole answer in the time there is
    STATUS = "status"  #: an HTTP status that is no answer
    UNREADABLE = "unreadable"  #: not JSON, or not what was agreed
    TOO_LARGE = "too_large"  #: more than any honest answer
    REFUSED = "refused"  #: the system refuses our own credentials
    RESTING = "resting"  #: the breaker is open
    BUSY = "busy"  #: this process already waits for too many answers
    UNBOUND = "unbound"  #: the follower's binding holds no longer
    DECLINED = "declined"  #: the system understood, and the answer is no


#: The system is well and says no.
ANSWERS: Final = frozenset((Why.UNBOUND, Why.DECLINED))


class Failed(Exception):
    """There is no answer. ``code`` is the system's own word for a refusal, never shown as it is."""

    def __init__(self, why: Why, code: str = "") -> None:
        super().__init__(why.value)
        self.why = why
        self.code = code


class Audience(StrEnum):
    """Whom an answer is for: everybody alike, or one customer alone."""

    EVERYBODY = "everybody"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True, repr=False)
class Customer:
    """The bank's opaque name for a bound follower. It never shows itself."""

    token: str


@dataclass(frozen=True, slots=True, repr=False)
class Query:
    """One question: validated inputs, for whom, and until when an answer is of use."""

    wiring: Wiring
    inputs: Mapping[str, Any]
    deadline: Deadline
    customer: Customer | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Card:
    """One thing with a figure to read first and what belongs to it."""

    title: str
    figure: str = ""
    unit: str = ""
    pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Rows under headings; the first column names the row, after a line break more faintly."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What a page shows: it is never stored and never logged when it is a customer's.

    Attributes:
        as_of: when the system that knows says it was so.
        source: that system, in words a follower understands.
        sample: whether the figures come from a sandbox and mean nothing.
        empty: what to say when there is nothing to list.
    """

    parts: tuple[Card | Table, ...]
    as_of: datetime
    source: str
    note: str = ""
    sample: bool = False
    empty: str = ""
    #: Whether it is the last good answer, because there is no new one.
    is_stale: bool = field(default=False)


@dataclass(frozen=True, slots=True)
class Provider:
    """One source of answers under the name that content files give.

    Attributes:
        title: what it knows, in staff's words.
        inputs: the schema of what a page may ask; it fills in what was left out.
        keep_seconds: how long an answer for everybody is good for everybody; 0 asks every time.
        is_connected: whether this installation has the system behind it at all.
    """

    name: str
    title: str
    audience: Audience
    inputs: type[Schema]
    fetch: Callable[[Query], Answer]
    is_connected: Callable[[Wiring], bool]
    keep_seconds: int = 0
