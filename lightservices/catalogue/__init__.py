"""Which light services there are: content files read into frozen values, every fault named.

A service is one YAML file under ``packs/services``; adding one is adding a file.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence

from lightservices.catalogue import own
from lightservices.catalogue.checks import Known
from lightservices.catalogue.icons import ICONS
from lightservices.catalogue.model import (
    Availability,
    Catalogue,
    Channel,
    Fault,
    FieldType,
    Form,
    FormField,
    Kind,
    LegalNote,
    Result,
    Scenario,
    Service,
    ServiceClass,
    Step,
    Variant,
    Via,
    numbered,
)
from lightservices.catalogue.reading import PACK, catalogue, read
from service.wiring import Unit

__all__ = [
    "ICONS",
    "PACK",
    "Availability",
    "Catalogue",
    "Channel",
    "Fault",
    "FieldType",
    "Form",
    "FormField",
    "Kind",
    "Known",
    "LegalNote",
    "Result",
    "Scenario",
    "Service",
    "ServiceClass",
    "Step",
    "Variant",
    "Via",
    "catalogue",
    "find",
    "numbered",
    "offered",
    "own",
    "read",
    "scenarios",
    "service",
    "services",
]


def services() -> Mapping[str, Service]:
    """Every sound service of the pack by key, in the order in which people see them."""
    return catalogue().services


def scenarios() -> Mapping[str, Scenario]:
    """Every scenario by name, in the order in which people see them."""
    return catalogue().scenarios


def service(key: str) -> Service | None:
    """The service of the pack with this key, if there is one."""
    return services().get(key)


def find(unit: Unit, key: str) -> Service | None:
    """The service with this key, the pack's or a branch's own."""
    return services().get(key) or own.all_of(unit).get(key)


def offered(
    unit: Unit, chain: Sequence[str], *, switched_off: Collection[str] = ()
) -> Mapping[str, Service]:
    """What followers of the branch with this chain of codes up to HQ are offered, by key.

    The pack and the branches' own together, worded for the branch, in the order in which people
    see them; without what the branch's zone switched off.
    """
    added = _worded(own.all_of(unit).values(), chain)
    everything = [*_of_pack(tuple(chain)), *added]
    if added:
        everything.sort(key=lambda one: (one.order, one.key))
    return {one.key: one for one in everything if one.key not in switched_off}


@functools.lru_cache(maxsize=512)
def _of_pack(chain: tuple[str, ...]) -> Sequence[Service]:
    """What the pack offers there. Every page and message asks, and the pack does not change."""
    found = _worded(services().values(), chain)
    return sorted(found, key=lambda one: (one.order, one.key))


def _worded(found: Iterable[Service], chain: Sequence[str]) -> list[Service]:
    return [one.read_by(chain) for one in found if one.availability.reaches(chain)]
