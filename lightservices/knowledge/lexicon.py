"""The words this bank's followers use: which mean the same, which mean nothing, read from content.

There is no general dictionary here. One would take 80 MB of every process and most of a second of
its start, and still not know that a book (折子) is a passbook; what the services are about fits in
a file that an editor of the bank can read and mend.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

import yaml

from lightservices import cities

PACKS: Final = Path(__file__).resolve().parents[1] / "packs"
SYNONYMS: Final = PACKS / "synonyms.yaml"
FILLERS: Final = PACKS / "fillers.yaml"
OUTSIDE: Final = PACKS / "outside.yaml"
ASKED: Final = PACKS / "asked.yaml"


class Worth(Enum):
    """How much a word tells about what is asked."""

    FULL = 1.0
    WEAK = 0.3
    NONE = 0.0
    #: Of daily life, and nothing to do with a bank: it speaks against every service.
    OUTSIDE = -1.0


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text: what stands for it and its equals, and what it is worth."""

    name: str
    worth: Worth
    #: Whether the lexicon knows it, as against a sign that merely stands there.
    known: bool = True
    #: What it is also: a credit card is a card.
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Every known word by how it is written, and the longest of them for each first sign."""

    words: Mapping[str, Word]
    #: Short ways of saying several words at once: 卡没了 says 卡 and 丢.
    phrases: Mapping[str, tuple[Word, ...]]
    longest: Mapping[str, int]


@functools.cache
def lexicon() -> Lexicon:
    """The lexicon of the pack, read once in the life of the process."""
    words = dict(_read())
    longest: dict[str, int] = {}
    named = {word.name: word for word in words.values()}
    phrases = {
        spelled: tuple(named[name] for name in names)
        for spelled, names in content(SYNONYMS)["phrases"].items()
    }
    for spelled in (*words, *phrases):
        longest[spelled[0]] = max(longest.get(spelled[0], 0), len(spelled))
    return Lexicon(words, phrases, longest)


def _read() -> Iterator[tuple[str, Word]]:
    fillers = content(FILLERS)
    for name, worth in (("empty", Worth.NONE), ("weak", Worth.WEAK)):
        for line in fillers[name]:
            for spelled in line:
                yield str(spelled), Word(str(spelled), worth)
    # A city tells where, not what.
    for name in cities.names():
        yield name, Word(name, Worth.NONE)
    for line in content(OUTSIDE)["words"]:
        for spelled in line:
            yield str(spelled), Word(str(spelled), Worth.OUTSIDE)
    file = content(SYNONYMS)
    kinds = {name: line[0] for line in file["kinds"] for name in line[1:]}
    for group in file["groups"]:
        meant = Word(str(group[0]), Worth.FULL, kind=kinds.get(group[0], ""))
        for spelled in group:
            yield str(spelled), meant


@functools.cache
def asked() -> Mapping[str, tuple[str, ...]]:
    """More questions that people ask than the service files list, by the service's key."""
    return {key: tuple(questions) for key, questions in content(ASKED).items()}


def content(path: Path) -> Any:
    """One content file of the pack, as it was written."""
    # libyaml's own safe loader is ten times as fast as the one written in Python.
    return yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)
