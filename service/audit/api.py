"""The API of the audit: looking up the entries of branches whose entries the caller may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from marshmallow import Schema, fields

from service.access import access
from service.api.blueprint import ApiBlueprint
from service.api.fields import Input, Moment, number
from service.api.fields import words as text
from service.audit.reading import PAGE, Filters, search
from service.console import guard
from service.staff import reach_of
from service.wiring import wiring

entries = ApiBlueprint("audit", __name__, title="审计")


class EntryOutput(Schema):
    """One entry of the chain with all that its hash was made of."""

    seq = fields.Integer(required=True)
    at = Moment(required=True)
    actor = fields.String(required=True)
    act = fields.String(required=True)
    subject = fields.String(required=True)
    branch = fields.String(required=True)
    before = fields.String(required=True, metadata={"description": "之前的状态，JSON 文本"})
    after = fields.String(required=True, metadata={"description": "之后的状态，JSON 文本"})
    why = fields.String(required=True)
    source = fields.String(required=True)
    previous = fields.String(required=True)
    hash = fields.String(required=True)


class EntriesOutput(Schema):
    """A page of entries, the newest first."""

    items = fields.List(fields.Nested(EntryOutput), required=True)
    older_than = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "下一页的 older_than，没有更多为空"},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for."""

    actor: str = ""
    act: str = ""
    subject: str = ""
    branch: str = ""
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None
    older_than: int | None = None


class SearchInput(Input):
    """What is looked for; what is left out does not count."""

    makes = Search

    actor = text(64, says="登录名")
    act = text(64, says="操作，或一组操作的前半，例如 approvals")
    subject = text(160, says="对象，例如 zone:B440000:local#3")
    branch = text(16, says="机构代码")
    words = text(100, says="对象、原因、前后状态里的文字")
    since = Moment(metadata={"description": "从什么时间起"})
    until = Moment(metadata={"description": "到什么时间为止，不含"})
    older_than = number(most=2**53 - 1, says="只要编号小于它的；用上一页给出的值")


@entries.operation("GET", "/audit", says="查审计记录", asks=SearchInput, gives=EntriesOutput)
@access("staff", may="read_audit")
def listing(asked: Search) -> Mapping[str, Any]:
    """The newest entries that fit."""
    wanted = asdict(asked)
    older = wanted.pop("older_than")
    with wiring().reading() as unit:
        filters = Filters(within=reach_of(unit, guard.me(), "read_audit"), **wanted)
        found = search(unit, filters, older_than=older)
    return {
        "items": [asdict(one) for one in found],
        "older_than": found[-1].seq if len(found) == PAGE else None,
    }
