"""Followers' pages of tickets: forms, one's own tickets, one ticket, and finding it as a guest."""

from __future__ import annotations

import hmac
from typing import Any, Final

from flask import Blueprint, Response, abort, redirect, request, session
from werkzeug.wrappers import Response as AnyResponse

from lightservices import catalogue, visit
from lightservices.binding import limits
from lightservices.catalogue import FieldType, Form, FormField, Kind, Service
from lightservices.pages import guides, outage, queries
from lightservices.pages.private import private_page
from lightservices.tickets import categories, contents, fields, operations, paths, tokens
from lightservices.tickets import queries as tickets_read
from lightservices.tickets.contents import Content
from lightservices.tickets.fields import Filled
from lightservices.tickets.queries import Ticket
from lightservices.tickets.states import TITLES, Act, NotNow, State
from lightservices.visit import Visitor
from service import clock, journal
from service.access import access
from service.console.guard import address, require_own_origin
from service.happenings import OpenId
from service.wiring import Unit, wiring

tickets = Blueprint("tickets", __name__)
outage.cover(tickets)

#: Tickets one follower or browser, and one address, may open within an hour; telephones of one
#: network share addresses by the thousand, so the second is only against programs.
MOST_AN_HOUR: Final = 6
MOST_AN_ADDRESS: Final = 60
MOST_LOOKS: Final = 20
#: As many tickets as a guest's cookie remembers.
_MOST_REMEMBERED: Final = 5
MOST_WORDS: Final = 500
_WHY: Final = "guests may ask and complain as followers do; a ticket is shown to whose it is"
_REMEMBERED: Final = "tickets"

_STALE: Final = "这一页打开太久了，您填的内容都还在，请核对后再提交一次。"
_NO_COOKIE: Final = "浏览器没有保存本页的信息，请允许使用 Cookie 后再提交，或拨打客服热线。"
_TOO_OFTEN: Final = "您提交得太频繁了，请一小时以后再试；着急请拨打客服热线。"
_TOO_MANY_LOOKS: Final = "试得太多了，请一小时以后再试，或拨打客服热线报编号查询。"
_NOT_FOUND: Final = "没有找到。请核对编号和查询码，字母不分大小写。"

#: What the follower reads of the history.
SAYS: Final = {
    Act.OPEN: "已提交",
    Act.TAKE: "工作人员已受理",
    Act.RELEASE: "重新安排人员处理",
    Act.ANSWER: "工作人员答复",
    Act.SAY: "您的补充",
    Act.CLOSE: "已办结",
    Act.SETTLE: "您确认已解决",
    Act.REOPEN: "重新处理",
    Act.HAND: "已转给负责的机构",
    Act.ESCALATE: "已转上级机构督办",
}
#: What was said to the follower, or by them; other words are the desk's own.
_OPEN_WORDS: Final = (Act.ANSWER, Act.SAY, Act.CLOSE)

#: The form behind a question from the chat.
QUESTION: Final = Form(
    categories.QUESTION,
    (
        FormField("what", "您想问什么", FieldType.PARAGRAPH, True, MOST_WORDS,
                  hint="写清想办什么、遇到什么。请勿填写卡号、密码和身份证号码"),
        FormField("phone", "联系电话", FieldType.PHONE, hint="愿意接电话再填，可不填"),
    ),
    "问题已经转给服务您的分行，工作人员会在这里答复。来电和消息都不会向您要密码和验证码。",
)  # fmt: skip


@tickets.before_request
def _identify() -> AnyResponse | None:
    """Let WeChat say who opens the page, once per visit."""
    if request.method == "POST":
        require_own_origin()
    if visit.should_identify(wiring(), request, session):
        return redirect(visit.start(wiring().settings, session, request.path))
    return None


# Forms


def form(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """A service's form, empty."""
    return _form_page(unit, visitor, service, Filled({}, {}))


@tickets.post("/s/<key>")
@access("follower", why=_WHY)
def submit(key: str) -> AnyResponse:
    """A service's form, filled in."""
    with wiring().reading() as unit:
        service = catalogue.find(unit, key)
        visitor = visit.visitor(unit, session)
        chain = queries.branch_chain(unit, visitor)
        if service is None or service.kind is not Kind.FORM or service.form is None:
            abort(405 if service else 404)
        if not service.availability.reaches(chain):
            abort(404)
        service = service.read_by(chain)
    assert service.form is not None
    return _taken_in(visitor, service, service.form)


@tickets.get(paths.NEW)
@access("follower", why=_WHY)
def ask() -> AnyResponse:
    """A question to the bank's people."""
    with wiring().reading() as unit:
        visitor = visit.visitor(unit, session)
        return _form_page(unit, visitor, None, Filled({}, {}))


@tickets.post(paths.NEW)
@access("follower", why=_WHY)
def asked() -> AnyResponse:
    with wiring().reading() as unit:
        visitor = visit.visitor(unit, session)
    return _taken_in(visitor, None, QUESTION)


def _taken_in(visitor: Visitor, service: Service | None, form: Form) -> AnyResponse:
    """Check what was typed; a sound form becomes a ticket, once."""
    today = clock.shanghai(clock.now()).date()
    filled = fields.read(form, request.form, today=today)
    who, name = tokens.whose(session, visitor.openid), service.key if service else paths.NEW
    token = tokens.accepted(
        wiring().settings, request.form.get(tokens.FIELD, ""), form=name, who=who
    )
    if token is None:
        fault = _STALE if request.cookies else _NO_COOKIE
        return _again(visitor, service, filled, fault=fault, status=422)
    if not filled.is_sound:
        return _again(visitor, service, filled, status=422)
    wanted = operations.Request(
        category=form.category, service=service.key if service else "",
        branch=visitor.whereabouts.branch.code, openid=visitor.openid, token=token,
        content=Content(filled.answers, filled.phone),
    )  # fmt: skip
    try:
        with wiring().unit() as unit:
            number, is_new = operations.open_ticket(unit, wanted)
            if is_new:
                limits.count(unit, "ticket", who, most=MOST_AN_HOUR)
                limits.count(unit, "ticket address", address(), most=MOST_AN_ADDRESS)
    except limits.TooOften:
        return _again(visitor, service, filled, fault=_TOO_OFTEN, status=429)
    if visitor.openid is None:
        _remember(number)
    return redirect(f"{paths.ticket(number)}?said=done", 303)


def _again(
    visitor: Visitor, service: Service | None, filled: Filled, *, fault: str = "", status: int
) -> Response:
    """The form once more, with what was typed and what to mend."""
    journal.count("forms_refused", form=service.key if service and not service.owner else "other")
    with wiring().reading() as unit:
        return _form_page(unit, visitor, service, filled, fault=fault, status=status)


def _form_page(
    unit: Unit, visitor: Visitor, service: Service | None, filled: Filled, *, fault: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    name = service.key if service else paths.NEW
    form = service.form if service and service.form else QUESTION
    who = tokens.whose(session, visitor.openid)
    offered = queries.offered_by_key(unit, visitor)
    ways = service.channels if service else ()
    more: dict[str, Any] = {"service": service} if service else {}
    return private_page(
        "form", visitor, status=status, title=service.title if service else "问工作人员",
        form=form, action=service.path if service else paths.NEW, filled=filled, fault=fault,
        fields=[(one, fields.PREFIX + one.name, fields.most(one)) for one in form.fields],
        token_field=tokens.FIELD, token=tokens.made(unit.settings, form=name, who=who),
        summary=service.summary if service else "机器人答不上来的，请工作人员看",
        guidance=service,
        ways=[(way, guides.button_of(way, unit.settings, offered)) for way in ways],
        related=[offered[key] for key in service.related if key in offered] if service else [],
        is_guest=visitor.openid is None, mine=paths.MINE, look=paths.LOOK, **more,
    )  # fmt: skip


# Tickets


def mine(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """The follower's own tickets; a guest's, as far as this browser remembers them."""
    if visitor.openid is not None:
        found = tickets_read.of_follower(unit, visitor.openid)
    else:
        found = tickets_read.numbered(unit, _remembered())
    return private_page(
        "tickets", visitor, title=service.title, service=service, tickets=found, titles=TITLES,
        names=queries.branch_names(unit), is_guest=visitor.openid is None, look=paths.LOOK,
        new=paths.NEW,
    )  # fmt: skip


@tickets.get("/t/<number>")
@access("follower", why=_WHY)
def ticket(number: str) -> Response:
    """One ticket, for whose it is; foreign and absent look alike."""
    with wiring().reading() as unit:
        visitor = visit.visitor(unit, session)
        return _ticket_page(unit, visitor, _own(unit, visitor, number))


@tickets.post("/t/<number>/say")
@access("follower", why=_WHY)
def say(number: str) -> AnyResponse:
    """The follower adds something."""
    words = fields.clean(request.form.get("words", "")[: 2 * MOST_WORDS])
    fault = fields.fault_of_words(words, limit=MOST_WORDS)
    return _changed(number, Act.SAY, words=words, fault=fault)


@tickets.post("/t/<number>/settle")
@access("follower", why=_WHY)
def settle(number: str) -> AnyResponse:
    """The follower says that it is settled."""
    return _changed(number, Act.SETTLE)


def _changed(number: str, act: Act, *, words: str = "", fault: str = "") -> AnyResponse:
    with wiring().reading() as unit:
        visitor = visit.visitor(unit, session)
        own = _own(unit, visitor, number)
    who = tokens.whose(session, visitor.openid)
    given = request.form.get(tokens.FIELD, "")
    if tokens.accepted(wiring().settings, given, form=number, who=who) is None:
        fault = fault or _STALE
    if not fault:
        try:
            with wiring().unit() as unit:
                if act is Act.SAY:
                    limits.count(unit, "ticket words", who, most=4 * MOST_AN_HOUR)
                    operations.say(unit, own, words=words)
                else:
                    operations.settle(unit, own)
            return redirect(f"{paths.ticket(number)}?said={act}", 303)
        except NotNow as refused:
            fault = f"{refused.says}。{refused.way_out}。"
        except limits.TooOften:
            fault = _TOO_OFTEN
    with wiring().reading() as unit:
        return _ticket_page(unit, visitor, own, fault=fault, words=words, status=422)


def _ticket_page(
    unit: Unit, visitor: Visitor, own: Ticket, *, fault: str = "", words: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    service = catalogue.find(unit, own.service) if own.service else None
    said = request.args.get("said", "")
    form = service.form if service and service.form else QUESTION
    events = [
        (SAYS[one.act], one.at, one.words if one.act in _OPEN_WORDS else "", one.act)
        for one in tickets_read.history(unit, own)
    ]
    return private_page(
        "ticket", visitor, status=status, title=f"{own.category}工单", ticket=own, events=events,
        state=TITLES[own.state], is_closed=own.state is State.CLOSED,
        branch=queries.branch_names(unit).get(own.branch, ""), fault=fault, words=words,
        most=MOST_WORDS, done=form.done if said == "done" else "", token_field=tokens.FIELD,
        token=tokens.made(
            unit.settings, form=own.number, who=tokens.whose(session, visitor.openid)
        ),
        code="" if own.openid else contents.code_of(unit, own.number), mine=paths.MINE,
        look=paths.LOOK,
    )  # fmt: skip


# Guests


@tickets.get(paths.LOOK)
@access("follower", why=_WHY)
def look() -> Response:
    """Where a guest finds a ticket again."""
    return _look_page()


@tickets.post(paths.LOOK)
@access("follower", why=_WHY)
def looked() -> AnyResponse:
    """The number and the code: both right, or nothing is told."""
    number = fields.clean(request.form.get("number", "")[:20]).upper()
    code = fields.clean(request.form.get("code", "")[:20]).upper().replace(" ", "")
    try:
        with wiring().unit() as unit:
            limits.count(unit, "ticket look", address(), most=MOST_LOOKS)
            found = tickets_read.find(unit, number)
            is_right = hmac.compare_digest(contents.code_of(unit, number).encode(), code.encode())
    except limits.TooOften:
        return _look_page(fault=_TOO_MANY_LOOKS, number=number, status=429)
    if found is None or found.openid is not None or not is_right:
        return _look_page(fault=_NOT_FOUND, number=number, status=422)
    _remember(found.number)
    return redirect(paths.ticket(found.number), 303)


def _look_page(*, fault: str = "", number: str = "", status: int = 200) -> Response:
    with wiring().reading() as unit:
        visitor = visit.visitor(unit, session)
    return private_page(
        "ticket_look", visitor, title="查询工单", fault=fault, number=number, status=status,
        action=paths.LOOK,
    )  # fmt: skip


def _own(unit: Unit, visitor: Visitor, number: str) -> Ticket:
    found = tickets_read.find(unit, number)
    if found is None or not _is_own(found, visitor.openid):
        abort(404)
    return found


def _is_own(found: Ticket, openid: OpenId | None) -> bool:
    if found.openid is not None:
        return found.openid == openid
    return found.number in _remembered()


def _remembered() -> list[str]:
    kept = session.get(_REMEMBERED, ())
    return [number for number in kept if isinstance(number, str)]


def _remember(number: str) -> None:
    others = [other for other in _remembered() if other != number]
    session[_REMEMBERED] = [*others[-(_MOST_REMEMBERED - 1) :], number]
    session.permanent = True
