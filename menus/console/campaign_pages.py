"""Venues of campaigns: which there are, and the editor of one with all that it gathers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from flask import Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from lightservices import blocks, rich_text, zone_section, zones
from lightservices.pages import zone_pages as follower_pages
from lightservices.visit import Visitor
from lightservices.zones import ZoneKind
from menus.console import desks, editing, offer, preview_pages, seen, tabs, zone_forms
from menus.console.blueprint import venues
from menus.console.desks import Desk
from menus.console.forms import Form, field_time, words
from menus.console.proposing import propose_page
from service import clock
from service.access import access
from service.approvals import queries
from service.approvals.kinds import Json
from service.approvals.refusals import NotYours
from service.console import guard, shell
from service.staff import door
from service.wiring import Unit, wiring

KIND: Final = "campaign"
#: A venue's key is part of its address, which is printed on posters.
_KEY: Final = re.compile(r"[a-z][a-z0-9-]{2,31}")


@venues.route("/branches/<code>/campaigns", methods=["GET", "POST"])
@access("staff", may="edit")
def campaigns(code: str) -> ResponseReturnValue:
    """The venues of this branch, with the way to begin another one."""
    problem, key = "", request.form.get("key", "").strip()
    with wiring().reading() as unit:
        door(unit, guard.me(), code, "edit")
        if request.method == "POST":
            taken = zones.zone(unit, key)
            if not _KEY.fullmatch(key):
                problem = "代号由 3 至 32 个小写字母、数字和连字符组成，以字母开头。"
            elif taken is not None and taken.branch != code:
                problem = "这个代号已被别的专区使用，换一个代号。"
            else:
                return guard.go(url_for("venues.campaign", code=code, key=key))
        return shell.page(
            "editor/campaigns.html",
            title="活动会场",
            status=422 if problem else 200,
            problem=problem,
            key=key,
            code=code,
            names=unit.wiring.tables.branch_names(unit),
            rows=_rows(unit, code),
        )


@venues.route("/branches/<code>/campaigns/<key>", methods=["GET", "POST"])
@access("staff", may="edit")
def campaign(code: str, key: str) -> ResponseReturnValue:
    """One venue: its page, its time, whose menus lead to it, and what it gathers."""
    pictures = editing.block_uploads(code)

    def read(_unit: Unit, desk: Desk, form: Form) -> Mapping[str, Json]:
        typed = zone_forms.page(form, desk.content["zone"], pictures)
        gather = {"branches": form.all("gather"), "topics": words(form.line("topics"))}
        return {
            "zone": typed
            | {"reach": form.all("reach"), "gather": gather if form.ticked("gathers") else None}
        }

    onward = url_for("venues.campaign", code=code, key=key, edition=request.args.get("edition"))
    return editing.edit(lambda unit: _desk(unit, code, key), read, _show, onward=onward)


@venues.get("/branches/<code>/campaigns/<key>/propose")
@access("staff", may="propose")
def campaign_propose(code: str, key: str) -> Response:
    """The venue on the desk, before it is proposed."""
    with wiring().reading() as unit:
        back = url_for("venues.campaign", code=code, key=key, edition=request.args.get("edition"))
        return propose_page(unit, _desk(unit, code, key, act="propose"), back=back)


@venues.get("/branches/<code>/campaigns/<key>/look")
@access("staff", may="read")
def campaign_look(code: str, key: str) -> Response:
    """The venue's page itself, as a follower at a place and time sees it."""
    with wiring().reading() as unit:
        door(unit, guard.me(), code, "read")
        try:
            content = desks.edition(
                unit, KIND, branch=code, key=key, me=guard.me(),
                mark=request.args.get("edition", ""),
            )  # fmt: skip
            kept = content.get("zone")
            zone = zone_section.zone_of(code, key, kept, kind=ZoneKind.CAMPAIGN)
        except (NotYours, ValidationError):
            abort(404)
        asked = preview_pages.asked(unit, code)
        trial = follower_pages.Trial(asked.at, {}, frozenset(), {})
        html = render_template(
            "pages/zone.html",
            title=zone.title,
            visitor=None,
            whereabouts=asked.where,
            here="/z/local",
            **preview_pages.worn(asked.look),
            **follower_pages.sight(
                unit, Visitor(None, asked.where), zone, is_own=False, trial=trial
            ),
        )
        return Response(html, mimetype="text/html")


def _desk(unit: Unit, code: str, key: str, *, act: str = "edit") -> Desk:
    if not _KEY.fullmatch(key):
        abort(404)
    found = editing.desk_of(unit, KIND, code, key, act=act)
    holder = zones.zone(unit, key)
    if holder is not None and (holder.branch != code or holder.kind is not ZoneKind.CAMPAIGN):
        abort(404)
    return found


def _rows(unit: Unit, code: str) -> list[dict[str, str]]:
    """The venues that are live and those still being written, by key."""
    now = clock.now()
    found: dict[str, dict[str, str]] = {}
    for zone in zones.every(unit):
        if zone.kind is ZoneKind.CAMPAIGN and zone.branch == code:
            state = "进行中" if zone.is_open(now) else "不在活动时间"
            found[zone.key] = {"key": zone.key, "title": zone.title, "state": state}
    for version in queries.open_at(unit, KIND, branch=code):
        title = str((version.content.get("zone") or {}).get("title") or version.key)
        found.setdefault(version.key, {"key": version.key, "title": title, "state": "编写中"})
    return list(found.values())


def _show(unit: Unit, desk: Desk, content: Mapping[str, Json], problem: str) -> Response:
    offered, shown = offer.services(unit, desk.branch), content["zone"]
    found = desks.faults(unit, desk, content)
    gather = shown.get("gather") or {}
    edition = request.args.get("edition")
    return shell.page(
        "editor/campaign.html",
        title="活动会场",
        status=409 if problem else 200,
        desk=desk,
        content=content,
        fields=shown | {name: field_time(shown.get(name)) for name in ("starts_at", "ends_at")},
        title_length=seen.measured(str(shown.get("title", ""))),
        most_title=zone_section.MOST_CAMPAIGN_TITLE,
        block_titles=blocks.TITLES,
        rendered=[rich_text.rendered(str(one.get("text", ""))) for one in shown.get("blocks", ())],
        offered=offered,
        scenarios=offer.by_scenario(offered),
        gathers=shown.get("gather") is not None,
        gathered=frozenset(gather.get("branches") or ()),
        topics="、".join(gather.get("topics") or ()),
        reached=frozenset(shown.get("reach") or ()),
        # Head office chooses among its branches, a branch among its own.
        below=offer.below(unit, desk.branch, levels=1),
        faults=editing.flat(found),
        fault_links=[
            tabs.FaultLink("venues.campaign", tabs.anchor("zone", one.where), "会场", one)
            for some in found.values()
            for one in some
        ],
        problem=problem,
        names=unit.wiring.tables.branch_names(unit),
        code=desk.branch,
        key=desk.key,
        edition=edition,
        page=url_for("venues.campaign_look", code=desk.branch, key=desk.key, edition=desk.seen)
        if desk.version
        else "",
    )
