"""What happens to a ticket: opened, added to, taken, answered, handed on, closed, erased.

Everything writes one entry of the ticket's history. What the bank's people do is noted in the audit
chain as well, without a word of what anybody wrote.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select, update

from lightservices.tickets import categories, contents, queries, replies, windows
from lightservices.tickets.contents import Content
from lightservices.tickets.models import TicketEventRow, TicketRow
from lightservices.tickets.queries import Ticket
from lightservices.tickets.replies import Reach
from lightservices.tickets.states import Act, NotNow, State, after
from service import audit, clock, followers, journal
from service.db import table_of
from service.happenings import OpenId, Unfollowed
from service.staff import Me
from service.wiring import Unit

#: Who did what the program did by itself.
SYSTEM: Final = "system"
#: How long a closed ticket can be taken up again, and how long it is kept.
REOPEN_WITHIN: Final = timedelta(days=30)
KEPT: Final = timedelta(days=180)
_NUMBER_SIGNS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_AT_A_TIME: Final = 200
_TICKETS, _EVENTS = table_of(TicketRow), table_of(TicketEventRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for: by whom (nobody for a guest), where, and under which form's token."""

    category: str
    service: str
    branch: str
    openid: OpenId | None
    token: str
    content: Content


def open_ticket(unit: Unit, asked: Request) -> tuple[str, bool]:
    """Open a ticket at the branch whose matter it is; its number, and whether it is a new one.

    The same form sent again, even at the same moment, gives the number of the first.
    """
    openid = asked.openid
    if openid is not None:
        followers.alone(unit, openid)
        openid = openid if followers.is_known(unit, openid) else None
    chain = unit.wiring.tables.lineage(unit, asked.branch) or ("HQ",)
    found = categories.desks().categories
    branch = found.get(asked.category, found[categories.QUESTION]).first(chain)
    present = clock.now()
    values = {
        "token": asked.token, "category": asked.category, "service": asked.service,
        "branch_code": branch, "openid": openid, "state": State.OPEN, "holder": "",
        "sealed": contents.seal(unit, asked.content),
        "phone_digest": contents.phone_digest(unit, asked.content.phone),
        "opened_at": present, "due_at": _due(unit, asked.category, branch),
    }  # fmt: skip
    return _inserted(unit, values)


def _inserted(unit: Unit, values: dict[str, Any]) -> tuple[str, bool]:
    """A number nobody has yet is found by trying: two alike on one day are rare beyond worry."""
    for _try in range(8):
        number = f"{clock.shanghai(clock.now()):%y%m%d}-{_random(6)}"
        insert = unit.insert(TicketRow).values(number=number, **values).on_conflict_do_nothing()
        made = unit.db.execute(insert.returning(_TICKETS.c.id)).scalar()
        if made is not None:
            _note(unit, made, Act.OPEN)
            journal.count("tickets_opened", category=values["category"])
            return number, True
        earlier = unit.db.execute(
            select(_TICKETS.c.number).where(_TICKETS.c.token == values["token"])
        ).scalar()
        if earlier is not None:
            return str(earlier), False
    raise RuntimeError("no free ticket number was found")


def say(unit: Unit, ticket: Ticket, *, words: str) -> None:
    """The follower adds something; an answered ticket is open again then.

    Raises:
        NotNow: for a ticket closed too long ago.
    """
    _require_recent(ticket)
    is_back = ticket.state in (State.ANSWERED, State.CLOSED)
    more = {"due_at": _due(unit, ticket.category, ticket.branch)} if is_back else {}
    _move(unit, ticket, Act.SAY, holder=ticket.holder, closed_at=None, **more)
    _note(unit, ticket.id, Act.SAY, words=contents.seal_words(unit, words))


def settle(unit: Unit, ticket: Ticket) -> None:
    """The follower says that it is settled."""
    _move(unit, ticket, Act.SETTLE, holder=ticket.holder, closed_at=clock.now())
    _note(unit, ticket.id, Act.SETTLE)


def take(unit: Unit, ticket: Ticket, *, by: Me) -> None:
    """Work on it from now on; from a colleague, too, who may have gone home with it."""
    _move(unit, ticket, Act.TAKE, holder=by.login)
    _done(unit, ticket, Act.TAKE, by=by)


def release(unit: Unit, ticket: Ticket, *, by: Me) -> None:
    """Put it back for a colleague."""
    _move(unit, ticket, Act.RELEASE, holder="")
    _done(unit, ticket, Act.RELEASE, by=by)


def answer(unit: Unit, ticket: Ticket, *, words: str, by: Me) -> Reach | None:
    """Answer the follower; how far the answer has come, None where there is no chat to send it to.

    Raises:
        NotNow: when a colleague works on it, or it is closed.
    """
    if ticket.holder not in ("", by.login) and ticket.state is State.TAKEN:
        raise NotNow("这张工单正由同事处理", "先点“接手”，再答复")
    present = clock.now()
    first = {} if ticket.answered_at else {"answered_at": present}
    _move(unit, ticket, Act.ANSWER, holder=by.login, **first)
    event = _done(unit, ticket, Act.ANSWER, by=by, words=words)
    if ticket.openid is None:
        return None
    window = windows.look(unit, ticket.openid)
    if window.is_known and not window.is_open:
        replies.hold(unit, ticket.openid, event)
        return Reach.HELD
    # Of somebody never heard WeChat may know more than we do: it is asked once.
    replies.settle(unit, event, Reach.READY)
    windows.ask(unit, ticket.openid)
    return Reach.READY


def close(unit: Unit, ticket: Ticket, *, why: str, by: Me) -> None:
    """Nothing is left to do. Whoever was not answered reads the reason on the ticket's page."""
    _move(unit, ticket, Act.CLOSE, holder=ticket.holder or by.login, closed_at=clock.now())
    _done(unit, ticket, Act.CLOSE, by=by, words=why)


def reopen(unit: Unit, ticket: Ticket, *, by: Me) -> None:
    """It was not the end after all."""
    _require_recent(ticket)
    due = _due(unit, ticket.category, ticket.branch)
    _move(unit, ticket, Act.REOPEN, holder="", closed_at=None, due_at=due)
    _done(unit, ticket, Act.REOPEN, by=by)


def hand(unit: Unit, ticket: Ticket, *, to: str, why: str, by: Me) -> None:
    """Another branch's matter. Its time begins anew there, and the reason goes with it.

    Raises:
        NotNow: for the branch that has it, or one there is not.
    """
    if to == ticket.branch or not unit.wiring.tables.lineage(unit, to):
        raise NotNow("请选另一家机构", "从列表里选要转去的机构")
    _move(unit, ticket, Act.HAND, holder="", branch_code=to, due_at=_due(unit, ticket.category, to))
    _done(unit, ticket, Act.HAND, by=by, words=why, after={"branch": to})


def escalate(unit: Unit, ticket: Ticket, *, why: str, by: Me | None) -> bool:
    """Give it to the branch above, by somebody or, overdue, by itself; False at head office."""
    above = unit.wiring.tables.lineage(unit, ticket.branch)[1:2]
    if not above:
        return False
    _move(
        unit, ticket, Act.ESCALATE, holder="", branch_code=above[0], escalated_at=clock.now(),
        due_at=_due(unit, ticket.category, above[0]),
    )  # fmt: skip
    if by is None:
        _note(unit, ticket.id, Act.ESCALATE, actor=SYSTEM, words=contents.seal_words(unit, why))
        _audit(unit, ticket, Act.ESCALATE, by=None, after={"branch": above[0]}, why=why)
    else:
        _done(unit, ticket, Act.ESCALATE, by=by, words=why, after={"branch": above[0]})
    journal.count("tickets_escalated", category=ticket.category)
    return True


def reveal(unit: Unit, ticket: Ticket, *, by: Me) -> str:
    """The whole telephone number; that somebody looked is written down."""
    audit.note(
        unit, actor=by, act="ticket.phone", subject=f"ticket:{ticket.number}", branch=ticket.branch
    )
    return ticket.content.phone


def escalate_overdue(unit: Unit) -> None:
    """The chore: what is overdue goes to the branch above, once."""
    for ticket in queries.overdue(unit, at=clock.now(), most=_AT_A_TIME):
        if escalate(unit, ticket, why="超过办理时限，自动升级", by=None):
            continue
        # Head office has nobody above: that it was noticed is all there is to do.
        unit.db.execute(
            update(_TICKETS).where(_TICKETS.c.id == ticket.id).values(escalated_at=clock.now())
        )
        _note(unit, ticket.id, Act.ESCALATE, actor=SYSTEM)


def forget(unit: Unit, fact: Unfollowed) -> None:
    """The follower left, and with them all they wrote."""
    _erase(unit, select(_TICKETS.c.id).where(_TICKETS.c.openid == fact.openid))


def forget_old(unit: Unit) -> None:
    """The chore: what was closed half a year ago is erased, some at a time."""
    old = select(_TICKETS.c.id).where(
        _TICKETS.c.state == State.CLOSED, _TICKETS.c.closed_at < clock.now() - KEPT
    )
    _erase(unit, old.limit(_AT_A_TIME))


def _erase(unit: Unit, which: Any) -> None:
    found: Sequence[int] = unit.db.execute(which).scalars().all()
    if found:
        unit.db.execute(delete(_EVENTS).where(_EVENTS.c.ticket_id.in_(found)))
        unit.db.execute(delete(_TICKETS).where(_TICKETS.c.id.in_(found)))


def _require_recent(ticket: Ticket) -> None:
    if ticket.closed_at is not None and clock.now() - ticket.closed_at > REOPEN_WITHIN:
        raise NotNow("这张工单办结已超过 30 天", "请重新提交一张，并写上原来的编号")


def _move(unit: Unit, ticket: Ticket, act: Act, **values: Any) -> None:
    """Change its state, unless somebody else was quicker."""
    state = after(ticket.state, act)
    if state is State.OPEN and values.get("holder"):
        # Whoever worked on it goes on with it.
        state = State.TAKEN
    moved = unit.db.execute(
        update(_TICKETS)
        .where(
            _TICKETS.c.id == ticket.id,
            _TICKETS.c.state == ticket.state,
            _TICKETS.c.holder == ticket.holder,
            _TICKETS.c.branch_code == ticket.branch,
        )
        .values(state=state, **values)
        .returning(_TICKETS.c.id)
    ).first()
    if moved is None:
        raise NotNow("这张工单刚刚有了变化，您的操作没有保存")


def _done(
    unit: Unit, ticket: Ticket, act: Act, *, by: Me, words: str = "", after: Any = None
) -> int:
    """The entry of the history and of the audit for what one of the bank's people did."""
    _audit(unit, ticket, act, by=by, after=after)
    sealed = contents.seal_words(unit, words)
    return _note(unit, ticket.id, act, actor=by.login, words=sealed)


def _audit(
    unit: Unit, ticket: Ticket, act: Act, *, by: Me | None, after: Any = None, why: str = ""
) -> None:
    audit.note(
        unit, actor=by, act=f"ticket.{act}", subject=f"ticket:{ticket.number}",
        branch=ticket.branch, before={"state": ticket.state, "branch": ticket.branch},
        after=after, why=why,
    )  # fmt: skip


def _note(unit: Unit, ticket: int, act: Act, *, actor: str = "", words: str = "") -> int:
    insert = unit.insert(TicketEventRow).values(
        ticket_id=ticket, at=clock.now(), act=act, actor=actor, sealed=words, reach="", why=""
    )
    made: int = unit.db.execute(insert.returning(_EVENTS.c.id)).scalar_one()
    return made


def _due(unit: Unit, category: str, branch: str) -> datetime:
    chain = unit.wiring.tables.lineage(unit, branch)
    return categories.due(category, chain=chain, since=clock.now())


def _random(length: int) -> str:
    return "".join(secrets.choice(_NUMBER_SIGNS) for _ in range(length))
