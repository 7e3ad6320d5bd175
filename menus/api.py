"""The API of menus: what a follower sees at a place and time, and what a publication would do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import Schema, fields

from menus import commands, plan_report, sections, snapshots
from menus import preview as previews
from menus.plan_report import Outlook
from menus.preview import Preview
from menus.preview_command import told
from menus.publication import draft
from menus.slots import Fill, read_fill
from regions.branches import HEAD_OFFICE
from regions.coordinates import Datum
from service.access import access
from service.api.blueprint import ApiBlueprint
from service.api.fields import FAULTS, Input, Moment, choice, degrees
from service.api.problems import Named, Problem
from service.console import guard
from service.delivery.ledger import Desk
from service.staff import door
from service.wechat.errors import TryLater, WillNever
from service.wiring import Unit, wiring

menus = ApiBlueprint("menus", __name__, title="菜单")


class ServedByOutput(Schema):
    """The branch whose follower it is, and why."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    why = fields.String(required=True)


class EffectiveOutput(Schema):
    """The menu that is meant."""

    title = fields.String(required=True)
    menu = fields.List(fields.Dict(), required=True, metadata={"description": "微信的按钮写法"})
    why = fields.List(fields.List(fields.String()), required=True)
    title_why = fields.List(fields.String(), required=True)
    notes = fields.List(fields.String(), required=True)


class ServedOutput(Schema):
    """The menu WeChat shows."""

    variant = fields.String(required=True, allow_none=True)
    tag_id = fields.Integer(required=True, allow_none=True)
    as_meant = fields.Boolean(required=True)
    why = fields.String(required=True)
    menu = fields.List(fields.Dict(), required=True, allow_none=True)


class PreviewOutput(Schema):
    """What a follower sees, and why."""

    at = Moment(required=True)
    division = fields.String(required=True, allow_none=True)
    place = fields.String(required=True)
    branch = fields.Nested(ServedByOutput, required=True)
    effective = fields.Nested(EffectiveOutput, required=True)
    served = fields.Nested(ServedOutput, required=True)
    refused = fields.List(fields.String(), required=True)
    warnings = fields.List(fields.String(), required=True)


class PlanOutput(Schema):
    """What a publication would do; as ``flask menus plan --json`` tells it."""

    steps = fields.List(fields.Dict(), required=True)
    snapshot = fields.Integer(required=True, allow_none=True)
    drift = fields.List(fields.Dict(), required=True)
    calls = fields.List(fields.Dict(), required=True)
    tags = fields.Dict(required=True)
    retag = fields.Dict(required=True)
    changes = fields.List(fields.Dict(), required=True)
    reach = fields.Dict(required=True)
    fallbacks = fields.List(fields.Dict(), required=True)
    refused = fields.Dict(required=True)
    capacity = fields.Dict(required=True)
    conditional_menus = fields.Integer(required=True)
    domains = fields.List(fields.String(), required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and when."""

    latitude: float
    longitude: float
    datum: str
    at: datetime | None = None


class PlaceInput(Input):
    """Where and when."""

    makes = Place

    latitude = degrees(90, says="纬度")
    longitude = degrees(180, says="经度")
    datum = choice(
        *(one.value for one in Datum), says="经纬度的坐标系", load_default=Datum.GCJ02.value
    )
    at = Moment(metadata={"description": "什么时间；不填为现在"})


@dataclass(frozen=True, slots=True)
class Edition:
    """Fills to try out, and when."""

    menu: Mapping[str, Any] | None = None
    at: datetime | None = None


class EditionInput(Input):
    """Fills to try out, and when; without fills, what is live."""

    makes = Edition

    menu = fields.Dict(
        keys=fields.String(),
        error_messages=FAULTS,
        metadata={"description": "试看的菜单内容，与专区文档的 menu 部分相同；不填为现有的"},
    )
    at = Moment(metadata={"description": "什么时间；不填为现在"})


@menus.operation(
    "GET", "/menu-preview", says="某地、某时的粉丝看到的菜单，以及每一项的原因",
    asks=PlaceInput, gives=PreviewOutput,
)  # fmt: skip
@access("staff", may="read")
def at_place(place: Place) -> Mapping[str, Any]:
    """What a follower here sees, where the place is the caller's business."""
    with wiring().reading() as unit:
        seen = _looked(
            lambda: previews.preview(
                unit, latitude=place.latitude, longitude=place.longitude,
                datum=Datum(place.datum), at=place.at,
            )
        )  # fmt: skip
        door(unit, guard.me(), seen.branch.code, "read")
    return told(seen) | {"at": seen.at}


@menus.operation(
    "POST", "/branches/<code>/menu-preview",
    says="一个机构的粉丝看到的菜单，可以试看没有上线的内容",
    takes=EditionInput, gives=PreviewOutput, long=True,
)  # fmt: skip
@access("staff", may="read")
def of_branch(edition: Edition, code: str) -> Mapping[str, Any]:
    """What followers of a branch see, also if its fills were others. Nothing is kept."""
    with wiring().reading() as unit:
        door(unit, guard.me(), code, "read")
        wanted = _fills(unit, code, edition.menu) if edition.menu is not None else None
        seen = _looked(lambda: previews.preview_branch(unit, code, at=edition.at, fills=wanted))
    return told(seen) | {"at": seen.at}


@menus.operation("GET", "/menu-plan", says="发布菜单会做的每一步；只看，不发布", gives=PlanOutput)
@access("staff", may="publish_frame")
def plan() -> Mapping[str, Any]:
    """What a publication would do now. WeChat is asked, with no transaction open."""
    wired = wiring()
    with wired.reading() as unit:
        door(unit, guard.me(), HEAD_OFFICE, "publish_frame")
    try:
        found = draft(Desk(wired))
        calls, work, changes = plan_report.foreseen(found)
        left = commands.left_today(wired, calls)
    except TryLater:
        raise Problem(503, detail="微信暂时没有应答", way_out="请过一会儿再看。") from None
    except WillNever as refused:
        raise Problem(409, detail=str(refused), way_out="请按提示修改菜单后再看。") from None
    with wired.reading() as unit:
        held = snapshots.held(unit)
    return plan_report.as_json(found, Outlook(calls, left, work, changes, held))


def _looked(look: Callable[[], Preview]) -> Preview:
    try:
        return look()
    except WillNever as refused:
        raise Problem(409, detail=str(refused), way_out="请先改正总行的菜单框架。") from None


def _fills(unit: Unit, code: str, content: Mapping[str, Any]) -> dict[str, Fill]:
    """The fills to try out.

    Raises:
        Problem: 422 with every fault, where they could not go live.
    """
    if found := sections.fills_faults(unit, code, "", content):
        raise Problem(
            422, faults=[Named(f"menu/{one.where}", one.rule, one.way_out) for one in found]
        )
    return {slot: read_fill(raw) for slot, raw in content.items()}
