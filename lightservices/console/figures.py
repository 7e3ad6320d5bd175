"""A branch's figures in the console: charts with a table beside each, and a file to take away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from flask import Blueprint, Response, request

from lightservices import figures as read
from lightservices import workbooks
from lightservices.console import charts
from lightservices.figures import SPANS, Figures
from regions import jurisdiction
from service import audit, clock
from service.access import access
from service.console import guard, shell
from service.staff import door, may_at
from service.wiring import Unit, wiring

branch_figures = Blueprint(
    "console_figures", __name__, url_prefix=f"{guard.ROOT}/branches/<code>/figures",
    template_folder="../templates",
)  # fmt: skip

SCOPES: Final[Mapping[str, str]] = {"all": "含下级机构", "own": "只看本机构"}
#: How many buttons and pages are listed; the file has all.
SHOWN: Final = 30


@branch_figures.get("")
@access("staff", may="read")
def page(code: str) -> Response:
    """What was tapped, opened and found useful, and how many followers there are."""
    days, scope = _days(), _scope()
    with wiring().reading() as unit:
        me = guard.me()
        door(unit, me, code, "read")
        found = read.figures(unit, _branches(unit, code, scope), days=days)
        titles = {**unit.wiring.tables.branch_names(unit), **read.names(unit, found)}
        name = shell.branch_name(unit, code)
        may_export = may_at(unit, me, code, "export")
        has_below = len(jurisdiction.below(unit, code)) > 1
    return shell.page(
        "console/branch_figures.html", title="数据", code=code, name=name, found=found,
        titles=titles, days=days, spans=SPANS, scope=scope, scopes=SCOPES, shown=SHOWN,
        told=lambda number: read.told(number, found), charts=_charts(found),
        may_export=may_export, has_below=has_below, few=read.FEW_FOLLOWERS, coarse=read.COARSE,
    )  # fmt: skip


@branch_figures.post("/export")
@access("staff", may="export")
def export(code: str) -> Response:
    """All of it as a file; that somebody took it away is in the audit."""
    days, scope = _days(), _scope()
    with wiring().unit() as unit:
        door(unit, guard.me(), code, "export")
        found = read.figures(unit, _branches(unit, code, scope), days=days)
        titles = {**unit.wiring.tables.branch_names(unit), **read.names(unit, found)}
        rows = list(read.rows(found, titles))
        audit.note(
            unit, actor=guard.me(), act="figures.export", subject=f"figures:{code}", branch=code,
            after={"days": days, "scope": scope},
        )  # fmt: skip
    text = "".join(workbooks.as_csv(("指标", "日期或项目", "数量"), rows))
    answer = Response(text.encode(), mimetype="text/csv")
    name = f"figures-{code}-{clock.shanghai(clock.now()):%Y%m%d}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _charts(found: Figures) -> dict[str, charts.Chart]:
    """Charts draw what the tables tell: in fives where those do."""

    def drawn(by_day: Mapping[date, int]) -> dict[date, int]:
        return {day: read.drawn(number, found) for day, number in by_day.items()}

    def bars(*series: read.Series) -> charts.Chart:
        return charts.bars(found.days, *(drawn(one.by_day) for one in series))

    return {
        "taps": bars(found.taps),
        "opens": bars(found.opens),
        "followers": charts.line(found.days, drawn(found.followers)),
        "useful": bars(found.useful, found.useless),
        "tickets": bars(found.opened_tickets),
    }


def _branches(unit: Unit, code: str, scope: str) -> frozenset[str]:
    return frozenset((code,)) if scope == "own" else jurisdiction.below(unit, code)


def _days() -> int:
    asked = request.values.get("days", "")
    return next((days for days in SPANS if str(days) == asked), SPANS[1])


def _scope() -> str:
    asked = request.values.get("scope", "")
    return asked if asked in SCOPES else next(iter(SCOPES))
