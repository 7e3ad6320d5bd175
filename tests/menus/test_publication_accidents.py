"""Publication when calls get lost, workers die, and others touch the same account."""

from __future__ import annotations

import contextlib

import pytest
from sqlalchemy import select

from menus import publication, variants
from menus.snapshots import MenuSnapshot
from service.wechat.errors import TryLater, WillNever
from tests.menus.conftest import WUXI, Bank, watching

HANDMADE = [{"type": "click", "name": "手工菜单", "key": "handmade"}]


def crash(bank: Bank, path: str, nth: int) -> None:
    """Let the nth call on this path take effect without our ever hearing of it."""
    bank.play(path, "lost", nth=nth)


def test_nobody_who_left_unheard_keeps_a_variant_from_ending(bank: Bank) -> None:
    bank.open_zone(WUXI)
    openid = bank.follower("B320200")
    bank.publish()
    bank.leave(openid, heard=False)
    bank.close_zone(WUXI.key)
    bank.publish()
    assert bank.planned() == []


@pytest.mark.parametrize(
    ("path", "nth"),
    [
        ("/cgi-bin/menu/create", 1),
        ("/cgi-bin/tags/create", 1),
        ("/cgi-bin/tags/create", 4),
        ("/cgi-bin/menu/addconditional", 1),
        ("/cgi-bin/menu/addconditional", 4),
    ],
)
def test_a_call_that_took_effect_unheard_is_not_made_twice(bank: Bank, path: str, nth: int) -> None:
    openid = bank.follower("B310000")
    crash(bank, path, nth)
    bank.publish()
    assert len(bank.shown()) == len(set(bank.shown())) == 6
    names = [tag.name for tag in bank.gateway.tags()]
    assert len(names) == len(set(names)) == 7
    assert bank.third_column(openid) == "约惠魔都"
    assert bank.planned() == []


@pytest.mark.parametrize("after", [0, 1, 3, 5, 8, 11])
def test_a_worker_killed_after_any_call_leaves_a_state_the_next_one_completes(
    bank: Bank, after: int
) -> None:
    bank.open_zone(WUXI)
    wuxi, shanghai = bank.follower("B320200"), bank.follower("B310000")
    bank.publish()
    bank.close_zone(WUXI.key)
    bank.close_zone("yuehui-modu")
    left = after

    def die(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt

    with watching(bank, [wuxi, shanghai]) as seen:
        with contextlib.suppress(KeyboardInterrupt):
            publication.settle(bank.desk, die)
        bank.publish()
    assert seen <= {"锡享生活", "礼遇江苏", "约惠魔都", "身边优惠"}
    assert bank.third_column(wuxi) == "礼遇江苏"
    assert bank.third_column(shanghai) == "身边优惠"
    assert bank.planned() == []


def test_menus_and_tags_made_by_others_survive_and_their_default_is_kept_in_a_snapshot(
    bank: Bank,
) -> None:
    bank.gateway.create_menu(HANDMADE)
    theirs = bank.gateway.create_tag("代发客户")
    menu_id = bank.gateway.add_conditional(HANDMADE, tag_id=theirs)
    customer = bank.follower()
    bank.gateway.tag([customer], theirs)
    bank.adopt()
    assert menu_id in {str(menu.menu_id) for menu in bank.sandbox.world.menus.conditional}
    assert bank.sees(customer)[0].name == "手工菜单"
    with bank.wiring.reading() as unit:
        first = unit.session.scalars(select(MenuSnapshot).order_by(MenuSnapshot.id)).first()
    assert first is not None
    assert first.menus["menu"]["button"][0]["name"] == "手工菜单"
    assert "代发客户" in [tag["name"] for tag in first.tags]


def test_a_tag_deleted_in_wechats_console_is_made_again_and_its_followers_tagged(
    bank: Bank,
) -> None:
    openid = bank.follower("B310000")
    bank.publish()
    tag = bank.sandbox.world.followers[openid].tags[0]
    bank.gateway.delete_tag(tag)
    bank.adopt()
    assert bank.third_column(openid) == "约惠魔都"
    assert bank.planned() == []


def test_a_follower_offered_a_deleted_tag_has_it_made_again(bank: Bank) -> None:
    bank.publish()
    with bank.wiring.reading() as unit:
        tag = variants.in_reach(unit)["B310000"]
    bank.gateway.delete_tag(tag)
    openid = bank.follower("B310000")
    bank.adopt()
    assert bank.third_column(openid) == "约惠魔都"


def test_followers_only_wechat_knows_of_are_moved_off_a_tag_that_ends(bank: Bank) -> None:
    bank.open_zone(WUXI)
    bank.publish()
    with bank.wiring.reading() as unit:
        tag = variants.in_reach(unit)["B320200"]
    stranger = bank.follower()
    bank.gateway.tag([stranger], tag)
    bank.sandbox.world.limits.change({"tag_fans_deletable": 0})
    bank.close_zone(WUXI.key)
    bank.publish()
    assert bank.tags_of(stranger) == []
    assert bank.planned() == []


def test_a_menu_that_wechat_does_not_keep_as_sent_is_not_published_for_ever(bank: Bank) -> None:
    world = bank.sandbox.world
    publish = world.menus.publish

    def garbled(shown: list[dict[str, object]], rule: dict[str, str]) -> object:
        return publish([{**shown[0], "name": "别名"}, *shown[1:]], rule)

    world.menus.publish = garbled  # type: ignore[assignment, method-assign]  # WeChat misbehaves
    with pytest.raises(WillNever, match="不一致"):
        publication.settle(bank.desk)
    assert len(bank.calls("menu/create")) == 1


def test_a_busy_wechat_is_tried_again(bank: Bank) -> None:
    bank.play("/cgi-bin/menu/addconditional", "errcode", nth=(5,))
    with pytest.raises(TryLater):
        publication.settle(bank.desk)
    assert publication.settle(bank.desk)
    assert len(bank.shown()) == 6


def test_another_program_that_fights_over_the_default_menu_is_noticed(bank: Bank) -> None:
    bank.publish()
    bank.gateway.create_menu(HANDMADE)
    assert bank.planned() == ["CreateDefault"]
