"""What kinds of tickets there are: who gets each first, when it is due, words to answer with."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml
from marshmallow import Schema, ValidationError, fields, post_load, validate

from lightservices.outlets import hours as opening
from lightservices.outlets.holidays import calendar
from lightservices.tickets import deadlines
from service import clock
from service.wording import CHOICE_FAULTS, FAULTS

PACK: Final = Path(__file__).resolve().parents[1] / "packs" / "tickets.yaml"
#: What is asked in the chat and nobody knew an answer to.
QUESTION: Final = "咨询"


class Route(StrEnum):
    """Who gets a ticket first."""

    BRANCH = "branch"  #: the branch that serves the place
    PARENT = "parent"  #: the one above it
    HEAD = "head"  #: head office, where the branch itself may be concerned


@dataclass(frozen=True, slots=True)
class Category:
    """``minutes`` are working minutes until an answer is due."""

    name: str
    minutes: int
    route: Route

    def first(self, chain: Sequence[str]) -> str:
        """The branch that gets it, of the codes from the serving branch up to head office."""
        if self.route is Route.HEAD:
            return chain[-1]
        return chain[1] if self.route is Route.PARENT and len(chain) > 1 else chain[0]


@dataclass(frozen=True, slots=True)
class Ready:
    """Words to answer with, and what they are called."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Desks:
    """The whole pack; ``source`` says whose times these are while they are only a sample."""

    source: str
    hours: str
    branches: Mapping[str, str]
    categories: Mapping[str, Category]
    replies: tuple[Ready, ...]

    def hours_of(self, chain: Sequence[str]) -> str:
        """The working hours of the first branch in the chain that has its own, else the bank's."""
        return next((self.branches[code] for code in chain if code in self.branches), self.hours)


def _check_hours(text: str) -> None:
    try:
        opening.parse(text)
    except ValueError as refused:
        raise ValidationError(str(refused)) from refused


class CategoryInput(Schema):
    name = fields.String(required=True, error_messages=FAULTS, validate=validate.Length(1, 24))
    minutes = fields.Integer(
        required=True, strict=True, error_messages=FAULTS, validate=validate.Range(1, 60_000)
    )
    route = fields.Enum(Route, by_value=True, required=True, error_messages=CHOICE_FAULTS)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Category:
        return Category(**data)


class ReadyInput(Schema):
    title = fields.String(required=True, error_messages=FAULTS, validate=validate.Length(1, 20))
    text = fields.String(required=True, error_messages=FAULTS, validate=validate.Length(1, 500))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Ready:
        return Ready(**data)


class DesksInput(Schema):
    source = fields.String(required=True, error_messages=FAULTS)
    hours = fields.String(required=True, error_messages=FAULTS, validate=_check_hours)
    branches = fields.Dict(
        keys=fields.String(), values=fields.String(validate=_check_hours), required=True
    )
    categories = fields.List(fields.Nested(CategoryInput), required=True)
    replies = fields.List(fields.Nested(ReadyInput), required=True)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Desks:
        by_name = {one.name: one for one in data["categories"]}
        if len(by_name) != len(data["categories"]) or QUESTION not in by_name:
            raise ValidationError(f"类别不能重名，而且要有“{QUESTION}”", "categories")
        return Desks(
            data["source"], data["hours"], MappingProxyType(data["branches"]),
            MappingProxyType(by_name), tuple(data["replies"]),
        )  # fmt: skip


def read(path: Path = PACK) -> Desks:
    """The pack.

    Raises:
        ValidationError: naming every fault.
    """
    found: Desks = DesksInput().load(yaml.safe_load(path.read_text(encoding="utf-8")))
    return found


@functools.cache
def desks() -> Desks:
    """The pack, read once."""
    return read()


def names() -> tuple[str, ...]:
    """Every category, for whoever checks the forms that name them."""
    return tuple(desks().categories)


def due(category: str, *, chain: Sequence[str], since: datetime) -> datetime:
    """When an answer is due by the working hours of the branch with this chain of codes."""
    found = desks()
    known = found.categories.get(category) or found.categories[QUESTION]
    hours = opening.parse(found.hours_of(chain))
    local = clock.shanghai(since)
    return deadlines.due(local, minutes=known.minutes, hours=hours, days=calendar())


def is_manned(*, chain: Sequence[str], at: datetime) -> bool:
    """Whether somebody sits at the desk of this branch at this time."""
    hours = opening.parse(desks().hours_of(chain))
    return hours.is_open(clock.shanghai(at), calendar())
