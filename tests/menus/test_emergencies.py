"""Whatever is published meanwhile, those inside an emergency keep its entry in the menu."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from menus import keys
from menus.buttons import Menu
from menus.capacity import Capacity, serving
from menus.keys import Audience
from menus.resolve import Resolved, Variant, resolve
from menus.slots import Fill, Frame, Overlay, SlotKind
from menus.steps import AddMenu, CreateTag
from tests.menus import frames
from tests.menus.account import Account, Book, Follower
from tests.menus.frames import NOON
from tests.menus.test_plan import BASE, CODES, TREE, Zone


@dataclass(frozen=True)
class Disaster:
    """Emergencies that are open, each over whole branches and over parts of others."""

    overlays: tuple[Overlay, ...]
    audiences: tuple[Audience, ...]

    @property
    def codes(self) -> list[str]:
        return [*CODES, *(one.key for one in self.audiences)]

    def owed(self, audience: str) -> frozenset[str]:
        """The addresses of the entries this audience is to see."""
        branch = keys.branch_of(audience)
        found = (one for one in self.overlays if one.reaches(branch, audience))
        return frozenset(f"{BASE}{one.target}" for one in found)


@dataclass(frozen=True)
class Edition:
    """All that branches and head office decide on an ordinary day."""

    frame: Frame
    fills: dict[str, dict[str, Fill]]
    zones: dict[str, Zone]
    campaigns: tuple[Overlay, ...]

    def menus(self, disaster: Disaster) -> Resolved:
        return resolve(
            TREE, self.zones, base_url=BASE, frame=self.frame, fills=self.fills,
            overlays=(*disaster.overlays, *self.campaigns), at=NOON, audiences=disaster.audiences,
        )  # fmt: skip


def emergency(number: int, whole: frozenset[str], parts: Sequence[Audience] = ()) -> Overlay:
    key = f"e{number}"
    inside = {one.key for one in parts if key in one.emergencies}
    return Overlay(
        kind=SlotKind.EMERGENCY, key=key, title=f"应急{number}", target=f"/e/{key}",
        branches=whole | inside, rank=number,
    )  # fmt: skip


@st.composite
def disasters(draw: st.DrawFn) -> Disaster:
    # Head office is never inside as a whole: it also serves everybody whose place nobody knows.
    codes = st.sampled_from(CODES[1:])
    whole = [draw(st.frozensets(codes, max_size=4)) for _ in range(draw(st.integers(1, 3)))]
    partly = [draw(st.frozensets(codes, max_size=3)) - inside for inside in whole]
    audiences = [
        Audience(branch, frozenset(some))
        for branch in CODES
        if (over := [f"e{number}" for number, parts in enumerate(partly) if branch in parts])
        for count in range(1, len(over) + 1)
        for some in combinations(over, count)
    ]
    overlays = (emergency(number, inside, audiences) for number, inside in enumerate(whole))
    return Disaster(tuple(overlays), tuple(audiences))


@st.composite
def editions(draw: st.DrawFn) -> Edition:
    frame = draw(frames.frames())
    zones = draw(st.dictionaries(st.sampled_from(CODES), st.sampled_from(["甲区", "乙区"])))
    campaigns = (one for one in draw(frames.overlays()) if one.kind is SlotKind.CAMPAIGN)
    return Edition(
        frame,
        draw(frames.filled(frame)),
        {code: Zone(code.lower(), title) for code, title in zones.items()},
        tuple(campaigns),
    )


@st.composite
def days(draw: st.DrawFn) -> tuple[Disaster, Edition, Edition, Book]:
    """An account somebody published to while the emergency was open, and what comes next."""
    disaster = draw(disasters())
    account = Account(ceiling=draw(st.integers(1, 16)))
    codes = st.sampled_from(disaster.codes)
    account.followers = [Follower(code) for code in draw(st.lists(codes, max_size=14))]
    book = Book(account, Capacity(draw(st.integers(1, 30)), account.ceiling))
    before = draw(editions())
    book.publish(before.menus(disaster))
    book.move_everybody()
    return disaster, before, draw(editions()), book


def addresses(menu: Menu | None) -> frozenset[str]:
    return frozenset(one.url for column in menu or () for one in (*column.buttons, column))


def needed(wanted: Resolved) -> int:
    """How many menus it takes at least for everybody inside to have all their entries."""
    return len({one.emergencies for one in wanted.variants if one.urgent})


@given(days())
@settings(max_examples=60, deadline=None)
def test_an_ordinary_publication_never_hides_the_entry_from_those_inside(
    day: tuple[Disaster, Edition, Edition, Book],
) -> None:
    disaster, _before, after, book = day
    account, wanted = book.account, after.menus(day[0])
    plan = book.plan(wanted)
    owed = [disaster.owed(one.branch) for one in account.followers]
    had = [
        addresses(account.sees(one)) & its for one, its in zip(account.followers, owed, strict=True)
    ]
    let_go = {audience for gap in plan.gaps for audience in gap.branches}
    # With fewer menus than there are sets of emergencies somebody goes without, and who that is
    # may change: pages and answers lead there all the same, and the duty's page says so.
    has_room = needed(wanted) <= min(book.capacity.tags, account.ceiling - 1)

    def watch() -> None:
        for one, its in zip(account.followers, had, strict=True):
            assert not has_room or its <= addresses(account.sees(one)) or one.branch in let_go

    book.watch = watch
    book.publish(wanted)
    book.move_everybody()
    book.watch = lambda: None
    for one, its in zip(account.followers, owed, strict=True):
        assert not has_room or addresses(account.sees(one)) & its == its
    assert book.plan(wanted).steps == ()


def variant(key: str, *emergencies: str, parent: str | None = None, shelter: str = "") -> Variant:
    inside = frozenset(emergencies)
    return Variant(key, key, (), parent, (key,), inside, inside, shelter or None)


def test_those_who_lead_to_the_same_help_share_a_menu_before_other_help_goes() -> None:
    flood = [variant(key, "flood", parent="A", shelter="HQ+flood") for key in ("B", "C", "D")]
    shelter = Variant("HQ+flood", "", (), None, (), frozenset({"flood"}), frozenset({"flood"}))
    wanted = [Variant("A", "A", (), None, ("A",)), *flood, variant("E", "quake"), shelter]
    followers = {"A": 1_000, "B": 10, "C": 20, "D": 30, "E": 1}
    served = serving(wanted, followers, room=3)
    assert served == {
        "A": None, "B": "HQ+flood", "C": "HQ+flood", "D": "D", "E": "E", "HQ+flood": "HQ+flood",
    }  # fmt: skip
    assert "HQ+flood" not in serving(wanted, followers, room=5)
    assert set(serving(wanted, followers, room=1).values()) == {"HQ+flood", None}


def test_who_has_no_menu_of_their_own_left_has_one_with_some_of_their_entries() -> None:
    wanted = [variant("A", "flood"), variant("B", "flood", "quake"), variant("C", "outage")]
    followers = {"A": 5, "B": 1, "C": 5}
    assert serving(wanted, followers, room=2) == {"A": "A", "B": "A", "C": "C"}


def test_a_part_of_a_branch_is_a_variant_beside_the_rest_of_it() -> None:
    part = Audience("B1", frozenset({"e0"}))
    disaster = Disaster((emergency(0, frozenset(), [part]),), (part,))
    zones = {"B1": Zone("b1", "甲")}
    quiet = resolve(TREE, zones, base_url=BASE)
    open_ = resolve(
        TREE, zones, base_url=BASE, overlays=disaster.overlays, at=NOON, audiences=[part]
    )
    assert [(one.key, one.parent, one.urgent) for one in open_.variants] == [
        ("B1", None, False),
        (part.key, "B1", True),
    ]
    assert open_.menu_of("B1") == quiet.menu_of("B1")
    account = Account(ceiling=9)
    account.followers = [Follower("B1") for _ in range(9)]
    book = Book(account, Capacity(90))
    book.publish(quiet)
    book.move_everybody()
    for one in account.followers[:6]:
        one.branch = part.key
    before = [list(one.tags) for one in account.followers]
    steps = book.publish(open_).steps
    book.move_everybody()
    assert [type(step) for step in steps] == [CreateTag, AddMenu]
    after = [list(one.tags) for one in account.followers]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False] * 6 + [
        True
    ] * 3
    book.publish(quiet)
    book.move_everybody()
    assert [list(one.tags) for one in account.followers] == before
    assert book.plan(quiet).steps == ()


def test_a_key_is_short_enough_for_a_tags_name_and_the_same_for_the_same_emergencies() -> None:
    one = Audience("B4420000", frozenset({"flood", "quake"}))
    assert one.key == Audience("B4420000", frozenset({"quake", "flood"})).key
    assert (keys.branch_of(one.key), keys.is_part(one.key)) == ("B4420000", True)
    assert len(one.key) <= 16
