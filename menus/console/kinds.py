"""The kinds of documents the editors write, for ``Tables.changes``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from flask import render_template
from markupsafe import Markup

from lightservices import promotion_section, zone_section
from menus import sections
from menus.console import meaning, seen
from regions.branches import HEAD_OFFICE
from service import clock
from service.approvals.kinds import ChangeKind, Content
from service.approvals.models import as_text
from service.console import assets, guard
from service.wechat.errors import WillNever
from service.wiring import Unit


def _zone_preview(unit: Unit, branch: str, _key: str, content: Content, at: datetime) -> Markup:
    asked = {"edition": as_text(content)[1], "at": f"{clock.shanghai(at):%Y-%m-%dT%H:%M}"}
    page = f"{guard.ROOT}/branches/{branch}/zone/look?{urlencode(asked)}"
    try:
        phone = seen.phone(unit, branch, seen.with_edition(unit, branch, content, at=at))
    except WillNever as refused:
        return Markup("<p>{}</p>").format(str(refused))
    elsewhere = f"{guard.ROOT}/branches/{branch}/zone/preview?{urlencode(asked)}"
    return _rendered(phone=phone, page=page, title="专区页面", elsewhere=elsewhere)


def _frame_preview(unit: Unit, branch: str, _key: str, content: Content, at: datetime) -> Markup:
    try:
        phone = seen.phone(unit, branch, seen.with_frame(unit, content.get("frame"), at=at))
    except WillNever as refused:
        return Markup("<p>{}</p>").format(str(refused))
    return _rendered(phone=phone, page="", title="")


def _campaign_preview(_unit: Unit, branch: str, key: str, content: Content, at: datetime) -> Markup:
    asked = {"edition": as_text(content)[1], "at": f"{clock.shanghai(at):%Y-%m-%dT%H:%M}"}
    page = f"{guard.ROOT}/branches/{branch}/campaigns/{key}/look?{urlencode(asked)}"
    return _rendered(phone=None, page=page, title="会场页面")


def _rendered(**values: object) -> Markup:
    sheet = assets.paths().get("editor.css", "")
    return Markup(render_template("editor/preview_part.html", sheet=sheet, **values))  # noqa: S704  # our own template escapes


ZONE: Final = ChangeKind(
    title="本地专区",
    sections={
        "zone": zone_section.LOCAL,
        "menu": replace(sections.FILLS, progress=meaning.progress),
        "promotions": promotion_section.SECTION,
    },
    keys="",
    consequences=meaning.of_zone,
    preview=_zone_preview,
    editor=lambda branch, _key: f"{guard.ROOT}/branches/{branch}/zone",
)
FRAME: Final = ChangeKind(
    title="菜单框架",
    sections={"frame": replace(sections.FRAME, progress=meaning.progress)},
    edits="publish_frame",
    proposes="publish_frame",
    keys="",
    # Somebody on duty for one branch would else decide on everybody's menu.
    only_at=HEAD_OFFICE,
    consequences=meaning.of_frame,
    preview=_frame_preview,
    editor=lambda _branch, _key: f"{guard.ROOT}/frame",
)
CAMPAIGN: Final = ChangeKind(
    title="活动会场",
    sections={"zone": zone_section.CAMPAIGN},
    # Branches' own zones are called so; whoever took such a name would stand in a branch's way.
    keys=r"(?!local)[a-z][a-z0-9-]{2,31}",
    consequences=meaning.of_campaign,
    preview=_campaign_preview,
    editor=lambda branch, key: f"{guard.ROOT}/branches/{branch}/campaigns/{key}",
)
