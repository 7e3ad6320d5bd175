"""What an answer in the chat says first where an emergency is in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from config import Settings
from lightservices.emergency import in_force
from lightservices.emergency.content import Hotline
from lightservices.emergency.in_force import Emergency
from lightservices.knowledge import danger
from lightservices.knowledge.lines import link, plain, text
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


def lead(unit: Unit, whereabouts: Whereabouts) -> tuple[str, ...]:
    """The lines an answer begins with at this place; none while nothing is in force there."""
    return tuple(
        line
        for one in in_force.at(unit, whereabouts)
        for line in (plain(f"【{one.title}】{one.content.headline}"), _onward(unit, one))
    )


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
    first = lead(unit, whereabouts)
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

    A danger that cannot wait is for others to answer.
    """
    found = in_force.at(unit, whereabouts)
    said = cleaned(words).replace(" ", "")
    if not found or not said or len(said) > _MOST_SIGNS or danger.found_in(cleaned(words)):
        return None
    meant = [one for one in found if any(word in said for word in one.content.words)]
    if not meant and any(word in said for word in _ASKING):
        meant = list(found)
    return told(unit, meant) if meant else None


def told(unit: Unit, found: Sequence[Emergency]) -> Text:
    """These emergencies in full, as far as a message holds."""
    lines: list[str] = []
    for one in found:
        lines += [plain(f"【{one.title}】{one.content.headline}"), plain(one.content.body)]
        lines += [_onward(unit, one), ""]
        lines += [dialled(unit.settings, hotline) for hotline in one.content.hotlines]
        lines.append("")
    return text(*lines)


def dialled(settings: Settings, hotline: Hotline) -> str:
    """One number to dial, in a line."""
    number = hotline.number or settings.hotline or "【请填写客服热线】"
    return plain(f"{hotline.name} {number}：{hotline.why}")


def _onward(unit: Unit, one: Emergency) -> str:
    return link(unit, one.path, f"点这里，打开“{one.content.title}”")


def _with_card(
    unit: Unit, found: Sequence[Emergency], first: Sequence[str], reply: News, *, is_tap: bool
) -> Reply:
    base = unit.settings.public_base_url
    if is_tap:
        cards = [Article(one.title, one.content.headline, base + one.path) for one in found]
        return News((*cards, *reply.articles)[:_MOST_CARDS])
    card = reply.articles[0]
    words = f'<a href="{card.url}">{plain(card.title)}</a>'
    return text(*first, "", words, plain(card.description))
