"""A follower chooses by number; over HTTP, sealed, through the one transaction."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from lightservices.knowledge import ready
from lightservices.knowledge.choosing import OfferedRow
from service.db import table_of
from tests.journeys.town import SHANGHAI, Town

OFFERS = table_of(OfferedRow)


@pytest.fixture(autouse=True)
def _index() -> None:
    assert ready.index(patience=None)


def said(town: Town, openid: str, text: str, **more: object) -> str:
    delivery, *others = town.do(openid, "message", content=text, **more)
    assert all(other["reply"] == delivery["reply"] for other in others)
    return str(delivery["reply"])


def kept(town: Town, openid: str) -> list[list[str]]:
    with town.wiring.reading() as unit:
        rows = unit.db.execute(select(OFFERS.c.services).where(OFFERS.c.openid == openid))
        return [list(row.services) for row in rows]


def test_a_follower_chooses_by_number_and_leaves_no_trace(town: Town, follower: str) -> None:
    town.do(follower, "subscribe")
    town.at(follower, SHANGHAI)
    listed = re.findall(r"/s/([a-z-]+)", said(town, follower, "限额", times=3))
    listed = [key for key in listed if key != "directory"]
    assert kept(town, follower) == [listed]
    reply = said(town, follower, "第二个", times=4)
    assert re.findall(r"/s/([a-z-]+)", reply)[0] == listed[1]
    assert "以上是上海市分行的" in reply
    assert f"/s/{listed[0]}" in said(town, follower, "１")
    said(town, follower, "大额取款")
    assert kept(town, follower) == []
    said(town, follower, "限额")
    town.do(follower, "unsubscribe")
    town.settle()
    assert kept(town, follower) == []
