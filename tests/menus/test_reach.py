"""Which tag a branch's followers may be given, while a publication is changing just that."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from menus import fills, frame, moving, offers, publication, status, variants
from menus.items import Item
from menus.slots import Fill, read_frame, write_frame
from service.delivery.ledger import FAILED, Row
from service.wechat.gateway import transaction_open
from tests.menus.conftest import WUXI, Bank


@pytest.mark.postgresql
def test_whoever_waits_for_a_branch_that_gets_another_tag_finds_the_new_one(
    bank_on_postgresql: Bank,
) -> None:
    bank = bank_on_postgresql
    with bank.wiring.unit() as unit:
        for tag_id in (101, 102):
            variants.record(unit, tag_id, key="B310000", tag_name=f"菜单 B310000 {tag_id}")
        variants.put_in_reach(unit, {"B310000": 101, "B320000": 101})
    found: list[dict[str, int]] = []

    def look() -> None:
        with bank.wiring.unit() as unit:
            found.append(variants.standing(unit, ["B310000", "B320000"]))

    with bank.wiring.unit() as unit:
        variants.put_in_reach(unit, {"B310000": 102})
        tagging = threading.Thread(target=look)
        tagging.start()
        tagging.join(0.5)
        assert tagging.is_alive()  # It waits for what is being changed.
    tagging.join()
    assert found == [{"B310000": 102}]


def test_followers_are_not_counted_while_others_wait_for_the_map(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.publish()
    somebody = bank.follower("B320200")
    bank.work()
    count, held = offers.on_the_way, list[bool]()

    def watched(*arguments: object) -> int:
        held.append(transaction_open.get())
        return count(*arguments)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(offers, "on_the_way", watched)
    bank.open_zone(WUXI)
    bank.publish()
    assert bank.third_column(somebody) == "锡享生活"
    assert held == [False]
    with bank.wiring.reading() as unit:
        assert moving.progress(unit).total == 1


def test_a_broken_frame_is_told_and_holds_up_nobody_elses_transaction(bank: Bank) -> None:
    content = write_frame(frame.default())
    content["columns"][0]["slots"][1]["items"] = [
        {"name": "官网", "target": "https://bank.example.com/"}
    ]
    with bank.wiring.unit() as unit:
        frame.publish(unit, read_frame(content))
    bank.publish()
    object.__setattr__(bank.wiring.settings, "link_hosts", "other.example.com")
    bank.wiring.shelf.clear()
    for _ in range(3):
        with bank.wiring.unit() as unit:
            fills.put(unit, "B310000", "local-one", Fill((Item("浦江游", "/s/outlets"),)))
            publication.keep_up(unit)
        bank.work()
    with bank.wiring.reading() as unit:
        found = status.undisturbed(unit)
        failed = unit.db.execute(select(Row.attempts).where(Row.state == FAILED)).scalars().all()
    assert not found.well
    assert "bank.example.com" in found.says
    assert failed == [1]
