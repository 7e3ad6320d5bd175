"""A branch's people as a reviewed change: whom followers are handed to is not for one to decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from lightservices.handoff import people
from lightservices.handoff.people import HOSTS, LocalPerson
from lightservices.links import fault_of
from lightservices.outlets import hours as opening
from lightservices.outlets import nearest
from service.approvals.kinds import ChangeKind, Difference, Fault, Json, Section
from service.audit import Actor
from service.wiring import Unit

KIND: Final = "people"
SECTION_NAME: Final = "people"
MOST_PEOPLE: Final = 60
MOST_PICTURES: Final = 12
#: A QR code needs no more; versions of the document keep each of them.
MOST_PICTURE_BYTES: Final = 24 * 1024
FIELDS: Final = ("outlet", "name", "title", "url", "picture", "hours")
_LIMITS: Final = {"outlet": 32, "name": 20, "title": 20, "url": 512, "hours": 200}
_NAMES: Final = {"name": "姓名", "title": "职务"}


def read(unit: Unit, branch: str, _key: str) -> Json:
    """The branch's people as they are now."""
    return {"people": [written(one) for one in people.of_branch(unit, branch)]}


def written(one: LocalPerson) -> dict[str, str]:
    return {name: getattr(one, name) for name in FIELDS}


def faults(unit: Unit, branch: str, _key: str, content: Json) -> Sequence[Fault]:
    """What keeps these people from being shown."""
    rows = _rows(content)
    if rows is None:
        return [Fault("people", "内容写法不对", "请从页面上填写")]
    found = [
        fault for number, row in enumerate(rows) for fault in _faults(unit, branch, number, row)
    ]
    if len(rows) > MOST_PEOPLE:
        found.append(Fault("people", f"最多 {MOST_PEOPLE} 人", "请减少人数"))
    if sum(bool(row.get("picture")) for row in rows) > MOST_PICTURES:
        rule = f"上传的二维码最多 {MOST_PICTURES} 张"
        found.append(Fault("people", rule, "其余的改填企业微信链接，由系统画二维码"))
    return found


def apply(unit: Unit, branch: str, _key: str, content: Json, _by: Actor) -> None:
    """From now on these are the branch's people."""
    rows = _rows(content)
    if rows is None or faults(unit, branch, "", content):
        raise ValueError("these people cannot be shown")
    people.put(unit, branch, [_made(branch, row) for row in rows])


def differences(unit: Unit, before: Json | None, after: Json) -> Sequence[Difference]:
    """Who comes, who goes, and what is said differently of whom."""
    old, new = _by_name(before), _by_name(after)
    return [
        Difference(f"{name}", _told(unit, old.get(name)), _told(unit, new.get(name)))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _faults(unit: Unit, branch: str, number: int, row: Mapping[str, str]) -> Iterator[Fault]:
    where = f"people/{number}"
    for name, called in _NAMES.items():
        if not row[name].strip():
            yield Fault(f"{where}/{name}", f"缺少{called}", f"请填写{called}")
    for name, most in _LIMITS.items():
        if len(row[name]) > most:
            yield Fault(f"{where}/{name}", f"最多 {most} 个字", "请缩短")
    yield from _faults_of_contact(where, row)
    try:
        opening.parse(row["hours"])
    except ValueError as refused:
        yield Fault(f"{where}/hours", str(refused), "写成 周一至周五 09:00-17:00，可以不填")
    outlet = nearest.outlet(unit, row["outlet"]) if row["outlet"] else None
    if row["outlet"] and (outlet is None or branch not in _lineage(unit, outlet.branch_code)):
        yield Fault(f"{where}/outlet", "没有这个网点，或不归本行", "请核对网点编号，不填表示全行")


def _faults_of_contact(where: str, row: Mapping[str, str]) -> Iterator[Fault]:
    if not row["url"] and not row["picture"]:
        yield Fault(f"{where}/url", "缺少企业微信的联系方式", "填“联系我”链接，或上传二维码图片")
    if row["url"]:
        host = urlsplit(row["url"]).hostname if not fault_of(row["url"]) else ""
        if "/sample-" in row["url"]:
            yield Fault(f"{where}/url", "这是示例链接，加不到人", "换成真的链接，或删除这一位")
        elif host not in HOSTS:
            rule = f"链接要以 https://{HOSTS[0]}/ 开头"
            yield Fault(f"{where}/url", rule, "到企业微信后台复制“联系我”或获客链接")
    if row["picture"]:
        raw = people.decoded(row["picture"])
        if raw is None or not people.media_type(raw):
            yield Fault(f"{where}/picture", "图片不是 PNG 或 JPEG", "请重新上传二维码图片")
        elif len(raw) > MOST_PICTURE_BYTES:
            rule = f"图片超过 {MOST_PICTURE_BYTES // 1024} KB"
            yield Fault(f"{where}/picture", rule, "请裁掉二维码以外的部分，或缩小后再上传")


def _lineage(unit: Unit, code: str) -> Sequence[str]:
    return unit.wiring.tables.lineage(unit, code)


def _rows(content: Json) -> list[dict[str, str]] | None:
    """The people as they are written; None for anything of another shape."""
    rows = content.get("people") if isinstance(content, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        return None
    found = [{name: row.get(name, "") for name in FIELDS} for row in rows]
    return found if all(isinstance(text, str) for row in found for text in row.values()) else None


def _made(branch: str, row: Mapping[str, str]) -> LocalPerson:
    return LocalPerson(
        branch=branch, outlet=row["outlet"], name=row["name"], title=row["title"], url=row["url"],
        picture=row["picture"], hours=row["hours"],
    )  # fmt: skip


def _by_name(content: Json) -> dict[str, dict[str, str]]:
    return {f"{row['name']}（{row['outlet'] or '全行'}）": row for row in _rows(content) or ()}


def _told(unit: Unit, row: Mapping[str, str] | None) -> str:
    if row is None:
        return ""
    outlet = nearest.outlet(unit, row["outlet"]) if row["outlet"] else None
    where = outlet.name if outlet else row["outlet"] or "全行"
    contact = row["url"] or "上传的二维码"
    if row["picture"] and row["url"]:
        contact += "，另有上传的二维码"
    return f"{row['title']}，{where}，{row['hours'] or '未填时间'}，{contact}"


def editor(branch: str, _key: str) -> str:
    """Where the maker goes on writing."""
    return f"/console/contacts/{branch}"


def consequences(_unit: Unit, _branch: str, content: Mapping[str, Any]) -> Sequence[str]:
    rows = _rows(content.get(SECTION_NAME)) or []
    return (f"粉丝在“我的客户经理”里会看到这 {len(rows)} 位，可以长按二维码加他们的企业微信。",)


SECTION: Final = Section(
    title="客户经理",
    read=read,
    faults=faults,
    apply=apply,
    differences=differences,
    fresh=lambda _unit, _branch, _key: {"people": []},
)
PEOPLE: Final = ChangeKind(
    title="客户经理",
    sections={SECTION_NAME: SECTION},
    keys="",
    consequences=consequences,
    editor=editor,
)
