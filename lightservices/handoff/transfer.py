"""Handing a follower who wants a person to the bank's agents in the chat, or saying how else."""

from __future__ import annotations

import re
from typing import Final

from lightservices.knowledge.lines import hotline
from lightservices.tickets import categories, paths
from service import clock
from service.happenings import Fact, MediaReceived, TextReceived
from service.replies import HandOver, Reply, Text
from service.wiring import Unit

MANAGER: Final = "/s/my-manager"
_ASKS: Final = re.compile(r"人工|真人|转接|客服人员|找(个)?人(工|问|说|聊)|不要机器人|人来(回|答)")
#: Somebody who asks whether something is done by hand does not ask for a person.
_NOT: Final = re.compile(r"人工(费|审核|智能)")


def is_wanted(words: str) -> bool:
    """Whether the follower asks for a person."""
    return len(words) <= 40 and bool(_ASKS.search(words)) and not _NOT.search(words)


def to_a_person(unit: Unit, fact: Fact) -> Reply:
    """Pass the message on while somebody is there; else every other way to a person.

    WeChat allows it for messages only, never for events.
    """
    is_message = isinstance(fact, TextReceived | MediaReceived)
    is_on = unit.settings.kf_transfer == "on"
    if is_message and is_on and categories.is_manned(chain=("HQ",), at=clock.now()):
        return HandOver()
    base, hours = unit.settings.public_base_url, categories.desks().hours
    first = f"人工客服的时间是{hours}，现在不在线。" if is_on else "好的，请这样找到工作人员："
    return Text(
        "\n".join(
            (
                first,
                f'<a href="{base}{paths.NEW}">写下问题，请工作人员答复</a>',
                f'<a href="{base}{MANAGER}">找附近的客户经理</a>',
                f'<a href="{base}/s/outlets">查附近网点</a>',
                f"{hotline(unit.settings)}（急事请直接拨打）",
            )
        )
    )
