"""The pages of rates, and what calculators take from them. Asked with nothing open, like a query.

Whatever is shown says how old it is: a price without its time is a rumour.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Response

from lightservices import catalogue
from lightservices.catalogue import Service
from lightservices.pages import queries, query_pages
from lightservices.pages.later import Later
from lightservices.pages.shell import page
from lightservices.providers import quoting
from lightservices.providers.protocol import Failed
from lightservices.providers.published import Published
from lightservices.rates import TABLES
from lightservices.visit import Visitor
from service.wiring import Unit, Wiring

#: The pages of rates by their addresses.
_PATHS: Final = {f"/s/{table}-rates": table for table in TABLES}


def rates_of(table: str) -> Callable[[Unit, Visitor, Service], Later]:
    """The view of this table."""

    def view(unit: Unit, visitor: Visitor, service: Service) -> Later:
        values = {"service": service, "related": queries.related_to(unit, visitor, service)}
        wiring = unit.wiring
        return Later(lambda: _shown(wiring, visitor, table, values))

    return view


def known(wiring: Wiring, table: str) -> Published | None:
    """The table for a calculator, which does without it where there is none."""
    try:
        found = quoting.told(wiring, table)
    except Failed:
        return None
    return found if found.lines else None


def from_last_heard(wiring: Wiring, path: str) -> Response | None:
    """The page at this path without any database; nothing where none can be made."""
    table = _PATHS.get(path)
    service = catalogue.service(path.removeprefix("/s/")) if table else None
    if table is None or service is None:
        return None
    found = quoting.without_database(wiring.settings, table)
    if found is None:
        return None
    return page(
        "rates", None, title=service.title, service=service, related=(), told=found, which=table,
        trouble=None,
    )  # fmt: skip


def _shown(wiring: Wiring, visitor: Visitor, table: str, values: dict[str, Any]) -> Response:
    found = trouble = None
    try:
        found = quoting.told(wiring, table)
    except Failed as failed:
        trouble = query_pages.trouble_of(failed)
    title = values["service"].title
    return page(
        "rates", visitor, title=title, told=found, trouble=trouble, which=table, **values
    )  # fmt: skip
