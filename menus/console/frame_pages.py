"""Head office's frame: who decides what stands in each position of everybody's menu."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from menus.console import desks, editing, frame_forms, item_forms, meaning, offer, seen, tabs
from menus.console.blueprint import frames
from menus.console.desks import Desk
from menus.console.forms import Form
from menus.console.proposing import propose_page
from menus.slots import read_frame
from regions.branches import HEAD_OFFICE
from service.access import access
from service.approvals.kinds import Json
from service.console import shell
from service.wechat.errors import WillNever
from service.wiring import Unit, wiring

KIND = "frame"


def _find(unit: Unit) -> Desk:
    return editing.desk_of(unit, KIND, HEAD_OFFICE, act="publish_frame")


@frames.route("/frame", methods=["GET", "POST"])
@access("staff", may="publish_frame")
def frame() -> ResponseReturnValue:
    """The frame, column by column."""

    def read(_unit: Unit, _desk: Desk, form: Form) -> Mapping[str, Json]:
        return {"frame": frame_forms.read(form)}

    onward = url_for("frames.frame", edition=request.args.get("edition"))
    return editing.edit(_find, read, _show, onward=onward)


@frames.get("/frame/propose")
@access("staff", may="publish_frame")
def frame_propose() -> Response:
    """The frame on the desk, before it is proposed."""
    with wiring().reading() as unit:
        back = url_for("frames.frame", edition=request.args.get("edition"))
        return propose_page(unit, _find(unit), back=back)


def _show(unit: Unit, desk: Desk, content: Mapping[str, Json], problem: str) -> Response:
    offered = offer.services(unit, HEAD_OFFICE)
    found = desks.faults(unit, desk, content)
    phone, trouble = _phone(unit, content["frame"])
    return shell.page(
        "editor/frame.html",
        title="菜单框架",
        status=409 if problem else 200,
        desk=desk,
        columns=frame_forms.shown(content["frame"]),
        slot_kinds=frame_forms.KINDS,
        flags=frame_forms.FLAGS,
        levels=frame_forms.LEVELS,
        kinds=item_forms.KINDS,
        scenarios=offer.by_scenario(offered),
        zone_names=offer.zone_names(unit),
        measured=seen.measured,
        faults=editing.flat(found),
        fault_links=[
            tabs.FaultLink("frames.frame", "", "菜单框架", one)
            for some in found.values()
            for one in some
        ],
        lost=_lost(unit, content["frame"]),
        phone=phone,
        trouble=trouble,
        problem=problem,
        names=unit.wiring.tables.branch_names(unit),
        code=HEAD_OFFICE,
        edition=request.args.get("edition"),
    )


def _phone(unit: Unit, content: Json) -> tuple[seen.Phone | None, str]:
    try:
        return seen.phone(unit, HEAD_OFFICE, seen.with_frame(unit, content)), ""
    except WillNever as refused:
        return None, str(refused)


def _lost(unit: Unit, content: Json) -> list[str]:
    """What branches filled in that this frame would no longer show."""
    try:
        return list(meaning.lost_fills(unit, read_frame(content)))
    except ValidationError:
        return []
