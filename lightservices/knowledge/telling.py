"""A service as the chat tells it: what it is, what was asked about it, first steps, the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from lightservices import catalogue, promotions
from lightservices.catalogue import Kind, Service, placeholders
from lightservices.knowledge import persona
from lightservices.knowledge.lines import hotline, link, plain, serving, text
from lightservices.outlets import nearest
from lightservices.outlets.nearest import Nearby
from regions.presence import Whereabouts
from service import clock
from service.replies import Article, News, Reply
from service.wiring import Unit

NEAREST: Final = 3
#: As many steps as a message tells, as they are counted.
_IN_ORDER: Final = "一二三"


def tell(
    unit: Unit,
    place: Whereabouts,
    service: Service,
    *,
    articles: int,
    asked: str = "",
    first: Sequence[str] = (),
    also: Sequence[Service] = (),
) -> Reply:
    """The service, after what cannot wait (``first``) and before what else may be meant.

    ``articles`` is how many cards WeChat allows here; ``asked`` is the question, cleaned.
    """
    if service.key == "promotions" and (found := promotions.current(unit, place, clock.now())):
        return _promoted(unit, place, found, articles)
    lines = [*first, *([""] if first else []), *_about(unit, place, service)]
    lines += _asked_about(service, asked)
    lines += _local(place, service)
    if service.kind is Kind.GUIDE:
        lines += _first_steps(unit, service, says_number=not first)
    lines += ["", link(unit, service.path, f"点这里，打开“{service.title}”")]
    lines += _source(place, service) if asked else []
    if also:
        lines += ["", persona.says(unit.settings, "also")]
        lines += [
            f"{number}. {link(unit, other.path, other.title)}"
            for number, other in enumerate(also, start=1)
        ]
    return text(*lines)


def _about(unit: Unit, place: Whereabouts, service: Service) -> Iterator[str]:
    if service.key == "promotions":
        yield f"{place.branch.name}暂时没有正在进行的优惠，过几天再来看看吧。"
        return
    yield plain(f"【{service.title}】{service.summary}")
    if service.key == "outlets":
        yield from _around(unit, place)
    if service.key == "my-city":
        yield serving(place)


def _asked_about(service: Service, asked: str) -> Iterator[str]:
    """The fee, the time or the documents, where the question is about them."""
    for facet in persona.facets_in(asked.replace(" ", "")):
        found = getattr(service, facet.field)
        said = found if isinstance(found, str) else "；".join(found)
        if said:
            yield plain(f"{facet.title}：{_gaps_marked(said)}")


def _local(place: Whereabouts, service: Service) -> list[str]:
    """The first thing that holds here and not everywhere, where the branch has its own wording."""
    everywhere = catalogue.service(service.key)
    if everywhere is None or everywhere is service:
        return []
    said = [note for note in service.notes if note not in everywhere.notes]
    said += [f"{way.name}，{way.how}" for way in service.channels if way not in everywhere.channels]
    return [plain(f"在{place.branch.name}：{_gaps_marked(one)}") for one in said[:1]]


def _gaps_marked(said: str) -> str:
    """What only the bank knows stays marked; where to look it up is for its editors."""
    return placeholders.PATTERN.sub(lambda gap: f"【请填写：{gap['what']}】", said)


def _first_steps(unit: Unit, service: Service, *, says_number: bool) -> Iterator[str]:
    if service.alert:
        yield plain(service.alert)
        if says_number:
            yield hotline(unit.settings)
    # A bare number stands before what can be chosen by it, so a step is counted in words.
    for sign, step in zip(_IN_ORDER, service.steps, strict=False):
        yield plain(f"第{sign}步 {step.title}")
    if (more := len(service.steps) - len(_IN_ORDER)) > 0:
        yield f"……后面还有 {more} 步，打开看全部"
    if says_number and not service.alert:
        yield hotline(unit.settings)


def _source(place: Whereabouts, service: Service) -> list[str]:
    """Whose words these are, and which rule stands behind them."""
    whose = f"以上是{place.branch.name}的“{service.title}”"
    rules = "、".join(dict.fromkeys(note.source for note in service.legal))
    return [plain(f"{whose}，依据{rules}。" if rules else f"{whose}。")]


def _promoted(
    unit: Unit, place: Whereabouts, found: Sequence[promotions.Promotion], articles: int
) -> News:
    """One card for a message, where WeChat allows no more; as many as it allows for a tap."""
    base = unit.settings.public_base_url
    if articles == 1:
        titles = "；".join(one.title for one in found[:3])
        return News((Article(f"{place.branch.name}的优惠", titles, f"{base}/s/promotions"),))
    return News(
        tuple(
            Article(one.title, one.text.splitlines()[0], base + one.path)
            for one in found[:articles]
        )
    )


def _around(unit: Unit, place: Whereabouts) -> list[str]:
    """The outlets around the coarse place we know, or how to tell us the place."""
    if place.cell is None:
        return ["在聊天里点“＋”，把“位置”发给我，就能看到离您最近的网点。"]
    near = nearest.nearest(unit, *place.cell, count=NEAREST)
    return ["按您大致的位置，离您最近的是：", *outlet_lines(unit, near)]


def outlet_lines(unit: Unit, found: Iterable[Nearby]) -> list[str]:
    """One line for each outlet, with how far it is."""
    return [
        f"· {link(unit, near.outlet.path, near.outlet.name)} {nearest.distance(near.metres)}"
        for near in found
    ]
