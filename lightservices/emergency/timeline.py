"""What happened to one emergency, step by step, as the audit chain has it, in people's words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lightservices.emergency.models import Record
from service import audit, clock
from service.audit import Entry, Filters
from service.staff import operations as people
from service.wiring import Unit

#: What people call each step.
STEPS: Final[Mapping[str, str]] = {
    "emergency.propose": "提出开启",
    "emergency.open": "确认开启",
    "emergency.reject": "否决",
    "emergency.withdraw": "撤回",
    "emergency.break_glass": "一人紧急开启",
    "emergency.change": "提出修改",
    "emergency.amend": "确认修改",
    "emergency.extend": "确认延长",
    "emergency.decline": "不同意修改",
    "emergency.retract": "撤回修改",
    "emergency.close": "关闭",
    "emergency.expire": "到期自动结束",
    "emergency.review": "补审",
    "emergency.tell": "开始发消息",
    "emergency.stop_telling": "停止发消息",
    "emergency.export": "导出经过",
}
_CHANNELS: Final = {"service": "客服消息", "template": "模板消息", "mass": "群发"}
_EVENTS: Final = {"opened": "告知开启", "ended": "告知结束"}
_NOBODY: Final = "系统"
#: The columns of the file that is taken away.
TITLES: Final = (
    "审计编号",
    "时间（北京时间）",
    "谁",
    "登录名",
    "做了什么",
    "原因",
    "内容",
    "校验值",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: who did what, when and why, and what it came to."""

    number: int
    at: datetime
    #: The person's name; the program's own steps are the system's.
    who: str
    login: str
    act: str
    says: str
    why: str
    details: tuple[str, ...]
    hash: str


def of(unit: Unit, record: Record) -> list[Step]:
    """Every step of this emergency, the first one first."""
    names = {person.id: person.name for person in people.everybody(unit)}
    return [_step(entry, names) for entry in _entries(unit, record)]


def lines(steps: list[Step]) -> Iterator[list[str]]:
    """The steps as rows below :data:`TITLES`."""
    for one in steps:
        when = clock.shanghai(one.at).strftime("%Y-%m-%d %H:%M:%S")
        told = "；".join(one.details)
        yield [str(one.number), when, one.who, one.login, one.says, one.why, told, one.hash]


def _entries(unit: Unit, record: Record) -> Iterator[Entry]:
    subject = f"emergency:{record.key}"
    # Nothing was written of it before it was there, which spares looking through older years.
    wanted = Filters(act="emergency", words=subject, since=record.created_at)
    for entry in audit.between(unit, wanted):
        if entry.subject == subject or entry.subject.startswith((f"{subject}#", f"{subject}:")):
            yield entry


def _step(entry: Entry, names: Mapping[int, str]) -> Step:
    after = json.loads(entry.after) if entry.after else {}
    before = json.loads(entry.before) if entry.before else {}
    return Step(
        number=entry.seq,
        at=entry.at,
        who=names.get(entry.actor_id or 0, entry.actor) or _NOBODY,
        login=entry.actor,
        act=entry.act,
        says=STEPS.get(entry.act, entry.act),
        why=entry.why,
        details=tuple(_details(entry, before, after)),
        hash=entry.hash,
    )


def _details(entry: Entry, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    _key, _sign, number = entry.subject.partition("#")
    if number.isdecimal():
        yield f"第 {number} 版"
    if after.get("kind") == "extend" and entry.act == "emergency.change":
        yield f"申请再开 {after.get('hours')} 小时"
    if entry.act == "emergency.review":
        yield "认为当时有必要" if after.get("justified") else "认为当时没有必要"
    told = (_EVENTS.get(after.get("event", "")), _CHANNELS.get(after.get("channel", "")))
    yield from filter(None, told)
    if estimate := after.get("estimate"):
        yield f"能送到的人数：{estimate}"
    if reach := after.get("reach"):
        yield f"确认的影响范围：{reach}"
    if (ends_at := after.get("ends_at")) and ends_at != before.get("ends_at"):
        yield f"到 {_moment(ends_at)} 自动结束"
    if digest := after.get("hash"):
        yield f"内容摘要 {str(digest)[:12]}"


def _moment(written: str) -> str:
    return f"{clock.shanghai(datetime.fromisoformat(written)):%m-%d %H:%M}"
