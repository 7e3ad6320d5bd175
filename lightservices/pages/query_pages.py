"""Query pages: what is asked, of whom, and what a follower reads when there is no answer.

Everything is looked up first and the unit closed; only then is the provider asked. An answer about
a customer is shown once and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Response, request
from marshmallow import ValidationError

from lightservices.binding import operations
from lightservices.binding.operations import Binding
from lightservices.catalogue import Service
from lightservices.pages import guides, queries
from lightservices.pages.later import Later
from lightservices.pages.private import private_page
from lightservices.providers import asking
from lightservices.providers.protocol import Answer, Audience, Failed, Provider, Why
from lightservices.providers.registry import PROVIDERS
from lightservices.visit import Visitor
from service import clock, journal
from service.happenings import OpenId
from service.wiring import Unit, Wiring

#: The pages on which an account is bound and unbound.
BIND: Final = "/s/bind-account"
UNBIND: Final = "/s/unbind-account"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no answer, in plain words, and whether trying again may help."""

    title: str
    words: str
    again: bool = True


_BUSY: Final = Trouble(
    "暂时查不到", "系统没有及时给出结果，不是您操作的问题。请过一会儿再试，或者换下面的办法。"
)
_WORDS: Final[Mapping[Why, Trouble]] = {
    Why.UNCONFIGURED: Trouble(
        "这里还不能查询",
        "本行还没有在微信里开通这项查询。您可以用手机银行、客服热线，或到网点查询。",
        again=False,
    ),
    Why.DECLINED: Trouble("没有查到", "请核对后再试，或者联系客服。"),
}  # fmt: skip


def query(unit: Unit, visitor: Visitor, service: Service) -> Response | Later:
    """The page of a service that names a provider; of another kind of guide where it names none
    that the program has."""
    provider = PROVIDERS.get(service.provider)
    if provider is None:
        return guides.guide(unit, visitor, service)
    values = _around(unit, visitor, service)
    bound = operations.binding(unit, visitor.openid) if visitor.openid else None
    is_bound = bound is not None and bound.is_agreed
    is_asked = provider.audience is Audience.CUSTOMER and provider.is_connected(unit.wiring)
    if is_asked and not is_bound:
        return _led_to_binding(visitor, service, bound, values)
    wiring = unit.wiring
    return Later(lambda: _answered(wiring, visitor, service, provider, bound, values))


def trouble_of(failed: Failed) -> Trouble:
    """What the follower reads where there is no answer."""
    return _WORDS.get(failed.why, _BUSY)


def _around(unit: Unit, visitor: Visitor, service: Service) -> dict[str, Any]:
    """What stands on the page whatever the answer: other ways to have it, related services."""
    offered = queries.offered_by_key(unit, visitor)
    return {
        "service": service,
        "ways": [(way, guides.button_of(way, unit.settings, offered)) for way in service.channels],
        "related": [offered[key] for key in service.related if key in offered],
        "bind_path": BIND,
        "unbind_path": UNBIND,
    }


def _led_to_binding(
    visitor: Visitor, service: Service, bound: Binding | None, values: Mapping[str, Any]
) -> Response:
    return private_page(
        "query_unbound", visitor, title=service.title, must_agree=bound is not None, **values
    )


def _answered(
    wiring: Wiring,
    visitor: Visitor,
    service: Service,
    provider: Provider,
    bound: Binding | None,
    values: Mapping[str, Any],
) -> Response:
    """Ask, with nothing open."""
    asked = {field.name: request.args.get(field.name, "") for field in service.inputs}
    faults: Mapping[str, str] = {}
    answer: Answer | None = None
    trouble: Trouble | None = None
    try:
        inputs = provider.inputs().load({name: value for name, value in asked.items() if value})
        customer = bound.customer if bound and provider.audience is Audience.CUSTOMER else None
        answer = asking.ask(wiring, provider, inputs, customer=customer)
    except ValidationError as refused:
        faults = dict.fromkeys(refused.normalized_messages(), "请重新选择")  # type: ignore[no-untyped-call]  # the library leaves it untyped
    except Failed as failed:
        if failed.why is Why.UNBOUND and bound is not None and visitor.openid is not None:
            return _lapsed(wiring, visitor, visitor.openid, service, bound, values)
        trouble = trouble_of(failed)
    journal.count("queries", service=service.provider, answered=str(answer is not None).lower())
    return private_page(
        "query", visitor, title=service.title, answer=answer, trouble=trouble, faults=faults,
        asked=asked | _defaults(provider, asked), provider=provider,
        is_customers=provider.audience is Audience.CUSTOMER, **values,
    )  # fmt: skip


def _defaults(provider: Provider, asked: Mapping[str, str]) -> dict[str, str]:
    """What the provider assumes where nothing was said, so that the form shows it."""
    fields = provider.inputs().fields
    return {
        name: str(fields[name].load_default)
        for name, value in asked.items()
        if not value and name in fields and isinstance(fields[name].load_default, str)
    }


def told_at(at: datetime) -> str:
    """When something was so, as people in China read it."""
    local = clock.shanghai(at)
    return f"{local.month} 月 {local.day} 日 {local:%H:%M}"


def _lapsed(
    wiring: Wiring,
    visitor: Visitor,
    openid: OpenId,
    service: Service,
    bound: Binding,
    values: Mapping[str, Any],
) -> Response:
    """The bank ended the binding: erase it here too, and lead to a new one."""
    with wiring.unit() as unit:
        operations.lapse(unit, openid, customer=bound.customer)
    return private_page("query_unbound", visitor, title=service.title, has_lapsed=True, **values)
