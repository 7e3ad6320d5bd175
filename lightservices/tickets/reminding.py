"""A word under the answer to a tap: that the bank's people have answered, and where to read it.

A tap could carry the waiting answer itself into the chat, but noting every tap would cost each of
them a transaction; looking whether something waits costs one look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lightservices.tickets import paths, windows
from lightservices.tickets.replies import MOST_BYTES
from service.happenings import Fact
from service.replies import Reply, Text
from service.wiring import Unit

Answer = Callable[[Unit, Any], Reply | None]
_SAYS: Final = "\n\n您提交的工单有了答复："


def reminding(answer: Answer) -> Answer:
    """The same answer, with the word below it for whom an answer waits."""

    def reminded(unit: Unit, fact: Fact) -> Reply | None:
        reply = answer(unit, fact)
        if not isinstance(reply, Text) or not windows.waits(unit, fact.openid):
            return reply
        link = f'<a href="{unit.settings.public_base_url}{paths.MINE}">点这里查看</a>'
        told = reply.content + _SAYS + link
        return Text(told) if len(told.encode()) <= MOST_BYTES else reply

    return reminded
