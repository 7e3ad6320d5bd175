"""Which services a few words mean: as written, in pinyin, in either script, with a slip in them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lightservices import characters, pinyin
from lightservices.catalogue import Service

#: Longer texts are stories, not searches; what stands at their beginning decides.
MOST_SIGNS: Final = 100
#: More letters than this are a sentence in another language, not the pinyin of a service.
_MOST_LETTERS: Final = 24
#: How much of a written question and a known one must be shared for them to be the same.
_SAME_QUESTION: Final = 0.5
_TITLE_ITSELF: Final = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """One service that was found, how well it fits, and the words it was found by, best first."""

    service: Service
    weight: float
    words: tuple[str, ...] = ()

    @property
    def unseen(self) -> str:
        """The word it was found by, where neither title nor summary shows it."""
        shown = self.service.title.lower() + self.service.summary.lower()
        if any(word in shown for word in self.words):
            return ""
        return max(self.words, key=len, default="")


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is looked at in a service, made ready once."""

    title: str
    summary: str
    words: tuple[str, ...]
    #: The title and the words.
    terms: tuple[str, ...]
    asks: tuple[frozenset[str], ...]
    #: Where a sign may begin with this letter: the number of the term and the place in it.
    begins: Mapping[str, Sequence[tuple[int, int]]]
    slurred: tuple[str, ...]


def find(services: Iterable[Service], text: str) -> list[Service]:
    """The services the text is about, best first; among equals the catalogue's order stands."""
    return [hit.service for hit in search(services, text)]


def search(services: Iterable[Service], text: str) -> list[Hit]:
    """The same, with what each was found by; only where nothing is as written, what is like it."""
    asked = "".join(characters.simplified(text).lower().split())[:MOST_SIGNS]
    if not asked:
        return []
    everything = list(services)
    ways = [_as_written]
    if asked.isascii() and asked.isalpha() and 2 <= len(asked) <= _MOST_LETTERS:
        ways += [_by_sound, _by_slurred_sound]
    ways.append(_by_slip)
    for way in ways:
        hits = [hit for one in everything if (hit := way(one, asked)) is not None]
        if hits:
            return sorted(hits, key=lambda hit: -hit.weight)
    return []


def _as_written(service: Service, asked: str) -> Hit | None:
    """Every word of the service within the text counts by its length, the title double; a text
    that is only part of a word or of the title still counts a little. A single sign is enough
    where it is a whole syllable, as 卡 is; in a sentence it could stand for anything."""
    entry = _entry_of(service)
    if asked == entry.title:
        return Hit(service, _TITLE_ITSELF + len(asked), (asked,))
    said = [word for word in entry.words if word in asked]
    weight: float = sum(len(word) for word in said)
    if entry.title in asked:
        weight += 2 * len(entry.title)
        said.insert(0, entry.title)
    weight += _likeness(entry, asked)
    if weight:
        return Hit(service, weight, tuple(sorted(said, key=len, reverse=True)))
    if len(asked) < 2 and asked.isascii():
        return None
    if asked in entry.title:
        return Hit(service, 2, (asked,))
    within = next((word for word in entry.words if asked in word), "")
    if within or (len(asked) > 1 and asked in entry.summary):
        return Hit(service, 1, (asked, within) if within else (asked,))
    return None


def _likeness(entry: _Entry, asked: str) -> float:
    """How much this is one of the questions people ask about the service; up to its length."""
    if len(asked) < 4:
        return 0
    pairs = _pairs(asked)
    best = max((2 * len(pairs & one) / (len(pairs) + len(one)) for one in entry.asks), default=0.0)
    return best * len(asked) if best >= _SAME_QUESTION else 0


def _by_sound(service: Service, asked: str) -> Hit | None:
    entry = _entry_of(service)
    for number, start in entry.begins.get(asked[0], ()):
        term = entry.terms[number]
        if (end := pinyin.end(asked, term, start)) is not None:
            # Early in a title is what people mean; a whole term before a piece of one.
            weight = (8.0 if number == 0 else 4.0) - start + (end - start) / len(term)
            return Hit(service, max(weight, 1), (term[start:end], term))
    return None


def _by_slurred_sound(service: Service, asked: str) -> Hit | None:
    entry = _entry_of(service)
    plain = pinyin.slurred(asked)
    for number, spelled in enumerate(entry.slurred):
        if plain in spelled or (len(plain) > 4 and _is_one_slip(plain, spelled)):
            return Hit(service, 2 if number == 0 else 1, (entry.terms[number],))
    return None


def _by_slip(service: Service, asked: str) -> Hit | None:
    """One sign wrong, missing, or too many; signs that sound alike are the likeliest slip."""
    best: Hit | None = None
    for number, term in enumerate(_entry_of(service).terms):
        weight = len(term) * _closeness(term, asked) * (1.5 if number == 0 else 1)
        if weight > (best.weight if best else 0):
            best = Hit(service, weight, (term,))
    return best


def _closeness(term: str, asked: str) -> float:
    length = len(term)
    if length < 2 or set(term).isdisjoint(asked):
        return 0
    for start in range(len(asked) - length + 1):
        piece = asked[start : start + length]
        pairs = list(zip(piece, term, strict=True))
        if any(one == other for one, other in pairs) and all(
            pinyin.sounds_alike(one, other) for one, other in pairs
        ):
            return 1
        if length >= 4 and sum(one != other for one, other in pairs) == 1:
            return 0.5
    return 0.5 if length >= 3 and _is_one_slip(asked, term) else 0


def _is_one_slip(one: str, other: str) -> bool:
    """Whether one turns into the other by a sign changed, dropped, added, or two exchanged."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if start is None:
        return True
    left, right = one[start:], other[start:]
    return (
        left[1:] == right[1:]
        or left[1:] == right
        or left == right[1:]
        or (left[:2] == right[1::-1] and left[2:] == right[2:])
    )


def _entry_of(service: Service) -> _Entry:
    return _entry(service.title, service.summary, service.words, service.asks)


@functools.lru_cache(maxsize=2048)
def _entry(title: str, summary: str, words: tuple[str, ...], asks: tuple[str, ...]) -> _Entry:
    terms = tuple(term.lower() for term in (title, *words))
    begins: dict[str, list[tuple[int, int]]] = {}
    for number, term in enumerate(terms):
        for place, sign in enumerate(term):
            for letter in {reading[0] for reading in pinyin.readings(sign)}:
                begins.setdefault(letter, []).append((number, place))
    return _Entry(
        title=terms[0],
        summary=summary.lower(),
        words=terms[1:],
        terms=terms,
        asks=tuple(_pairs(ask.lower()) for ask in asks),
        begins=begins,
        slurred=tuple(pinyin.slurred(pinyin.spelled(term)) for term in terms),
    )


def _pairs(text: str) -> frozenset[str]:
    """Every two signs that stand side by side."""
    return frozenset(text[at : at + 2] for at in range(len(text) - 1))
