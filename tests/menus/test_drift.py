"""What somebody changed elsewhere is shown and refused; what we left half-done ourselves is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from menus import book, publication, snapshots, status, variants
from menus.publication import Drifted
from menus.snapshots import MenuSnapshot
from service.delivery.ledger import FAILED, Row
from tests.menus.conftest import WUXI, Bank

HANDMADE = [{"type": "click", "name": "手工菜单", "key": "handmade"}]


def tag_of(bank: Bank, branch: str) -> int:
    with bank.wiring.reading() as unit:
        return variants.in_reach(unit)[branch]


def edit_default(bank: Bank) -> None:
    bank.gateway.create_menu(HANDMADE)


def draw_by_hand(bank: Bank) -> None:
    bank.sandbox.world.menus.by_hand = HANDMADE


def add_menu(bank: Bank) -> None:
    bank.gateway.add_conditional(HANDMADE, tag_id=tag_of(bank, "B310000"))


def delete_menu(bank: Bank) -> None:
    del bank.sandbox.world.menus.conditional[0]


def delete_all_menus(bank: Bank) -> None:
    bank.sandbox.world.menus.default = None
    bank.sandbox.world.menus.conditional.clear()


def rename_tag(bank: Bank) -> None:
    bank.gateway.rename_tag(tag_of(bank, "B310000"), "老客户")


def delete_tag(bank: Bank) -> None:
    bank.gateway.delete_tag(tag_of(bank, "B310000"))


DEEDS = {
    edit_default: "默认菜单被改成了别的内容（手工菜单）",
    draw_by_hand: "公众平台里有一份手工制作的菜单（手工菜单）",
    add_menu: "标签“菜单 B310000 约惠魔都”下多了一个不是本系统发布的个性化菜单",
    delete_menu: "的个性化菜单",
    delete_all_menus: "默认菜单被删除了",
    rename_tag: "标签“菜单 B310000 约惠魔都”",
    delete_tag: "标签“菜单 B310000 约惠魔都”",
}


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
def test_a_change_made_elsewhere_is_shown_and_refused_until_somebody_allows_it(
    bank: Bank, deed: Callable[[Bank], None]
) -> None:
    shanghai = bank.follower("B310000")
    bank.publish()
    deed(bank)
    before = [str(one.menu_id) for one in bank.sandbox.world.menus.conditional]
    assert any(DEEDS[deed] in says for says in bank.drift())
    with pytest.raises(Drifted, match="flask menus apply --adopt"):
        publication.settle(bank.desk)
    assert [str(one.menu_id) for one in bank.sandbox.world.menus.conditional] == before
    bank.adopt()
    assert bank.third_column(shanghai) == "约惠魔都"
    assert bank.tags_of(shanghai) == ["菜单 B310000 约惠魔都"]
    assert bank.sandbox.world.menus.by_hand is None
    assert bank.planned() == []
    assert bank.drift() == []


def test_what_is_replaced_is_kept_in_a_snapshot(bank: Bank) -> None:
    bank.publish()
    edit_default(bank)
    bank.adopt()
    with bank.wiring.reading() as unit:
        latest = select(MenuSnapshot.menus).order_by(MenuSnapshot.id.desc()).limit(1)
        kept = unit.db.execute(latest).scalar_one()
    assert kept["menu"]["button"][0]["name"] == "手工菜单"


@pytest.mark.parametrize("deed", [edit_default, draw_by_hand])
def test_an_account_with_a_menu_of_its_own_is_not_published_to_unasked(
    bank: Bank, deed: Callable[[Bank], None]
) -> None:
    deed(bank)
    with pytest.raises(Drifted, match="手工菜单"):
        publication.settle(bank.desk)
    assert bank.shown() == []


def test_only_what_was_seen_may_be_replaced(bank: Bank) -> None:
    bank.publish()
    edit_default(bank)
    with bank.wiring.unit() as unit:
        book.accept(unit, publication.draft(bank.desk).drift)
    bank.gateway.create_menu([{"type": "click", "name": "又改了", "key": "again"}])
    with pytest.raises(Drifted, match="又改了"):
        publication.settle(bank.desk)


@pytest.mark.parametrize("deed", [edit_default, draw_by_hand, delete_all_menus])
def test_what_was_allowed_once_is_not_allowed_for_ever(
    bank: Bank, deed: Callable[[Bank], None]
) -> None:
    bank.publish()
    deed(bank)
    bank.adopt()
    deed(bank)
    with pytest.raises(Drifted):
        publication.settle(bank.desk)


def test_the_worker_refuses_too_and_everybody_can_read_why(bank: Bank) -> None:
    bank.publish()
    edit_default(bank)
    bank.close_zone("yuehui-modu")
    with bank.wiring.unit() as unit:
        publication.keep_up(unit)
    bank.work()
    assert "约惠魔都" in bank.shown()
    with bank.wiring.reading() as unit:
        assert unit.db.execute(select(Row.state).where(Row.state == FAILED)).scalar() == FAILED
        finding = status.undisturbed(unit)
        words = list(status.lines(unit, {}))
    assert not finding.well
    assert "默认菜单被改成了别的内容" in finding.says
    assert "别处的改动：默认菜单被改成了别的内容（手工菜单）" in words


def test_an_hourly_look_notices_a_change_and_its_end(bank: Bank) -> None:
    bank.publish()
    theirs = bank.sandbox.world.menus.default
    edit_default(bank)
    for expected in (False, True):
        with bank.wiring.unit() as unit:
            publication.ask_for_a_look(unit)
        bank.work()
        with bank.wiring.reading() as unit:
            assert status.undisturbed(unit).well is expected
        bank.sandbox.world.menus.default = theirs


def test_an_hourly_look_counts_no_followers(bank: Bank) -> None:
    bank.follower("B310000")
    bank.publish()
    asked: list[str] = []

    def hear(*told: Any) -> None:
        asked.append(str(told[2]))

    # What is only read goes over lines of its own, so every engine is listened to.
    event.listen(Engine, "before_cursor_execute", hear)
    try:
        publication.look(bank.desk, ())
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
    assert any("menu_given" in statement for statement in asked)
    assert not [statement for statement in asked if "menu_offers" in statement]


def test_what_was_refused_is_published_once_somebody_has_put_things_right(bank: Bank) -> None:
    bank.publish()
    theirs = bank.sandbox.world.menus.default
    edit_default(bank)
    bank.close_zone("yuehui-modu")
    bank.publish()
    assert "约惠魔都" in bank.shown()
    bank.sandbox.world.menus.default = theirs
    with bank.wiring.unit() as unit:
        publication.ask_for_a_look(unit)
    bank.work()
    assert "约惠魔都" not in bank.shown()


def test_an_account_nobody_published_to_is_not_even_looked_at(bank: Bank) -> None:
    with bank.wiring.unit() as unit:
        publication.ask_for_a_look(unit)
        assert unit.db.execute(select(Row.id)).first() is None


def test_an_account_that_was_emptied_or_is_another_one_is_simply_published_to(bank: Bank) -> None:
    bank.publish()
    bank.sandbox.world.reset()
    shanghai = bank.follower("B310000")
    bank.publish()
    assert bank.third_column(shanghai) == "约惠魔都"
    assert bank.planned() == []


@pytest.mark.parametrize(
    ("do", "path", "nth"),
    [
        ("lost", "/cgi-bin/menu/create", 1),
        ("lost", "/cgi-bin/tags/create", 2),
        ("lost", "/cgi-bin/menu/addconditional", 2),
        ("lost", "/cgi-bin/menu/delconditional", 1),
        ("lost", "/cgi-bin/tags/delete", 1),
        ("cut", "/cgi-bin/menu/create", 1),
        ("cut", "/cgi-bin/tags/update", 1),
    ],
)
def test_a_call_whose_answer_was_never_heard_is_no_drift(
    bank: Bank, do: str, path: str, nth: int
) -> None:
    bank.open_zone(WUXI)
    bank.play(path, do, nth=nth)
    bank.publish()
    assert bank.drift() == []
    bank.close_zone(WUXI.key)
    bank.close_zone("liyu-jiangsu")
    bank.play(path, do, nth=1)
    bank.publish()
    assert bank.drift() == []
    assert bank.planned() == []


def test_menus_under_tags_of_others_are_nobodys_drift(bank: Bank) -> None:
    bank.publish()
    theirs = bank.gateway.create_tag("代发客户")
    bank.gateway.add_conditional(HANDMADE, tag_id=theirs)
    assert bank.drift() == []
    bank.close_zone("yuehui-modu")
    bank.publish()
    assert "手工菜单" in [menu.buttons[0]["name"] for menu in bank.sandbox.world.menus.conditional]


def test_what_is_there_and_wanted_anyway_is_no_drift_after_a_lost_record(bank: Bank) -> None:
    bank.publish()
    with bank.wiring.unit() as unit:
        for model in (book.MenuGiven, variants.MenuReach, variants.MenuVariant, book.MenuAccount):
            unit.session.query(model).delete()
    assert bank.drift() == []
    assert bank.planned() == []
    bank.publish()
    with bank.wiring.reading() as unit:
        assert snapshots.count(unit) == 1
