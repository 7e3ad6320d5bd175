"""What cannot wait: fraud, a stolen card, money gone astray, a life; read from content."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from lightservices.knowledge.lexicon import PACKS, content

_FILE = PACKS / "danger.yaml"


@dataclass(frozen=True, slots=True)
class Danger:
    """One danger: the signs of it, what to say first, and the services that go on from there."""

    name: str
    signs: tuple[str, ...]
    unless: tuple[str, ...]
    says: tuple[str, ...]
    services: tuple[str, ...]

    def is_in(self, text: str) -> bool:
        """Whether this text, cleaned and without blanks, tells of it."""
        return any(sign in text for sign in self.signs) and not any(
            word in text for word in self.unless
        )


def found_in(text: str) -> Danger | None:
    """The first danger that a cleaned text tells of."""
    plain = text.replace(" ", "")
    return next((one for one in dangers() if one.is_in(plain)), None)


@functools.cache
def dangers() -> Sequence[Danger]:
    """Every danger of the pack, the gravest first."""
    return tuple(
        Danger(
            entry["name"],
            *(tuple(entry.get(part, ())) for part in ("signs", "unless", "says", "services")),
        )
        for entry in content(_FILE)["dangers"]
    )
