"""A guide: all that its file says, worded for the visitor's branch, each way with a button."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from flask import Response

from config import Settings
from lightservices.catalogue import Channel, Kind, Service, Via, numbered
from lightservices.pages import queries
from lightservices.pages.shell import page
from lightservices.visit import Visitor
from service.wiring import Unit

#: Who answers for a customer: the page of the local customer manager.
MANAGER: Final = "my-manager"

#: Whom to call before the bank. Other numbers in a guide's ways wait for their step.
EMERGENCY: Final = frozenset(("tel:110", "tel:119", "tel:120"))


@dataclass(frozen=True, slots=True)
class Button:
    """What a channel opens and the words on it; ``leaves`` names somebody else's site."""

    address: str
    words: str
    icon: str
    leaves: str = ""


def guide(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """The guide, or what else is all in its file."""
    offered = queries.offered_by_key(unit, visitor)
    ways = [(way, button_of(way, unit.settings, offered)) for way in service.channels]
    return page(
        "guide",
        visitor,
        title=service.title,
        service=service,
        ways=ways,
        urgent=_urgent(ways) if service.alert else (),
        onward=_onward(service, unit.settings),
        related=[offered[key] for key in service.related if key in offered],
    )


def button_of(channel: Channel, settings: Settings, offered: Iterable[str]) -> Button | None:
    """What this way is opened with; nothing where only its words help."""
    if channel.link.startswith("/"):
        return Button(channel.link, "打开", "route")
    if channel.link and channel.via is not Via.APP:
        return _site(channel.link)
    match channel.via:
        case Via.PHONE if number := numbered(channel.name) or settings.hotline:
            return Button(f"tel:{number}", f"拨打 {number}", "phone")
        case Via.APP if settings.app_url:
            return Button(settings.app_url, "打开手机银行", "app")
        case Via.OUTLET | Via.COUNTER:
            return Button("/s/outlets", "查附近网点", "pin")
        case Via.WECOM if MANAGER in offered:
            return Button(f"/s/{MANAGER}", "联系客户经理", "person")
        case _:
            return None


def _site(address: str) -> Button | None:
    """Somebody else's site, named before the visitor goes; nothing while the bank has not said."""
    host = urlsplit(address).hostname if address.startswith("https://") else None
    return Button(address, "打开网页", "globe", host) if host else None


def _onward(service: Service, settings: Settings) -> Button | None:
    """Where a link leads. Our own pages are redirected to and never come here."""
    if service.kind is not Kind.LINK:
        return None
    return _site(service.url)


def _urgent(ways: Iterable[tuple[Channel, Button | None]]) -> list[Button]:
    """The first of the public emergency numbers, in front: 110 before the bank's own line."""
    return [one for one in _numbers(ways) if one.address in EMERGENCY][:1]


def _numbers(ways: Iterable[tuple[Channel, Button | None]]) -> Iterator[Button]:
    for way, button in ways:
        if button is not None and numbered(way.name):
            yield button
