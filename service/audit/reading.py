"""What the chain tells: searching it, reading it out, and proving that nobody changed it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, or_, select

from service.audit.chain import _ENTRIES, COLUMNS, ORIGIN, Entry, Head, hash_of, head
from service.wiring import Unit

#: How many entries are in memory at a time when the whole chain is walked.
_BATCH: Final = 1000
PAGE: Final = 50
#: No database counts further, and some refuse to be asked.
_LAST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What somebody looks for; what is left empty does not count."""

    #: The branches whose entries may be seen, None for all and head office's own as well.
    within: Collection[str] | None = None
    actor: str = ""
    #: An act, or the first part of several: ``approvals`` finds ``approvals.approve``.
    act: str = ""
    subject: str = ""
    branch: str = ""
    #: Found in the subject, the reason and the states, as written.
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry that is not as it was written, and how that shows."""

    seq: int
    why: str


@dataclass(frozen=True, slots=True)
class Soundness:
    """How many entries are sound, up to the end or to the first broken one."""

    sound: int
    broken: Broken | None
    head: Head


def search(unit: Unit, filters: Filters, *, older_than: int | None = None) -> Sequence[Entry]:
    """The newest entries that fit, a page of them; ``older_than`` a number for the next page."""
    unit.flush()
    query = select(*COLUMNS).where(*_fitting(filters)).order_by(_ENTRIES.c.seq.desc()).limit(PAGE)
    if older_than is not None:
        query = query.where(_ENTRIES.c.seq < min(older_than, _LAST))
    return [Entry(**row._mapping) for row in unit.db.execute(query)]


def between(unit: Unit, filters: Filters) -> Iterator[Entry]:
    """Every entry that fits, oldest first, read in batches."""
    unit.flush()
    return _walk(unit, _fitting(filters))


def verify(unit: Unit, *, anchor: Head | None = None) -> Soundness:
    """Walk the whole chain and say how far it is sound.

    Args:
        anchor: an end of the chain that somebody kept elsewhere; it must still be on the chain.
    """
    end = head(unit)
    last = Head(0, ORIGIN)
    for entry in _walk(unit, [_ENTRIES.c.seq <= end.seq]):
        if why := _fault(entry, last, anchor):
            return Soundness(last.seq, Broken(entry.seq, why), end)
        last = Head(entry.seq, entry.hash)
    if last != end:
        return Soundness(last.seq, Broken(last.seq + 1, "后面的记录被删除了"), end)
    if anchor and anchor.seq > end.seq:
        return Soundness(last.seq, Broken(end.seq + 1, "比留存的链尾少，后面的记录被删除了"), end)
    return Soundness(last.seq, None, end)


def _fault(entry: Entry, last: Head, anchor: Head | None) -> str:
    """What is wrong with this entry after that one, in words; "" when nothing is."""
    if entry.seq != last.seq + 1:
        return f"编号从 {last.seq} 跳到 {entry.seq}，中间的记录被删除了"
    if entry.previous != last.hash:
        return "与上一条接不上"
    if entry.hash != hash_of(entry):
        return "内容被改过"
    if anchor and entry.seq == anchor.seq and entry.hash != anchor.hash:
        return "与留存的链尾不一致"
    return ""


def _walk(unit: Unit, conditions: Sequence[ColumnElement[bool]]) -> Iterator[Entry]:
    after = 0
    while True:
        batch = unit.db.execute(
            select(*COLUMNS)
            .where(*conditions, _ENTRIES.c.seq > after)
            .order_by(_ENTRIES.c.seq)
            .limit(_BATCH)
        ).all()
        for row in batch:
            yield Entry(**row._mapping)
        if len(batch) < _BATCH:
            return
        after = batch[-1].seq


def _fitting(filters: Filters) -> list[ColumnElement[bool]]:
    entries = _ENTRIES.c
    conditions: list[ColumnElement[bool]] = []
    if filters.within is not None:
        conditions.append(entries.branch.in_(filters.within))
    if filters.act:
        part = entries.act.startswith(f"{filters.act}.", autoescape=True)
        conditions.append(or_(entries.act == filters.act, part))
    for column, wanted in (
        (entries.actor, filters.actor),
        (entries.subject, filters.subject),
        (entries.branch, filters.branch),
    ):
        if wanted:
            conditions.append(column == wanted)
    if filters.words:
        conditions.append(_mentioning(filters.words))
    if filters.since:
        conditions.append(entries.at >= filters.since)
    if filters.until:
        conditions.append(entries.at < filters.until)
    return conditions


def _mentioning(words: str) -> ColumnElement[bool]:
    entries = _ENTRIES.c
    told = (entries.subject, entries.why, entries.before, entries.after)
    return or_(*(column.contains(words, autoescape=True) for column in told))
