"""Promotions (优惠): what branches offer, where and when, the nearest branch's own first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy import (
    JSON,
    ForeignKey,
    String,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from lightservices.links import fault_of
from regions import areas, branches, divisions
from regions.areas import Area
from regions.branches import BranchCode, BranchRow
from regions.divisions import DivisionCode
from regions.presence import Whereabouts
from service import clock
from service.db import Model, UtcTime
from service.epochs import Kept, bump
from service.wiring import Unit

PACK: Final = Path(__file__).resolve().parent / "packs" / "sample-promotions.yaml"


class PromotionRow(Model):
    """The table of promotions."""

    __tablename__ = "promotions"

    id: Mapped[int] = mapped_column(primary_key=True)
    branch_code: Mapped[str] = mapped_column(ForeignKey(BranchRow.code), index=True)
    #: Codes that narrow it to parts of the branch's territory; none means all of it.
    divisions: Mapped[list[str]] = mapped_column(JSON)
    title: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(String(1024))
    starts_at: Mapped[datetime] = mapped_column(UtcTime)
    ends_at: Mapped[datetime] = mapped_column(UtcTime)
    sort: Mapped[int] = mapped_column(default=100)
    #: A part of the branch's ground drawn on the map, see :mod:`regions.areas`; none means all.
    area: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    #: Tags of followers it is for; none means everybody.
    audience: Mapped[list[str] | None] = mapped_column(JSON)
    picture: Mapped[str] = mapped_column(String(32), default="")
    picture_says: Mapped[str] = mapped_column(String(40), default="")
    #: What it is about, so that a campaign can gather it.
    topics: Mapped[list[str] | None] = mapped_column(JSON)
    #: How its branch names it from one edition to the next.
    name: Mapped[str | None] = mapped_column(String(24))

    __table_args__ = (UniqueConstraint("branch_code", "name"),)


@dataclass(frozen=True, slots=True)
class Promotion:
    """One promotion. ``url`` leads elsewhere; without one it has a page of its own."""

    id: int
    branch: BranchCode
    divisions: tuple[DivisionCode, ...]
    title: str
    text: str
    url: str
    starts_at: datetime
    ends_at: datetime
    sort: int
    area: Area | None = None
    audience: frozenset[str] = frozenset()
    picture: str = ""
    picture_says: str = ""
    topics: frozenset[str] = frozenset()
    name: str | None = None

    @property
    def path(self) -> str:
        return f"/p/{self.id}"

    @property
    def last_moment(self) -> datetime:
        """The last moment at which it runs, whose day is the last day people read."""
        return self.ends_at - timedelta(seconds=1)

    def runs(self, at: datetime) -> bool:
        """Whether it runs at this time; the end itself is already outside."""
        return self.starts_at <= at < self.ends_at

    def reaches(self, place: frozenset[str], cell: tuple[float, float] | None = None) -> bool:
        """Whether it is meant for a follower within these divisions, about in this cell."""
        if self.divisions and place.isdisjoint(self.divisions):
            return False
        # A drawn part is small: whoever may be outside it is not promised what is inside.
        return self.area is None or self.area.inside.holds((), cell)

    def is_for(self, tags: frozenset[str]) -> bool:
        """Whether it is for followers with these tags."""
        return not self.audience or not self.audience.isdisjoint(tags)


def current(
    unit: Unit,
    whereabouts: Whereabouts,
    at: datetime,
    *,
    tags: frozenset[str] = frozenset(),
    instead: Mapping[str, Sequence[Promotion]] | None = None,
) -> list[Promotion]:
    """What runs for this follower at this time: their branch's own first, then those above it.

    Args:
        instead: by branch what it would offer in place of what it does, for a preview.
    """
    place = frozenset(step.code for step in divisions.table().path(whereabouts.division or ""))
    by_branch = {**_kept.get(unit).by_branch, **(instead or {})}
    return [
        promotion
        for branch in branches.directory(unit).chain(whereabouts.branch.code)
        for promotion in by_branch.get(branch.code, ())
        if promotion.runs(at)
        and promotion.reaches(place, whereabouts.cell)
        and promotion.is_for(tags)
    ]


def promotion(unit: Unit, promotion_id: int) -> Promotion | None:
    """The promotion with this id, running or not."""
    return _kept.get(unit).by_id.get(promotion_id)


def add(
    unit: Unit,
    *,
    branch: BranchCode,
    title: str,
    text: str,
    starts_at: datetime,
    ends_at: datetime,
    divisions: Sequence[DivisionCode] = (),
    url: str = "",
    sort: int = 100,
) -> int:
    """Put up a promotion and return its id.

    Raises:
        ValueError: for a time that ends before it starts, or an address nobody may be sent to.
    """
    if ends_at <= starts_at:
        raise ValueError("优惠的结束时间应晚于开始时间")
    if url and (fault := fault_of(url)):
        raise ValueError(fault)
    statement = insert(PromotionRow).values(
        branch_code=branch,
        divisions=list(divisions),
        title=title,
        text=text,
        url=url,
        starts_at=starts_at,
        ends_at=ends_at,
        sort=sort,
    )
    added: int = unit.db.execute(statement.returning(PromotionRow.id)).scalar_one()
    bump(unit, "promotions")
    return added


def replace_all(unit: Unit, branch: BranchCode, editions: Sequence[Mapping[str, Any]]) -> None:
    """Make these, each a row's columns with its ``name``, the whole of what the branch offers.

    One that stays keeps its address, and those that were put up without a name are taken over.
    """
    names = {edition["name"] for edition in editions}
    known = {one.name or name_of(one): one.id for one in of(unit, branch)}
    gone = [number for name, number in known.items() if name not in names]
    unit.db.execute(delete(PromotionRow).where(PromotionRow.id.in_(gone)))
    for edition in editions:
        number = known.get(edition["name"])
        if number is None:
            unit.db.execute(insert(PromotionRow).values(branch_code=branch, **edition))
        else:
            unit.db.execute(update(PromotionRow).where(PromotionRow.id == number).values(**edition))
    bump(unit, "promotions")


def of(unit: Unit, branch: BranchCode) -> Sequence[Promotion]:
    """Everything this branch itself offers, running or not."""
    return _kept.get(unit).by_branch.get(branch, ())


def name_of(promotion: Promotion) -> str:
    """The name of one that was put up without."""
    return f"p{promotion.id}"


def seed(unit: Unit) -> None:
    """Put up the pack's samples, dated from today: running, still to come and already over."""
    if unit.db.execute(select(PromotionRow.id).limit(1)).first() is not None:
        return
    pack = yaml.safe_load(PACK.read_text(encoding="utf-8"))
    midnight = clock.shanghai(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    directory = branches.directory(unit)
    rows = [
        _sample(sample, branch, midnight)
        for sample in pack["samples"]
        for branch in directory.all
        if _is_sample_for(sample, branch)
    ]
    if rows:
        unit.db.execute(insert(PromotionRow), rows)
    bump(unit, "promotions")


def _is_sample_for(sample: Mapping[str, Any], branch: branches.Branch) -> bool:
    named: Sequence[str] | None = sample.get("branches")
    return branch.code in named if named else branch.level == sample["level"]


def _sample(
    sample: Mapping[str, Any], branch: branches.Branch, midnight: datetime
) -> dict[str, Any]:
    first, last = sample["days"]
    return {
        "branch_code": branch.code,
        "divisions": list(sample.get("divisions", ())),
        "title": f"示例优惠｜{sample['title']}",
        "text": sample["text"].format(branch=branch.name),
        "url": "",
        "starts_at": midnight + timedelta(days=first),
        "ends_at": midnight + timedelta(days=last),
        "sort": sample["sort"],
    }


@dataclass(frozen=True, slots=True)
class _All:
    by_id: Mapping[int, Promotion]
    by_branch: Mapping[str, Sequence[Promotion]]


def _load(unit: Unit) -> _All:
    columns = PromotionRow.__table__.c
    rows = unit.db.execute(select(*columns).order_by(columns.sort, columns.id)).mappings()
    by_branch: dict[str, list[Promotion]] = {}
    by_id: dict[int, Promotion] = {}
    for row in rows:
        values = dict(row)
        branch = BranchCode(values.pop("branch_code"))
        values["divisions"] = tuple(DivisionCode(code) for code in values["divisions"])
        values["area"] = areas.read(values["area"]) if values["area"] else None
        values["audience"] = frozenset(values["audience"] or ())
        values["topics"] = frozenset(values["topics"] or ())
        one = Promotion(branch=branch, **values)
        by_id[one.id] = one
        by_branch.setdefault(branch, []).append(one)
    return _All(by_id, by_branch)


_kept: Kept[_All] = Kept("promotions", _load)
