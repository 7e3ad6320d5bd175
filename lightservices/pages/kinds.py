"""Which view shows which service: by its key where it has a page of its own, else by its kind.

This table is where a new kind of page is entered; the views themselves know nothing of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from flask import Response

from lightservices.catalogue import Kind, Known, Service
from lightservices.foryou import pages as foryou_pages
from lightservices.handoff import pages as handoff_pages
from lightservices.pages import (
    binding_pages,
    calculators,
    directory,
    guides,
    outlet_pages,
    queries,
    query_pages,
    rate_pages,
    reckonings,
)
from lightservices.pages.later import Later
from lightservices.providers.registry import PROVIDERS
from lightservices.tickets import categories
from lightservices.tickets import pages as ticket_pages
from lightservices.visit import Visitor
from service.wiring import Unit

View = Callable[[Unit, Visitor, Service], Response | Later]

#: The services that are more than their file says.
BY_KEY: Final[Mapping[str, View]] = MappingProxyType(
    {
        "outlets": outlet_pages.outlets,
        "exchange-rates": rate_pages.rates_of("exchange"),
        "deposit-rates": rate_pages.rates_of("deposit"),
        "loan-rates": rate_pages.rates_of("loan"),
        "loan-calculator": calculators.loan,
        "deposit-calculator": calculators.deposit,
        "prepayment-calculator": reckonings.prepayment,
        "exchange-calculator": reckonings.exchange,
        "installment-calculator": reckonings.installment,
        "bind-account": binding_pages.bind,
        "unbind-account": binding_pages.unbind,
        "promotions": queries.local_promotions,
        "my-city": queries.my_city,
        "directory": directory.directory,
        "my-tickets": ticket_pages.mine,
        "for-you": foryou_pages.for_you,
    }
)
#: What shows every other service of a kind.
BY_KIND: Final[Mapping[Kind, View]] = MappingProxyType(
    {
        Kind.GUIDE: guides.guide,
        Kind.LINK: guides.guide,
        Kind.FORM: ticket_pages.form,
        Kind.PERSON: handoff_pages.person,
        Kind.QUERY: query_pages.query,
    }
)


def view_of(service: Service) -> View | None:
    """How this service is shown; nothing where the content promises more than the program has."""
    if (own := BY_KEY.get(service.key)) is not None:
        return own
    if service.kind is Kind.QUERY and not service.provider:
        return None
    return BY_KIND.get(service.kind)


def known() -> Known:
    """What content may name: the providers, the pages of their own, the categories of tickets."""
    return Known(providers={*PROVIDERS, *BY_KEY}, categories=categories.names())
