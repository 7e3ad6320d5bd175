"""The console's pages of emergencies: the list, and one on one screen with every move there is.

The moves are those of :mod:`lightservices.emergency`, under its rules; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from flask import Blueprint, Response, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from lightservices import workbooks
from lightservices.console import emergency_messages as messages_console
from lightservices.console import emergency_showing as showing
from lightservices.emergency import changes, holding, operations, pages, queries, timeline
from lightservices.emergency.models import Record
from lightservices.emergency.reach import Assessment
from lightservices.emergency.refusals import (
    BadContent,
    NoArea,
    NotAllowed,
    NotThatArea,
    NotYours,
    OwnProposal,
    ReasonMissing,
    Refused,
    Settled,
    TooLong,
    Unconfirmed,
    Uncounted,
    Unreadable,
)
from lightservices.emergency.states import Move, State
from regions import coverage
from service import audit, clock
from service.access import access
from service.console import guard, shell
from service.staff import Me, rights
from service.wiring import Unit, wiring

log = structlog.stdlib.get_logger(__name__)

watch: Final = Blueprint(
    "console_emergency", __name__, url_prefix=queries.ROOT, template_folder="../templates"
)

#: How a refusal is answered; what is missing here came of two people at work, or of time: 409.
STATUS: Final[Mapping[type[Refused], int]] = {
    NotYours: HTTPStatus.NOT_FOUND,
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotThatArea: HTTPStatus.FORBIDDEN,
    OwnProposal: HTTPStatus.FORBIDDEN,
    ReasonMissing: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooLong: HTTPStatus.UNPROCESSABLE_ENTITY,
    BadContent: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoArea: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unconfirmed: HTTPStatus.UNPROCESSABLE_ENTITY,
    Uncounted: HTTPStatus.SERVICE_UNAVAILABLE,
}
_MOST_WORDS: Final = 2000

watch.add_app_template_filter(showing.remaining, "remaining")


@watch.get("")
@access("staff", may="read")
def listing() -> Response:
    """What stands in this person's jurisdiction, what waits and is owed, and what has ended."""
    me, older = guard.me(), request.args.get("older", type=int)
    with wiring().reading() as unit:
        current = [] if older else [showing.line(unit, one) for one in queries.current(unit, me)]
        owed = [] if older else [showing.line(unit, one) for one in queries.unreviewed(unit, me)]
        past = queries.over(unit, me, older_than=older)
        ended = [showing.line(unit, one) for one in past.found]
        names = unit.wiring.tables.branch_names(unit)
    alive = (State.PROPOSED, State.OPEN)
    return shell.page(
        "console/emergency.html", title="应急专区",
        current=[one for one in current if one.record.stands in alive],
        # What the clock has ended and the worker has not written down yet has ended all the same.
        ended=[one for one in current if one.record.stands not in alive] + ended,
        owed=owed, names=names, older=past.older, is_older=bool(older), root=queries.ROOT,
        may_begin=rights.held(me.grants, "propose"), glass_hours=operations.GLASS_HOURS,
    )  # fmt: skip


@watch.get("/<key>")
@access("staff", may="read")
def one(key: str) -> Response:
    """One emergency: what it says, where, since when, how far it has come, and what may be done."""
    return _page(key)


@watch.get("/<key>/layers")
@access("staff", may="read")
def layers(key: str) -> Response:
    """How far it has come, as a part of the page, which asks for it again and again."""
    with wiring().reading() as unit:
        record = _found(unit, key)
        shown = showing.layers(unit, record)
    return Response(
        render_template(
            "console/emergency_layers.html", layers=shown, record=record, root=queries.ROOT
        ),
        mimetype="text/html",
    )


@watch.get("/<key>/confirm")
@access("staff", may="read")
def confirm(key: str) -> Response:
    """Whom what waits concerns, counted now, with the button: a part that is asked for by itself,
    because counting may take longer than the database is given."""
    assessment, is_uncounted = _weighed(key)
    with wiring().reading() as unit:
        record = _found(unit, key)
        sight = showing.sight(unit, record, guard.me(), assessment)
    return _part("confirm", sight=sight, record=record, is_uncounted=is_uncounted)


@watch.get("/<key>/moving")
@access("staff", may="read")
def moving(key: str) -> Response:
    """How many followers wait for another menu, as a part of the page."""
    with wiring().reading() as unit:
        record = _found(unit, key)
    return _part("moving", record=record, **_moving(record))


@watch.get("/<key>/seen/<int:number>")
@access("staff", may="read")
def seen(key: str, number: int) -> Response:
    """The page that followers inside see, by this version of it, before it opens as well."""
    with wiring().reading() as unit:
        record = _found(unit, key)
        try:
            version = queries.version(unit, record, number)
            holding.legible(version)
        except (NotYours, Unreadable):
            abort(404)
        return pages.as_seen(unit, showing.as_if_open(record, version))


@watch.post("/<key>/open")
@access("staff", may="open_emergency")
def open_(key: str) -> ResponseReturnValue:
    """Open what another proposed, with the reach that was ticked."""
    return _do(
        key, lambda unit, me, **known: operations.open_(unit, key, **_ticked(), by=me, **known),
        "已开启。区域内的粉丝现在就能看到，菜单正在更新。", number=1,
    )  # fmt: skip


@watch.post("/<key>/reject")
@access("staff", may="open_emergency")
def reject(key: str) -> ResponseReturnValue:
    """Say no to what another proposed, with the reason."""
    return _do(
        key, lambda unit, me: operations.reject(unit, key, reason=_words("reason"), by=me),
        "已否决，提出人会看到您写的原因。",
    )  # fmt: skip


@watch.post("/<key>/withdraw")
@access("staff", may="propose")
def withdraw(key: str) -> ResponseReturnValue:
    """Take back what was proposed."""
    return _do(
        key, lambda unit, me: operations.withdraw(unit, key, why=_words("why"), by=me), "已撤回。"
    )


@watch.post("/<key>/close")
@access("staff", may="close_emergency")
def close(key: str) -> ResponseReturnValue:
    """Close it: one person, once confirmed, always."""

    def _close(unit: Unit, me: Me) -> Any:
        if request.form.get("sure") != "1":
            # Whether they may comes first: nobody is told to confirm what they may not do.
            holding.guard(unit, _found(unit, key), Move.CLOSE, holding.Hand(me, "close_emergency"))
            raise Unconfirmed
        return operations.close(unit, key, why=_words("why"), by=me)

    return _do(key, _close, "已关闭。页面和回复立即恢复平常，菜单正在更新。")


@watch.post("/<key>/extend")
@access("staff", may="propose")
def extend(key: str) -> ResponseReturnValue:
    """Ask that it goes on for so many hours, which somebody else decides on."""
    hours = request.form.get("hours", 0, type=int)
    return _do(
        key, lambda unit, me: changes.extend(unit, key, hours=hours, why=_words("why"), by=me),
        "已申请延长，等待另一位同事确认；确认前仍按原来的时间结束。",
    )  # fmt: skip


@watch.post("/<key>/adopt")
@access("staff", may="open_emergency")
def adopt(key: str) -> ResponseReturnValue:
    """Take a proposed change, with the reach that was ticked."""
    number = _number()
    return _do(
        key,
        lambda unit, me, **known: changes.adopt(unit, key, number, **_ticked(), by=me, **known),
        "已确认，从现在起按新的内容。", number=number,
    )  # fmt: skip


@watch.post("/<key>/decline")
@access("staff", may="open_emergency")
def decline(key: str) -> ResponseReturnValue:
    """Say no to a proposed change; what is in force goes on."""
    return _do(
        key,
        lambda unit, me: changes.decline(unit, key, _number(), reason=_words("reason"), by=me),
        "没有同意这项修改，现有的内容继续有效。",
    )


@watch.post("/<key>/retract")
@access("staff", may="propose")
def retract(key: str) -> ResponseReturnValue:
    """Take a proposed change back."""
    return _do(
        key, lambda unit, me: changes.retract(unit, key, _number(), why=_words("why"), by=me),
        "已撤回这项修改，现有的内容继续有效。",
    )  # fmt: skip


@watch.post("/<key>/review")
@access("staff", may="open_emergency")
def review(key: str) -> ResponseReturnValue:
    """Say afterwards whether breaking the glass was right."""
    told = {"yes": True, "no": False}.get(request.form.get("justified", ""))

    def _review(unit: Unit, me: Me) -> Any:
        if told is None:
            operations.require_review(unit, _found(unit, key), me)
            raise Unconfirmed("还没有选择当时是否必要", "请选择后再提交。")
        return operations.review(unit, key, justified=told, words=_words("words"), by=me)

    return _do(key, _review, "补审已记录。")


@watch.post("/<key>/timeline")
@access("staff", may="export")
def take_away(key: str) -> ResponseReturnValue:
    """Every step as a file; that somebody took it away is a step of its own."""
    with wiring().unit() as unit:
        record = _found(unit, key)
        steps = timeline.of(unit, record)
        audit.note(
            unit, actor=guard.me(), act="emergency.export", subject=f"emergency:{key}",
            branch=record.branch_code,
        )  # fmt: skip
    told = "".join(workbooks.as_csv(timeline.TITLES, timeline.lines(steps)))
    answer = Response(told, mimetype="text/csv")
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="{key}-{clock.shanghai(clock.now()):%Y%m%d-%H%M}.csv"'
    )
    return answer


def _do(
    key: str, act: Callable[..., Any], said: str, *, number: int | None = None
) -> ResponseReturnValue:
    """Make a move and show what came of it; what cannot be done is said on the page, with the
    page as it is now, and nothing that was typed is lost.

    Args:
        number: the version whose followers are counted before anything is held.
    """
    me = guard.me()
    known: dict[str, Any] = {}
    try:
        with wiring().reading() as unit:
            _found(unit, key)
            if number is not None:
                known["weighed"] = holding.weighed(unit, key, number)
        with wiring().unit() as unit:
            act(unit, me, **known)
    except NotYours:
        abort(404)
    except Refused as refused:
        if isinstance(refused, Settled) and _is_my_own(key, me):
            return guard.go(url_for("console_emergency.one", key=key))
        status = STATUS.get(type(refused), HTTPStatus.CONFLICT)
        return _page(key, problem=f"{refused.says}。{refused.way_out}", status=status)
    flash(said, "success")
    return guard.go(url_for("console_emergency.one", key=key))


def _weighed(key: str) -> tuple[Assessment | None, bool]:
    """What this person may confirm concerns, and whether the database did not count it in time.

    In a look of its own: after a statement that was given up the connection may be gone.
    """
    try:
        with wiring().reading() as unit:
            content = showing.to_confirm(unit, _found(unit, key), guard.me())
            return (None if content is None else holding.assessed(unit, content.area)), False
    except Uncounted:
        return None, True


def _moving(record: Record) -> dict[str, Any]:
    """How many followers wait for another menu, in a look of its own; None: not counted in time."""
    try:
        with wiring().reading() as unit:
            count = showing.to_move(unit, record, guard.me())
            return {"to_move": coverage.rounded(count) if count else ""}
    except OperationalError as late:
        log.warning("followers to move could not be counted", fault=type(late.orig).__name__)
        return {"to_move": None}


def _part(name: str, **shown: Any) -> Response:
    """A part of the page, which a script puts in its place."""
    return shell.page(
        f"console/emergency_{name}.html", title="", root=queries.ROOT, kinds=showing.KINDS, **shown
    )


def _is_my_own(key: str, me: Me) -> bool:
    """Whether this very person did this very thing a moment ago: a button pressed twice."""
    with wiring().reading() as unit:
        record = _found(unit, key)
        match (request.endpoint or "").rpartition(".")[2]:
            case "open_":
                version = queries.version(unit, record, 1)
                return record.stands is State.OPEN and version.decider_id == me.id
            case "close":
                return record.stands is State.CLOSED and record.ended_by == me.name
            case "adopt":
                return record.live == _number() and (
                    queries.version(unit, record, record.live).decider_id == me.id
                )
    return False


def _page(key: str, *, problem: str = "", status: int = HTTPStatus.OK) -> Response:
    """The page itself never counts followers: in a large bank that may take longer than the
    database is given, and what must always be there, such as closing, is on this page. Without a
    script, ``?count=1`` asks for it with the counts."""
    me, counts = guard.me(), request.args.get("count") == "1"
    assessment, is_uncounted = _weighed(key) if counts else (None, False)
    with wiring().reading() as unit:
        record = _found(unit, key)
        moving = _moving(record) if counts and record.opened_at else {}
        sight = showing.sight(unit, record, me, assessment)
        return shell.page(
            "console/emergency_one.html", title=sight.title, sight=sight, record=record,
            layers=showing.layers(unit, record) if record.opened_at else None,
            told=messages_console.shown(unit, record, me, counts=counts),
            steps=timeline.of(unit, record),
            may_export=rights.held(me.grants, "export"),
            may_audit=rights.held(me.grants, "read_audit"), kinds=showing.KINDS,
            stages=showing.STAGES, given=request.form, problem=problem, status=status,
            root=queries.ROOT, is_uncounted=is_uncounted,
            changed_reach=coverage.rounded(sight.pending.reach.total) if sight.pending else "",
            **moving,
        )  # fmt: skip


def _found(unit: Unit, key: str) -> Record:
    try:
        return queries.seen_by(unit, key, guard.me())
    except NotYours:
        abort(404)


def _words(name: str) -> str:
    return request.form.get(name, "")[:_MOST_WORDS]


def _number() -> int:
    """The version a form is about; no version bears the number 0."""
    return min(request.form.get("version", 0, type=int), 2**31 - 1)


def _ticked() -> dict[str, Any]:
    """The seal of what the person saw, and the rounded reach they ticked."""
    return {"seen": request.form.get("seal", ""), "ticked": request.form.get("ticked", "")}
