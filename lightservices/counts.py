"""What is tapped, opened and found useful, how many follow: by day and branch, never by person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Date, Integer, String, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from service import clock
from service.db import Model, table_of
from service.wiring import Unit

#: How long figures are kept; a year and a bit shows the same season twice.
KEPT_DAYS: Final = 400
YES: Final = "yes"
NO: Final = "no"

#: Day, branch code and service key.
Opened = tuple[date, str, str]
#: Day, branch code and what the button is: ``svc:<key>``, one of our paths, or another's host.
Tapped = tuple[date, str, str]


class OpenRow(Model):
    """The table of openings. No key points at branches: figures outlive a branch that closes."""

    __tablename__ = "service_opens"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    branch_code: Mapped[str] = mapped_column(String(8), primary_key=True)
    service: Mapped[str] = mapped_column(String(40), primary_key=True)
    total: Mapped[int] = mapped_column(Integer, default=0)


class FeedbackRow(Model):
    """The table of answers to "was this page useful?"."""

    __tablename__ = "feedback_counts"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    branch_code: Mapped[str] = mapped_column(String(8), primary_key=True)
    page: Mapped[str] = mapped_column(String(40), primary_key=True)
    answer: Mapped[str] = mapped_column(String(4), primary_key=True)
    total: Mapped[int] = mapped_column(Integer, default=0)


class TapRow(Model):
    """The table of taps on menu buttons."""

    __tablename__ = "tap_counts"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    branch_code: Mapped[str] = mapped_column(String(8), primary_key=True)
    button: Mapped[str] = mapped_column(String(64), primary_key=True)
    total: Mapped[int] = mapped_column(Integer, default=0)


class FollowerCountRow(Model):
    """The table of how many followers each branch served on a day."""

    __tablename__ = "follower_counts"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    branch_code: Mapped[str] = mapped_column(String(8), primary_key=True)
    total: Mapped[int] = mapped_column(Integer, default=0)


def today() -> date:
    """The day as people in China count it."""
    return clock.shanghai(clock.now()).date()


def add_opens(unit: Unit, tallied: Mapping[Opened, int]) -> None:
    """Add what one process counted, in a fixed order so that no two lock each other out."""
    for (day, branch, service), times in sorted(tallied.items()):
        key = {"day": day, "branch_code": branch, "service": service}
        _write(unit, OpenRow, key, times, total=OpenRow.total + times)


def add_taps(unit: Unit, tallied: Mapping[Tapped, int]) -> None:
    """Add what one process counted, in a fixed order so that no two lock each other out."""
    for (day, branch, button), times in sorted(tallied.items()):
        key = {"day": day, "branch_code": branch, "button": button}
        _write(unit, TapRow, key, times, total=TapRow.total + times)


def put_followers(unit: Unit, day: date, by_branch: Mapping[str, int]) -> None:
    """Write down how many followers each branch has; counted twice a day, the last stands."""
    for branch, total in sorted(by_branch.items()):
        _write(unit, FollowerCountRow, {"day": day, "branch_code": branch}, total, total=total)


def has_followers(unit: Unit, day: date) -> bool:
    """Whether followers were counted that day."""
    query = select(FollowerCountRow.day).where(FollowerCountRow.day == day).limit(1)
    return unit.db.execute(query).first() is not None


def add_feedback(unit: Unit, *, branch: str, page: str, is_useful: bool) -> None:
    """Count one answer."""
    answer = YES if is_useful else NO
    key = {"day": today(), "branch_code": branch, "page": page, "answer": answer}
    _write(unit, FeedbackRow, key, 1, total=FeedbackRow.total + 1)


def opens(unit: Unit, *, since: date, branches: Iterable[str] | None = None) -> Mapping[str, int]:
    """How often each service was opened since this day, the most opened first."""
    total = func.sum(OpenRow.total)
    query = (
        select(OpenRow.service, total)
        .where(OpenRow.day >= since)
        .group_by(OpenRow.service)
        .order_by(total.desc(), OpenRow.service)
    )
    if branches is not None:
        query = query.where(OpenRow.branch_code.in_(list(branches)))
    return {service: int(times) for service, times in unit.db.execute(query)}


def feedback(
    unit: Unit, *, since: date, branches: Iterable[str] | None = None
) -> Mapping[str, tuple[int, int]]:
    """For each page how many found it useful since this day, and how many did not."""
    query = (
        select(FeedbackRow.page, FeedbackRow.answer, func.sum(FeedbackRow.total))
        .where(FeedbackRow.day >= since)
        .group_by(FeedbackRow.page, FeedbackRow.answer)
        .order_by(FeedbackRow.page)
    )
    if branches is not None:
        query = query.where(FeedbackRow.branch_code.in_(list(branches)))
    found: dict[str, tuple[int, int]] = {}
    for page, answer, times in unit.db.execute(query):
        yes, no = found.get(page, (0, 0))
        found[page] = (yes + int(times), no) if answer == YES else (yes, no + int(times))
    return found


def tidy(unit: Unit) -> None:
    """Drop figures nobody compares with any more."""
    last = today() - timedelta(days=KEPT_DAYS)
    for model in (OpenRow, FeedbackRow, TapRow, FollowerCountRow):
        table = table_of(model)
        unit.db.execute(delete(table).where(table.c.day < last))


def _write(
    unit: Unit, model: type[Model], key: Mapping[str, Any], first: int, *, total: object
) -> None:
    """Write the first number under this key, or what the total is where there is one already."""
    statement = unit.insert(model).values(**key, total=first)
    unit.db.execute(
        statement.on_conflict_do_update(index_elements=list(key), set_={"total": total})
    )
