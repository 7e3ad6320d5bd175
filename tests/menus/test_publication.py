"""Publication against the sandbox: what is wanted is reached, and nobody drops out on the way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from lightservices import zones
from lightservices.zones import ZoneRow
from menus import book, offers, publication
from menus.book import MenuAccount
from menus.buttons import Menu, write
from menus.live import read_live
from menus.snapshots import MenuSnapshot
from menus.wish import wish
from regions.branches import BranchCode
from service import clock
from service.delivery.ledger import FAILED, Row
from service.wechat.errors import WillNever
from tests.menus.conftest import WUXI, Bank, watching

HANDMADE = [{"type": "click", "name": "手工菜单", "key": "handmade"}]


def wanted_of(bank: Bank, branch: str) -> Menu:
    """What resolve says a branch's followers should see."""
    with bank.wiring.reading() as unit:
        resolved = wish(unit).resolved
    return next((one.menu for one in resolved.variants if branch in one.branches), resolved.default)


def test_a_first_publication_shows_every_follower_their_branchs_menu(bank: Bank) -> None:
    sample = ["HQ", "B310000", "B320000", "B320200", "B320500", "B440300", "B510000", "B650000"]
    followers = {branch: bank.follower(branch) for branch in sample}
    bank.publish()
    for branch, openid in followers.items():
        assert bank.sees(openid) == wanted_of(bank, branch)
    assert bank.third_column(followers["B320200"]) == "礼遇江苏"
    assert bank.third_column(followers["HQ"]) == "身边优惠"
    assert bank.planned() == []


def test_publishing_again_asks_wechat_for_no_change(bank: Bank) -> None:
    bank.publish()
    before = len(bank.calls("addconditional")) + len(bank.calls("menu/create"))
    bank.publish()
    assert len(bank.calls("addconditional")) + len(bank.calls("menu/create")) == before


def test_nothing_is_ever_deleted_wholesale(bank: Bank) -> None:
    bank.publish()
    bank.close_zone("yuehui-modu")
    bank.publish()
    assert bank.calls("menu/delete") == []


def test_a_changed_zone_is_added_before_its_old_menu_is_deleted(bank: Bank) -> None:
    openid = bank.follower("B310000")
    bank.publish()
    with bank.wiring.unit() as unit:
        zone = zones.zone(unit, "yuehui-modu")
        assert zone is not None
    bank.open_zone(zones.Zone(zone.key, "魔都新惠", zone.slogan, zone.branch, zone.services))
    assert bank.planned() == ["AddMenu", "DeleteMenu"]
    mark = len(bank.calls("conditional"))
    bank.publish()
    last = [str(call["path"]).rsplit("/", 1)[1] for call in bank.calls("conditional")[mark:]]
    assert last == ["addconditional", "delconditional"]
    assert bank.third_column(openid) == "魔都新惠"
    assert len(bank.calls("batchtagging")) == 1


@pytest.mark.parametrize("ceiling", [100, 20, 3, 1, 0])
def test_the_ceiling_is_learned_and_the_most_followed_are_served(bank: Bank, ceiling: int) -> None:
    bank.open_all_zones()
    bank.sandbox.world.limits.change({"conditional_menus": ceiling})
    shanghai = [bank.follower("B310000") for _ in range(3)]
    suzhou = [bank.follower("B320500") for _ in range(2)]
    lhasa = bank.follower("B540000")
    bank.publish()
    shown = bank.shown()
    # One slot stays free for changes; thirty-eight zones find room below a hundred.
    assert len(shown) == min(38, max(ceiling - 1, 0))
    for openid, branch in ((shanghai[0], "B310000"), (suzhou[0], "B320500")):
        served = ceiling > 2
        assert (bank.sees(openid) == wanted_of(bank, branch)) == served
    assert (bank.third_column(lhasa) == "雪域有礼") == (ceiling > 3)
    assert bank.planned() == []
    with bank.wiring.reading() as unit:
        assert publication.ceiling(unit) == (None if ceiling == 100 else ceiling)


def test_a_ceiling_in_the_settings_is_never_overstepped(bank: Bank) -> None:
    object.__setattr__(bank.wiring.settings, "menu_ceiling", 5)
    bank.sandbox.world.limits.change({"conditional_menus": 5})
    bank.publish()
    assert len(bank.shown()) == 4
    assert len(bank.calls("addconditional")) == 4


def test_who_falls_back_sees_the_parents_menu_and_gets_their_own_when_there_is_room(
    bank: Bank,
) -> None:
    bank.open_zone(WUXI)
    wuxi = bank.follower("B320200")
    nanjing = [bank.follower("B320000") for _ in range(2)]
    object.__setattr__(bank.wiring.settings, "menu_ceiling", 2)
    bank.publish()
    assert bank.third_column(wuxi) == bank.third_column(nanjing[0]) == "礼遇江苏"
    object.__setattr__(bank.wiring.settings, "menu_ceiling", 3)
    bank.publish()
    assert bank.third_column(wuxi) == "锡享生活"
    assert bank.tags_of(wuxi) == ["菜单 B320200 锡享生活"]


def test_when_a_zone_ends_its_followers_see_the_parents_menu_before_theirs_is_deleted(
    bank: Bank,
) -> None:
    bank.open_zone(WUXI)
    openids = [bank.follower("B320200") for _ in range(3)]
    bank.publish()
    bank.close_zone(WUXI.key)
    with watching(bank, openids) as seen:
        bank.publish()
    assert seen <= {"锡享生活", "礼遇江苏"}
    assert bank.third_column(openids[0]) == "礼遇江苏"
    assert "锡享生活" not in bank.shown()
    names = [tag.name for tag in bank.gateway.tags()]
    assert not [name for name in names if "B320200" in name]


def test_what_was_just_added_is_offered_before_waiting_for_followers(bank: Bank) -> None:
    bank.open_zone(WUXI)
    bank.follower("B320200")
    bank.publish()
    bank.close_zone(WUXI.key)
    bank.close_zone("liyu-jiangsu")
    bank.open_zone(replace(WUXI, key="jiangsu-xin", title="江苏新惠", branch=BranchCode("B320000")))
    assert not publication.settle(bank.desk)
    with bank.wiring.reading() as unit:
        walks = unit.db.execute(select(Row.key).where(Row.kind == offers.REOFFER)).scalars()
        assert "B320200" in set(walks)


def test_waiting_for_followers_does_not_fill_the_archive(bank: Bank) -> None:
    bank.open_zone(WUXI)
    bank.follower("B320200")
    bank.publish()
    bank.close_zone(WUXI.key)
    for _ in range(3):
        assert not publication.settle(bank.desk)
    with bank.wiring.reading() as unit:
        assert len(unit.db.execute(select(MenuSnapshot.id)).all()) == 2


def test_a_zone_that_ends_by_the_clock_is_published_without_anybody_asking(bank: Bank) -> None:
    bank.publish()
    openid = bank.follower("B310000")
    with bank.wiring.unit() as unit:
        ended = update(ZoneRow).where(ZoneRow.key == "yuehui-modu")
        unit.db.execute(ended.values(ends_at=clock.now() - timedelta(minutes=1)))
    bank.wiring.shelf.clear()
    with bank.wiring.unit() as unit:
        publication.keep_up(unit)
    bank.work()
    assert bank.third_column(openid) == "身边优惠"


def test_an_account_nobody_published_to_is_left_alone(bank: Bank) -> None:
    with bank.wiring.unit() as unit:
        publication.keep_up(unit)
    bank.work()
    assert bank.calls("menu/create") == []


def test_keeping_up_asks_for_nothing_while_nothing_changed(bank: Bank) -> None:
    bank.publish()
    with bank.wiring.unit() as unit:
        publication.keep_up(unit)
        waiting = select(Row.key).where(Row.kind == offers.PUBLISH)
        assert unit.db.execute(waiting).first() is None


def test_more_than_three_domains_are_refused_before_wechat_is_asked(bank: Bank) -> None:
    bank.gateway.create_menu(HANDMADE)
    tag = bank.gateway.create_tag("代发客户")
    for host in ("a", "b", "c"):
        link = [{"type": "view", "name": "外链", "url": f"https://{host}.example/"}]
        bank.gateway.add_conditional(link, tag_id=tag)
    asked = len(bank.calls("addconditional"))
    theirs = read_live(bank.gateway.menus(), ())
    with bank.wiring.unit() as unit:
        book.take_over(unit, theirs)
    with pytest.raises(WillNever, match="最多链接 3 个域名"):
        publication.settle(bank.desk)
    assert len(bank.calls("addconditional")) == asked


def test_a_zone_whose_menu_wechat_would_refuse_holds_nobody_else_up(bank: Bank) -> None:
    suzhou = bank.follower("B320500")
    with bank.wiring.unit() as unit:
        unit.db.execute(
            update(ZoneRow).where(ZoneRow.key == "yuehui-modu").values(title="约惠大魔都城")
        )
    bank.wiring.shelf.clear()
    shanghai = bank.follower("B310000")
    bank.publish()
    assert bank.third_column(suzhou) == "姑苏有礼"
    assert bank.third_column(shanghai) == "身边优惠"
    with bank.wiring.reading() as unit:
        (fault,) = wish(unit).refused["B310000"]
    assert "最多 16 字节" in str(fault)


def test_publication_waits_for_nobody_it_does_not_have_to(bank: Bank) -> None:
    bank.publish()
    with bank.wiring.reading() as unit:
        rows = unit.db.execute(select(Row.kind, Row.state)).all()
        account = unit.session.get(MenuAccount, 1)
    assert [row for row in rows if row.state == FAILED] == []
    assert account is not None


@pytest.mark.postgresql
def test_publication_and_offers_on_postgresql(bank_on_postgresql: Bank) -> None:
    bank = bank_on_postgresql
    bank.open_zone(WUXI)
    wuxi, shanghai = bank.follower("B320200"), bank.follower("B310000")
    bank.sandbox.world.limits.change({"conditional_menus": 20})
    bank.publish()
    assert bank.third_column(wuxi) == "锡享生活"
    bank.close_zone(WUXI.key)
    bank.publish()
    assert bank.third_column(wuxi) == "礼遇江苏"
    bank.move(shanghai, "B320200")
    bank.work()
    assert bank.tags_of(shanghai) == bank.tags_of(wuxi)
    assert bank.planned() == []


def test_what_is_published_can_be_read_back(bank: Bank) -> None:
    bank.publish()
    live = bank.gateway.menus()
    with bank.wiring.reading() as unit:
        default = wish(unit).resolved.default
    assert [column["name"] for column in live["menu"]["button"]] == ["服务", "查询", "身边优惠"]
    assert json.dumps(write(default), ensure_ascii=False).count("svc:") == 3
