"""The API of documents: read, write, propose, decide, go back, by the console's own operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, cast

from service.access import access
from service.api.blueprint import ApiBlueprint
from service.approvals import api_answers as answers
from service.approvals import api_schemas as said
from service.approvals import operations as do
from service.approvals import queries, showing
from service.approvals.api_answers import refusals
from service.approvals.models import Version
from service.approvals.refusals import AlreadySettled, ContentChanged, NoWayBack
from service.approvals.states import OPEN, State
from service.approvals.writing import shown
from service.console import guard
from service.staff import Me, door
from service.wiring import Unit, wiring

changes = ApiBlueprint("changes", __name__, title="文档与审批")

#: How the empty key is written in an address.
NO_KEY = "-"
_HERE = "/branches/<code>/documents/<kind>/<key>"
_ONE = "/versions/<int:number>"

Told = Mapping[str, Any]


@changes.operation(
    "GET", "/kinds", says="有哪些种类的文档，各由哪些部分组成", gives=said.KindsOutput
)
@access("staff", may="read")
def kinds() -> Told:
    """Every kind of document."""
    found = wiring().tables.changes
    return {
        "items": [
            {
                "kind": name,
                "sections": [
                    {"name": part_name, "title": part.title}
                    for part_name, part in kind.sections.items()
                ],
                **{
                    field: getattr(kind, field)
                    for field in ("title", "reads", "edits", "proposes", "approves", "rolls_back")
                },
            }
            for name, kind in found.items()
        ]
    }


@changes.operation(
    "GET", "/branches/<code>/documents", says="一个机构的文档", gives=said.DocumentsOutput
)
@access("staff", may="read")
def documents(code: str) -> Told:
    """The documents of a branch that the caller may read."""
    with wiring().reading() as unit:
        me = guard.me()
        door(unit, me, code, "read")
        return {"items": queries.documents(unit, code, by=me)}


@changes.operation(
    "GET",
    _HERE,
    says="一份文档：线上的内容，和正在编写的版本",
    gives=said.DocumentOutput,
    etag=True,
)
@access("staff", may="read")
def document(code: str, kind: str, key: str) -> Told:
    """What is live of a document, and who is writing on it."""
    key = _key(key)
    with wiring().reading() as unit, refusals():
        found = queries.kind_at(unit, kind, branch=code, key=key)
        door(unit, guard.me(), code, found.reads)
        live = queries.live_of(unit, kind, branch=code, key=key)
        # What a section reads may be a second old; what was approved is exact.
        content = live.content if live else queries.current(unit, found, branch=code, key=key)
        waiting = queries.open_of(unit, kind, branch=code, key=key)
    return {
        "kind": kind, "branch": code, "key": key, "content": content,
        "live": answers.brief(live) if live else None,
        "open": [answers.brief(one) for one in waiting],
    }  # fmt: skip


@changes.operation(
    "POST", f"{_HERE}/check", says="检查内容：会改变什么，有哪些错误；不保存",
    takes=said.TypedInput, gives=said.CheckOutput, long=True,
)  # fmt: skip
@access("staff", may="read")
def check(typed: said.Typed, code: str, kind: str, key: str) -> Told:
    """What content would change and what is wrong with it; nothing is kept."""
    key = _key(key)
    with wiring().reading() as unit, refusals():
        found = queries.kind_at(unit, kind, branch=code, key=key)
        # Faults tell of more than the document: only whoever might write it is told of them.
        door(unit, guard.me(), code, found.edits)
        found.allows(unit, guard.me(), code, key)
        answers.require_sections(found, typed.content)
        live = queries.current(unit, found, branch=code, key=key)
        content = {**live, **typed.content}
        wrong = queries.faults_in(unit, found, branch=code, key=key, content=content)
        differing = {
            name: part.differences(unit, live.get(name), content[name])
            for name, part in found.sections.items()
            # People's words for what differs can only be found for content that makes sense.
            if name not in wrong and content[name] is not None
        }
    return {
        "differences": answers.differences(differing),
        "faults": _told(wrong),
        "conflicts": [],
    }


@changes.operation(
    "POST", f"{_HERE}/drafts", says="开始编写；已有自己的草稿时返回那一份",
    takes=said.BeginInput, gives=said.VersionOutput, etag=True,
)  # fmt: skip
@access("staff", may="read")
def begin(given: said.Begin, code: str, kind: str, key: str) -> Told:
    """The draft the caller is writing on, or a new one: asking twice makes no second."""
    with wiring().unit() as unit, refusals():
        me = guard.me()
        draft = do.open_draft(unit, kind, branch=code, by=me, key=_key(key), copy_of=given.copy_of)
    return _marked(draft)


@changes.operation(
    "GET", "/changes", says="版本列表：等我审批的、我编写的、已上线的",
    asks=said.ShelfInput, gives=said.BriefsOutput,
)  # fmt: skip
@access("staff", may="read")
def shelf(asked: said.Shelf) -> Told:
    """A list of versions, as the console's shelves have them."""
    name = cast(queries.Shelf, asked.shelf)
    with wiring().reading() as unit:
        found = queries.shelf(unit, name, by=guard.me(), older_than=asked.older_than)
    is_full = name != "waiting" and len(found) == queries.PAGE
    return {
        "items": [answers.brief(one) for one in found],
        "older_than": found[-1].id if is_full else None,
    }


@changes.operation("GET", _ONE, says="一个版本及其内容", gives=said.VersionOutput, etag=True)
@access("staff", may="read")
def version(number: int) -> Told:
    """One version; its ETag goes into the If-Match of what is written on it."""
    with wiring().reading() as unit, refusals():
        found = queries.find(unit, number, by=guard.me())
    return _marked(found)


@changes.operation(
    "PUT", _ONE, says="保存内容；没有给出的部分保持不变",
    takes=said.WrittenInput, gives=said.VersionOutput, etag=True, long=True,
)  # fmt: skip
@access("staff", may="read")
def save(given: said.Written, number: int) -> Told:
    """Write sections into a version, on top of what the caller last read."""
    with wiring().unit() as unit, refusals(changed=HTTPStatus.PRECONDITION_FAILED):
        me = guard.me()
        found = queries.find(unit, number, by=me)
        kind = queries.kind_of(unit, found.kind)
        door(unit, me, found.branch, kind.edits)
        changes.check_etag(answers.mark(found))
        answers.require_sections(kind, given.content)
        answers.require_sound(unit, kind, found, given.content)
        # Should somebody write between that look and this, the hash no longer fits.
        saved = do.save(
            unit, number, content=given.content, seen=found.hash, by=me, onto=given.onto
        )
    return _marked(saved)


@changes.operation(
    "GET",
    f"{_ONE}/check",
    says="一个版本改变什么，有哪些错误，与线上有无冲突",
    gives=said.CheckOutput,
)
@access("staff", may="read")
def differences(number: int) -> Told:
    """What a version changes, what is wrong with it, and where it was overtaken."""
    with wiring().reading() as unit, refusals():
        found = queries.find(unit, number, by=guard.me())
        is_open = found.state in OPEN
        wrong = queries.faults(unit, found) if is_open else {}
        changed = queries.differences(unit, found)
        is_stale = is_open and found.base != found.live
        conflicts = answers.conflicts(showing.stale(unit, found)) if is_stale else []
    return {
        "differences": answers.differences(changed),
        "faults": _told(wrong),
        "conflicts": conflicts,
    }


@changes.operation(
    "GET",
    f"{_ONE}/history",
    says="同一文档的所有版本",
    asks=said.PageInput,
    gives=said.BriefsOutput,
)
@access("staff", may="read")
def history(page: said.Page, number: int) -> Told:
    """All versions of the same document, the newest first."""
    with wiring().reading() as unit, refusals():
        found = queries.history(unit, queries.find(unit, number, by=guard.me()))
    older = [one for one in found if page.older_than is None or one.number < page.older_than]
    shown_now = older[: page.limit]
    return {
        "items": [answers.brief(one) for one in shown_now],
        "older_than": shown_now[-1].number if len(older) > page.limit else None,
    }


@changes.operation(
    "POST", f"{_ONE}/propose", says="提交审批，可以定时上线",
    takes=said.ProposalInput, gives=said.VersionOutput,
)  # fmt: skip
@access("staff", may="read")
def propose(given: said.Proposal, number: int) -> Told:
    """Put a version before a second person."""

    def was_done(found: Version, me: Me) -> bool:
        said_so = (found.why, found.hash, found.scheduled_at)
        return (
            found.state is State.PROPOSED
            and me.id in found.editors
            and said_so == (given.why.strip(), given.hash, given.scheduled_at)
        )

    return _do(
        number,
        lambda unit, me: do.propose(
            unit, number, why=given.why, seen=given.hash, by=me, scheduled_at=given.scheduled_at
        ),
        was_done,
    )


@changes.operation(
    "POST", f"{_ONE}/withdraw", says="撤回", takes=said.PerhapsReasonInput, gives=said.VersionOutput
)
@access("staff", may="read")
def withdraw(given: said.Reason, number: int) -> Told:
    """Take a version back for good."""
    return _do(
        number,
        lambda unit, me: do.withdraw(unit, number, by=me, why=given.reason),
        lambda found, me: found.state is State.WITHDRAWN and found.ended_by == shown(me),
    )


@changes.operation(
    "POST", f"{_ONE}/return", says="退回给编写人", takes=said.ReasonInput, gives=said.VersionOutput
)
@access("staff", may="read")
def send_back(given: said.Reason, number: int) -> Told:
    """Send a version back with a reason."""
    return _do(
        number,
        lambda unit, me: do.return_(unit, number, reason=given.reason, by=me),
        lambda found, me: (
            found.state is State.RETURNED
            and found.reviewer_id == me.id
            and found.reason == given.reason.strip()
        ),
    )


@changes.operation(
    "POST", f"{_ONE}/approve", says="批准；立即或按定时上线",
    takes=said.ApprovalInput, gives=said.VersionOutput,
)  # fmt: skip
@access("staff", may="read")
def approve(given: said.Approval, number: int) -> Told:
    """Say yes to exactly what the seal stands for."""
    return _do(
        number,
        lambda unit, me: do.approve(unit, number, seal=given.seal, by=me),
        lambda found, me: (
            found.state in (State.LIVE, State.APPROVED)
            and found.reviewer_id == me.id
            and found.seal == given.seal
        ),
    )


@changes.operation(
    "POST", f"{_ONE}/roll-back", says="回到以前上线过的版本",
    takes=said.WayBackInput, gives=said.VersionOutput,
)  # fmt: skip
@access("staff", may="read")
def roll_back(given: said.WayBack, number: int) -> Told:
    """Bring back what was live before."""

    def act(unit: Unit, me: Me) -> Version:
        return do.roll_back(
            unit, number, to=given.to, why=given.why, seen_live=given.seen_live, by=me
        )

    def was_done(found: Version, me: Me) -> bool:
        return (
            found.maker_id == me.id
            and (found.restores, found.base) == (given.to, given.seen_live)
            and found.why == given.why.strip()
        )

    return _do(number, act, was_done, live=True)


def _do(
    number: int,
    act: Callable[[Unit, Me], Version],
    was_done: Callable[[Version, Me], bool],
    *,
    live: bool = False,
) -> Told:
    """Make a move. Asked once more by a caller who never got the answer, give it again.

    Args:
        was_done: whether this version shows that this very move was made by this caller.
        live: whether to look for that at what is live instead of at the version itself.
    """
    with wiring().unit() as unit, refusals():
        me = guard.me()
        try:
            return answers.whole(act(unit, me))
        except (AlreadySettled, ContentChanged, NoWayBack):
            found = queries.find(unit, number, by=me)
            now = queries.live_of(unit, found.kind, branch=found.branch, key=found.key)
            found = now if live and now else found
            if not was_done(found, me):
                raise
            return answers.whole(found)


def _marked(found: Version) -> Told:
    """A version with its content, and the ETag that writing on it asks for."""
    changes.set_etag(answers.mark(found))
    return answers.whole(found)


def _key(told: str) -> str:
    return "" if told == NO_KEY else told


def _told(faults: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"where": one.where, "rule": one.rule, "way_out": one.way_out}
        for one in answers.named(faults)
    ]
