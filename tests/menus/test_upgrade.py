"""After an upgrade from a release that kept no book of its menus, those menus are ours all the
same."""

from __future__ import annotations

from sqlalchemy import delete

from menus import book
from menus.book import MenuGiven
from tests.menus.conftest import Bank
from tests.menus.test_drift import draw_by_hand

OLD = [{"type": "click", "name": "老版菜单", "key": "old"}]


def upgrade(bank: Bank) -> None:
    """The account as the first release left it: its menus, our tags, and an empty book."""
    menus = bank.sandbox.world.menus
    bank.gateway.create_menu(OLD)
    for one in menus.conditional:
        one.buttons[0]["name"] = "老版"
    with bank.wiring.unit() as unit:
        unit.db.execute(delete(MenuGiven))
        book.note(unit, default_digest=None, sent_digests=[], by_hand_digest=None)


def test_what_an_earlier_release_published_is_replaced_without_asking(bank: Bank) -> None:
    shanghai = bank.follower("B310000")
    bank.publish()
    upgrade(bank)
    assert bank.drift() == []
    bank.publish()
    assert bank.planned() == []
    assert [column.name for column in bank.sees(shanghai)] == ["服务", "查询", "约惠魔都"]


def test_a_menu_made_by_hand_is_still_nobody_elses_to_replace(bank: Bank) -> None:
    bank.publish()
    upgrade(bank)
    draw_by_hand(bank)
    assert bank.drift() == ["公众平台里有一份手工制作的菜单（手工菜单）"]


def test_from_then_on_changes_made_elsewhere_are_seen(bank: Bank) -> None:
    bank.publish()
    upgrade(bank)
    bank.publish()
    bank.gateway.create_menu(OLD)
    assert bank.drift() == ["默认菜单被改成了别的内容（老版菜单）"]
