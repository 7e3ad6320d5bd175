"""Which city a text names, and which cities a few signs or letters of a name may mean.

Nobody who asks about 苏州 is told about 上海.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from lightservices import characters, pinyin
from lightservices.finding import MOST_SIGNS
from regions import divisions
from regions.divisions import Division

#: What people leave out: 恩施 for 恩施土家族苗族自治州. The 蒙古 of 内蒙古 is no people.
_LEFT_OUT: Final = re.compile(
    r"(?:(?<!内)蒙古族?|哈萨克|柯尔克孜|维吾尔|[回藏羌彝苗侗壮白傣黎]族|布依族|土家族|景颇族|哈尼族"
    r"|傈僳族|朝鲜族)*(?:自治[区州县]|特别行政区|地区|[省市盟])$"
)
#: Short names that in a bank's chat mean silver, a district of many cities, a road of all of them.
_MEAN_OTHERWISE: Final = frozenset(("白银", "朝阳", "中山"))
#: A street, a district or a rival may be called after a city: 南京东路, 鼓楼区, 北京银行.
_CALLED_AFTER: Final = "(?![东南西北中大]?[区县镇乡村街路道巷广银])"


def named_in(text: str) -> Division | None:
    """The city or province the text names first, if any; of 江苏苏州 it is the city."""
    found = [_names()[name] for name in _pattern().findall("".join(text.split())[:MOST_SIGNS])]
    return next((one for one in found if one.level != "province"), found[0] if found else None)


def meant_by(text: str) -> Sequence[Division]:
    """The cities that are called so: by a piece of their name, its letters, or one of a county."""
    asked = "".join(characters.simplified(text).lower().split())[:MOST_SIGNS]
    if not asked:
        return []
    is_spelled = asked.isascii() and asked.isalpha() and len(asked) > 1

    def is_called(name: str) -> bool:
        return asked in name or (is_spelled and pinyin.end(asked, name, 0) is not None)

    table = divisions.table()
    cities = [city for _province, found in table.prefectures() for city in found]
    provinces = [city for province, found in table.prefectures() if is_called(province.name)
                 for city in found]  # fmt: skip
    named = [city for city in cities if is_called(city.name)] or provinces
    return named or [
        city for city in cities if any(is_called(one.name) for one in table.counties(city.code))
    ]


def names() -> Collection[str]:
    """Everything that a city or a province is called."""
    return _names().keys()


@functools.cache
def _names() -> Mapping[str, Division]:
    """Full names and those people use. 吉林 and 海南 are provinces first, then cities."""
    pairs = divisions.table().prefectures()
    cities = [city for _province, cities in pairs for city in cities]
    both = [*cities, *(province for province, _cities in pairs)]
    # Without its ending a small place like 东方市 is an everyday word.
    short = {_LEFT_OUT.sub("", one.name): one for one in both if one.level != "county"}
    full = {one.name: one for one in both}
    return {name: one for name, one in (short | full).items() if name not in _MEAN_OTHERWISE}


@functools.cache
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(_names(), key=len, reverse=True)
    return re.compile(f"({'|'.join(longest_first)}){_CALLED_AFTER}")
