"""The directory: by situation of life, by class, by search; sections, never one endless list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from flask import Response, request
from markupsafe import Markup, escape

from lightservices import catalogue, finding
from lightservices.catalogue import Scenario, Service, ServiceClass
from lightservices.foryou import operations, showing
from lightservices.pages import queries
from lightservices.pages.shell import page
from lightservices.visit import Visitor
from service.wiring import Unit

#: The classes as addresses name them.
CLASSES: Final[Mapping[str, ServiceClass]] = MappingProxyType(
    {one.name.lower(): one for one in ServiceClass}
)
_MOST_SIGNS: Final = 40
#: Whoever finds more than this has not said what they look for.
MOST_FOUND: Final = 20


@dataclass(frozen=True, slots=True)
class Section:
    """One situation of life and what is offered for it here."""

    scenario: Scenario
    services: Sequence[Service]


def directory(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """All situations; one of them; one class; or what some words mean."""
    offered = [one for one in queries.offered_services(unit, visitor) if one.key != service.key]
    asked = request.args.get("q", "").strip()[:_MOST_SIGNS]
    shown: dict[str, Any] = {"asked": asked, "classes": CLASSES, "tab": "", "total": len(offered)}
    if asked:
        shown |= _found(offered, asked)
    elif (name := request.args.get("scenario", "")) and (found := _one(offered, name)):
        shown |= {"section": found}
    elif (tab := request.args.get("class", "")) in CLASSES:
        of_class = [one for one in offered if one.service_class is CLASSES[tab]]
        shown |= {"tab": tab, "sections": _sections(of_class)}
    else:
        shown |= {"shelves": _shelves(_sections(offered))}
        shown |= {
            "recommended": showing.shelf(unit, visitor, operations.known(unit, visitor.openid))
        }
    return page("directory", visitor, title=service.title, service=service, **shown)


def _found(offered: Iterable[Service], asked: str) -> dict[str, Any]:
    hits = finding.search(offered, asked)
    return {"hits": hits[:MOST_FOUND], "more": len(hits) > MOST_FOUND}


def _one(offered: Iterable[Service], name: str) -> Section | None:
    return next((one for one in _sections(offered) if one.scenario.name == name), None)


def _sections(services: Iterable[Service]) -> list[Section]:
    """The services under their situations, in the order of these."""
    by_scenario: dict[str, list[Service]] = {}
    for one in services:
        by_scenario.setdefault(one.scenario, []).append(one)
    return [
        Section(scenario, by_scenario[name])
        for name, scenario in catalogue.scenarios().items()
        if name in by_scenario
    ]


def _shelves(sections: Iterable[Section]) -> Mapping[ServiceClass, list[Section]]:
    """The situations under the class where most of their services belong."""
    found: dict[ServiceClass, list[Section]] = {one: [] for one in ServiceClass}
    for section in sections:
        found[section.scenario.service_class].append(section)
    return found


def marked(text: str, words: Iterable[str]) -> Markup:
    """The text with the first of these words that it holds marked."""
    plain = text.lower()
    for word in words:
        # Where small letters are longer than capitals, places would not agree.
        if word and len(plain) == len(text) and (at := plain.find(word)) >= 0:
            end = at + len(word)
            return Markup("{}<mark>{}</mark>{}").format(text[:at], text[at:end], text[end:])
    return escape(text)
