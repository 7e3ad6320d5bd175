"""An emergency over a piece of a branch: those inside get its entry, and nobody else is touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from config import Settings
from lightservices.emergency import changes, in_force, operations
from lightservices.emergency.models import Record
from menus import keys, offers, preview, regrouping, variants
from menus.items import Item
from menus.offers import MenuOffer
from menus.slots import Fill
from regions import areas, atlas, branches, coverage, presence, sample
from regions.areas import Area
from regions.branches import BranchCode
from regions.coordinates import Datum
from regions.divisions import DivisionCode
from service import clock
from service.delivery.ledger import Row
from service.happenings import LocationReported, OpenId, Surface
from tests.lightservices.emergency.duty import (
    IN_THE_PIECE,
    IN_ZHONGSHAN,
    IN_ZHUHAI,
    LI,
    WANG,
    ZHUHAI,
    opened,
    said,
    ticked,
)
from tests.menus.conftest import Bank, names

PIECE = areas.read(
    {"inside": {"polygons": [[[22.5, 113.3], [22.6, 113.3], [22.6, 113.5], [22.5, 113.5]]]}}
)
EAST, WEST = (22.5500, 113.4600), (22.5500, 113.3400)
EAST_OF_IT = areas.read(
    {"inside": {"polygons": [[[22.5, 113.42], [22.6, 113.42], [22.6, 113.5], [22.5, 113.5]]]}}
)
JIANGSU = areas.read({"inside": {"divisions": ["320000"]}})
ENTRY = "台风应急"


@pytest.fixture
def placed(bank: Bank, settings: Settings) -> Bank:
    """The bank with the atlas, its menus published."""
    return on_the_map(bank, settings)


def on_the_map(bank: Bank, settings: Settings) -> Bank:
    atlas.current(settings)
    (bank.wiring.settings.data_dir / atlas.FILE_NAME).symlink_to(
        settings.data_dir / atlas.FILE_NAME
    )
    bank.publish()
    return bank


@dataclass
class Crowd:
    """Followers in several places of two cities."""

    inside: list[OpenId]
    outside: list[OpenId]
    elsewhere: list[OpenId]

    @property
    def all(self) -> list[OpenId]:
        return [*self.inside, *self.outside, *self.elsewhere]


def stand(bank: Bank, openid: OpenId, place: tuple[float, float], *, later: int = 0) -> None:
    moment = clock.now() + timedelta(seconds=later)
    with bank.wiring.unit() as unit:
        unit.announce(LocationReported(openid, moment, *place, 30.0, Surface.PAGE))


def gathered(bank: Bank, each: int = 4) -> Crowd:
    """So many in each place, all tagged as their branches are."""
    found = []
    for place in (IN_THE_PIECE, IN_ZHONGSHAN, IN_ZHUHAI):
        found.append([bank.follower() for _ in range(each)])
        for openid in found[-1]:
            stand(bank, openid, place)
    bank.work()
    return Crowd(*found)


def open_over(bank: Bank, area: Area, **more: object) -> Record:
    with bank.wiring.unit() as unit:
        record = opened(unit, area=area, **more)
    bank.work()
    return record


def close(bank: Bank, record: Record) -> None:
    with bank.wiring.unit() as unit:
        operations.close(unit, record.key, by=WANG)
    bank.work()


def has_entry(bank: Bank, openid: OpenId) -> bool:
    return ENTRY in names(bank.sees(openid))


@contextmanager
def counting(bank: Bank) -> Iterator[dict[str, int]]:
    """How many followers each verb was said of meanwhile, and how many menus came and went."""
    found: dict[str, int] = {}
    last = bank.sandbox.world.exchanges.after()[-1]["id"]
    yield found
    for call in bank.sandbox.world.exchanges.after():
        if call["id"] <= last or "request" not in call:
            continue
        verb = str(call["path"]).rsplit("/", 1)[1]
        sent = json.loads(call["request"] or "{}")
        if verb in ("batchtagging", "batchuntagging"):
            found[verb] = found.get(verb, 0) + len(sent["openid_list"])
        elif verb in ("addconditional", "delconditional"):
            found[verb] = found.get(verb, 0) + 1


def touched(bank: Bank, since: int) -> set[str]:
    """Whom WeChat was asked to tag or untag since then."""
    calls = [call for call in bank.calls("tagging") if call["id"] > since]
    return {openid for call in calls for openid in json.loads(call["request"])["openid_list"]}


def last_call(bank: Bank) -> int:
    return int(bank.sandbox.world.exchanges.after()[-1]["id"])


def test_a_polygon_re_tags_those_inside_and_its_end_brings_all_back(placed: Bank) -> None:
    crowd = gathered(placed)
    before = {openid: (placed.sees(openid), placed.tags_of(openid)) for openid in crowd.all}
    begun = last_call(placed)
    record = open_over(placed, PIECE)
    assert touched(placed, begun) == set(crowd.inside)
    assert [has_entry(placed, one) for one in crowd.all] == [True] * 4 + [False] * 8
    assert all(len(placed.tags_of(one)) == 1 for one in crowd.inside)
    assert {one: (placed.sees(one), placed.tags_of(one)) for one in crowd.outside} == {
        one: before[one] for one in crowd.outside
    }
    begun = last_call(placed)
    close(placed, record)
    assert touched(placed, begun) == set(crowd.inside)
    after = {openid: (placed.sees(openid), placed.tags_of(openid)) for openid in crowd.all}
    assert after == before
    assert placed.planned() == []


def test_a_province_is_overlaid_by_one_menu_and_nobody_is_re_tagged(placed: Bank) -> None:
    openids = [placed.follower(code) for code in ("B320000", "B320200") for _ in range(3)]
    placed.work()
    with counting(placed) as found:
        record = open_over(placed, JIANGSU)
    # 苏州 keeps a zone of its own, and with it a variant of its own.
    assert found == {"addconditional": 2, "delconditional": 2}
    assert all(has_entry(placed, openid) for openid in openids)
    with counting(placed) as found:
        close(placed, record)
    assert found == {"addconditional": 2, "delconditional": 2}


def test_who_crosses_the_edge_within_a_county_gets_the_entry_and_loses_it_again(
    placed: Bank,
) -> None:
    crowd = gathered(placed, 1)
    open_over(placed, PIECE)
    (openid,) = crowd.outside
    for later, place, is_inside in ((5, IN_THE_PIECE, True), (10, IN_ZHONGSHAN, False)):
        stand(placed, openid, place, later=later)
        placed.work()
        assert has_entry(placed, openid) is is_inside
        assert len(placed.tags_of(openid)) <= 1
    assert has_entry(placed, crowd.inside[0])


def test_an_area_that_is_made_smaller_lets_only_those_go_who_are_out(placed: Bank) -> None:
    east, west = placed.follower(), placed.follower()
    for openid, place in ((east, EAST), (west, WEST)):
        stand(placed, openid, place)
    record = open_over(placed, PIECE)
    assert has_entry(placed, east)
    assert has_entry(placed, west)
    begun = last_call(placed)
    with placed.wiring.unit() as unit:
        asked = {"content": said(EAST_OF_IT), "why": "西侧已过", "by": WANG}
        version = changes.amend(unit, record.key, **asked)
        reach = ticked(unit, EAST_OF_IT)
        changes.adopt(unit, record.key, 2, seen=version.seal, ticked=reach, by=LI)
    placed.work()
    assert has_entry(placed, east)
    assert not has_entry(placed, west)
    assert touched(placed, begun) == {west}


def test_where_two_overlap_those_inside_both_have_both_entries(placed: Bank) -> None:
    east, west = placed.follower(), placed.follower()
    for openid, place in ((east, EAST), (west, WEST)):
        stand(placed, openid, place)
    open_over(placed, PIECE)
    begun = last_call(placed)
    open_over(placed, EAST_OF_IT, pack="outage")
    assert touched(placed, begun) == {east}
    shown = [name for name in names(placed.sees(east)) if "应急" in name or "故障" in name]
    assert len(shown) == 2
    assert has_entry(placed, west)


def test_the_preview_of_those_inside_and_outside_is_what_wechat_shows(placed: Bank) -> None:
    crowd = gathered(placed, 2)
    open_over(placed, PIECE)
    with placed.wiring.reading() as unit:
        viewer = preview.Viewer(unit)
        for openid in crowd.all:
            seen = viewer.of_follower(openid)
            assert seen.served.menu == placed.sees(openid)
            assert seen.served.as_meant
        for place, openid in (
            (IN_THE_PIECE, crowd.inside[0]),
            (IN_ZHONGSHAN, crowd.outside[0]),
            (IN_ZHUHAI, crowd.elsewhere[0]),
        ):
            seen = viewer.at_place(*place, datum=Datum.GCJ02)
            assert seen.served.menu == placed.sees(openid)
        there = viewer.at_place(*IN_THE_PIECE, datum=Datum.GCJ02)
        assert "在应急范围之内" in there.where
        assert "应急范围内的粉丝开放" in there.effective.why[0][0]


def test_short_of_room_an_emergency_goes_before_ordinary_menus(placed: Bank) -> None:
    crowd = gathered(placed, 1)
    many = [placed.follower("B310000") for _ in range(9)]
    placed.sandbox.world.limits.conditional_menus = 2
    object.__setattr__(placed.wiring.settings, "menu_ceiling", 2)
    open_over(placed, PIECE)
    placed.publish()
    assert has_entry(placed, crowd.inside[0])
    assert placed.third_column(many[0]) == "身边优惠"


def test_an_ordinary_publication_meanwhile_leaves_those_inside_their_entry(placed: Bank) -> None:
    from menus import fills

    crowd = gathered(placed, 2)
    open_over(placed, PIECE)
    with placed.wiring.unit() as unit:
        fills.put(unit, "B442000", "local-one", Fill((Item("菊花会", "/s/outlets"),)))
    placed.wiring.shelf.clear()
    begun = last_call(placed)
    placed.publish()
    assert [has_entry(placed, one) for one in crowd.inside] == [True, True]
    assert all("菊花会" in names(placed.sees(one)) for one in (*crowd.inside, *crowd.outside))
    assert not touched(placed, begun) & set(crowd.elsewhere)


def edited(bank: Bank, **claims: str) -> None:
    """The sample bank's branches, but with these divisions served by others."""
    told = sample.bank()
    others = {code: branch for code, branch in told.territories if code not in claims}
    territories = {**others, **claims}
    pairs = tuple((DivisionCode(d), BranchCode(b)) for d, b in territories.items())
    with bank.wiring.unit() as unit:
        branches.install(unit, replace(told, territories=pairs))


def regroups(bank: Bank) -> list[str]:
    with bank.wiring.reading() as unit:
        query = select(Row.key).where(Row.kind == regrouping.REGROUP)
        return sorted(unit.db.execute(query).scalars())


def test_other_territories_meanwhile_have_those_inside_found_anew(placed: Bank) -> None:
    crowd = gathered(placed, 2)
    open_over(placed, ZHUHAI)
    assert all(has_entry(placed, one) for one in crowd.elsewhere)
    # The branch of Zhuhai serves Zhongshan too: it is no longer inside as a whole.
    edited(placed, **{"442000": "B440400"})
    assert regroups(placed) == sorted({"440400", *coverage.cover(ZHUHAI).counties})
    placed.publish()
    placed.work()
    with placed.wiring.reading() as unit:
        query = select(MenuOffer.openid).where(MenuOffer.inside > "")
        assert set(unit.db.execute(query).scalars()) == set(crowd.elsewhere)
    assert all(has_entry(placed, one) for one in crowd.elsewhere)
    # Who comes to Zhongshan now is served by that branch, and is not inside.
    for openid in crowd.outside:
        stand(placed, openid, IN_ZHONGSHAN, later=60)
    placed.work()
    assert not any(has_entry(placed, one) for one in crowd.outside)
    edited(placed)
    placed.publish()
    placed.work()
    assert all(has_entry(placed, one) for one in crowd.elsewhere)
    with placed.wiring.reading() as unit:
        assert set(unit.db.execute(select(MenuOffer.inside)).scalars()) == {""}


def test_a_branch_that_serves_a_piece_only_since_it_opened_has_those_inside_found(
    placed: Bank,
) -> None:
    open_over(placed, PIECE)
    edited(placed, **{"442000": "B440400"})
    openid = placed.follower()
    stand(placed, openid, IN_THE_PIECE)
    placed.publish()
    placed.work()
    with placed.wiring.reading() as unit:
        assert presence.where(unit, openid).branch.code == "B440400"
    assert has_entry(placed, openid)


def test_while_nothing_is_open_other_territories_start_no_walk(placed: Bank) -> None:
    edited(placed, **{"442000": "B440400"})
    assert regroups(placed) == []


def test_while_no_emergency_is_on_a_shift_costs_no_statement(placed: Bank) -> None:
    from regions.branches import BranchCode
    from regions.moves import FollowerShifted

    said_: list[str] = []

    def listen(_c: object, _k: object, statement: str, *_rest: object) -> None:
        said_.append(statement)

    openid = placed.follower("B442000")
    with placed.wiring.unit() as unit:
        in_force.everywhere(unit)
        event.listen(placed.wiring.engine, "before_cursor_execute", listen)
        unit.announce(FollowerShifted(openid, clock.now(), BranchCode("B442000"), "442000"))
        event.remove(placed.wiring.engine, "before_cursor_execute", listen)
    assert said_ == []


@pytest.mark.postgresql
def test_those_inside_are_found_and_let_go_on_postgresql(
    bank_on_postgresql: Bank, settings: Settings
) -> None:
    bank = on_the_map(bank_on_postgresql, settings)
    crowd = gathered(bank)
    record = open_over(bank, PIECE)
    assert [has_entry(bank, one) for one in crowd.all] == [True] * 4 + [False] * 8
    close(bank, record)
    assert not any(has_entry(bank, one) for one in crowd.all)
    with bank.wiring.reading() as unit:
        assert set(unit.db.execute(select(MenuOffer.inside)).scalars()) == {""}
        assert not keys.parts(variants.in_reach(unit))
        assert offers.on_the_way(unit, variants.in_reach(unit)) == 0
