"""Plans made in calm: all of them, and one to be read, changed, copied, or put out of use."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, abort, flash, request, url_for
from flask.typing import ResponseReturnValue

from lightservices.console import emergency_area as areas_seen
from lightservices.console import emergency_drafting as drafting
from lightservices.console import emergency_forms as forms
from lightservices.console.emergency_forms import Fields
from lightservices.emergency import content as contents
from lightservices.emergency import plans, queries, reach
from lightservices.emergency.content import SEVERITIES, ContentRefused
from lightservices.emergency.plans import Plan
from lightservices.emergency.refusals import BadContent, Refused
from regions.branches import HEAD_OFFICE
from service.access import access
from service.console import guard, shell
from service.staff import rights
from service.wiring import Unit, wiring

plan_pages: Final = Blueprint(
    "console_emergency_plans", __name__, url_prefix=queries.ROOT, template_folder="../templates"
)


plan_pages.url_value_preprocessor(areas_seen.make_room)


@plan_pages.get("/plans")
@access("staff", may="read")
def listing() -> Response:
    """All plans, and what one can do with each."""
    me = guard.me()
    with wiring().reading() as unit:
        found = plans.every(unit, with_retired=True).values()
        may_write = reach.may_everywhere(unit, me, "open_emergency", (HEAD_OFFICE,))
    return shell.page(
        "console/emergency_plans.html",
        title="应急预案",
        kept=[one for one in found if not one.retired],
        retired=[one for one in found if one.retired],
        severities=SEVERITIES,
        may_write=may_write,
        may_propose=rights.held(me.grants, "propose"),
    )


@plan_pages.get("/plans/<plan>")
@access("staff", may="read")
def page(plan: str) -> Response:
    """One plan to be read or changed; with ``?copy=1`` the beginning of another."""
    with wiring().reading() as unit:
        found = _find(unit, plan)
        fields = forms.shown(found.content)
        return _page(unit, found, fields, is_copy=bool(request.args.get("copy")))


@plan_pages.post("/plans/<plan>")
@access("staff", may="open_emergency")
def save(plan: str) -> ResponseReturnValue:
    """Keep what was typed, or take the plan out of the list."""
    with wiring().reading() as unit:
        found = _find(unit, plan)
    do, is_copy = request.form.get("do", ""), bool(request.form.get("copy"))
    try:
        if do == "retire" and not is_copy:
            with wiring().unit() as unit:
                plans.retire(unit, found.key, by=guard.me())
            flash(f"“{found.content.title}”已停用；从它开启的应急专区不受影响。", "success")
            return guard.go(url_for("console_emergency_plans.listing"))
        if do == "save":
            return _saved(found, is_copy=is_copy)
    except (BadContent, ContentRefused) as refused:
        return _again(found, is_copy=is_copy, problems=refused.faults, status=409)
    except Refused as refused:
        says = (f"{refused.says}。{refused.way_out}",)
        return _again(found, is_copy=is_copy, problems=says, status=409)
    return _again(found, is_copy=is_copy)


def _saved(found: Plan, *, is_copy: bool) -> ResponseReturnValue:
    key = request.form.get("key", "").strip() if is_copy else found.key
    content = forms.read(forms.typed(request.form), replace(found.content, key=key))
    with wiring().unit() as unit:
        if is_copy and key in plans.every(unit, with_retired=True):
            raise ContentRefused((f"代码“{key}”已经有一份预案在用：请换一个",))
        seen = "" if is_copy else request.form.get("seen", "")
        saved = plans.save(unit, contents.write(content), seen=seen, by=guard.me())
    flash(f"预案“{saved.content.title}”已保存，下次提出时就用它。", "success")
    return guard.go(url_for("console_emergency_plans.page", plan=saved.key))


def _again(
    found: Plan, *, is_copy: bool, problems: tuple[str, ...] = (), status: int = 200
) -> Response:
    with wiring().reading() as unit:
        fields = forms.typed(request.form)
        return _page(
            unit, found, fields, is_copy=is_copy, problems=problems, status=status
        )  # fmt: skip


def _page(
    unit: Unit,
    plan: Plan,
    fields: Fields,
    *,
    is_copy: bool,
    problems: tuple[str, ...] = (),
    status: int = 200,
) -> Response:
    me = guard.me()
    found = areas_seen.found(unit, fields["area"], me, finished=False)
    return shell.page(
        "console/emergency_plans_one.html",
        title=f"复制预案：{plan.content.title}" if is_copy else f"预案：{plan.content.title}",
        status=status,
        plan=plan,
        is_copy=is_copy,
        key=request.form.get("key", ""),
        seen=request.form.get("seen", plan.hash),
        told=fields,
        problems=problems,
        may=reach.may_everywhere(unit, me, "open_emergency", (HEAD_OFFICE,)),
        may_propose=rights.held(me.grants, "propose"),
        **drafting.area_fields(found),
        **drafting.choices(),
    )


def _find(unit: Unit, key: str) -> Plan:
    """The plan with this key, retired or not; a retired one comes back by being saved."""
    found = plans.every(unit, with_retired=True).get(key)
    if found is None:
        abort(404)
    return found
