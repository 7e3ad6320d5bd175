"""What operations take and give, field by field, with faults told in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from marshmallow import Schema, fields, post_load, validate

from service import clock
from service.db import LAST_ID

FAULTS: Final[dict[str, str | list[Any] | dict[Any, Any]]] = {
    "required": "缺少必填内容",
    "null": "缺少必填内容",
    "invalid": "写法不对",
    "type": "写法不对",
    "unknown": "没有这个字段",
    "too_large": "数字太大",
    "special": "应填数字",
}
_AWARE: Final = FAULTS | {
    "invalid": "时间写法不对，例如 2026-11-01T09:00:00+08:00",
    "invalid_awareness": "时间须带时区，例如 2026-11-01T09:00:00+08:00",
}
#: A page of a list, unless it is asked for fewer.
PAGE: Final = 50
#: Years in which a bank plans; further away the arithmetic of time zones breaks down.
_YEARS: Final = (2000, 2200)


class Input(Schema):
    """What an operation is asked with; loads into the plain value it ``makes``."""

    makes: ClassVar[type[Any]]
    error_messages = {"unknown": "没有这个字段", "type": "写法不对"}  # noqa: RUF012  # marshmallow reads it from the class

    class Meta:
        unknown = "raise"

    @post_load
    def _make(self, data: Mapping[str, Any], **_: Any) -> Any:
        return self.makes(**data)


class Moment(fields.AwareDateTime):
    """A time: taken with any offset, given with Shanghai's."""

    def __init__(self, **more: Any) -> None:
        super().__init__(format="iso", error_messages=_AWARE, **more)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **more: Any) -> Any:
        told = clock.shanghai(value) if isinstance(value, datetime) else value
        return super()._serialize(told, attr, obj, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> datetime:
        if not isinstance(value, str):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        # In an address a plus sign that nobody escaped arrives as a space.
        found = super()._deserialize(value.replace(" ", "+"), attr, data, **more)
        if not isinstance(found, datetime) or not _YEARS[0] <= found.year < _YEARS[1]:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        return found


def words(most: int, *, least: int = 0, says: str = "", **more: Any) -> fields.String:
    """A text of at most so many signs, given or taken."""
    return fields.String(
        error_messages=FAULTS,
        required=least > 0,
        metadata={"description": says} if says else {},
        validate=validate.Length(least, most, error=f"应为 {least} 至 {most} 个字"),
        **more,
    )


def number(*, least: int = 0, most: int = LAST_ID, says: str = "", **more: Any) -> fields.Integer:
    """A whole number within bounds."""
    return fields.Integer(
        error_messages=FAULTS | {"invalid": "应填整数"},
        metadata={"description": says} if says else {},
        validate=validate.Range(least, most, error=f"应为 {least} 至 {most}"),
        **more,
    )


def degrees(most: float, *, says: str) -> fields.Float:
    """A latitude or longitude."""
    return fields.Float(
        required=True,
        error_messages=FAULTS | {"invalid": "应填度数"},
        metadata={"description": says},
        validate=validate.Range(-most, most, error=f"应在 -{most:g} 至 {most:g} 之间"),
    )


def choice(*among: str, says: str = "", **more: Any) -> fields.String:
    """One of several words."""
    return fields.String(
        error_messages=FAULTS,
        metadata={"description": says} if says else {},
        validate=validate.OneOf(among, error=f"只能是 {'、'.join(among)} 之一"),
        **more,
    )
