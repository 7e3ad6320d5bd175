"""A branch's figures day by day, as charts and files show them: sums only, nobody's path."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Date, cast, func, select

from lightservices import catalogue, zones
from lightservices.answers import SERVICE_PREFIX
from lightservices.counts import YES, FeedbackRow, FollowerCountRow, OpenRow, TapRow, today
from lightservices.tickets.models import TicketRow
from service import clock
from service.db import table_of
from service.wiring import Unit

#: How far back one may look.
SPANS: Final = (7, 30, 90)
#: A branch that serves fewer people than this tells numbers in fives only: in a place with a
#: handful of followers, "one opening of 贷款逾期" would be a word about somebody everybody knows.
FEW_FOLLOWERS: Final = 50
COARSE: Final = 5
#: China's clock has had no summer time since 1991.
_AHEAD: Final = timedelta(hours=8)

_TAPS, _OPENS, _FEEDBACK = table_of(TapRow), table_of(OpenRow), table_of(FeedbackRow)
_FOLLOWERS, _TICKETS = table_of(FollowerCountRow), table_of(TicketRow)


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of figure: by day, by branch, and by what was tapped or opened."""

    by_day: Mapping[date, int]
    by_branch: Mapping[str, int]
    by_item: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.by_day.values())


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of some branches over some days, the last of which is today."""

    days: Sequence[date]
    taps: Series
    opens: Series
    useful: Series
    useless: Series
    opened_tickets: Series
    answered_tickets: Series
    #: Followers at the day's count; a day on which nobody counted is missing.
    followers: Mapping[date, int]
    followers_by_branch: Mapping[str, int]

    @property
    def present(self) -> int | None:
        """How many followers there are at the last count."""
        return self.followers[max(self.followers)] if self.followers else None

    @property
    def is_coarse(self) -> bool:
        """Whether so few people are behind the figures that they are told in fives."""
        return (self.present or 0) < FEW_FOLLOWERS


def figures(unit: Unit, branches: Collection[str], *, days: int) -> Figures:
    """The figures of these branches together."""
    last = today()
    span = [last - timedelta(days=back) for back in reversed(range(days))]
    followers, followers_by_branch = _followers(unit, branches, span[0])
    return Figures(
        days=span,
        taps=_series(unit, _TAPS, _TAPS.c.button, branches, span[0]),
        opens=_series(unit, _OPENS, _OPENS.c.service, branches, span[0]),
        useful=_series(
            unit, _FEEDBACK, _FEEDBACK.c.page, branches, span[0], _FEEDBACK.c.answer == YES
        ),
        useless=_series(
            unit, _FEEDBACK, _FEEDBACK.c.page, branches, span[0], _FEEDBACK.c.answer != YES
        ),
        opened_tickets=_tickets(unit, _TICKETS.c.opened_at, branches, span[0]),
        answered_tickets=_tickets(unit, _TICKETS.c.answered_at, branches, span[0]),
        followers=followers,
        followers_by_branch=followers_by_branch,
    )


def rows(found: Figures, names: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """What the page shows, as rows of a file: which figure, of what, how many."""
    for title, series in (
        ("菜单点击", found.taps),
        ("打开页面", found.opens),
        ("觉得有用", found.useful),
        ("觉得没用", found.useless),
        ("新工单", found.opened_tickets),
        ("答复的工单", found.answered_tickets),
    ):
        for day in found.days:
            number = series.by_day.get(day, 0)
            yield f"{title}（按日）", day.isoformat(), told(number, found)
        for item, number in series.by_item.items():
            yield f"{title}（按项目）", names.get(item, item), told(number, found)
        for code, number in series.by_branch.items():
            yield f"{title}（按机构）", names.get(code, code), told(number, found)
    for day, number in found.followers.items():
        yield "本地粉丝（按日）", day.isoformat(), told(number, found)
    for code, number in found.followers_by_branch.items():
        yield "本地粉丝（按机构）", names.get(code, code), told(number, found)


def told(number: int, found: Figures) -> str:
    """A number as it is shown: exact, or in fives where few people are behind it."""
    if not found.is_coarse or number == 0:
        return f"{number:,}"
    return f"不足 {COARSE}" if number < COARSE else f"约 {drawn(number, found)}"


def drawn(number: int, found: Figures) -> int:
    """The same as a chart draws it."""
    return number - number % COARSE if found.is_coarse else number


def names(unit: Unit, found: Figures) -> dict[str, str]:
    """What people call the buttons and pages in these figures."""
    local = {f"/z/{zone.key}": f"专区：{zone.title}" for zone in zones.every(unit)}
    local["/z/local"] = "本地专区"
    called: dict[str, str] = {}
    for item in {*found.taps.by_item, *found.opens.by_item, *found.useful.by_item}:
        key = item.removeprefix(SERVICE_PREFIX).removeprefix("/s/")
        service = catalogue.find(unit, key)
        if service is not None:
            called[item] = service.title
        elif item in local:
            called[item] = local[item]
    return called


def _series(
    unit: Unit,
    table: Any,
    item: ColumnElement[str],
    branches: Collection[str],
    since: date,
    *more: ColumnElement[bool],
) -> Series:
    within = (table.c.day >= since, table.c.branch_code.in_(branches), *more)
    total = func.sum(table.c.total)

    def by(column: ColumnElement[Any]) -> dict[Any, int]:
        query = select(column, total).where(*within).group_by(column)
        found = {key: int(number) for key, number in unit.db.execute(query)}
        return dict(sorted(found.items(), key=lambda one: (-one[1], str(one[0]))))

    return Series(by(table.c.day), by(table.c.branch_code), by(item))


def _tickets(
    unit: Unit, moment: ColumnElement[Any], branches: Collection[str], since: date
) -> Series:
    begins = datetime.combine(since, time(), tzinfo=clock.SHANGHAI).astimezone(UTC)
    day = _day_of(unit, moment)
    query = (
        select(day, _TICKETS.c.branch_code, _TICKETS.c.category, func.count())
        .where(moment >= begins, _TICKETS.c.branch_code.in_(branches))
        .group_by(day, _TICKETS.c.branch_code, _TICKETS.c.category)
    )
    by_day: Counter[date] = Counter()
    by_branch: Counter[str] = Counter()
    by_item: Counter[str] = Counter()
    for told_day, branch, category, number in unit.db.execute(query):
        on = told_day if isinstance(told_day, date) else date.fromisoformat(str(told_day))
        by_day[on] += number
        by_branch[branch] += number
        by_item[category] += number
    return Series(by_day, dict(by_branch.most_common()), dict(by_item.most_common()))


def _day_of(unit: Unit, moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """The day in China of a moment kept as UTC."""
    if unit.db.dialect.name == "postgresql":
        return cast(func.timezone("Asia/Shanghai", moment), Date)
    return func.date(moment, f"+{int(_AHEAD.total_seconds()) // 3600} hours")


def _followers(
    unit: Unit, branches: Collection[str], since: date
) -> tuple[dict[date, int], dict[str, int]]:
    table = _FOLLOWERS
    rows = unit.db.execute(
        select(table.c.day, table.c.branch_code, table.c.total)
        .where(table.c.day >= since, table.c.branch_code.in_(branches))
        .order_by(table.c.day)
    ).all()
    by_day: defaultdict[date, int] = defaultdict(int)
    for row in rows:
        by_day[row.day] += row.total
    last = max(by_day, default=None)
    by_branch = {row.branch_code: row.total for row in rows if row.day == last}
    return dict(by_day), dict(sorted(by_branch.items(), key=lambda one: (-one[1], one[0])))
