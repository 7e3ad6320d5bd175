"""What a text asks for: one service, a few that it may be, or nothing that is ours to answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lightservices.catalogue import Kind, Service
from lightservices.knowledge import danger, sounds
from lightservices.knowledge.danger import Danger
from lightservices.knowledge.index import Entry, Index
from lightservices.knowledge.lexicon import Word, Worth
from lightservices.knowledge.ranking import Match, rank
from lightservices.knowledge.terms import cleaned, words_of

#: Less sure than this is a guess, and a wrong answer is worse than none. Measured on the questions
#: in the service files and those of ``dev_questions.yaml``, never on the ones that judge.
LEAST: Final = 0.9
#: What a text that also speaks of daily life must exceed it by.
DESPITE_OUTSIDE: Final = 1.8
#: From here on, and this far ahead of the next, one service is the answer.
SURE: Final = 2.6
AHEAD: Final = 0.12
#: What is this much less sure than the best is no candidate beside it.
BESIDE: Final = 0.3
MOST: Final = 3
#: Exchanging signs for others that sound alike must make it this much surer.
_BETTER: Final = 1.25


class Outcome(StrEnum):
    """How a text was understood; all that is ever counted of it."""

    ANSWER = "answer"
    CANDIDATES = "candidates"
    OUTSIDE = "outside"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Understanding:
    """The outcome, the services meant with the likeliest first, and what cannot wait."""

    outcome: Outcome
    services: tuple[Service, ...] = ()
    danger: Danger | None = None


def understand(
    index: Index, text: str, *, offered: Mapping[str, Service], own: Iterable[Entry] = ()
) -> Understanding:
    """What the text asks for, of the services offered to whoever wrote it."""
    plain = cleaned(text)
    urgent = danger.found_in(plain)
    words = words_of(plain)
    matches = _offered(rank(index, words, beyond=own), offered)
    unsure = not matches or matches[0].sureness < SURE
    if unsure and (meant := sounds.respelled(plain, words)) != plain:
        others = _offered(rank(index, words_of(meant), beyond=own), offered)
        if others and (not matches or others[0].sureness > _BETTER * matches[0].sureness):
            matches = others
    if urgent is not None:
        return Understanding(Outcome.ANSWER, _first(urgent, matches, offered), urgent)
    return _decided(matches, words, offered)


def _offered(matches: Iterable[Match], offered: Mapping[str, Service]) -> list[Match]:
    return [match for match in matches if match.service.key in offered]


def _decided(
    matches: list[Match], words: Iterable[Word], offered: Mapping[str, Service]
) -> Understanding:
    strange = any(word.worth is Worth.OUTSIDE for word in words)
    if not matches or matches[0].sureness < LEAST * (DESPITE_OUTSIDE if strange else 1):
        return Understanding(Outcome.OUTSIDE if strange else Outcome.NOTHING)
    best = matches[0]
    near = [match for match in matches[:MOST] if match.sureness >= BESIDE * best.sureness]
    ahead = len(near) < 2 or near[1].weight <= (1 - AHEAD) * best.weight
    sure = best.sureness >= SURE and ahead
    outcome = Outcome.ANSWER if sure or len(near) == 1 else Outcome.CANDIDATES
    # The words of the pack find a service; what is said of it is what its branch says.
    shown = _with_form(near, matches)
    return Understanding(outcome, tuple(offered[match.service.key] for match in shown))


def _with_form(near: Sequence[Match], matches: Iterable[Match]) -> Sequence[Match]:
    """The same with the form of the likeliest service next to it, where it fits at all.

    Who reads how something is done may want to begin right there, and a form says less of the
    matter than the guide beside it, so that words alone put it behind strangers.
    """
    best = near[0]
    if best.service.kind is Kind.FORM:
        return near
    forms = (match for match in matches if match.service.kind is Kind.FORM)
    form = next(
        (one for one in forms if one.service.key in best.service.related and one.sureness >= LEAST),
        None,
    )
    if form is None:
        return near
    return [best, form, *(match for match in near[1:] if match is not form)][:MOST]


def _first(
    urgent: Danger, matches: Sequence[Match], offered: Mapping[str, Service]
) -> tuple[Service, ...]:
    """The service that goes on from a danger and fits what was said best; then what else does."""
    likely = [match.service.key for match in matches if match.sureness >= LEAST]
    fitting = [key for key in likely if key in urgent.services]
    known = [key for key in urgent.services if key in offered]
    if not known:
        return ()
    keys = dict.fromkeys([*fitting[:1], *known[: not fitting], *likely])
    return tuple(offered[key] for key in keys)[:MOST]
