"""What the chat answers: a tap, a word, a place, a greeting, each with a way to the right page."""

from __future__ import annotations

from typing import Final

from lightservices import catalogue
from lightservices.emergency import in_force, lead
from lightservices.knowledge import dialogue, persona
from lightservices.knowledge.lines import link, serving, text
from lightservices.knowledge.telling import NEAREST, outlet_lines, tell
from lightservices.outlets import nearest
from lightservices.pages import tally
from regions import atlas, branches, presence
from regions.coordinates import Datum, to_gcj02
from service.happenings import (
    Clicked,
    Fact,
    LocationReported,
    MediaReceived,
    Scanned,
    Subscribed,
    Surface,
    TextReceived,
)
from service.replies import Reply
from service.wiring import Unit

#: How many cards WeChat takes in answer to an event.
MOST_ARTICLES: Final = 8
#: CLICK keys of light services are this and the service's key.
SERVICE_PREFIX: Final = "svc:"


def clicked(unit: Unit, fact: Clicked) -> Reply | None:
    """The answer behind a menu button, decided at the moment of the tap."""
    key = fact.key.removeprefix(SERVICE_PREFIX)
    service = catalogue.find(unit, key) if fact.key.startswith(SERVICE_PREFIX) else None
    if service is None:
        return text(
            "这个功能换地方了，您可以在这里找到它：", link(unit, "/s/directory", "查看全部服务")
        )
    place = presence.where(unit, fact.openid)
    tally.tapped(unit, branch=place.branch.code, button=fact.key)
    chain = [branch.code for branch in branches.directory(unit).chain(place.branch.code)]
    if service.key in in_force.hidden(unit, place):
        return lead.led(unit, place, text(f"“{service.title}”在应急期间暂停，结束后会自动恢复。"))
    answer = tell(unit, place, service.read_by(chain), articles=MOST_ARTICLES)
    return lead.led(unit, place, answer, is_tap=True)


def texted(unit: Unit, fact: TextReceived) -> Reply | None:
    """The service the words mean, or a few ways on."""
    return _answered(unit, fact, fact.content)


def media(unit: Unit, fact: MediaReceived) -> Reply | None:
    """A voice message is read by its transcript; pictures and films nobody here looks at."""
    if fact.said.strip():
        return _answered(unit, fact, fact.said)
    return dialogue.unseen(unit, is_voice=fact.kind == "voice")


def welcomed(unit: Unit, fact: Subscribed) -> Reply | None:
    """The greeting: who we are, which branch serves, and how to tell us where they are."""
    place = presence.where(unit, fact.openid)
    city = link(unit, "/s/my-city", "选择城市")
    reply = text(
        f"您好，欢迎关注{unit.settings.bank_name}！{persona.introduction(unit.settings)}",
        serving(place),
        f"发送您的位置，或{city}，就能看到当地的网点、优惠和服务。"
        if place.source is None
        else f"不在这里？请发送您的位置，或{city}。",
        "",
        link(unit, "/z/local", "进入本地专区"),
        link(unit, "/s/directory", "查看全部服务"),
    )
    return lead.led(unit, place, reply)


def scanned(unit: Unit, fact: Scanned) -> Reply | None:
    """Somebody who follows already scanned a branch's code."""
    place = presence.where(unit, fact.openid)
    reply = text(
        "欢迎回来！", serving(place), "", link(unit, "/z/local", "进入本地专区"),
        link(unit, "/s/promotions", "看看本地优惠"), link(unit, "/s/outlets", "查附近网点"),
    )  # fmt: skip
    return lead.led(unit, place, reply)


def located(unit: Unit, fact: LocationReported) -> Reply | None:
    """Which branch serves there and the nearest outlets. The LOCATION event allows no answer."""
    if fact.surface is Surface.EVENT:
        return None
    latitude, longitude = to_gcj02(fact.latitude, fact.longitude, Datum.GCJ02)
    place = presence.where(unit, fact.openid)
    is_known = atlas.current(unit.settings).county_at(latitude, longitude) is not None
    near = nearest.nearest(unit, latitude, longitude, count=NEAREST) if is_known else ()
    reply = text(
        *([] if is_known else ["您发送的位置不在我们的服务范围内。"]),
        serving(place),
        *(["", "离您最近的网点："] if near else []),
        *outlet_lines(unit, near),
        "",
        link(unit, "/z/local", "进入本地专区"),
        link(unit, "/s/my-city", "切换城市"),
    )
    return lead.led(unit, place, reply)


def _answered(unit: Unit, fact: Fact, words: str) -> Reply | None:
    """The answer to words: what is in force around them if they ask for it, else the service."""
    place = presence.where(unit, fact.openid)
    if asked := lead.asked_for(unit, place, words):
        return asked
    return lead.led(unit, place, dialogue.answer(unit, fact, words, place=place), words=words)
