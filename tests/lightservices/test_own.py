"""A branch's own services: the pack's rules, the branch's reach, and nobody else's page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lightservices import catalogue, zones
from lightservices.catalogue import own
from service.db import table_of
from service.wiring import Unit
from tests.lightservices.conftest import WHO, Site

SHANGHAI = ("B310000", "HQ")
NANJING = ("B320000", "HQ")


def content(**changed: Any) -> dict[str, Any]:
    return {
        "key": "b310000-lane-market",
        "title": "弄堂夜市",
        "class": "业务办理",
        "scenario": "购物优惠",
        "kind": "guide",
        "summary": "浦江边的夜市怎么用本行收款码",
        "words": ["夜市", "弄堂", "摆摊", "收款码", "集市"],
        "asks": ["弄堂夜市怎么收款", "夜市摊位怎么办码", "夜市收的钱几时到"],
        "steps": [{"title": "先到摊位登记处"}],
    } | changed


def test_it_is_offered_to_the_branch_and_below_and_can_be_taken_back(bank: Unit) -> None:
    put = own.put(bank, branch="B310000", content=content())
    assert (put.owner, put.icon) == ("B310000", "shop")
    assert put.key in catalogue.offered(bank, SHANGHAI)
    assert put.key not in catalogue.offered(bank, NANJING)
    assert own.of(bank, "B310000") == {put.key: content()}
    assert own.of(bank, "B320000") == {}
    assert not own.remove(bank, branch="B320000", key=put.key)
    assert own.remove(bank, branch="B310000", key=put.key)
    assert catalogue.find(bank, put.key) is None


def test_putting_it_again_changes_it(bank: Unit) -> None:
    own.put(bank, branch="B310000", content=content())
    own.put(bank, branch="B310000", content=content(title="弄堂早市"))
    found = catalogue.find(bank, "b310000-lane-market")
    assert found is not None
    assert found.title == "弄堂早市"


@pytest.mark.parametrize(
    ("changed", "field", "rule"),
    [
        ({"key": "lane-market"}, "key", "要以 b310000- 开头"),
        ({"key": "b320000-lane-market"}, "key", "要以 b310000- 开头"),
        ({"title": "卡片挂失"}, "title", "lost-card"),
        ({"scenario": "火星旅行"}, "scenario", "没有登记"),
        ({"steps": []}, "steps", "至少"),
        ({"asks": "怎么收款"}, "asks", "写法不对"),
        ({"availability": {"branches": ["B320000"]}}, "availability.branches", "下级"),
        ({"script": "<script>"}, "script", "没有这个字段"),
    ],
)
def test_it_keeps_the_rules_of_the_pack(
    bank: Unit, changed: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(own.OwnRefused) as refused:
        own.put(bank, branch="B310000", content=content(**changed))
    assert [one.field for one in refused.value.faults] == [field]
    assert rule in refused.value.faults[0].rule
    assert own.of(bank, "B310000") == {}


@pytest.mark.parametrize("nonsense", [None, [], "x", 1, {"key": ["b310000-x"]}, {1: 2}])
def test_what_is_no_service_at_all_is_refused_with_reasons(nonsense: Any) -> None:
    assert own.faults("B310000", nonsense)


def test_a_zone_may_switch_services_off(bank: Unit) -> None:
    assert "lost-card" in catalogue.offered(bank, SHANGHAI)
    offered = catalogue.offered(bank, SHANGHAI, switched_off=("lost-card",))
    assert "lost-card" not in offered
    assert "outlets" in offered


def test_one_that_no_longer_keeps_the_rules_is_left_out(bank: Unit) -> None:
    own.put(bank, branch="B310000", content=content())
    table = table_of(own.OwnServiceRow)
    bank.db.execute(table.update().values(content={"key": "b310000-lane-market"}))
    assert catalogue.find(bank, "b310000-lane-market") is None
    assert list(own.of(bank, "B310000")) == ["b310000-lane-market"]


def test_its_page_is_served_within_the_branch_alone(site: Site) -> None:
    with site.wiring.unit() as unit:
        own.put(unit, branch="B310000", content=content(notes=["<b>请勿</b>"]))
    site.wiring.shelf.clear()
    try:
        here = site.visitor(openid=WHO).get("/s/b310000-lane-market")
        assert here.status_code == 200
        assert "先到摊位登记处" in here.text
        assert "&lt;b&gt;请勿" in here.text
        found = site.visitor(openid=WHO).get("/s/directory?q=弄堂夜市").text
        assert 'href="/s/b310000-lane-market"' in found
        there = site.visitor(city="320100").get("/s/b310000-lane-market").text
        assert "暂时没有开通这项服务" in there
        assert "先到摊位登记处" not in there
    finally:
        with site.wiring.unit() as unit:
            own.remove(unit, branch="B310000", key="b310000-lane-market")
        site.wiring.shelf.clear()


def test_what_a_branch_switched_off_is_not_served_to_its_followers(site: Site) -> None:
    with site.wiring.unit() as unit:
        own_zone = zones.zone(unit, "yuehui-modu")
        assert own_zone is not None
        zones.put(unit, replace(own_zone, switched_off=("loan-calculator", "directory")))
    site.wiring.shelf.clear()
    try:
        here = site.visitor(openid=WHO)
        assert "暂时没有开通这项服务" in here.get("/s/loan-calculator").text
        assert 'href="/s/loan-calculator"' not in here.get("/s/directory?q=贷款计算器").text
        assert "每月还多少" in site.visitor().get("/s/loan-calculator").text
    finally:
        with site.wiring.unit() as unit:
            zones.put(unit, own_zone)
        site.wiring.shelf.clear()
