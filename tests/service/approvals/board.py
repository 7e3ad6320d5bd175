"""A notice board for each branch: the smallest thing that can be proposed and approved."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup, escape
from sqlalchemy import Column, MetaData, String, Table, Text, delete, insert, select

from service.approvals.kinds import ChangeKind, Difference, Fault, Section
from service.audit import Actor
from service.audit.chain import canonical
from service.staff.people import Me
from service.staff.rights import Grant
from service.wiring import Unit

#: Apart from the program's own tables, which the migrations are held against.
METADATA: Final = MetaData()
BOARD: Final = Table(
    "test_boards",
    METADATA,
    Column("branch", String(16), primary_key=True),
    Column("part", String(16), primary_key=True),
    Column("text", Text),
    Column("by", String(64)),
)

TREE: Final[Mapping[str, Sequence[str]]] = {
    "HQ": ("HQ",),
    "B310000": ("B310000", "HQ"),
    "B440000": ("B440000", "HQ"),
    "B440100": ("B440100", "B440000", "HQ"),
}

HERE: Final = "B440000"
#: Content that passes every check and breaks when it is applied.
BREAKS: Final = "这段内容会让上线出错"


def lineage(_unit: Unit, code: str) -> Sequence[str]:
    return TREE.get(code, ())


def person(number: int, login: str, *roles: tuple[str, str]) -> Me:
    grants = tuple(Grant(role, branch) for role, branch in roles)
    return Me(id=number, login=login, name=login.title(), grants=grants)


MAKER: Final = person(1, "maker", ("editor", HERE))
MATE: Final = person(2, "mate", ("editor", HERE))
CHECKER: Final = person(3, "checker", ("checker", HERE))
SECOND: Final = person(4, "second", ("checker", HERE))
BOTH: Final = person(5, "both", ("editor", HERE), ("checker", HERE))
HEAD: Final = person(6, "head", ("checker", "HQ"))
OUTSIDER: Final = person(7, "outsider", ("editor", "B310000"), ("checker", "B310000"))
BELOW: Final = person(8, "below", ("checker", "B440100"))
ADMINISTRATOR: Final = person(9, "administrator", ("administrator", "HQ"))
AUDITOR: Final = person(10, "auditor", ("auditor", "HQ"))
CAST: Final = (
    *(MAKER, MATE, CHECKER, SECOND, BOTH, HEAD),
    *(OUTSIDER, BELOW, ADMINISTRATOR, AUDITOR),
)


def _read(part: str) -> Any:
    def read(unit: Unit, branch: str, _key: str) -> Any:
        found = unit.db.execute(
            select(BOARD.c.text).where(BOARD.c.branch == branch, BOARD.c.part == part)
        ).scalar()
        return json.loads(found) if found is not None else None

    return read


def _apply(part: str) -> Any:
    def apply(unit: Unit, branch: str, _key: str, content: Any, by: Actor) -> None:
        here = (BOARD.c.branch == branch, BOARD.c.part == part)
        unit.db.execute(delete(BOARD).where(*here))
        unit.db.execute(
            insert(BOARD).values(branch=branch, part=part, text=canonical(content), by=by.login)
        )
        if BREAKS in str(content):
            raise LookupError("the board broke")

    return apply


def ban(unit: Unit, title: str, branch: str = HERE) -> None:
    """From now on this title is not allowed any more."""
    unit.db.execute(insert(BOARD).values(branch=branch, part="banned", text=json.dumps(title)))


def faults(unit: Unit, branch: str, _key: str, content: Any) -> Sequence[Fault]:
    title = content.get("title", "") if isinstance(content, dict) else ""
    if title and title == _read("banned")(unit, branch, ""):
        return [Fault("title", "这个标题已被停用", "换一个标题")]
    if isinstance(title, str) and len(title) <= 8:
        return ()
    return [Fault("title", f"标题最多 8 个字，现在 {len(str(title))} 个", "缩短标题")]


def differences(_unit: Unit, before: Any, after: Any) -> Sequence[Difference]:
    old, new = before or {}, after or {}
    return [
        Difference(name, str(old.get(name, "")), str(new.get(name, "")))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def section(part: str, title: str) -> Section:
    return Section(
        title=title,
        read=_read(part),
        faults=faults,
        apply=_apply(part),
        differences=differences,
        progress=lambda _unit, _branch: "公告正在张贴：剩 2 块" if part == "notice" else None,
    )


def preview(_unit: Unit, _branch: str, _key: str, content: Any, _at: Any) -> Markup:
    return Markup("<p>{}</p>").format(escape(content["notice"].get("title", "")))


KIND: Final = ChangeKind(
    title="公告栏",
    sections={"notice": section("notice", "公告"), "hours": section("hours", "时间")},
    consequences=lambda _unit, _branch, _content: ["约 12 名粉丝会看到新公告。"],
    preview=preview,
    editor=lambda branch, key: f"/console/boards/{branch}{key}",
)
CHANGES: Final = {"board": KIND}


def shown(unit: Unit, part: str = "notice", branch: str = HERE) -> Any:
    """What hangs on the board now."""
    return _read(part)(unit, branch, "")
