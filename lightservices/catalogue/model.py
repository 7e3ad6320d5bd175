"""What a light service is: frozen values, as a content file describes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final


class ServiceClass(StrEnum):
    """The three classes in which Chinese banks sort their light services."""

    ACCOUNT = "账户管理"
    BUSINESS = "业务办理"
    ADVICE = "客服咨询"


class Kind(StrEnum):
    """What stands behind a service: a text, a look-up, a reckoning, a form, a site, a person."""

    GUIDE = "guide"
    QUERY = "query"
    CALCULATOR = "calculator"
    FORM = "form"
    LINK = "link"
    PERSON = "person"


class Via(StrEnum):
    """What a channel can be opened with."""

    PHONE = "phone"
    APP = "app"
    MINIPROGRAM = "miniprogram"
    OUTLET = "outlet"
    WECOM = "wecom"
    WEB = "web"
    COUNTER = "counter"


class FieldType(StrEnum):
    """What a form's field, or a query's input, asks for."""

    TEXT = "text"
    PARAGRAPH = "paragraph"
    CHOICE = "choice"
    DATE = "date"
    PHONE = "phone"
    NUMBER = "number"


class Result(StrEnum):
    """How the answer of a query is laid out."""

    TABLE = "table"
    CARD = "card"
    LIST = "list"


#: A service number at the end of a channel's name: 供电客服 95598, 110, 400-800-0000.
_NUMBER: Final = re.compile(r"(?<![\d-])(?:\d{3,5}|\d{3,4}-\d{3,4}-?\d{3,4})$")


def numbered(name: str) -> str:
    """The number that a channel's name ends in; empty when it has none."""
    found = _NUMBER.search(name)
    return found[0] if found else ""


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to have it done; ``via`` says what its button opens, ``link`` where."""

    name: str
    how: str
    via: Via | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class LegalNote:
    """What a law or a rule says about it, and which one."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class FormField:
    """One question of a form or a query."""

    name: str
    label: str
    type: FieldType
    required: bool = False
    most: int | None = None
    choices: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """What the follower fills in; it becomes a ticket of this category."""

    category: str
    fields: tuple[FormField, ...]
    done: str


@dataclass(frozen=True, slots=True)
class Variant:
    """What reads differently for followers of these branches and those below."""

    branches: tuple[str, ...]
    replaced: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Availability:
    """Where and when it is offered; no branches means everywhere."""

    branches: tuple[str, ...] = ()
    hours: str = "7×24 小时"

    def reaches(self, chain: Iterable[str]) -> bool:
        """Whether it is offered to followers of the branch with this chain of codes up to HQ."""
        return not self.branches or not set(self.branches).isdisjoint(chain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One light service, as its file describes it."""

    key: str
    title: str
    service_class: ServiceClass
    scenario: str
    kind: Kind
    summary: str
    icon: str = ""
    order: int = 100
    words: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    alert: str = ""
    steps: tuple[Step, ...] = ()
    documents: tuple[str, ...] = ()
    time: str = ""
    fee: str = ""
    channels: tuple[Channel, ...] = ()
    notes: tuple[str, ...] = ()
    legal: tuple[LegalNote, ...] = ()
    url: str = ""
    availability: Availability = field(default_factory=Availability)
    variants: tuple[Variant, ...] = ()
    provider: str = ""
    inputs: tuple[FormField, ...] = ()
    result: Result | None = None
    form: Form | None = None
    #: The branch that added it in the console; nothing for what the pack brings.
    owner: str = ""

    @property
    def path(self) -> str:
        """The stable path of its page; menus, replies and QR codes point at it."""
        return f"/s/{self.key}"

    def read_by(self, chain: Sequence[str]) -> Service:
        """The service as followers of the branch with this chain of codes up to HQ read it.

        Of two variants that hold, what the nearer branch wrote stands.
        """
        if not self.variants:
            return self
        replaced: dict[str, Any] = {}
        for code in reversed(chain):
            for variant in self.variants:
                if code in variant.branches:
                    replaced |= variant.replaced
        return replace(self, **replaced) if replaced else self


#: What a variant may replace.
REPLACEABLE: Final = ("steps", "documents", "time", "fee", "channels", "notes", "alert")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One situation of life in which people look for a service."""

    name: str
    service_class: ServiceClass
    icon: str
    order: int
    summary: str


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Which rule one line of one file breaks, and the way out."""

    file: str
    line: int
    field: str
    rule: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.file} 第 {self.line} 行：{self.field}：{self.rule} → {self.way_out}"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sound services in the order in which people see them, and the faults of the others."""

    services: Mapping[str, Service]
    faults: tuple[Fault, ...] = ()
    scenarios: Mapping[str, Scenario] = field(default_factory=lambda: MappingProxyType({}))
    #: How many times the bank must still fill something in.
    placeholders: int = 0
