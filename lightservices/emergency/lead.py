"""What an answer in the chat says first where an emergency is in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from config import Settings
from lightservices.emergency import in_force
from lightservices.emergency.content import Hotline
from lightservices.emergency.in_force import Emergency
from lightservices.emergency.places import places
from lightservices.knowledge import danger
from lightservices.knowledge.lines import NUMBER_ON_CARD, link, plain, text
from lightservices.knowledge.terms import cleaned
from regions.presence import Whereabouts
from service.replies import Article, News, Reply, Text
from service.wiring import Unit

#: A tap may be answered by eight cards, a message by one.
_MOST_CARDS: Final = 8
#: What else asks for the emergency itself.
_ASKING: Final = ("应急", "紧急服务", "应急服务", "应急专区")
#: Longer texts are about something of their own.
_MOST_SIGNS: Final = 16


def led(
    unit: Unit,
    whereabouts: Whereabouts,
    reply: Reply | None,
    *,
    is_tap: bool = False,
    words: str = "",
) -> Reply | None:
    """The reply as it is given at this place: what is in force comes first.

    Only a danger in the follower's own words goes before it, as somebody's money is leaving just
    now. Whoever is passed on to a person is passed on.
    """
    found = in_force.at(unit, whereabouts)
    if not found or reply is None:
        return reply
    # One line each, however many there are: the answer below is what was asked for.
    first = [link(unit, one.path, _named(one)) for one in found]
    if isinstance(reply, Text):
        said = reply.content.split("\n")
        if words and danger.found_in(cleaned(words)):
            return text(*said, "", *first)
        return text(*first, "", *said)
    if isinstance(reply, News):
        return _with_card(unit, found, first, reply, is_tap=is_tap)
    return reply


def asked_for(unit: Unit, whereabouts: Whereabouts, words: str) -> Text | None:
    """The answer to whoever asks for what is in force around them; None if they do not.

    Whoever may be inside, but of whom too little is known, is asked whether they are. A danger that
    cannot wait is for others to answer.
    """
    if not in_force.everywhere(unit):
        return None
    said = cleaned(words).replace(" ", "")
    if not said or len(said) > _MOST_SIGNS or danger.found_in(cleaned(words)):
        return None
    found = in_force.at(unit, whereabouts)
    perhaps = in_force.perhaps(unit, whereabouts)
    if meant := _meant(said, found):
        return told(unit, meant)
    if meant := _meant(said, perhaps):
        return _asking_back(unit, whereabouts, meant)
    if not any(word in said for word in _ASKING):
        return None
    if found:
        return told(unit, found)
    return _asking_back(unit, whereabouts, perhaps) if perhaps else None


def _meant(said: str, found: Sequence[Emergency]) -> list[Emergency]:
    return [one for one in found if any(word in said for word in one.content.words)]


def _asking_back(unit: Unit, place: Whereabouts, found: Sequence[Emergency]) -> Text:
    """What is open and where, and how whoever is there gets to it."""
    lines: list[str] = []
    for one in found:
        lines += [link(unit, one.path, _named(one)), plain(f"为{places(one)}开通。"), ""]
    unknown = "我们还不知道您在哪里。"
    seen = unknown if place.source is None else f"{place.why}，还看不出您是不是在范围之内。"
    return text(
        *lines,
        plain(f"{seen}您在那里的话，请点上面的链接；也可以点“＋”把“位置”发给我。"),
        "",
        link(unit, f"/e/{in_force.NOW}", "选择我所在的城市"),
    )


def told(unit: Unit, found: Sequence[Emergency]) -> Text:
    """These emergencies in full, as far as a message holds."""
    lines: list[str] = []
    for one in found:
        lines += [plain(_named(one)), plain(one.content.body)]
        lines += [_onward(unit, one), ""]
        lines += [dialled(unit.settings, hotline) for hotline in one.content.hotlines]
        lines.append("")
    return text(*lines)


def dialled(settings: Settings, hotline: Hotline) -> str:
    """One number to dial, in a line."""
    number = hotline.number or settings.hotline or f"（{NUMBER_ON_CARD}）"
    return plain(f"{hotline.name} {number}：{hotline.why}")


def _named(one: Emergency) -> str:
    """What it is and what it says, in a line; a drill says in front that it is none."""
    if one.drill:
        return f"【演练，不是真的】{one.name}：{one.headline}"
    return f"【{one.title}】{one.headline}"


def _onward(unit: Unit, one: Emergency) -> str:
    return link(unit, one.path, f"点这里，打开“{one.name}”")


def _with_card(
    unit: Unit, found: Sequence[Emergency], first: Sequence[str], reply: News, *, is_tap: bool
) -> Reply:
    base = unit.settings.public_base_url
    if is_tap:
        cards = [Article(one.title, one.headline, base + one.path) for one in found]
        return News((*cards, *reply.articles)[:_MOST_CARDS])
    card = reply.articles[0]
    words = f'<a href="{card.url}">{plain(card.title)}</a>'
    return text(*first, "", words, plain(card.description))
