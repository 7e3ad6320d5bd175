"""What an emergency is called, and how a drill is marked: everywhere, always, once."""

from __future__ import annotations

import re
from typing import Final

from lightservices.emergency.content import Content
from lightservices.emergency.models import Record

DRILL: Final = "【演练】"
#: The same mark as people type it in front of their words.
_TYPED_MARK: Final = re.compile(r"(?:[【\[（(]?演练[】\]）)]?[·：:，、\s]*)+")


def marked(words: str, *, drill: bool) -> str:
    """The words with the mark in front in a drill, once, even where somebody typed it too."""
    return DRILL + unmarked(words, drill=True) if drill else words


def unmarked(words: str, *, drill: bool) -> str:
    """The words of a drill without a mark that somebody typed in front of them."""
    typed = _TYPED_MARK.match(words) if drill else None
    return words[typed.end() :] or words if typed else words


def titled(record: Record, content: Content | None) -> str:
    """Its name, marked in a drill; what cannot be read goes by its key."""
    return marked(content.title if content else record.key, drill=record.drill)
