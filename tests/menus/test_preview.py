"""A preview is what followers there really see: WeChat itself is asked, for a thousand of them."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner

from config import Settings
from lightservices import zones
from lightservices.zones import ZoneKind
from menus import buttons, fills, frame, preview
from menus.buttons import Button, Menu
from menus.items import Item
from menus.preview import Preview
from menus.slots import Column, Fill, Frame, Slot, SlotKind
from regions import atlas, branches
from regions.coordinates import Datum
from service import clock
from service.happenings import LocationReported, OpenId
from service.sandbox import menus as sandbox_menus
from service.sandbox.calls import Call
from tests.menus.conftest import WUXI, Bank
from tests.menus.frames import NOON
from wsgi import create_app

FOLLOWERS, CEILING = 1_000, 20
SEATS = Path(__file__).parents[1] / "regions" / "county_seats.csv"
WUXI_CITY = (31.4912, 120.3119)
SHANGHAI_CITY = (31.2304, 121.4737)


@pytest.fixture
def placed(bank: Bank, settings: Settings) -> Bank:
    """The bank with the atlas, which is built once in a run of tests."""
    atlas.current(settings)
    (bank.wiring.settings.data_dir / atlas.FILE_NAME).symlink_to(
        settings.data_dir / atlas.FILE_NAME
    )
    return bank


def at(bank: Bank, place: tuple[float, float], **how: object) -> Preview:
    with bank.wiring.reading() as unit:
        return preview.preview(unit, latitude=place[0], longitude=place[1], **how)  # type: ignore[arg-type]  # the keywords are those of preview()


def of(bank: Bank, branch: str, **how: object) -> Preview:
    with bank.wiring.reading() as unit:
        return preview.preview_branch(unit, branch, **how)  # type: ignore[arg-type]  # the keywords are those of preview_branch()


def names(menu: Menu | None) -> list[str]:
    return [button.name for column in menu or () for button in column.buttons]


def put(bank: Bank, branch: str, *items: Item) -> None:
    with bank.wiring.unit() as unit:
        fills.put(unit, branch, "local-one", Fill(items))
    bank.wiring.shelf.clear()


# A thousand followers


def strewn(dice: random.Random) -> list[tuple[float, float]]:
    """Places around the seats of counties all over the country, in WGS-84."""
    with SEATS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    seats = [(float(row["gcj_lat"]), float(row["gcj_lon"])) for row in rows]
    return [
        (lat + dice.gauss(0, 0.1), lng + dice.gauss(0, 0.1))
        for lat, lng in dice.choices(seats, k=FOLLOWERS)
    ]


def settle(bank: Bank, places: list[tuple[float, float]]) -> list[OpenId]:
    """A follower at each place, who reports it twice, because one report near a border is not
    enough."""
    openids = [bank.follower() for _ in places]
    begun = clock.now() - timedelta(minutes=1)
    for number in range(2):
        with bank.wiring.unit() as unit:
            for openid, (latitude, longitude) in zip(openids, places, strict=True):
                moment = begun + number * timedelta(seconds=10)
                unit.announce(LocationReported(openid, moment, latitude, longitude, 30.0))
    return openids


def matching(bank: Bank, openid: OpenId) -> Menu:
    """What ``trymatch`` answers, without the way over HTTP."""
    call = Call("/cgi-bin/menu/trymatch", 0.0, body={"user_id": openid})
    return buttons.read(sandbox_menus.try_match(bank.sandbox.world, call)["button"])


def test_the_preview_equals_what_wechat_matches_for_a_thousand_followers(placed: Bank) -> None:
    bank, places = placed, strewn(random.Random(7))
    bank.sandbox.world.limits.conditional_menus = CEILING
    bank.open_all_zones()
    with bank.wiring.reading() as unit:
        tree = branches.directory(unit)
    for number, branch in enumerate(tree.all[1::5]):
        put(bank, branch.code, Item(f"特色{number}", "/s/outlets"))
    openids = settle(bank, places)
    bank.publish()
    matched = [matching(bank, openid) for openid in openids]
    assert matched[:20] == [bank.sees(openid) for openid in openids[:20]]
    with bank.wiring.reading() as unit:
        viewer = preview.Viewer(unit)
        there = [viewer.at_place(*place, datum=Datum.WGS84).served for place in places]
        them = [viewer.of_follower(openid).served for openid in openids]
    assert [one.menu for one in there] == matched
    assert [one.menu for one in them] == matched
    assert len(bank.shown()) in (CEILING, CEILING - 1)
    # Some see their own branch's menu, some another's, some the default: all are compared.
    kinds = Counter((one.variant is not None, one.as_meant) for one in there)
    assert min(kinds[True, True], kinds[True, False], kinds[False, False]) > 20


def test_under_a_ceiling_some_see_another_branchs_menu_and_the_preview_says_so(
    placed: Bank,
) -> None:
    bank = placed
    bank.sandbox.world.limits.conditional_menus = 2
    bank.open_zone(WUXI)
    for branch, count in (("B320200", 1), ("B320000", 3)):
        for _ in range(count):
            bank.follower(branch)
    bank.publish()
    found = at(bank, WUXI_CITY)
    assert found.effective.title == "锡享生活"
    assert found.served.menu is not None
    assert found.served.menu[2].name == "礼遇江苏"
    assert (found.served.variant, found.served.as_meant) == ("B320000", False)
    assert "名额不足" in found.served.why
    assert "江苏省分行" in found.served.why


# What it says


def test_a_place_is_told_with_its_division_its_branch_and_the_reason_of_each_button(
    placed: Bank,
) -> None:
    placed.publish()
    found = at(placed, SHANGHAI_CITY)
    assert (found.branch.code, found.place) == ("B310000", "上海市黄浦区")
    assert "由上海市分行服务" in found.where
    assert found.effective.title_why[2] == "上海市分行的专区“约惠魔都”"
    assert found.served.as_meant
    assert found.served.variant == "B310000"


def test_the_datum_decides_where_a_pair_of_degrees_is(placed: Bank) -> None:
    # The same numbers are some 500 metres apart: here one of them lies across a river.
    sites = {datum: at(placed, (31.2390, 121.4915), datum=datum).place for datum in Datum}
    assert sites[Datum.GCJ02] != sites[Datum.WGS84]


def test_outside_the_country_head_office_serves_with_the_default_menu(placed: Bank) -> None:
    placed.publish()
    found = at(placed, (48.85, 2.35))
    assert (found.division, found.branch.code) == (None, "HQ")
    assert found.served.why == "显示默认菜单（总行菜单）"
    assert found.served.as_meant


def test_near_a_border_one_report_is_not_enough_and_the_preview_says_so(placed: Bank) -> None:
    # Anting in Shanghai, a stone's throw from Kunshan in Jiangsu.
    with placed.wiring.reading() as unit:
        steps = [121.0 + n * 0.0005 for n in range(400)]
        counties = [atlas.current(unit.settings).county_at(31.295, step) for step in steps]
    edge = next(n for n, code in enumerate(counties) if str(code).startswith("31"))
    assert "连续两次定位一致才会切换" in at(placed, (31.295, steps[edge])).where
    assert "连续两次" not in at(placed, SHANGHAI_CITY).where


def test_before_the_first_publication_the_preview_says_that_there_is_none(bank: Bank) -> None:
    found = of(bank, "B310000")
    assert "还没有发布过菜单" in found.served.why
    assert (found.served.menu, found.served.as_meant) == (None, False)


def test_between_an_edit_and_its_publication_the_old_menu_is_served(bank: Bank) -> None:
    bank.publish()
    put(bank, "B310000", Item("浦江游", "/s/outlets"))
    found = of(bank, "B310000")
    assert "浦江游" in names(found.effective.menu)
    assert not found.served.as_meant
    assert "上一版" in found.served.why
    bank.publish()
    found = of(bank, "B310000")
    assert found.served.as_meant
    assert "浦江游" in names(found.served.menu)


def test_a_follower_on_the_way_to_another_branch_still_sees_the_old_ones(bank: Bank) -> None:
    openid = bank.follower("B310000")
    bank.publish()
    bank.move(openid, "B440300")
    with bank.wiring.reading() as unit:
        found = preview.preview_follower(unit, openid)
    assert found.served.menu == bank.sees(openid)
    assert "标签正在更换" in found.served.why
    bank.work()
    with bank.wiring.reading() as unit:
        found = preview.preview_follower(unit, openid)
    assert found.served.menu == bank.sees(openid)
    assert found.served.variant == "B440300"


def test_somebody_we_know_nothing_of_sees_the_default_menu(bank: Bank) -> None:
    bank.publish()
    openid = bank.follower()
    with bank.wiring.reading() as unit:
        found = preview.preview_follower(unit, openid)
    assert (found.branch.code, found.served.variant) == ("HQ", None)
    assert found.served.menu == bank.sees(openid)


# Later, and if


def test_a_campaign_is_seen_from_its_first_moment_to_its_last(bank: Bank) -> None:
    bank.publish()
    fair = replace(
        WUXI, key="fair", title="金秋庙会", kind=ZoneKind.CAMPAIGN,
        starts_at=NOON, ends_at=NOON + timedelta(hours=1),
    )  # fmt: skip
    bank.open_zone(fair)
    for minutes, is_there in ((-1, False), (0, True), (59, True), (60, False)):
        found = of(bank, "B320200", at=NOON + timedelta(minutes=minutes))
        assert ("金秋庙会" in names(found.served.menu)) is is_there
        assert found.served.as_meant


def test_later_there_may_be_no_room_either(bank: Bank) -> None:
    object.__setattr__(bank.wiring.settings, "menu_ceiling", 2)
    bank.follower("B310000")
    for branch, title in (("B310000", "约惠魔都"), ("B320000", "礼遇江苏")):
        found = of(bank, branch, at=NOON)
        assert found.effective.title == title
        assert found.served.as_meant is (branch == "B310000")
    assert "最多 1 个，名额不足，显示默认菜单" in found.served.why


def test_what_a_branch_has_not_saved_yet_can_be_seen(bank: Bank) -> None:
    bank.publish()
    draft = {"local-one": Fill((Item("浦江游", "/s/outlets"),))}
    assert "浦江游" in names(of(bank, "B310000", fills=draft).served.menu)
    assert "浦江游" not in names(of(bank, "B310000").served.menu)
    mine = Frame(
        (
            Column(
                "列",
                (
                    Slot("alarm", SlotKind.EMERGENCY),
                    Slot("one", items=(Item("挂失", "svc:lost-card"),)),
                ),
            ),
        )
    )
    expected = (Button("列", buttons=(Button("挂失", "click", "svc:lost-card"),)),)
    assert of(bank, "B310000", frame=mine).served.menu == expected
    with bank.wiring.reading() as unit:
        assert frame.current(unit) == frame.default()


def test_what_wechat_would_not_take_is_told_with_the_branch_it_is_of(bank: Bank) -> None:
    bank.open_zone(replace(WUXI, title="名称太长的专区"))
    found = of(bank, "B320200")
    assert "名称最多 16 字节" in found.refused[0].rule
    assert of(bank, "B310000").refused == ()
    bank.open_zone(replace(WUXI, title="锡享生活圈"))
    assert "只显示前 4 个汉字" in of(bank, "B320200").warnings[0].rule


def test_a_branch_that_does_not_exist_is_refused(bank: Bank) -> None:
    with pytest.raises(KeyError):
        of(bank, "B999999")


# The command


@pytest.fixture
def cli(placed: Bank) -> FlaskCliRunner:
    app = create_app(replace(placed.wiring.settings))
    app.extensions["wiring"] = placed.wiring
    return app.test_cli_runner()


def test_the_command_tells_people_what_is_seen_there_and_why(
    placed: Bank, cli: FlaskCliRunner
) -> None:
    placed.publish()
    where = ["--lat", str(SHANGHAI_CITY[0]), "--lng", str(SHANGHAI_CITY[1])]
    output = cli.invoke(args=["menus", "preview", *where]).output
    assert "位置：上海市黄浦区（310101）" in output
    assert "分行：上海市分行（B310000），" in output
    assert "约惠魔都  —— 上海市分行的专区“约惠魔都”" in output
    assert "附近网点  http" in output
    assert "微信显示的菜单：与应有的一致，显示标签" in output


def test_the_command_as_json_and_for_a_branch_at_a_time(placed: Bank, cli: FlaskCliRunner) -> None:
    placed.open_zone(replace(zones.read()[0], title="限时专区", starts_at=NOON))
    result = cli.invoke(
        args=["menus", "preview", "--branch", "B110000", "--at", "2026-11-11T12:00", "--json"]
    )
    found = json.loads(result.stdout)
    assert found["at"] == "2026-11-11T12:00:00+08:00"
    assert found["effective"]["title"] == "限时专区"
    assert [len(column) for column in found["effective"]["why"]] == [5, 5, 5]
    assert found["served"]["as_meant"] is True


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "请给出 --lat 和 --lng，或者只给出 --branch"),
        (["--lat", "31"], "请给出 --lat 和 --lng"),
        (["--branch", "B999999"], "没有分行 B999999"),
        (["--branch", "HQ", "--at", "明天"], "“明天”不是时间"),
        (["--lat", "91", "--lng", "0"], "91"),
    ],
)
def test_the_command_says_what_it_needs(
    cli: FlaskCliRunner, arguments: list[str], says: str
) -> None:
    result = cli.invoke(args=["menus", "preview", *arguments])
    assert result.exit_code != 0
    assert says in result.output
