"""What a branch's edition consists of: its page's blocks, its zone, its promotions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from lightservices import blocks, promotion_section, promotions, rich_text, zone_section, zones
from regions import presence, sample
from regions.branches import BranchCode
from regions.divisions import DivisionCode
from service import clock
from service.wiring import Unit

PAYLOADS = (Path(__file__).parents[1] / "payloads" / "xss.txt").read_text("utf-8").splitlines()
BRANCH = "B440000"


@dataclass(frozen=True)
class _Checker:
    id: int = 1
    login: str = "checker"


BY = _Checker()
AREA = {"inside": {"polygons": [[[22.5, 113.3], [22.6, 113.3], [22.6, 113.5], [22.5, 113.5]]]}}


@pytest.fixture
def bank(unit: Unit) -> Unit:
    """The sample branches with their zones."""
    sample.seed(unit)
    zones.seed(unit)
    return unit


def promotion(**changed: Any) -> dict[str, Any]:
    now = clock.now()
    return {
        "name": "tea",
        "title": "早茶立减",
        "text": "在指定门店用本行卡付款立减。",
        "starts_at": (now - timedelta(days=1)).isoformat(),
        "ends_at": (now + timedelta(days=1)).isoformat(),
        **changed,
    }


def test_what_is_read_can_be_applied_and_changes_nothing(bank: Unit) -> None:
    before = zone_section.LOCAL.read(bank, BRANCH, "local")
    assert before is not None
    assert not zone_section.LOCAL.faults(bank, BRANCH, "local", before)
    zone_section.LOCAL.apply(bank, BRANCH, "local", before, BY)
    assert zone_section.LOCAL.read(bank, BRANCH, "local") == before


def test_an_edited_zone_is_what_followers_get(bank: Unit) -> None:
    content = zone_section.LOCAL.read(bank, BRANCH, "local")
    assert content is not None
    edited = content | {
        "title": "粤享好生活"[:5],
        "blocks": [{"kind": "text", "title": "公告", "text": "**本周**营业时间有调整"}],
        "switched_off": ["deposit-rates"],
    }
    zone_section.LOCAL.apply(bank, BRANCH, "local", edited, BY)
    found = zones.local_zone(bank, BranchCode("B440600"))
    assert found is not None
    assert found.title == "粤享好生活"
    assert found.blocks[0].html == "<p><strong>本周</strong>营业时间有调整</p>\n"
    assert "deposit-rates" in zones.switched_off(bank, BranchCode("B440600"))
    assert "deposit-rates" not in zones.switched_off(bank, BranchCode("B310000"))


def test_a_branch_without_a_zone_begins_with_what_it_inherits(bank: Unit) -> None:
    assert zone_section.LOCAL.read(bank, "B440600", "local") is None
    fresh = zone_section.LOCAL.fresh(bank, "B440600", "local")
    above = zone_section.LOCAL.read(bank, BRANCH, "local")
    assert above is not None
    assert fresh["title"] == above["title"]
    assert not zone_section.LOCAL.faults(bank, "B440600", "local", fresh)


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"title": "六个字的名字"}, "title"),
        ({"title": ""}, "title"),
        ({"services": ["nothing-such"]}, "services"),
        ({"blocks": [{"kind": "banner"}]}, "blocks/0/title"),
        ({"blocks": [{"kind": "text", "text": "[x](http://a.example.com)"}]}, "blocks/0/text"),
        ({"blocks": [{"kind": "banner", "title": "a", "link": "//b.example"}]}, "blocks/0/link"),
        ({"blocks": [{"kind": "banner", "picture": "0" * 32}]}, "blocks/0/picture_says"),
        ({"blocks": [{"kind": "film"}]}, "blocks/0/kind"),
        ({"reach": ["B310000"]}, "reach"),
        ({"more": 1}, "more"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_names_the_field(bank: Unit, changed: dict[str, Any], where: str) -> None:
    content = zone_section.LOCAL.read(bank, BRANCH, "local")
    assert content is not None
    found = zone_section.LOCAL.faults(bank, BRANCH, "local", content | changed)
    assert where in [fault.where for fault in found]


@pytest.mark.parametrize("content", [None, [], "x", 1, {"title": []}], ids=repr)
def test_content_of_any_shape_is_answered_with_faults(bank: Unit, content: Any) -> None:
    assert zone_section.LOCAL.faults(bank, BRANCH, "local", content)
    assert zone_section.LOCAL.differences(bank, None, content) == []


def test_differences_are_in_peoples_words(bank: Unit) -> None:
    before = zone_section.LOCAL.read(bank, BRANCH, "local")
    assert before is not None
    after = before | {"slogan": "好生活在身边", "services": ["outlets", "lost-card"]}
    found = zone_section.LOCAL.differences(bank, before, after)
    assert [one.where for one in found] == ["标语", "服务"]
    assert found[1].after == "附近网点、卡片挂失"


def test_a_campaign_needs_its_time_and_a_key_of_its_own(bank: Unit) -> None:
    content = zone_section.LOCAL.read(bank, BRANCH, "local")
    assert content is not None
    found = zone_section.CAMPAIGN.faults(bank, "HQ", zone_section.key_of(bank, BRANCH), content)
    assert {fault.where for fault in found} == {"title", "ends_at"}


def test_promotions_keep_their_address_from_edition_to_edition(bank: Unit) -> None:
    promotion_section.SECTION.apply(bank, BRANCH, "local", [promotion()], BY)
    (first,) = promotions.of(bank, BranchCode(BRANCH))
    again = [promotion(title="早茶买一送一"), promotion(name="milk", title="奶茶")]
    promotion_section.SECTION.apply(bank, BRANCH, "local", again, BY)
    bank.wiring.shelf.clear()
    kept = {one.name: one for one in promotions.of(bank, BranchCode(BRANCH))}
    assert kept["tea"].path == first.path
    assert kept["tea"].title == "早茶买一送一"
    promotion_section.SECTION.apply(bank, BRANCH, "local", again[1:], BY)
    assert promotions.promotion(bank, first.id) is None


def test_an_order_is_told_only_where_one_overtakes_another(bank: Unit) -> None:
    tea, rice = promotion(sort=10), promotion(name="rice", title="烧腊饭", sort=20)
    told = promotion_section.SECTION.differences
    assert list(told(bank, [tea, rice], [{**tea, "sort": 30}, {**rice, "sort": 40}])) == []
    new = promotion(name="new", title="新的", sort=0)
    added = told(bank, [tea, rice], [new, {**tea, "sort": 10}, {**rice, "sort": 20}])
    assert {one.where for one in added} == {
        f"优惠“新的”：{part}" for part in ("标题", "内容", "开始", "结束")
    }
    assert not [one for one in told(bank, [tea, rice], [tea]) if "先后" in one.where]
    [turned] = told(bank, [tea, rice], [{**rice, "sort": 10}, {**tea, "sort": 20}])
    assert (turned.where, turned.before, turned.after) == (
        "优惠的先后", "“早茶立减”、“烧腊饭”", "“烧腊饭”、“早茶立减”",
    )  # fmt: skip


def test_one_put_up_without_a_name_is_taken_over(bank: Unit) -> None:
    now = clock.now()
    number = promotions.add(
        bank, branch=BranchCode(BRANCH), title="旧的", text="旧的", starts_at=now,
        ends_at=now + timedelta(days=1),
    )  # fmt: skip
    content = promotion_section.SECTION.read(bank, BRANCH, "local")
    assert not promotion_section.SECTION.faults(bank, BRANCH, "local", content)
    promotion_section.SECTION.apply(bank, BRANCH, "local", content, BY)
    assert promotions.promotion(bank, number) is not None


def test_a_drawn_promotion_is_for_those_in_it(bank: Unit) -> None:
    content = [promotion(divisions=["442000"], area=AREA)]
    branch = "B442000"
    assert not promotion_section.SECTION.faults(bank, branch, "local", content)
    promotion_section.SECTION.apply(bank, branch, "local", content, BY)
    place = presence.at_city(bank, DivisionCode("442000"))
    assert not promotions.current(bank, place, clock.now())
    (found,) = promotions.of(bank, BranchCode(branch))
    assert found.reaches(frozenset(("442000",)), (22.55, 113.4))
    assert not found.reaches(frozenset(("442000",)), (22.65, 113.4))


def test_a_promotion_for_some_is_hidden_from_others(bank: Unit) -> None:
    promotion_section.SECTION.apply(bank, BRANCH, "local", [promotion(audience=["车主"])], BY)
    place = presence.at_city(bank, DivisionCode("440100"))
    assert not promotions.current(bank, place, clock.now())
    assert promotions.current(bank, place, clock.now(), tags=frozenset(("车主",)))


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"title": ""}, "0/title"),
        ({"url": "http://a.example.com"}, "0/url"),
        ({"ends_at": "2020-01-01T00:00:00+08:00"}, "0/ends_at"),
        ({"starts_at": "2020-01-01"}, "0/starts_at"),
        ({"divisions": ["310104"]}, "0/divisions"),
        ({"divisions": ["999999"]}, "0/divisions"),
        ({"area": {"inside": {}}}, "0/area"),
        ({"name": "大"}, "0/name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_promotion_is_refused(bank: Unit, changed: dict[str, Any], where: str) -> None:
    found = promotion_section.SECTION.faults(bank, BRANCH, "local", [promotion(**changed)])
    assert where in [fault.where for fault in found]


def test_two_of_one_name_are_refused(bank: Unit) -> None:
    found = promotion_section.SECTION.faults(bank, BRANCH, "local", [promotion(), promotion()])
    assert "tea" in found[0].rule


@pytest.mark.parametrize("content", [None, {}, "x", [1], [{"divisions": 3}]], ids=repr)
def test_promotions_of_any_shape_are_answered_with_faults(bank: Unit, content: Any) -> None:
    assert promotion_section.SECTION.faults(bank, BRANCH, "local", content)


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_no_markup_survives_a_text(payload: str) -> None:
    html = rich_text.rendered(payload).lower()
    inside_tags = "".join(part.split(">")[0] for part in html.split("<")[1:])
    assert "script" not in inside_tags.replace("noopener noreferrer", "")
    assert not any(word in inside_tags for word in ("onerror", "onload", "style=", "javascript:"))
    assert not any(f"<{tag}" in html for tag in ("img", "svg", "iframe", "object", "math", "input"))


@given(st.text(max_size=200))
def test_any_text_can_be_rendered(text: str) -> None:
    assert isinstance(rich_text.rendered(text), str)


def test_blocks_come_back_from_their_writing() -> None:
    written = blocks.write(blocks.USUAL)
    assert blocks.read(written) == blocks.USUAL
    with pytest.raises(ValidationError):
        blocks.read([{"kind": "text", "text": " "}])
