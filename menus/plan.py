"""The steps from the menus WeChat has to the menus wanted, so that nobody drops out on the way.

A tag names a variant, and each follower carries at most one. What keeps followers safe is the
order: a new menu is added before the old one is deleted (the newest of a tag wins), and a variant
that ends is only deleted once those who carry its tag have been moved to another that is there.
Adding first needs a spare slot, so one below the account's ceiling is always left free.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from menus.buttons import Menu
from menus.capacity import Capacity, Census, Fallback, followers_of, serving
from menus.live import Live, LiveMenu, our_tags, tag_name
from menus.resolve import Resolved, Variant


@dataclass(frozen=True, slots=True)
class CreateDefault:
    """Put the default menu in place of what is there; conditional menus stay."""

    menu: Menu


@dataclass(frozen=True, slots=True)
class CreateTag:
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class AddMenu:
    """Add a variant's menu under its tag. From here on its branches' followers may be tagged."""

    key: str
    menu: Menu


@dataclass(frozen=True, slots=True)
class DeleteMenu:
    menu_id: str
    key: str


@dataclass(frozen=True, slots=True)
class LetGo:
    """Let branches fall to the default for a while, because no slot is free for a safe way."""

    key: str
    branches: tuple[str, ...]
    followers: int


@dataclass(frozen=True, slots=True)
class EmptyTag:
    """Wait until nobody carries the tag any more; ``followers`` is how many do now."""

    tag_id: int
    key: str
    followers: int


@dataclass(frozen=True, slots=True)
class DeleteTag:
    tag_id: int
    key: str


Step = CreateDefault | CreateTag | AddMenu | DeleteMenu | LetGo | EmptyTag | DeleteTag


@dataclass(frozen=True, slots=True)
class Plan:
    """Ordered steps, and what they lead to."""

    steps: tuple[Step, ...]
    #: By branch the variant its followers will see; the others see the default.
    reach: Mapping[str, str]
    #: By variant the tag it has already.
    tag_of: Mapping[str, int]
    #: The variants whose menu WeChat already shows as wanted.
    right: frozenset[str]
    #: Our tags under which WeChat shows a menu, whichever.
    lit: frozenset[int]
    fallbacks: tuple[Fallback, ...]

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
) -> Plan:
    """The steps from ``live`` to ``wanted``; none when nothing differs.

    Args:
        wanted: every branch's menu.
        live: what WeChat has now.
        capacity: how many variants there can be.
        recorded: our tags, with the variant each was made for; others are recognised by name.
        census: who follows where, and carries what.
    """
    return _Draft(wanted, live, capacity, recorded, census).plan()


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
    ) -> None:
        self.wanted, self.live, self.census = wanted, live, census
        self.ceiling = capacity.ceiling
        self.steps: list[Step] = []
        self.ours = our_tags(live.tags, recorded, wanted.codes)
        every = dict(recorded) | self.ours
        self.mine = [one for one in live.conditional if one.tag_id in every]
        foreign_menus = len(live.conditional) - len(self.mine)
        self.tag_limit = min(
            capacity.tags, capacity.account_tags - (len(live.tags) - len(self.ours))
        )
        self.menus, self.tags = len(live.conditional), len(self.ours)
        slots = self.tag_limit if self.ceiling is None else self.ceiling - 1 - foreign_menus
        self.serving = serving(wanted.variants, census.followers, room=min(self.tag_limit, slots))
        self.reach = {
            branch: heir
            for one in wanted.variants
            if (heir := self.serving[one.key]) is not None
            for branch in one.branches
        }
        self.shown = {one.tag_id: one for one in reversed(self.mine)}
        self.served = [one for one in wanted.variants if self.serving[one.key] == one.key]
        self.tag_of = self._tags_kept(recorded)
        self.right = {one.key for one in self.served if self._is_right(one)}
        self.leaving = self._leaving(every)

    def plan(self) -> Plan:
        right, lit = frozenset(self.right), frozenset(tag for tag in self.shown if tag is not None)
        if self.live.default != self.wanted.default:
            self.steps.append(CreateDefault(self.wanted.default))
        self._drop_shadowed()
        for one in self.leaving:
            if not one.awaits:
                self._delete_menu(one)
        # Those who wait for a menu to be moved to hold a slot: what they wait for comes first.
        awaited = set[str]().union(*(one.awaits for one in self.leaving))
        for variant in sorted(self.served, key=lambda one: one.key not in awaited):
            if variant.key not in self.right:
                self._show(variant)
        for one in self.leaving:
            self._end(one)
        return Plan(
            tuple(self.steps), self.reach, self.tag_of, right, lit, tuple(self._fallbacks())
        )

    def _tags_kept(self, recorded: Mapping[int, str]) -> dict[str, int]:
        """The tag each served variant keeps: the recorded one, else the oldest with its key."""
        kept: dict[str, int] = {}
        for tag_id in sorted(self.ours, key=lambda tag_id: (tag_id not in recorded, tag_id)):
            key = self.ours[tag_id]
            if self.serving.get(key) == key:
                kept.setdefault(key, tag_id)
        return kept

    def _is_right(self, variant: Variant) -> bool:
        shown = self.shown.get(self.tag_of.get(variant.key))
        return shown is not None and shown.menu == variant.menu

    def _leaving(self, ours: Mapping[int, str]) -> list[_Leaving]:
        kept = set(self.tag_of.values())
        counts = {tag.id: tag.count for tag in self.live.tags}
        found: list[_Leaving] = []
        for tag_id, key in sorted(ours.items()):
            shown = self.shown.get(tag_id)
            if tag_id in kept or (shown is None and tag_id not in self.ours):
                continue
            carriers = self.census.carriers.get(tag_id, {})
            meant_for: dict[str, dict[str, int]] = {}
            for branch, count in carriers.items():
                if branch in self.reach:
                    meant_for.setdefault(self.reach[branch], {})[branch] = count
            found.append(
                _Leaving(
                    tag_id,
                    key,
                    shown.menu_id if shown else None,
                    exists=tag_id in self.ours,
                    followers=max(sum(carriers.values()), counts.get(tag_id, 0)),
                    meant_for=meant_for,
                )
            )
        return sorted(found, key=lambda one: (one.followers, one.tag_id))

    def _drop_shadowed(self) -> None:
        """Older menus under the same tag are never matched; what a crash left is cleared here."""
        for one in self.mine:
            if self.shown[one.tag_id] is not one:
                self._delete(one.menu_id, self._key_of(one))

    def _key_of(self, one: LiveMenu) -> str:
        return next((key for key, tag in self.tag_of.items() if tag == one.tag_id), "")

    def _show(self, variant: Variant) -> None:
        if variant.key not in self.tag_of:
            while self.tags >= self.tag_limit and (one := self._next_leaving(self._with_tag())):
                self._let_go(one)
                self._end(one)
            self.steps.append(CreateTag(variant.key, tag_name(variant.key, variant.title)))
            self.tags += 1
        while self._is_full() and (one := self._next_leaving(self._with_menu())):
            if one.awaits <= self.right:
                self._end(one)
            else:
                self._let_go(one)
        self.steps.append(AddMenu(variant.key, variant.menu))
        self.menus += 1
        self.right.add(variant.key)
        old = self.shown.get(self.tag_of.get(variant.key))
        if old is not None:
            self._delete(old.menu_id, variant.key)

    def _is_full(self) -> bool:
        return self.ceiling is not None and self.menus >= self.ceiling

    def _with_tag(self) -> Iterator[_Leaving]:
        return (one for one in self.leaving if one.exists)

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
        if one.exists and one.followers:
            self.steps.append(EmptyTag(one.tag_id, one.key, one.followers))
        self._delete_menu(one)
        if one.exists:
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
            if heir != one.key:
                yield Fallback(one.key, one.title, heir, followers_of(one, self.census.followers))
