"""Who is visiting a page and from where: what the signed visit cookie holds, and what it must not.

Inside WeChat a visitor is identified silently (``snsapi_base``); anywhere else, and whenever WeChat
is slow or unsure, the page is served to a guest who may pick a city. The cookie holds the visitor's
own openid, a city, and unspent sign-in states; never a position.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Request

from config import Settings
from lightservices.emergency import in_force
from lightservices.emergency.in_force import Emergency
from regions import divisions, presence
from regions.divisions import DivisionCode
from regions.fixes import Source
from regions.presence import Whereabouts
from service import clock, followers, journal
from service.happenings import LocationReported, OpenId, Surface
from service.wechat import visitor as wechat_visitor
from service.wechat.errors import TryLater, WillNever
from service.wechat.gateway import gateway_of
from service.wiring import Unit, Wiring

#: The only places a sign-in may lead to: our own pages, without anything appended.
_OWN_PATH: Final = re.compile(r"/(?:s|z|p|o|t|e)/[A-Za-z0-9-]{1,64}", re.ASCII)
HOME_PATH: Final = "/z/local"
#: No code WeChat gives is longer. What it could choke on would look like an outage of WeChat's,
#: and make a guest of everybody for a while.
_MOST_CODE_SIGNS: Final = 512
#: How long a visitor WeChat did not identify is left in peace as a guest.
GUEST_FOR: Final = timedelta(minutes=10)
#: How long nobody is sent to WeChat after WeChat failed to answer.
WEARY_FOR: Final = timedelta(seconds=30)
#: Several pages may be opened at once; older unspent states are dropped.
_MOST_STATES: Final = 4
_WEARY: Final = "visit.weary_until"

log = journal.logger("lightservices.visit")

Cookie = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class Visitor:
    """``openid`` is given for followers we know; a guest has none."""

    openid: OpenId | None
    whereabouts: Whereabouts
    #: What is in force there, the gravest first. A page stands below it, so it is looked up with
    #: the place: a page that asked for itself would hold a second connection beside its view's.
    emergencies: tuple[Emergency, ...] = ()


def own_path(path: str | None) -> str:
    """The path if it is one of our pages, else the local zone: never another site."""
    return path if path and _OWN_PATH.fullmatch(path) else HOME_PATH


def visitor(unit: Unit, cookie: Cookie) -> Visitor:
    """Who this is. Somebody who left, or never followed, is a guest whatever the cookie says."""
    openid = _openid(cookie)
    if openid is not None and followers.is_known(unit, openid):
        return standing(unit, openid, presence.where(unit, openid))
    return standing(unit, None, _guest_whereabouts(unit, cookie))


def standing(unit: Unit, openid: OpenId | None, place: Whereabouts) -> Visitor:
    """A visitor at this place, with what is in force there."""
    return Visitor(openid, place, in_force.at(unit, place))


def should_identify(wiring: Wiring, request: Request, cookie: Cookie) -> bool:
    """Whether to ask WeChat first: a stranger opens a plain page inside WeChat."""
    agent = request.headers.get("User-Agent", "")
    if "MicroMessenger" not in agent or "wxwork" in agent:
        return False
    # A query means a form, a search, or that the browser keeps no cookies: serve it as it is.
    if request.method != "GET" or request.query_string:
        return False
    if _openid(cookie) is not None or cookie.get("guest_until", 0) > clock.now().timestamp():
        return False
    weary_until: datetime | None = wiring.shelf.get(_WEARY)
    return weary_until is None or weary_until <= clock.now()


def start(settings: Settings, cookie: Cookie, path: str) -> str:
    """Where to send the visitor so that WeChat tells us who it is; they come back to ``path``."""
    state = secrets.token_hex(16)
    cookie["states"] = [*cookie.get("states", ())[-(_MOST_STATES - 1) :], state]
    redirect_uri = f"{settings.public_base_url}/oauth/callback?next={own_path(path)}"
    return wechat_visitor.authorize_url(settings, redirect_uri=redirect_uri, state=state)


def finish(wiring: Wiring, cookie: Cookie, *, state: str, code: str) -> bool:
    """Take WeChat's answer in; False when the state is not one of this browser's own.

    Must not be called within a transaction: it asks WeChat. Whatever WeChat says, the visitor goes
    on, as themselves or as a guest.
    """
    states: list[str] = cookie.get("states", [])
    if not state or state not in states:
        return _openid(cookie) is not None
    cookie["states"] = [other for other in states if other != state]
    openid = _identified(wiring, code)
    if openid is not None:
        # A visit begins with a clean cookie, so that nothing planted before it survives.
        cookie.clear()
        cookie["openid"] = openid
    elif _openid(cookie) is None:
        cookie["guest_until"] = int((clock.now() + GUEST_FOR).timestamp())
    return True


def choose_city(unit: Unit, cookie: Cookie, division: DivisionCode) -> None:
    """A city is picked: a follower's stays with their presence, a guest's in the cookie."""
    one = _acting(unit, cookie)
    if one.openid is not None:
        presence.choose(unit, one.openid, division)
        return
    cookie.pop("located", None)
    cookie["city"] = division


def follow_position(unit: Unit, cookie: Cookie) -> None:
    """The visitor no longer insists on a city."""
    one = _acting(unit, cookie)
    if one.openid is not None:
        presence.release(unit, one.openid)
    cookie.pop("city", None)
    cookie.pop("located", None)


def report_position(
    unit: Unit, cookie: Cookie, *, latitude: float, longitude: float, precision_m: float | None,
    county: DivisionCode | None,
) -> None:  # fmt: skip
    """The phone told the page, with leave. GCJ-02 degrees; only the coarse result stays."""
    one = _acting(unit, cookie)
    if one.openid is not None:
        fact = LocationReported(
            one.openid, clock.now(), latitude, longitude, precision_m, Surface.PAGE
        )
        presence.follow_to(unit, fact)
    elif county is not None:
        cookie["city"] = county
        cookie["located"] = True


def _acting(unit: Unit, cookie: Cookie) -> Visitor:
    """Who wants to change something; if they are leaving at this moment, as a guest."""
    if (openid := _openid(cookie)) is not None:
        followers.alone(unit, openid)
    return visitor(unit, cookie)


def _guest_whereabouts(unit: Unit, cookie: Cookie) -> Whereabouts:
    city = cookie.get("city")
    if not isinstance(city, str) or divisions.table().get(city) is None:
        return presence.nowhere(unit)
    found = presence.at_city(unit, DivisionCode(city))
    if cookie.get("located"):
        label = divisions.table().label(city)
        return replace(found, source=Source.PAGE, why=f"您的位置在{label}")
    return found


def _openid(cookie: Cookie) -> OpenId | None:
    kept = cookie.get("openid")
    return OpenId(kept) if isinstance(kept, str) else None


def _identified(wiring: Wiring, code: str) -> OpenId | None:
    """Who WeChat says it is; nobody for a snapshot, a spent code, or when WeChat fails."""
    if not code.isascii() or not code.isprintable() or not 0 < len(code) <= _MOST_CODE_SIGNS:
        return None
    try:
        found = gateway_of(wiring).identify(code)
    except TryLater:
        wiring.shelf[_WEARY] = clock.now() + WEARY_FOR
        journal.count("visits", outcome="wechat_failed")
        return None
    except WillNever as refused:
        log.info("a sign-in code was refused", errcode=refused.errcode)
        journal.count("visits", outcome="refused")
        return None
    if found.is_snapshot:
        journal.count("visits", outcome="snapshot")
        return None
    journal.count("visits", outcome="identified")
    return found.openid
