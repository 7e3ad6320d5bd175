"""Which menu each branch's followers should see, and why: the frame, filled along the branch tree.

Branches whose menus are the same share one variant, because WeChat counts menus, not branches.
Where an emergency takes in only a part of a branch, those inside are an audience of their own: they
see what their branch sees, and the emergency's entry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from menus import compose, keys, reasons
from menus.buttons import Menu
from menus.compose import Branch, Composer, Placed, Zone
from menus.keys import Audience
from menus.slots import Fills, Frame, Overlay


@dataclass(frozen=True, slots=True)
class Effective:
    """One audience's menu, and for each button of each column the sentence that says why."""

    #: The branch, or the part of its followers.
    audience: str
    title: str
    menu: Menu
    #: By column: what stands in each position, with its slot and who put it there.
    placed: tuple[tuple[Placed, ...], ...]
    #: By column, by button; a column that is itself a button has one.
    why: tuple[tuple[str, ...], ...]
    #: By column, why it bears its title.
    title_why: tuple[str, ...]
    #: What is missing and why: hidden, ended, given way.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """One distinct menu besides the default, named after the branch highest up that has it; one
    that only parts of branches' followers have is named after the first of these audiences."""

    key: str
    title: str
    menu: Menu
    #: The variant of the nearest branch above with another menu; ``None`` is the default menu.
    parent: str | None
    #: The audiences that should see it: branches, then parts of branches' followers.
    branches: tuple[str, ...]
    #: The emergencies it leads to, and those of them that its parent's menu does not lead to.
    emergencies: frozenset[str] = frozenset()
    gained: frozenset[str] = frozenset()
    #: Of an urgent one that is not alone with its emergencies: the variant that leads to the same,
    #: and that all of them can share where there is no room for each; empty for the default menu.
    shelter: str | None = None

    @property
    def urgent(self) -> bool:
        """Whether it leads to an emergency service that its parent's menu does not lead to."""
        return bool(self.gained)


@dataclass(frozen=True, slots=True)
class Resolved:
    """Every audience's menu; audiences that no variant names see the default."""

    default: Menu
    variants: tuple[Variant, ...]
    #: All audiences there are: every branch, and parts of branches' followers.
    codes: frozenset[str]
    #: Variants meant for nobody, which are shown only where there is no room for those that are.
    shelters: tuple[Variant, ...] = ()

    @property
    def every(self) -> tuple[Variant, ...]:
        """All that may be shown."""
        return (*self.variants, *self.shelters)

    def variant_of(self, branch: str) -> Variant | None:
        """The variant this audience should see; nothing stands for the default."""
        return next((one for one in self.variants if branch in one.branches), None)

    def menu_of(self, branch: str) -> Menu:
        """The menu this audience should see."""
        own = self.variant_of(branch)
        return own.menu if own is not None else self.default


def effective(
    chain: Sequence[Branch],
    zones: Mapping[str, Zone],
    *,
    base_url: str,
    frame: Frame | None = None,
    fills: Fills | None = None,
    overlays: Iterable[Overlay] = (),
    at: datetime | None = None,
    audience: str | None = None,
) -> Effective:
    """The menu of the first branch of this chain, which leads up to head office.

    The arguments are those of :func:`resolve`.

    Args:
        audience: a part of the branch's followers, whose menu it is to be.
    """
    own = {branch.code: (fills or {}).get(branch.code, {}) for branch in chain}
    composer = Composer(frame or compose.default(), zones, own, overlays, base_url=base_url, at=at)
    state = composer.start
    for branch in reversed(chain):
        state = composer.below(state, branch)
    columns = composer.columns(state, chain[0].code, audience)
    why = reasons.Reasons(chain, zones, state)
    return Effective(
        audience or chain[0].code,
        compose.title_of(columns),
        tuple(column.button for column in columns),
        tuple(column.placed for column in columns),
        tuple(tuple(map(why.of, column.placed)) for column in columns),
        tuple(map(why.of_title, columns)),
        tuple(why.missing(composer, columns)),
    )


def resolve(
    branches: Iterable[Branch],
    zones: Mapping[str, Zone],
    *,
    base_url: str,
    frame: Frame | None = None,
    fills: Fills | None = None,
    overlays: Iterable[Overlay] = (),
    at: datetime | None = None,
    audiences: Iterable[Audience] = (),
) -> Resolved:
    """Every branch's effective menu, grouped into variants, those of higher branches first.

    Whoever is of no known branch sees head office's menu, so that one is the default.

    Args:
        branches: the whole tree.
        zones: the open zones, by the branch that keeps each.
        base_url: where our own pages are.
        frame: head office's menu; the one the program ships with unless given.
        fills: what branches decided for delegated slots.
        overlays: emergencies and campaigns; those whose time it is not are passed over.
        at: the time; without one, only what is always there.
        audiences: the parts of branches' followers that overlays reach beside whole branches.
    """
    composer = Composer(
        frame or compose.default(), zones, fills or {}, overlays, base_url=base_url, at=at
    )
    grouping = _Grouping(composer)
    for branch in sorted(branches, key=lambda branch: (branch.level, branch.code)):
        grouping.add(branch)
    for audience in sorted(audiences, key=lambda one: (one.branch, one.key)):
        grouping.add_part(audience)
    return grouping.resolved()


@dataclass(slots=True)
class _Grouping:
    """Branches under their menus, those above before those below."""

    composer: Composer
    states: dict[str, compose.State] = field(default_factory=dict)
    parents: dict[str, str | None] = field(default_factory=dict)
    #: The default has the empty key, which no branch bears.
    key_of_menu: dict[compose.Signature, str] = field(default_factory=dict)
    key_of: dict[str, str] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)

    def add(self, branch: Branch) -> None:
        composer, code, above = self.composer, branch.code, branch.parent
        state = self.states[above] if above is not None else composer.start
        self.states[code], self.parents[code] = composer.below(state, branch), above
        signature = composer.signature(self.states[code], code)
        if not self.key_of_menu:
            head = signature if above is None else composer.signature(composer.start, None)
            self.key_of_menu[head] = ""
        self._enlist(code, signature)

    def add_part(self, audience: Audience) -> None:
        """Some of a branch's followers, whose menu is the branch's but for what lies over it."""
        branch, key = audience.branch, audience.key
        self.parents[key] = branch
        self._enlist(key, self.composer.signature(self.states[branch], branch, key))

    def _enlist(self, code: str, signature: compose.Signature) -> None:
        key = self.key_of[code] = self.key_of_menu.setdefault(signature, code)
        self.members.setdefault(key, []).append(code)

    def resolved(self) -> Resolved:
        start = self.composer.signature(self.composer.start, None)
        default, *signatures = self.key_of_menu or {start: ""}
        variants, shelters = self._sheltered([self._variant(signature) for signature in signatures])
        menu = self.composer.menu(default)
        return Resolved(menu, tuple(variants), frozenset(self.key_of), tuple(shelters))

    def _sheltered(self, variants: list[Variant]) -> tuple[list[Variant], list[Variant]]:
        """The variants with the shelters of those that need one, and the shelters nobody has."""
        crowds: defaultdict[frozenset[str], int] = defaultdict(int)
        for one in variants:
            crowds[one.emergencies] += one.urgent
        shelters: dict[frozenset[str], Variant] = {}
        found = {
            emergencies: self._shelter(emergencies, shelters)
            for emergencies, count in crowds.items()
            if count > 1
        }
        sheltered = [
            replace(one, shelter=found[one.emergencies])
            if one.urgent and found.get(one.emergencies, one.key) != one.key
            else one
            for one in variants
        ]
        return sheltered, list(shelters.values())

    def _shelter(self, emergencies: frozenset[str], new: dict[frozenset[str], Variant]) -> str:
        """The key of head office's menu with the entries to these, made where nobody has it."""
        signature = self.composer.shelter(emergencies)
        if signature in self.key_of_menu:
            return self.key_of_menu[signature]
        head = next(code for code, above in self.parents.items() if above is None)
        key = keys.key(head, keys.mark(emergencies))
        if key in self.key_of:
            return self.key_of[key]
        title, menu = self.composer.title(signature), self.composer.menu(signature)
        new[emergencies] = Variant(key, title, menu, None, (), emergencies, emergencies)
        return key

    def _variant(self, signature: compose.Signature) -> Variant:
        key, composer = self.key_of_menu[signature], self.composer
        parent = self._parent(key)
        above = next(known for known, owner in self.key_of_menu.items() if owner == (parent or ""))
        emergencies = composer.emergencies_in(signature)
        return Variant(
            key,
            composer.title(signature),
            composer.menu(signature),
            parent,
            tuple(self.members[key]),
            emergencies=emergencies,
            gained=emergencies - composer.emergencies_in(above),
        )

    def _parent(self, code: str) -> str | None:
        own, above = self.key_of[code], self.parents[code]
        while above is not None and self.key_of[above] == own:
            above = self.parents[above]
        return self.key_of[above] or None if above is not None else None
