"""Packs and plans: what is shipped is sound, and what is not sound is named field by field."""

from __future__ import annotations

from typing import Any

import pytest

from lightservices import catalogue
from lightservices.emergency import content, packs, plans
from lightservices.emergency.content import ContentRefused
from lightservices.emergency.refusals import BadContent, NotThatArea, NotYours, PlanChanged
from service.wiring import Unit
from tests.lightservices.emergency.duty import GUANGDONG, WANG, ZHUHAI, said


def test_the_epidemic_pack_has_forty_contactless_functions_and_more() -> None:
    shipped = packs.shipped()
    assert {"epidemic", "typhoon", "outage"} <= set(shipped)
    epidemic = shipped["epidemic"]
    assert len({one.key for one in epidemic.functions}) >= 40
    assert all(catalogue.service(one.key) for one in epidemic.functions)


def test_every_kind_of_emergency_has_a_pack() -> None:
    assert {one.kind for one in packs.shipped().values()} == set(content.Kind)


@pytest.mark.parametrize("key", sorted(packs.shipped()))
def test_a_pack_is_of_use_at_once_and_hides_nothing_that_is_needed(key: str) -> None:
    one = packs.shipped()[key]
    assert len(one.functions) == len({function.key for function in one.functions}) >= 15
    assert {"contact", "scam-warning", "outlets", "voice-service"} <= {
        function.key for function in one.functions
    }
    assert not {"lost-card", "card-lock", "complaint", "contact", "my-city"} & set(one.hide)
    # One hotline is the bank's own, whose number only the bank knows.
    assert {"", "110"} <= {hotline.number for hotline in one.hotlines}
    # A mass message holds no link: its words name the menu's entry.
    assert f"菜单“{one.entry}”" in one.opened


@pytest.mark.parametrize("key", sorted(packs.shipped()))
def test_what_a_pack_tells_followers_fits_a_message_and_promises_no_link(key: str) -> None:
    one = packs.shipped()[key]
    for words in (one.opened, one.ended):
        assert len(words.encode()) < 1800
        assert "http" not in words
    assert len(one.headline) <= 20, "a template's field takes no more"


@pytest.mark.parametrize("key", sorted(packs.shipped()))
def test_what_is_written_reads_the_same_again(key: str) -> None:
    one = said(ZHUHAI, pack=key)
    assert content.read(content.write(one)) == one
    assert content.stored(content.write(one)) == one


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"kind": "war"}, "种类"),
        ({"default_hours": 0}, "时长：至少 1 小时"),
        ({"default_hours": 73}, "最长 72 小时"),
        ({"title": "太长的标题太长的标题太长"}, None),
        ({"title": "太长的标题太长的标题太长的"}, "标题"),
        ({"functions": [{"key": "no-such", "why": "试"}]}, "没有代码为 no-such 的服务"),
        ({"hide": ["lost-card"]}, "既列为可用又要隐藏"),
        ({"hotlines": [{"name": "电话", "why": "试", "number": "javascript:1"}]}, "号码"),
        ({"outlets": [{"why": "停业"}]}, "要写明是哪些网点"),
        ({"outlets": [{"why": "改", "all": True, "hours": "随便"}]}, "随便"),
        ({"outlets": [{"why": "停业", "divisions": ["999999"]}]}, "999999"),
        ({"area": {"inside": {}}}, "区域是空的"),
        ({"surprise": 1}, "没有这个字段"),
    ],
)
def test_each_fault_is_named(changed: dict[str, Any], says: str | None) -> None:
    raw = content.write(packs.shipped()["typhoon"]) | changed
    if says is None:
        assert content.read(raw)
        return
    with pytest.raises(ContentRefused, match=says):
        content.read(raw)


def test_a_service_that_is_gone_does_not_take_an_open_emergency_with_it() -> None:
    raw = content.write(said()) | {"hide": ["taken-out-since"]}
    assert content.stored(raw).hide == ("taken-out-since",)


def test_a_plan_takes_the_place_of_its_pack(bank: Unit) -> None:
    before = plans.find(bank, "typhoon")
    raw = content.write(before.content) | {"title": "本行台风预案"}
    saved = plans.save(bank, raw, seen=before.hash, by=WANG)
    assert plans.find(bank, "typhoon").content.title == "本行台风预案"
    with pytest.raises(PlanChanged):
        plans.save(bank, raw | {"title": "别人改的"}, seen=before.hash, by=WANG)
    plans.save(bank, raw | {"title": "再改"}, seen=saved.hash, by=WANG)
    with pytest.raises(BadContent):
        plans.save(bank, raw | {"kind": "war"}, seen=saved.hash, by=WANG)
    with pytest.raises(NotThatArea):
        plans.save(bank, raw, seen=saved.hash, by=GUANGDONG)


def test_a_new_plan_and_one_that_is_retired(bank: Unit) -> None:
    raw = content.write(packs.shipped()["typhoon"]) | {"key": "flood-south", "kind": "flood"}
    plans.save(bank, raw, seen="", by=WANG)
    assert "flood-south" in plans.every(bank)
    plans.retire(bank, "flood-south", by=WANG)
    plans.retire(bank, "outage", by=WANG)
    assert {"flood-south", "outage"}.isdisjoint(plans.every(bank))
    with pytest.raises(NotYours):
        plans.find(bank, "outage")
