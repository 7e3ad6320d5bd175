"""What the API's operations on documents take and give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from marshmallow import Schema, fields, validate

from service.api.fields import FAULTS, PAGE, Input, Moment, choice, number, words
from service.api.problems import ConflictOutput, NamedOutput
from service.approvals.states import State

#: How long what somebody says about a change may be.
MOST_WORDS: Final = 2000
_STATES: Final = [state.value for state in State]


def _content(**more: Any) -> fields.Dict:
    return fields.Dict(
        keys=fields.String(error_messages=FAULTS),
        error_messages=FAULTS,
        metadata={"description": "各部分的内容，名称见 /kinds"},
        **more,
    )


class SectionOutput(Schema):
    """One part of a kind of document."""

    name = fields.String(required=True)
    title = fields.String(required=True)


class KindOutput(Schema):
    """A kind of document, and what each step with it takes."""

    kind = fields.String(required=True)
    title = fields.String(required=True)
    sections = fields.List(fields.Nested(SectionOutput), required=True)
    reads = fields.String(required=True)
    edits = fields.String(required=True)
    proposes = fields.String(required=True)
    approves = fields.String(required=True)
    rolls_back = fields.Boolean(required=True)


class KindsOutput(Schema):
    """Every kind."""

    items = fields.List(fields.Nested(KindOutput), required=True)


class BriefOutput(Schema):
    """One version without its content."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    branch = fields.String(required=True)
    key = fields.String(required=True)
    number = fields.Integer(required=True, metadata={"description": "文档内的版本号"})
    state = fields.String(required=True, validate=validate.OneOf(_STATES))
    base = fields.Integer(required=True, allow_none=True)
    live = fields.Integer(
        required=True, allow_none=True, metadata={"description": "现在线上的版本号"}
    )
    hash = fields.String(required=True, metadata={"description": "内容的摘要，提交审批时带上"})
    seal = fields.String(required=True, metadata={"description": "批准时带上，确认批准的就是这些"})
    maker = fields.String(required=True)
    why = fields.String(required=True)
    reviewer = fields.String(required=True)
    reason = fields.String(required=True)
    scheduled_at = Moment(required=True, allow_none=True)
    created_at = Moment(required=True)
    edited_at = Moment(required=True)
    proposed_at = Moment(required=True, allow_none=True)
    decided_at = Moment(required=True, allow_none=True)
    live_at = Moment(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)
    restores = fields.Integer(required=True, allow_none=True)


class VersionOutput(BriefOutput):
    """One version with its content."""

    content = _content(required=True)


class BriefsOutput(Schema):
    """A page of versions, the newest first."""

    items = fields.List(fields.Nested(BriefOutput), required=True)
    older_than = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "下一页的 older_than，没有更多为空"},
    )


class DocumentOutput(Schema):
    """What is live of a document, and the versions somebody still works on."""

    kind = fields.String(required=True)
    branch = fields.String(required=True)
    key = fields.String(required=True)
    live = fields.Nested(BriefOutput, required=True, allow_none=True)
    content = _content(required=True)
    open = fields.List(fields.Nested(BriefOutput), required=True)


class ListedOutput(Schema):
    """A document in a list."""

    kind = fields.String(required=True)
    branch = fields.String(required=True)
    key = fields.String(required=True)
    live = fields.Integer(required=True, allow_none=True)


class DocumentsOutput(Schema):
    """A branch's documents."""

    items = fields.List(fields.Nested(ListedOutput), required=True)


class DifferenceOutput(Schema):
    """One thing that changes, in people's words."""

    section = fields.String(required=True)
    where = fields.String(required=True)
    before = fields.String(required=True)
    after = fields.String(required=True)


class CheckOutput(Schema):
    """What content would change, and what keeps it from going live."""

    differences = fields.List(fields.Nested(DifferenceOutput), required=True)
    faults = fields.List(fields.Nested(NamedOutput), required=True)
    conflicts = fields.List(fields.Nested(ConflictOutput), required=True)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list."""

    older_than: int | None
    limit: int


class PageInput(Input):
    """Which part of a list."""

    makes = Page

    older_than = number(load_default=None, says="只要编号小于它的；用上一页给出的值")
    limit = number(least=1, most=PAGE, load_default=PAGE, says="最多多少项")


@dataclass(frozen=True, slots=True)
class Shelf:
    """Which of the lists of versions, and from where on."""

    shelf: str
    older_than: int | None


class ShelfInput(Input):
    """Which of the lists of versions."""

    makes = Shelf

    shelf = choice(
        "waiting", "mine", "live",
        says="waiting 等我审批的，mine 我编写的，live 已上线的", load_default="waiting",
    )  # fmt: skip
    older_than = number(load_default=None, says="只要编号小于它的；用上一页给出的值")


@dataclass(frozen=True, slots=True)
class Begin:
    """What a draft begins with."""

    copy_of: int | None


class BeginInput(Input):
    """What a draft begins with; what is live unless it is a copy."""

    makes = Begin

    copy_of = number(load_default=None, allow_none=True, says="复制哪个版本号的内容")


@dataclass(frozen=True, slots=True)
class Written:
    """Content, and the live version it was merged with."""

    content: Mapping[str, Any]
    onto: int | None


class WrittenInput(Input):
    """Sections to write; those left out stay as they are."""

    makes = Written

    content = _content(required=True)
    onto = number(
        load_default=None, allow_none=True,
        says="线上已有更新的版本时：合并后写明合并到哪个版本号",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Typed:
    """Content that is only looked at."""

    content: Mapping[str, Any]


class TypedInput(Input):
    """Content that is only looked at."""

    makes = Typed

    content = _content(required=True)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is put before a second person."""

    why: str
    hash: str
    scheduled_at: datetime | None


class ProposalInput(Input):
    """What is put before a second person."""

    makes = Proposal

    why = words(MOST_WORDS, least=1, says="为什么改")
    hash = words(64, least=1, says="提出人看到的内容摘要")
    scheduled_at = Moment(
        load_default=None, allow_none=True, metadata={"description": "何时上线；不填为批准后立即"}
    )


@dataclass(frozen=True, slots=True)
class Reason:
    """Why."""

    reason: str


class ReasonInput(Input):
    """Why it is sent back."""

    makes = Reason

    reason = words(MOST_WORDS, least=1, says="退回的原因，编写人会看到")


class PerhapsReasonInput(Input):
    """Why it is taken back, for whoever wants to say."""

    makes = Reason

    reason = words(MOST_WORDS, load_default="", says="撤回的原因")


@dataclass(frozen=True, slots=True)
class Approval:
    """What exactly is approved."""

    seal: str


class ApprovalInput(Input):
    """What exactly is approved."""

    makes = Approval

    seal = words(64, least=1, says="读取版本时得到的 seal")


@dataclass(frozen=True, slots=True)
class WayBack:
    """What is brought back in place of what."""

    to: int
    why: str
    seen_live: int


class WayBackInput(Input):
    """What is brought back in place of what."""

    makes = WayBack

    to = number(required=True, says="回到哪个版本号")
    why = words(MOST_WORDS, least=1, says="为什么回退")
    seen_live = number(required=True, says="您看到的线上版本号")
