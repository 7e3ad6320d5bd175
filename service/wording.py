"""How the refusals of marshmallow read in the language of those who mend them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, cast

from marshmallow import Schema, ValidationError, fields, validate

MISSING: Final = "缺少必填内容"
UNKNOWN: Final = "没有这个字段"
MISTYPED: Final = "写法不对"
NOT_A_NUMBER: Final = "应填数字"

#: For the ``error_messages`` of any field or schema.
FAULTS: Final[dict[str, str | list[Any] | dict[Any, Any]]] = {
    "required": MISSING,
    "null": MISSING,
    "invalid": MISTYPED,
    "type": MISTYPED,
    "unknown": UNKNOWN,
    "special": NOT_A_NUMBER,
    "too_large": "数字太大",
}
#: The same for numbers, where there is more to say.
NUMBER_FAULTS: Final = FAULTS | {"invalid": NOT_A_NUMBER}
#: The same for a choice; marshmallow fills the choices in.
CHOICE_FAULTS: Final = FAULTS | {"unknown": "只能是 {choices} 之一"}


#: Years in which a bank plans. Near the ends of the calendar, shifting a time to China's clock
#: is no longer possible, and a page that shows it would fail for everybody.
_YEARS: Final = range(2000, 2200)


def in_our_time(moment: datetime) -> None:
    """Refuse a time that nobody can mean.

    Raises:
        ValidationError: for such a time.
    """
    if moment.year not in _YEARS:
        raise ValidationError(f"年份应在 {_YEARS.start} 至 {_YEARS.stop - 1} 之间")


def messages(refused: ValidationError) -> Mapping[str, Any]:
    """Each field's faults: a list, or for parts within parts another mapping."""
    return cast(Mapping[str, Any], refused.normalized_messages())  # type: ignore[no-untyped-call]  # the library leaves it untyped


#: From part to part to a field; numbers count the entries of a list.
Path = tuple[str | int, ...]


class Part(Schema):
    """A schema that takes no field it does not know, and says so in the editor's language."""

    class Meta:
        unknown = "raise"

    error_messages = {"unknown": UNKNOWN, "type": MISTYPED}  # noqa: RUF012  # marshmallow reads it from the class


def phrase(most: int, *, least: int = 0) -> fields.String:
    """A text of so many signs; one that needs none may be left out and is empty then."""
    bounds = f"应为 {least} 至 {most} 个字" if least else f"最多 {most} 个字"
    checks = validate.Length(min=least or None, max=most, error=bounds)
    if least:
        return fields.String(required=True, error_messages=FAULTS, validate=checks)
    return fields.String(load_default="", error_messages=FAULTS, validate=checks)


def each(faults: Any, where: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every message with the path to what it is about; a part's own faults are about the part.

    Args:
        faults: what :func:`messages` gives, or a part of it.
    """
    if isinstance(faults, Mapping):
        for name, inner in faults.items():
            yield from each(inner, where if name == "_schema" else (*where, name))
        return
    for message in faults if isinstance(faults, list) else [faults]:
        yield where, str(message)
