"""Beginning an emergency from a plan, and changing one that is open: area, words, hours, why.

The first step holds the form, the second what it would do in numbers. Nothing is kept between the
two: what was typed travels with the form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, abort, flash, request, url_for
from flask.typing import ResponseReturnValue

from lightservices.console import emergency_drafting as drafting
from lightservices.console import emergency_forms as forms
from lightservices.console.emergency_area import begins, make_room
from lightservices.console.emergency_drafting import Draft, Written
from lightservices.emergency import changes, holding, operations, plans, queries, reach
from lightservices.emergency.content import ContentRefused
from lightservices.emergency.refusals import ChangePending, NotYours, Refused, Settled, Unreadable
from lightservices.emergency.states import State
from service.access import access
from service.console import guard
from service.wiring import Unit, wiring

#: What names an emergency stands apart from what names none, so that its branch decides.
amends: Final = Blueprint(
    "console_emergency_amend", __name__, url_prefix=queries.ROOT, template_folder="../templates"
)
amends.url_value_preprocessor(make_room)

Act = Callable[[Unit, Draft, Written], str]


class Unticked(Refused):
    """Nobody goes on without having looked at the reach."""

    way_out = "请核对下面的影响范围，勾选后再继续。"

    def __init__(self) -> None:
        super().__init__("还没有勾选影响范围")


@begins.get("/begin/<plan>")
@access("staff", may="read")
def begin(plan: str) -> Response:
    """The form, filled from the plan."""
    with wiring().reading() as unit:
        draft = _from_plan(unit, plan)
        return drafting.form(unit, draft, forms.shown(draft.before))


@begins.post("/begin/<plan>")
@access("staff", may="propose")
def send_begun(plan: str) -> ResponseReturnValue:
    """One step further: look at the area, check, propose, or break the glass."""
    with wiring().reading() as unit:
        draft = _from_plan(unit, plan)
    return _step(draft, {"propose": _propose, "glass": _break_glass})


@amends.get("/<key>/amend")
@access("staff", may="read")
def page(key: str) -> Response:
    """The same form, filled with what is in force."""
    with wiring().reading() as unit:
        draft = _from_open(unit, key)
        assert draft.record is not None
        problem = _hindrance(unit, draft)
        fields = forms.shown(draft.before) | {"hours": ""}
        return drafting.form(
            unit, draft, fields, problems=(problem,) if problem else (),
            status=409 if problem else 200, is_open_to_all=not problem,
        )  # fmt: skip


@amends.post("/<key>/amend")
@access("staff", may="propose")
def send(key: str) -> ResponseReturnValue:
    """One step further: look at the area, check what differs, propose it."""
    with wiring().reading() as unit:
        draft = _from_open(unit, key)
    return _step(draft, {"propose": _propose_change})


def _step(draft: Draft, acts: Mapping[str, Act]) -> ResponseReturnValue:
    do = request.form.get("do", "")
    if do != "check" and do not in acts:
        with wiring().reading() as unit:
            return drafting.form(unit, draft, forms.typed(request.form))
    try:
        written = drafting.read(draft)
    except ContentRefused as refused:
        with wiring().reading() as unit:
            fields = forms.typed(request.form)
            return drafting.form(unit, draft, fields, problems=refused.faults, status=409)
    if do == "check":
        with wiring().reading() as unit:
            return drafting.summary(unit, draft, written)
    try:
        _require_tick(written)
        with wiring().unit() as unit:
            key = acts[do](unit, draft, written)
    except NotYours:
        abort(404)
    except Refused as refused:
        with wiring().reading() as unit:
            return drafting.refused(unit, draft, written, refused)
    return guard.go(f"{queries.ROOT}/{key}")


def _require_tick(written: Written) -> None:
    """Hold the person to the reach they ticked. It is worked out before the transaction begins, as
    the first question of a process reads the whole map."""
    ticked = request.form.get("ticked", "")
    if not ticked:
        raise Unticked
    with wiring().reading() as unit:
        reach.require_ticked(holding.assessed(unit, written.content.area), ticked)


def _propose(unit: Unit, _draft: Draft, written: Written) -> str:
    version = operations.propose(
        unit, content=written.content, drill=written.drill, why=written.why, by=guard.me()
    )
    flash("已提出。请通知另一位有权限的同事来确认；确认以前粉丝什么都看不到。", "success")
    mine = queries.current(unit, guard.me())
    return next(one.key for one in mine if one.id == version.emergency_id)


def _break_glass(unit: Unit, _draft: Draft, written: Written) -> str:
    hours = drafting.glass_hours()
    record = operations.break_glass(
        unit, content=replace(written.content, hours=hours), why=written.why,
        ticked=request.form.get("ticked", ""), by=guard.me(), drill=written.drill,
    )  # fmt: skip
    flash("已紧急开启，值班名单会收到通知。请另一位同事尽快补审。", "warning")
    return record.key


def _propose_change(unit: Unit, draft: Draft, written: Written) -> str:
    changes.amend(
        unit, draft.key, content=written.content, why=written.why, by=guard.me(),
        hours=written.hours,
    )  # fmt: skip
    flash("修改已提出。另一位同事确认以前，现在的内容继续有效。", "success")
    return draft.key


def _from_plan(unit: Unit, plan: str) -> Draft:
    try:
        found = plans.find(unit, plan)
    except NotYours:
        abort(404)
    action = url_for("console_emergency_begin.send_begun", plan=plan)
    return Draft(before=found.content, action=action)


def _from_open(unit: Unit, key: str) -> Draft:
    try:
        record = queries.seen_by(unit, key, guard.me())
    except NotYours:
        abort(404)
    shown = queries.version(unit, record, record.live if record.live is not None else 1)
    action = url_for("console_emergency_amend.send", key=key)
    try:
        return Draft(before=holding.legible(shown), action=action, record=record)
    except Unreadable as unreadable:
        flash(f"{unreadable.says}。{unreadable.way_out}", "danger")
        abort(guard.go(f"{queries.ROOT}/{key}"))


def _hindrance(unit: Unit, draft: Draft) -> str:
    """Why nobody can change it now, with the way out; "" where nothing stands in the way."""
    assert draft.record is not None
    waits = queries.pending(unit, draft.record)
    found: Refused | None = None
    if draft.record.stands is not State.OPEN:
        found = Settled(draft.record.stands)
    elif waits is not None:
        found = ChangePending(waits.number)
    return f"{found.says}。{found.way_out}" if found is not None else ""
