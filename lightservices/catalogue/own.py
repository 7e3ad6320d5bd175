"""Services that a branch adds itself: the same schema as a file of the pack, kept in a table.

A branch's key begins with its code in small letters, so that no two branches, and no later file of
the pack, can ever claim the same page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import JSON, ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from lightservices.catalogue import checks, reading
from lightservices.catalogue.model import Fault, Service
from regions.branches import BranchCode, BranchRow
from service import clock, journal
from service.db import Model, UtcTime
from service.epochs import Kept, bump
from service.wiring import Unit

EPOCH: Final = "own_services"

log = journal.logger("lightservices.own")


class OwnServiceRow(Model):
    """The table of services that branches added."""

    __tablename__ = "own_services"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    branch_code: Mapped[str] = mapped_column(ForeignKey(BranchRow.code), index=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    changed_at: Mapped[datetime] = mapped_column(UtcTime)


class OwnRefused(ValueError):
    """The content breaks rules; every one is named, with its field and the way out."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("；".join(f"{one.field}：{one.rule}" for one in faults))


def prefix(branch: str) -> str:
    """What every key of this branch begins with."""
    return f"{branch.lower()}-"


def faults(
    branch: str, content: Mapping[str, Any], *, known: checks.Known | None = None
) -> list[Fault]:
    """What is wrong with this content as a service of this branch; empty when it may be put."""
    read = reading.loaded(content)
    if isinstance(read, list):
        return read
    found = []
    if not read.key.startswith(prefix(branch)):
        rule = f"本行自建服务的编号要以 {prefix(branch)} 开头"
        found.append(Fault("", 0, "key", rule, f"改为 {prefix(branch)}{read.key}"[:60]))
    if read.availability.branches:
        rule = "自建服务只对本行和下级机构开放，不用再写分行"
        found.append(Fault("", 0, "availability.branches", rule, "删去这一项"))
    return found + _beside_the_pack(read, known or checks.Known())


def _beside_the_pack(service: Service, known: checks.Known) -> list[Fault]:
    pack = reading.catalogue()
    beside = dict(pack.services) | {service.key: service}
    return [
        Fault("", 0, ".".join(str(part) for part in slip.path), slip.rule, slip.way_out)
        for slip in checks.across(beside, pack.scenarios, known, written=beside.keys())
        if slip.key == service.key
    ]


def put(
    unit: Unit,
    *,
    branch: str,
    content: Mapping[str, Any],
    known: checks.Known | None = None,
) -> Service:
    """Keep this service of the branch, in place of the one with the same key.

    Raises:
        OwnRefused: when the content breaks a rule.
    """
    if wrong := faults(branch, content, known=known):
        raise OwnRefused(wrong)
    values = {"branch_code": branch, "content": dict(content), "changed_at": clock.now()}
    unit.db.execute(
        unit.insert(OwnServiceRow)
        .values(key=content["key"], **values)
        .on_conflict_do_update(index_elements=[OwnServiceRow.key], set_=values)
    )
    bump(unit, EPOCH)
    return _service(branch, content)


def remove(unit: Unit, *, branch: str, key: str) -> bool:
    """Take this service of the branch away; False when the branch has none with this key."""
    taken = unit.db.execute(
        delete(OwnServiceRow)
        .where(OwnServiceRow.key == key, OwnServiceRow.branch_code == branch)
        .returning(OwnServiceRow.key)
    ).first()
    if taken is not None:
        bump(unit, EPOCH)
    return taken is not None


def of(unit: Unit, branch: str) -> Mapping[str, Mapping[str, Any]]:
    """The branch's own services as they were written, by key, for those who edit them."""
    rows = unit.db.execute(
        select(OwnServiceRow.key, OwnServiceRow.content)
        .where(OwnServiceRow.branch_code == branch)
        .order_by(OwnServiceRow.key)
    )
    return {row.key: row.content for row in rows}


def all_of(unit: Unit) -> Mapping[str, Service]:
    """Every branch's own services by key, kept in the process."""
    return _kept.get(unit)


def _load(unit: Unit) -> Mapping[str, Service]:
    rows = unit.db.execute(
        select(OwnServiceRow.branch_code, OwnServiceRow.content).order_by(OwnServiceRow.key)
    )
    found = {}
    for branch, content in rows:
        try:
            one = _service(branch, content)
        except OwnRefused:
            # A release may tighten a rule; the branch finds it in the console and mends it.
            log.error("a branch's own service no longer keeps the rules", key=content.get("key"))
            continue
        found[one.key] = one
    return MappingProxyType(found)


def _service(branch: str, content: Mapping[str, Any]) -> Service:
    read = reading.loaded(content)
    if isinstance(read, list):
        raise OwnRefused(read)
    reach = replace(read.availability, branches=(BranchCode(branch),))
    return reading.with_icon(
        replace(read, owner=branch, availability=reach), reading.catalogue().scenarios
    )


_kept: Kept[Mapping[str, Service]] = Kept(EPOCH, _load)
