"""Who is acting, as everything below a view is told: plain values, no session, no request."""

from __future__ import annotations

from dataclasses import dataclass

from service.staff.rights import Grant


@dataclass(frozen=True, slots=True)
class Me:
    """One of the bank's people at work; may be given wherever an audit's ``Actor`` is asked for."""

    id: int
    login: str
    name: str
    grants: tuple[Grant, ...] = ()
    #: A keyed digest of the address the request came from, for the audit; "" when there is none.
    source: str = ""
