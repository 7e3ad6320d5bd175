"""Which menu each branch's followers should see, and why: the frame, filled along the branch tree.

Branches whose menus are the same share one variant, because WeChat counts menus, not branches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from menus import compose, reasons
from menus.buttons import Menu
from menus.compose import Branch, Composer, Placed, Zone
from menus.slots import Fills, Frame, Overlay


@dataclass(frozen=True, slots=True)
class Effective:
    """One branch's menu, and for each button of each column the sentence that says why."""

    branch: str
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
    """One distinct menu besides the default, named after the branch highest up that has it."""

    key: str
    title: str
    menu: Menu
    #: The variant of the nearest branch above with another menu; ``None`` is the default menu.
    parent: str | None
    #: The branches whose followers should see it.
    branches: tuple[str, ...]
    #: Whether it leads to an emergency service that its parent's menu does not lead to.
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """Every branch's menu; branches that no variant names see the default."""

    default: Menu
    variants: tuple[Variant, ...]
    #: All branches there are.
    codes: frozenset[str]

    def variant_of(self, branch: str) -> Variant | None:
        """The variant this branch's followers should see; nothing stands for the default."""
        return next((one for one in self.variants if branch in one.branches), None)

    def menu_of(self, branch: str) -> Menu:
        """The menu this branch's followers should see."""
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
) -> Effective:
    """The menu of the first branch of this chain, which leads up to head office.

    The arguments are those of :func:`resolve`.
    """
    own = {branch.code: (fills or {}).get(branch.code, {}) for branch in chain}
    composer = Composer(frame or compose.default(), zones, own, overlays, base_url=base_url, at=at)
    state = composer.start
    for branch in reversed(chain):
        state = composer.below(state, branch)
    columns = composer.columns(state, chain[0].code)
    why = reasons.Reasons(chain, zones, state)
    return Effective(
        chain[0].code,
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
    """
    composer = Composer(
        frame or compose.default(), zones, fills or {}, overlays, base_url=base_url, at=at
    )
    grouping = _Grouping(composer)
    for branch in sorted(branches, key=lambda branch: (branch.level, branch.code)):
        grouping.add(branch)
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
        key = self.key_of[code] = self.key_of_menu.setdefault(signature, code)
        self.members.setdefault(key, []).append(code)

    def resolved(self) -> Resolved:
        start = self.composer.signature(self.composer.start, None)
        default, *signatures = self.key_of_menu or {start: ""}
        variants = (self._variant(signature) for signature in signatures)
        menu = self.composer.menu(default)
        return Resolved(menu, tuple(variants), frozenset(self.key_of))

    def _variant(self, signature: compose.Signature) -> Variant:
        key, composer = self.key_of_menu[signature], self.composer
        parent = self._parent(key)
        above = next(known for known, owner in self.key_of_menu.items() if owner == (parent or ""))
        gained = composer.emergencies_in(signature) - composer.emergencies_in(above)
        return Variant(
            key,
            composer.title(signature),
            composer.menu(signature),
            parent,
            tuple(self.members[key]),
            urgent=bool(gained),
        )

    def _parent(self, code: str) -> str | None:
        own, above = self.key_of[code], self.parents[code]
        while above is not None and self.key_of[above] == own:
            above = self.parents[above]
        return self.key_of[above] or None if above is not None else None
