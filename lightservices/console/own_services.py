"""A branch's own light services in the console: write, look at as a follower, have approved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    jsonify,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from lightservices import catalogue
from lightservices.catalogue import Kind, own, own_section, reading
from lightservices.catalogue.own_section import (
    ICON_TITLES,
    KIND,
    KINDS,
    SECTION_NAME,
    TYPES,
    VIAS,
)
from lightservices.console import own_form
from lightservices.pages import kinds
from lightservices.pages.later import Later
from lightservices.tickets import categories
from lightservices.visit import Visitor, standing
from regions import branches, jurisdiction
from regions.branches import BranchCode
from regions.presence import Whereabouts
from service.access import access
from service.approvals import operations as changes
from service.approvals import queries as versions
from service.approvals.kinds import Fault
from service.approvals.models import DOCUMENTS, SELECT, VERSIONS, Version, version_of
from service.approvals.refusals import STATES, Refused
from service.approvals.states import OPEN
from service.console import guard, shell
from service.staff import door, may_at
from service.wiring import Unit, wiring

own_services = Blueprint(
    "console_own_services", __name__, url_prefix=f"{guard.ROOT}/branches/<code>/services",
    template_folder="../templates",
)  # fmt: skip

_SUFFIX: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,24}")
#: The form's limits, told beside each field while one types.
LIMITS: Final[Mapping[str, int]] = {
    "title": 12, "summary": 60, "alert": 120, "time": 120, "fee": 120, "done": 200,
}  # fmt: skip


@own_services.get("")
@access("staff", may="read")
def listing(code: str) -> Response:
    """What the branch has, and what somebody is working on."""
    with wiring().reading() as unit:
        door(unit, guard.me(), code, "read")
        return _listing(unit, code)


@own_services.post("/new")
@access("staff", may="edit")
def new(code: str) -> ResponseReturnValue:
    """A draft of a new service; its key is for ever."""
    me, form = guard.me(), request.form
    suffix, title = form.get("suffix", "").strip(), form.get("title", "").strip()[:24]
    kind = form.get("kind", "") if form.get("kind") in KINDS else str(Kind.GUIDE)
    key = f"{own.prefix(code)}{suffix}"
    problem = ""
    with wiring().unit() as unit:
        door(unit, me, code, "edit")
        if not _SUFFIX.fullmatch(suffix):
            problem = "编号只能用小写字母、数字和连字符，25 个以内，例如 metro-card。"
        elif key in own.of(unit, code) or versions.open_of(unit, KIND, branch=code, key=key):
            problem = f"已有编号为 {key} 的服务，请换一个编号，或者打开它继续编辑。"
        else:
            draft = changes.open_draft(unit, KIND, branch=code, by=me, key=key)
            content = {SECTION_NAME: {"service": own_form.fresh(key, kind=kind, title=title)}}
            changes.save(unit, draft.id, content=content, seen=draft.hash, by=me)
    if problem:
        with wiring().reading() as unit:
            return _listing(unit, code, problem=problem, status=422)
    return guard.go(url_for("console_own_services.edit", code=code, key=key))


@own_services.get("/<key>")
@access("staff", may="read")
def edit(code: str, key: str) -> Response:
    """The form, with what is wrong so far and the page as a follower sees it."""
    with wiring().reading() as unit:
        _require(unit, code, key, "read")
        return _page(unit, code, key)


@own_services.post("/<key>")
@access("staff", may="edit")
def save(code: str, key: str) -> ResponseReturnValue:
    """Write the draft; with the other button, go on to propose it."""
    me = guard.me()
    try:
        with wiring().unit() as unit:
            _require(unit, code, key, "edit")
            content = {"service": _typed(unit, code, key)}
            draft = changes.open_draft(unit, KIND, branch=code, by=me, key=key)
            is_same = request.form.get("version", "") == str(draft.id)
            seen = request.form.get("seen", "") if is_same else draft.hash
            saved = changes.save(
                unit, draft.id, content={SECTION_NAME: content}, seen=seen, by=me
            )  # fmt: skip
            faults = own_section.faults_of(unit, code, key, content)
    except Refused as refused:
        with wiring().reading() as unit:
            problem = f"{refused.says}。{refused.way_out}"
            typed = _typed(unit, code, key)
            return _page(unit, code, key, typed=typed, problem=problem, status=409)
    if "propose" in request.form and not faults:
        return guard.go(url_for("approvals.change", number=saved.id))
    flash(
        f"草稿已保存，还有 {len(faults)} 处要改，改好才能提交审批。" if faults else "草稿已保存。",
        "warning" if faults else "success",
    )
    return guard.go(url_for("console_own_services.edit", code=code, key=key))


@own_services.post("/<key>/check")
@access("staff", may="edit")
def check(code: str, key: str) -> Response:
    """What is wrong with what is typed so far, for the script."""
    with wiring().reading() as unit:
        _require(unit, code, key, "edit")
        found = own_section.faults_of(unit, code, key, {"service": _typed(unit, code, key)})
    return jsonify([_told(one) for one in found])


@own_services.route("/<key>/preview", methods=["GET", "POST"])
@access("staff", may="read")
def preview(code: str, key: str) -> Response:
    """The page as a follower of this branch sees it: as it was saved, or as it is being typed."""
    with wiring().reading() as unit:
        _require(unit, code, key, "read")
        content = _typed(unit, code, key) if request.method == "POST" else _now(unit, code, key)[0]
        read = reading.loaded({**content, "key": key})
        if isinstance(read, list):
            faults = [_told(Fault(one.field, one.rule, one.way_out)) for one in read]
            return Response(render_template("console/own_unready.html", faults=faults))
        here = replace(read.availability, branches=(BranchCode(code),))
        shown = reading.with_icon(
            replace(read, owner=code, availability=here), catalogue.scenarios()
        )
        view = kinds.view_of(shown)
        page = view(unit, _follower(unit, code), shown) if view is not None else abort(404)
    if isinstance(page, Later):
        abort(404)
    return page


@own_services.post("/<key>/remove")
@access("staff", may="edit")
def remove(code: str, key: str) -> ResponseReturnValue:
    """Ask for it to be taken away; a second person decides on that as well."""
    me = guard.me()
    try:
        with wiring().unit() as unit:
            door(unit, me, code, "edit")
            if key not in own.of(unit, code):
                abort(404)
            draft = changes.open_draft(unit, KIND, branch=code, by=me, key=key)
            content = {SECTION_NAME: {"service": None}}
            saved = changes.save(unit, draft.id, content=content, seen=draft.hash, by=me)
    except Refused as refused:
        with wiring().reading() as unit:
            problem = f"{refused.says}。{refused.way_out}"
            return _page(unit, code, key, problem=problem, status=409)
    flash("已存为“撤下”的草稿。请写明原因，再提交审批。", "success")
    return guard.go(url_for("approvals.change", number=saved.id))


def _listing(unit: Unit, code: str, *, problem: str = "", status: int = 200) -> Response:
    rows = unit.db.execute(
        SELECT.where(
            DOCUMENTS.c.kind == KIND, DOCUMENTS.c.branch_code == code, VERSIONS.c.state.in_(OPEN)
        ).order_by(VERSIONS.c.id)
    )
    waiting: dict[str, list[Version]] = {}
    for row in rows:
        waiting.setdefault(row.key, []).append(version_of(row))
    live = own.of(unit, code)
    titles = {key: str(content.get("title", key)) for key, content in live.items()}
    for key, found in waiting.items():
        written = own_section.service_in(found[-1].content.get(SECTION_NAME)) or {}
        titles.setdefault(key, str(written.get("title") or key))
    return shell.page(
        "console/own_services.html", title="自建服务", code=code, problem=problem, live=live,
        name=shell.branch_name(unit, code), titles=titles, waiting=waiting, states=STATES,
        kinds=KINDS, prefix=own.prefix(code), may_edit=may_at(unit, guard.me(), code, "edit"),
        given=request.form, status=status,
    )  # fmt: skip


def _page(
    unit: Unit, code: str, key: str, *, typed: Mapping[str, Any] | None = None,
    problem: str = "", status: int = 200,
) -> Response:  # fmt: skip
    content, mine = _now(unit, code, key)
    shown = typed if typed is not None else content
    faults = [_told(one) for one in own_section.faults_of(unit, code, key, {"service": shown})]
    waiting = versions.open_of(unit, KIND, branch=code, key=key)
    return shell.page(
        "console/own_service.html", title=str(shown.get("title") or key), code=code, key=key,
        name=shell.branch_name(unit, code), told=own_form.shown(shown), faults=faults, mine=mine,
        others=[one for one in waiting if mine is None or one.id != mine.id], states=STATES,
        scenarios=catalogue.scenarios(), categories=categories.names(), kinds=KINDS, vias=VIAS,
        types=TYPES, limits=LIMITS, may_edit=may_at(unit, guard.me(), code, "edit"),
        is_live=key in own.of(unit, code), problem=problem, most_rows=own_form.MOST_ROWS,
        blank_rows=own_form.BLANK_ROWS, icons=ICON_TITLES, others_of=_by_scenario(unit, code),
        below=_below(unit, code), status=status,
    )  # fmt: skip


def _by_scenario(unit: Unit, code: str) -> Mapping[str, Mapping[str, str]]:
    """The titles of the services one may point at from here, by scenario and key."""
    found: dict[str, dict[str, str]] = {}
    for one in catalogue.offered(unit, jurisdiction.lineage(unit, code)).values():
        # What a branch adds may go again; the pack's stay.
        if not one.owner:
            found.setdefault(one.scenario, {})[one.key] = one.title
    return found


def _below(unit: Unit, code: str) -> Mapping[str, str]:
    """The names of the branches below by code."""
    below = jurisdiction.below(unit, code) - {code}
    return {one: name for one, name in jurisdiction.names(unit).items() if one in below}


def _require(unit: Unit, code: str, key: str, act: str) -> None:
    """Abort with 404 where the branch has no such service and nobody is writing one."""
    door(unit, guard.me(), code, act)
    if key not in own.of(unit, code) and not versions.open_of(unit, KIND, branch=code, key=key):
        abort(404)


def _now(unit: Unit, code: str, key: str) -> tuple[Mapping[str, Any], Version | None]:
    """What this person is writing, else what waits, else what is live; and their own version."""
    waiting = versions.open_of(unit, KIND, branch=code, key=key)
    mine = next((one for one in waiting if one.maker_id == guard.me().id), None)
    live: Mapping[str, Any] = own.of(unit, code).get(key) or {}
    for version in (mine, *waiting):
        if version is None:
            continue
        if written := own_section.service_in(version.content.get(SECTION_NAME)):
            return written, mine
    return live, mine


def _typed(unit: Unit, code: str, key: str) -> dict[str, Any]:
    before, _mine = _now(unit, code, key)
    return own_form.content(request.form, before, key=key)


def _told(fault: Fault) -> dict[str, str]:
    return {
        "where": fault.where,
        "called": own_section.where(fault.where),
        "says": fault.rule,
        "way_out": fault.way_out,
    }


def _follower(unit: Unit, code: str) -> Visitor:
    found = branches.directory(unit).get(code) or branches.directory(unit).head
    return standing(unit, None, Whereabouts(found, None, None, None, None, "预览"))
