"""The fields that content schemas are made of: texts with gaps, lists with bounds, choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, validate

from lightservices.catalogue import placeholders
from service import wording


def prose(most: int, *, required: bool = True) -> fields.String:
    """A text of at most so many signs, in which a gap is marked as gaps are."""

    def check(value: str) -> None:
        if not value.strip() or placeholders.signs(value) > most:
            raise ValidationError(f"应为 1 至 {most} 个字")
        if fault := placeholders.fault_of(value):
            raise ValidationError(fault)

    return fields.String(required=required, error_messages=wording.FAULTS, validate=check)


def listed(
    inner: fields.Field[Any],
    *,
    least: int = 0,
    most: int = 50,
    required: bool = False,
    apart: bool = False,
    data_key: str | None = None,
) -> fields.List[Any]:
    """A list with bounds; ``apart`` refuses the same entry twice."""
    bounds = f"应有 {least} 至 {most} 项" if least else f"最多 {most} 项"
    checks: list[Callable[[Any], Any]] = [validate.Length(min=least, max=most, error=bounds)]
    if apart:
        checks.append(_each_once)
    return fields.List(
        inner,
        required=required,
        error_messages=wording.FAULTS,
        validate=checks,
        data_key=data_key,
    )


def pattern(expression: str, says: str, *, required: bool = True) -> fields.String:
    """A name for programs."""
    return fields.String(
        required=required,
        error_messages=wording.FAULTS,
        validate=validate.Regexp(expression, error=says),
    )


def one_of(choices: Sequence[str], *, required: bool = True) -> fields.String:
    """One of these names."""
    return fields.String(
        required=required,
        error_messages=wording.FAULTS,
        validate=validate.OneOf(choices, error=f"只能是 {'、'.join(choices)} 之一"),
    )


def choice(
    kind: type[StrEnum], *, required: bool = True, data_key: str | None = None
) -> fields.Enum[Any]:
    """One of the values of this enumeration."""
    return fields.Enum(
        kind,
        by_value=True,
        required=required,
        data_key=data_key,
        error_messages=wording.CHOICE_FAULTS,
    )


def _each_once(entries: Sequence[Any]) -> None:
    twice = next((one for one in entries if entries.count(one) > 1), None)
    if twice is not None:
        raise ValidationError(f"“{twice}”写了两遍")
