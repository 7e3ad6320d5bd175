"""What the person on duty sees of emergencies: what stands, what waits, what is owed; no more."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import delete

from lightservices.emergency import changes, operations, queries
from lightservices.emergency.models import EmergencyRow, ReviewRow, VersionRow
from service.epochs import bump
from tests.lightservices.console.conftest import Bank
from tests.lightservices.emergency.duty import (
    LI,
    SHANGHAI_CITY,
    WANG,
    ZHUHAI,
    broken,
    key_of,
    opened,
    proposed,
)

PAGE = "/console/emergency"


@pytest.fixture
def calm(bank: Bank) -> Iterator[Bank]:
    """Nothing is open before, and nothing after."""
    yield bank
    with bank.wiring.unit() as unit:
        for model in (ReviewRow, VersionRow, EmergencyRow):
            unit.db.execute(delete(model))
        bump(unit, "emergencies")


def test_nothing_open_is_said_in_words(calm: Bank) -> None:
    assert "现在没有开启的或等待确认的应急专区" in calm.desk("reader").get(PAGE).text


def test_a_proposal_names_its_maker_and_leads_to_its_own_page(calm: Bank) -> None:
    with calm.wiring.unit() as unit:
        key = key_of(unit, proposed(unit))
    shown = calm.desk("maker").get(PAGE).text
    assert f'href="{PAGE}/{key}"' in shown
    assert "王值班" in shown
    assert "台风将至" in shown
    assert "等待另一人确认开启" in shown


def test_what_is_open_shows_how_long_it_still_is_and_a_change_that_waits(calm: Bank) -> None:
    with calm.wiring.unit() as unit:
        record = opened(unit)
        changes.extend(unit, record.key, hours=50, why="台风未停", by=WANG)
    shown = calm.desk("head").get(PAGE).text
    assert f'href="{PAGE}/{record.key}"' in shown
    assert "还剩" in shown
    assert "有修改等待确认" in shown


def test_a_plan_leads_into_a_new_one_for_those_who_may_propose(calm: Bank) -> None:
    for login, may in (("maker", True), ("reader", False)):
        shown = calm.desk(login).get(PAGE).text
        assert f'href="{PAGE}/plans"' in shown
        assert ("从预案开始" in shown) is may


def test_what_has_ended_comes_page_by_page_without_what_is_others(
    calm: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    ended = []
    with calm.wiring.unit() as unit:
        for area in (ZHUHAI, SHANGHAI_CITY, ZHUHAI, SHANGHAI_CITY, ZHUHAI):
            record = broken(unit, area=area)
            operations.close(unit, record.key, by=WANG)
            operations.review(unit, record.key, justified=True, words="属实", by=LI)
            ended += [record.key] if area is ZHUHAI else []
    first = calm.desk("reader").get(PAGE).text
    assert [key for key in ended if key in first] == ended[1:]
    [older] = re.findall(r'href="[^"]+\?older=(\d+)"', first)
    then = calm.desk("reader").get(f"{PAGE}?older={older}").text
    assert [key for key in ended if key in then] == ended[:1]
    assert "更早的" not in then
    assert calm.desk("reader").get(f"{PAGE}?older={10**30}").status_code == 200


def test_a_review_stays_owed_after_the_end_until_another_person_has_done_it(calm: Bank) -> None:
    with calm.wiring.unit() as unit:
        record = broken(unit)
        operations.close(unit, record.key, by=WANG)
    assert "还欠补审" in calm.desk("head").get(PAGE).text
    with calm.wiring.unit() as unit:
        operations.review(unit, record.key, justified=True, words="台风已登陆", by=LI)
    shown = calm.desk("head").get(PAGE).text
    assert "还欠补审" not in shown
    assert record.key in shown


def test_another_branch_sees_nothing_of_it(calm: Bank) -> None:
    with calm.wiring.unit() as unit:
        record = opened(unit)
    assert record.key not in calm.desk("outsider").get(PAGE).text
