"""The two steps in which an emergency is written: the form, and what it would do in numbers.

Beginning one and changing one look the same; what differs is in :class:`Draft`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Response, request, url_for

from lightservices.console import emergency_area as areas_seen
from lightservices.console import emergency_forms as forms
from lightservices.console.emergency_area import Found
from lightservices.console.emergency_forms import Fields
from lightservices.emergency import in_force, operations, outlet_orders, queries, reach
from lightservices.emergency.content import SEVERITIES, Content, ContentRefused
from lightservices.emergency.models import Record
from lightservices.emergency.reach import Assessment
from lightservices.emergency.refusals import BadContent, Refused
from lightservices.outlets import nearest
from regions.coverage import rounded
from service import clock
from service.console import guard, shell
from service.staff import rights
from service.wiring import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody is writing: from a plan, or over what is in force."""

    before: Content
    #: Where the form is sent.
    action: str
    #: The emergency that is changed; none where one is begun.
    record: Record | None = None

    @property
    def title(self) -> str:
        name = self.before.title
        return f"修改：{name}" if self.record is not None else f"提出应急专区：{name}"

    @property
    def key(self) -> str:
        return self.record.key if self.record is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was sent, read: the content, and how it is to be put before somebody."""

    content: Content
    #: How long from the moment it is taken; none: the end that there is.
    hours: int | None
    why: str
    drill: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that would happen, in numbers."""

    name: str
    says: str


def read(draft: Draft) -> Written:
    """The form as it was sent.

    Raises:
        ContentRefused: naming every fault.
    """
    fields = forms.typed(request.form)
    why = request.form.get("why", "").strip()
    drill = draft.record.drill if draft.record is not None else "drill" in request.form
    keeps = draft.record is not None and not fields["hours"]
    if keeps:
        caps = {value: cap for value, _name, cap in forms.severities()}
        most = caps.get(fields["severity"], draft.before.hours)
        fields |= {"hours": str(min(draft.before.hours, most))}
    faults = [] if why else ["没有写原因：请用一两句话写明，会记入审计"]
    if fields["area"].is_empty:
        faults.append("还没有划定区域：请选行政区划，或在地图上画出区域")
    try:
        content = forms.read(fields, draft.before)
    except ContentRefused as refused:
        raise ContentRefused((*refused.faults, *faults)) from None
    if faults:
        raise ContentRefused(tuple(faults))
    return Written(
        content=content, hours=None if keeps else content.hours, why=why, drill=drill
    )  # fmt: skip


def form(
    unit: Unit,
    draft: Draft,
    fields: Fields,
    *,
    problems: tuple[str, ...] = (),
    status: int = 200,
    is_open_to_all: bool = True,
) -> Response:
    """The first step. Whatever was typed stays, good or not."""
    me = guard.me()
    may = rights.held(me.grants, "propose") and is_open_to_all
    found = areas_seen.found(unit, fields["area"], me, finished=False, besides=draft.key)
    return shell.page(
        "console/emergency_begin.html",
        title=draft.title,
        status=status,
        draft=draft,
        told=fields,
        problems=problems,
        may=may,
        why=request.form.get("why", ""),
        drill="drill" in request.form,
        **area_fields(found),
        **choices(),
    )


def area_fields(found: Found) -> dict[str, Any]:
    """What every form that draws an area shows of it: the map, the provinces, what lies there."""
    code, ground = areas_seen.chosen_ground(request.form.get("province", ""), found.area)
    return {
        "found": found, "ground": ground, "province": code, "provinces": areas_seen.provinces(),
        "picture": found.picture, "others": found.others,
    }  # fmt: skip


def choices() -> dict[str, Any]:
    """What every form of an emergency's content offers."""
    return {
        "services": forms.services(),
        "severities": forms.severities(),
        "limits": forms.LIMITS,
        "most_rows": forms.MOST_ROWS,
    }


def summary(
    unit: Unit, draft: Draft, written: Written, *, problem: str = "", status: int = 200
) -> Response:
    """The second step: what it would do, a box to tick, and what can be done with it.

    The caller has made sure that the area concerns somebody.
    """
    me, content = guard.me(), written.content
    assert content.area is not None
    found = areas_seen.look(unit, content.area, me, besides=draft.key)
    if found.assessment is None:
        fields = forms.typed(request.form)
        return form(unit, draft, fields, problems=(found.problem,), status=409)
    codes = found.assessment.codes
    debts = queries.owed(unit, person_id=me.id, drill=written.drill)
    return shell.page(
        "console/emergency_check.html",
        title=f"核对：{content.title}",
        status=status,
        draft=draft,
        written=written,
        found=found,
        ground=areas_seen.chosen_ground("", found.area)[1],
        picture=found.picture,
        others=found.others,
        effects=list(effects(unit, written, found, draft.record)),
        differences=forms.differences(draft.before, content) if draft.record else [],
        severity=SEVERITIES[content.severity],
        sent=sent(),
        may_open=reach.may_everywhere(unit, me, "open_emergency", codes),
        debt=debts[0] if debts else None,
        glass_hours=operations.GLASS_HOURS,
        problem=problem,
    )


def sent() -> list[tuple[str, str]]:
    """Everything that was typed, to be sent once more with the second step."""
    passing = {guard.FIELD, "do", "ticked", "glass_hours"}
    return [(name, value) for name, value in request.form.items(multi=True) if name not in passing]


def refused(unit: Unit, draft: Draft, written: Written, why: Refused) -> Response:
    """The step in which what was refused can be mended."""
    if isinstance(why, BadContent):
        return form(unit, draft, forms.typed(request.form), problems=why.faults, status=409)
    return summary(unit, draft, written, problem=f"{why.says}。{why.way_out}", status=409)


def back_to(draft: Draft) -> str:
    """Where somebody goes who changes their mind."""
    if draft.record is not None:
        return f"{queries.ROOT}/{draft.key}"
    return url_for("console_emergency_plans.listing")


def effects(unit: Unit, written: Written, found: Found, record: Record | None) -> Iterator[Effect]:
    """What it would do, in numbers, in the order in which it comes to pass."""
    content, assessment = written.content, found.assessment
    assert assessment is not None
    counted = assessment.reach
    yield Effect(
        "粉丝",
        f"{assessment.ticked}在每一页看到横幅，说什么、点什么都先答应急内容"
        f"（确定 {rounded(counted.certain)}，可能 {rounded(counted.likely)}）；"
        f"另有 {rounded(counted.unknown)}算不到，他们看不到",
    )
    names = "、".join(branch.name for branch in assessment.branches[:8])
    yield Effect(
        "机构",
        f"{len(assessment.branches)} 家：{names}{'等' if len(assessment.branches) > 8 else ''}",
    )
    yield _menus(unit, content, assessment)
    yield _outlets(unit, written, assessment)
    yield _services(written)
    yield Effect("何时结束", _end(written, record))
    yield Effect("消息", "不会自动发；开启以后由人在这个应急专区的页面上开始")
    if found.others:
        told = "、".join(f"{one.title}（{one.state}，{one.key}）" for one in found.others)
        yield Effect("重叠", f"与 {told} 有重叠；级别高的排在前面")


def _menus(unit: Unit, content: Content, assessment: Assessment) -> Effect:
    whole = reach.certain_branches(unit, assessment.covered) & set(assessment.codes)
    partly = len(assessment.codes) - len(whole)
    return Effect(
        "菜单",
        f"几分钟内出现入口“{content.entry}”：{len(whole)} 家整个在区域内的分行，全部粉丝；"
        f"{partly} 家只有一部分在内的分行，位置确知在内的粉丝",
    )


def _outlets(unit: Unit, written: Written, assessment: Assessment) -> Effect:
    content, inside = written.content, assessment.outlets
    if written.drill:
        return Effect("网点", f"区域内 {inside} 个，演练不改变它们的营业")
    if not content.orders:
        return Effect("网点", f"区域内 {inside} 个，照常营业（没有写网点安排）")
    present = clock.now()
    tried = in_force.made(
        content, assessment.covered, id=0, key="", drill=False, number=1,
        branches=assessment.codes, opened_at=present, ends_at=present, since=present,
    )  # fmt: skip
    find = outlet_orders.finding([tried])
    changed = [order for one in nearest.index(unit).outlets if (order := find(one)) is not None]
    closed = sum(1 for order in changed if not order.hours)
    return Effect(
        "网点",
        f"区域内 {inside} 个，其中 {closed} 个显示停业，{len(changed) - closed} 个改营业时间",
    )


def _services(written: Written) -> Effect:
    hidden = forms.titles(written.content.hide)
    if written.drill or not hidden:
        said = "演练不停任何服务" if written.drill else "不停任何服务"
        return Effect("服务", said)
    told = "、".join(hidden[:10]) + ("等" if len(hidden) > 10 else "")
    return Effect("服务", f"区域内停用 {len(hidden)} 项：{told}")


def _end(written: Written, record: Record | None) -> str:
    cap = f"“{SEVERITIES[written.content.severity]}”级最长 {written.content.cap} 小时"
    if written.hours is None and record is not None and record.ends_at is not None:
        latest = clock.now() + timedelta(hours=written.content.cap)
        return f"不变：{shell.moment(min(record.ends_at, latest))}，到时自动结束（{cap}）"
    hours = written.hours or 0
    until = shell.moment(clock.now() + timedelta(hours=hours))
    return f"确认后 {hours} 小时自动结束；如果现在确认，到 {until}（{cap}）"


def glass_hours() -> int:
    """For how long one person alone would open it, as was chosen; what is no number is too few."""
    chosen = request.form.get("glass_hours", "")
    return int(chosen) if chosen.isascii() and chosen.isdecimal() else 0
