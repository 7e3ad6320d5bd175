"""Going back to a snapshot, staying there, and coming back to what branches want."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from menus import publication, snapshots
from menus.buttons import read
from service.wechat.errors import WillNever
from tests.menus.conftest import WUXI, Bank, watching


@pytest.fixture
def changed(bank: Bank) -> Bank:
    """A bank whose Wuxi branch had a zone, and whose Shanghai branch had one of another name."""
    bank.open_zone(WUXI)
    bank.publish()
    bank.close_zone(WUXI.key)
    bank.close_zone("yuehui-modu")
    bank.publish()
    return bank


def numbers(bank: Bank) -> list[int]:
    with bank.wiring.reading() as unit:
        return [number for number, *_rest in snapshots.listed(unit)]


def roll_back(bank: Bank, number: int) -> None:
    with bank.wiring.unit() as unit:
        publication.hold(unit, number)
    bank.work()


def test_every_publication_that_changes_something_leaves_a_snapshot(changed: Bank) -> None:
    with changed.wiring.reading() as unit:
        found = snapshots.listed(unit)
    assert [(titles, count) for _n, _t, titles, count in found][-1] == ("没有默认菜单", 0)
    assert ("服务、查询、身边优惠", 7) in [(titles, count) for _n, _t, titles, count in found]


def test_a_rollback_shows_the_menus_of_then_and_nobody_drops_out_on_the_way(changed: Bank) -> None:
    wuxi, shanghai = changed.follower("B320200"), changed.follower("B310000")
    changed.work()
    full = next(number for number in numbers(changed) if shows(changed, number) == 7)
    with watching(changed, [wuxi, shanghai]) as seen:
        roll_back(changed, full)
    assert changed.third_column(wuxi) == "锡享生活"
    assert changed.third_column(shanghai) == "约惠魔都"
    assert seen <= {"锡享生活", "礼遇江苏", "约惠魔都", "身边优惠"}
    assert changed.planned() == []


def test_what_was_rolled_back_is_held_until_somebody_resumes(changed: Bank) -> None:
    shanghai = changed.follower("B310000")
    full = next(number for number in numbers(changed) if shows(changed, number) == 7)
    roll_back(changed, full)
    changed.close_zone("liyu-jiangsu")
    for _ in range(2):
        with changed.wiring.unit() as unit:
            publication.keep_up(unit)
        changed.work()
    assert changed.third_column(shanghai) == "约惠魔都"
    assert "礼遇江苏" in changed.shown()
    with changed.wiring.unit() as unit:
        assert publication.resume(unit)
    changed.work()
    assert changed.third_column(shanghai) == "身边优惠"
    assert "礼遇江苏" not in changed.shown()
    with changed.wiring.unit() as unit:
        assert not publication.resume(unit)


@pytest.mark.parametrize("after", [1, 4])
def test_a_rollback_that_dies_half_way_is_completed(changed: Bank, after: int) -> None:
    shanghai = changed.follower("B310000")
    changed.work()
    full = next(number for number in numbers(changed) if shows(changed, number) == 7)
    with changed.wiring.unit() as unit:
        publication.hold(unit, full)
    left = after

    def die(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        publication.settle(changed.desk, die)
    changed.work()
    assert changed.third_column(shanghai) == "约惠魔都"
    assert changed.planned() == []


def test_a_menu_made_by_hand_comes_back_as_it_was(bank: Bank) -> None:
    handmade: list[dict[str, Any]] = [{"type": "click", "name": "手工菜单", "key": "handmade"}]
    bank.gateway.create_menu(handmade)
    bank.adopt()
    shanghai = bank.follower("B310000")
    bank.work()
    assert bank.third_column(shanghai) == "约惠魔都"
    roll_back(bank, numbers(bank)[-1])
    assert bank.sees(shanghai) == read(handmade)
    assert bank.planned() == []


def test_a_snapshot_that_is_not_there_or_was_empty_is_refused(bank: Bank) -> None:
    bank.publish()
    with bank.wiring.unit() as unit:
        with pytest.raises(WillNever, match="没有第 4711 号存档"):
            publication.hold(unit, 4711)
        with pytest.raises(WillNever, match="没有默认菜单"):
            publication.hold(unit, numbers(bank)[-1])
        assert snapshots.held(unit) is None


def test_old_snapshots_go_but_never_the_one_that_is_held(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.publish()
    bank.close_zone("yuehui-modu")
    bank.publish()
    second = numbers(bank)[0]
    monkeypatch.setattr(snapshots, "_KEPT", 1)
    roll_back(bank, second)
    assert second in numbers(bank)
    assert len(numbers(bank)) == 2


def shows(bank: Bank, number: int) -> int:
    with bank.wiring.reading() as unit:
        return {one: count for one, _at, _titles, count in snapshots.listed(unit)}[number]
