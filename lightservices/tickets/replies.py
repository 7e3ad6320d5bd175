"""An answer's way into the chat: what is ready, what waits, what nobody can be sure of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import select, update

from lightservices.tickets import contents, paths, windows
from lightservices.tickets.models import TicketEventRow, TicketRow
from service.db import table_of
from service.happenings import OpenId
from service.wechat.errors import NotAFollower, WillNever
from service.wiring import Unit

_EVENTS, _TICKETS = table_of(TicketEventRow), table_of(TicketRow)

#: WeChat's limit for a text message.
MOST_BYTES: Final = 2048


class Reach(StrEnum):
    """How far an answer has come."""

    READY = "ready"  #: the worker sends it next
    SENDING = "sending"  #: asked of WeChat, no answer yet
    SENT = "sent"
    HELD = "held"  #: waits for the follower's next message
    UNSURE = "unsure"  #: may have arrived; it is not sent again, since it might come twice
    REFUSED = "refused"  #: will not reach the chat; the page shows it


#: What the desk reads beside an answer.
TITLES: Final[Mapping[Reach, str]] = {
    Reach.READY: "正在发送到微信",
    Reach.SENDING: "正在发送到微信",
    Reach.SENT: "已送达微信",
    Reach.HELD: "等对方下次发消息时送达",
    Reach.UNSURE: "可能已送达，微信没有回应，不再重发",
    Reach.REFUSED: "没能送到微信",
}

#: Refusals after which the follower's next message opens the way again.
_OUT_OF_WINDOW: Final = 45015
_SPENT: Final = 45047


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One answer, worded for the chat."""

    event: int
    text: str


def begin(unit: Unit, openid: OpenId) -> Outgoing | None:
    """Take the follower's next answer that is ready, and remember that it is being sent."""
    row = unit.db.execute(
        select(_EVENTS.c.id, _EVENTS.c.sealed, _TICKETS.c.number, _TICKETS.c.category)
        .join(_TICKETS, _TICKETS.c.id == _EVENTS.c.ticket_id)
        .where(_TICKETS.c.openid == openid, _EVENTS.c.reach.in_((Reach.READY, Reach.HELD)))
        .order_by(_EVENTS.c.id)
        .limit(1)
    ).first()
    if row is None:
        return None
    settle(unit, row.id, Reach.SENDING)
    words = contents.opened_words(unit, row.sealed)
    link = unit.settings.public_base_url + paths.ticket(row.number)
    return Outgoing(row.id, worded(words, number=row.number, category=row.category, link=link))


def doubt(unit: Unit, openid: OpenId) -> None:
    """A worker died over these: they may have arrived, and are not sent a second time."""
    tickets = select(_TICKETS.c.id).where(_TICKETS.c.openid == openid)
    unit.db.execute(
        update(_EVENTS)
        .where(_EVENTS.c.ticket_id.in_(tickets), _EVENTS.c.reach == Reach.SENDING)
        .values(reach=Reach.UNSURE)
    )


def settle(unit: Unit, event: int, reach: Reach, *, why: str = "") -> None:
    """Write down how far this answer has come."""
    unit.db.execute(update(_EVENTS).where(_EVENTS.c.id == event).values(reach=reach, why=why[:80]))


def refused(unit: Unit, openid: OpenId, event: int, never: WillNever) -> Reach:
    """WeChat will not take it: it waits for the follower's next sign, or stays on the page."""
    may_wait = never.errcode in (_OUT_OF_WINDOW, _SPENT)
    reach = Reach.HELD if may_wait else Reach.REFUSED
    why = "对方已取消关注" if isinstance(never, NotAFollower) else never.why
    settle(unit, event, reach, why=why)
    if may_wait:
        windows.wait(unit, openid, is_shut=never.errcode == _OUT_OF_WINDOW)
    return reach


def hold(unit: Unit, openid: OpenId, event: int) -> None:
    """The window is known to be closed: do not even ask WeChat."""
    settle(unit, event, Reach.HELD, why="客服消息窗口已关闭")
    windows.wait(unit, openid, is_shut=False)


def worded(words: str, *, number: str, category: str, link: str) -> str:
    """The message: whose answer it is, the answer as far as it fits, where the rest is."""
    # What was written must not open a link of its own; full-width signs read the same.
    safe = words.replace("<", "＜").replace(">", "＞")
    head = f"您的{category}（编号 {number}）有了答复：\n"
    foot = f'\n\n<a href="{link}">查看工单，或接着补充</a>'
    room = MOST_BYTES - len((head + foot).encode())
    if len(safe.encode()) > room:
        cut = safe.encode()[: room - len("……".encode())].decode("utf-8", "ignore")
        safe = f"{cut}……"
    return head + safe + foot
