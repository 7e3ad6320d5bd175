"""Simplified or Traditional: which one a reader wants, and whole pages turned into the other.

The Hong Kong standard was chosen because most who read Traditional and follow a bank of the
Mainland live in Hong Kong and Macao; it changes characters and never words, so that a product is
called on the page what the counter calls it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Final

from lightservices import characters

COOKIE: Final = "script"
TRADITIONAL: Final = "hant"
SIMPLIFIED: Final = "hans"
LANGUAGES: Final = {True: "zh-HK", False: "zh-CN"}

#: Regions and the script tag under which a phone says that it reads Traditional.
_READS_TRADITIONAL: Final = re.compile(r"zh-(?:hant\b|tw|hk|mo)", re.IGNORECASE)
#: What people read: text between tags, and the few attributes that are shown or read aloud.
#: What a reader typed into a box is theirs and stays.
_READ: Final = re.compile(
    r"<textarea\b[^>]*>[^<]*"
    r"|>(?P<text>[^<]*[^\x00-\x7f][^<]*)"
    r'|\s(?:aria-label|placeholder|content|alt|data-say-[a-z]+)="(?P<shown>[^"]*[^\x00-\x7f][^"]*)"'
)
#: Pieces are converted in one go; no dictionary has this control character in a word.
_BETWEEN: Final = "\x1f"
#: Pages in memory at once: a few hundred services for the branches that are read most.
_MOST_PAGES: Final = 256


def wants_traditional(cookie: str | None, languages: Iterable[str]) -> bool:
    """What the reader chose; who did not choose gets the script of the phone's first Chinese."""
    if cookie in (TRADITIONAL, SIMPLIFIED):
        return cookie == TRADITIONAL
    first = next((one for one in languages if one.lower().startswith("zh")), "")
    return _READS_TRADITIONAL.match(first) is not None


@functools.lru_cache(maxsize=_MOST_PAGES)
def converted(html: str) -> str:
    """The page in Traditional characters; tags, addresses and keys stay as they are."""
    places = [
        found.span(found.lastgroup) for found in _READ.finditer(html) if found.lastgroup is not None
    ]
    if not places:
        return html
    whole = characters.traditional(_BETWEEN.join(html[start:end] for start, end in places))
    parts: list[str] = []
    done = 0
    for (start, end), text in zip(places, whole.split(_BETWEEN), strict=True):
        parts += (html[done:start], text)
        done = end
    return "".join((*parts, html[done:]))
