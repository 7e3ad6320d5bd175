"""What fits a template's fields: WeChat refuses a notice when one value is too long for its kind.

Kinds and lengths are those of the platform's page on template messages; a field's kind is its name
without the number. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

#: How many characters each kind of field takes; any other is left as it is.
LENGTHS: Final[Mapping[str, int]] = {
    "thing": 20,
    "const": 20,
    "character_string": 32,
    "phone_number": 17,
    "car_number": 8,
    "phrase": 5,
}
#: A value must not be empty, or the whole notice is refused.
NOTHING: Final = "无"
_NAME: Final = re.compile(r"([a-z_]+?)\d+")
#: Signs that these kinds do not take.
_FOREIGN: Final[Mapping[str, re.Pattern[str]]] = {
    "character_string": re.compile(r"[^\x20-\x7e]"),
    "phone_number": re.compile(r"[^0-9+-]"),
}


def kind_of(name: str) -> str | None:
    """The kind of a field such as ``thing1``; None for what is no field's name."""
    found = _NAME.fullmatch(name)
    return found[1] if found else None


def fitted(data: Mapping[str, str]) -> dict[str, str]:
    """The values cut to what their fields take, each on one line and none of them empty."""
    return {name: _fitted(kind_of(name) or "", value) for name, value in data.items()}


def _fitted(kind: str, value: str) -> str:
    text = " ".join(value.split())
    if kind in _FOREIGN:
        # Here the stand-in would be foreign itself; a hyphen says as much.
        text = _FOREIGN[kind].sub("", text).strip() or "-"
    most = LENGTHS.get(kind)
    if most is not None and len(text) > most:
        text = text[:most] if kind in _FOREIGN else f"{text[: most - 1]}…"
    return text or NOTHING
