"""Every service as terms with weights, made ready once: what ranking reads.

This is BM25F: a term counts by where it stands, repeats soon stop adding, and long fields are
damped. Beside it lie each question people ask (``asks``) and each word (``words``), because a
question that was foreseen should be recognised as a whole.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from sys import intern
from typing import Final

from lightservices.catalogue import Service
from lightservices.knowledge.lexicon import asked
from lightservices.knowledge.terms import cleaned, terms_of, words_of

#: How much a term counts by where it stands.
WEIGHTS: Final[Mapping[str, float]] = {
    "title": 3.0,
    "words": 2.0,
    "asks": 1.0,
    "summary": 2.0,
    "scenario": 1.0,
    "steps": 1.0,
    "rest": 0.3,
}
#: The fields whose terms say what a service is about, as against what it mentions.
ABOUT: Final = ("title", "words", "asks")
#: The long fields. Pairs of words in them would be most of the index and say little.
MENTIONED: Final = ("steps", "rest")
#: BM25's constants: how soon more of the same stops counting, how much a long field is damped.
SATURATION: Final = 0.8
DAMPING: Final = 0.2


@dataclass(frozen=True, slots=True)
class Known:
    """A text that was foreseen, as terms weighted by how rare they are."""

    terms: Mapping[str, float]
    #: The length of the vector of weights; for a phrase their sum.
    size: float


@dataclass(frozen=True, slots=True)
class Entry:
    """What ranking knows of one service."""

    service: Service
    #: How fully each term is there, 0 to 1; of the pack's entries the index itself tells.
    terms: Mapping[str, float]
    about: frozenset[str]
    asks: tuple[Known, ...]
    #: Title and words.
    phrases: tuple[Known, ...]


@dataclass(slots=True)
class _Draft:
    service: Service
    fields: dict[str, Counter[str]] = field(default_factory=dict)
    asks: list[Mapping[str, float]] = field(default_factory=list)
    phrases: list[Mapping[str, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Index:
    """The pack's entries, where each term is, and how rare it is among them."""

    entries: tuple[Entry, ...]
    rarity: Mapping[str, float]
    #: For each term the numbers of the entries that hold it, and how fully.
    places: Mapping[str, tuple[tuple[int, float], ...]]
    lengths: Mapping[str, float]

    @property
    def unheard(self) -> float:
        """How rare a word is that no service holds."""
        return _rarity(0, len(self.entries))

    def entry(self, service: Service) -> Entry:
        """A service that is not of the pack, measured against it."""
        return _entry(_draft(service), self.rarity, self.lengths)


def build(services: Iterable[Service]) -> Index:
    """The index of these services."""
    drafts = [_draft(service) for service in services]
    holders: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for draft in drafts:
        holders.update({term for terms in draft.fields.values() for term in terms})
        totals.update({name: sum(terms.values()) for name, terms in draft.fields.items()})
    count = len(drafts)
    rarity = {term: _rarity(holding, count) for term, holding in holders.items()}
    lengths = {name: total / count for name, total in totals.items()}
    entries = [_entry(draft, rarity, lengths) for draft in drafts]
    places = _places(entries)
    # Where a term is, is told by the places from here on.
    return Index(tuple(replace(one, terms={}) for one in entries), rarity, places, lengths)


def _places(entries: Iterable[Entry]) -> Mapping[str, tuple[tuple[int, float], ...]]:
    places: dict[str, list[tuple[int, float]]] = {}
    for number, entry in enumerate(entries):
        for term, fullness in entry.terms.items():
            places.setdefault(term, []).append((number, fullness))
    return {term: tuple(found) for term, found in places.items()}


def _rarity(holding: int, count: int) -> float:
    return math.log(1 + (count - holding + 0.5) / (holding + 0.5))


def _draft(service: Service) -> _Draft:
    draft = _Draft(service)
    for name, text in _texts(service):
        terms = _terms(text, alone=name in MENTIONED)
        held = draft.fields.setdefault(name, Counter())
        for term, share in terms.items():
            held[term] += share  # type: ignore[assignment]  # a Counter of shares is one of floats
        if name == "asks":
            draft.asks.append(terms)
        elif name in ABOUT and terms:
            draft.phrases.append(terms)
    return draft


def _terms(text: str, *, alone: bool) -> Mapping[str, float]:
    words = words_of(cleaned(text))
    found = terms_of(words)
    if alone:
        names = {word.name for word in words}
        found = {term: share for term, share in found.items() if term in names}
    # The same few thousand terms stand in all services; one copy of each is enough.
    return {intern(term): share for term, share in found.items()}


def _texts(service: Service) -> Iterator[tuple[str, str]]:
    yield "title", service.title
    for word in service.words:
        yield "words", word
    for ask in (*service.asks, *asked().get(service.key, ())):
        yield "asks", ask
    yield "summary", service.summary
    yield "scenario", service.scenario
    for step in service.steps:
        yield "steps", step.title
        yield "steps", step.text
    for text in (*service.documents, service.alert):
        yield "rest", text


def _entry(draft: _Draft, rarity: Mapping[str, float], lengths: Mapping[str, float]) -> Entry:
    counted: Counter[str] = Counter()
    for name, terms in draft.fields.items():
        average = lengths.get(name) or 1
        damped = 1 - DAMPING + DAMPING * sum(terms.values()) / average
        for term, times in terms.items():
            counted[term] += WEIGHTS[name] * times / damped  # type: ignore[assignment]  # as above
    return Entry(
        draft.service,
        {term: times / (times + SATURATION) for term, times in counted.items()},
        frozenset(term for name in ABOUT for term in draft.fields.get(name, ())),
        tuple(_ask(terms, rarity) for terms in draft.asks),
        tuple(_phrase(terms, rarity) for terms in draft.phrases),
    )


def _ask(terms: Mapping[str, float], rarity: Mapping[str, float]) -> Known:
    weighed = _weighed(terms, rarity)
    return Known(weighed, math.sqrt(sum(weight * weight for weight in weighed.values())))


def _phrase(terms: Mapping[str, float], rarity: Mapping[str, float]) -> Known:
    weighed = _weighed(terms, rarity)
    return Known(weighed, sum(weighed.values()))


def _weighed(terms: Mapping[str, float], rarity: Mapping[str, float]) -> Mapping[str, float]:
    return {term: share * rarity.get(term, 0.0) for term, share in terms.items()}
