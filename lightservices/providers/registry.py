"""Which providers there are, under the names that content files give."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from config import Settings
from lightservices.providers import accounts, fees, gold, points, progress, published, queues
from lightservices.providers.protocol import Provider

PROVIDERS: Final[Mapping[str, Provider]] = MappingProxyType(
    {
        provider.name: provider
        for provider in (
            accounts.BALANCE,
            accounts.STATEMENT,
            accounts.CARDS,
            progress.APPLICATIONS,
            points.POINTS,
            fees.FEES,
            gold.GOLD,
            queues.QUEUE,
            *published.FROM_CORE.values(),
        )
    }
)


def chosen(settings: Settings) -> Mapping[str, Provider]:
    """The same, from the sources that this bank chose."""
    rates = published.chosen(settings).values()
    return {**PROVIDERS, **{provider.name: provider for provider in rates}}
