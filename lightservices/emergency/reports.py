"""What WeChat reports of mass messages: to how many they went, from how many they were kept, why.

A report is kept by WeChat's number for the message, whoever sent it: it may come before we have
written that number down ourselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import case, delete, func, select, update

from lightservices.emergency import recipients
from lightservices.emergency.message_models import (
    BATCHES,
    MESSAGES,
    MONTHS,
    REPORTS,
    RUNS,
    MassReportRow,
)
from lightservices.emergency.recipients import REFUSED, SENT
from service.happenings import MessageSettled
from service.wiring import Unit

_KIND: Final = "masssendjobfinish"
_GOOD: Final = "send success"
#: Why WeChat sent nothing of a mass message, by the number in ``err(…)``.
_STATUSES: Final[Mapping[str, str]] = {
    "10001": "涉嫌广告",
    "20001": "涉嫌政治",
    "20002": "涉嫌色情",
    "20004": "涉嫌社会",
    "20006": "涉嫌违法犯罪",
    "20008": "涉嫌欺诈",
    "20013": "涉嫌版权",
    "21000": "涉嫌其他",
    "22000": "涉嫌互推",
    "30001": "原创校验系统错误",
    "30002": "原创校验不允许群发",
    "30003": "原创校验不允许群发",
    "40001": "管理员拒绝了这次群发",
    "40002": "管理员 30 分钟内没有确认",
}


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of a run's mass messages, by WeChat's reports so far."""

    batches: int
    #: How many of them WeChat has reported on.
    reported: int
    sent: int
    #: Kept from followers: four this month already, by whomever, or they want no mass messages.
    filtered: int
    failed: int


def report(unit: Unit, fact: MessageSettled) -> None:
    """WeChat says how a mass message fared."""
    if fact.kind != _KIND or not 1 <= len(fact.message_id) <= 32:
        return
    unit.db.execute(
        unit.insert(MassReportRow)
        .values(
            msg_id=fact.message_id, status=fact.status[:32], total=fact.total,
            # WeChat's FilterCount is how many are left after the filter, not how many it kept.
            filtered=max(fact.total - fact.ready, 0) if _is_good(fact.status) else 0,
            sent=fact.sent, failed=fact.failed, at=fact.at,
        )
        .on_conflict_do_nothing()
    )  # fmt: skip
    if not _is_good(fact.status):
        take_in(unit, fact.message_id)


def take_in(unit: Unit, msg_id: str) -> None:
    """Where WeChat sent nothing of a message, its followers were not told: other ways are open."""
    status = unit.db.execute(
        select(REPORTS.c.status).where(REPORTS.c.msg_id == msg_id)
    ).scalar_one_or_none()
    batch = unit.db.execute(
        select(BATCHES.c.id, BATCHES.c.run_id, BATCHES.c.size).where(
            BATCHES.c.msg_id == msg_id, BATCHES.c.state == SENT
        )
    ).one_or_none()
    if status is None or _is_good(status) or batch is None:
        return
    why = f"微信没有群发：{words(status)}"
    refused = unit.db.execute(
        update(BATCHES)
        .where(BATCHES.c.id == batch.id, BATCHES.c.state == SENT)
        .values(state=REFUSED, why=why)
    )
    if refused.rowcount != 1:
        # Another was faster; nobody is taken off twice.
        return
    give_back_month(unit, batch.id)
    unit.db.execute(delete(MESSAGES).where(MESSAGES.c.batch_id == batch.id))
    unit.db.execute(
        update(RUNS)
        .where(RUNS.c.id == batch.run_id)
        .values(sent=RUNS.c.sent - batch.size, refused=RUNS.c.refused + batch.size, why=why)
    )


def take_in_unheeded(unit: Unit, run: int) -> None:
    """What was reported of the run's messages in the same moment as they were settled: neither
    transaction saw the other then."""
    reported = unit.db.execute(
        select(REPORTS.c.msg_id, REPORTS.c.status)
        .join_from(REPORTS, BATCHES, BATCHES.c.msg_id == REPORTS.c.msg_id)
        .where(BATCHES.c.run_id == run, BATCHES.c.state == SENT)
    ).all()
    for row in reported:
        if not _is_good(row.status):
            take_in(unit, row.msg_id)


def refused_with(unit: Unit, run: int, *, since: datetime) -> str:
    """Why WeChat sent nothing of one of the run's latest messages; "" where there is no such one.

    Args:
        since: when the run was last started; what went wrong before is no reason any more.
    """
    return str(
        unit.db.execute(
            select(BATCHES.c.why)
            .where(BATCHES.c.run_id == run, BATCHES.c.state == REFUSED, BATCHES.c.at >= since)
            .order_by(BATCHES.c.id.desc())
            .limit(1)
        ).scalar()
        or ""
    )


def tallies(unit: Unit, run: int) -> Tally:
    """The reports on all that WeChat took on of this run."""
    row = unit.db.execute(
        select(
            func.count(BATCHES.c.id),
            func.count(REPORTS.c.msg_id),
            func.coalesce(func.sum(REPORTS.c.sent), 0),
            func.coalesce(func.sum(REPORTS.c.filtered), 0),
            func.coalesce(func.sum(REPORTS.c.failed), 0),
        )
        .select_from(BATCHES.outerjoin(REPORTS, REPORTS.c.msg_id == BATCHES.c.msg_id))
        .where(BATCHES.c.run_id == run, BATCHES.c.msg_id != "")
    ).one()
    return Tally(*(int(number) for number in row))


def give_back_month(unit: Unit, batch: int) -> None:
    """A mass message that surely did not go out takes nothing of anybody's month."""
    concerned = select(MESSAGES.c.openid).where(MESSAGES.c.batch_id == batch)
    here = (MONTHS.c.month == recipients.month(), MONTHS.c.openid.in_(concerned))
    # Two lists may share followers, and whoever writes them takes them in this order.
    unit.db.execute(
        select(MONTHS.c.openid).where(*here).order_by(MONTHS.c.openid).with_for_update()
    )
    unit.db.execute(
        update(MONTHS)
        .where(*here)
        .values(count=case((MONTHS.c.count > 0, MONTHS.c.count - 1), else_=0))
    )
    unit.db.execute(delete(MONTHS).where(*here, MONTHS.c.count == 0))


def words(status: str) -> str:
    """A status as people read it."""
    number = status.removeprefix("err(").removesuffix(")")
    return _STATUSES.get(number, "发送失败" if status == "send fail" else status or "原因不明")


def _is_good(status: str) -> bool:
    return status.strip().lower() in (_GOOD, "sendsuccess")
