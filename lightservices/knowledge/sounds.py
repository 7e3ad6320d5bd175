"""Words typed by their sound: in pinyin, or with a sign that only sounds right (挂施 for 挂失)."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from lightservices import catalogue, pinyin
from lightservices.knowledge.lexicon import Word, Worth, lexicon
from lightservices.knowledge.terms import is_sign

_LETTERS: Final = re.compile(r"(?<![a-z0-9])[a-z](?: ?[a-z]){3,}(?![a-z0-9])")
#: More letters than this are a sentence in another language.
_MOST_LETTERS: Final = 36
_SHORTEST: Final = 2
_LONGEST: Final = 6
#: Of a word read in many ways so many are enough.
_MOST_READINGS: Final = 4


def respelled(text: str, words: Sequence[Word]) -> str:
    """The text as it was probably meant; unchanged where nothing in it asks for that."""
    meant = _LETTERS.sub(lambda run: _spoken(run[0].replace(" ", ""), run[0]), text)
    if not any(is_sign(word) for word in words):
        return meant
    return _heard(meant, words)


def warm() -> None:
    """Make ready what looking up by sound needs."""
    _by_sound()


def _spoken(run: str, written: str) -> str:
    """Letters as the words they spell, if they spell nothing but words: wodekadiule."""
    if run in lexicon().words or len(run) > _MOST_LETTERS:
        return written
    plain = pinyin.slurred(run)
    ways: list[tuple[str, ...] | None] = [()] + [None] * len(plain)
    for end in range(1, len(plain) + 1):
        # The longest last word first: of two ways to read it the one with fewer words is meant.
        for start in range(max(0, end - 6 * _LONGEST), end):
            before = ways[start]
            if before is not None and (word := _by_sound().get(plain[start:end])) is not None:
                ways[end] = (*before, word)
                break
    found = ways[-1]
    return "".join(found) if found is not None else written


def _heard(text: str, words: Sequence[Word]) -> str:
    """Signs nobody knows, exchanged for a word that sounds the same and shares a sign with it."""
    strange = {word.name for word in words if is_sign(word)}
    for length in (4, 3, 2):
        for start in range(len(text) - length + 1):
            piece = text[start : start + length]
            if strange.isdisjoint(piece) or piece in lexicon().words or not piece.isalpha():
                continue
            meant = _by_sound().get(pinyin.slurred(pinyin.spelled(piece)), piece)
            same = [one for one, other in zip(piece, meant, strict=False) if one == other]
            if len(meant) == length and length > len(same) >= length // 2 and _tell(same):
                text = text[:start] + meant + text[start + length :]
    return text


def _tell(signs: Iterable[str]) -> bool:
    """Whether one of these signs says anything: 了 does not, so 少了 is not 烧了."""
    known = lexicon().words
    return any(sign not in known or known[sign].worth is Worth.FULL for sign in signs)


@functools.cache
def _by_sound() -> Mapping[str, str]:
    """Each word by how it is spelled when zh is z and ng is n; what editors wrote comes first."""
    found: dict[str, str] = {}
    for word in _vocabulary():
        if _SHORTEST <= len(word) <= _LONGEST and not word.isascii():
            for spelled in _spellings(word):
                if len(spelled) > 3:
                    found.setdefault(spelled, word)
    return found


def _vocabulary() -> Iterator[str]:
    known = lexicon().words
    yield from (spelled for spelled, word in known.items() if word.name == spelled)
    yield from (spelled for spelled, word in known.items() if word.worth is Worth.FULL)
    for service in catalogue.services().values():
        yield from (service.title, *service.words)


def _spellings(word: str) -> Iterator[str]:
    readings = itertools.product(*(sorted(pinyin.readings(sign)) for sign in word))
    for signs in itertools.islice(readings, _MOST_READINGS):
        yield pinyin.slurred("".join(signs))
