"""A campaign's venue: what it gathers, whose offers come first, and how it gets into menus."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from lightservices import gathering, promotions, zones
from lightservices.foryou import operations as tastes
from lightservices.gathering import Gathering
from lightservices.pages import zone_pages
from lightservices.visit import Visitor
from lightservices.zones import Zone, ZoneKind
from regions import presence
from regions.branches import BranchCode
from regions.divisions import DivisionCode
from service import clock, followers
from service.happenings import Fact, OpenId
from service.wiring import Unit
from tests.menus.console.office import Office, Person

VENUE = "/console/branches/HQ/campaigns/spring-2027"


@pytest.fixture
def head(office: Office) -> Person:
    return office.person("ops.wang")


def offer(unit: Unit, branch: str, name: str, **more: Any) -> None:
    now = clock.now()
    one = {
        "name": name, "title": name, "text": name, "url": "", "divisions": [], "topics": ["春节"],
        "starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=1), **more,
    }  # fmt: skip
    promotions.replace_all(unit, BranchCode(branch), [one])


def venue(**more: Any) -> Zone:
    told: dict[str, Any] = {"branch": BranchCode("HQ"), "gather": Gathering(topics=("春节",))}
    return Zone(
        key="spring", title="年货节", slogan="", services=(), kind=ZoneKind.CAMPAIGN, **told | more
    )


def found(unit: Unit, zone: Zone, division: str) -> list[tuple[str, list[str]]]:
    unit.wiring.shelf.clear()
    place = presence.at_city(unit, DivisionCode(division))
    groups = gathering.gathered(unit, zone, place, clock.now())
    return [(group.title, [one.title for one in group.promotions]) for group in groups]


@pytest.fixture
def offers(office: Office) -> Office:
    with office.wiring.unit() as unit:
        for branch in ("HQ", "B440000", "B441900", "B310000"):
            offer(unit, branch, f"of-{branch.lower()}")
        for branch in ("B320000", "B330000"):
            offer(unit, branch, f"of-{branch.lower()}", topics=["汽车"])
    return office


def test_ones_own_branch_comes_first_then_those_above_then_the_rest(offers: Office) -> None:
    with offers.wiring.reading() as unit:
        assert found(unit, venue(), "441900") == [
            ("东莞分行的优惠", ["of-b441900"]),
            ("广东省分行的优惠", ["of-b440000"]),
            ("总行的优惠", ["of-hq"]),
            ("其他地区的优惠", ["of-b310000"]),
        ]
        assert found(unit, venue(), "310000")[0] == ("上海市分行的优惠", ["of-b310000"])


def test_it_gathers_by_branch_with_all_below(offers: Office) -> None:
    wanted = Gathering((BranchCode("B440000"),))
    with offers.wiring.reading() as unit:
        assert found(unit, venue(gather=wanted), "310000") == [
            ("各地的优惠", ["of-b440000", "of-b441900"])
        ]


def test_a_branchs_own_venue_gathers_from_its_own(offers: Office) -> None:
    own = venue(branch=BranchCode("B440000"), gather=Gathering())
    with offers.wiring.reading() as unit:
        titles = [title for _group, some in found(unit, own, "310000") for title in some]
    assert titles == ["of-b440000", "of-b441900"]


def test_what_is_not_running_or_for_others_stays_out(office: Office) -> None:
    now = clock.now()
    with office.wiring.unit() as unit:
        offer(unit, "B440000", "over", ends_at=now - timedelta(hours=1))
        offer(unit, "B310000", "for-drivers", audience=["车主"])
        offer(unit, "B441900", "elsewhere-in-town", divisions=["440300"])
    with office.wiring.reading() as unit:
        assert found(unit, venue(), "441900") == []


def test_what_is_for_a_followers_tag_is_found_in_the_venue_too(office: Office) -> None:
    with office.wiring.unit() as unit:
        offer(unit, "B310000", "for-drivers", audience=["car"])
        unit.wiring.shelf.clear()
        place = presence.at_city(unit, DivisionCode("310000"))
        openid = OpenId("oDriver000000000000000000001")
        followers.meet(unit, Fact(openid, clock.now()))
        shown = []
        for tags in ([], ["car"]):
            tastes.choose(unit, openid, tags)
            sight = zone_pages.sight(unit, Visitor(openid, place), venue(), is_own=False)
            shown.append([one.title for part in sight["parts"] for group in part.groups
                          for one in group.promotions])  # fmt: skip
    assert shown == [[], ["for-drivers"]]


def test_a_venue_is_written_approved_and_opened(offers: Office, head: Person) -> None:
    answer = head.send("/console/branches/HQ/campaigns", "", key="spring-2027")
    assert answer.location == VENUE
    now = clock.shanghai(clock.now())
    head.send(
        VENUE, title="年货节", topics="春节", starts_at=f"{now - timedelta(days=1):%Y-%m-%dT%H:%M}",
        ends_at=f"{now + timedelta(days=9):%Y-%m-%dT%H:%M}",
    )  # fmt: skip
    assert "编写中" in head.page("/console/branches/HQ/campaigns")
    look = re.search(r'<iframe src="([^"]+)"', head.page(VENUE))
    assert look
    assert "of-b310000" in head.page(look[1].replace("&amp;", "&"))
    assert "出现会场入口" in head.page(f"{VENUE}/propose")
    offers.propose(head, f"{VENUE}/propose", kind="campaign")
    offers.approve("campaign", checker="ops.li")
    with offers.wiring.reading() as unit:
        assert [zone.title for zone in zones.campaigns(unit)] == ["年货节"]
    visitor = offers.app.test_client()
    with visitor.session_transaction() as session:
        session["city"] = "441900"
    page = visitor.get("/z/spring-2027").text
    places = [page.index(name) for name in ("of-b441900", "of-b440000", "of-hq", "of-b310000")]
    assert places == sorted(places)
    assert "活动时间" in page
    assert "专区。" not in page


@pytest.mark.parametrize("key", ["", "ab", "大", "Spring", "a b", "-abc", "x" * 40])
def test_a_key_is_fit_for_an_address(head: Person, key: str) -> None:
    page = head.fields("/console/branches/HQ/campaigns", "")
    answer = head.post("/console/branches/HQ/campaigns", page, key=key)
    assert answer.status_code == 422
    assert "代号由" in answer.text


def test_another_zones_key_is_not_taken(office: Office, head: Person) -> None:
    assert head.get("/console/branches/HQ/campaigns/yuehui-modu").status_code == 404
    assert office.person("gd.editor").get(VENUE).status_code == 404
    own = "/console/branches/B440000/campaigns/yuehui-modu"
    assert office.person("gd.editor").get(own).status_code == 404
