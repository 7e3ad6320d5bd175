"""Which tags there are, read from the pack once."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml
from marshmallow import Schema, ValidationError, fields, post_load, validate

from lightservices import catalogue
from lightservices.foryou.ranking import Tag
from service.wording import FAULTS

PACK: Final = Path(__file__).resolve().parents[1] / "packs" / "tags.yaml"


class TagInput(Schema):
    key = fields.String(
        required=True, error_messages=FAULTS, validate=validate.Regexp(r"^[a-z][a-z0-9-]{1,23}$")
    )
    title = fields.String(required=True, error_messages=FAULTS, validate=validate.Length(1, 16))
    scenarios = fields.List(fields.String(), required=True, error_messages=FAULTS)
    choice = fields.Boolean(required=True, error_messages=FAULTS)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Tag:
        return Tag(data["key"], data["title"], tuple(data["scenarios"]), data["choice"])


class TagsInput(Schema):
    tags = fields.List(fields.Nested(TagInput), required=True, error_messages=FAULTS)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Mapping[str, Tag]:
        unknown = {one for tag in data["tags"] for one in tag.scenarios} - set(
            catalogue.scenarios()
        )
        if unknown:
            raise ValidationError(f"没有这些场景：{'、'.join(sorted(unknown))}", "tags")
        return MappingProxyType({tag.key: tag for tag in data["tags"]})


@functools.cache
def tags() -> Mapping[str, Tag]:
    """Every tag by its key, in the pack's order.

    Raises:
        ValidationError: when the pack breaks a rule.
    """
    found: Mapping[str, Tag] = TagsInput().load(yaml.safe_load(PACK.read_text("utf-8")))
    return found
