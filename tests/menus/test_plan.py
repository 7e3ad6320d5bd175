"""A plan reaches what is wanted from anywhere, and nobody drops out on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from menus import plan as planning
from menus.buttons import Button, Menu
from menus.capacity import Capacity, Census, Fallback, serving
from menus.live import Live, LiveMenu, LiveTag, read_live, tag_name
from menus.resolve import Resolved, resolve
from menus.steps import AddMenu, DeleteMenu, MoveOut
from tests.menus.account import Account, Book, Crashed, Follower

BASE = "https://bank.example"


@dataclass(frozen=True)
class Branch:
    code: str
    name: str
    level: int
    parent: str | None


@dataclass(frozen=True)
class Zone:
    key: str
    title: str


TREE = (
    Branch("HQ", "总行", 0, None),
    *(Branch(f"B{n}", f"{n}分行", 1, "HQ") for n in range(5)),
    *(Branch(f"B{n}{m}", f"{n}{m}支行", 2, f"B{n}") for n in range(3) for m in range(2)),
)
CODES = tuple(branch.code for branch in TREE)
FOREIGN_MENU = (Button("活动", type="click", key="handmade"),)


def menus_with(zones: Mapping[str, str]) -> Resolved:
    """Every branch's menu where these branches have zones of these titles."""
    kept = {code: Zone(f"{code}-{title}".lower(), title) for code, title in zones.items()}
    return resolve(TREE, kept, base_url=BASE)


zones = st.dictionaries(st.sampled_from(CODES[1:]), st.sampled_from(["甲", "乙"]), max_size=8)
branches = st.sampled_from(CODES)


class Situation(NamedTuple):
    """An account as somebody left it, and what is wanted of it now."""

    book: Book
    wanted: Resolved

    def __repr__(self) -> str:
        account = self.book.account
        shown = [(one.menu_id, one.tag_id, one.menu[-1].name) for one in account.conditional]
        wanted = [(one.key, one.title, one.parent) for one in self.wanted.variants]
        return (
            f"{self.book.capacity} {account.tags=} {shown=} {account.followers=} "
            f"{self.book.recorded=} {self.book.reach=} {wanted=}"
        )


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """An account somebody published to before, perhaps half, perhaps edited by hand since."""
    account = Account(ceiling=draw(st.integers(1, 25)), tag_limit=draw(st.sampled_from([8, 100])))
    for name in draw(st.lists(st.sampled_from(["星标组", "代发客户", "菜单 老客户"]), unique=True)):
        tag = account.create_tag(name)
        account.default = account.default or FOREIGN_MENU
        if draw(st.booleans()) and len(account.conditional) < account.ceiling:
            account.add(FOREIGN_MENU, draw(st.sampled_from([tag, None])))
    account.followers = [Follower(code) for code in draw(st.lists(branches, max_size=12))]
    tags = draw(st.integers(1, account.tag_limit))
    book = Book(account, Capacity(tags, account.ceiling, account.tag_limit))
    try_until(book, menus_with(draw(zones)), draw(st.integers(0, 40)))
    edit_by_hand(book, draw)
    return Situation(book, menus_with(draw(zones)))


def try_until(book: Book, wanted: Resolved, crash_at: int) -> bool:
    """Publish and move everybody, unless the worker dies after so many changes."""
    left = crash_at

    def watch() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Crashed

    book.watch = watch
    try:
        book.publish(wanted)
        book.move_everybody()
    except Crashed:
        return False
    finally:
        book.watch = lambda: None
    return True


def edit_by_hand(book: Book, draw: st.DrawFn) -> None:
    """What colleagues do in WeChat's console, or other programs through the API."""
    account = book.account
    deeds = ["nothing", "nothing", "tag", "renamed", "swapped", "menu", "added", "default", "moved"]
    ours = sorted(set(book.recorded) & set(account.tags))
    match draw(st.sampled_from(deeds)):
        case "tag" if book.recorded:
            gone = draw(st.sampled_from(sorted(book.recorded)))
            account.tags.pop(gone, None)
            for one in account.followers:
                one.tags[:] = [tag for tag in one.tags if tag != gone]
        case "renamed" if ours:
            account.tags[draw(st.sampled_from(ours))] = "活动客户"
        case "swapped" if len(ours) > 1:
            one, other = ours[0], ours[-1]
            account.tags |= {one: account.tags[other], other: account.tags[one]}
        case "added" if ours and account.default and len(account.conditional) < account.ceiling:
            account.add(FOREIGN_MENU, draw(st.sampled_from(ours)))
        case "menu" if account.conditional:
            del account.conditional[draw(st.integers(0, len(account.conditional) - 1))]
        case "default":
            account.default = FOREIGN_MENU
        case "moved" if account.followers:
            draw(st.sampled_from(account.followers)).branch = draw(branches)


def menus_of(wanted: Resolved, reach: Mapping[str, str]) -> dict[str, Menu]:
    """What each branch's followers are to see when these variants reach them."""
    of_variant = {one.key: one.menu for one in wanted.variants}
    return {code: of_variant[reach[code]] if code in reach else wanted.default for code in CODES}


@given(situations())
@settings(max_examples=150, deadline=None)
def test_a_plan_reaches_what_is_wanted_and_its_replay_is_empty(
    situation: Situation,
) -> None:
    book, wanted = situation
    plan = book.publish(wanted)
    book.move_everybody()
    meant = menus_of(wanted, plan.reach)
    for one in book.account.followers:
        assert book.account.sees(one) == meant[one.branch]
        assert len(set(one.tags) & set(book.recorded)) <= 1
    assert book.plan(wanted).steps == ()


@given(situations())
@settings(max_examples=150, deadline=None)
def test_on_the_way_everybody_sees_an_old_or_a_new_menu_and_the_ceiling_holds(
    situation: Situation,
) -> None:
    book, wanted = situation
    account = book.account
    plan = book.plan(wanted)
    meant = menus_of(wanted, plan.reach)
    defaults = (account.default, wanted.default)
    let_go = {branch for gap in plan.gaps for branch in gap.branches}
    before = [account.sees(one) for one in account.followers]

    def watch() -> None:
        assert len(account.conditional) <= account.ceiling
        assert len(account.tags) <= account.tag_limit
        for old, one in zip(before, account.followers, strict=True):
            may_see = {old, meant[one.branch]}
            if one.branch in let_go or old == account.default or old in defaults:
                may_see |= set(defaults)
            assert account.sees(one) in may_see or old in (None, FOREIGN_MENU)

    book.watch = watch
    book.publish(wanted)
    book.move_everybody()


@given(situations(), st.integers(0, 60))
@settings(max_examples=150, deadline=None)
def test_a_crash_after_any_change_is_made_good_by_the_next_plan(
    situation: Situation, crash_at: int
) -> None:
    book, wanted = situation
    try_until(book, wanted, crash_at)
    plan = book.publish(wanted)
    book.move_everybody()
    meant = menus_of(wanted, plan.reach)
    assert all(book.account.sees(one) == meant[one.branch] for one in book.account.followers)
    assert book.plan(wanted).steps == ()


@given(situations())
@settings(max_examples=60, deadline=None)
def test_what_is_not_ours_is_never_touched(situation: Situation) -> None:
    book, wanted = situation

    account = book.account
    named = {tag for tag, name in account.tags.items() if name.startswith("菜单 B")}
    ours = named | set(book.recorded)

    theirs = [menu for menu in account.conditional if menu.tag_id not in ours]

    def foreign() -> tuple[object, object]:
        tags = {tag: name for tag, name in account.tags.items() if tag in set_of_tags - ours}
        return tags, [menu for menu in account.conditional if menu in theirs]

    set_of_tags = set(account.tags)
    before = foreign()
    book.publish(wanted)
    assert foreign() == before


@given(situations())
@settings(max_examples=60, deadline=None)
def test_with_a_spare_slot_and_one_way_to_go_nobody_is_let_go(
    situation: Situation,
) -> None:
    book, wanted = situation
    account = book.account
    plan = book.plan(wanted)
    waits = [{plan.reach.get(b) for b in gap.branches} for gap in plan.gaps]
    has_spare = (
        len(account.conditional) < account.ceiling
        and len(account.tags) + len(wanted.variants) < account.tag_limit
        and not any(isinstance(step, MoveOut) for step in plan.steps)
    )
    if has_spare and all(len(heirs) <= 1 for heirs in waits) and not plan.fallbacks:
        assert plan.gaps == ()


def test_nothing_is_planned_when_wechat_writes_the_same_menus_its_own_way() -> None:
    wanted = menus_with({"B1": "甲"})
    (variant,) = wanted.variants
    tag = LiveTag(101, tag_name(variant.key, variant.title), 3)

    def as_wechat(menu: Menu) -> list[dict[str, object]]:
        return [
            {
                "sub_button": [
                    {"url": b.url, "key": b.key, "name": b.name, "type": b.type, "sub_button": []}
                    for b in column.buttons
                ],
                "name": column.name,
            }
            for column in menu
        ]

    live = read_live(
        {
            "menu": {"button": as_wechat(wanted.default), "menuid": 422685140},
            "conditionalmenu": [
                {
                    "button": as_wechat(variant.menu),
                    "matchrule": {"group_id": 101, "client_platform_type": ""},
                    "menuid": 422685155,
                }
            ],
        },
        [tag],
    )
    plan = planning.plan(wanted, live, capacity=Capacity(90), recorded={101: "B1"}, census=Census())
    assert plan.steps == ()


def test_a_rule_with_more_than_a_tag_is_not_ours() -> None:
    raw = {"button": [], "matchrule": {"group_id": "101", "client_platform_type": "2"}, "menuid": 1}
    live = read_live({"menu": {"button": []}, "conditionalmenu": [raw]}, [])
    assert live.conditional == (LiveMenu("1", None, ()),)


def test_a_changed_menu_is_added_before_the_old_one_is_deleted() -> None:
    old, new = menus_with({"B1": "甲"}), menus_with({"B1": "乙"})
    account = Account(ceiling=5)
    book = Book(account, Capacity(90, 5))
    book.publish(old)
    (shown,) = account.conditional
    steps = book.plan(new).steps
    assert steps == (AddMenu("B1", new.variants[0].menu), DeleteMenu(shown.menu_id, "B1"))


def test_over_capacity_the_least_followed_variants_fall_back_to_their_parents() -> None:
    wanted = menus_with({"B0": "甲", "B00": "乙", "B1": "甲", "B2": "甲"})
    followers = {"B0": 5, "B00": 6, "B1": 7, "B2": 50}
    live = Live(wanted.default, (), ())
    census = Census(followers)
    plan = planning.plan(wanted, live, capacity=Capacity(90, 3), recorded={}, census=census)
    # B0 goes first, being the smallest; then B00 (6) has fewest.
    assert plan.fallbacks == (Fallback("B0", "甲", None, 5), Fallback("B00", "乙", None, 6))
    assert {one.key for one in plan.steps if isinstance(one, AddMenu)} == {"B1", "B2"}


def test_a_parent_gains_the_followers_of_the_child_that_falls_back_to_it() -> None:
    wanted = menus_with({"B0": "甲", "B00": "乙", "B1": "甲"})
    served = serving(wanted.variants, {"B0": 4, "B00": 3, "B1": 5}, room=1)
    assert served == {"B0": "B0", "B00": "B0", "B1": None}


def test_among_equals_the_branch_named_last_gives_way() -> None:
    wanted = menus_with({"B0": "甲", "B1": "甲", "B2": "甲"})
    assert serving(wanted.variants, {}, room=2) == {"B0": "B0", "B1": "B1", "B2": None}


def test_a_tag_of_somebody_else_that_is_called_like_ours_is_left_alone() -> None:
    wanted = menus_with({"B1": "甲"})
    live = Live(wanted.default, (), (LiveTag(150, "菜单 老客户", 9),))
    plan = planning.plan(wanted, live, capacity=Capacity(90), recorded={}, census=Census())
    assert all(getattr(step, "tag_id", None) != 150 for step in plan.steps)


def test_a_tag_made_just_before_a_crash_is_found_by_its_name() -> None:
    wanted = menus_with({"B1": "甲"})
    live = Live(wanted.default, (), (LiveTag(131, "菜单 B1 甲", 0),))
    plan = planning.plan(wanted, live, capacity=Capacity(90), recorded={}, census=Census())
    assert plan.steps == (AddMenu("B1", wanted.variants[0].menu),)
    assert plan.tag_of == {"B1": 131}


def test_tag_names_fit_into_thirty_bytes_without_breaking_a_character() -> None:
    name = tag_name("B310000", "一二三四五六七八九")
    assert len(name.encode()) <= 30
    assert name.startswith("菜单 B310000 一二三四")


def test_a_full_account_is_helped_by_the_smallest_gap_and_the_plan_says_so() -> None:
    # Two menus fill the account; both are to give way to one that has no slot to be added in.
    account = Account(ceiling=2)
    account.followers = [Follower("B00"), Follower("B01"), Follower("B01")]
    book = Book(account, Capacity(90))
    book.publish(menus_with({"B00": "甲", "B01": "甲"}))
    book.move_everybody()
    book.capacity = Capacity(90, 2)
    plan = book.plan(menus_with({"B0": "甲"}))
    (gap,) = plan.gaps
    assert (gap.key, gap.branches, gap.followers) == ("B00", ("B00",), 1)


def test_planning_for_four_hundred_branches_is_quick_enough_to_repeat_at_every_step() -> None:
    tree = [Branch("HQ", "总行", 0, None)]
    tree += [Branch(f"B{n}", f"{n}", 1, "HQ") for n in range(40)]
    tree += [Branch(f"B{n}x{m}", f"{n}-{m}", 2, f"B{n}") for n in range(40) for m in range(9)]
    kept = {branch.code: Zone(branch.code.lower(), "专区") for branch in tree[1:]}
    wanted = resolve(tree, kept, base_url=BASE)
    assert len(wanted.variants) == 400
    plan = planning.plan(
        wanted,
        Live(None, (), ()),
        capacity=Capacity(90, 20),
        recorded={},
        census=Census({branch.code: len(branch.code) for branch in tree}),
    )
    assert len([step for step in plan.steps if isinstance(step, AddMenu)]) == 19
    assert len(plan.fallbacks) == 381


def test_what_others_wait_for_is_added_before_what_nobody_waits_for() -> None:
    # One spare slot: the province's menu takes it, its branch's followers move there, and their old
    # slot serves the newcomer. The other way round somebody would have to see the default.
    account = Account(ceiling=3)
    account.followers = [Follower("B20"), Follower("B20"), Follower("B21")]
    book = Book(account, Capacity(90))
    book.publish(menus_with({"B20": "甲", "B21": "甲"}))
    book.move_everybody()
    book.capacity = Capacity(90, 3)
    plan = book.plan(menus_with({"B0": "甲", "B2": "甲"}))
    assert [step.key for step in plan.steps if isinstance(step, AddMenu)] == ["B2", "B0"]
    assert plan.gaps == ()


def test_of_two_menus_under_one_tag_the_newest_counts_and_the_older_is_deleted() -> None:
    wanted = menus_with({"B1": "甲"})
    tag = LiveTag(101, "菜单 B1 甲", 0)
    shown = (LiveMenu("8", 101, wanted.variants[0].menu), LiveMenu("7", 101, FOREIGN_MENU))
    live = Live(wanted.default, shown, (tag,))
    plan = planning.plan(wanted, live, capacity=Capacity(90), recorded={}, census=Census())
    assert plan.steps == (DeleteMenu("7", "B1"),)
