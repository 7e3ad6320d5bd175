"""Two texts are put together so that neither person's work is lost unseen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.approvals.merging import MISSING, Conflict, merge

LEAVES = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["", "甲", "乙"]))
NAMES = st.sampled_from(["title", "menu", "page", "key"])


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    named = st.lists(
        st.fixed_dictionaries({"key": st.sampled_from("abcd"), "text": inner}),
        max_size=4,
        unique_by=lambda item: item["key"],
    )
    return st.one_of(st.dictionaries(NAMES, inner, max_size=3), st.lists(inner, max_size=3), named)


DOCUMENTS = st.dictionaries(NAMES, st.recursive(LEAVES, _nested, max_leaves=12), max_size=4)


@given(DOCUMENTS, DOCUMENTS)
def test_what_only_one_side_changed_counts(base: dict[str, Any], changed: dict[str, Any]) -> None:
    for mine, theirs in ((changed, base), (base, changed), (changed, changed)):
        merged = merge(base, mine=mine, theirs=theirs)
        assert repr(_sorted(merged.content)) == repr(_sorted(changed))
        assert merged.conflicts == []


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_whatever_is_chosen_leaves_nothing_open(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    merged = merge(base, mine=mine, theirs=theirs)
    for side in ("mine", "theirs"):
        chosen = {conflict.path: side for conflict in merged.conflicts}
        again = merge(base, mine=mine, theirs=theirs, chosen=chosen)  # type: ignore[arg-type]  # a side
        assert again.conflicts == []


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_both_sides_see_the_same_conflicts(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    one = merge(base, mine=mine, theirs=theirs).conflicts
    other = merge(base, mine=theirs, theirs=mine).conflicts
    assert {conflict.path for conflict in one} == {conflict.path for conflict in other}


def _sorted(value: Any) -> Any:
    """The value with objects' names in order; the order of names says nothing in JSON."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


BASE: dict[str, Any] = {
    "zone": {"title": "约惠", "slogan": "旧"},
    "promotions": [{"key": "a", "off": 1}, {"key": "b", "off": 2}, {"key": "c", "off": 3}],
}


def test_changes_in_different_places_are_both_kept() -> None:
    mine = {**BASE, "zone": {"title": "约惠岭南", "slogan": "旧"}}
    theirs = {
        **BASE,
        "zone": {"title": "约惠", "slogan": "新"},
        "promotions": [{"key": "c", "off": 3}, {"key": "a", "off": 9}],
    }
    merged = merge(BASE, mine=mine, theirs=theirs)
    assert merged.conflicts == []
    assert merged.content["zone"] == {"title": "约惠岭南", "slogan": "新"}
    assert merged.content["promotions"] == theirs["promotions"]


def test_items_that_have_names_are_merged_one_by_one() -> None:
    mine = {"promotions": [*BASE["promotions"], {"key": "m", "off": 5}]}
    theirs = {"promotions": [{"key": "t", "off": 6}, *BASE["promotions"][1:]]}
    merged = merge(BASE, mine=mine, theirs=theirs)
    assert [item["key"] for item in merged.content["promotions"]] == ["t", "b", "c", "m"]


def test_a_new_order_and_a_new_text_are_both_kept() -> None:
    mine = {"promotions": BASE["promotions"][::-1]}
    theirs = {"promotions": [{"key": "a", "off": 7}, *BASE["promotions"][1:]]}
    merged = merge(BASE, mine=mine, theirs=theirs)
    assert merged.conflicts == []
    assert merged.content["promotions"] == [
        {"key": "c", "off": 3},
        {"key": "b", "off": 2},
        {"key": "a", "off": 7},
    ]


@pytest.mark.parametrize(("side", "title"), [("mine", "我的"), ("theirs", "他们的")])
def test_what_both_changed_is_told_with_all_texts_and_chosen(side: Any, title: str) -> None:
    mine, theirs = {"zone": {"title": "我的"}}, {"zone": {"title": "他们的"}}
    merged = merge(BASE, mine=mine, theirs=theirs)
    assert merged.conflicts == [Conflict("zone/title", "约惠", "我的", "他们的")]
    chosen = merge(BASE, mine=mine, theirs=theirs, chosen={"zone/title": side})
    assert (chosen.content["zone"]["title"], chosen.conflicts) == (title, [])


def test_taking_away_what_the_other_changed_is_a_conflict() -> None:
    mine = {"promotions": BASE["promotions"][:2]}
    theirs = {"promotions": [*BASE["promotions"][:2], {"key": "c", "off": 8}]}
    (conflict,) = merge(BASE, mine=mine, theirs=theirs).conflicts
    assert (conflict.path, conflict.mine) == ("promotions/c", MISSING)
    chosen = merge(BASE, mine=mine, theirs=theirs, chosen={"promotions/c": "mine"})
    assert [item["key"] for item in chosen.content["promotions"]] == ["a", "b"]


def test_one_and_true_are_different_things() -> None:
    (conflict,) = merge({"on": 0}, mine={"on": 1}, theirs={"on": True}).conflicts
    assert (conflict.mine, conflict.theirs) == (1, True)
