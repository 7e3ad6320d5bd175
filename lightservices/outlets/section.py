"""A branch's outlets as a reviewed change: its own and those of the branches below it, whole."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from marshmallow import ValidationError
from sqlalchemy import delete, select

from lightservices.outlets import branch_list, overlapping
from lightservices.outlets.branch_list import Entries, Entry
from lightservices.outlets.imports import (
    FOR_SAMPLES,
    SAMPLE_PREFIX,
    Listed,
    OutletInput,
    add,
)
from lightservices.outlets.models import OutletRow
from regions import atlas, branches, jurisdiction
from regions.coordinates import Datum
from service import wording
from service.approvals.kinds import ChangeKind, Content, Difference, Fault, Json, Section
from service.audit import Actor
from service.db import table_of
from service.epochs import bump
from service.wiring import Unit

KIND: Final = "outlets"
SECTION_NAME: Final = "outlets"
#: A branch has one list.
KEY: Final = ""
#: Both texts of a change are kept with every version, so one document has its limit.
MOST_BYTES: Final = 4_000_000
TOO_LARGE_WAY_OUT: Final = "请由下级机构分别导入自己的网点"
#: How many differences are worth reading on a page; the file of all of them is on the list's page.
MOST_TOLD: Final = 300
_MOST_FAULTS: Final = 50
_AT_A_TIME: Final = 500
_EMPTY: Final[Mapping[str, Any]] = {"outlets": {}}
_TEXTS: Final = ("name", "address", "phone", "hours", "branch", "division", "lat", "lng")
_LISTS: Final = ("services", "accessible")
#: Digests of lists that keep the rules which depend on nothing else.
_SOUND: Final[deque[str]] = deque(maxlen=64)


def content_of(entries: Entries) -> dict[str, Json]:
    """A whole list as a document's content."""
    return {SECTION_NAME: {"outlets": dict(entries)}}


def size_of(entries: Entries) -> int:
    """How many bytes the list takes as content."""
    return len(json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode())


def entries_of(content: Json | None) -> Entries | None:
    """The outlets by id; None for content of another shape."""
    found = content.get("outlets") if isinstance(content, Mapping) else None
    if not isinstance(found, Mapping):
        return None
    return found if all(_is_entry(entry) for entry in found.values()) else None


def read(unit: Unit, branch: str, _key: str) -> Json | None:
    """The list as it is live; None while there is no outlet at all."""
    found = branch_list.live(unit, branch)
    return {"outlets": found} if found else None


def faults(unit: Unit, branch: str, _key: str, content: Json) -> Sequence[Fault]:
    """What keeps the list from going live, now: the tree may have changed since it was checked."""
    entries = entries_of(content)
    if entries is None:
        return [Fault("outlets", "内容写法不对", "请从“网点名单”页面上传文件")]
    if (size := size_of(entries)) > MOST_BYTES:
        rule = f"名单太大：{size / 1e6:.1f} MB，一份最多 {MOST_BYTES / 1e6:g} MB"
        return [Fault("outlets", rule, TOO_LARGE_WAY_OUT)]
    found = [*_own_faults(json.dumps(entries, sort_keys=True)), *_faults(unit, branch, entries)]
    return found[:_MOST_FAULTS]


def apply(unit: Unit, branch: str, _key: str, content: Json, _by: Actor) -> None:
    """Make these the outlets of the branch and those below it; only what differs is written."""
    entries = entries_of(content)
    if entries is None:
        raise ValueError("this is no list of outlets")
    found = branch_list.compare(branch_list.live(unit, branch), entries)
    if found.is_same:
        return
    table = table_of(OutletRow)
    old = [one.id for one in (*found.gone, *found.changed)]
    new = [branch_list.outlet_of(one.id, one.after or {}) for one in (*found.added, *found.changed)]
    # No single statement may take long, however many outlets there are.
    for start in range(0, len(old), _AT_A_TIME):
        unit.db.execute(delete(table).where(table.c.id.in_(old[start : start + _AT_A_TIME])))
    for start in range(0, len(new), _AT_A_TIME):
        add(unit, new[start : start + _AT_A_TIME])
    bump(unit, "outlets")


def differences(_unit: Unit, before: Json | None, after: Json) -> Sequence[Difference]:
    """First how many in all, then outlet by outlet; a list too long to read is cut and says so."""
    old, new = entries_of(before) or {}, entries_of(after) or {}
    found = branch_list.compare(old, new)
    if found.is_same:
        return []
    told = list(islice(_told(found), MOST_TOLD + 1))
    counts = (
        f"共 {len(new):,} 个：新增 {len(found.added):,}，修改 {len(found.changed):,}，"
        f"撤下 {len(found.gone):,}，不变 {found.kept:,}"
    )
    total = Difference("合计", f"共 {len(old):,} 个", counts)
    if len(told) <= MOST_TOLD:
        return [total, *told]
    cut = Difference("其余改动", "这里只列前面的部分", "在“网点名单”页可以下载全部改动的对照表")
    return [total, *told[:MOST_TOLD], cut]


def consequences(unit: Unit, branch: str, content: Content) -> Sequence[str]:
    """What approving it means in numbers."""
    new = entries_of(content.get(SECTION_NAME)) or {}
    found = branch_list.compare(branch_list.live(unit, branch), new)
    meant = [
        f"批准后 1 秒内生效：新增 {len(found.added):,} 个网点，修改 {len(found.changed):,} 个，"
        f"撤下 {len(found.gone):,} 个，之后共 {len(new):,} 个。"
    ]
    if found.gone:
        meant.append("撤下的网点不再出现在“附近网点”里，原来的链接会打不开。")
    return [*meant, *overlapping.said(unit, branch)]


def _told(found: branch_list.Comparison) -> Iterator[Difference]:
    for one in found:
        title = f"{one.id} {one.name}"
        if one.before is None or one.after is None:
            yield Difference(
                title, branch_list.in_one_line(one.before), branch_list.in_one_line(one.after)
            )
            continue
        for field, before, after in branch_list.told(one):
            yield Difference(f"{title}：{field}", before, after)


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, Mapping)
        and entry.keys() <= {*_TEXTS, *_LISTS}
        and all(isinstance(entry.get(name, ""), str) for name in _TEXTS)
        and all(
            isinstance(entry.get(name, []), list)
            and all(isinstance(word, str) for word in entry.get(name, []))
            for name in _LISTS
        )
    )


def _own_faults(text: str) -> list[Fault]:
    """What is wrong with the rows by themselves. A list is asked for again with every look at its
    page, and twenty thousand rows take a second, so a sound one is remembered by its digest."""
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    if digest in _SOUND:
        return []
    schema = OutletInput()
    entries: dict[str, Entry] = json.loads(text)
    found = [fault for one, entry in entries.items() for fault in _faults_in(schema, one, entry)]
    if not found:
        _SOUND.append(digest)
    return found


def _faults_in(schema: OutletInput, outlet_id: str, entry: Entry) -> Iterator[Fault]:
    row = {name: value for name, value in entry.items() if name != "division" and value}
    row |= {name: "、".join(entry[name]) for name in _LISTS if entry.get(name)}
    try:
        listed: Listed = schema.load({**row, "id": outlet_id, "datum": Datum.GCJ02.value})
    except ValidationError as refused:
        for field, messages in wording.messages(refused).items():
            said = messages[0] if isinstance(messages, list) else messages
            title = branch_list.COLUMNS.get(str(field), str(field))
            yield Fault(f"{outlet_id}/{field}", f"{title}：{said}", "改正后重新上传")
        return
    words = [list(listed.services), list(listed.accessible)]
    if words != [list(entry.get(name, ())) for name in _LISTS] or not entry.get("branch"):
        yield Fault(outlet_id, "内容写法不对", "请从“网点名单”页面上传文件")


def _faults(unit: Unit, branch: str, entries: Entries) -> Iterator[Fault]:
    """What is wrong with the list where and when it is to hold."""
    below = jurisdiction.below(unit, branch)
    name = branches.directory(unit).get(branch)
    for one, entry in entries.items():
        if entry.get("branch") not in below:
            rule = f"{one} 归 {entry.get('branch')}，不在{name.name if name else branch}的管辖范围"
            yield Fault(one, rule, "从名单里删去这一行，重新上传")
    yield from _taken(unit, below, entries)
    yield from _misplaced(unit, entries)


def _taken(unit: Unit, below: frozenset[str], entries: Entries) -> Iterator[Fault]:
    """Numbers that are another branch's, or the sample's though there is no such sample."""
    table = table_of(OutletRow)
    found = unit.db.execute(select(table.c.id, table.c.branch_code))
    owners: dict[str, str] = {row.id: row.branch_code for row in found}
    for one in entries:
        owner = owners.get(one)
        if owner is not None and owner not in below:
            yield Fault(one, f"编号 {one} 已被 {owner} 的网点使用", "换一个编号，重新上传")
        if one.startswith(SAMPLE_PREFIX) and (owner is None or unit.settings.in_production):
            yield Fault(one, FOR_SAMPLES, "换一个编号，重新上传")


def _misplaced(unit: Unit, entries: Entries) -> Iterator[Fault]:
    """Positions that are not where the content says they are; all asked of the map at once."""
    try:
        lats = [float(entry["lat"]) for entry in entries.values()]
        lngs = [float(entry["lng"]) for entry in entries.values()]
    except (KeyError, ValueError):
        # Each is told of as a row by itself.
        return
    counties = atlas.current(unit.settings).counties_at(lats, lngs)
    for (one, entry), county in zip(entries.items(), counties, strict=True):
        if f"{int(county):06d}" != entry.get("division"):
            yield Fault(one, f"{one} 的位置与所在区县对不上", "请重新上传文件")


#: A branch's outlets.
OUTLETS: Final = Section(
    title="网点名单",
    read=read,
    faults=faults,
    apply=apply,
    differences=differences,
    fresh=lambda _unit, _branch, _key: dict(_EMPTY),
)


def editor(branch: str, _key: str) -> str:
    """Where the maker goes on: a list is not edited but uploaded again."""
    return f"/console/branches/{branch}/outlets"


OUTLETS_KIND: Final = ChangeKind(
    title="网点名单",
    sections={SECTION_NAME: OUTLETS},
    keys=KEY,
    consequences=consequences,
    editor=editor,
)
