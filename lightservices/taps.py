"""Which menu buttons are tapped where: one more in a tally of the process, nothing of the person.

WeChat tells of every tap. Where it is counted costs a look at where the follower is; who it was is
forgotten with the push.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from lightservices.pages import tally
from regions import presence
from service.happenings import Viewed
from service.replies import Reply
from service.wiring import Unit

#: The column's width.
_MOST: Final = 64


def viewed(unit: Unit, fact: Viewed) -> Reply | None:
    """A button with a link: there is nothing to answer, the follower has left the chat."""
    place = presence.where(unit, fact.openid)
    button = button_of(fact.url, unit.settings.public_base_url)
    tally.tapped(unit, branch=place.branch.code, button=button)
    return None


def button_of(url: str, base_url: str) -> str:
    """What a link's button is called in the figures: our path, without what follows it, or a host.

    A path is cut off before anything that could be about a person.
    """
    parts = urlsplit(url)
    if url.startswith(f"{base_url}/"):
        return parts.path[:_MOST]
    return (parts.hostname or "（小程序或其他）")[:_MOST]
