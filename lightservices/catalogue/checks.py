"""What shows only when all services lie side by side: two alike, links into nothing, odd names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from lightservices.catalogue.model import Scenario, Service

#: Two texts that share more of their shingles than this say the same.
MOST_ALIKE: Final = 0.9
_SIGNS: Final = 3


@dataclass(frozen=True, slots=True)
class Known:
    """What the program has for content to name; what is left out is not checked."""

    providers: Collection[str] | None = None
    categories: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Slip:
    """Which service breaks which rule, at which field."""

    key: str
    path: tuple[str | int, ...]
    rule: str
    way_out: str


def across(
    services: Mapping[str, Service],
    scenarios: Mapping[str, Scenario],
    known: Known,
    *,
    written: Collection[str],
) -> Iterator[Slip]:
    """Every slip between these services, and between them and what the program has.

    ``written`` are the keys of all files, the faulty ones too: to be related to one is no slip.
    """
    for service in services.values():
        yield from _unrelated(service, written)
        yield from _unknown(service, scenarios, known)
    yield from _shared(services, "title", lambda one: (one.title,), "标题")
    yield from _shared(services, "asks", lambda one: one.asks, "问法")
    yield from _alike(services, "summary", lambda one: one.summary, "简介")
    yield from _alike(services, "steps", _steps, "步骤")


def _unrelated(service: Service, written: Collection[str]) -> Iterator[Slip]:
    for number, key in enumerate(service.related):
        if key not in written:
            yield Slip(
                service.key, ("related", number), f"没有 {key} 这项服务", "改为已有服务的 key"
            )


def _unknown(service: Service, scenarios: Mapping[str, Scenario], known: Known) -> Iterator[Slip]:
    if service.scenario not in scenarios:
        yield Slip(
            service.key, ("scenario",), f"场景“{service.scenario}”没有登记",
            "从 packs/scenarios.yaml 里选一个，或先在那里登记",
        )  # fmt: skip
    if known.providers is not None and service.provider not in ("", *known.providers):
        yield Slip(
            service.key, ("provider",), f"程序里没有 {service.provider} 这个数据来源",
            f"可以选 {'、'.join(sorted(known.providers))}",
        )  # fmt: skip
    category = service.form.category if service.form else ""
    if known.categories is not None and category not in ("", *known.categories):
        yield Slip(
            service.key, ("form", "category"), f"没有“{category}”这个工单类别",
            f"可以选 {'、'.join(sorted(known.categories))}",
        )  # fmt: skip


def _shared(
    services: Mapping[str, Service],
    field: str,
    texts: Callable[[Service], Collection[str]],
    called: str,
) -> Iterator[Slip]:
    """The same text in two services; reported at the second."""
    seen: dict[str, str] = {}
    for service in services.values():
        for number, text in enumerate(texts(service)):
            plain = _plain(text)
            other = seen.setdefault(plain, service.key)
            if other != service.key:
                path = (field, number) if field == "asks" else (field,)
                rule = f"{called}“{text}”与 {other}.yaml 的相同"
                yield Slip(service.key, path, rule, "换一种说法，或合并两项服务")


def _alike(
    services: Mapping[str, Service], field: str, text: Callable[[Service], str], called: str
) -> Iterator[Slip]:
    shingled = [
        (one.key, shingles) for one in services.values() if (shingles := _shingles(text(one)))
    ]
    for (first, left), (second, right) in combinations(shingled, 2):
        less, more = sorted((len(left), len(right)))
        # So unequal in length cannot be alike; this spares most of the work.
        if less <= MOST_ALIKE * more:
            continue
        common = len(left & right)
        if common > MOST_ALIKE * (less + more - common):
            rule = f"{called}与 {first}.yaml 的几乎一样"
            yield Slip(second, (field,), rule, "写出这项服务自己的内容，或合并两项服务")


def _steps(service: Service) -> str:
    return "".join(step.title + step.text for step in service.steps)


def _shingles(text: str) -> frozenset[str]:
    plain = _plain(text)
    return frozenset(plain[at : at + _SIGNS] for at in range(len(plain) - _SIGNS + 1))


def _plain(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isalnum())
