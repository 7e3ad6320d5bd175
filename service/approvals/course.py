"""The course a version took: who did what to it, when and with which words, round after round.

The version itself keeps only the latest proposal and the latest decision; the audit chain keeps
every one, and whoever may read a version may know how it came about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service import audit
from service.approvals.models import Version
from service.staff import operations
from service.wiring import Unit

#: The moves that are told; that somebody saved now and then is of no interest to anybody.
_MOVES: Final[Mapping[str, str]] = {
    "approvals.found": "登记启用审批前的内容",
    "approvals.draft": "开始编写",
    "approvals.propose": "提交审批",
    "approvals.void": "提交后又修改，撤销了提交",
    "approvals.return": "退回",
    "approvals.withdraw": "撤回",
    "approvals.approve": "批准",
    "approvals.live": "上线",
    "approvals.fail": "到时未能上线，退回",
    "approvals.supersede": "被新版本取代",
    "approvals.roll_back": "被回退",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One move, as people read it."""

    at: datetime
    who: str
    did: str
    #: What they gave as the reason, "" where none was asked for.
    words: str


def course(unit: Unit, version: Version) -> list[Step]:
    """Every move of the version, the oldest first."""
    names = operations.names(unit)
    told = audit.Filters(act="approvals", subject=version.subject, since=version.created_at)
    return [
        Step(entry.at, _who(names, entry), _MOVES[entry.act], entry.why)
        for entry in audit.between(unit, told)
        if entry.act in _MOVES
    ]


def _who(names: Mapping[int, str], entry: audit.Entry) -> str:
    if entry.actor_id is None:
        return "系统"
    name = names.get(entry.actor_id)
    return f"{name}（{entry.actor}）" if name else entry.actor
