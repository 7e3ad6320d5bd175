"""What is answered to words: danger first, then courtesy, a person, another city, a service.

Nothing of what somebody wrote is kept, logged or put into a link; counted is only how it ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lightservices import catalogue, cities, finding
from lightservices.catalogue import Service
from lightservices.emergency import in_force
from lightservices.handoff import transfer
from lightservices.knowledge import choosing, persona, ready
from lightservices.knowledge.danger import Danger
from lightservices.knowledge.lines import hotline, link, plain, serving, text, ways_on
from lightservices.knowledge.telling import tell
from lightservices.knowledge.terms import cleaned
from lightservices.knowledge.understanding import Outcome, Understanding, understand
from lightservices.tickets import paths
from regions import branches, divisions
from regions.divisions import Division
from regions.presence import Whereabouts
from service import clock, journal
from service.happenings import Fact
from service.replies import Reply, Text
from service.wiring import Unit

_ALSO: Final = 2
#: Services whose answer depends on the place, so that naming another city is a question about it.
_OF_A_PLACE: Final = frozenset(("outlets", "promotions", "my-city", "directory", "gov-service"))
#: Who can be found when no service answers; the first that is offered.
_PEOPLE: Final = ("my-manager", "contact")


def answer(unit: Unit, fact: Fact, words: str, *, place: Whereabouts) -> Reply:
    """What to say to these words at this place."""
    offered = _offered(unit, place)
    if (number := choosing.number_in(words)) is not None:
        return _counted("chosen", _chosen(unit, fact, number, place=place, offered=offered))
    choosing.withdraw(unit, fact.openid)
    understood = _understood(unit, words, offered)
    if understood.danger is not None:
        return _warned(unit, fact, place, words, understood, understood.danger)
    if courtesy := persona.courtesy(unit.settings, words):
        return _counted("courtesy", _courteous(unit, courtesy))
    if transfer.is_wanted(words):
        return _counted("person", transfer.to_a_person(unit, fact))
    if (city := _other_city(place, words, understood)) is not None:
        return _counted("city", _elsewhere(unit, place, city))
    match understood.outcome:
        case Outcome.ANSWER:
            return _counted("answer", _told(unit, fact, place, words, understood))
        case Outcome.CANDIDATES:
            choosing.offer(unit, fact.openid, [one.key for one in understood.services])
            return _counted("candidates", _candidates(unit, understood.services))
        case _:
            return _lost(unit, place, words, understood, offered)


def unseen(unit: Unit, *, is_voice: bool) -> Reply:
    """What to say to a picture, a film, or a voice that nobody made out."""
    journal.count("texts_answered", outcome="unseen")
    said = persona.says(unit.settings, "unheard" if is_voice else "no_pictures")
    return ways_on(unit, said)


def _understood(unit: Unit, words: str, offered: Mapping[str, Service]) -> Understanding:
    index = ready.index()
    if index is None:
        # The process has only just begun: plain search answers until the index is built.
        found = finding.find(offered.values(), words)[: 1 + _ALSO]
        return Understanding(Outcome.ANSWER if found else Outcome.NOTHING, tuple(found))
    own = ready.own_entries(unit, index, offered)
    return understand(index, words, offered=offered, own=own)


def _warned(
    unit: Unit,
    fact: Fact,
    place: Whereabouts,
    words: str,
    understood: Understanding,
    danger: Danger,
) -> Reply:
    number = hotline(unit.settings)
    first = [line.replace("{hotline}", number) for line in danger.says]
    journal.count("texts_answered", outcome="danger")
    if not understood.services:
        return text(*first)
    best, *others = understood.services
    also = _choosable(unit, fact, others)
    return tell(unit, place, best, articles=1, asked=cleaned(words), first=first, also=also)


def _told(
    unit: Unit, fact: Fact, place: Whereabouts, words: str, understood: Understanding
) -> Reply:
    best, *others = understood.services
    also = _choosable(unit, fact, others)
    return tell(unit, place, best, articles=1, asked=cleaned(words), also=also)


def _choosable(unit: Unit, fact: Fact, others: Sequence[Service]) -> Sequence[Service]:
    """The first of what else may be meant, each to be chosen by its number."""
    also = others[:_ALSO]
    if also:
        choosing.offer(unit, fact.openid, [one.key for one in also])
    return also


def _chosen(
    unit: Unit, fact: Fact, number: int, *, place: Whereabouts, offered: Mapping[str, Service]
) -> Reply:
    """The candidate of this number, if there was a list a moment ago."""
    keys = choosing.offered(unit, fact.openid)
    if not keys:
        return _to_people(unit, offered, saying="no_list")
    if number > len(keys):
        listed = [offered[key] for key in keys if key in offered]
        # Whatever was switched off since is missing, and the others moved up.
        choosing.offer(unit, fact.openid, [one.key for one in listed])
        return _candidates(unit, listed, saying="beyond_list")
    service = offered.get(keys[-1] if number == choosing.LAST else keys[number - 1])
    if service is None:
        return ways_on(unit, persona.says(unit.settings, "withdrawn"))
    return tell(unit, place, service, articles=1, asked=cleaned(service.title))


def _candidates(unit: Unit, services: Sequence[Service], *, saying: str = "candidates") -> Text:
    return text(
        persona.says(unit.settings, saying),
        *(
            f"{number}. {link(unit, one.path, one.title)} {plain(one.summary)}"
            for number, one in enumerate(services, start=1)
        ),
        "",
        persona.says(unit.settings, "none_of_these"),
        link(unit, paths.NEW, "请工作人员答复"),
        link(unit, "/s/directory", "查看全部服务"),
    )


def _lost(
    unit: Unit,
    place: Whereabouts,
    words: str,
    understood: Understanding,
    offered: Mapping[str, Service],
) -> Reply:
    """Nothing of ours: what else there is, or who else there is."""
    if cities.named_in(words) is not None:
        journal.count("texts_answered", outcome="city")
        return ways_on(unit, serving(place) + persona.says(unit.settings, "offer"))
    journal.count("texts_answered", outcome=understood.outcome.value)
    if understood.outcome is Outcome.OUTSIDE:
        return ways_on(unit, persona.says(unit.settings, "outside"))
    return _to_people(unit, offered, saying="not_understood")


def _to_people(unit: Unit, offered: Mapping[str, Service], *, saying: str) -> Text:
    """What could not be made out, and who of the bank's people can be asked."""
    person = next((offered[key] for key in _PEOPLE if key in offered), None)
    return text(
        persona.says(unit.settings, saying),
        link(unit, "/s/directory", "查看全部服务"),
        link(unit, paths.NEW, "写下问题，请工作人员答复"),
        *([link(unit, person.path, person.title)] if person else []),
        hotline(unit.settings),
        *([persona.says(unit.settings, "night")] if persona.is_night(clock.now()) else []),
    )


def _courteous(unit: Unit, courtesy: str) -> Text:
    return ways_on(unit, courtesy + persona.says(unit.settings, "offer"))


def _other_city(place: Whereabouts, words: str, understood: Understanding) -> Division | None:
    """The city that was named, where it is another than the follower's and it matters."""
    services = understood.services
    if services and services[0].key not in _OF_A_PLACE:
        return None
    city = cities.named_in(words)
    if city is None or city in divisions.table().path(place.division or ""):
        return None
    return city


def _elsewhere(unit: Unit, place: Whereabouts, city: Division) -> Text:
    """How to see another city: only the follower moves themselves, a passing word does not."""
    steps = [step.name for step in divisions.table().path(city.code)]
    chosen = f"选{steps[0]}，再选{steps[-1]}" if len(steps) > 1 else f"选{steps[0]}"
    return text(
        f"您提到了{city.name}。" + (serving(place) if place.source else ""),
        f"要看{city.name}的网点和优惠，请点“切换城市”，{chosen}。",
        "",
        link(unit, "/s/my-city", "切换城市"),
        link(unit, "/s/directory", "查看全部服务"),
    )


def _offered(unit: Unit, place: Whereabouts) -> Mapping[str, Service]:
    chain = [branch.code for branch in branches.directory(unit).chain(place.branch.code)]
    return catalogue.offered(unit, chain, switched_off=in_force.hidden(unit, place))


def _counted(outcome: str, reply: Reply) -> Reply:
    journal.count("texts_answered", outcome=outcome)
    return reply
