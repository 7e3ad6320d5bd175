"""How characters are read: full pinyin, initials, half of each, and characters that sound alike.

The readings of the 6,763 characters of GB 2312 lie beside the content (``flask services readings``
makes the file anew); the dictionaries they come from would take 57 MB of every process.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

READINGS: Final = Path(__file__).resolve().parent / "packs" / "readings.txt"

#: Signs that everyday words read in more than one way. Of the others only the usual reading is
#: kept: with every rare one, everything would sound like everything.
_READ_IN_WAYS: Final = frozenset(
    "行重长还调折乐率发好大地得着会更便传降间量难强差藏朝畜处都数车薄单弹当倒的分干给观号和合核角教校解"
    "看空落没模宁铺切曲少省石识属宿提为系相压要应与载占正只中种转钻作参称"
)
_MOST_READINGS: Final = 3
#: What southern tongues do not tell apart: 挂失 typed as guasi, 银行 as yinghang.
_SLURRED: Final = re.compile(r"(?<=[zcs])h|(?<=n)g")


def end(asked: str, term: str, start: int) -> int | None:
    """Where in the term the typed letters are used up when they begin at this sign of it.

    Each sign may be typed by its whole reading, its first letter or its first two; the last may be
    half typed, as in ``guash`` for 挂失.
    """
    reached = {0}
    for at in range(start, len(term)):
        forward: set[int] = set()
        for done in reached:
            rest = asked[done:]
            for reading in readings(term[at]):
                if reading.startswith(rest):
                    return at + 1
                forward.update(
                    done + len(part)
                    for part in (reading, reading[0], reading[:2])
                    if rest.startswith(part)
                )
        if not forward:
            return None
        reached = forward
    return None


def sounds_alike(one: str, other: str) -> bool:
    """Whether two characters share a reading: 失 and 施."""
    return one == other or not readings(one).isdisjoint(readings(other))


def slurred(letters: str) -> str:
    """The letters as somebody types them who does not tell zh from z, nor ng from n."""
    return _SLURRED.sub("", letters)


def spelled(term: str) -> str:
    """The term in letters, by the first reading of each sign."""
    return "".join(_table().get(sign, (sign,))[0] for sign in term)


@functools.lru_cache(maxsize=8192)
def readings(sign: str) -> frozenset[str]:
    """How this sign may be read; letters and digits as themselves."""
    return frozenset(_table().get(sign, (sign,)))


@functools.cache
def _table() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for line in READINGS.read_text("utf-8").splitlines():
        reading, signs = line.split(" ", 1)
        for sign in signs:
            found[sign].append(reading)
    return {sign: tuple(each) for sign, each in found.items()}


def made() -> str:
    """The table of readings, made anew from the dictionary of pypinyin."""
    # Only whoever makes the table needs the dictionary.
    from pypinyin import Style, pinyin

    by_reading: dict[str, list[str]] = defaultdict(list)
    for sign in _gb2312():
        each = pinyin(sign, style=Style.NORMAL, heteronym=True)[0]
        most = _MOST_READINGS if sign in _READ_IN_WAYS else 1
        for reading in list(dict.fromkeys(each))[:most]:
            if reading.isascii() and reading.isalpha():
                by_reading[reading].append(sign)
    return "".join(f"{reading} {''.join(each)}\n" for reading, each in sorted(by_reading.items()))


def _gb2312() -> Iterable[str]:
    for high in range(0xB0, 0xF8):
        for low in range(0xA1, 0xFF):
            # Five places at the end of the standard's first part are empty.
            if sign := bytes((high, low)).decode("gb2312", errors="ignore"):
                yield sign
