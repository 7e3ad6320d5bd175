"""Whatever head office, branches and overlays do together, every branch has a sound menu."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from menus import checks, limits
from menus.buttons import Button
from menus.compose import default
from menus.items import Item
from menus.resolve import Effective, effective, resolve
from menus.slots import Column, Fill, Frame, Overlay, Slot, SlotKind
from tests.menus import frames
from tests.menus.frames import KNOWN, NOON, chain
from tests.menus.test_plan import BASE, CODES, TREE, Zone

MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Case:
    frame: Frame
    fills: dict[str, dict[str, Fill]]
    overlays: tuple[Overlay, ...]
    zones: dict[str, Zone]

    def seen(self, code: str, **other: object) -> Effective:
        made_of = {"frame": self.frame, "fills": self.fills, "overlays": self.overlays, "at": NOON}
        return effective(chain(code), self.zones, base_url=BASE, **{**made_of, **other})  # type: ignore[arg-type]  # the keywords are those of effective()


@st.composite
def cases(draw: st.DrawFn) -> Case:
    frame = draw(frames.frames())
    zones = draw(st.dictionaries(st.sampled_from(CODES), st.sampled_from(["甲区", "乙区"])))
    return Case(
        frame,
        draw(frames.filled(frame)),
        draw(frames.overlays()),
        {code: Zone(code.lower(), title) for code, title in zones.items()},
    )


def standing(found: Effective, slot: str) -> list[Item]:
    """What a slot shows."""
    return [one.item for column in found.placed for one in column if one.slot.key == slot]


@given(frames.frames())
@settings(max_examples=50, deadline=None)
def test_the_frames_drawn_here_may_be_published(drawn: Frame) -> None:
    assert checks.frame_faults(drawn, known=KNOWN) == []


@given(cases())
@settings(max_examples=50, deadline=None)
def test_no_menu_is_too_large_or_breaks_a_limit_where_frame_and_fills_are_sound(case: Case) -> None:
    for code in CODES:
        menu = case.seen(code).menu
        assert len(menu) <= 3
        assert all(1 <= len(column.buttons) <= 5 for column in menu)
        assert limits.faults(menu, KNOWN.links) == []


@given(cases())
@settings(max_examples=50, deadline=None)
def test_nobody_loses_the_entry_to_an_emergency(case: Case) -> None:
    for code in CODES:
        shown = {button.url for column in case.seen(code).menu for button in column.buttons}
        for one in case.overlays:
            is_shown = f"{BASE}{one.target}" in shown
            if one.kind is SlotKind.EMERGENCY:
                assert is_shown == one.reaches(code)
            else:
                assert one.reaches(code) or not is_shown


@given(cases())
@settings(max_examples=50, deadline=None)
def test_branches_are_grouped_by_exactly_what_each_of_them_sees(case: Case) -> None:
    resolved = resolve(
        TREE, case.zones, base_url=BASE, frame=case.frame, fills=case.fills,
        overlays=case.overlays, at=NOON,
    )  # fmt: skip
    assert resolved.default == case.seen("HQ").menu
    for code in CODES:
        assert resolved.menu_of(code) == case.seen(code).menu
    menus = [one.menu for one in resolved.variants] + [resolved.default]
    assert len(set(menus)) == len(menus)
    assert [one.key for one in resolved.variants] == [one.branches[0] for one in resolved.variants]


@given(cases())
@settings(max_examples=50, deadline=None)
def test_a_fill_is_inherited_until_another_branch_decides(case: Case) -> None:
    for code in CODES:
        found = case.seen(code, overlays=())
        for slot in frames.usual(case.frame):
            deciding = (
                fill
                for above in chain(code)
                if (fill := case.fills.get(above.code, {}).get(slot.key)) and fill.holds(NOON)
            )
            fill = next(deciding, None)
            wanted = slot.items if fill is None else fill.items
            open_now = [item for item in wanted if item.is_open(NOON)][: slot.most]
            assert standing(found, slot.key) == open_now


@given(cases(), st.data())
@settings(max_examples=50, deadline=None)
def test_a_branch_that_restores_a_slot_has_its_parents_again(
    case: Case, data: st.DataObject
) -> None:
    code = data.draw(st.sampled_from(CODES[1:]))
    restored = {branch: own for branch, own in case.fills.items() if branch != code}
    parent = chain(code)[1].code
    for slot in frames.usual(case.frame):
        own = case.seen(code, fills=restored, overlays=())
        above = case.seen(parent, fills=restored, overlays=())
        assert standing(own, slot.key) == standing(above, slot.key)


@given(cases(), st.sampled_from(CODES))
@settings(max_examples=50, deadline=None)
def test_every_button_title_and_column_has_its_reason(case: Case, code: str) -> None:
    found = case.seen(code)
    assert [len(column) for column in found.why] == [len(c.buttons) for c in found.menu]
    assert len(found.title_why) == len(found.menu)
    assert all(why for column in found.why for why in column)


# Windows


def branded(item: Item) -> dict[str, dict[str, Fill]]:
    return {"B0": {"local-one": Fill((item,))}}


def local(at: object, fills: dict[str, dict[str, Fill]], code: str = "B00") -> list[str]:
    found = effective(chain(code), {}, base_url=BASE, fills=fills, at=at)  # type: ignore[arg-type]  # a time, or none
    return [item.name for item in standing(found, "local-one")]


def test_an_item_is_there_from_its_start_until_just_before_its_end() -> None:
    item = Item("灯会", "/s/a", starts_at=NOON, ends_at=NOON + timedelta(hours=1))
    for at, names in (
        (item.starts_at - MOMENT, ["附近网点"]),
        (item.starts_at, ["灯会"]),
        (item.ends_at - MOMENT, ["灯会"]),
        (item.ends_at, ["附近网点"]),
        (None, ["附近网点"]),
    ):
        assert local(at, branded(item)) == names


def test_when_a_branchs_items_have_ended_it_has_its_parents() -> None:
    mine = Item("地铁礼", "/s/a", ends_at=NOON)
    fills = branded(Item("文旅礼", "/s/b")) | {"B00": {"local-one": Fill((mine,))}}
    assert local(NOON - MOMENT, fills) == ["地铁礼"]
    assert local(NOON, fills) == ["文旅礼"]


def test_an_item_with_a_window_stands_in_front_of_what_is_always_there() -> None:
    items = (Item("限时", "/s/a", ends_at=NOON), Item("平时", "/s/b"))
    frame = Frame((Column("列", (Slot("one", items=items),)),))
    for at, name in ((NOON - MOMENT, "限时"), (NOON, "平时")):
        (column,) = effective(chain("B0"), {}, base_url=BASE, frame=frame, at=at).menu
        assert [button.name for button in column.buttons] == [name]


# Overlays


EMERGENCY = Overlay(
    kind=SlotKind.EMERGENCY, key="flood", title="防汛服务", target="/z/flood",
    branches=frozenset({"B0"}), ends_at=NOON + timedelta(hours=2),
)  # fmt: skip
CAMPAIGN = Overlay(kind=SlotKind.CAMPAIGN, key="fair", title="金秋庙会", target="/z/fair")


def test_an_emergency_takes_its_position_and_what_gives_way_leaves() -> None:
    found = effective(chain("B0"), {}, base_url=BASE, overlays=[EMERGENCY], at=NOON)
    first = found.menu[0]
    assert first.buttons[0] == Button("防汛服务", "view", url=f"{BASE}/z/flood")
    assert "手机银行" not in [button.name for button in first.buttons]
    assert found.why[0][0] == "紧急服务“防汛服务”正在对1 家分行开放，2026-11-11 14:00结束"
    assert found.notes == ("“手机银行”暂时让位，这一列最多 5 项",)


def test_an_emergency_ends_by_the_clock_and_reaches_nobody_else() -> None:
    usual = effective(chain("B0"), {}, base_url=BASE).menu
    for code, at in (("B0", EMERGENCY.ends_at), ("B1", NOON), ("B00", NOON)):
        assert effective(chain(code), {}, base_url=BASE, overlays=[EMERGENCY], at=at).menu == usual


def test_of_two_campaigns_the_one_ranked_higher_is_in_front() -> None:
    other = replace(CAMPAIGN, key="gala", title="新春晚会", target="/z/gala", rank=1)
    for order in ([CAMPAIGN, other], [other, CAMPAIGN]):
        found = effective(chain("B0"), {}, base_url=BASE, overlays=order, at=NOON)
        names = [button.name for button in found.menu[2].buttons]
        assert names == ["新春晚会", "本地优惠", "专区首页", "附近网点", "全部服务"]


def test_where_one_column_must_hold_both_the_campaign_goes_before_the_emergency_does() -> None:
    laid = [Slot("e", SlotKind.EMERGENCY), Slot("c", SlotKind.CAMPAIGN)]
    fixed = [Slot(f"s{n}", items=(Item(f"第{n}", "/s/a"),)) for n in range(4)]
    frame = Frame((Column("列", (*laid, *fixed)),))
    more = replace(EMERGENCY, key="quake", title="抗震服务", branches=None)
    (column,) = effective(
        chain("B0"), {}, base_url=BASE, frame=frame, overlays=[EMERGENCY, more, CAMPAIGN], at=NOON
    ).menu
    assert [b.name for b in column.buttons] == ["防汛服务", "抗震服务", "第0", "第1", "第2"]


def test_a_variant_says_that_it_leads_to_an_emergency_its_parent_does_not_lead_to() -> None:
    titled = {"B1": Zone("b", "乙")}
    found = resolve(TREE, titled, base_url=BASE, overlays=[EMERGENCY], at=NOON)
    assert {one.key: one.urgent for one in found.variants} == {"B0": True, "B1": False}
    everybody = replace(EMERGENCY, branches=None)
    found = resolve(TREE, titled, base_url=BASE, overlays=[everybody], at=NOON)
    assert {one.key: one.urgent for one in found.variants} == {"B1": False}
    assert found.default[0].buttons[0].name == "防汛服务"


def test_the_frame_that_ships_has_room_for_both_overlays_at_once() -> None:
    found = effective(chain("B0"), {}, base_url=BASE, overlays=[EMERGENCY, CAMPAIGN], at=NOON)
    assert [len(column.buttons) for column in found.menu] == [5, 5, 5]
    assert default().slot("emergency") is not None
