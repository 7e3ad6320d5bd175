"""What a browser makes of a page: its elements, their attributes, and where they lead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlsplit

#: What clean Markdown may become; nothing else is ever made of what somebody wrote.
MARKDOWN: Final = frozenset(
    {"p", "br", "strong", "em", "ul", "ol", "li", "h3", "h4", "a", "blockquote", "hr"}
)
_LEADS: Final = ("href", "src", "action", "formaction", "poster", "data", "srcset", "xlink:href")


class Walk(HTMLParser):
    """A page walked from end to end."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        #: Every kind of element with the names of its attributes, and how many there are.
        self.elements: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.addresses: set[tuple[str, str, str]] = set()
        self.handlers: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag, tuple(sorted(name for name, _value in attrs))] += 1
        for name, value in attrs:
            if name.startswith("on") or name in ("style", "srcdoc"):
                self.handlers.append((tag, name))
            if name in _LEADS:
                self.addresses.add((tag, name, value or ""))


def intruders(page: str, like: str) -> list[str]:
    """What this page has beyond one of the same make with harmless words, Markdown apart."""
    walked, usual = Walk(page), Walk(like)
    found = [f"{tag} {name}" for tag, name in walked.handlers]
    for (tag, names), count in walked.elements.items():
        is_markdown = tag in MARKDOWN and set(names) <= ({"href", "rel"} if tag == "a" else set())
        if count > usual.elements[tag, names] and not is_markdown:
            found.append(f"<{tag} {' '.join(names)}>")
    for tag, name, value in walked.addresses - usual.addresses:
        if not _is_harmless(value):
            found.append(f"{tag} {name}={value}")
    return found


def _is_harmless(address: str) -> bool:
    if address.startswith(("/", "#", "?")):
        return not address.startswith("//")
    return urlsplit(address).scheme == "https"


def texts(told: object) -> list[str]:
    """Every text in a JSON value."""
    if isinstance(told, str):
        return [told]
    if isinstance(told, Mapping):
        return [one for inner in told.values() for one in texts(inner)]
    return [one for inner in told for one in texts(inner)] if isinstance(told, list) else []
