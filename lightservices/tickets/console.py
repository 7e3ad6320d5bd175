"""The branches' ticket desk: what is owed, one ticket with its history, figures.

A ticket of a branch outside one's jurisdiction looks like one that does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, flash, request
from flask.typing import ResponseReturnValue

from lightservices import catalogue
from lightservices.tickets import categories, fields, numbers, operations, queries, windows
from lightservices.tickets.queries import Asked, Ticket
from lightservices.tickets.replies import Reach
from lightservices.tickets.states import TITLES, Act, NotNow, State, allowed
from service import clock
from service.access import access
from service.console import guard, shell
from service.staff import Me, door, rights
from service.wiring import Unit, Waiting, wiring

desk = Blueprint(
    "console_tickets", __name__, url_prefix=f"{guard.ROOT}/tickets",
    template_folder="../templates",
)  # fmt: skip

#: Whoever answers followers: the right to look alone does not open what somebody wrote.
ACT: Final = "edit"
MOST_WORDS: Final = 600
MOST_WHY: Final = 200
VIEWS: Final = {
    "owed": "待办",
    "mine": "我处理的",
    "overdue": "超时",
    "answered": "已答复",
    "closed": "已办结",
    "all": "全部",
}
ACTS: Final = {
    Act.OPEN: "提交",
    Act.TAKE: "受理",
    Act.RELEASE: "退回待受理",
    Act.ANSWER: "答复",
    Act.SAY: "对方补充",
    Act.CLOSE: "办结",
    Act.SETTLE: "对方确认已解决",
    Act.REOPEN: "重新打开",
    Act.HAND: "转办",
    Act.ESCALATE: "升级到上级机构",
}
_REACHED: Final = {
    Reach.READY: "答复已保存，正在发送到对方微信。",
    Reach.HELD: "答复已保存。客服消息窗口已关闭：对方下次发消息时送达，工单页上现在就能看到。",
    None: "答复已保存。对方没有从微信提交，凭编号和查询码在工单页上看。",
}


def inbox(unit: Unit, me: Me) -> Waiting | None:
    """What the desk owes, for the console's home page."""
    if not rights.held(me.grants, ACT):
        return None
    count = queries.count_owed(unit, _reach(unit, me))
    return Waiting("待办工单", count, f"{guard.ROOT}/tickets") if count else None


@desk.get("")
@access("staff", may="edit")
def listing() -> Response:
    """The list, by what is due first."""
    me, given = guard.me(), request.args
    view = given.get("view", "owed")
    page = given.get("page", "1")
    telephone = given.get("phone", "").strip()[:30]
    with wiring().reading() as unit:
        within = _reach(unit, me)
        names = unit.wiring.tables.branch_names(unit)
        branch = given.get("branch", "")
        asked = Asked(
            branches=_chosen(unit, me, branch, within), view=view if view in VIEWS else "owed",
            category=given.get("category", "")[:24], holder=me.login,
            phone=numbers.telephone(telephone) or telephone,
            page=max(1, int(page)) if page.isdecimal() and len(page) < 5 else 1,
        )  # fmt: skip
        found = queries.listing(unit, asked)
    own = {code: name for code, name in names.items() if within is None or code in within}
    return shell.page(
        "console/tickets.html", title="工单", tickets=found[: queries.PAGE], asked=asked,
        is_more=len(found) > queries.PAGE, names=names, own=own, chosen=branch, views=VIEWS,
        view=asked.view, titles=TITLES, categories=categories.names(), telephone=telephone,
        link=_link,
    )  # fmt: skip


@desk.get("/figures")
@access("staff", may="read")
def figures() -> Response:
    """How the desks stand, branch by branch."""
    with wiring().reading() as unit:
        me = guard.me()
        found = queries.figures(unit, _reach(unit, me, act="read"))
        names = unit.wiring.tables.branch_names(unit)
    return shell.page(
        "console/ticket_figures.html", title="工单统计", figures=found, names=names,
        days=queries.FIGURE_DAYS, source=categories.desks().source,
    )  # fmt: skip


@desk.get("/<number>")
@access("staff", may="edit")
def ticket(number: str) -> Response:
    """One ticket with its history, and what may be done with it now."""
    with wiring().reading() as unit:
        return _ticket_page(unit, _within_reach(unit, number))


@desk.post("/<number>/phone")
@access("staff", may="edit")
def phone(number: str) -> Response:
    """The whole telephone number, this once; that somebody looked is in the audit."""
    with wiring().unit() as unit:
        found = _within_reach(unit, number)
        whole = operations.reveal(unit, found, by=guard.me())
    with wiring().reading() as unit:
        return _ticket_page(unit, found, phone=whole)


@desk.post("/<number>/take")
@access("staff", may="edit")
def take(number: str) -> ResponseReturnValue:
    return _act(number, operations.take, "已受理，请在时限内答复。")


@desk.post("/<number>/release")
@access("staff", may="edit")
def release(number: str) -> ResponseReturnValue:
    return _act(number, operations.release, "已退回待受理。")


@desk.post("/<number>/reopen")
@access("staff", may="edit")
def reopen(number: str) -> ResponseReturnValue:
    return _act(number, operations.reopen, "已重新打开。")


@desk.post("/<number>/answer")
@access("staff", may="edit")
def answer(number: str) -> ResponseReturnValue:
    """Answer the follower: into their chat if the window is open, on the ticket's page always."""
    words, fault = _words("words", MOST_WORDS)
    if fault:
        return _refused(number, fault, words=words)
    said: list[str] = []

    def _answer(unit: Unit, found: Ticket, *, by: Me) -> None:
        reach = operations.answer(unit, found, words=words, by=by)
        said.append(_REACHED[reach])

    return _act(number, _answer, said, words=words)


@desk.post("/<number>/close")
@access("staff", may="edit")
def close(number: str) -> ResponseReturnValue:
    """Close it; the follower reads the words on the ticket's page."""
    words, fault = _words("why", MOST_WHY)
    if fault:
        return _refused(number, f"办结说明：{fault}")

    def _close(unit: Unit, found: Ticket, *, by: Me) -> None:
        operations.close(unit, found, why=words, by=by)

    return _act(number, _close, "已办结，对方在工单页上能看到办结说明。")


@desk.post("/<number>/hand")
@access("staff", may="edit")
def hand(number: str) -> ResponseReturnValue:
    """To another branch; afterwards it may be out of one's own reach, and then it is gone."""
    words, fault = _words("why", MOST_WHY)
    to = request.form.get("to", "")
    if fault:
        return _refused(number, f"转办原因：{fault}")

    def _hand(unit: Unit, found: Ticket, *, by: Me) -> None:
        operations.hand(unit, found, to=to, why=words, by=by)

    return _act(number, _hand, "已转办。", leaves=True)


@desk.post("/<number>/escalate")
@access("staff", may="edit")
def escalate(number: str) -> ResponseReturnValue:
    """To the branch above."""
    words, fault = _words("why", MOST_WHY)
    if fault:
        return _refused(number, f"升级原因：{fault}")

    def _escalate(unit: Unit, found: Ticket, *, by: Me) -> None:
        if not operations.escalate(unit, found, why=words, by=by):
            raise NotNow("总行之上没有机构了", "请直接处理，或转给负责的分行")

    return _act(number, _escalate, "已升级到上级机构。", leaves=True)


def _act(
    number: str,
    act: Callable[..., None],
    said: str | list[str],
    *,
    words: str = "",
    leaves: bool = False,
) -> ResponseReturnValue:
    """Do it in one transaction; what cannot be done is said on the page, nothing typed is lost."""
    try:
        with wiring().unit() as unit:
            act(unit, _within_reach(unit, number), by=guard.me())
    except NotNow as refused:
        return _refused(number, f"{refused.says}。{refused.way_out}。", words=words)
    flash(said if isinstance(said, str) else said[0], "success")
    return guard.go(f"{guard.ROOT}/tickets" if leaves else f"{guard.ROOT}/tickets/{number}")


def _refused(number: str, problem: str, *, words: str = "") -> Response:
    with wiring().reading() as unit:
        found = _within_reach(unit, number)
        return _ticket_page(unit, found, problem=problem, words=words, status=422)


def _ticket_page(
    unit: Unit, found: Ticket, *, phone: str = "", problem: str = "", words: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    names = unit.wiring.tables.branch_names(unit)
    service = catalogue.find(unit, found.service) if found.service else None
    above = unit.wiring.tables.lineage(unit, found.branch)[1:2]
    return shell.page(
        "console/ticket.html", title=f"{found.category} {found.number}", ticket=found,
        events=queries.history(unit, found), acts=ACTS, titles=TITLES, names=names, phone=phone,
        may={act.value for act in allowed(found.state)}, problem=problem, words=words,
        window=windows.look(unit, found.openid) if found.openid else None,
        source=service.title if service else "聊天里的提问", replies=categories.desks().replies,
        ready=_ready(), above=names.get(above[0], "") if above else "", most=MOST_WORDS,
        most_why=MOST_WHY, is_mine=found.holder == guard.me().login, status=status,
        is_held_by_another=found.state is State.TAKEN and found.holder != guard.me().login,
    )  # fmt: skip


def _ready() -> str:
    """The ready words the desk asked for, to begin the answer with."""
    wanted = request.args.get("reply", "")
    known = categories.desks().replies
    return (
        known[int(wanted)].text
        if wanted.isdecimal() and len(wanted) < 4 and int(wanted) < len(known)
        else ""
    )


def _words(name: str, most: int) -> tuple[str, str]:
    """What was typed and what is wrong with it."""
    words = fields.clean(request.form.get(name, "")[: 2 * most])
    return words, fields.fault_of_words(words, limit=most)


def _within_reach(unit: Unit, number: str) -> Ticket:
    found = queries.find(unit, number)
    if found is None:
        abort(404)
    door(unit, guard.me(), found.branch, ACT)
    return found


def _reach(unit: Unit, me: Me, *, act: str = ACT) -> frozenset[str] | None:
    """The branches whose tickets this person may see; None for all of them."""
    granted = rights.reach(me.grants, act)
    if "HQ" in granted:
        return None
    tables = unit.wiring.tables
    return frozenset(
        code
        for code in tables.branch_names(unit)
        if not granted.isdisjoint(tables.lineage(unit, code))
    )


def _chosen(
    unit: Unit, me: Me, branch: str, within: frozenset[str] | None
) -> frozenset[str] | None:
    """The one branch that was chosen, if any; one out of reach is one there is not."""
    if not branch:
        return within
    door(unit, me, branch, ACT)
    return frozenset({branch})


def _link(**changed: Any) -> str:
    """This list with something else chosen."""
    kept = {name: value for name, value in request.args.items() if name != "page"}
    query = {name: value for name, value in (kept | changed).items() if value}
    return f"{guard.ROOT}/tickets?{urlencode(query)}" if query else f"{guard.ROOT}/tickets"


@desk.app_template_filter("left")
def left(due: Any) -> str:
    """How long until something is due, or since it was, as people say it."""
    minutes = int((due - clock.now()).total_seconds() // 60)
    words = "还有" if minutes >= 0 else "超时"
    size = abs(minutes)
    if size < 60:
        return f"{words} {size} 分钟"
    return f"{words} {size // 60} 小时" if size < 48 * 60 else f"{words} {size // 1440} 天"


@desk.app_template_filter("duration")
def duration(span: Any) -> str:
    """A length of time as people say it; a dash for none."""
    if span is None:
        return "—"
    minutes = int(span.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} 分钟"
    return f"{minutes / 60:.1f} 小时" if minutes < 48 * 60 else f"{minutes / 1440:.1f} 天"
