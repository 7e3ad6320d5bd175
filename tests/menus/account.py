"""A small pure model of WeChat's menus, and of how a plan is carried out, for the plan's tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from menus import keys
from menus import plan as planning
from menus.buttons import Menu
from menus.capacity import Capacity, Census
from menus.live import Live, LiveMenu, LiveTag
from menus.plan import Plan
from menus.resolve import Resolved
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


class Refused(Exception):
    """What WeChat would not do."""


class Crashed(Exception):
    """The worker died here."""


@dataclass
class Follower:
    #: The branch, or the part of its followers.
    branch: str
    tags: list[int] = field(default_factory=list)


@dataclass
class Account:
    """The platform's side."""

    ceiling: int
    tag_limit: int = 100
    deletable: int = 100_000
    default: Menu | None = None
    conditional: list[LiveMenu] = field(default_factory=list)
    tags: dict[int, str] = field(default_factory=dict)
    followers: list[Follower] = field(default_factory=list)
    last_id: int = 99

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def create_tag(self, name: str) -> int:
        if len(self.tags) >= self.tag_limit:
            raise Refused(45056)
        if name in self.tags.values():
            raise Refused(45157)
        tag_id = self.next_id()
        self.tags[tag_id] = name
        return tag_id

    def rename_tag(self, tag_id: int, name: str) -> None:
        if name in (other for tag, other in self.tags.items() if tag != tag_id):
            raise Refused(45157)
        self.tags[tag_id] = name

    def delete_tag(self, tag_id: int) -> None:
        if sum(tag_id in one.tags for one in self.followers) > self.deletable:
            raise Refused(45057)
        del self.tags[tag_id]
        for one in self.followers:
            one.tags[:] = [tag for tag in one.tags if tag != tag_id]

    def add(self, menu: Menu, tag_id: int | None) -> LiveMenu:
        if self.default is None:
            raise Refused(65303)
        if len(self.conditional) >= self.ceiling:
            raise Refused(65305)
        added = LiveMenu(str(self.next_id()), tag_id, menu)
        self.conditional.insert(0, added)
        return added

    def sees(self, follower: Follower) -> Menu | None:
        """The latest tag decides, and of its menus the newest."""
        latest = follower.tags[-1] if follower.tags else None
        for one in self.conditional:
            if one.tag_id is not None and one.tag_id == latest:
                return one.menu
        return self.default

    def live(self) -> Live:
        counts = Counter(tag for one in self.followers for tag in one.tags)
        tags = (LiveTag(tag, name, counts[tag]) for tag, name in self.tags.items())
        return Live(self.default, tuple(self.conditional), tuple(tags))


@dataclass
class Book:
    """Our side: what publication and offers keep, and how they carry a plan out."""

    account: Account
    capacity: Capacity
    recorded: dict[int, str] = field(default_factory=dict)
    reach: dict[str, int] = field(default_factory=dict)
    #: Called after every single change of what followers may see; may raise ``Crashed``.
    watch: Callable[[], None] = lambda: None

    def plan(self, wanted: Resolved) -> Plan:
        ours = set(self.recorded)
        carriers: dict[int, Counter[str]] = {}
        for one in self.account.followers:
            for tag in ours & set(one.tags):
                carriers.setdefault(tag, Counter())[one.branch] += 1
        census = Census(Counter(one.branch for one in self.account.followers), carriers)
        return planning.plan(
            wanted,
            self.account.live(),
            capacity=self.capacity,
            recorded=self.recorded,
            census=census,
            reach=self.reach,
        )

    def publish(self, wanted: Resolved) -> Plan:
        plan = self.plan(wanted)
        self.settle_map(plan, wanted)
        tag_of = dict(plan.tag_of)
        for step in plan.steps:
            self.take(step, plan, tag_of)
            self.watch()
        return plan

    def settle_map(self, plan: Plan, wanted: Resolved) -> None:
        for key, tag in plan.tag_of.items():
            self.recorded.setdefault(tag, key)
        kept = {branch: tag for branch, tag in self.reach.items() if tag in plan.lit}
        self.reach = {
            branch: plan.tag_of[key] if key in plan.right else kept[branch]
            for branch, key in plan.reach.items()
            if branch in wanted.codes and (key in plan.right or branch in kept)
        }

    def take(self, step: Step, plan: Plan, tag_of: dict[str, int]) -> None:
        account = self.account
        match step:
            case CreateDefault(menu):
                account.default = menu
            case CreateTag(key, name):
                tag_of[key] = account.create_tag(name)
                self.watch()
                self.recorded[tag_of[key]] = key
            case RenameTag(tag_id, key, name):
                self.recorded[tag_id] = key
                self.watch()
                account.rename_tag(tag_id, name)
            case AddMenu(key, menu):
                account.add(menu, tag_of[key])
                self.watch()
                for branch, heir in plan.reach.items():
                    if heir == key:
                        self.reach[branch] = tag_of[key]
            case DeleteMenu(menu_id, _):
                account.conditional = [m for m in account.conditional if m.menu_id != menu_id]
            case LetGo(_, branches, _):
                for branch in branches:
                    self.reach.pop(branch, None)
            case MoveOut(tag_id, _, branches, _):
                for one in account.followers:
                    if tag_id in one.tags and one.branch in branches:
                        self.move(one)
                        assert tag_id not in one.tags
            case EmptyTag(tag_id, _, _):
                for one in account.followers:
                    if tag_id in one.tags:
                        self.move(one)
            case DeleteTag(tag_id, _):
                assert not any(tag_id in one.tags for one in account.followers)
                account.delete_tag(tag_id)
                self.recorded.pop(tag_id, None)

    def move(self, follower: Follower) -> None:
        """The new tag first, then the old ones off."""
        target = keys.served(self.reach, follower.branch)
        if target is not None and target not in follower.tags:
            follower.tags.append(target)
            self.watch()
        ours = set(self.recorded) - {target}
        follower.tags[:] = [tag for tag in follower.tags if tag not in ours]
        self.watch()

    def move_everybody(self) -> None:
        for one in self.account.followers:
            self.move(one)
