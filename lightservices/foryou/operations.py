"""What a follower is known by: tags come and go, openings are counted and fade, one word ends it.

Tags count until the follower says no. Openings are counted only after the follower said yes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, insert, select

from lightservices.foryou.models import FollowerTagRow, FollowerTasteRow, FollowerWordRow
from lightservices.foryou.ranking import FAINT, HALF_LIFE_DAYS, Given, Source, Taste
from lightservices.foryou.tags import tags
from service import clock, followers
from service.db import table_of
from service.happenings import OpenId, Scanned, Subscribed, Unfollowed
from service.wiring import Unit

#: The text the follower said yes to, by version; see ``templates/pages/for_you.html``.
VERSION: Final = "2026-11"
SCENE: Final = "tag_"
_TAGS, _TASTES = table_of(FollowerTagRow), table_of(FollowerTasteRow)
_WORDS = table_of(FollowerWordRow)
_AT_A_TIME: Final = 500
#: After so many half-lives even a daily visitor's count is faint.
_FORGOTTEN: Final = timedelta(days=8 * HALF_LIFE_DAYS)


class Word(StrEnum):
    """What the follower said."""

    UNSAID = "unsaid"
    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Known:
    """All that speaks for one service or another for this follower."""

    word: Word
    given: tuple[Given, ...] = ()
    tastes: Mapping[str, Taste] | None = None

    @property
    def audiences(self) -> frozenset[str]:
        """The tags by which promotions choose whom they are for."""
        return frozenset(one.tag.key for one in self.given)


NOBODY: Final = Known(Word.UNSAID)


def known(unit: Unit, openid: OpenId | None) -> Known:
    """What is known of this follower; nothing of guests and of those who said no."""
    if openid is None:
        return NOBODY
    said = word(unit, openid)
    if said is Word.OFF:
        return Known(Word.OFF)
    rows = unit.db.execute(
        select(_TAGS.c.tag, _TAGS.c.source)
        .where(_TAGS.c.openid == openid)
        .order_by(_TAGS.c.tag, _TAGS.c.source)
    )
    registry = tags()
    given = tuple(Given(registry[key], Source(source)) for key, source in rows if key in registry)
    if said is Word.UNSAID:
        return Known(said, given)
    return Known(said, given, tastes(unit, openid))


def word(unit: Unit, openid: OpenId) -> Word:
    """What the follower said of recommendations."""
    found = unit.db.execute(select(_WORDS.c.is_on).where(_WORDS.c.openid == openid)).scalar()
    if found is None:
        return Word.UNSAID
    return Word.ON if found else Word.OFF


def tastes(unit: Unit, openid: OpenId) -> Mapping[str, Taste]:
    rows = unit.db.execute(
        select(_TASTES.c.scenario, _TASTES.c.weight, _TASTES.c.stamped).where(
            _TASTES.c.openid == openid
        )
    )
    return {scenario: Taste(weight, stamped) for scenario, weight, stamped in rows}


def switch_on(unit: Unit, openid: OpenId) -> None:
    """The follower said yes to being counted."""
    _say(unit, openid, is_on=True)


def switch_off(unit: Unit, openid: OpenId) -> None:
    """The follower said no: everything goes at once, and only the no is kept."""
    _erase(unit, openid)
    _say(unit, openid, is_on=False)


def choose(unit: Unit, openid: OpenId, chosen: Collection[str]) -> None:
    """The follower says what they care for, in place of what they said before."""
    if not _is_here(unit, openid) or word(unit, openid) is Word.OFF:
        return
    unit.db.execute(delete(_TAGS).where(_TAGS.c.openid == openid, _TAGS.c.source == Source.CHOSEN))
    for key, tag in tags().items():
        if key in chosen and tag.choice:
            _give(unit, openid, key, Source.CHOSEN)


def follow_scene(unit: Unit, fact: Subscribed | Scanned) -> None:
    """A QR code of the bank's gives the tag it names."""
    key = (fact.scene or "").removeprefix(SCENE)
    if not (fact.scene or "").startswith(SCENE) or key not in tags():
        return
    if word(unit, fact.openid) is not Word.OFF:
        followers.meet(unit, fact)
        _give(unit, fact.openid, key, Source.SCENE)


def replace_given(unit: Unit, pairs: Iterable[tuple[OpenId, str]]) -> tuple[int, int]:
    """Make these the tags the bank gives, in place of all it gave before.

    How many were given, and how many not, because nobody follows under that openid or said no.
    """
    unit.db.execute(delete(_TAGS).where(_TAGS.c.source == Source.BANK))
    wanted = sorted(set(pairs))
    given = 0
    for start in range(0, len(wanted), _AT_A_TIME):
        some = wanted[start : start + _AT_A_TIME]
        willing = _willing(unit, {openid for openid, _key in some})
        rows = [
            {"openid": openid, "tag": key, "source": Source.BANK.value}
            for openid, key in some
            if openid in willing
        ]
        if rows:
            unit.db.execute(insert(_TAGS), rows)
        given += len(rows)
    return given, len(wanted) - given


def is_counted(unit: Unit, openid: OpenId, scenario: str, *, today: date) -> bool:
    """Whether an opening today changes nothing: not wanted, or counted already."""
    if word(unit, openid) is not Word.ON:
        return True
    found = tastes(unit, openid).get(scenario)
    return found is not None and found.opened(today) is found


def count(unit: Unit, openid: OpenId, scenario: str, *, today: date) -> None:
    """One more opening of a situation, for a follower who said yes and is still here."""
    if not _is_here(unit, openid) or word(unit, openid) is not Word.ON:
        return
    taste = tastes(unit, openid).get(scenario, Taste(0.0, today)).opened(today)
    values = {"weight": taste.weight, "stamped": taste.stamped}
    row = unit.insert(FollowerTasteRow).values(openid=openid, scenario=scenario, **values)
    unit.db.execute(
        row.on_conflict_do_update(
            index_elements=[FollowerTasteRow.openid, FollowerTasteRow.scenario], set_=values
        )
    )


def forget(unit: Unit, fact: Unfollowed) -> None:
    """The follower left."""
    _erase(unit, fact.openid)
    unit.db.execute(delete(_WORDS).where(_WORDS.c.openid == fact.openid))


def forget_old(unit: Unit) -> None:
    """The chore: counts that have faded."""
    today = clock.shanghai(clock.now()).date()
    unit.db.execute(delete(_TASTES).where(_TASTES.c.stamped < today - _FORGOTTEN))
    unit.db.execute(delete(_TASTES).where(_TASTES.c.weight < FAINT))


def _willing(unit: Unit, openids: Collection[str]) -> frozenset[str]:
    """Those of these who follow and did not say no."""
    here = table_of(followers.Follower)
    refused = select(_WORDS.c.openid).where(_WORDS.c.is_on.is_(False))
    rows = unit.db.execute(
        select(here.c.openid).where(here.c.openid.in_(openids), here.c.openid.not_in(refused))
    )
    return frozenset(row.openid for row in rows)


def _is_here(unit: Unit, openid: OpenId) -> bool:
    followers.alone(unit, openid)
    return followers.is_known(unit, openid)


def _give(unit: Unit, openid: OpenId, key: str, source: Source) -> None:
    row = unit.insert(FollowerTagRow).values(openid=openid, tag=key, source=source.value)
    unit.db.execute(row.on_conflict_do_nothing())


def _say(unit: Unit, openid: OpenId, *, is_on: bool) -> None:
    if not _is_here(unit, openid):
        return
    values = {"is_on": is_on, "version": VERSION, "said_at": clock.now()}
    row = unit.insert(FollowerWordRow).values(openid=openid, **values)
    unit.db.execute(row.on_conflict_do_update(index_elements=[FollowerWordRow.openid], set_=values))


def _erase(unit: Unit, openid: OpenId) -> None:
    unit.db.execute(delete(_TAGS).where(_TAGS.c.openid == openid))
    unit.db.execute(delete(_TASTES).where(_TASTES.c.openid == openid))
