"""Which variants are shown when there is no room for all, and who sees what instead."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from menus import keys
from menus.resolve import Resolved, Variant

#: A variant that is shown gives way only to one with more than this many hundredths more followers:
#: numbers that waver would otherwise have all of them re-tagged at every publication.
LEAD_PERCENT: Final = 5


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many tags menus may use, and how many conditional menus the account holds, if known."""

    tags: int
    ceiling: int | None = None
    #: WeChat's limit on all tags of an account, other people's included (45056).
    account_tags: int = 100
    #: A tag with more followers than this cannot be deleted (45057).
    deletable: int = 100_000


@dataclass(frozen=True, slots=True)
class Census:
    """What we know of followers: how many each audience has, and whose tag how many of them carry.

    Audiences that there are no longer are counted as well, until their followers have been walked
    through.
    """

    followers: Mapping[str, int] = field(default_factory=dict)
    #: By tag, then by audience.
    carriers: Mapping[int, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fallback:
    """A variant there is no room for, and what its followers see instead (``None``: default)."""

    key: str
    title: str
    heir: str | None
    followers: int


def serving(
    variants: Iterable[Variant],
    followers: Mapping[str, int],
    *,
    room: int,
    shown: Collection[str] = (),
) -> dict[str, str | None]:
    """Which variant serves each variant's followers when only ``room`` of them can be shown.

    The one with the fewest followers gives way first, to its parent, whose followers it joins; of
    equals the one that is not shown now, then the one named last. What leads to help in an
    emergency gives way after all else, and then to what leads to the same help: an ordinary edit
    makes more variants, but never more than one is needed for each set of emergencies. ``None`` is
    the default menu.

    Args:
        variants: those that are wanted, with their shelters.
        shown: the keys that are shown now, which stay unless others have clearly more.
    """
    return _Fitting(variants, followers, shown).fit(max(room, 0))


def reached(
    wanted: Resolved, heirs: Mapping[str, str | None], *, also: Iterable[str] = ()
) -> dict[str, str]:
    """By audience the variant that serves it, where these serve each variant's followers.

    A part of a branch that nothing serves, or that is no longer wanted, is served as its branch is.

    Args:
        also: audiences that may be no longer wanted.
    """
    found = {
        audience: heir
        for one in wanted.variants
        if (heir := heirs[one.key]) is not None
        for audience in one.branches
    }
    for part in {*keys.parts(wanted.codes), *keys.parts(also)} - found.keys():
        if (heir := found.get(keys.branch_of(part))) is not None:
            found[part] = heir
    return found


def present(followers: Mapping[str, int], codes: Collection[str]) -> Mapping[str, int]:
    """The followers of these audiences; those of an audience that is no more are their branch's."""
    gone = [one for one in keys.parts(followers) if one not in codes]
    if not gone:
        return followers
    found = Counter(followers)
    for one in gone:
        found[keys.branch_of(one)] += found.pop(one)
    return found


_Weight = tuple[int, int, int]


class _Fitting:
    """The variants while some of them give way."""

    def __init__(
        self, variants: Iterable[Variant], followers: Mapping[str, int], shown: Collection[str]
    ) -> None:
        self.all = {one.key: one for one in variants}
        self.load = {one.key: followers_of(one, followers) for one in self.all.values()}
        self.shelters = {one.shelter for one in self.all.values() if one.shelter}
        self.crowd = Counter[frozenset[str]]()
        #: How many are to have just these entries, which no ordinary edit changes.
        self.need = Counter[frozenset[str]]()
        for one in self.all.values():
            self.need[one.emergencies] += self.load[one.key]
            if one.shelter:
                self.crowd[one.emergencies] += self.load[one.key]
        self.level = {key: self._level(one) for key, one in self.all.items()}
        self.lit = self._lit(shown)
        self.place = {key: -place for place, key in enumerate(self.all)}
        self.left = {key for key, one in self.all.items() if one.branches}
        self.heap: list[tuple[_Weight, tuple[bool, int], str]] = []

    def fit(self, room: int) -> dict[str, str | None]:
        self.heap = [self._entry(key) for key in self.left]
        heapq.heapify(self.heap)
        while len(self.left) > room:
            weight, _rank, key = heapq.heappop(self.heap)
            if key not in self.left or weight != self._weight(key):
                continue  # Overtaken by a later entry of the same variant.
            self.left.discard(key)
            if shelter := self.all[key].shelter:
                self.left.add(shelter)
            heir = self._heir(key)
            if heir is not None:
                self.load[heir] += self.load[key]
                heapq.heappush(self.heap, self._entry(heir))
        meant = (key for key, one in self.all.items() if one.branches or key in self.left)
        return {key: self._heir(key) for key in meant}

    def _level(self, one: Variant) -> int:
        """What gives way last: first go ordinary ones, then those with a shelter to go to."""
        if one.key in self.shelters:
            return 2
        if not one.urgent or one.shelter == "":
            return 0
        return 1 if one.shelter else 2

    def _lit(self, shown: Collection[str]) -> set[str]:
        """Those that are shown now; among the last to go, also those whose emergencies another
        variant leads to now, or an edit that joins or parts variants would decide between them."""
        found = set(self.all) & set(shown)
        marks = {keys.inside_of(one) for one in keys.parts(shown)}
        sets = {self.all[key].emergencies for key in found}
        return found | {
            key
            for key, one in self.all.items()
            if self.level[key] == 2
            and (one.emergencies in sets or keys.mark(one.emergencies) in marks)
        }

    def _weight(self, key: str) -> _Weight:
        """Those with a shelter go crowd by crowd, or several crowds would be half dissolved."""
        level, emergencies = self.level[key], self.all[key].emergencies
        crowd = self.crowd[emergencies] if level == 1 else 0
        load = self.need[emergencies] if level == 2 else self.load[key]
        return level, crowd, load * (100 + LEAD_PERCENT if key in self.lit else 100)

    def _entry(self, key: str) -> tuple[_Weight, tuple[bool, int], str]:
        return self._weight(key), (key in self.lit, self.place[key]), key

    def _heir(self, key: str | None) -> str | None:
        while key is not None and key not in self.left:
            one = self.all[key]
            if one.shelter == "" or one.shelter in self.left:
                return one.shelter or None
            if one.urgent and (other := self._alike(one)) is not None:
                return other
            key = one.parent
        return key

    def _alike(self, gone: Variant) -> str | None:
        """What leads to some of the same help, and to none that is not for these: with another's
        local column, but in an emergency that matters less."""
        found = (
            key
            for key in self.left
            if self.all[key].emergencies <= gone.emergencies
            and self.all[key].emergencies & gone.gained
        )
        return max(
            found,
            key=lambda key: (len(self.all[key].emergencies), self._weight(key), self.place[key]),
            default=None,
        )


def followers_of(variant: Variant, followers: Mapping[str, int]) -> int:
    return sum(followers.get(branch, 0) for branch in variant.branches)
