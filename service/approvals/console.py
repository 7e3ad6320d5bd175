"""The console's pages of changes: what waits, one change with all it does, deciding, going back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, abort, flash, request, url_for
from flask.typing import ResponseReturnValue

from service import clock
from service.access import access
from service.approvals import operations as do
from service.approvals import queries, showing
from service.approvals.merging import Side
from service.approvals.models import Version
from service.approvals.refusals import (
    STATES,
    Faulty,
    NotAllowed,
    NothingChanges,
    NotYours,
    OwnWork,
    ReasonMissing,
    Refused,
    StaleBase,
    TakesTwo,
    TimePassed,
)
from service.approvals.states import State
from service.console import guard, shell
from service.staff import Me
from service.wiring import Unit, Waiting, wiring

changes = Blueprint("approvals", __name__, url_prefix=f"{guard.ROOT}/changes")

SHELVES: Final[Mapping[queries.Shelf, str]] = {
    "waiting": "等我处理",
    "mine": "我提出的",
    "live": "已发布",
}

_YEARS: Final = range(1970, 9999)

#: How a refusal is answered; what is missing here came of two people at work: 409.
STATUS: Final[Mapping[type[Refused], int]] = {
    NotYours: HTTPStatus.NOT_FOUND,
    NotAllowed: HTTPStatus.FORBIDDEN,
    OwnWork: HTTPStatus.FORBIDDEN,
    TakesTwo: HTTPStatus.FORBIDDEN,
    Faulty: HTTPStatus.UNPROCESSABLE_ENTITY,
    ReasonMissing: HTTPStatus.UNPROCESSABLE_ENTITY,
    TimePassed: HTTPStatus.UNPROCESSABLE_ENTITY,
    NothingChanges: HTTPStatus.UNPROCESSABLE_ENTITY,
}


def waiting(unit: Unit, me: Me) -> Waiting | None:
    """For the home page: how many changes this person may decide on."""
    found = queries.shelf(unit, "waiting", by=me)
    return Waiting("待审批的改动", len(found), f"{guard.ROOT}/changes") if found else None


def returned(unit: Unit, me: Me) -> Waiting | None:
    """For the home page: how many of this person's own changes were sent back to them."""
    mine = queries.shelf(unit, "mine", by=me)
    back = [version for version in mine if version.state is State.RETURNED]
    where = f"{guard.ROOT}/changes?shelf=mine"
    return Waiting("被退回、待修改的改动", len(back), where) if back else None


@changes.get("")
@access("staff", may="read")
def shelf() -> Response:
    """A list of changes: those that wait for me, my own, and what is live."""
    asked, older = request.args.get("shelf", "waiting"), request.args.get("older", type=int)
    name = next((name for name in SHELVES if name == asked), None) or abort(404)
    with wiring().reading() as unit:
        found = queries.shelf(unit, name, by=guard.me(), older_than=older)
        lines = [showing.line(unit, version) for version in found]
    is_full = name != "waiting" and len(lines) == queries.PAGE
    return shell.page(
        "approvals/shelf.html", title="审批", shelves=SHELVES, shelf=name, rows=lines,
        states=STATES, older=lines[-1].version.id if is_full else None,
    )  # fmt: skip


@changes.get("/<int:number>")
@access("staff", may="read")
def change(number: int) -> Response:
    """One change: who, when, why, what it does, and what this person may do about it."""
    return _shown(number)


@changes.get("/<int:number>/approve")
@access("staff", may="read")
def confirm_approval(number: int) -> Response:
    """What approving means, in numbers, before it is done."""
    with wiring().reading() as unit:
        version = _find(unit, number)
        sight = showing.sight(unit, version, me=guard.me(), at=_moment())
        if version.state is not State.PROPOSED:
            return _shown(number, status=HTTPStatus.CONFLICT)
        if not sight.may_decide:
            return _shown(number, status=HTTPStatus.FORBIDDEN)
        meant = showing.consequences(unit, version)
    return shell.page(
        "approvals/approve.html", title="确认批准", sight=sight, version=version,
        consequences=meant, states=STATES,
    )  # fmt: skip


@changes.post("/<int:number>/approve")
@access("staff", may="read")
def approve(number: int) -> ResponseReturnValue:
    """Say yes to what the confirmation showed."""
    seal = request.form.get("seal", "")
    return _do(number, lambda unit, me: do.approve(unit, number, seal=seal, by=me), "已批准。")


@changes.post("/<int:number>/return")
@access("staff", may="read")
def send_back(number: int) -> ResponseReturnValue:
    """Send it back to its maker, with the reason."""
    reason = request.form.get("reason", "")[:2000]
    return _do(
        number,
        lambda unit, me: do.return_(unit, number, reason=reason, by=me),
        "已退回，提出人会看到您写的原因。",
    )


@changes.post("/<int:number>/withdraw")
@access("staff", may="read")
def withdraw(number: int) -> ResponseReturnValue:
    """Take it back for good."""
    return _do(number, lambda unit, me: do.withdraw(unit, number, by=me), "已撤回。")


@changes.post("/<int:number>/propose")
@access("staff", may="read")
def propose(number: int) -> ResponseReturnValue:
    """Put it before a second person, to go live at once or at a time in Shanghai's clock."""
    form = request.form
    when = _time(form.get("scheduled_at", ""))
    return _do(
        number,
        lambda unit, me: do.propose(
            unit, number, why=form.get("why", "")[:2000], seen=form.get("seen", ""),
            by=me, scheduled_at=when,
        ),
        "已提交审批，请通知另一位复核人员。",
    )  # fmt: skip


@changes.get("/<int:number>/roll-back/<int:to>")
@access("staff", may="read")
def confirm_roll_back(number: int, to: int) -> Response:
    """What going back to an older version changes, before it is done."""
    return _roll_back_page(number, to)


@changes.post("/<int:number>/roll-back/<int:to>")
@access("staff", may="read")
def roll_back(number: int, to: int) -> ResponseReturnValue:
    """Bring back what was live before: one person's act, with a reason."""
    why, seen = request.form.get("why", "")[:2000], request.form.get("seen_live", -1, type=int)
    return _do(
        number,
        lambda unit, me: do.roll_back(unit, number, to=to, why=why, seen_live=seen, by=me),
        f"已回退到版本 {to} 的内容。",
        again=lambda problem, status: _roll_back_page(number, to, problem=problem, status=status),
    )


@changes.get("/<int:number>/merge")
@access("staff", may="read")
def choose(number: int) -> Response:
    """Both texts where two people changed the same thing, to choose from."""
    with wiring().reading() as unit:
        version = _find(unit, number)
        refusal = showing.stale(unit, version)
        if version.base == version.live:
            return _shown(number)
        return merge_page(unit, refusal)


@changes.post("/<int:number>/merge")
@access("staff", may="read")
def merge(number: int) -> ResponseReturnValue:
    """Save what was chosen onto the version that is live now."""
    form, onto = request.form, request.form.get("onto", -1, type=int)
    chosen: dict[str, Side] = {
        name.removeprefix("side:"): "mine" if value == "mine" else "theirs"
        for name, value in form.items()
        if name.startswith("side:")
    }

    def put_together(unit: Unit, me: Me) -> Version:
        version = queries.find(unit, number, by=me)
        try:
            content = showing.merged(unit, version, typed=form.get("mine", ""), chosen=chosen)
        except ValueError:
            # A form that leaves a place open, or holds no content, was not made by our page.
            abort(400)
        return do.save(unit, number, content=content, seen=form.get("seen", ""), by=me, onto=onto)

    return _do(number, put_together, "已合并，请核对后重新提交审批。")


def merge_page(unit: Unit, refusal: StaleBase, *, typed: str = "") -> Response:
    """For any editor that met a ``StaleBase``: choose, place by place, and lose nothing.

    Args:
        typed: the content as JSON that was being saved, where it is not in the version yet.
    """
    return shell.page(
        "approvals/merge.html", title="合并改动", version=refusal.version, typed=typed,
        places=showing.places(unit, refusal), said=refusal.says,
        status=HTTPStatus.CONFLICT if typed else HTTPStatus.OK,
    )  # fmt: skip


def _find(unit: Unit, number: int) -> Version:
    try:
        return queries.find(unit, number, by=guard.me())
    except NotYours:
        abort(404)


def _do(
    number: int,
    act: Callable[[Unit, Me], Version],
    said: str,
    *,
    again: Callable[[str, int], Response] | None = None,
) -> ResponseReturnValue:
    """Make a move and show what came of it; a refusal is told on the page one was on."""
    try:
        with wiring().unit() as unit:
            done = act(unit, guard.me())
    except NotYours:
        abort(404)
    except Refused as refusal:
        status = STATUS.get(type(refusal), HTTPStatus.CONFLICT)
        problem = f"{refusal.says}。{refusal.way_out}"
        return again(problem, status) if again else _shown(number, problem=problem, status=status)
    if done.state is State.APPROVED:
        said = f"已批准，将于 {shell.moment(done.scheduled_at)} 上线。"
    flash(said, "success")
    return guard.go(url_for("approvals.change", number=done.id))


def _shown(number: int, *, problem: str = "", status: int = HTTPStatus.OK) -> Response:
    with wiring().reading() as unit:
        version = _find(unit, number)
        sight = showing.sight(unit, version, me=guard.me(), at=_moment())
    return shell.page(
        "approvals/change.html", title=sight.title, sight=sight, version=version, states=STATES,
        problem=problem, given=request.form, at=f"{clock.shanghai(_moment()):%Y-%m-%dT%H:%M}",
        status=status,
    )  # fmt: skip


def _roll_back_page(
    number: int, to: int, *, problem: str = "", status: int = HTTPStatus.OK
) -> Response:
    with wiring().reading() as unit:
        version = _find(unit, number)
        try:
            way = showing.way_back(unit, version, to=to, me=guard.me())
        except NotYours:
            abort(404)
    return shell.page(
        "approvals/roll_back.html", title=f"回退到版本 {to}", version=version, way=way,
        problem=problem, why=request.form.get("why", ""), status=status,
    )  # fmt: skip


def _moment() -> datetime:
    """The moment a preview is asked for; now unless the address says otherwise."""
    return _time(request.args.get("at", "")) or clock.now()


def _time(told: str) -> datetime | None:
    """What a browser's field for date and time holds, read by Shanghai's clock."""
    if not told:
        return None
    try:
        found = datetime.fromisoformat(told).replace(tzinfo=clock.SHANGHAI)
    except ValueError:
        abort(400)
    # At the edges of the calendar no other clock has a name for the moment.
    return found if found.year in _YEARS else abort(400)
