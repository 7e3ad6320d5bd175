"""What the chat answers: a tap, a word, a place, a greeting, each with a way to the right page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from lightservices import catalogue, cities, courtesies, finding, promotions
from lightservices.catalogue import Kind, Service
from lightservices.outlets import nearest
from lightservices.outlets.nearest import Nearby
from regions import atlas, branches, divisions, presence
from regions.coordinates import Datum, to_gcj02
from regions.divisions import Division
from regions.presence import Whereabouts
from service import clock
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
from service.replies import Article, News, Reply, Text
from service.wiring import Unit

#: WeChat's limits for a passive reply.
MOST_BYTES: Final = 2048
MOST_ARTICLES: Final = 8
#: CLICK keys of light services are this and the service's key.
SERVICE_PREFIX: Final = "svc:"

_NEAREST: Final = 3
_STEPS: Final = 3
_ALSO: Final = 2
#: Services whose answer depends on the place, so that naming another city is a question about it.
_OF_A_PLACE: Final = frozenset(("outlets", "promotions", "my-city", "directory"))
_FOR_INSTANCE: Final = "想办什么，请直接告诉我，例如“卡丢了”“附近网点”，或者："


def clicked(unit: Unit, fact: Clicked) -> Reply | None:
    """The answer behind a menu button, decided at the moment of the tap."""
    key = fact.key.removeprefix(SERVICE_PREFIX)
    service = catalogue.service(key) if fact.key.startswith(SERVICE_PREFIX) else None
    if service is None:
        return _text(
            "这个功能换地方了，您可以在这里找到它：", _link(unit, "/s/directory", "查看全部服务")
        )
    return _answer(unit, presence.where(unit, fact.openid), service, articles=MOST_ARTICLES)


def texted(unit: Unit, fact: TextReceived) -> Reply | None:
    """The service the words mean, or a few ways on."""
    return _understood(unit, fact, fact.content)


def media(unit: Unit, fact: MediaReceived) -> Reply | None:
    """A voice message is read by its transcript; pictures and films nobody here looks at."""
    if fact.said:
        return _understood(unit, fact, fact.said)
    return _ways_on(
        unit, "谢谢您的消息。这里暂时看不了图片、语音和视频，请打几个字告诉我您想办什么。"
    )


def welcomed(unit: Unit, fact: Subscribed) -> Reply | None:
    """The greeting: who we are, which branch serves, and how to tell us where they are."""
    place = presence.where(unit, fact.openid)
    city = _link(unit, "/s/my-city", "选择城市")
    return _text(
        f"您好，欢迎关注{unit.settings.bank_name}！",
        _serving(place),
        f"发送您的位置，或{city}，就能看到当地的网点、优惠和服务。"
        if place.source is None
        else f"不在这里？请发送您的位置，或{city}。",
        "",
        _link(unit, "/z/local", "进入本地专区"),
        _link(unit, "/s/directory", "查看全部服务"),
    )


def scanned(unit: Unit, fact: Scanned) -> Reply | None:
    """Somebody who follows already scanned a branch's code."""
    place = presence.where(unit, fact.openid)
    return _text(
        "欢迎回来！", _serving(place), "", _link(unit, "/z/local", "进入本地专区"),
        _link(unit, "/s/promotions", "看看本地优惠"), _link(unit, "/s/outlets", "查附近网点"),
    )  # fmt: skip


def located(unit: Unit, fact: LocationReported) -> Reply | None:
    """Which branch serves there and the nearest outlets. The LOCATION event allows no answer."""
    if fact.surface is Surface.EVENT:
        return None
    latitude, longitude = to_gcj02(fact.latitude, fact.longitude, Datum.GCJ02)
    place = presence.where(unit, fact.openid)
    is_known = atlas.current(unit.settings).county_at(latitude, longitude) is not None
    near = nearest.nearest(unit, latitude, longitude, count=_NEAREST) if is_known else ()
    return _text(
        *([] if is_known else ["您发送的位置不在我们的服务范围内。"]),
        _serving(place),
        *(["", "离您最近的网点："] if near else []),
        *_outlet_lines(unit, near),
        "",
        _link(unit, "/z/local", "进入本地专区"),
        _link(unit, "/s/my-city", "切换城市"),
    )


def _understood(unit: Unit, fact: Fact, words: str) -> Reply:
    if courtesy := courtesies.returned(words):
        return _ways_on(unit, courtesy + _FOR_INSTANCE)
    place = presence.where(unit, fact.openid)
    found = finding.find(_offered(unit, place), words)
    is_asked = not found or found[0].key in _OF_A_PLACE
    city = cities.named_in(words) if is_asked else None
    if city is not None and city not in divisions.table().path(place.division or ""):
        return _elsewhere(unit, place, city)
    if not found and city is not None:
        return _ways_on(unit, _serving(place) + _FOR_INSTANCE)
    if not found:
        return _ways_on(unit, "抱歉，我还没听懂。您可以换个说法，例如“卡丢了”“附近网点”，或者：")
    return _answer(unit, place, found[0], articles=1, also=found[1 : 1 + _ALSO])


def _elsewhere(unit: Unit, place: Whereabouts, city: Division) -> Text:
    """How to see another city: only the follower moves themselves, a passing word does not."""
    steps = [step.name for step in divisions.table().path(city.code)]
    chosen = f"选{steps[0]}，再选{steps[-1]}" if len(steps) > 1 else f"选{steps[0]}"
    return _text(
        f"您提到了{city.name}。" + (_serving(place) if place.source else ""),
        f"要看{city.name}的网点和优惠，请点“切换城市”，{chosen}。",
        "",
        _link(unit, "/s/my-city", "切换城市"),
        _link(unit, "/s/directory", "查看全部服务"),
    )


def _ways_on(unit: Unit, words: str) -> Text:
    return _text(
        words,
        _link(unit, "/s/directory", "查看全部服务"),
        _link(unit, "/s/outlets", "查附近网点"),
        _link(unit, "/z/local", "进入本地专区"),
        _hotline(unit),
    )


def _answer(
    unit: Unit,
    place: Whereabouts,
    service: Service,
    *,
    articles: int,
    also: Sequence[Service] = (),
) -> Reply:
    if service.key == "promotions" and (found := promotions.current(unit, place, clock.now())):
        return _promoted(unit, place, found, articles)
    lines = [f"【{service.title}】{service.summary}"]
    if service.key == "outlets":
        lines += _around(unit, place)
    if service.key == "promotions":
        lines = [f"{place.branch.name}暂时没有正在进行的优惠，过几天再来看看吧。"]
    if service.key == "my-city":
        lines.append(_serving(place))
    if service.kind is Kind.GUIDE:
        lines += _first_steps(unit, service)
    lines += ["", _link(unit, service.path, f"点这里，打开“{service.title}”")]
    if also:
        lines += ["", "您是不是还想找："]
        lines += [_link(unit, other.path, other.title) for other in also]
    return _text(*lines)


def _promoted(
    unit: Unit, place: Whereabouts, found: Sequence[promotions.Promotion], articles: int
) -> News:
    """One card for a message, where WeChat allows no more; as many as it allows for a tap."""
    base = unit.settings.public_base_url
    if articles == 1:
        titles = "；".join(one.title for one in found[:3])
        return News((Article(f"{place.branch.name}的优惠", titles, f"{base}/s/promotions"),))
    return News(
        tuple(
            Article(one.title, one.text.splitlines()[0], base + one.path)
            for one in found[:articles]
        )
    )


def _first_steps(unit: Unit, service: Service) -> Iterable[str]:
    if service.alert:
        yield service.alert
        yield _hotline(unit)
    for number, step in enumerate(service.steps[:_STEPS], start=1):
        yield f"{number}. {step.title}"
    if len(service.steps) > _STEPS:
        yield "……"
    if not service.alert:
        yield _hotline(unit)


def _around(unit: Unit, place: Whereabouts) -> list[str]:
    """The outlets around the coarse place we know, or how to tell us the place."""
    if place.cell is None:
        return ["在聊天里点“＋”，把“位置”发给我，就能看到离您最近的网点。"]
    near = nearest.nearest(unit, *place.cell, count=_NEAREST)
    return ["按您大致的位置，离您最近的是：", *_outlet_lines(unit, near)]


def _outlet_lines(unit: Unit, found: Iterable[Nearby]) -> list[str]:
    return [
        f"· {_link(unit, near.outlet.path, near.outlet.name)} {nearest.distance(near.metres)}"
        for near in found
    ]


def _offered(unit: Unit, place: Whereabouts) -> list[Service]:
    chain = [branch.code for branch in branches.directory(unit).chain(place.branch.code)]
    return [one for one in catalogue.services().values() if one.availability.reaches(chain)]


def _serving(place: Whereabouts) -> str:
    if place.source is None:
        return f"{place.why}。"
    return f"现在由{place.branch.name}为您服务（{place.why}）。"


def _hotline(unit: Unit) -> str:
    return f"客服热线：{unit.settings.hotline or '【请填写客服热线】'}"


def _link(unit: Unit, path: str, words: str) -> str:
    # What an editor wrote must not open a link of its own; full-width signs read the same.
    safe = words.replace("<", "＜").replace(">", "＞")
    return f'<a href="{unit.settings.public_base_url}{path}">{safe}</a>'


def _text(*lines: str) -> Text:
    """The lines, as many as fit WeChat's limit; a line, and so a link, is never cut in two."""
    kept: list[str] = []
    size = 0
    for line in lines:
        size += len(line.encode()) + 1
        if size > MOST_BYTES:
            break
        kept.append(line)
    return Text("\n".join(kept).strip("\n"))
