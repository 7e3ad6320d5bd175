"""Who may be inside is asked where they are, and told what is on, where, and whether in earnest."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from lightservices.emergency import in_force, overlays
from lightservices.emergency.places import places
from lightservices.pages.assets import shelf
from regions import areas, presence
from regions.divisions import DivisionCode
from regions.presence import Presence
from service.wiring import Unit
from tests.lightservices.conftest import WHO, Site, stand
from tests.lightservices.emergency.duty import (
    IN_THE_PIECE,
    IN_ZHONGSHAN,
    IN_ZHUHAI,
    ZHUHAI,
    ZHUHAI_AND_A_PIECE,
    opened,
)
from tests.lightservices.emergency.test_in_force import opens, place, text_of, wrote
from tests.lightservices.emergency.test_in_force import phone as phone  # A fixture.

#: A rectangle within Zhongshan.
PIECE = [[22.5, 113.3], [22.6, 113.3], [22.6, 113.5], [22.5, 113.5]]


def chose(unit: Unit, city: str) -> None:
    presence.choose(unit, WHO, DivisionCode(city))


def test_who_may_be_inside_is_told_from_who_is_and_who_is_not(bank: Unit) -> None:
    opened(bank, area=ZHUHAI_AND_A_PIECE)

    def may_be(division: str | None, cell: tuple[float, float] | None = None) -> bool:
        code = DivisionCode(division) if division else None
        seen = replace(presence.nowhere(bank), division=code, cell=cell)
        return bool(in_force.perhaps(bank, seen))

    assert may_be(None)
    assert may_be("442000")
    assert may_be("440000"), "a province of which some is inside"
    assert not may_be("440400")
    assert not may_be("310000")
    assert not may_be("442000", IN_ZHONGSHAN)
    assert not may_be("442000", IN_THE_PIECE)
    nearby = replace(presence.nowhere(bank), division=DivisionCode("440105"), is_uncertain=True)
    assert in_force.perhaps(bank, nearby), "beside a border, and nobody knows on which side"


def test_who_stands_beside_a_border_is_known_not_to_be_settled(bank: Unit) -> None:
    assert not presence.nowhere(bank).is_uncertain
    assert not place(bank, IN_ZHUHAI).is_uncertain
    bank.db.execute(
        update(Presence)
        .where(Presence.openid == WHO)
        .values(branch=None, candidate="B440400", candidate_division="440400")
    )
    assert presence.where(bank, WHO).is_uncertain


@pytest.mark.parametrize(
    ("area", "says"),
    [
        ({"divisions": ["440400"]}, "珠海市"),
        ({"divisions": ["440402"]}, "珠海市香洲区"),
        ({"divisions": ["440000"]}, "广东省"),
        (
            {"divisions": ["440400", "310115"], "polygons": [PIECE]},
            "上海市浦东新区全区、珠海市全市、中山市部分地区",
        ),
        ({"polygons": [PIECE]}, "中山市部分地区"),
        ({"divisions": ["440402"], "polygons": [PIECE]}, "珠海市香洲区全区、中山市部分地区"),
    ],
)
def test_where_it_is_names_each_place_and_whether_it_is_all_of_it(
    bank: Unit, area: dict[str, Any], says: str
) -> None:
    opened(bank, area=areas.read({"inside": area}))
    (one,) = in_force.everywhere(bank)
    assert places(one) == says


def test_what_is_taken_out_again_leaves_only_a_part(bank: Unit) -> None:
    cut = {"inside": {"divisions": ["440400"]}, "outside": {"divisions": ["440402"]}}
    opened(bank, area=areas.read(cut))
    (one,) = in_force.everywhere(bank)
    assert places(one) == "珠海市部分地区"


def test_a_drill_is_marked_once_even_where_somebody_typed_the_mark_too(bank: Unit) -> None:
    said_ = {"title": "演练·台风应急", "headline": "演练：请忽略", "entry": "[演练]台风"}
    opened(bank, drill=True, **said_)
    (one,) = in_force.everywhere(bank)
    assert (one.title, one.name, one.headline) == ("【演练】台风应急", "台风应急", "请忽略")
    (entry,) = overlays.entries(bank)
    assert entry.title == "演练·台风"
    stand(bank, IN_ZHUHAI)
    for words in ("转账限额", "应急"):
        assert text_of(wrote(bank, words)).count("演练") == 1


def test_whoever_asks_and_may_be_inside_is_asked_where_they_are(bank: Unit) -> None:
    record = opened(bank, area=ZHUHAI_AND_A_PIECE)
    stranger = text_of(wrote(bank, "应急"))
    assert "珠海市全市、中山市部分地区" in stranger
    assert "我们还不知道您在哪里" in stranger
    assert record.path in stranger
    assert "/e/now" in stranger
    chose(bank, "442000")
    for words in ("台风", "应急", "台风来了怎么办"):
        asked = text_of(wrote(bank, words))
        assert "您选择了广东省中山市，还看不出您是不是在范围之内" in asked
        assert "不是为您" not in asked
        assert "95598" not in asked
    chose(bank, "440400")
    assert "95598" in text_of(wrote(bank, "应急"))
    chose(bank, "310000")
    assert record.path not in text_of(wrote(bank, "应急"))


def test_a_danger_goes_before_the_question_where_somebody_is(bank: Unit) -> None:
    opened(bank)
    assert "我们还不知道您在哪里" not in text_of(wrote(bank, "台风天被骗了"))


def test_who_may_be_inside_is_asked_and_never_told_it_is_not_for_them(
    site: Site, phone: FlaskClient
) -> None:
    record = opens(site, area=ZHUHAI_AND_A_PIECE)
    with site.wiring.unit() as unit:
        chose(unit, "442000")
    for visitor, known in (
        (phone, "您选择了广东省中山市"),
        (site.visitor(), "我们还不知道您在哪里"),
    ):
        for path in (record.path, "/e/now"):
            shown = visitor.get(path)
            assert shown.status_code == 200
            assert known in shown.text
            assert "珠海市全市、中山市部分地区" in shown.text
            assert "不是为您" not in shown.text
            assert "没有开通" not in shown.text
            assert f'href="/s/my-city?next={path}"' in shown.text
            assert "<script" not in shown.text
        assert f'href="{record.path}"' in visitor.get("/e/now").text
        onward = re.search(r'href="([^"]+anyway=1)"', visitor.get(record.path).text)
        assert onward
        there = visitor.get(onward[1]).text
        assert "人先安全" in there
        assert "您现在不在那里" not in there
    with site.wiring.unit() as unit:
        chose(unit, "440400")
    assert phone.get("/e/now").location == record.path
    assert "人先安全" in phone.get(record.path).text


def test_every_page_of_an_emergency_has_large_print_and_both_scripts_and_is_small(
    site: Site, phone: FlaskClient
) -> None:
    record = opens(site, pack="epidemic", area=ZHUHAI)
    sheet = shelf()["emergency.css"]
    stranger = site.visitor()
    for visitor, path in ((phone, record.path), (stranger, record.path), (stranger, "/e/now")):
        plain = visitor.get(path).text
        assert 'class="large"' not in plain
        assert 'action="/visit/care"' in plain
        assert 'action="/visit/script"' in plain
        visitor.post("/visit/care", data={"on": "1", "next": path})
        visitor.post("/visit/script", data={"to": "hant", "next": path})
        changed = visitor.get(path)
        assert 'class="large"' in changed.text
        assert "標準版" in changed.text
        assert 'lang="zh-H' in changed.text
        assert "全部服務" in changed.text
        assert f'name="next" value="{path}"' in changed.text
        assert "<script" not in changed.text
        assert len(changed.data) + len(sheet.body) <= 30_000
        visitor.post("/visit/care", data={"on": "0", "next": path})
        visitor.post("/visit/script", data={"to": "hans", "next": path})
        assert visitor.get(path).text == plain
