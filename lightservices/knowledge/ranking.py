"""Which entries a text is about, best first, and how sure that is."""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from lightservices.catalogue import Service
from lightservices.knowledge.index import Entry, Index
from lightservices.knowledge.lexicon import Word, Worth
from lightservices.knowledge.terms import beside, is_sign, kept, widened

#: Only so many of the best by their terms are looked at closely.
_CLOSELY: Final = 30
#: How much a foreseen question counts beside the terms, and how much a whole word of the service.
_ASK: Final = 0.25
_PHRASE: Final = 0.7
#: What a text is worth that is one of the service's words and nothing else, however common: 网点.
_NOTHING_ELSE: Final = 3.0
#: How much of the weight depends on how much of the text the service is about.
_ABOUT: Final = 0.6
#: What a sign, a weak word and a word of daily life weigh when a text is measured as a whole.
_SIGN: Final = 2.5
_WEAK: Final = 0.15
_OUTSIDE: Final = 6.0
#: How far a word is explained by what it is also.
_KIND: Final = 0.6
#: A text of nothing but weak words has no weight of its own.
_LEAST: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Match:
    """A service, how well it fits, and how much of the text it is about, 0 to 1."""

    service: Service
    weight: float
    share: float

    @property
    def sureness(self) -> float:
        """How likely it is what was meant; comparable between texts, without a unit."""
        return self.weight * (0.35 + 0.65 * self.share)


@dataclass(frozen=True, slots=True)
class _Unit:
    """One word of the text as it is measured: its weight and the terms that explain it."""

    weight: float
    name: str
    pairs: tuple[str, ...]
    kind: str = ""

    def explained(self, about: Collection[str]) -> float:
        """How much of its weight these terms explain."""
        if self.name in about or any(pair in about for pair in self.pairs):
            return self.weight
        return _KIND * self.weight if self.kind in about else 0.0


def rank(index: Index, words: Sequence[Word], *, beyond: Iterable[Entry] = ()) -> list[Match]:
    """The entries of the index, and those beyond it, that these words are about, best first."""
    asked = {
        term: share * index.rarity.get(term, 0.0)
        for term, share in widened(words).items()
        if term in index.rarity
    }
    if not asked:
        return []
    units = _units(words, index)
    first = heapq.nlargest(_CLOSELY, _by_terms(index, asked, beyond), key=lambda found: found[0])
    matches = [_closely(entry, weight, asked, units) for weight, entry in first]
    return sorted(matches, key=lambda match: -match.weight)


def _by_terms(
    index: Index, asked: Mapping[str, float], beyond: Iterable[Entry]
) -> list[tuple[float, Entry]]:
    weights = [0.0] * len(index.entries)
    for term, weight in asked.items():
        for number, fullness in index.places.get(term, ()):
            weights[number] += weight * fullness
    found = [(weight, index.entries[at]) for at, weight in enumerate(weights) if weight]
    for entry in beyond:
        weight = sum(weight * entry.terms.get(term, 0.0) for term, weight in asked.items())
        if weight:
            found.append((weight, entry))
    return found


def _closely(
    entry: Entry, weight: float, asked: Mapping[str, float], units: Sequence[_Unit]
) -> Match:
    length = math.sqrt(sum(each * each for each in asked.values())) or _LEAST
    likeness = max(
        (
            sum(each * ask.terms.get(term, 0.0) for term, each in asked.items())
            / (length * (ask.size or _LEAST))
            for ask in entry.asks
        ),
        default=0.0,
    )
    held = [known for known in entry.phrases if known.terms.keys() <= asked.keys()]
    phrase = max((sum(asked[term] for term in known.terms) for known in held), default=0.0)
    if any(len(known.terms) == len(asked) for known in held):
        phrase += _NOTHING_ELSE
    whole = sum(unit.weight for unit in units) or _LEAST
    share = sum(unit.explained(entry.about) for unit in units) / whole
    weight += _ASK * likeness * likeness * sum(asked.values()) + _PHRASE * phrase
    return Match(entry.service, weight * (1 - _ABOUT + _ABOUT * share), share)


def _units(words: Sequence[Word], index: Index) -> list[_Unit]:
    full = kept(words)
    found = [_Unit(_OUTSIDE, "", ()) for word in words if word.worth is Worth.OUTSIDE]
    for at, word in enumerate(full):
        around = full[max(at - 1, 0) : at + 2]
        pairs = tuple(beside(*pair) for pair in pairwise(around))
        if is_sign(word):
            found.append(_Unit(_SIGN, "", pairs))
        elif word.worth is Worth.WEAK:
            found.append(_Unit(_WEAK * index.unheard, word.name, pairs))
        else:
            found.append(
                _Unit(index.rarity.get(word.name, index.unheard), word.name, pairs, word.kind)
            )
    return found
