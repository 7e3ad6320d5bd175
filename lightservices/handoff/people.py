"""Who answers for customers at an outlet or a branch: name, title, WeCom contact, hours."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import segno
from sqlalchemy import ForeignKey, String, Text, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from lightservices.outlets.holidays import Calendar
from lightservices.outlets.hours import parse
from regions.branches import BranchRow
from service.db import Model
from service.epochs import Kept, bump
from service.wiring import Unit

EPOCH: Final = "local_people"
#: WeCom's own addresses of a contact; others would be anybody's.
HOSTS: Final = ("work.weixin.qq.com",)
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"


class LocalPersonRow(Model):
    """The table of people. ``outlet_id`` points at no row: outlets' lists are replaced whole."""

    __tablename__ = "local_people"

    id: Mapped[int] = mapped_column(primary_key=True)
    branch_code: Mapped[str] = mapped_column(ForeignKey(BranchRow.code), index=True)
    outlet_id: Mapped[str] = mapped_column(String(32), default="")
    name: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(20))
    url: Mapped[str] = mapped_column(String(512), default="")
    #: A QR code as WeCom drew it, base64; empty where ours is drawn from ``url``.
    picture: Mapped[str] = mapped_column(Text, default="")
    hours: Mapped[str] = mapped_column(String(200), default="")
    sort: Mapped[int] = mapped_column(default=0)
    synthetic: Mapped[bool] = mapped_column(default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPerson:
    """One person as pages show them; ``outlet`` "" stands for the whole branch."""

    branch: str
    outlet: str
    name: str
    title: str
    url: str = ""
    picture: str = ""
    hours: str = ""
    synthetic: bool = False

    @property
    def digest(self) -> str:
        """Names the QR code in its address: another code has another address."""
        return hashlib.sha256(f"{self.url}\n{self.picture}".encode()).hexdigest()[:24]

    @property
    def qr_path(self) -> str:
        return f"/q/{self.digest}"

    def is_in(self, local: Any, days: Calendar) -> bool:
        """Whether they are at work at this time (Asia/Shanghai)."""
        return parse(self.hours).is_open(local, days)

    def says(self, local: Any, days: Calendar) -> str:
        """When they are at work, as of now; empty where nothing is known."""
        hours = parse(self.hours)
        told = hours.state(local, days) if hours.spans else ""
        for shop, person in (("营业中", "在岗"), ("休息中", "现在不在岗"), ("关门", "下班"),
                             ("开门", "上班")):  # fmt: skip
            told = told.replace(shop, person)
        return told


@dataclass(frozen=True, slots=True)
class Everybody:
    """All people, ready to be looked up."""

    by_outlet: Mapping[str, Sequence[LocalPerson]]
    by_branch: Mapping[str, Sequence[LocalPerson]]
    by_digest: Mapping[str, LocalPerson]


def everybody(unit: Unit) -> Everybody:
    """All people, as of at most a second ago."""
    return _kept.get(unit)


def of_branch(unit: Unit, branch: str) -> list[LocalPerson]:
    """The people of one branch and its outlets, in the order the branch gave them."""
    table = LocalPersonRow.__table__.c
    rows = unit.db.execute(
        select(*LocalPersonRow.__table__.c)
        .where(table.branch_code == branch)
        .order_by(table.sort, table.id)
    )
    return [_person(row) for row in rows]


def put(unit: Unit, branch: str, people: Iterable[LocalPerson]) -> None:
    """Make these the branch's people, in place of all it had."""
    unit.db.execute(delete(LocalPersonRow).where(LocalPersonRow.branch_code == branch))
    rows = [
        {
            "branch_code": branch, "outlet_id": one.outlet, "name": one.name, "title": one.title,
            "url": one.url, "picture": one.picture, "hours": one.hours, "sort": number,
            "synthetic": one.synthetic,
        }
        for number, one in enumerate(people)
    ]  # fmt: skip
    if rows:
        unit.db.execute(insert(LocalPersonRow), rows)
    bump(unit, EPOCH)


def seed(unit: Unit) -> None:
    """Sample people, who are nobody and say so, where there are none yet."""
    if unit.db.execute(select(LocalPersonRow.id).limit(1)).first() is not None:
        return
    known = unit.wiring.tables.branch_names(unit)
    for branch, name in (("HQ", "示例顾问"), ("B310000", "示例经理甲"), ("B440000", "示例经理乙")):
        if branch in known:
            put(unit, branch, [_sample(branch, name)])


def _sample(branch: str, name: str) -> LocalPerson:
    return LocalPerson(
        branch=branch, outlet="", name=name, title="客户经理",
        url=f"https://work.weixin.qq.com/ca/sample-{branch.lower()}",
        hours="周一至周五 09:00-17:30", synthetic=True,
    )  # fmt: skip


def qr_of(person: LocalPerson) -> tuple[bytes, str]:
    """The picture of their QR code, and its media type."""
    if person.picture:
        raw = base64.b64decode(person.picture)
        return raw, media_type(raw) or "application/octet-stream"
    out = io.BytesIO()
    # A phone's camera and WeChat's long press both read it at this size without blur.
    segno.make(person.url, error="m").save(out, kind="png", scale=8, border=3)
    return out.getvalue(), "image/png"


def media_type(raw: bytes) -> str:
    """What kind of picture these bytes are; empty when none that may be shown."""
    if raw.startswith(_PNG):
        return "image/png"
    return "image/jpeg" if raw.startswith(_JPEG) else ""


def decoded(picture: str) -> bytes | None:
    """The bytes behind base64; None when it is none."""
    try:
        return base64.b64decode(picture, validate=True)
    except (binascii.Error, ValueError):
        return None


def _load(unit: Unit) -> Everybody:
    table = LocalPersonRow.__table__.c
    rows = unit.db.execute(select(*table).order_by(table.sort, table.id))
    by_outlet: dict[str, list[LocalPerson]] = {}
    by_branch: dict[str, list[LocalPerson]] = {}
    by_digest: dict[str, LocalPerson] = {}
    for one in map(_person, rows):
        shelf, key = (by_outlet, one.outlet) if one.outlet else (by_branch, one.branch)
        shelf.setdefault(key, []).append(one)
        by_digest[one.digest] = one
    return Everybody(by_outlet, by_branch, by_digest)


def _person(row: Any) -> LocalPerson:
    return LocalPerson(
        branch=row.branch_code, outlet=row.outlet_id, name=row.name, title=row.title, url=row.url,
        picture=row.picture, hours=row.hours, synthetic=row.synthetic,
    )  # fmt: skip


_kept: Kept[Everybody] = Kept(EPOCH, _load)
