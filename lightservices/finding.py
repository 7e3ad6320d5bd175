"""Which services a few words mean, for the search box and for what followers write in the chat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lightservices.catalogue import Service

#: Longer texts are stories, not searches; what stands at their beginning decides.
MOST_SIGNS: Final = 100


def find(services: Iterable[Service], text: str) -> list[Service]:
    """The services the text is about, best first; among equals the catalogue's order stands."""
    asked = "".join(text.lower().split())[:MOST_SIGNS]
    if not asked:
        return []
    weighed = [(_weight(service, asked), service) for service in services]
    found = [(weight, service) for weight, service in weighed if weight]
    return [service for _weight, service in sorted(found, key=lambda pair: -pair[0])]


def _weight(service: Service, asked: str) -> int:
    """Every word of the service within the text counts by its length, the title double; a text
    that is only part of a word or of the title still counts a little. A single sign is enough
    where it is a whole syllable, as 卡 is; in a sentence it could stand for anything."""
    title = service.title.lower()
    weight = 2 * len(title) if title in asked else 0
    words = [word.lower() for word in service.words]
    weight += sum(len(word) for word in words if word in asked)
    if weight:
        return weight
    if len(asked) < 2:
        return int(not asked.isascii() and any(asked in text for text in (title, *words)))
    return int(any(asked in text for text in (title, service.summary.lower(), *words)))
