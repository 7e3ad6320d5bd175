"""How a page asks a provider: through its breaker, within its time, from what is kept if it may.

Whatever happens, the caller has an answer or a plain reason within two seconds. Must not be called
while a unit is open: what is asked here lies outside, and a transaction would wait with it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lightservices.providers import transport
from lightservices.providers.breaker import Breaker, State
from lightservices.providers.protocol import (
    ANSWERS,
    Answer,
    Audience,
    Customer,
    Failed,
    Provider,
    Query,
    Why,
)
from service import journal
from service.wechat.gateway import transaction_open
from service.wechat.token import Deadline
from service.wiring import Wiring

#: How long the last good answer for everybody may stand in, its age shown, when no new one comes.
STALE_SECONDS: Final = 600
#: Answers for everybody that are kept at once, one for each way of asking.
_MOST_KEPT: Final = 256
_SHELF: Final = "providers.asking"

log = journal.logger("lightservices.providers")

Key = tuple[str, tuple[tuple[str, Any], ...]]


@dataclass(slots=True)
class Memory:
    """What this process knows of its providers."""

    breakers: dict[str, Breaker] = field(default_factory=dict)
    kept: dict[Key, tuple[float, Answer]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def breaker(wiring: Wiring, name: str) -> Breaker:
    """The breaker before this provider in this process."""
    memory = _memory(wiring)
    with memory.lock:
        if name not in memory.breakers:
            memory.breakers[name] = Breaker(turned=lambda state: _tell(name, state))
        return memory.breakers[name]


def ask(
    wiring: Wiring,
    provider: Provider,
    inputs: Mapping[str, Any],
    *,
    customer: Customer | None = None,
) -> Answer:
    """The provider's answer to inputs its schema has taken.

    Raises:
        Failed: saying why there is none.
    """
    if transaction_open.get():
        raise RuntimeError("a provider was asked inside a transaction")
    kept, age = _kept(wiring, provider, inputs)
    if kept is not None and age < provider.keep_seconds:
        return _counted(provider, "kept", kept)
    try:
        answer = _fetched(wiring, provider, inputs, customer)
    except Failed as failed:
        journal.count("provider_answers", provider=provider.name, outcome=failed.why.value)
        if kept is None or age >= STALE_SECONDS or failed.why is Why.UNCONFIGURED:
            raise
        return _counted(provider, "stale", replace(kept, is_stale=True))
    _keep(wiring, provider, inputs, answer)
    return _counted(provider, "answered", answer)


def _fetched(
    wiring: Wiring, provider: Provider, inputs: Mapping[str, Any], customer: Customer | None
) -> Answer:
    """Ask now, if the breaker lets us, and let it know what came of it."""
    if not provider.is_connected(wiring):
        raise Failed(Why.UNCONFIGURED)
    if provider.audience is Audience.CUSTOMER and customer is None:
        raise Failed(Why.UNBOUND)
    guard = breaker(wiring, provider.name)
    if not guard.admits():
        raise Failed(Why.RESTING)
    deadline = Deadline(transport.TOTAL_SECONDS)
    query = Query(wiring, inputs, deadline, customer)
    try:
        answer = transport.within(transport.line(wiring), deadline, lambda: provider.fetch(query))
    except Failed as failed:
        if failed.why in ANSWERS:
            guard.succeeded()
        elif failed.why is not Why.BUSY:  # Nobody was asked then.
            guard.failed()
            log.warning("no answer", provider=provider.name, why=failed.why.value)
        raise
    except Exception:
        # A fault of our own must not look like an answer, and must not keep a page from its words.
        guard.failed()
        log.error("a provider broke", provider=provider.name, exc_info=True)
        raise Failed(Why.UNREADABLE) from None
    guard.succeeded()
    return answer


def _memory(wiring: Wiring) -> Memory:
    found: Memory | None = wiring.shelf.get(_SHELF)
    return found if found is not None else wiring.shelf.setdefault(_SHELF, Memory())


def _key(provider: Provider, inputs: Mapping[str, Any]) -> Key:
    return provider.name, tuple(sorted(inputs.items()))


def _kept(
    wiring: Wiring, provider: Provider, inputs: Mapping[str, Any]
) -> tuple[Answer | None, float]:
    """The last good answer for everybody and its age in seconds. A customer's is never kept."""
    if not provider.keep_seconds or provider.audience is Audience.CUSTOMER:
        return None, 0.0
    found = _memory(wiring).kept.get(_key(provider, inputs))
    return (None, 0.0) if found is None else (found[1], time.monotonic() - found[0])


def _keep(wiring: Wiring, provider: Provider, inputs: Mapping[str, Any], answer: Answer) -> None:
    if not provider.keep_seconds or provider.audience is Audience.CUSTOMER:
        return
    memory = _memory(wiring)
    with memory.lock:
        if len(memory.kept) >= _MOST_KEPT:
            memory.kept.clear()
        memory.kept[_key(provider, inputs)] = (time.monotonic(), answer)


def _counted(provider: Provider, outcome: str, answer: Answer) -> Answer:
    journal.count("provider_answers", provider=provider.name, outcome=outcome)
    return answer


def _tell(name: str, state: State) -> None:
    journal.count("provider_breakers", provider=name, turned=state.value)
    log.warning("the breaker turned", provider=name, state=state.value)
