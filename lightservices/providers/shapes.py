"""What the bank core's answers must look like before anything of them is shown.

Types are strict: an amount is a decimal in a string, a tail has four digits. Fields we do not know
are left aside, so that the core may grow; whatever looks like a whole number of an account, card or
person is masked here, whoever let it through.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, fields, validate

MOST_ROWS: Final = 200
#: Nine digits or more are no date and no amount, but the number of an account, card or person.
_LONG: Final = re.compile(r"\d(?: ?\d){7,} ?[\dXx]")
_AMOUNT: Final = r"^-?\d{1,15}(\.\d{1,4})?$"


def masked(text: str) -> str:
    """The text with every long number shortened to its last four signs."""
    return _LONG.sub(lambda found: f"尾号 {found[0].replace(' ', '')[-4:]}", text)


class Words(fields.String):
    """Plain text of the core, masked, never empty and never long."""

    def __init__(self, most: int = 60, *, required: bool = True) -> None:
        more: dict[str, Any] = {} if required else {"load_default": ""}
        super().__init__(
            required=required, validate=validate.Length(min=int(required), max=most), **more
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return masked(super()._deserialize(value, attr, data, **kwargs))


class Amount(fields.String):
    """An exact amount, which JSON's own numbers are not."""

    def __init__(self, *, required: bool = True, pattern: str = _AMOUNT) -> None:
        more: dict[str, Any] = {} if required else {"load_default": None, "allow_none": True}
        super().__init__(required=required, validate=validate.Regexp(pattern), **more)

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        found = super().deserialize(value, *args, **kwargs)
        return None if found is None else Decimal(found)


def tail() -> fields.String:
    """The last four digits, all anybody outside the core may see."""
    return fields.String(required=True, validate=validate.Regexp(r"^\d{4}$"))


def whole(most: int, *, required: bool = True) -> fields.Integer:
    more: dict[str, Any] = {} if required else {"load_default": None, "allow_none": True}
    return fields.Integer(
        required=required, strict=True, validate=validate.Range(min=0, max=most), **more
    )


def rows(schema: type[Schema]) -> fields.List[Any]:
    return fields.List(
        fields.Nested(schema), required=True, validate=validate.Length(max=MOST_ROWS)
    )


class Shape(Schema):
    """The base of all: strict about what we read, indifferent to the rest."""

    class Meta:
        unknown = EXCLUDE


class Dated(Shape):
    """What every answer bears: since when it is so, and whether it is only a sample."""

    as_of = fields.AwareDateTime(required=True, format="iso")
    sample = fields.Boolean(load_default=False, truthy={True}, falsy={False})
