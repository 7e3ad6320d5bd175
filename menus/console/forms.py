"""Rows of a form that can be added, moved and removed by buttons, with and without a script.

A row is a hidden field of its list's name whose value is the row's own name; its fields begin with
``<list>.<row>.``. The order of the hidden fields is the order of the rows, so that a script may
move them about and nothing has to be renumbered. A button ``do`` says what else is to happen:
``up|down|remove <list> <row>`` or ``add <list>``, where a field ``add.<list>`` may say what.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from marshmallow import ValidationError, fields
from werkzeug.datastructures import MultiDict

from service import clock

#: More rows than any list of ours may have; what is beyond is not looked at.
MOST_ROWS: Final = 200


class Form:
    """What was sent, with what its button asks for already done."""

    def __init__(self, sent: MultiDict[str, str]) -> None:
        self._sent = sent
        self._order: dict[str, list[str]] = {}
        self._set: dict[str, str] = {}
        self.do, *self._object = sent.get("do", "save").split(" ")
        if self.do in ("up", "down", "remove") and len(self._object) == 2:
            self._move(*self._object)
        elif self.do == "add" and len(self._object) == 1:
            self._add(self._object[0])

    @property
    def object(self) -> str:
        """What the button is about beside rows, such as a slot."""
        return self._object[0] if self._object else ""

    def rows(self, name: str) -> list[str]:
        """The names of a list's rows, in order."""
        return self._order.get(name, self._sent.getlist(name)[:MOST_ROWS])

    def text(self, name: str) -> str:
        """A field's text with line ends as they are kept."""
        return self._set.get(name, self._sent.get(name, "")).replace("\r\n", "\n")

    def line(self, name: str) -> str:
        """A field's text without what surrounds it."""
        return self.text(name).strip()

    def ticked(self, name: str) -> bool:
        return name in self._sent

    def all(self, name: str) -> list[str]:
        """All values of one name, such as boxes that are ticked."""
        return self._sent.getlist(name)

    def put(self, name: str, value: str) -> None:
        """Act as if this had been typed."""
        self._set[name] = value

    def fill(self, name: str, rows: list[Mapping[str, str]]) -> None:
        """Act as if a list had exactly these rows."""
        self._order[name] = [f"c{number}" for number in range(len(rows))]
        for row, values in zip(self._order[name], rows, strict=True):
            self._set |= {f"{name}.{row}.{field}": value for field, value in values.items()}

    def _move(self, name: str, row: str) -> None:
        rows = list(self.rows(name))
        if row not in rows:
            return
        place = rows.index(row)
        rows.pop(place)
        if self.do != "remove":
            rows.insert(max(0, place + (-1 if self.do == "up" else 1)), row)
        self._order[name] = rows

    def _add(self, name: str) -> None:
        rows = self.rows(name)
        kind = self._sent.get(f"add.{name}", "")
        # A service or a code is its own row; everything else gets a name nobody has.
        row = kind if self._sent.get(f"by.{name}") else f"n{len(rows)}"
        while row in rows and row != kind:
            row += "x"
        if row and row not in rows:
            self._order[name] = [*rows, row]
            self._set[f"{name}.{row}.kind"] = kind


def moment(typed: str) -> str | None:
    """What a field for date and time holds, read by Shanghai's clock, as ISO 8601 with its offset.

    What is no time stays as it is, for whoever checks it to say so.
    """
    if not typed:
        return None
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=clock.SHANGHAI).isoformat()
    except ValueError:
        return typed


def field_time(kept: Any) -> str:
    """The same the other way round, for the field; what is no time stays as it is."""
    if not kept:
        return ""
    try:
        return f"{clock.shanghai(fields.AwareDateTime().deserialize(kept)):%Y-%m-%dT%H:%M}"
    except (ValidationError, OverflowError):
        return str(kept)


def words(typed: str) -> list[str]:
    """The words in a field, whatever people put between them."""
    for sign in "，,;；\n\t":
        typed = typed.replace(sign, "、")
    return list(dict.fromkeys(word for part in typed.split("、") if (word := part.strip())))
