"""Each branch's menu comes from the nearest zone above it, and every button says why."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from menus.buttons import Button
from menus.items import Item
from menus.resolve import effective, resolve
from menus.slots import Fill
from tests.menus.frames import chain
from tests.menus.test_plan import BASE, CODES, TREE, Branch, Zone, menus_with, zones


def test_a_branch_without_a_zone_takes_its_parents_and_says_so() -> None:
    kept = {"B0": Zone("liyu", "礼遇江苏")}
    found = effective(chain("B00"), kept, base_url=BASE)
    assert found.title == found.menu[2].name == "礼遇江苏"
    assert found.menu[2].buttons[1] == Button("专区首页", "view", url=f"{BASE}/z/liyu")
    assert set(found.why[0]) == {"总行统一配置", "“本地办事”还没有分行填写，用总行默认"}
    why = "00支行没有自己的专区，沿用0分行的专区“礼遇江苏”"
    assert (found.title_why[2], found.why[2][1]) == (why, why)


def test_a_branchs_own_zone_goes_before_its_parents() -> None:
    kept = {"B0": Zone("a", "甲"), "B00": Zone("b", "乙")}
    found = effective(chain("B00"), kept, base_url=BASE)
    assert found.title == "乙"
    assert found.title_why[2] == "00支行的专区“乙”"


def test_where_there_is_no_zone_at_all_the_default_serves() -> None:
    found = effective(chain("B1"), {}, base_url=BASE)
    assert found.menu == menus_with({}).default
    assert found.title_why[2] == "所在分行没有专区，用总行默认"


def test_every_button_has_its_reason() -> None:
    found = effective(chain("B1"), {}, base_url=BASE)
    assert [len(column) for column in found.why] == [len(c.buttons) for c in found.menu]


def test_branches_with_the_same_menu_share_one_variant() -> None:
    resolved = menus_with({"B0": "甲", "B00": "乙"})
    shared = {one.key: (one.parent, one.branches) for one in resolved.variants}
    assert shared == {"B0": (None, ("B0", "B01")), "B00": ("B0", ("B00",))}


def test_a_zone_of_head_office_is_everybodys_and_so_in_the_default_menu() -> None:
    resolved = menus_with({"HQ": "甲", "B0": "乙"})
    (own,) = resolved.variants
    assert (own.key, own.parent) == ("B0", None)
    assert resolved.default[2].name == "甲"


def test_a_branchs_fill_makes_a_variant_of_its_own_and_says_whose_it_is() -> None:
    fills = {"B0": {"local-one": Fill((Item("地铁礼", "/s/promotions"),))}}
    resolved = resolve(TREE, {}, base_url=BASE, fills=fills)
    assert [(one.key, one.branches) for one in resolved.variants] == [("B0", ("B0", "B00", "B01"))]
    for code, why in (
        ("B0", "0分行填写的“本地特色”"),
        ("B00", "00支行没有填写“本地特色”，沿用0分行的"),
        ("B1", "“本地特色”还没有分行填写，用总行默认"),
    ):
        found = effective(chain(code), {}, base_url=BASE, fills=fills)
        assert found.why[2][2] == why
        assert found.menu == resolved.menu_of(code)


def test_what_a_branch_hides_is_noted_and_inherited() -> None:
    fills = {"B0": {"local-one": Fill(hide=True)}}
    for code, note in (
        ("B0", "“本地特色”由0分行隐藏"),
        ("B00", "“本地特色”由0分行隐藏，00支行沿用"),
    ):
        found = effective(chain(code), {}, base_url=BASE, fills=fills)
        assert "附近网点" not in [button.name for button in found.menu[2].buttons]
        assert found.notes == (note,)


def test_a_fill_the_frame_no_longer_allows_is_passed_over() -> None:
    usual = resolve(TREE, {}, base_url=BASE)
    own = Fill((Item("地铁礼", "/s/promotions"),))
    for fills in ({"HQ": {"local-one": own}}, {"B0": {"lost-card": own}}, {"B0": {"gone": own}}):
        assert resolve(TREE, {}, base_url=BASE, fills=fills) == usual


@given(zones)
@settings(max_examples=60, deadline=None)
def test_a_variant_shows_each_of_its_branches_exactly_their_effective_menu(
    titles: dict[str, str],
) -> None:
    kept = {code: Zone(f"{code}-{title}".lower(), title) for code, title in titles.items()}
    resolved = resolve(TREE, kept, base_url=BASE)
    for code in CODES:
        assert resolved.menu_of(code) == effective(chain(code), kept, base_url=BASE).menu
    digests = [one.menu for one in resolved.variants] + [resolved.default]
    assert len(set(digests)) == len(digests)


@given(zones, st.permutations(TREE))
@settings(max_examples=60, deadline=None)
def test_the_order_of_branches_means_nothing(titles: dict[str, str], tree: list[Branch]) -> None:
    kept = {code: Zone(f"{code}-{title}".lower(), title) for code, title in titles.items()}
    again = resolve(tree, kept, base_url=BASE)
    assert again == resolve(TREE, kept, base_url=BASE)
