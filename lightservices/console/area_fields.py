"""An area as four text fields: divisions and what is drawn, taken in and left out.

The fields are the form's truth: the map writes into them, and whoever has no map types them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from lightservices import pinyin
from lightservices.console import corners
from regions import areas, divisions
from regions.areas import Area, AreaRefused, Shape
from regions.divisions import Division

#: How many divisions a search shows.
FOUND: Final = 12
_LEVELS: Final = {"province": 0, "prefecture": 1, "county": 2}
_SEPARATORS: Final = str.maketrans(dict.fromkeys(",，、;；:：\t（）()", " "))


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaFields:
    """What stands in the four fields."""

    codes: str = ""
    drawn: str = ""
    without: str = ""
    without_drawn: str = ""

    @property
    def is_empty(self) -> bool:
        return not any(map(str.strip, (self.codes, self.drawn, self.without, self.without_drawn)))


def typed(form: MultiDict[str, str]) -> AreaFields:
    """The fields as they were sent."""
    return AreaFields(
        **{
            name: form.get(name, "").replace("\r\n", "\n").strip()
            for name in ("codes", "drawn", "without", "without_drawn")
        }
    )


def shown(area: Area | None) -> AreaFields:
    """The fields that hold this area."""
    if area is None:
        return AreaFields()
    written = areas.write(area)
    return AreaFields(
        codes=_listed(area.inside),
        drawn=corners.listed(written["inside"]),
        without=_listed(area.outside),
        without_drawn=corners.listed(written["outside"]),
    )


def read(fields: AreaFields, *, finished: bool = True) -> Area | None:
    """The area the fields hold; None where they are empty.

    Args:
        finished: whether a ring of one or two corners is a fault, or somebody still drawing.

    Raises:
        AreaRefused: naming every fault with its way out.
    """
    faults: list[str] = []
    inside = _shape(fields.codes, fields.drawn, "", faults, finished=finished)
    outside = _shape(fields.without, fields.without_drawn, "除外的", faults, finished=finished)
    if faults:
        raise AreaRefused("；".join(faults))
    is_empty = not any((*inside.values(), *outside.values()))
    if is_empty and (fields.is_empty or not finished):
        return None
    return areas.read({"inside": inside, "outside": outside})


def divisions_in(text: str) -> tuple[list[str], list[str]]:
    """The codes in a list of codes and names, one or several a line, and what is wrong with it."""
    codes: list[str] = []
    faults: list[str] = []
    for line in text.split("\n"):
        known, rest = areas.codes_in(line.translate(_SEPARATORS))
        labels = [divisions.table().label(code) for code in known]
        for word in rest:
            # A name beside its own code is there for the reader.
            if any(word in label for label in labels):
                continue
            found = _called(word)
            if len(found) == 1:
                known.append(found[0].code)
            else:
                faults.append(_unclear(word, found))
        codes += known
    return list(dict.fromkeys(codes)), faults


def search(asked: str) -> list[Division]:
    """The divisions somebody may mean by a name or a part of it, by letters, or by digits."""
    asked = asked.strip().lower().replace(" ", "")
    if not asked:
        return []
    ranked = [(rank, one) for one in divisions.table() if (rank := _rank(one, asked)) is not None]
    ranked.sort(key=lambda pair: (pair[0], _LEVELS[pair[1].level], pair[1].code))
    return [one for _rank_, one in ranked[:FOUND]]


def _rank(one: Division, asked: str) -> int | None:
    if asked.isdecimal():
        return 0 if one.code.startswith(asked) else None
    if one.name.startswith(asked):
        return 0 if len(one.name) <= len(asked) + 1 else 1
    if asked.isascii():
        return 2 if pinyin.end(asked, one.name, 0) is not None else None
    return 3 if asked in divisions.table().label(one.code) else None


def _shape(
    codes: str, drawn: str, which: str, faults: list[str], *, finished: bool
) -> Mapping[str, Any]:
    listed, unknown = divisions_in(codes)
    faults += [f"{which}{one}" for one in unknown]
    if not finished:
        return {"divisions": listed, **corners.finished(drawn)}
    faults += [f"{which}{one}" for one in corners.faults(drawn)]
    return {"divisions": listed, **corners.drawn(drawn)}


def _listed(shape: Shape) -> str:
    table = divisions.table()
    return "\n".join(f"{code} {table.label(code)}" for code in sorted(shape.divisions))


def _called(word: str) -> tuple[Division, ...]:
    return _names().get(word, ())


def _unclear(word: str, found: tuple[Division, ...]) -> str:
    if not found:
        return f"没有叫“{word[:20]}”的行政区划：请核对六位代码或全称"
    table = divisions.table()
    some = "、".join(f"{table.label(one.code)} {one.code}" for one in found[:5])
    return f"叫“{word[:20]}”的不止一个：请改写代码，如 {some}"


@functools.cache
def _names() -> Mapping[str, tuple[Division, ...]]:
    """Who is called so, by name, full name, and the name without its last sign."""
    table, found = divisions.table(), dict[str, dict[str, Division]]()
    for one in table:
        for name in _said(one, table.label(one.code)):
            found.setdefault(name, {})[one.code] = one
    return {name: tuple(each.values()) for name, each in found.items()}


def _said(one: Division, label: str) -> Iterator[str]:
    yield one.name
    yield label
    if one.level != "county" and len(one.name) > 2:
        yield one.name[:-1]
