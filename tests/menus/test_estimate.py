"""What a plan costs is known before anybody starts it: calls, followers to touch, days."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from menus import estimate
from menus import plan as planning
from menus.audience import changes, differences
from menus.buttons import Button, Menu
from menus.capacity import Capacity, Census
from menus.estimate import TAG, Left
from menus.live import Live, LiveMenu, LiveTag, read_live, tag_name
from menus.plan import Plan
from menus.resolve import Resolved
from tests.menus.test_plan import CODES, menus_with


def planned(wanted: Resolved, live: Live, census: Census) -> Plan:
    recorded = {tag.id: str(tag.name.split()[1]) for tag in live.tags}
    return planning.plan(wanted, live, capacity=Capacity(90), recorded=recorded, census=census)


def shown(wanted: Resolved) -> Live:
    """An account that shows just this."""
    menus = [LiveMenu(str(n), 100 + n, one.menu) for n, one in enumerate(wanted.variants)]
    tags = [
        LiveTag(100 + n, tag_name(one.key, one.title), 0) for n, one in enumerate(wanted.variants)
    ]
    return Live(wanted.default, tuple(menus), tuple(tags))


def test_a_million_followers_are_counted_in_batches_of_fifty_before_anybody_starts() -> None:
    old, new = menus_with({"B1": "甲"}), menus_with({"B1": "甲", "B0": "甲"})
    census = Census({"B0": 1_000_000, "B1": 30}, {100: {"B1": 30}})
    plan = planned(new, shown(old), census)
    work = estimate.retagging(plan, census)
    assert (work.followers, work.tagging, work.untagging) == (1_000_000, 20_000, 0)
    assert round(work.work.total_seconds()) == 2_000
    assert work.days({TAG: Left(100_000, 0, True)}) == 1
    # Of a quota of ten thousand a tenth is left to those who move: nine thousand a day.
    assert work.days({TAG: Left(10_000, 0, True)}) == 3
    assert work.days({TAG: Left(10_000, 9_500, True)}) == 4


def test_followers_who_change_from_one_tag_to_another_cost_two_calls_a_batch() -> None:
    old, new = menus_with({"B0": "甲", "B1": "甲"}), menus_with({"B1": "甲", "B0": "甲"})
    census = Census({"B0": 120, "B1": 0}, {101: {"B0": 120}})
    work = estimate.retagging(planned(new, shown(old), Census()), census)
    assert (work.followers, work.tagging, work.untagging) == (120, 3, 3)


def test_nothing_to_do_costs_one_look_and_touches_nobody() -> None:
    wanted = menus_with({"B1": "甲"})
    census = Census({"B1": 500, "B2": 10}, {100: {"B1": 500}})
    plan = planned(wanted, shown(wanted), census)
    assert plan.steps == ()
    work = estimate.retagging(plan, census)
    assert (work.followers, work.calls, work.days({})) == (0, 0, 0)
    assert estimate.calls(plan, work) == dict.fromkeys(estimate.READS, 1)


def test_every_step_that_calls_wechat_is_counted() -> None:
    plan = planned(menus_with({"B1": "甲", "B2": "甲"}), Live(None, (), ()), Census())
    found = estimate.calls(plan, estimate.retagging(plan, Census()))
    assert found["/cgi-bin/menu/create"] == 1
    assert found["/cgi-bin/tags/create"] == found["/cgi-bin/menu/addconditional"] == 2


def test_who_sees_what_is_said_by_group_with_the_differences() -> None:
    old, new = menus_with({"B0": "甲", "B1": "甲"}), menus_with({"B0": "乙", "B1": "甲"})
    live = shown(old)
    census = Census({"B0": 40, "B00": 5, "B1": 9}, {})
    reach = {"B0": 100, "B00": 100, "B01": 100, "B1": 101, "B10": 101, "B11": 101}
    (found,) = changes(new, live, planned(new, live, census), reach=reach, census=census)
    assert found.branches == ("B0", "B00", "B01")
    assert found.followers == 45
    assert (found.before, found.after) == (("服务", "查询", "甲"), ("服务", "查询", "乙"))
    assert "第 3 列：“甲”改名为“乙”" in found.differences
    assert not found.is_default


def test_a_changed_default_is_seen_by_those_whose_place_nobody_knows() -> None:
    wanted = menus_with({})
    old = (*wanted.default[:2], Button("旧列", type="click", key="old"))
    live = Live(old, (), ())
    (found,) = changes(wanted, live, planned(wanted, live, Census()), reach={}, census=Census())
    assert found.is_default
    assert set(found.branches) == set(CODES)


def test_differences_are_named_button_by_button() -> None:
    def column(*names: str, key: str = "svc:a") -> Menu:
        return (Button("服务", buttons=tuple(Button(n, type="click", key=key) for n in names)),)

    assert list(differences(column("甲", "乙"), column("乙", "丙"))) == [
        "第 1 列：去掉“甲”",
        "第 1 列：新增“丙”",
    ]
    assert list(differences(column("甲", "乙"), column("乙", "甲"))) == ["第 1 列：顺序改为乙、甲"]
    assert list(differences(column("甲"), column("甲", key="svc:b"))) == [
        "第 1 列：“甲”由 svc:a 改为 svc:b"
    ]
    assert list(differences((), column("甲"))) == ["第 1 列：新增“服务”"]
    assert list(differences(column("甲"), column("甲"))) == []


def spelt(menu: Menu, chance: random.Random) -> list[dict[str, Any]]:
    """The same menu in one of the ways in which WeChat may write it."""
    found = []
    for button in menu:
        raw: dict[str, Any] = {"name": button.name, "type": button.type, "key": button.key}
        raw |= {"url": button.url, "sub_button": spelt(button.buttons, chance)}
        if chance.random() < 0.5:
            raw = {name: value for name, value in raw.items() if value}
        if raw.get("sub_button") and chance.random() < 0.3:
            raw["sub_button"] = {"list": raw["sub_button"]}
        names = list(raw)
        chance.shuffle(names)
        found.append({name: raw[name] for name in names})
    return found


@given(
    st.dictionaries(st.sampled_from(CODES[1:]), st.sampled_from(["甲", "乙"]), max_size=8),
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_however_wechat_writes_the_same_menus_there_is_nothing_to_do(
    zones: dict[str, str], chance: random.Random
) -> None:
    wanted = menus_with(zones)
    live = shown(wanted)
    rules = ("group_id", "tag_id")
    answer = {
        "menu": {"button": spelt(wanted.default, chance), "menuid": 4226851},
        "conditionalmenu": [
            {
                "menuid": chance.choice([int(one.menu_id), one.menu_id]),
                "matchrule": {
                    chance.choice(rules): chance.choice([one.tag_id, str(one.tag_id)]),
                    **chance.choice([{}, {"sex": "", "client_platform_type": ""}]),
                },
                "button": spelt(one.menu, chance),
            }
            for one in live.conditional
        ],
    }
    current = {"is_menu_open": 1, "selfmenu_info": {"button": spelt(wanted.default, chance)}}
    found = read_live(answer, live.tags, current)
    assert found.by_hand is None
    assert planned(wanted, found, Census()).steps == ()
