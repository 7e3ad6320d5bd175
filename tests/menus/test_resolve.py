"""Each branch's menu comes from the nearest zone above it, and every button says why."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from menus import frame
from menus.resolve import effective, resolve
from tests.menus.test_plan import BASE, CODES, TREE, Branch, Zone, menus_with, zones

BY_CODE = {branch.code: branch for branch in TREE}


def chain(code: str) -> list[Branch]:
    found = [BY_CODE[code]]
    while (above := found[-1].parent) is not None:
        found.append(BY_CODE[above])
    return found


def test_a_branch_without_a_zone_takes_its_parents_and_says_so() -> None:
    kept = {"B0": Zone("liyu", "礼遇江苏")}
    found = effective(chain("B00"), kept, base_url=BASE)
    assert found.menu == frame.menu(BASE, title="礼遇江苏", home="/z/liyu")
    assert set(found.why[0]) == {"总行统一配置"}
    assert set(found.why[2]) == {"00支行没有自己的专区，沿用0分行的专区“礼遇江苏”"}


def test_a_branchs_own_zone_goes_before_its_parents() -> None:
    kept = {"B0": Zone("a", "甲"), "B00": Zone("b", "乙")}
    found = effective(chain("B00"), kept, base_url=BASE)
    assert found.title == "乙"
    assert set(found.why[2]) == {"00支行的专区“乙”"}


def test_where_there_is_no_zone_at_all_the_default_serves() -> None:
    found = effective(chain("B1"), {}, base_url=BASE)
    assert found.menu == frame.menu(BASE)
    assert set(found.why[2]) == {"所在分行没有专区，用总行默认"}


def test_every_button_has_its_reason() -> None:
    found = effective(chain("B1"), {}, base_url=BASE)
    assert [len(column) for column in found.why] == [len(c.buttons) for c in found.menu]


def test_branches_with_the_same_menu_share_one_variant() -> None:
    resolved = menus_with({"B0": "甲", "B00": "乙"})
    shared = {one.key: (one.parent, one.branches) for one in resolved.variants}
    assert shared == {"B0": (None, ("B0", "B01")), "B00": ("B0", ("B00",))}


def test_a_zone_of_head_office_is_inherited_by_everybody() -> None:
    resolved = menus_with({"HQ": "甲", "B0": "乙"})
    (head, own) = resolved.variants
    assert (head.key, own.key, own.parent) == ("HQ", "B0", "HQ")
    assert set(head.branches) | set(own.branches) == set(CODES)


@given(zones)
def test_a_variant_shows_each_of_its_branches_exactly_their_effective_menu(
    titles: dict[str, str],
) -> None:
    kept = {code: Zone(f"{code}-{title}".lower(), title) for code, title in titles.items()}
    resolved = resolve(TREE, kept, base_url=BASE)
    menu_of = {code: one.menu for one in resolved.variants for code in one.branches}
    for code in CODES:
        expected = effective(chain(code), kept, base_url=BASE).menu
        assert menu_of.get(code, resolved.default) == expected
    digests = [one.menu for one in resolved.variants] + [resolved.default]
    assert len(set(digests)) == len(digests)


@given(zones, st.permutations(TREE))
def test_the_order_of_branches_means_nothing(titles: dict[str, str], tree: list[Branch]) -> None:
    kept = {code: Zone(f"{code}-{title}".lower(), title) for code, title in titles.items()}
    again = resolve(tree, kept, base_url=BASE)
    assert again == resolve(TREE, kept, base_url=BASE)
