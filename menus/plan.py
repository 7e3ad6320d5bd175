"""The steps from the menus WeChat has to the menus wanted, so that nobody drops out on the way.

A tag names a variant, and each follower carries at most one. What keeps followers safe is the
order: a new menu is added before the old one is deleted (the newest of a tag wins); before a tag's
menu changes, those whom it is not meant for are moved to theirs; and a variant that ends is only
deleted once those who carry its tag have been moved to another that is there. Adding first needs a
spare slot, so one below the account's ceiling is always left free.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from menus import keys
from menus.capacity import (
    Capacity,
    Census,
    Fallback,
    followers_of,
    present,
    reached,
    serving,
)
from menus.live import Live, LiveMenu, key_in, our_tags, tag_name
from menus.resolve import Resolved, Variant
from menus.reuse import kept_tags
from menus.steps import (
    AddMenu,
    CreateDefault,
    CreateTag,
    DeleteMenu,
    DeleteTag,
    EmptyTag,
    LetGo,
    MoveOut,
    RenameTag,
    Step,
)

#: One in so many of a tag's followers may be of branches it is not meant for: so many are crossing
#: a border at any moment, and to wait for the last of them would be to wait for ever.
_IN_TRANSIT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Ordered steps, and what they lead to."""

    steps: tuple[Step, ...]
    #: By audience the variant it will see; the others see the default. Parts of branches that are
    #: no longer wanted are among them while followers are counted there.
    reach: Mapping[str, str]
    #: By variant the tag it has already.
    tag_of: Mapping[str, int]
    #: The variants whose menu WeChat already shows as wanted.
    right: frozenset[str]
    #: Our tags under which WeChat shows a menu, whichever.
    lit: frozenset[int]
    fallbacks: tuple[Fallback, ...]
    #: Tags that no variant uses and that have too many followers to be deleted yet.
    aside: tuple[int, ...] = ()

    @property
    def gaps(self) -> tuple[LetGo, ...]:
        """Who will see the default menu for a while although another is meant for them."""
        return tuple(step for step in self.steps if isinstance(step, LetGo))


def plan(
    wanted: Resolved,
    live: Live,
    *,
    capacity: Capacity,
    recorded: Mapping[int, str],
    census: Census,
    reach: Mapping[str, int] | None = None,
) -> Plan:
    """The steps from ``live`` to ``wanted``; none when nothing differs.

    Args:
        wanted: every branch's menu.
        live: what WeChat has now.
        capacity: how many variants there can be.
        recorded: our tags, with the variant each was made for; others are recognised by name.
        census: who follows where, and carries what.
        reach: by audience the tag that its followers may be given at this moment.
    """
    return _Draft(wanted, live, capacity, recorded, census, reach or {}).plan()


def _inherited(given: Mapping[str, int], parts: Iterable[str]) -> dict[str, int]:
    """By part of a branch the tag it is given because its branch is."""
    tags = {part: given.get(keys.branch_of(part)) for part in parts if part not in given}
    return {part: tag for part, tag in tags.items() if tag is not None}


@dataclass(slots=True)
class _Leaving:
    """A tag of ours that no variant will use, with the menu under it."""

    tag_id: int
    key: str
    menu_id: str | None
    exists: bool
    #: How many carry it, and the followers among them whom another variant is meant for: by that
    #: variant, then by branch.
    followers: int
    meant_for: Mapping[str, Mapping[str, int]]
    #: Whether followers may be given it at this moment.
    is_given: bool
    is_ended: bool = False

    @property
    def awaits(self) -> set[str]:
        """The variants that must be there before this one can go."""
        return set(self.meant_for)


class _Draft:
    """The plan while it is being written: what will be there after the steps so far."""

    def __init__(
        self,
        wanted: Resolved,
        live: Live,
        capacity: Capacity,
        recorded: Mapping[int, str],
        census: Census,
        given: Mapping[str, int],
    ) -> None:
        self.wanted, self.live, self.census = wanted, live, census
        counted = {*census.followers, *chain.from_iterable(census.carriers.values())}
        parts = keys.parts({*counted, *wanted.codes, *given})
        self.present = {**given, **_inherited(given, parts)}
        self.ceiling, self.deletable = capacity.ceiling, capacity.deletable
        self.steps: list[Step] = []
        self.ours = our_tags(live.tags, recorded, wanted.codes)
        self.tag = {tag.id: tag for tag in live.tags}
        self.names = {tag.name for tag in live.tags}
        every = dict(recorded) | self.ours
        self.mine = [one for one in live.conditional if one.tag_id in every]
        foreign_menus = len(live.conditional) - len(self.mine)
        self.tag_limit = min(
            capacity.tags, capacity.account_tags - (len(live.tags) - len(self.ours))
        )
        self.menus, self.tags = len(live.conditional), len(self.ours)
        self.shown = {one.tag_id: one for one in reversed(self.mine)}
        slots = self.tag_limit if self.ceiling is None else self.ceiling - 1 - foreign_menus
        self.serving = self._serving(every, min(self.tag_limit, slots))
        self.reach = reached(wanted, self.serving, also=parts)
        served = {heir for heir in self.serving.values() if heir is not None}
        self.served = [one for one in wanted.every if one.key in served]
        self.tag_of = kept_tags(
            self.served,
            self.ours,
            recorded=recorded,
            shown=self.shown,
            tags=self.tag,
            census=census,
            reach=self.reach,
            in_use=frozenset(given.values()),
        )
        self.right = {one.key for one in self.served if self._is_right(one)}
        self.strangers = {one.key: self._strangers(one) for one in self.served}
        self.leaving = self._leaving(every)

    def plan(self) -> Plan:
        right, lit = frozenset(self.right), frozenset(tag for tag in self.shown if tag is not None)
        if self.live.default != self.wanted.default or self.live.by_hand is not None:
            self.steps.append(CreateDefault(self.wanted.default))
        self._rename()
        self._drop_shadowed()
        for one in self.leaving:
            if not one.awaits:
                self._delete_menu(one)
        self._show_all()
        for one in self.leaving:
            self._end(one)
        return Plan(
            tuple(self.steps),
            self.reach,
            self.tag_of,
            right,
            lit,
            tuple(self._fallbacks()),
            tuple(one.tag_id for one in self.leaving if one.exists),
        )

    def _serving(self, every: Mapping[int, str], room: int) -> dict[str, str | None]:
        menus = {one.menu for one in self.shown.values()}
        now = {one.key for one in self.wanted.every if one.menu in menus}
        now |= {every[tag_id] for tag_id in self.shown if tag_id is not None}
        followers = present(self.census.followers, self.wanted.codes)
        return serving(self.wanted.every, followers, room=room, shown=now)

    def _is_right(self, variant: Variant) -> bool:
        shown = self.shown.get(self.tag_of.get(variant.key))
        return shown is not None and shown.menu == variant.menu

    def _strangers(self, variant: Variant) -> dict[str, int]:
        """By branch the followers who carry the variant's tag and are to see another menu."""
        carriers = self.census.carriers.get(self.tag_of.get(variant.key, 0), {})
        found = {
            branch: count
            for branch, count in carriers.items()
            if count and self.reach.get(branch) != variant.key
        }
        return found if sum(found.values()) > sum(carriers.values()) // _IN_TRANSIT else {}

    def _leaving(self, ours: Mapping[int, str]) -> list[_Leaving]:
        kept = set(self.tag_of.values())
        found: list[_Leaving] = []
        for tag_id, key in sorted(ours.items()):
            shown = self.shown.get(tag_id)
            if tag_id in kept or (shown is None and tag_id not in self.ours):
                continue
            carriers = self.census.carriers.get(tag_id, {})
            given = [branch for branch, tag in self.present.items() if tag == tag_id]
            meant_for: dict[str, dict[str, int]] = {}
            for branch in {*carriers, *given} & self.reach.keys():
                by_branch = meant_for.setdefault(self.reach[branch], {})
                by_branch[branch] = carriers.get(branch, 0)
            found.append(
                _Leaving(
                    tag_id,
                    key,
                    shown.menu_id if shown else None,
                    exists=tag_id in self.ours,
                    followers=max(
                        sum(carriers.values()), self.tag[tag_id].count if tag_id in self.tag else 0
                    ),
                    meant_for=meant_for,
                    is_given=bool(given),
                )
            )
        return sorted(found, key=lambda one: (one.followers, one.tag_id))

    def _rename(self) -> None:
        for key, tag_id in sorted(self.tag_of.items(), key=lambda pair: pair[1]):
            old = self.tag[tag_id].name
            if key_in(old) == key:
                continue
            title = next(one.title for one in self.served if one.key == key)
            name = tag_name(key, title, self.names)
            self.names = self.names - {old} | {name}
            self.steps.append(RenameTag(tag_id, key, name))

    def _drop_shadowed(self) -> None:
        """Older menus under the same tag are never matched; what a crash left is cleared here."""
        for one in self.mine:
            if self.shown[one.tag_id] is not one:
                self._delete(one.menu_id, self._key_of(one))

    def _key_of(self, one: LiveMenu) -> str:
        return next((key for key, tag in self.tag_of.items() if tag == one.tag_id), "")

    def _show_all(self) -> None:
        """Those who wait for a menu to be moved to hold a slot: what they wait for comes first."""
        left = [one for one in self.served if one.key not in self.right]
        awaited = set[str]().union(*(one.awaits for one in self.leaving))
        awaited = awaited.union(*(self._blocking(one) for one in left))
        while left:
            ready = [one for one in left if self._blocking(one) <= self.right]
            if ready:
                following = min(
                    ready, key=lambda one: (bool(self.strangers[one.key]), one.key not in awaited)
                )
            else:
                following = min(left, key=lambda one: sum(self.strangers[one.key].values()))
                self._let_strangers_go(following)
            left.remove(following)
            self._show(following)

    def _blocking(self, variant: Variant) -> set[str]:
        """The variants that those on the wrong tag must be able to move to first."""
        return {
            self.reach[branch] for branch in self.strangers[variant.key] if branch in self.reach
        }

    def _let_strangers_go(self, variant: Variant) -> None:
        """Two variants exchange followers and both change: one of them has to give way."""
        gone = {
            branch: count
            for branch, count in self.strangers[variant.key].items()
            if branch in self.reach and self.reach[branch] not in self.right
        }
        # A part of a branch that is given nothing is given what its branch is: not this, then.
        for branch in {keys.branch_of(part) for part in keys.parts(gone)} - gone.keys():
            if self.present.get(branch) == self.tag_of[variant.key]:
                gone[branch] = self.census.carriers[self.tag_of[variant.key]].get(branch, 0)
        self.steps.append(LetGo(variant.key, tuple(sorted(gone)), sum(gone.values())))

    def _show(self, variant: Variant) -> None:
        key = variant.key
        if key not in self.tag_of:
            while self.tags >= self.tag_limit and (one := self._next_leaving(self._with_tag())):
                self._let_go(one)
                self._end(one)
            if self.tags >= self.tag_limit:
                return  # Until a tag with too many followers to be deleted has been emptied.
            name = tag_name(key, variant.title, self.names)
            self.names = self.names | {name}
            self.steps.append(CreateTag(key, name))
            self.tags += 1
        elif strangers := self.strangers[key]:
            most = sum(self.census.carriers[self.tag_of[key]].values()) // _IN_TRANSIT
            branches, followers = tuple(sorted(strangers)), sum(strangers.values())
            self.steps.append(MoveOut(self.tag_of[key], key, branches, followers, most))
        while self._is_full() and (one := self._next_leaving(self._with_menu())):
            if one.awaits <= self.right:
                self._end(one)
            else:
                self._let_go(one)
        self.steps.append(AddMenu(key, variant.menu))
        self.menus += 1
        self.right.add(key)
        old = self.shown.get(self.tag_of.get(key))
        if old is not None:
            self._delete(old.menu_id, key)

    def _is_full(self) -> bool:
        return self.ceiling is not None and self.menus >= self.ceiling

    def _with_tag(self) -> Iterator[_Leaving]:
        """Those whose tag can make room: one with too many followers is kept aside."""
        return (one for one in self.leaving if one.exists and one.followers <= self.deletable)

    def _with_menu(self) -> Iterator[_Leaving]:
        return (one for one in self.leaving if one.menu_id is not None)

    def _next_leaving(self, able: Iterable[_Leaving]) -> _Leaving | None:
        """Who makes room next: those who can be moved safely first, then the fewest followers."""
        return min(able, key=lambda one: not one.awaits <= self.right, default=None)

    def _let_go(self, one: _Leaving) -> None:
        """Delete a menu although not all of its followers can be served elsewhere yet."""
        if one.menu_id is not None and not one.awaits <= self.right:
            left = {
                branch: count
                for variant in one.awaits - self.right
                for branch, count in one.meant_for[variant].items()
            }
            self.steps.append(LetGo(one.key, tuple(sorted(left)), sum(left.values())))
            self._delete_menu(one)

    def _end(self, one: _Leaving) -> None:
        """Take a variant's menu and tag away, once those who carry it are served elsewhere."""
        if one.is_ended:
            return
        one.is_ended = True
        if one.exists and (one.followers or one.is_given):
            self.steps.append(EmptyTag(one.tag_id, one.key, one.followers))
        self._delete_menu(one)
        if one.exists and one.followers <= self.deletable:
            self.steps.append(DeleteTag(one.tag_id, one.key))
            self.tags -= 1
            one.exists = False

    def _delete_menu(self, one: _Leaving) -> None:
        if one.menu_id is not None:
            self._delete(one.menu_id, one.key)
            one.menu_id = None

    def _delete(self, menu_id: str, key: str) -> None:
        self.steps.append(DeleteMenu(menu_id, key))
        self.menus -= 1

    def _fallbacks(self) -> Iterator[Fallback]:
        for one in self.wanted.variants:
            heir = self.serving[one.key]
            if heir is None and (audience := one.branches[0]) in self.reach:
                heir = self.reach[audience]
            if heir != one.key:
                yield Fallback(one.key, one.title, heir, followers_of(one, self.census.followers))
