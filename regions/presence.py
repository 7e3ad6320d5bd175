"""Where a follower is now, and how we know: the strongest recent word, never a track.

Kept are the division, the branch, a cell of about a kilometre, the source and the time. A report
that changes nothing is not even written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ForeignKey,
    Index,
    Row,
    Select,
    SmallInteger,
    String,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Mapped, mapped_column

from regions import branches, divisions, latest, moves
from regions.branches import Branch
from regions.divisions import DivisionCode
from regions.fixes import STRENGTH, Fix, Source, fix_in, is_clear
from regions.moves import CELLS_PER_DEGREE as CELLS_PER_DEGREE  # Part of what is kept here.
from regions.moves import Spot
from service import clock, followers
from service.db import Insert, Model, Prepared, UtcTime, table_of
from service.happenings import (
    Fact,
    LocationReported,
    OpenId,
    PermissionRevoked,
    Scanned,
    Subscribed,
    Surface,
    Unfollowed,
)
from service.wiring import Unit

#: A stronger source's word stands this long against a weaker one's.
HOLD = timedelta(minutes=10)
#: A place that is confirmed again and again is written down again only this often.
REFRESH = timedelta(hours=12)
_EXPIRED_AT_A_TIME = 500


class Presence(Model):
    """One follower's place, as coarse as the service needs it."""

    __tablename__ = "presences"

    openid: Mapped[str] = mapped_column(
        String(64), ForeignKey(followers.Follower.openid), primary_key=True
    )
    #: Empty while only an uncertain report near a border is known.
    branch: Mapped[str | None] = mapped_column(String(16), ForeignKey(branches.BranchRow.code))
    division: Mapped[str | None] = mapped_column(String(6))
    #: South-west corner of the cell, in hundredths of a degree, GCJ-02.
    cell_south: Mapped[int | None] = mapped_column(SmallInteger)
    cell_west: Mapped[int | None] = mapped_column(SmallInteger)
    source: Mapped[str] = mapped_column(String(8))
    seen_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    #: The branch that an uncertain report named; a second one that agrees settles it.
    candidate: Mapped[str | None] = mapped_column(String(16))
    candidate_division: Mapped[str | None] = mapped_column(String(6))
    candidate_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        # How many followers an area concerns is counted county by county, from this alone; and
        # walks through a county find in it whom they come to next.
        Index(None, "division", "cell_south", "cell_west", "openid"),
    )


_TABLE = table_of(Presence)
_KEPT = [column for column in _TABLE.columns if column.name != "openid"]
_FIND: Select[tuple[object, ...]] = select(*_KEPT).where(_TABLE.c.openid == bindparam("of"))


def _putting(insert: Insert) -> sqlite.Insert:
    new = insert(_TABLE)
    return new.on_conflict_do_update(
        index_elements=["openid"], set_={column.name: new.excluded[column.name] for column in _KEPT}
    )


_PUT = Prepared(_putting)
_BLANK: dict[str, object] = dict.fromkeys(column.name for column in _KEPT)
_NOTE = (
    update(_TABLE)
    .where(_TABLE.c.openid == bindparam("of"))
    .values(
        candidate=bindparam("candidate"),
        candidate_division=bindparam("candidate_division"),
        candidate_at=bindparam("candidate_at"),
    )
)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a follower is, as pages and replies need it."""

    branch: Branch
    division: DivisionCode | None
    source: Source | None
    #: Centre of the cell, (latitude, longitude) in GCJ-02 degrees.
    cell: tuple[float, float] | None
    seen_at: datetime | None
    #: A sentence for the follower.
    why: str
    #: They are near a border, and it is not settled on which side.
    is_uncertain: bool = False

    @property
    def pinned(self) -> bool:
        return self.source is Source.CHOSEN


def is_settled(unit: Unit, fact: LocationReported) -> bool:
    """Whether a report can be acknowledged at a glance: it changes nothing and awaits no answer."""
    return fact.surface is Surface.EVENT and stays_put(unit, fact)


def stays_put(unit: Unit, fact: LocationReported) -> bool:
    """Whether the report changes nothing of what is known."""
    fix = fix_in(unit, fact)
    if fix is None:
        return True
    reports = latest.reports(unit.settings)
    same = {"division": fix.division, "branch": fix.branch}
    # Where a county is watched, the same county again may be another place.
    if not _is_watched(unit, fix) and reports.repeats(fix.openid, fix.at, **same):
        return True
    return _changes_nothing(unit, fix, _fresh_row(unit, fact.openid))


def follow_to(unit: Unit, fact: LocationReported) -> None:
    """Take a report in: drop it, confirm with it, note a candidate, or move the follower."""
    if (fix := fix_in(unit, fact)) is None:
        return
    row = _fresh_row(unit, fact.openid)
    if _changes_nothing(unit, fix, row):
        return
    # Withdrawing erased what was known; whatever is known now was said after it.
    silent = row is None and fix.source is not Source.MESSAGE
    if silent and followers.withdrew_place(unit, fact):
        return
    if row is None:
        followers.meet(unit, fact)
    stays = row is not None and row.branch == fix.branch
    if stays or is_clear(unit, fix) or _agrees(row, fix):
        now = Spot(fix.branch, fix.division, *_cell(fix))
        _place(unit, Fact(fix.openid, fix.at), now, source=fix.source, known=row)
    else:
        _note_candidate(unit, fix, row)


def follow_scene(unit: Unit, fact: Subscribed | Scanned) -> None:
    """A branch's QR code (scene ``branch_<code>``) says which branch the follower stands in."""
    code = (fact.scene or "").removeprefix("branch_")
    if not fact.scene or code == fact.scene:
        return
    branch = branches.directory(unit).get(code)
    if branch is not None:
        stand_in(unit, fact.openid, at=fact.at, branch=branch, division=branch.division)


def stand_in(
    unit: Unit, openid: OpenId, *, at: datetime, branch: Branch, division: DivisionCode | None
) -> None:
    """A scanned code places the follower, unless a stronger recent word stands against it."""
    row = _fresh_row(unit, openid)
    fix = Fix(openid, at, Source.SCENE, 0.0, 0.0, 0.0, division or DivisionCode(""), branch.code)
    if row is not None and _is_overruled(row, fix):
        return
    followers.meet(unit, fact := Fact(openid, at))
    _place(unit, fact, Spot(branch.code, division), source=Source.SCENE, known=row)


def choose(unit: Unit, openid: OpenId, division: DivisionCode) -> Branch:
    """The follower picks a city; it stands until they release it or it expires."""
    branch = branches.directory(unit).serving(division).branch
    row = _row(unit, openid)
    followers.meet(unit, fact := Fact(openid, clock.now()))
    _place(unit, fact, Spot(branch.code, division), source=Source.CHOSEN, known=row)
    return branch


def release(unit: Unit, openid: OpenId) -> None:
    """Follow reports again; until the next one comes the chosen city still serves."""
    row = _row(unit, openid)
    if row is not None and row.source == Source.CHOSEN:
        unit.db.execute(
            update(Presence).where(Presence.openid == openid).values(source=Source.RELEASED)
        )


def revoke(unit: Unit, fact: PermissionRevoked) -> None:
    """The permission to know the place was withdrawn: forget the place."""
    if followers.PLACE_PERMISSION not in fact.permissions:
        return
    row = _row(unit, fact.openid)
    if row is None:
        return
    _erase(unit, fact.openid)
    head = branches.directory(unit).head.code
    moves.announce(unit, fact, now=Spot(head), before=_spot(row))


def forget(unit: Unit, fact: Unfollowed) -> None:
    """The follower left: so does their place."""
    _erase(unit, fact.openid)
    latest.reports(unit.settings).forget(fact.openid)


def expire(unit: Unit) -> None:
    """Forget places that nothing confirmed for the settings' number of days, some at a time."""
    limit = clock.now() - timedelta(days=unit.settings.presence_days)
    query = select(*_TABLE.columns).where(Presence.seen_at < limit)
    head = branches.directory(unit).head.code
    for row in unit.db.execute(query.limit(_EXPIRED_AT_A_TIME)).all():
        _erase(unit, row.openid)
        fact = Fact(OpenId(row.openid), clock.now())
        moves.announce(unit, fact, now=Spot(head), before=_spot(row))


def where(unit: Unit, openid: OpenId | None) -> Whereabouts:
    """Where this follower is; head office where we do not know, or do not know who asks."""
    row = _fresh_row(unit, openid) if openid is not None else None
    if row is None:
        return nowhere(unit)
    directory = branches.directory(unit)
    uncertain = row.branch is None
    code = row.candidate if uncertain else row.branch
    division = row.candidate_division if uncertain else row.division
    branch = directory.get(code or "") or directory.head
    cell = moves.middle(row.cell_south, row.cell_west)
    source = Source(row.source)
    why = _why(source, division, branch=branch, uncertain=uncertain)
    return Whereabouts(branch, division, source, cell, row.seen_at, why, uncertain)


def nowhere(unit: Unit) -> Whereabouts:
    """Head office, because nothing better is known."""
    head = branches.directory(unit).head
    return Whereabouts(head, None, None, None, None, "还不知道您在哪里，先为您显示总行的服务")


def at_city(unit: Unit, division: DivisionCode) -> Whereabouts:
    """The place of a visitor we do not know who picked a city."""
    branch = branches.directory(unit).serving(division).branch
    why = _why(Source.CHOSEN, division, branch=branch, uncertain=False)
    return Whereabouts(branch, division, Source.CHOSEN, None, clock.now(), why)


def _why(source: Source, division: str | None, *, branch: Branch, uncertain: bool) -> str:
    place = divisions.table().label(DivisionCode(division)) if division else ""
    if uncertain:
        return f"您在{place}边界附近，先按这里为您服务"
    if source is Source.SCENE:
        return f"您扫描了{branch.name}的二维码"
    told = {
        Source.CHOSEN: "您选择了",
        Source.RELEASED: "您上次选择了",
        Source.MESSAGE: "您发送的位置在",
    }.get(source, "您的位置在")
    return f"{told}{place}"


def _changes_nothing(unit: Unit, fix: Fix, row: Row[tuple[object, ...]] | None) -> bool:
    """Whether nothing needs to be written; then only the time of the report is remembered."""
    if row is None:
        return False
    reports = latest.reports(unit.settings)
    if _is_overruled(row, fix) or reports.is_newer(fix.openid, fix.at):
        return True
    stays = (
        row.branch == fix.branch
        and row.candidate is None
        and fix.at - row.seen_at < REFRESH
        and (row.division == fix.division or not is_clear(unit, fix, by_county=True))
        and ((row.cell_south, row.cell_west) == _cell(fix) or not _is_watched(unit, fix))
    )
    if stays and row.division == fix.division:
        reports.settle(fix.openid, fix.at, division=fix.division, branch=fix.branch)
    elif stays:
        reports.note(fix.openid, fix.at)
    return stays


def _is_watched(unit: Unit, fix: Fix) -> bool:
    """Whether it matters just now where in its county somebody is."""
    return fix.division in unit.wiring.tables.watched(unit)


def _cell(fix: Fix) -> tuple[int, int]:
    return moves.cell_at(fix.latitude, fix.longitude)


def _is_overruled(row: Row[tuple[object, ...]], fix: Fix) -> bool:
    """Whether what is known is newer, pinned, or stronger and still fresh."""
    known = Source(row.source)
    if known is Source.CHOSEN or fix.at < row.seen_at:
        return True
    return STRENGTH[known] > STRENGTH[fix.source] and fix.at - row.seen_at < HOLD


def _agrees(row: Row[tuple[object, ...]] | None, fix: Fix) -> bool:
    """Whether an earlier uncertain report named the same branch; a repetition does not count."""
    return row is not None and row.candidate == fix.branch and row.candidate_at < fix.at


def _note_candidate(unit: Unit, fix: Fix, row: Row[tuple[object, ...]] | None) -> None:
    noted = {
        "candidate": fix.branch,
        "candidate_division": fix.division,
        "candidate_at": fix.at,
    }
    if row is not None:
        _ask_again(unit, fix.openid)
        unit.db.execute(_NOTE, {"of": fix.openid, **noted})
        return
    _put(unit, fix.openid, branch=None, division=None, source=fix.source, seen_at=fix.at, **noted)


def _place(
    unit: Unit,
    fact: Fact,
    now: Spot,
    *,
    source: Source,
    known: Row[tuple[object, ...]] | None,
) -> None:
    """Write down where a follower we have met is, and say what that changes."""
    _put(
        unit,
        fact.openid,
        branch=now.branch,
        division=now.division,
        cell_south=now.south,
        cell_west=now.west,
        source=source,
        seen_at=fact.at,
    )
    moves.announce(unit, fact, now=now, before=_spot(known))


def _spot(row: Row[tuple[object, ...]] | None) -> Spot:
    if row is None:
        return Spot(None)
    return Spot(row.branch, row.division, row.cell_south, row.cell_west)


def _put(unit: Unit, openid: OpenId, *, seen_at: datetime, **known: object) -> None:
    """Write the place of a follower we have met, whole: what is not given is forgotten."""
    _ask_again(unit, openid)
    unit.db.execute(_PUT.on(unit.db), {**_BLANK, **known, "openid": openid, "seen_at": seen_at})


def _ask_again(unit: Unit, openid: str) -> None:
    """Trust nothing remembered of this follower: not now, and not from before the commit."""
    reports = latest.reports(unit.settings)
    reports.unsettle(openid)
    unit.afterwards.append(lambda: reports.unsettle(openid))


def _erase(unit: Unit, openid: str) -> None:
    _ask_again(unit, openid)
    unit.db.execute(delete(Presence).where(Presence.openid == openid))


def _row(unit: Unit, openid: str) -> Row[tuple[object, ...]] | None:
    return unit.db.execute(_FIND, {"of": openid}).first()


def _fresh_row(unit: Unit, openid: str) -> Row[tuple[object, ...]] | None:
    """What is known and has not expired."""
    row = _row(unit, openid)
    limit = clock.now() - timedelta(days=unit.settings.presence_days)
    return None if row is None or row.seen_at < limit else row
