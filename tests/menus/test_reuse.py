"""Tags stay with the people who carry them, and those shown now stay where others have no more."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from menus import plan as planning
from menus.capacity import Capacity, Census, serving
from menus.live import Live, LiveMenu, LiveTag, key_in, tag_name
from menus.matching import matched
from menus.steps import AddMenu, CreateTag, DeleteTag, EmptyTag, MoveOut, RenameTag
from tests.menus.account import Account, Book, Follower
from tests.menus.test_plan import menus_with

worths = st.dictionaries(
    st.tuples(st.integers(100, 103), st.sampled_from("ABCD")), st.integers(1, 9), max_size=12
)


@given(worths)
@settings(max_examples=60, deadline=None)
def test_the_pairs_together_are_worth_as_much_as_any_others(
    worth: dict[tuple[int, str], int],
) -> None:
    numbers, names = {one for one, _ in worth}, sorted({one for _, one in worth})
    found = matched(worth)
    assert len(set(found.values())) == len(found)
    best = max(
        sum(worth.get(pair, 0) for pair in zip(chosen, names, strict=False))
        for chosen in itertools.permutations([*numbers, *([-1] * len(names))], len(names))
    )
    assert sum(worth[pair] for pair in found.items()) == best


def carried(tag: int, **by_branch: int) -> Census:
    return Census(dict(by_branch), {tag: dict(by_branch)})


def test_a_tag_goes_to_the_variant_most_of_its_carriers_will_see() -> None:
    # The province and its two branches shared a menu; now the province itself has another.
    old = menus_with({"B0": "甲"})
    new = menus_with({"B0": "乙", "B00": "甲", "B01": "甲"})
    live = Live(
        old.default,
        (LiveMenu("7", 100, old.variants[0].menu),),
        (LiveTag(100, "菜单 B0 甲", 9_050),),
    )
    census = carried(100, B0=50, B00=9_000)
    plan = planning.plan(
        new, live, capacity=Capacity(90), recorded={100: "B0"}, census=census, reach={"B00": 100}
    )
    assert plan.tag_of["B00"] == 100
    assert RenameTag(100, "B00", "菜单 B00 甲") in plan.steps
    assert [step.key for step in plan.steps if isinstance(step, CreateTag)] == ["B0", "B01"]


def test_a_handful_of_followers_is_not_worth_binding_a_tag_to_another_variant() -> None:
    old, new = menus_with({"B0": "甲"}), menus_with({"B0": "乙", "B00": "甲"})
    live = Live(
        old.default, (LiveMenu("7", 100, old.variants[0].menu),), (LiveTag(100, "菜单 B0 甲", 60),)
    )
    census = carried(100, B0=0, B00=60)
    plan = planning.plan(new, live, capacity=Capacity(90), recorded={100: "B0"}, census=census)
    assert plan.tag_of == {"B0": 100}


def test_those_a_menu_is_not_meant_for_are_moved_before_it_changes_under_their_tag() -> None:
    account = Account(ceiling=9)
    account.followers = [Follower("B0"), Follower("B0"), Follower("B00")]
    book = Book(account, Capacity(90, 9))
    book.publish(menus_with({"B0": "甲"}))
    book.move_everybody()
    kinds = [type(step) for step in book.plan(menus_with({"B0": "乙", "B00": "甲"})).steps]
    assert kinds.index(AddMenu) < kinds.index(MoveOut)
    assert kinds[kinds.index(MoveOut) + 1] is AddMenu


def test_followers_on_their_way_across_a_border_hold_nothing_up() -> None:
    old, new = menus_with({"B0": "甲"}), menus_with({"B0": "乙"})
    live = Live(
        old.default,
        (LiveMenu("7", 100, old.variants[0].menu),),
        (LiveTag(100, "菜单 B0 甲", 50_007),),
    )
    census = Census({"B0": 50_000, "B1": 7}, {100: {"B0": 50_000, "B1": 7}})
    plan = planning.plan(new, live, capacity=Capacity(90), recorded={100: "B0"}, census=census)
    assert not any(isinstance(step, MoveOut) for step in plan.steps)


def test_two_variants_that_exchange_followers_say_who_sees_the_default_meanwhile() -> None:
    account = Account(ceiling=9)
    account.followers = [Follower("B0"), Follower("B0"), Follower("B1"), Follower("B1")]
    book = Book(account, Capacity(90, 9))
    book.publish(menus_with({"B0": "甲", "B1": "甲"}))
    book.move_everybody()
    # One of each crosses over, and both menus change.
    account.followers[1].branch, account.followers[3].branch = "B1", "B0"
    plan = book.publish(menus_with({"B0": "乙", "B1": "乙"}))
    book.move_everybody()
    assert len(plan.gaps) == 1
    assert plan.gaps[0].followers == 1
    assert book.plan(menus_with({"B0": "乙", "B1": "乙"})).steps == ()


def test_a_tag_nobody_carries_is_used_again_under_another_name() -> None:
    old, new = menus_with({"B1": "甲"}), menus_with({"B2": "甲"})
    live = Live(
        old.default, (LiveMenu("7", 100, old.variants[0].menu),), (LiveTag(100, "菜单 B1 甲", 0),)
    )
    plan = planning.plan(new, live, capacity=Capacity(90), recorded={100: "B1"}, census=Census())
    assert plan.tag_of == {"B2": 100}
    assert plan.steps[0] == RenameTag(100, "B2", "菜单 B2 甲")


def test_a_tag_that_is_too_big_to_be_deleted_is_emptied_and_kept_aside() -> None:
    wanted = menus_with({})
    live = Live(wanted.default, (), (LiveTag(100, "菜单 B1 甲", 100_001),))
    census = carried(100, B1=100_001)
    plan = planning.plan(wanted, live, capacity=Capacity(90), recorded={100: "B1"}, census=census)
    assert plan.steps == (EmptyTag(100, "B1", 100_001),)
    assert plan.aside == (100,)
    smaller = carried(100, B1=100_000)
    live = Live(wanted.default, (), (LiveTag(100, "菜单 B1 甲", 100_000),))
    plan = planning.plan(wanted, live, capacity=Capacity(90), recorded={100: "B1"}, census=smaller)
    assert plan.steps[-1] == DeleteTag(100, "B1")


def test_of_equals_at_the_edge_the_one_shown_now_stays() -> None:
    wanted = menus_with({"B0": "甲", "B1": "甲", "B2": "甲"})
    followers = {"B0": 100, "B1": 100, "B2": 100}
    for shown in ("B0", "B1", "B2"):
        served = serving(wanted.variants, followers, room=1, shown={shown})
        assert [key for key, heir in served.items() if key == heir] == [shown]


def test_a_few_more_followers_do_not_drive_the_shown_one_out_but_many_do() -> None:
    wanted = menus_with({"B0": "甲", "B1": "甲"})
    narrow = serving(wanted.variants, {"B0": 1_000, "B1": 1_040}, room=1, shown={"B0"})
    clear = serving(wanted.variants, {"B0": 1_000, "B1": 1_060}, room=1, shown={"B0"})
    assert narrow == {"B0": "B0", "B1": None}
    assert clear == {"B0": None, "B1": "B1"}


@given(st.text(min_size=1, max_size=12), st.integers(0, 5))
def test_names_are_found_for_any_number_of_tags_and_all_of_them_name_their_variant(
    title: str, count: int
) -> None:
    taken: set[str] = set()
    for _ in range(count):
        name = tag_name("B310000", title, taken)
        assert name not in taken
        assert len(name.encode()) <= 30
        assert key_in(name) == "B310000"
        taken.add(name)
