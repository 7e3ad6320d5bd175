"""Which city a text names, and what only sounds like one."""

from __future__ import annotations

import time

import pytest

from lightservices.cities import meant_by, named_in


@pytest.mark.parametrize(
    ("text", "code"),
    [("苏州", "320500"), ("我在 南京市", "320100"), ("江苏苏州", "320500"), ("内蒙古", "150000"),
     ("吉林", "220000"), ("吉林市", "220200"), ("海南", "460000"), ("恩施", "422800"),
     ("伊犁", "654000"), ("西双版纳的网点", "532800"), ("香港", "810000"), ("石河子市", "659001"),
     ("北京和上海", "110000"), ("朝阳市", "211300")],
)  # fmt: skip
def test_a_city_is_known_by_the_name_people_use(text: str, code: str) -> None:
    found = named_in(text)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "中山路支行",
        "南京东路",
        "北京路",
        "朝阳区网点",
        "北京银行",
        "白银价格",
        "东方",
    ],
)
def test_what_is_only_called_after_a_city_names_none(text: str) -> None:
    assert named_in(text) is None


def test_a_long_text_costs_little() -> None:
    named_in("")
    began = time.process_time()
    for _ in range(20):
        named_in("苏州路" * 200)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("苏州", ["苏州市"]), ("蘇州", ["苏州市"]), ("suzhou", ["苏州市", "宿州市", "随州市"]),
        ("昆山", ["苏州市"]), ("恩施", ["恩施土家族苗族自治州"]), ("浦东", ["上海市"]),
        ("火星", []), (" ", []), ("\x00", []),
    ],
)  # fmt: skip
def test_a_city_is_found_by_its_name_its_letters_or_a_county(text: str, names: list[str]) -> None:
    found = [city.name for city in meant_by(text)]
    assert found == names
