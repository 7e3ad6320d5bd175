"""Where an emergency is in force, in words that followers read."""

from __future__ import annotations

from typing import Final

from lightservices.emergency.in_force import Emergency
from regions import divisions
from regions.areas import Shape
from regions.divisions import Division

_NAMED: Final = 4
#: What kind of place it is, by which people say that they mean all of it: 全市, 全省.
_KINDS: Final = frozenset("省市区县州盟旗")
_PART: Final = "部分地区"


def places(found: Emergency) -> str:
    """The divisions that are listed, and the cities that drawn parts touch.

    Where only a part of one is inside, each says whether it is all of it: 珠海市全市、
    中山市部分地区.
    """
    names = {code: name for code in _codes(found) if (name := _name(code))}
    sure = _sure(found)
    is_mixed = not sure.issuperset(names)
    said = [
        name + (_PART if code not in sure else _whole(name) if is_mixed else "")
        for code, name in names.items()
    ]
    return "、".join(said[:_NAMED]) + (f"等 {len(said)} 地" if len(said) > _NAMED else "")


def _codes(found: Emergency) -> list[str]:
    listed, table = found.area.inside.divisions, divisions.table()
    if listed and not found.area.inside.polygons and not found.area.inside.circles:
        return sorted(listed)
    # What lies in a listed division is told by its name already.
    drawn = [
        code
        for code in found.covered.counties
        if listed.isdisjoint(step.code for step in table.path(code))
    ]
    cities: list[Division | None] = [table.prefecture(code) for code in drawn]
    return sorted({city.code for city in cities if city is not None} | listed)


def _sure(found: Emergency) -> frozenset[str]:
    """The divisions inside as a whole; a listed one is, unless something is taken out again."""
    is_cut = found.area.outside != Shape()
    return found.whole if is_cut else found.whole | found.area.inside.divisions


def _name(code: str) -> str:
    """The name; a county's with its city, for there are many of the same name."""
    table = divisions.table()
    division, city = table.get(code), table.prefecture(code)
    if division is None:
        return ""
    return division.name if city is None or city == division else city.name + division.name


def _whole(name: str) -> str:
    return f"全{name[-1]}" if name[-1] in _KINDS else ""
