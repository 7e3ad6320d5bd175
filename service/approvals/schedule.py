"""What was approved for a later time goes live when that time has come, exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import select

from service import clock, journal
from service.approvals.models import DOCUMENTS, VERSIONS, Version
from service.approvals.refusals import Refused
from service.approvals.states import Move, State
from service.approvals.writing import Hand, go_live, guard, hold, hold_document, move, tell
from service.refusals import PASSING
from service.staff import Me
from service.wiring import Unit

log = journal.logger("service.approvals.schedule")

#: How often the worker looks, in seconds, and how many it puts live in one transaction.
EVERY_SECONDS: Final = 5
_AT_ONCE: Final = 10

_BROKE: Final = "到时上线出错，已退回；请联系技术同事查看日志，修好后重新提交。"


def due(unit: Unit) -> None:
    """Put live what is due; one that cannot go live is returned with the reason, not forgotten."""
    waiting = unit.db.execute(
        select(VERSIONS.c.id, VERSIONS.c.document_id)
        .join_from(VERSIONS, DOCUMENTS, VERSIONS.c.document_id == DOCUMENTS.c.id)
        .where(
            VERSIONS.c.state == State.APPROVED,
            VERSIONS.c.scheduled_at <= clock.now(),
            # A kind that a release dropped waits for ever, and nothing behind it does.
            DOCUMENTS.c.kind.in_(unit.wiring.tables.changes),
        )
        .order_by(VERSIONS.c.scheduled_at, VERSIONS.c.id)
        .limit(_AT_ONCE)
    ).all()
    # All before the first goes live: somebody who holds one of these may wait for what that locks.
    for document in sorted({row.document_id for row in waiting}):
        hold_document(unit, document)
    for row in waiting:
        _put_live(unit, row.id)


def _put_live(unit: Unit, version_id: int) -> None:
    version = hold(unit, version_id, by=None)
    # While this worker waited for the document, another may have done it or a person undone it.
    if version.state is not State.APPROVED:
        return
    try:
        with _all_or_nothing(unit):
            guard(unit, version, Move.GO_LIVE, Hand(None))
            go_live(unit, version, Move.GO_LIVE, by=_approver(version), actor=None)
    except Refused as refusal:
        _give_back(unit, version, f"到时未能上线：{refusal.says}。{refusal.way_out}")
    except PASSING:
        # A database that does not answer is no reason to give anything back; the next look is soon.
        raise
    except Exception:
        log.error("a scheduled version failed to go live", exc_info=True)
        _give_back(unit, version, _BROKE)


def _give_back(unit: Unit, version: Version, reason: str) -> None:
    returned = move(unit, version, Move.FAIL, reason=reason, decided_at=clock.now())
    tell(unit, "fail", returned, by=None, before=version, why=reason)


def _approver(version: Version) -> Me:
    assert version.reviewer_id is not None
    return Me(id=version.reviewer_id, login=version.reviewer_login, name=version.reviewer)


@contextmanager
def _all_or_nothing(unit: Unit) -> Iterator[None]:
    """Undo what the block did if it fails, also what it left to be done at the end."""
    marks = len(unit.closing), len(unit.afterwards)
    try:
        with unit.db.begin_nested():
            yield
            unit.session.flush()
    except BaseException:
        # What was not written yet would otherwise be written when the transaction ends.
        unit.session.expunge_all()
        del unit.closing[marks[0] :], unit.afterwards[marks[1] :]
        raise
