"""Branches' own page of whom followers are handed to: written here, approved by a second person."""

from __future__ import annotations

import base64
from typing import Any, Final

from flask import Blueprint, Response, flash, request
from flask.typing import ResponseReturnValue

from lightservices.handoff import section
from lightservices.handoff.section import FIELDS, KIND, MOST_PEOPLE, MOST_PICTURE_BYTES
from service.access import access
from service.approvals import operations as changes
from service.approvals import queries as versions
from service.approvals.models import Version
from service.approvals.refusals import STATES, Refused
from service.console import guard, shell
from service.staff import door, may_at
from service.wiring import Unit, wiring

contacts = Blueprint(
    "console_contacts", __name__, url_prefix=f"{guard.ROOT}/contacts",
    template_folder="../templates",
)  # fmt: skip

#: Empty lines under those there are, so that people can be added without a script.
_SPARE: Final = 2
_TYPED: Final = ("outlet", "name", "title", "url", "hours")


@contacts.get("/<code>")
@access("staff", may="read")
def listing(code: str) -> Response:
    """The branch's people as they are, and the draft on them."""
    with wiring().reading() as unit:
        door(unit, guard.me(), code, "read")
        return _page(unit, code)


@contacts.post("/<code>")
@access("staff", may="edit")
def save(code: str) -> ResponseReturnValue:
    """Write the draft; with the other button, put it before a second person at once."""
    me, rows = guard.me(), _rows()
    content = {section.SECTION_NAME: {"people": rows}}
    problem = ""
    faults: dict[str, str] = {}
    try:
        with wiring().unit() as unit:
            door(unit, me, code, "edit")
            draft = changes.open_draft(unit, KIND, branch=code, by=me)
            saved = changes.save(unit, draft.id, content=content, seen=draft.hash, by=me)
            found = section.faults(unit, code, "", content[section.SECTION_NAME])
            faults = {one.where: f"{one.rule}：{one.way_out}" for one in found}
            if "propose" in request.form and not faults:
                why = request.form.get("why", "")
                changes.propose(unit, saved.id, why=why, seen=saved.hash, by=me)
    except Refused as refused:
        problem = f"{refused.says}。{refused.way_out}"
    if problem or faults:
        with wiring().reading() as unit:
            return _page(
                unit, code, rows=rows, faults=faults, status=422,
                problem=problem or f"草稿已保存，还有 {len(faults)} 处要改，改好才能提交审批。",
            )  # fmt: skip
    is_sent = "propose" in request.form
    flash("已提交，由另一位同事审批后生效。" if is_sent else "草稿已保存。", "success")
    return guard.go(f"{guard.ROOT}/contacts/{code}")


def _page(
    unit: Unit, code: str, *, rows: list[dict[str, str]] | None = None,
    faults: dict[str, str] | None = None, problem: str = "", status: int = 200,
) -> Response:  # fmt: skip
    me = guard.me()
    waiting = versions.open_of(unit, KIND, branch=code)
    mine = next((one for one in waiting if one.maker_id == me.id), None)
    shown = rows if rows is not None else _content(unit, code, mine)
    may_edit = may_at(unit, me, code, "edit")
    spare = [dict.fromkeys(FIELDS, "")] * _SPARE if may_edit and len(shown) < MOST_PEOPLE else []
    return shell.page(
        "console/contacts.html", title=f"{shell.branch_name(unit, code)}的客户经理", code=code,
        rows=[*shown, *spare], faults=faults or {}, problem=problem, status=status, mine=mine,
        waiting=waiting, states=STATES, may_edit=may_edit,
        kilobytes=MOST_PICTURE_BYTES // 1024,
    )  # fmt: skip


def _content(unit: Unit, code: str, mine: Version | None) -> list[dict[str, str]]:
    live: Any = section.read(unit, code, "")
    content = mine.content[section.SECTION_NAME] if mine else live
    found: list[dict[str, str]] = content["people"]
    return found


def _rows() -> list[dict[str, str]]:
    """The people as they were typed; lines without a word in them are left out."""
    found = []
    count = request.form.get("count", "")
    lines = int(count) if count.isdecimal() and len(count) < 4 else 0
    for number in range(min(lines, MOST_PEOPLE + _SPARE)):
        row = {name: request.form.get(f"{name}-{number}", "").strip()[:600] for name in _TYPED}
        row["picture"] = _picture(number)
        if any(row.values()) and f"drop-{number}" not in request.form:
            found.append(row)
    return found


def _picture(number: int) -> str:
    """A picture that was uploaded now, else the one that was there."""
    sent = request.files.get(f"file-{number}")
    raw = sent.read(MOST_PICTURE_BYTES + 1) if sent else b""
    if raw:
        return base64.b64encode(raw).decode()
    return request.form.get(f"picture-{number}", "")[: 2 * MOST_PICTURE_BYTES]
