"""How the account speaks: its name, its courtesies, the sentences around an answer, as content."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from config import Settings
from lightservices.knowledge.lexicon import PACKS, content
from lightservices.knowledge.terms import FACES, cleaned
from service import clock

_FILE: Final = PACKS / "persona.yaml"
#: From ten in the evening to eight in the morning people answer late, if at all.
_NIGHT: Final = (22, 8)
#: What a courtesy is returned with, by the list of the file it stands in.
_RETURNED: Final = {
    "greetings": "again", "thanks": "thanks", "farewells": "farewell", "who": "who",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facet:
    """One side of a service that somebody may ask about."""

    field: str
    title: str
    signs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Persona:
    sayings: Mapping[str, str]
    hellos: Mapping[str, str]
    courtesies: Mapping[str, str]
    particles: str
    facets: tuple[Facet, ...]


def says(settings: Settings, saying: str) -> str:
    """One sentence of the file, in this bank's and this mascot's name."""
    return _named(_persona().sayings[saying], settings)


def courtesy(settings: Settings, text: str) -> str:
    """What to say back to a text that asks for nothing; empty when it asks for something."""
    said = cleaned(FACES.sub(" ", text)).replace(" ", "")
    if not said:
        return _named(_persona().hellos["again"], settings)
    # 知道了 is one, and 知道了哦; of 谢谢了啦 both ends are particles.
    while said:
        if (found := _persona().courtesies.get(said)) is not None:
            return _named(_persona().hellos[found], settings)
        if said[-1] not in _persona().particles:
            break
        said = said[:-1]
    return ""


def introduction(settings: Settings) -> str:
    """How the account names itself to somebody new."""
    return _named(_persona().hellos["welcome"], settings)


def facets_in(text: str) -> list[Facet]:
    """The sides of a service that a cleaned text asks about."""
    return [one for one in _persona().facets if any(sign in text for sign in one.signs)]


def is_night(at: datetime) -> bool:
    """Whether people in China are asleep at this time."""
    begins, ends = _NIGHT
    hour = clock.shanghai(at).hour
    return hour >= begins or hour < ends


def _named(text: str, settings: Settings) -> str:
    return text.format(name=settings.bot_name, bank=settings.bank_name)


@functools.cache
def _persona() -> _Persona:
    file = content(_FILE)
    return _Persona(
        {name: text for name, text in file.items() if isinstance(text, str)},
        file["hello"],
        {word: saying for name, saying in _RETURNED.items() for word in file[name]},
        file["particles"],
        tuple(
            Facet(name, each["title"], tuple(each["signs"]))
            for name, each in file["facets"].items()
        ),
    )
