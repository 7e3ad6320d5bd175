"""What followers meet: inside the banner, the page, the chat; outside nothing; and when it ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete

from lightservices import answers
from lightservices.emergency import changes, in_force, operations, overlays
from lightservices.emergency.content import Order, Severity
from lightservices.emergency.models import EmergencyRow, Record, ReviewRow, VersionRow
from lightservices.outlets import openings
from lightservices.outlets.imports import add
from lightservices.outlets.models import OutletRow
from lightservices.pages.assets import shelf
from regions import areas, presence
from regions.presence import Whereabouts
from service import clock
from service.epochs import bump
from service.happenings import Clicked, LocationReported, OpenId, Surface, TextReceived
from service.replies import News, Text
from service.wiring import Unit
from tests.lightservices.conftest import PEOPLES_SQUARE, WHO, Site, outlet, stand
from tests.lightservices.emergency.duty import (
    HOUR,
    IN_THE_PIECE,
    IN_ZHONGSHAN,
    IN_ZHUHAI,
    LI,
    SHANGHAI_CITY,
    WANG,
    ZHUHAI,
    ZHUHAI_AND_A_PIECE,
    broken,
    key_of,
    opened,
    proposed,
    said,
    ticked,
)

PassTime = Callable[[timedelta], datetime]
OUTLET = outlet("01", "B440400", "440402", IN_ZHUHAI)
ZHONGSHAN_OUTLET = outlet("02", "B442000", "442000", IN_ZHONGSHAN)


def place(unit: Unit, at: tuple[float, float]) -> Whereabouts:
    stand(unit, at)
    return presence.where(unit, WHO)


def titles(unit: Unit, at: tuple[float, float], moment: datetime | None = None) -> list[str]:
    return [one.title for one in in_force.at(unit, place(unit, at), moment)]


# By place and time


def test_inside_and_outside_of_divisions_and_drawn_pieces(bank: Unit) -> None:
    opened(bank, area=ZHUHAI_AND_A_PIECE)
    assert titles(bank, IN_ZHUHAI) == ["台风应急服务"]
    assert titles(bank, IN_THE_PIECE) == ["台风应急服务"]
    assert titles(bank, IN_ZHONGSHAN) == []
    assert in_force.at(bank, presence.nowhere(bank)) == ()


def test_moving_within_a_county_that_is_partly_inside_is_not_settled_at_a_glance(
    bank: Unit,
) -> None:
    # Somebody of their own: what is remembered of reports outlives a test.
    openid = OpenId("oEMERGENCYwatched00000000001")
    stand(bank, IN_THE_PIECE, openid=openid)
    soon = clock.now() + timedelta(seconds=5)
    later = LocationReported(openid, soon, *IN_ZHONGSHAN, 30.0, Surface.PAGE)
    assert presence.stays_put(bank, later)
    opened(bank, area=ZHUHAI_AND_A_PIECE)
    assert not presence.stays_put(bank, later)


def test_its_end_is_outside_whatever_anybody_wrote_down(bank: Unit) -> None:
    record = opened(bank, hours=6)
    here = place(bank, IN_ZHUHAI)
    just_before = record.ends_at - timedelta(milliseconds=1)
    assert in_force.at(bank, here, just_before)
    assert not in_force.at(bank, here, record.ends_at)
    assert not in_force.at(bank, here, record.opened_at - HOUR)


def test_the_gravest_stands_in_front_and_drills_last(bank: Unit) -> None:
    opened(bank, pack="outage", severity=Severity.NOTICE, title="提示")
    opened(bank, drill=True)
    opened(bank, title="最重")
    assert titles(bank, IN_ZHUHAI) == ["最重", "提示", "【演练】台风应急服务"]


def test_a_change_that_is_not_taken_changes_nothing(bank: Unit) -> None:
    record = opened(bank, area=ZHUHAI_AND_A_PIECE)
    version = changes.amend(bank, record.key, content=said(title="新的"), why="缩小", by=WANG)
    assert titles(bank, IN_THE_PIECE) == ["台风应急服务"]
    changes.adopt(bank, record.key, 2, seen=version.seal, ticked=ticked(bank, ZHUHAI), by=LI)
    assert titles(bank, IN_THE_PIECE) == []
    assert titles(bank, IN_ZHUHAI) == ["新的"]


def test_while_nothing_is_open_no_statement_is_made(bank: Unit) -> None:
    bank.bumped.clear()
    in_force.everywhere(bank)
    here = place(bank, IN_ZHUHAI)
    bank.bumped.clear()
    made: list[str] = []
    connection, bank.db = bank.db, None  # type: ignore[assignment]  # whoever asks it fails
    try:
        made += [one.key for one in in_force.at(bank, here)]
    finally:
        bank.db = connection
    assert made == []


# Outlets and menus


def test_orders_reach_only_outlets_inside_their_own_area(bank: Unit) -> None:
    add(bank, [OUTLET, ZHONGSHAN_OUTLET])
    order = Order("台风停业", outlets=(OUTLET.id, ZHONGSHAN_OUTLET.id), all=False)
    record = opened(bank, orders=(order,))
    look = openings.look(bank, at=record.opened_at)
    assert look(OUTLET).says == "暂停营业：台风停业"
    assert "台风" not in look(ZHONGSHAN_OUTLET).says
    operations.close(bank, record.key, by=WANG)
    assert "台风" not in openings.look(bank)(OUTLET).says


def test_other_hours_stand_in_place_of_the_usual_ones(bank: Unit) -> None:
    opened(bank, orders=(Order("缩短营业", all=True, hours="每天 00:00-24:00"),))
    assert openings.look(bank)(OUTLET).says == "营业中，全天 24 小时（缩短营业）"


def test_a_drill_closes_no_doors_and_takes_nothing_away(bank: Unit) -> None:
    opened(bank, drill=True, orders=(Order("演练", all=True),))
    assert "演练" not in openings.look(bank)(OUTLET).says
    assert in_force.hidden(bank, place(bank, IN_ZHUHAI)) == frozenset()


def test_menus_of_branches_inside_as_a_whole_get_the_entry(bank: Unit) -> None:
    record = opened(bank, area=ZHUHAI_AND_A_PIECE)
    (entry,) = overlays.entries(bank)
    assert (entry.title, entry.target) == ("台风应急", record.path)
    assert entry.branches == {"B440400"}
    assert entry.ends_at == record.ends_at
    (part,) = overlays.parts(bank)
    assert part.branches == {"B442000"}


def test_a_province_takes_all_its_branches_along(bank: Unit) -> None:
    opened(bank, area=areas.read({"inside": {"divisions": ["440000"]}}))
    (entry,) = overlays.entries(bank)
    assert {"B440000", "B440300", "B440400"} <= entry.branches
    assert not overlays.parts(bank)


# The chat


def text_of(reply: object) -> str:
    assert isinstance(reply, Text)
    return reply.content


def wrote(unit: Unit, words: str) -> object:
    return answers.texted(unit, TextReceived(WHO, clock.now(), words))


def test_words_and_taps_are_answered_with_it_in_front(bank: Unit) -> None:
    stand(bank, IN_ZHUHAI)
    before = text_of(wrote(bank, "转账限额"))
    record = opened(bank)
    after = text_of(wrote(bank, "转账限额"))
    assert re.sub("<[^>]+>", "", after).startswith("【台风应急服务】台风来了，人先安全")
    assert record.path in after
    assert before.split("\n")[0] in after
    tapped = answers.clicked(bank, Clicked(WHO, clock.now(), "svc:lost-card"))
    assert re.sub("<[^>]+>", "", text_of(tapped)).startswith("【台风应急服务】")


def test_whoever_asks_for_it_is_told_all_of_it(bank: Unit) -> None:
    stand(bank, IN_ZHUHAI)
    opened(bank)
    for words in ("台风", "台风来了怎么办", "应急"):
        assert "95598" in text_of(wrote(bank, words))
    stand(bank, IN_ZHONGSHAN)
    assert "95598" not in text_of(wrote(bank, "应急"))


def test_a_danger_in_somebody_s_words_goes_first(bank: Unit) -> None:
    stand(bank, IN_ZHUHAI)
    before = text_of(wrote(bank, "我被骗转账了"))
    opened(bank)
    after = text_of(wrote(bank, "我被骗转账了"))
    assert after.startswith(before.split("\n")[0])
    assert "【台风应急服务】" in after


def test_a_service_that_is_paused_says_so(bank: Unit) -> None:
    stand(bank, IN_ZHUHAI)
    opened(bank)
    tapped = answers.clicked(bank, Clicked(WHO, clock.now(), "svc:promotions"))
    assert "应急期间暂停" in text_of(tapped)


def test_cards_get_a_card_in_front(bank: Unit) -> None:
    stand(bank, PEOPLES_SQUARE)
    opened(bank, area=SHANGHAI_CITY, hide=())
    tapped = answers.clicked(bank, Clicked(WHO, clock.now(), "svc:promotions"))
    assert isinstance(tapped, News)
    assert tapped.articles[0].title == "台风应急服务"
    assert len(tapped.articles) <= 8


# Pages


@pytest.fixture
def phone(site: Site) -> Iterator[FlaskClient]:
    """A follower's phone in Zhuhai; whatever was opened is gone afterwards."""
    with site.wiring.unit() as unit:
        stand(unit, IN_ZHUHAI)
        add(unit, [OUTLET])
    yield site.visitor(openid=WHO)
    with site.wiring.unit() as unit:
        unit.db.execute(delete(OutletRow).where(OutletRow.id == OUTLET.id))
        bump(unit, "outlets")
        for model in (ReviewRow, VersionRow, EmergencyRow):
            unit.db.execute(delete(model))
        bump(unit, "emergencies")
    site.wiring.shelf.clear()


def opens(site: Site, **changed: object) -> Record:
    with site.wiring.unit() as unit:
        record = opened(unit, **changed)
    site.wiring.shelf.clear()
    return record


def test_every_page_bears_the_banner_inside_and_none_outside(
    site: Site, phone: FlaskClient
) -> None:
    record = opens(site)
    for path in ("/s/directory", "/z/local", "/s/lost-card", "/s/outlets", "/t/new"):
        assert f'href="{record.path}"' in phone.get(path).text, path
    with site.wiring.unit() as unit:
        stand(unit, PEOPLES_SQUARE)
    for path in ("/s/directory", "/z/local"):
        assert record.path not in phone.get(path).text


def test_the_page_is_small_dials_and_needs_no_script(site: Site, phone: FlaskClient) -> None:
    record = opens(site, pack="epidemic", area=ZHUHAI)
    shown = phone.get(record.path)
    assert shown.status_code == 200
    assert "<script" not in shown.text
    assert "style=" not in shown.text
    assert 'href="tel:12345"' in shown.text
    assert shown.text.count('<li><a href="/s/') >= 40
    assert OUTLET.name in shown.text
    sheet = shelf()["emergency.css"]
    assert len(shown.data) + len(sheet.body) <= 30_000


def test_outside_it_says_kindly_that_it_is_not_for_here(site: Site, phone: FlaskClient) -> None:
    record = opens(site)
    with site.wiring.unit() as unit:
        stand(unit, PEOPLES_SQUARE)
    shown = phone.get(record.path)
    assert "不是为您这里开通的" in shown.text
    assert "珠海市" in shown.text
    onward = re.search(r'href="([^"]+anyway=1)"', shown.text)
    assert onward
    assert "人先安全" in phone.get(onward[1]).text


def test_now_leads_to_what_is_in_force_here(site: Site, phone: FlaskClient) -> None:
    assert "没有开通应急服务" in phone.get("/e/now").text
    record = opens(site)
    assert phone.get("/e/now").location == record.path


def test_when_it_is_over_the_page_says_so(site: Site, phone: FlaskClient) -> None:
    record = opens(site)
    with site.wiring.unit() as unit:
        operations.close(unit, record.key, by=WANG)
    site.wiring.shelf.clear()
    assert "台风应急服务今天结束" in phone.get(record.path).text
    assert record.path not in phone.get("/s/directory").text
    assert phone.get("/e/typhoon-0000-nothing").status_code == 404


def test_what_is_only_proposed_is_nobody_s_business(site: Site, phone: FlaskClient) -> None:
    with site.wiring.unit() as unit:
        key = key_of(unit, proposed(unit))
    assert phone.get(f"/e/{key}").status_code == 404
    assert phone.get(f"/e/{key}?anyway=1").status_code == 404


def test_a_paused_service_says_until_when(site: Site, phone: FlaskClient) -> None:
    record = opens(site)
    shown = phone.get("/s/promotions").text
    assert "应急期间" in shown
    assert record.path in shown
    assert 'href="/s/promotions"' not in phone.get("/s/directory").text


def test_a_drill_is_marked_on_every_page(site: Site, phone: FlaskClient) -> None:
    record = opens(site, drill=True)
    assert "【演练】" in phone.get("/s/directory").text
    assert "这是演练，不是真的" in phone.get(record.path).text
    assert phone.get("/s/promotions").text.count("应急期间") == 0


def test_a_broken_glass_is_in_force_at_once(site: Site, phone: FlaskClient) -> None:
    with site.wiring.unit() as unit:
        record = broken(unit)
    site.wiring.shelf.clear()
    assert record.path in phone.get("/s/directory").text
