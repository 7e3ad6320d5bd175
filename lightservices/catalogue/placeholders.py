"""What only the bank knows: how a gap in the content is written, found and counted.

A gap names what to fill in and which of the bank's own papers or systems has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

PATTERN: Final = re.compile(r"【请填写：(?P<what>[^【】：；]+)；来源：(?P<source>[^【】：；]+)】")
_BRACKETED: Final = re.compile(r"【[^】]*】?|】")


def fault_of(text: str) -> str:
    """What is wrong with the gaps in this text; empty when every bracket marks a whole gap."""
    wrong = next((found[0] for found in _BRACKETED.finditer(PATTERN.sub("", text))), "")
    if not wrong:
        return ""
    return f"“{wrong[:20]}”不是规定的写法：方头括号只用来标出待填内容"


def signs(text: str) -> int:
    """How long the text is; a gap counts as what will stand there, not with its source."""
    return len(PATTERN.sub(lambda gap: gap["what"], text))


def within(value: Any) -> Iterator[re.Match[str]]:
    """Every gap in this content, however deep."""
    if isinstance(value, str):
        yield from PATTERN.finditer(value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from within(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from within(inner)
