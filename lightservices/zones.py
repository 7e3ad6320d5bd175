"""Local zones (专区): the shelf a branch keeps for its followers, such as 约惠魔都."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy import JSON, ForeignKey, String, select
from sqlalchemy.orm import Mapped, mapped_column

from regions import branches
from regions.branches import BranchCode, BranchRow
from service import clock
from service.db import Model, UtcTime
from service.epochs import Kept, bump
from service.wiring import Unit

PACK: Final = Path(__file__).resolve().parent / "packs" / "zones.yaml"


class ZoneRow(Model):
    """The table of zones."""

    __tablename__ = "zones"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    #: A menu button bears it: WeChat allows 16 bytes there, and shows four characters.
    title: Mapped[str] = mapped_column(String(5))
    slogan: Mapped[str] = mapped_column(String(40))
    branch_code: Mapped[str] = mapped_column(ForeignKey(BranchRow.code), index=True)
    services: Mapped[list[str]] = mapped_column(JSON)
    starts_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcTime)


@dataclass(frozen=True, slots=True)
class Zone:
    """A branch's shelf, inherited by the branches below it; without times it always holds."""

    key: str
    title: str
    slogan: str
    branch: BranchCode
    services: tuple[str, ...]
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def path(self) -> str:
        return f"/z/{self.key}"

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
    """The zones open at this time (now unless given), each under the branch that keeps it."""
    moment = at or clock.now()
    return {zone.branch: zone for zone in reversed(_kept.get(unit)) if zone.is_open(moment)}


def zone(unit: Unit, key: str) -> Zone | None:
    """The zone with this key, open or not."""
    return next((zone for zone in _kept.get(unit) if zone.key == key), None)


def put(unit: Unit, zone: Zone) -> None:
    """Keep this zone, in place of one with the same key."""
    values: dict[str, Any] = {
        "title": zone.title,
        "slogan": zone.slogan,
        "branch_code": zone.branch,
        "services": list(zone.services),
        "starts_at": zone.starts_at,
        "ends_at": zone.ends_at,
    }
    unit.db.execute(
        unit.insert(ZoneRow)
        .values(key=zone.key, **values)
        .on_conflict_do_update(index_elements=[ZoneRow.key], set_=values)
    )
    bump(unit, "zones")


def seed(unit: Unit) -> None:
    """Give the branches the zones of the pack, where there are none yet."""
    if unit.db.execute(select(ZoneRow.key).limit(1)).first() is None:
        for one in read():
            put(unit, one)


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
    rows = unit.db.execute(
        select(
            ZoneRow.key,
            ZoneRow.title,
            ZoneRow.slogan,
            ZoneRow.branch_code,
            ZoneRow.services,
            ZoneRow.starts_at,
            ZoneRow.ends_at,
        )
    )
    zones = [
        Zone(key, title, slogan, BranchCode(branch), tuple(services), starts, ends)
        for key, title, slogan, branch, services, starts, ends in rows
    ]
    return sorted(
        zones,
        key=lambda zone: (-zone.starts_at.timestamp() if zone.starts_at else 0.0, zone.key),
    )


_kept: Kept[Sequence[Zone]] = Kept("zones", _load)
