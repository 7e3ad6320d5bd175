"""A text as terms that can be looked up: cleaned, cut into words, these alone and in pairs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from lightservices import characters
from lightservices.knowledge.lexicon import Lexicon, Word, Worth, lexicon

#: Longer texts are stories; what stands at their beginning decides.
MOST_SIGNS: Final = 160
#: WeChat's own faces arrive as [微笑] or /:rose.
FACES: Final = re.compile(r"\[[^\[\]]{1,6}\]|/:[!-~]{1,8}")
#: The one picture that is a word of ours.
_CARD: Final = "💳"
_NUMERAL: Final = "0-9〇零一二两三四五六七八九十百千万亿几半"
#: 五万块, 3000元, 两百: what matters is that an amount is named, not which.
_AMOUNT: Final = re.compile(
    rf"[{_NUMERAL}.]*(?:[{_NUMERAL}][百千万亿]|[0-9.]+(?=[块元美欧日英港]))"
    rf"(?:[{_NUMERAL}]+(?![年个天]))?(?:块钱|块|元钱|元)?"
    rf"|[{_NUMERAL}]+(?:块钱|块|元钱|元)"
)
#: 三年, 12个月, 两天: a length of time.
_TERM: Final = re.compile(rf"[{_NUMERAL}]+(?:个月|年|天|个小时|小时|个工作日|分钟)")
AMOUNT: Final = Word("数额", Worth.WEAK)
TERM: Final = Word("期限", Worth.WEAK)
_RUN: Final = re.compile(r"[a-z0-9]+")
_NUMERALS: Final = frozenset("0123456789〇零一二两三四五六七八九十百千万亿几半")
#: What a sign or a run of letters costs that no word explains; a word costs about one.
_UNKNOWN: Final = 2.0
#: Longer numbers name something (an account, a phone), and that is nobody's business here.
_MOST_DIGITS: Final = 5
#: A sign the lexicon does not know says little alone: 车 is in 车贷, 电动车 and 火车.
SIGN_SHARE: Final = 0.6
#: What a pair says beside its words: one that stands together, one that is merely near.
_BESIDE: Final = 0.4
_NEAR: Final = 0.3
#: What a word is also, as against what it says.
_FAINT: Final = 0.6
#: How many words may stand between two of which one text holds both, as 信用卡 … 注销.
REACH: Final = 6


def cleaned(text: str) -> str:
    """The text in one script and width, without faces, marks and signs nobody sees."""
    plain = unicodedata.normalize("NFKC", FACES.sub(" ", text[: 2 * MOST_SIGNS]))
    plain = characters.simplified(plain).lower()
    kept = "".join(sign if sign.isalnum() or sign == _CARD else " " for sign in plain)
    return " ".join(kept.split())[:MOST_SIGNS]


def words_of(text: str) -> tuple[Word, ...]:
    """The words of a cleaned text as the lexicon knows them; other signs stand for themselves."""
    known = lexicon()
    return tuple(word for piece in text.split() for word in _cut(piece, known))


def _cut(piece: str, known: Lexicon) -> Iterator[Word]:
    """The cheapest way to cut the piece: few words, and few signs that nobody knows.

    Whoever always takes the longest word reads 怎么办一张卡 as 怎么办 and a remainder, where
    办一张卡 is what was asked.
    """
    end = len(piece)
    # For each place the cost from there to the end, the words that begin there, and their end.
    best: list[tuple[float, tuple[Word, ...], int]] = [(0.0, (), end)] * (end + 1)
    for at in range(end - 1, -1, -1):
        best[at] = min(
            ((cost + best[stop][0], words, stop) for cost, words, stop in _edges(piece, at, known)),
            key=lambda way: way[0],
        )
    at = 0
    while at < end:
        _, words, at = best[at]
        yield from words


def _edges(piece: str, at: int, known: Lexicon) -> Iterator[tuple[float, tuple[Word, ...], int]]:
    """The words that may begin here, what they cost together, and where they end."""
    for length in range(min(known.longest.get(piece[at], 0), len(piece) - at), 0, -1):
        spelled = piece[at : at + length]
        if (word := known.words.get(spelled)) is not None:
            yield _cost(word, length), (word,), at + length
        elif (words := known.phrases.get(spelled)) is not None:
            yield _cost(words[0], length), words, at + length
    if piece[at] in _NUMERALS:
        for pattern, word in ((_AMOUNT, AMOUNT), (_TERM, TERM)):
            if (found := pattern.match(piece, at)) is not None:
                yield 1.0, (word,), found.end()
    if (run := _RUN.match(piece, at)) is not None:
        says_little = len(run[0]) < 3 or (run[0].isdigit() and len(run[0]) > _MOST_DIGITS)
        worth = Worth.NONE if says_little else Worth.FULL
        yield _UNKNOWN, (Word(run[0], worth, known=False),), run.end()
    else:
        yield _UNKNOWN, (Word(piece[at], Worth.FULL, known=False),), at + 1


def _cost(word: Word, length: int) -> float:
    if word.worth is Worth.NONE:
        return 1.0
    return 0.95 - 0.02 * length


def kept(words: Sequence[Word]) -> list[Word]:
    """The words that are about something a bank does."""
    return [word for word in words if word.worth is Worth.FULL or word.worth is Worth.WEAK]


def is_sign(word: Word) -> bool:
    """Whether it is a mere sign of a word the lexicon does not know."""
    return not word.known and len(word.name) == 1


def beside(one: Word, other: Word) -> str:
    """The term for two words that stand together."""
    return f"{one.name}|{other.name}"


def terms_of(words: Sequence[Word]) -> Mapping[str, float]:
    """What is looked up, each with its share: words, those side by side, those in one sentence.

    Words worth nothing are skipped, so that 卡在家里丢了 holds the pair of 卡丢了. A single sign of
    them may yet be half of a name that the lexicon does not know, as in 会员.
    """
    full = kept(words)
    found: dict[str, float] = {}
    for word in full:
        share = SIGN_SHARE if is_sign(word) else word.worth.value
        found[word.name] = max(found.get(word.name, 0.0), share)
    for one, other in pairwise(full):
        found[beside(one, other)] = _BESIDE
    for one, other in pairwise(words):
        if len(one.name) == 1 == len(other.name):
            found.setdefault(beside(one, other), _BESIDE)
    for term in _near(full):
        found[term] = _NEAR
    return found


def widened(words: Sequence[Word]) -> Mapping[str, float]:
    """The terms of a question, and more faintly those of what its words are also: 卡 for 信用卡."""
    terms = terms_of(words)
    if not any(word.kind for word in words):
        return terms
    wider = [replace(word, name=word.kind, kind="") if word.kind else word for word in words]
    faint = {term: _FAINT * share for term, share in terms_of(wider).items()}
    return faint | dict(terms)


def _near(full: Sequence[Word]) -> Iterator[str]:
    """Each two known words that are near each other, whichever comes first."""
    telling = [word.name for word in full if word.known and word.worth is Worth.FULL]
    for at, one in enumerate(telling):
        for other in telling[at + 1 : at + 1 + REACH]:
            if other != one:
                yield f"{min(one, other)}+{max(one, other)}"
