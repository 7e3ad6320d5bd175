"""The text a follower agrees to, read from ``packs/binding-consent.yaml``, and its version."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from marshmallow import Schema, fields, post_load, validate

from service.wording import FAULTS

PACK: Final = Path(__file__).resolve().parents[1] / "packs" / "binding-consent.yaml"


@dataclass(frozen=True, slots=True)
class Point:
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Law:
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Consent:
    """``full_text`` is the address of the whole agreement, or the gap the bank must fill."""

    version: str
    title: str
    purpose: str
    points: tuple[Point, ...]
    law: Law
    full_text: str


def _text(most: int) -> fields.String:
    return fields.String(
        required=True, error_messages=FAULTS, validate=validate.Length(min=1, max=most)
    )


class PointInput(Schema):
    title = _text(16)
    text = _text(200)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Point:
        return Point(**data)


class LawInput(Schema):
    text = _text(200)
    source = _text(60)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Law:
        return Law(**data)


class ConsentInput(Schema):
    """The file as a whole."""

    version = fields.String(
        required=True, error_messages=FAULTS, validate=validate.Regexp(r"^[A-Za-z0-9.-]{1,32}$")
    )
    title = _text(24)
    purpose = _text(200)
    points = fields.List(
        fields.Nested(PointInput), required=True, validate=validate.Length(min=1, max=12)
    )
    law = fields.Nested(LawInput, required=True)
    full_text = _text(400)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Consent:
        return Consent(**data | {"points": tuple(data["points"])})


def read(path: Path = PACK) -> Consent:
    """The consent of this file.

    Raises:
        marshmallow.ValidationError: a text that is not whole must never be agreed to.
    """
    loaded: Consent = ConsentInput().load(yaml.safe_load(path.read_text("utf-8")))
    return loaded


@functools.lru_cache(maxsize=1)
def current() -> Consent:
    """The consent this program ships with, read once in the life of the process."""
    return read()
