"""Two menus are the same when followers could not tell them apart, however WeChat writes them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from menus import buttons
from menus.buttons import Button, Menu, digest, read, write

words = st.text(alphabet="服务查询abc:/", min_size=1, max_size=6)
leaves = st.builds(Button, name=words, type=st.just("click"), key=words) | st.builds(
    Button, name=words, type=st.just("view"), url=words
)
columns = leaves | st.builds(
    Button, name=words, buttons=st.lists(leaves, min_size=1, max_size=5).map(tuple)
)
menus: st.SearchStrategy[Menu] = st.lists(columns, max_size=3).map(tuple)


@given(menus)
def test_a_menu_that_is_written_and_read_is_the_same(menu: Menu) -> None:
    assert read(write(menu)) == menu


@given(menus)
def test_defaults_and_the_order_of_keys_mean_nothing(menu: Menu) -> None:
    def padded(raw: dict[str, Any]) -> dict[str, Any]:
        inner = [padded(one) for one in raw.get("sub_button", [])]
        return dict(reversed(({"url": "", "key": None} | raw | {"sub_button": inner}).items()))

    assert read([padded(one) for one in write(menu)]) == menu


@given(menus, menus)
def test_digests_are_equal_exactly_when_menus_are(one: Menu, other: Menu) -> None:
    assert (digest(one) == digest(other)) == (one == other)


def test_the_answer_about_the_current_menu_nests_its_buttons_once_more() -> None:
    inner = {"type": "click", "name": "挂失", "key": "svc:lost-card"}
    raw = [{"name": "服务", "sub_button": {"list": [inner]}}]
    expected = (Button("服务", buttons=(Button("挂失", type="click", key="svc:lost-card"),)),)
    assert read(raw) == expected


def test_no_menu_is_an_empty_menu() -> None:
    assert buttons.read(None) == ()
