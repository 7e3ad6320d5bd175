"""What a page of changes shows: a version, all it does, and what this person may do about it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from service.approvals import queries
from service.approvals.course import Step, course
from service.approvals.kinds import ChangeKind, Difference, Fault
from service.approvals.merging import MISSING, Side, merge
from service.approvals.models import Version
from service.approvals.refusals import NotAllowed, StaleBase
from service.approvals.states import OPEN, WAS_LIVE, State
from service.approvals.writing import stale as stale_refusal
from service.console import shell
from service.staff import Me, may_at
from service.wiring import Unit

#: Whoever sees a change that somebody may still write to.
_WRITABLE = frozenset({State.DRAFT, State.RETURNED, State.PROPOSED})


@dataclass(frozen=True, slots=True)
class Line:
    """One version in a list."""

    version: Version
    kind: str
    branch: str


@dataclass(frozen=True, slots=True)
class Part:
    """One section of a change: what is different, and what is wrong."""

    title: str
    differences: Sequence[Difference]
    faults: Sequence[Fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One change as this person sees it."""

    title: str
    branch: str
    parts: Sequence[Part]
    preview: Markup | None
    progress: Sequence[str]
    course: Sequence[Step]
    history: Sequence[Version]
    editor: str
    is_stale: bool
    had_a_hand: bool
    may_decide: bool
    may_write: bool
    may_propose: bool
    may_withdraw: bool
    may_roll_back: bool

    @property
    def changed(self) -> int:
        """How many things are different."""
        return sum(len(part.differences) for part in self.parts)

    @property
    def faulty(self) -> int:
        """How many things are wrong."""
        return sum(len(part.faults) for part in self.parts)

    def can_return_to(self, version: Version) -> bool:
        """Whether this person may bring that version back."""
        return self.may_roll_back and version.live is not None and version.state in WAS_LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """What going back to an older version changes."""

    old: Version
    live: Version
    parts: Sequence[Part]
    consequences: Sequence[str]
    may: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place two people changed, with all three texts."""

    path: str
    where: str
    base: str
    mine: str
    theirs: str


def line(unit: Unit, version: Version) -> Line:
    """A version for a list."""
    kind = queries.kind_of(unit, version.kind)
    return Line(version, kind.title, shell.branch_name(unit, version.branch))


def sight(unit: Unit, version: Version, *, me: Me, at: datetime) -> Sight:
    """The version with all it does; ``at`` is the moment the preview is for."""
    kind = queries.kind_of(unit, version.kind)
    content, is_open = version.content, version.state in OPEN
    had_a_hand = me.id in version.editors

    def may(act: str) -> bool:
        return may_at(unit, me, version.branch, act)

    return Sight(
        title=f"{kind.title} {version.key}".strip(),
        branch=shell.branch_name(unit, version.branch),
        parts=_parts(unit, kind, version),
        preview=kind.preview(unit, version.branch, version.key, content, at)
        if kind.preview is not None and (is_open or version.state is State.LIVE)
        else None,
        progress=queries.progress(unit, version),
        course=course(unit, version),
        history=queries.history(unit, version),
        editor=kind.editor(version.branch, version.key) if kind.editor else "",
        is_stale=is_open and version.base != version.live,
        had_a_hand=had_a_hand,
        may_decide=may(kind.approves) and not had_a_hand,
        may_write=version.state in _WRITABLE and may(kind.edits),
        may_propose=version.state in (State.DRAFT, State.RETURNED) and may(kind.proposes),
        may_withdraw=is_open and may(kind.proposes),
        may_roll_back=may(kind.approves) and kind.rolls_back,
    )


def consequences(unit: Unit, version: Version) -> list[str]:
    """What approving it means, one sentence each, most of them in numbers."""
    kind = queries.kind_of(unit, version.kind)
    meant = [
        *kind.consequences(unit, version.branch, version.content),
        *kind.beware(unit, version.key),
    ]
    others = queries.open_of(unit, version.kind, branch=version.branch, key=version.key)
    stale = [other.number for other in others if other.id != version.id]
    if stale:
        told = "、".join(map(str, stale))
        meant.append(f"另有 {len(stale)} 个版本（{told}）正在编写或等待，之后要先合并才能上线。")
    return meant


def way_back(unit: Unit, version: Version, *, to: int, me: Me) -> WayBack:
    """What bringing back an older version would change now.

    Raises:
        NotYours: there is no such version, or nothing is live.
    """
    kind = queries.kind_of(unit, version.kind)
    old = queries.numbered(unit, version.document_id, to)
    live = queries.numbered(unit, version.document_id, -1 if old.live is None else old.live)
    now = queries.current(unit, kind, branch=old.branch, key=old.key)
    content, wrong = old.content, queries.faults(unit, old)
    parts = [
        Part(
            section.title,
            section.differences(unit, now[name], content.get(name)),
            wrong.get(name, ()),
        )
        for name, section in kind.sections.items()
    ]
    return WayBack(
        old=old,
        live=live,
        parts=parts,
        consequences=kind.consequences(unit, old.branch, content),
        may=may_at(unit, me, old.branch, kind.approves)
        and kind.rolls_back
        and old.state in WAS_LIVE,
    )


def stale(unit: Unit, version: Version) -> StaleBase:
    """The three texts of a version that was overtaken."""
    return stale_refusal(unit, version, mine=version.content)


def places(unit: Unit, refusal: StaleBase) -> list[Place]:
    """Where both changed something, in words."""
    kind = queries.kind_of(unit, refusal.version.kind)
    found = merge(refusal.base, mine=refusal.mine, theirs=refusal.theirs)
    return [
        Place(
            path=one.path,
            where=_where(kind, one.path),
            base=_text(one.base),
            mine=_text(one.mine),
            theirs=_text(one.theirs),
        )
        for one in found.conflicts
    ]


def merged(
    unit: Unit, version: Version, *, typed: str, chosen: Mapping[str, Side]
) -> dict[str, Any]:
    """What comes of the choices. ``typed`` is content that is not saved yet, as JSON, or "".

    Raises:
        ValueError: it is no content, or a place was left open.
        NotAllowed: nothing is live that could be merged in.
    """
    if version.live is None:
        raise NotAllowed
    mine = json.loads(typed) if typed else version.content
    kind = queries.kind_of(unit, version.kind)
    if not isinstance(mine, dict) or not set(mine) <= set(kind.sections):
        raise ValueError("content is an object of the kind's sections")
    refusal = stale_refusal(unit, version, mine=version.content | mine)
    done = merge(refusal.base, mine=refusal.mine, theirs=refusal.theirs, chosen=chosen)
    if done.conflicts:
        raise ValueError("a place was left open")
    return done.content


def _parts(unit: Unit, kind: ChangeKind, version: Version) -> list[Part]:
    changed = queries.differences(unit, version)
    wrong = queries.faults(unit, version) if version.state in OPEN else {}
    return [
        Part(section.title, changed[name], wrong.get(name, ()))
        for name, section in kind.sections.items()
    ]


def _where(kind: ChangeKind, path: str) -> str:
    name, _slash, rest = path.partition("/")
    title = kind.sections[name].title if name in kind.sections else name
    return f"{title}：{rest.replace('/', ' / ')}" if rest else title


def _text(value: Any) -> str:
    if value is MISSING:
        return "（没有）"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
