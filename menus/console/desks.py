"""The edition a person has on their desk: the one they write on, and what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, abort

from service import clock
from service.approvals import operations, queries
from service.approvals.console import merge_page
from service.approvals.kinds import ChangeKind, Difference, Fault, Json
from service.approvals.models import Version, as_text
from service.approvals.refusals import ContentChanged, NotYours, Refused, StaleBase
from service.approvals.states import State
from service.staff import Me
from service.wiring import Unit, wiring

_WRITABLE: Final = (State.DRAFT, State.RETURNED, State.PROPOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One document as one person sees it while editing."""

    name: str
    kind: ChangeKind
    branch: str
    key: str
    #: What they write on; None until they save for the first time.
    version: Version | None
    content: dict[str, Json]
    #: The hash of the content, to be sent along with what was typed.
    seen: str
    #: What is live, by section; None where there is nothing.
    live: Mapping[str, Json | None]
    #: Editions of others that are still being written or wait.
    others: Sequence[Version]

    @property
    def is_proposed(self) -> bool:
        return self.version is not None and self.version.state is State.PROPOSED

    @property
    def is_stale(self) -> bool:
        """Whether something else went live since this was begun."""
        return self.version is not None and self.version.base != self.version.live

    @property
    def is_there(self) -> bool:
        """Whether something of it is live."""
        return any(self.live.values())


def open_desk(
    unit: Unit, name: str, *, branch: str, key: str, me: Me, number: int | None = None
) -> Desk:
    """What this person would go on writing: their own edition, else a new one on what is live.

    Args:
        number: the id of somebody else's edition to write on instead.
    """
    kind = queries.kind_of(unit, name)
    found = queries.open_of(unit, name, branch=branch, key=key)
    writable = [one for one in found if one.state in _WRITABLE]
    mine = sorted(
        (one for one in writable if one.maker_id == me.id),
        key=lambda one: one.state is State.PROPOSED,
    )
    if number is not None:
        mine = [one for one in writable if one.id == number]
        if not mine:
            raise NotYours
    version = mine[0] if mine else None
    content = version.content if version else _present(unit, kind, name, branch=branch, key=key)
    return Desk(
        name=name,
        kind=kind,
        branch=branch,
        key=key,
        version=version,
        content=content,
        live=queries.current(unit, kind, branch=branch, key=key),
        seen=version.hash if version else as_text(content)[1],
        others=[one for one in found if version is None or one.id != version.id],
    )


def save(unit: Unit, desk: Desk, sections: Mapping[str, Json], *, seen: str, me: Me) -> Version:
    """Keep what was typed in these sections.

    Raises:
        Refused: somebody else wrote meanwhile, or something else went live.
    """
    version = desk.version
    if version is None:
        version = operations.open_draft(unit, desk.name, branch=desk.branch, by=me, key=desk.key)
    return operations.save(unit, version.id, content=sections, seen=seen, by=me)


def faults(unit: Unit, desk: Desk, content: Mapping[str, Json]) -> Mapping[str, Sequence[Fault]]:
    """What is wrong with what was typed, by section."""
    return queries.faults_in(unit, desk.kind, branch=desk.branch, key=desk.key, content=content)


def differences(
    unit: Unit, desk: Desk, content: Mapping[str, Json]
) -> Mapping[str, Sequence[Difference]]:
    """How what was typed differs from what is live now, by section."""
    return {
        name: part.differences(unit, desk.live.get(name), content.get(name))
        for name, part in desk.kind.sections.items()
    }


def edition(unit: Unit, name: str, *, branch: str, key: str, me: Me, mark: str) -> dict[str, Any]:
    """The content with this hash among the editions of a document, for a preview.

    Without a hash what is on the person's own desk.
    """
    if not mark:
        return open_desk(unit, name, branch=branch, key=key, me=me).content
    found = queries.open_of(unit, name, branch=branch, key=key)
    live = queries.live_of(unit, name, branch=branch, key=key)
    for version in (*found, *([live] if live else [])):
        if version.hash == mark:
            return version.content
    raise NotYours


def answered(refusal: Refused) -> Response | str:
    """How an editor meets a refusal: its own page where a person must choose, else a sentence."""
    if isinstance(refusal, NotYours):
        abort(404)
    if isinstance(refusal, StaleBase):
        with wiring().reading() as unit:
            return merge_page(unit, refusal, typed=json.dumps(dict(refusal.mine)))
    if isinstance(refusal, ContentChanged):
        at = f"{clock.shanghai(refusal.version.edited_at):%H:%M}"
        return (
            f"这份草稿 {at} 在别处被保存过（可能是您的另一个窗口）。"
            "下面是您刚才填写的内容，还没有保存；再点一次“保存草稿”就以这里为准。"
        )
    return f"{refusal.says}。{refusal.way_out}"


def _present(unit: Unit, kind: ChangeKind, name: str, *, branch: str, key: str) -> dict[str, Json]:
    """What a new edition would begin with, as ``operations.open_draft`` has it."""
    live = queries.live_of(unit, name, branch=branch, key=key)
    content = live.content if live else queries.current(unit, kind, branch=branch, key=key)
    for part_name, part in kind.sections.items():
        if content.get(part_name) is None:
            content[part_name] = part.fresh(unit, branch, key)
    return content
