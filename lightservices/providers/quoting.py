"""A table of rates for a page or a calculator: as it is now, or as it last was, with its age.

Whoever asks has an answer or a plain reason within two seconds, like with every other provider.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from lightservices.providers import asking, last_heard, published
from lightservices.providers.last_heard import Heard
from lightservices.providers.protocol import Failed
from lightservices.providers.published import Published
from service import clock, journal
from service.wiring import Wiring

#: For how long what was last heard may stand in. Prices of money move by the minute, yet somebody
#: who asks on a Monday is helped by Friday's if they read that it is Friday's. What names a day and
#: no time counts until another is published, so there it is how long ago it was last heard.
WORTH: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"exchange": timedelta(days=3), "deposit": timedelta(days=31), "loan": timedelta(days=31)}
)


def told(wiring: Wiring, table: str) -> Published:
    """The table now; or what was last heard of it, marked as stale.

    Must not be called while a unit is open.

    Raises:
        Failed: when there is neither.
    """
    provider = published.chosen(wiring.settings)[table]
    try:
        answer = asking.ask(wiring, provider, {})
    except Failed:
        if (last := _last(wiring, table)) is None:
            raise
        journal.count("provider_answers", provider=provider.name, outcome="last_heard")
        return last
    assert isinstance(answer, Published)
    if answer.lines and not answer.is_stale:
        last_heard.keep(wiring, table, answer)
    return answer


def without_database(settings: Settings, table: str) -> Published | None:
    """What was last heard of the table, asked of nobody."""
    last = last_heard.load(settings, table)
    if last is None or not _is_of_use(settings, table, last):
        return None
    return replace(last.answer, is_stale=True)


def _last(wiring: Wiring, table: str) -> Published | None:
    """The newest of what is here."""
    kept = _kept(wiring, table)
    of_use = [one.answer for one in kept if _is_of_use(wiring.settings, table, one)]
    if not of_use:
        return None
    return replace(max(of_use, key=lambda one: one.as_of), is_stale=True)


def _kept(wiring: Wiring, table: str) -> Iterator[Heard]:
    if (heard := last_heard.load(wiring.settings, table)) is not None:
        yield heard
    try:
        if (found := published.imported(wiring, table)) is not None:
            # A bank that asks its core may not have looked after its own table since.
            yield Heard(found, found.as_of)
    except SQLAlchemyError:
        return


def _is_of_use(settings: Settings, table: str, one: Heard) -> bool:
    """Whether it is fresh enough; and a sample stands in for nothing where a bank is at work."""
    is_for_real = not (one.answer.sample and settings.in_production)
    since = one.at if one.answer.by_day else one.answer.as_of
    return is_for_real and clock.now() - since <= WORTH[table]
