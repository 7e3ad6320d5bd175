"""What the console shows of one emergency: all it says and does, how far it has come, what may be
done about it by whom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lightservices.console import emergency_area
from lightservices.console.emergency_area import Picture
from lightservices.console.ground import Ground
from lightservices.emergency import (
    changes,
    differences,
    holding,
    in_force,
    operations,
    overlays,
    queries,
    reach,
    titles,
)
from lightservices.emergency.content import Content
from lightservices.emergency.holding import Hand
from lightservices.emergency.in_force import Emergency
from lightservices.emergency.models import Record, Version
from lightservices.emergency.queries import Review
from lightservices.emergency.reach import Assessment
from lightservices.emergency.refusals import STATES, Refused, Unreadable
from lightservices.emergency.states import Move, Stage, State
from regions import coverage, divisions
from service import clock
from service.approvals.kinds import Difference
from service.epochs import LOOK_SECONDS
from service.staff import Me
from service.wiring import MenuProgress, Unit

#: The act each move asks for.
ACTS: Final[Mapping[Move, str]] = {
    Move.OPEN: "open_emergency",
    Move.REJECT: "open_emergency",
    Move.WITHDRAW: "propose",
    Move.CHANGE: "propose",
    Move.ADOPT: "open_emergency",
    Move.DECLINE: "open_emergency",
    Move.RETRACT: "propose",
    Move.CLOSE: "close_emergency",
}
KINDS: Final = {"open": "提出开启", "amend": "修改", "extend": "延长", "break_glass": "紧急开启"}
STAGES: Final = {
    "proposed": "等待确认", "live": "生效中", "superseded": "已被取代", "rejected": "未同意",
    "withdrawn": "已撤回", "lapsed": "随专区结束",
}  # fmt: skip
_TAKE_BACK: Final = (Move.WITHDRAW, Move.RETRACT)
#: What cannot be done with what cannot be read.
_READS: Final = (Move.OPEN, Move.ADOPT, Move.CHANGE)
_MOST_COUNTIES: Final = 40


@dataclass(frozen=True, slots=True)
class Line:
    """One emergency in the list."""

    record: Record
    state: str
    #: What is in force, or was last; before that, what is proposed.
    version: Version
    #: What it began with: whoever proposed it stays named after others changed it.
    first: Version
    reach: str
    #: A change that waits while the emergency is open.
    change: Version | None
    owed: Review | None

    @property
    def title(self) -> str:
        return titles.titled(self.record, holding.readable(self.version))


@dataclass(frozen=True, slots=True)
class Way:
    """A move its state allows: open to this person, or why not and whom to ask."""

    refusal: Refused | None = None
    who: Sequence[str] = ()

    @property
    def is_free(self) -> bool:
        return self.refusal is None


@dataclass(frozen=True, slots=True)
class Menus:
    """The menus' layer: whom it concerns, and how far it has come."""

    whole: Sequence[str]
    part: Sequence[str]
    progress: MenuProgress | None

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will change by itself soon."""
        found = self.progress
        if found is None or not found.is_kept:
            return True
        return found.state in ("settled", "stuck")


@dataclass(frozen=True, slots=True)
class Layers:
    """How far the emergency has come in pages and in menus."""

    stands: State
    #: What this very process answers with now; None: nothing of it.
    here: Emergency | None
    #: When the last change of it was made, and when every process has noticed at the latest.
    since: datetime | None
    noticed: datetime | None
    is_rung: bool
    menus: Menus
    #: The graver ones that have its place in menus where both are in force.
    in_front: Sequence[Emergency]
    asked_at: datetime

    @property
    def is_settled(self) -> bool:
        """Whether a page that shows this needs not ask again."""
        present = clock.now()
        return self.menus.is_settled and (self.noticed is None or present > self.noticed)


@dataclass(frozen=True, slots=True)
class Outline:
    """An area on the map, and in words for whoever does not look at maps."""

    ground: Ground
    picture: Picture
    places: Sequence[str]
    branches: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One emergency as this person sees it."""

    record: Record
    version: Version
    #: None where it cannot be read, which must keep nobody from closing it.
    content: Content | None
    state: str
    title: str
    reach: str
    branches: Sequence[str]
    places: Sequence[str]
    counties: Sequence[str]
    #: What waits for a decision: the proposal itself, or a change with all it changes.
    pending: Version | None
    wanted: Content | None
    assessment: Assessment | None
    changes: Sequence[Difference]
    #: When it ends if what waits is taken now.
    would_end: datetime | None
    review: Review | None
    ways: Mapping[str, Way]
    versions: Sequence[Version]
    names: Mapping[str, str]
    #: Where it would be, for whoever confirms it.
    outline: Outline | None

    @property
    def first(self) -> Version:
        """What it began with."""
        return self.versions[-1]

    @property
    def taken(self) -> Sequence[Version]:
        """The changes that came into force, the earliest first."""
        stages = (Stage.LIVE, Stage.SUPERSEDED, Stage.LAPSED)
        return [
            one
            for one in reversed(self.versions)
            if one.number > 1 and one.decided_at is not None and one.stage in stages
        ]


def line(unit: Unit, record: Record) -> Line:
    """One emergency for the list."""
    shown, waits = _shown(unit, record), queries.pending(unit, record)
    review = queries.review_of(unit, record)
    return Line(
        record,
        STATES[record.stands],
        shown,
        queries.version(unit, record, 1),
        coverage.rounded(shown.reach.total),
        waits if waits is not None and waits.number != shown.number else None,
        review if review is not None and review.done_at is None else None,
    )


def sight(unit: Unit, record: Record, me: Me, assessment: Assessment | None = None) -> Sight:
    """Everything about one emergency but its layers and its history. Nothing is counted here.

    Args:
        assessment: what waits concerns, where it was counted; whoever decides needs it.
    """
    version, names = _shown(unit, record), unit.wiring.tables.branch_names(unit)
    content = holding.readable(version)
    pending = queries.pending(unit, record)
    if record.stands not in (State.PROPOSED, State.OPEN):
        pending = None
    wanted = holding.readable(pending) if pending is not None else None
    assessment = assessment if wanted is not None else None
    return Sight(
        record=record, version=version, content=content, state=STATES[record.stands],
        title=titles.titled(record, content), reach=coverage.rounded(version.reach.total),
        branches=[names.get(code, code) for code in version.branches],
        places=differences.places(content.area if content else None), counties=_counties(version),
        pending=pending, wanted=wanted, assessment=assessment,
        changes=differences.between(content, wanted) if content and wanted else (),
        would_end=_would_end(record, pending) if wanted else None,
        review=queries.review_of(unit, record), ways=_ways(unit, record, me, pending, assessment),
        versions=queries.versions(unit, record), names=names,
        outline=outline(wanted, assessment) if wanted and assessment else None,
    )  # fmt: skip


def to_confirm(unit: Unit, record: Record, me: Me) -> Content | None:
    """What waits for this very person; for whoever may not confirm it nobody counts followers."""
    pending = queries.pending(unit, record)
    if pending is None:
        return None
    move = Move.OPEN if record.stands is State.PROPOSED else Move.ADOPT
    is_free = _way(unit, record, me, move, pending, None).is_free
    return holding.readable(pending) if is_free else None


def outline(content: Content, assessment: Assessment) -> Outline | None:
    """Where what is to be confirmed would be, as whoever proposed it saw it."""
    if content.area is None:
        return None
    return Outline(
        emergency_area.chosen_ground("", content.area)[1],
        emergency_area.picture(content.area, assessment.covered),
        differences.places(content.area),
        [branch.name for branch in assessment.branches],
    )


def layers(unit: Unit, record: Record) -> Layers:
    """How far it has come in pages and in menus, asked now."""
    version = _shown(unit, record)
    since = max(filter(None, (version.decided_at, record.opened_at, record.ended_at)), default=None)
    ask, here = unit.wiring.tables.menu_progress, in_force.one(unit, record.key)
    names = unit.wiring.tables.branch_names(unit)
    part = reach.partial_branches(unit, version.branches, version.covered)
    whole = frozenset(version.branches) - part
    return Layers(
        stands=record.stands,
        here=here,
        since=since,
        noticed=since + timedelta(seconds=2 * LOOK_SECONDS) if since else None,
        is_rung=bool(unit.settings.redis_url),
        menus=Menus(
            [names.get(code, code) for code in sorted(whole)],
            [names.get(code, code) for code in sorted(part)],
            ask(unit, record.path) if ask is not None else None,
        ),
        in_front=overlays.in_front(unit, here) if here else (),
        asked_at=clock.now(),
    )


def to_move(unit: Unit, record: Record, me: Me) -> int:
    """How many followers wait for another menu, of those branches it touches that are this
    person's business: how many others have is not.

    Raises:
        OperationalError: the database did not count them in time.
    """
    ask = unit.wiring.tables.followers_to_move
    mine = [code for code in queries.codes_of(unit, record) if reach.sees(unit, me, (code,))]
    return ask(unit, mine) if ask is not None else 0


def as_if_open(record: Record, version: Version) -> Emergency:
    """The emergency as this version would have it, or has it, for a look at the follower's page."""
    present = clock.now()
    ends_at = version.ends_at or record.ends_at or present + timedelta(hours=version.hours or 0)
    return in_force.made(
        version.content, version.covered, id=record.id, key=record.key, drill=record.drill,
        number=version.number, branches=version.branches, opened_at=record.opened_at or present,
        ends_at=ends_at, since=version.decided_at or version.proposed_at,
    )  # fmt: skip


def remaining(until: datetime) -> str:
    """How long it is until then, as people say it; "" for a moment that has come."""
    minutes = int((until - clock.now()).total_seconds() // 60)
    if until <= clock.now():
        return ""
    if minutes < 1:
        return "还剩不到 1 分钟"
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"还剩 {days} 天 {hours} 小时"
    return f"还剩 {hours} 小时 {rest} 分钟" if hours else f"还剩 {rest} 分钟"


def _shown(unit: Unit, record: Record) -> Version:
    """What is in force, or was last; before that, what is proposed."""
    return queries.version(unit, record, record.live if record.live is not None else 1)


def _counties(version: Version) -> list[str]:
    """The counties it takes in, those in part with their share; too many are only counted."""
    table, covered = divisions.table(), version.covered
    told = [table.label(code) or code for code in covered.whole]
    told += [
        f"{table.label(code) or code}（约 {share:.0%}）" for code, share in covered.parts.items()
    ]
    return told if len(told) <= _MOST_COUNTIES else []


def _would_end(record: Record, pending: Version | None) -> datetime | None:
    if pending is None:
        return None
    if record.ends_at is None:
        return clock.now() + timedelta(hours=pending.hours or 0)
    return changes.end_if_taken(record, pending)


def _ways(
    unit: Unit, record: Record, me: Me, pending: Version | None, assessment: Assessment | None
) -> dict[str, Way]:
    if record.stands is State.PROPOSED:
        moves = [Move.OPEN, Move.REJECT, Move.WITHDRAW]
    elif record.stands is State.OPEN:
        about = [Move.ADOPT, Move.DECLINE, Move.RETRACT] if pending else [Move.CHANGE]
        moves = [Move.CLOSE, *about]
    else:
        moves = []
    # Whoever else may propose there could take it back as well; that is for its maker to do, and
    # others say no to it.
    offered = [one for one in moves if one not in _TAKE_BACK or _is_by(pending, me)]
    found = {one.value: _way(unit, record, me, one, pending, assessment) for one in offered}
    return found | _review(unit, record, me)


def _is_by(pending: Version | None, me: Me) -> bool:
    return pending is not None and pending.maker_id == me.id


def _way(
    unit: Unit, record: Record, me: Me, move: Move, pending: Version | None,
    assessment: Assessment | None,
) -> Way:  # fmt: skip
    about = pending if move not in (Move.CHANGE, Move.CLOSE) else None
    confirms = move in (Move.OPEN, Move.ADOPT)
    weighed = assessment if confirms else None
    hand = Hand(me, ACTS[move], about.seal if about else "", weighed.ticked if weighed else "")
    refusal = holding.hindered(unit, record, move, hand, version=about, assessment=weighed)
    if (
        refusal is None
        and move in _READS
        and holding.readable(about or _shown(unit, record)) is None
    ):
        return Way(Unreadable())
    if refusal is None:
        return Way()
    codes = {*queries.codes_of(unit, record), *(about.branches if about else ())}
    decides = confirms or move in (Move.REJECT, Move.DECLINE)
    but = [about.maker_id] if about and decides else []
    return Way(refusal, reach.who_may(unit, ACTS[move], sorted(codes), but=but))


def _review(unit: Unit, record: Record, me: Me) -> dict[str, Way]:
    found = queries.review_of(unit, record)
    if found is None or found.done_at is not None:
        return {}
    try:
        operations.require_review(unit, record, me)
    except Refused as refused:
        codes = queries.codes_of(unit, record)
        but = [found.person_id]
        return {"review": Way(refused, reach.who_may(unit, "open_emergency", codes, but=but))}
    return {"review": Way()}
