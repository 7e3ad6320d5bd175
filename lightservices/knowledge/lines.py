"""The lines that replies are made of: links, the number to call, as many as WeChat takes."""

from __future__ import annotations

from typing import Final

from config import Settings
from regions.presence import Whereabouts
from service.replies import Text
from service.wiring import Unit

#: WeChat's limit for a passive reply.
MOST_BYTES: Final = 2048
#: Where there is no number to tell. A bank prints it on its cards; that it is missing here is for
#: its operators to read, not for its followers.
NUMBER_ON_CARD: Final = "见本行银行卡背面"


def text(*lines: str) -> Text:
    """The lines, as many as fit WeChat's limit; a line, and so a link, is never cut in two."""
    kept: list[str] = []
    size = 0
    for line in lines:
        size += len(line.encode()) + 1
        if size > MOST_BYTES:
            break
        kept.append(line)
    return Text("\n".join(kept).strip("\n"))


def link(unit: Unit, path: str, words: str) -> str:
    """A link to one of our pages. What an editor wrote must not open a link of its own."""
    return f'<a href="{unit.settings.public_base_url}{path}">{plain(words)}</a>'


def plain(words: str) -> str:
    """Words that open nothing; full-width signs read the same."""
    return words.replace("<", "＜").replace(">", "＞")


def hotline(settings: Settings) -> str:
    """The number to call, or where every customer finds it while the bank has not named it here."""
    return f"客服热线：{settings.hotline or NUMBER_ON_CARD}"


def serving(place: Whereabouts) -> str:
    """Which branch serves the follower, and why we think so."""
    if place.source is None:
        return f"{place.why}。"
    return f"现在由{place.branch.name}为您服务（{place.why}）。"


def ways_on(unit: Unit, *first: str) -> Text:
    """Whatever was said first, and where to go from there."""
    return text(
        *first,
        link(unit, "/s/directory", "查看全部服务"),
        link(unit, "/s/outlets", "查附近网点"),
        link(unit, "/z/local", "进入本地专区"),
        hotline(unit.settings),
    )
