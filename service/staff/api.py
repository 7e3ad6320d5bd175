"""The API of rights: who the token speaks for, and the branches it is good for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import Schema, fields

from service.access import access
from service.api.blueprint import ApiBlueprint
from service.api.fields import Input, number, words
from service.console import guard
from service.staff import branches_of, door, rights
from service.wiring import Unit, wiring

staff = ApiBlueprint("staff", __name__, title="令牌与机构")

_MOST: Final = 200


class GrantOutput(Schema):
    """One role at one branch and below it."""

    role = fields.String(required=True)
    branch = fields.String(required=True)
    acts = fields.List(fields.String(), required=True)


class MeOutput(Schema):
    """Who the token speaks for, and what it may do."""

    login = fields.String(required=True)
    name = fields.String(required=True)
    grants = fields.List(fields.Nested(GrantOutput), required=True)


class BranchOutput(Schema):
    """One branch."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    above = fields.List(
        fields.String(), required=True, metadata={"description": "上级机构，由近及远"}
    )
    acts = fields.List(
        fields.String(), required=True, metadata={"description": "令牌在这里能做什么"}
    )


class BranchesOutput(Schema):
    """A page of branches, those above before those below."""

    items = fields.List(fields.Nested(BranchOutput), required=True)
    after = fields.String(
        required=True, allow_none=True, metadata={"description": "下一页的 after，没有更多为空"}
    )


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the branches."""

    after: str
    limit: int


class PageInput(Input):
    """Which part of the branches."""

    makes = Page

    after = words(8, load_default="", says="从这个机构之后开始；用上一页给出的值")
    limit = number(least=1, most=_MOST, load_default=100, says="最多多少个")


@staff.operation("GET", "/me", says="令牌属于谁，能做什么", gives=MeOutput)
@access("staff", why="concerns nobody but whoever holds the token")
def me() -> Mapping[str, Any]:
    """Who the token speaks for."""
    caller = guard.me()
    grants = [
        {"role": one.role, "branch": one.branch, "acts": sorted(rights.acts_of(one.role))}
        for one in caller.grants
    ]
    return {"login": caller.login, "name": caller.name, "grants": grants}


@staff.operation("GET", "/branches", says="管辖范围内的机构", asks=PageInput, gives=BranchesOutput)
@access("staff", may="read")
def branches(page: Page) -> Mapping[str, Any]:
    """The branches within the token's jurisdiction."""
    with wiring().reading() as unit:
        own = list(branches_of(unit, guard.me()))
        # A code that is none of theirs begins at the beginning, as one that does not exist.
        start = own.index(page.after) + 1 if page.after in own else 0
        shown = own[start : start + page.limit]
        items = [_told(unit, code) for code in shown]
    return {"items": items, "after": shown[-1] if start + page.limit < len(own) else None}


@staff.operation("GET", "/branches/<code>", says="一个机构", gives=BranchOutput)
@access("staff", may="read")
def branch(code: str) -> Mapping[str, Any]:
    """One branch within the jurisdiction."""
    with wiring().reading() as unit:
        return _told(unit, door(unit, guard.me(), code, "read"))


def _told(unit: Unit, code: str) -> dict[str, Any]:
    tables = unit.wiring.tables
    lineage = tables.lineage(unit, code)
    grants = guard.me().grants
    return {
        "code": code,
        "name": tables.branch_names(unit).get(code, code),
        "above": list(lineage[1:]),
        "acts": sorted(act for act in rights.ACTS if rights.may(grants, act, lineage)),
    }
