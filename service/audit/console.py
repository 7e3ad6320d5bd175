"""The console's page of the audit chain: who did what, where, when and why; search and export."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from service import clock
from service.access import access
from service.audit.chain import Entry, head, note
from service.audit.export import FORMATS
from service.audit.reading import PAGE, Filters, between, search
from service.console import guard, shell
from service.staff import Me, reach_of, rights
from service.wiring import wiring

audit_pages = Blueprint("audit", __name__, url_prefix=f"{guard.ROOT}/audit")

#: What people call an act's group; the rest of its name is shown as it is.
GROUPS: Final[Mapping[str, str]] = {
    "approvals": "审批",
    "staff": "人员",
    "audit": "审计",
    "emergency": "应急",
    "menu": "菜单",
    "menus": "菜单",
    "outlets": "网点名单",
    "figures": "数据",
    "api": "接口",
}

#: What people call the acts of this floor.
ACTS: Final[Mapping[str, str]] = {
    "approvals.draft": "新建草稿",
    "approvals.save": "保存草稿",
    "approvals.void": "提交后又修改（提交作废）",
    "approvals.propose": "提交审批",
    "approvals.approve": "批准",
    "approvals.live": "上线",
    "approvals.return": "退回",
    "approvals.withdraw": "撤回",
    "approvals.fail": "到时未能上线",
    "approvals.supersede": "被新版本取代",
    "approvals.roll_back": "回退",
    "approvals.found": "登记启用审批前的内容",
    "audit.export": "导出审计记录",
    "api.lent": "发放接口令牌",
    "api.revoked": "收回接口令牌",
    "staff.added": "添加人员",
    "staff.granted": "调整权限",
    "staff.reset": "重置登录",
    "staff.reset_started": "发起重置",
    "staff.reset_used": "使用重置码",
    "staff.locked": "停用账号",
    "staff.unlocked": "启用账号",
    "staff.bound_second_factor": "绑定动态码",
    "staff.signed_in": "登录",
    "staff.changed_password": "更改密码",
    "staff.renewed_recovery_codes": "重新生成恢复码",
}


_YEARS: Final = range(1970, 9999)
_FIELDS: Final = ("actor", "act", "subject", "branch", "words", "from", "to")


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry as people read it."""

    entry: Entry
    act: str
    branch: str
    before: str
    after: str


@audit_pages.get("")
@access("staff", may="read_audit")
def page() -> Response:
    """The newest entries that fit what is asked, a page of them."""
    filters, older = _filters(guard.me()), request.args.get("older", type=int)
    with wiring().reading() as unit:
        found = search(unit, filters, older_than=older)
        names = unit.wiring.tables.branch_names(unit)
        within = filters.within
        end = head(unit)
    return shell.page(
        "audit/page.html", title="审计", entries=[_shown(entry, names) for entry in found],
        names={code: name for code, name in names.items() if within is None or code in within},
        asked=_asked(), older=found[-1].seq if len(found) == PAGE else None, end=end,
        groups=GROUPS, formats=sorted(FORMATS),
    )  # fmt: skip


@audit_pages.post("/export")
@access("staff", may="read_audit")
def export() -> ResponseReturnValue:
    """Everything that fits, as a file; that somebody took it away is an entry of its own."""
    me, form = guard.me(), request.values.get("format", "")
    if form not in FORMATS:
        abort(400)
    if not rights.held(me.grants, "export"):
        abort(403)
    filters, (media_type, told) = _filters(me), FORMATS[form]
    wired = wiring()
    with wired.unit() as unit:
        end = head(unit)
        note(unit, actor=me, act="audit.export", subject=f"audit:{form}", after=_asked())

    def lines() -> Iterator[str]:
        with wired.reading() as unit:
            # The chain grows meanwhile, by this very export among others.
            yield from told(takewhile(lambda one: one.seq <= end.seq, between(unit, filters)))

    name = f"audit-{clock.shanghai(clock.now()):%Y%m%d-%H%M}.{form}"
    answer = Response(lines(), mimetype=media_type.partition(";")[0])
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _asked() -> dict[str, str]:
    return {name: value for name in _FIELDS if (value := request.values.get(name, ""))}


def _filters(me: Me) -> Filters:
    """What is asked for, within what this person may see."""
    asked = request.values
    first, last = _day(asked.get("from", "")), _day(asked.get("to", ""))
    with wiring().reading() as unit:
        visible = reach_of(unit, me, "read_audit")
    return Filters(
        within=visible,
        actor=asked.get("actor", "").strip(),
        act=asked.get("act", "").strip(),
        subject=asked.get("subject", "").strip(),
        branch=asked.get("branch", "").strip(),
        words=asked.get("words", "").strip(),
        since=first,
        until=last + timedelta(days=1) if last else None,
    )


def _day(told: str) -> datetime | None:
    if not told:
        return None
    try:
        found = datetime.strptime(told, "%Y-%m-%d").replace(tzinfo=clock.SHANGHAI)
    except ValueError:
        abort(400)
    # At the edges of the calendar there is no day before or after to reckon with.
    return found if found.year in _YEARS else abort(400)


def _shown(entry: Entry, names: Mapping[str, str]) -> Shown:
    group, _dot, rest = entry.act.partition(".")
    act = ACTS.get(entry.act) or (f"{GROUPS[group]}：{rest}" if group in GROUPS else entry.act)
    return Shown(
        entry=replace(entry, actor=entry.actor or "系统"),
        act=act,
        branch=names.get(entry.branch, entry.branch),
        before=_spread(entry.before),
        after=_spread(entry.after),
    )


def _spread(state: str) -> str:
    return json.dumps(json.loads(state), ensure_ascii=False, indent=2) if state else ""
