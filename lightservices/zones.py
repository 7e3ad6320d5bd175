"""Zones (专区): a branch's own shelf, such as 约惠魔都, or a campaign's venue for many branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy import JSON, ForeignKey, String, select
from sqlalchemy.orm import Mapped, mapped_column

from lightservices import blocks, gathering
from lightservices.blocks import Block
from lightservices.gathering import Gathering
from regions import branches
from regions.branches import BranchCode, BranchRow
from service import clock
from service.db import Model, UtcTime, table_of
from service.epochs import Kept, bump
from service.wiring import Unit

PACK: Final = Path(__file__).resolve().parent / "packs" / "zones.yaml"


class ZoneKind(StrEnum):
    """What a zone is for."""

    LOCAL = "local"  #: a branch's own shelf, inherited by the branches below it
    CAMPAIGN = "campaign"  #: a campaign's venue (活动主会场), beside the shelves and for a time


class ZoneRow(Model):
    """The table of zones."""

    __tablename__ = "zones"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    #: A menu button bears it: WeChat allows 16 bytes on a column and 60 below one.
    title: Mapped[str] = mapped_column(String(20))
    slogan: Mapped[str] = mapped_column(String(40))
    branch_code: Mapped[str] = mapped_column(ForeignKey(BranchRow.code), index=True)
    services: Mapped[list[str]] = mapped_column(JSON)
    starts_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcTime)
    kind: Mapped[str] = mapped_column(String(10), default="local", server_default="local")
    #: The branches a campaign is for, with all below them; empty: its own branch.
    reach: Mapped[list[str] | None] = mapped_column(JSON)
    #: How its page is arranged; empty: as usual.
    blocks: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    #: Services of the bank's that this branch does not offer.
    switched_off: Mapped[list[str] | None] = mapped_column(JSON)
    #: Which offers a campaign gathers, see :mod:`lightservices.gathering`; empty: none of others.
    gather: Mapped[dict[str, Any] | None] = mapped_column(JSON)


@dataclass(frozen=True, slots=True)
class Zone:
    """What a branch keeps for its followers and for those of branches below; without times, always.

    A campaign is for the followers of ``reach`` and of all below them, else of its own branch.
    """

    key: str
    title: str
    slogan: str
    branch: BranchCode
    services: tuple[str, ...]
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    kind: ZoneKind = ZoneKind.LOCAL
    reach: tuple[BranchCode, ...] = ()
    blocks: tuple[Block, ...] = blocks.USUAL
    switched_off: tuple[str, ...] = ()
    #: The offers a campaign's venue gathers from branches.
    gather: Gathering | None = None

    @property
    def path(self) -> str:
        return f"/z/{self.key}"

    @property
    def last_moment(self) -> datetime | None:
        """The last moment at which it holds, whose day is the last day people read."""
        return self.ends_at - timedelta(seconds=1) if self.ends_at is not None else None

    def is_open(self, at: datetime) -> bool:
        """Whether it holds at this time; the end itself is already outside."""
        if self.starts_at is not None and at < self.starts_at:
            return False
        return self.ends_at is None or at < self.ends_at


def local_zone(unit: Unit, branch_code: BranchCode, *, at: datetime | None = None) -> Zone | None:
    """The open zone of this branch, or of the nearest branch above it that has one."""
    own = zones_by_branch(unit, at=at)
    chain = branches.directory(unit).chain(branch_code)
    return next((own[branch.code] for branch in chain if branch.code in own), None)


def zones_by_branch(unit: Unit, *, at: datetime | None = None) -> Mapping[BranchCode, Zone]:
    """The local zones open at this time (now unless given), under the branch that keeps each."""
    moment = at or clock.now()
    return {
        zone.branch: zone
        for zone in reversed(_kept.get(unit))
        if zone.kind is ZoneKind.LOCAL and zone.is_open(moment)
    }


def every(unit: Unit) -> Sequence[Zone]:
    """All zones, open or not, those that started last first."""
    return _kept.get(unit)


def campaigns(unit: Unit, *, at: datetime | None = None) -> Sequence[Zone]:
    """The campaigns open at this time (now unless given), those that started last first."""
    moment = at or clock.now()
    found = _kept.get(unit)
    return [zone for zone in found if zone.kind is ZoneKind.CAMPAIGN and zone.is_open(moment)]


def whom(unit: Unit, zone: Zone) -> frozenset[BranchCode] | None:
    """The branches whose followers a zone reaches; nothing stands for all there are."""
    tree = branches.directory(unit)
    roots = set(zone.reach or (zone.branch,))
    if tree.head.code in roots:
        return None
    return frozenset(branch.code for root in roots for branch in tree.below(root))


def zone(unit: Unit, key: str) -> Zone | None:
    """The zone with this key, open or not."""
    return next((zone for zone in _kept.get(unit) if zone.key == key), None)


def switched_off(unit: Unit, branch_code: BranchCode) -> frozenset[str]:
    """The services that this branch, or one above it, does not offer in its zone."""
    own = zones_by_branch(unit)
    chain = branches.directory(unit).chain(branch_code)
    return frozenset(key for one in chain if one.code in own for key in own[one.code].switched_off)


def put(unit: Unit, *given: Zone) -> None:
    """Keep these zones, each in place of one with the same key."""
    putting = unit.insert(ZoneRow)
    rows = [_row(zone) for zone in given]
    told = {name: putting.excluded[name] for row in rows[:1] for name in row if name != "key"}
    if rows:
        unit.db.execute(
            putting.on_conflict_do_update(index_elements=[ZoneRow.key], set_=told), rows
        )
    bump(unit, "zones")


def _row(zone: Zone) -> dict[str, Any]:
    return {
        "key": zone.key,
        "title": zone.title,
        "slogan": zone.slogan,
        "branch_code": zone.branch,
        "services": list(zone.services),
        "starts_at": zone.starts_at,
        "ends_at": zone.ends_at,
        "kind": zone.kind.value,
        "reach": list(zone.reach) or None,
        "blocks": blocks.write(zone.blocks),
        "switched_off": list(zone.switched_off) or None,
        "gather": zone.gather.written() if zone.gather else None,
    }


def seed(unit: Unit) -> None:
    """Give the branches the zones of the pack, where there are none yet."""
    if unit.db.execute(select(ZoneRow.key).limit(1)).first() is None:
        put(unit, *read())


def read(path: Path = PACK) -> Sequence[Zone]:
    """The zones of the pack; what is left out in one is taken from its ``default``."""
    pack = yaml.safe_load(path.read_text(encoding="utf-8"))
    services = tuple(pack["default"]["services"])
    return tuple(
        Zone(
            key=entry["key"],
            title=entry["title"],
            slogan=entry["slogan"],
            branch=BranchCode(entry["branch"]),
            services=tuple(entry.get("services", services)),
        )
        for entry in pack["zones"]
    )


def _load(unit: Unit) -> Sequence[Zone]:
    # Of two open zones of one branch the one that started last is in front, as editors expect.
    rows = unit.db.execute(select(*table_of(ZoneRow).columns))
    zones = [
        Zone(
            key=row.key,
            title=row.title,
            slogan=row.slogan,
            branch=BranchCode(row.branch_code),
            services=tuple(row.services),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            kind=ZoneKind(row.kind),
            reach=tuple(map(BranchCode, row.reach or ())),
            blocks=blocks.read(row.blocks) if row.blocks else blocks.USUAL,
            switched_off=tuple(row.switched_off or ()),
            gather=gathering.read(row.gather),
        )
        for row in rows
    ]
    return sorted(
        zones,
        key=lambda zone: (-zone.starts_at.timestamp() if zone.starts_at else 0.0, zone.key),
    )


_kept: Kept[Sequence[Zone]] = Kept("zones", _load)
