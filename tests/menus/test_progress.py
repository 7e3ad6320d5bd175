"""What is told of a publication while it runs: menus left and done, and who has the page by now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from menus import book, progress, publication
from menus.slots import Overlay, SlotKind
from service import clock
from service.delivery.ledger import Row
from service.wiring import MenuProgress
from tests.menus.conftest import Bank

PATH = "/e/typhoon-0101"


@pytest.fixture
def alarmed(bank: Bank) -> Bank:
    """The bank with an emergency over Shanghai and Shenzhen."""
    present = clock.now()
    entry = Overlay(
        kind=SlotKind("emergency"), key="typhoon-0101", title="台风", target=PATH,
        branches=frozenset({"B310000", "B440300"}), rank=5, starts_at=present,
        ends_at=present + timedelta(hours=2),
    )  # fmt: skip
    tables = replace(bank.wiring.tables, overlays=(lambda _unit: [entry],))
    return replace(bank, wiring=replace(bank.wiring, tables=tables))


def seen(bank: Bank, path: str = PATH) -> MenuProgress:
    with bank.wiring.reading() as unit:
        return progress.of(unit, path)


def test_an_account_nobody_published_to_is_told_apart(alarmed: Bank) -> None:
    found = seen(alarmed)
    assert not found.is_kept
    assert found.asked_at is None
    assert found.shown == 0
    assert found.groups == {"B310000", "B440300"}


def test_what_is_left_and_done_shows_before_and_after_a_publication(
    bank: Bank, alarmed: Bank
) -> None:
    bank.publish()
    assert seen(bank).state == "settled"
    assert seen(bank).wanted == 0
    with alarmed.wiring.unit() as unit:
        publication.request_publication(unit)
    before = seen(alarmed)
    assert before.state == "waiting"
    assert (before.wanted, before.shown) == (2, 0)
    assert before.to_add == 2
    assert before.groups_shown == frozenset()
    alarmed.work()
    after = seen(alarmed)
    assert after.state == "settled"
    assert (after.wanted, after.shown) == (2, 2)
    assert (after.to_add, after.to_remove) == (0, 0)
    assert after.added == 2
    assert after.groups == after.groups_shown == {"B310000", "B440300"}
    assert after.latest_at is not None
    assert after.next_at is not None
    assert seen(alarmed, "/e/another").wanted == 0


def test_what_was_changed_elsewhere_or_failed_is_told_with_the_way_out(alarmed: Bank) -> None:
    alarmed.publish()
    with alarmed.wiring.unit() as unit:
        book.note(unit, drift=["默认菜单被改动"])
    found = seen(alarmed)
    assert found.state == "stuck"
    assert "默认菜单被改动" in found.trouble
    with alarmed.wiring.unit() as unit:
        book.note(unit, drift=[])
        publication.request_publication(unit)
        waits = Row.kind == "menus.settle_menus", Row.key == "menus"
        unit.db.execute(update(Row).where(*waits).values(state="failed", last_failure="微信说不"))
    found = seen(alarmed)
    assert found.state == "stuck"
    assert "微信说不" in found.trouble


def test_a_menu_that_is_held_says_so(alarmed: Bank) -> None:
    alarmed.publish()
    with alarmed.wiring.unit() as unit:
        book.note(unit, held_snapshot=1, held_at=clock.now())
    assert not seen(alarmed).is_kept
    assert "存档" in seen(alarmed).trouble
