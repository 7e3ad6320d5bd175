"""Where a follower says what they care for, sees why they see something, and switches it off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Blueprint, Response, redirect, request, session
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from lightservices import visit
from lightservices.catalogue import Service
from lightservices.foryou import operations, ranking, showing
from lightservices.foryou.operations import Word
from lightservices.foryou.tags import tags
from lightservices.pages import outage
from lightservices.pages.private import private_page, require_own_form
from lightservices.visit import Visitor
from service import clock, journal
from service.access import access
from service.happenings import OpenId
from service.wiring import Unit, Wiring, wiring

foryou = Blueprint("foryou", __name__)
outage.cover(foryou)
log = journal.logger("lightservices.foryou")

PATH: Final = "/s/for-you"
SHOWN: Final = 8
_WHY: Final = "only a follower WeChat named has recommendations; guests are told so"


Act = Callable[[Unit, OpenId], None]


def for_you(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """What is recommended and why, what may be chosen, and the switch."""
    found = operations.known(unit, visitor.openid)
    return private_page(
        "for_you", visitor, title=service.title, service=service, known=found,
        picks=showing.picks(unit, visitor, found, most=SHOWN),
        choices=[tag for tag in tags().values() if tag.choice],
        chosen={one.tag.key for one in found.given if one.source is ranking.Source.CHOSEN},
        others=[one for one in found.given if one.source is not ranking.Source.CHOSEN],
        counted=sorted(found.tastes or ()), is_guest=visitor.openid is None,
        is_on=found.word is Word.ON, is_off=found.word is Word.OFF,
    )  # fmt: skip


def opened(response: Response, wiring: Wiring, *, visitor: Visitor, service: Service) -> Response:
    """Count an opening once this answer is with the reader, for followers who said yes to it."""
    openid = visitor.openid
    if openid is not None and service.key not in showing.TOOLS and response.status_code == 200:
        response.call_on_close(lambda: _count(wiring, openid, service.scenario))
    return response


def _count(wiring: Wiring, openid: OpenId, scenario: str) -> None:
    today = clock.shanghai(clock.now()).date()
    try:
        with wiring.reading() as unit:
            if operations.is_counted(unit, openid, scenario, today=today):
                return
        with wiring.unit() as unit:
            operations.count(unit, openid, scenario, today=today)
    except SQLAlchemyError:
        # The page has been read; a count that is lost is lost.
        log.warning("an opening could not be counted")


@foryou.post("/for-you/choose")
@access("follower", why=_WHY)
def choose() -> AnyResponse:
    """The follower says what they care for."""
    chosen = request.form.getlist("tag")[:40]
    return _by_follower("chosen", lambda unit, openid: operations.choose(unit, openid, chosen))


@foryou.post("/for-you/on")
@access("follower", why=_WHY)
def on() -> AnyResponse:
    """The follower says yes."""
    return _by_follower("on", operations.switch_on)


@foryou.post("/for-you/off")
@access("follower", why=_WHY)
def off() -> AnyResponse:
    """The follower says no; everything is erased at once."""
    return _by_follower("off", operations.switch_off)


def _by_follower(said: str, act: Act) -> AnyResponse:
    with wiring().reading() as unit:
        openid = visit.visitor(unit, session).openid
    if openid is None:
        return redirect(PATH, 303)
    require_own_form(openid)
    with wiring().unit() as unit:
        act(unit, openid)
    journal.count("recommendations", said=said)
    return redirect(f"{PATH}?said={said}", 303)
