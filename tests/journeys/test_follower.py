"""The main job: an event comes in, the place becomes a branch, the follower is served there."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import MetaData, Table, func, select

from tests.journeys.town import NANJING, SHANGHAI, SUZHOU, Town


def test_a_follower_is_served_wherever_they_are(town: Town, follower: str) -> None:
    (welcome,) = town.do(follower, "subscribe")
    assert "欢迎" in str(welcome["reply"])
    town.settle()
    default = town.columns(follower)

    (answer,) = town.do(follower, "location", lat=SHANGHAI[0], lng=SHANGHAI[1], precision=30)
    assert answer["status"] == 200
    town.settle()
    assert town.columns(follower)[2] == "约惠魔都" != default[2]

    (reply,) = town.do(follower, "click", key="svc:promotions")
    assert "上海" in str(reply["reply"])
    page = town.open(follower, "/z/local")
    assert page["status"] == 200
    assert "约惠魔都" in page["html"]
    assert "上海市分行" in page["html"]

    town.at(follower, NANJING)
    assert town.columns(follower)[2] == "礼遇江苏"
    assert "江苏省分行" in town.open(follower, "/s/promotions")["html"]

    town.at(follower, SUZHOU)
    page = town.open(follower, "/s/promotions")
    assert "苏州分行" in page["html"]
    assert town.columns(follower)[2] not in ("礼遇江苏", default[2])


def test_every_button_of_every_menu_leads_somewhere(town: Town, follower: str) -> None:
    town.do(follower, "subscribe")
    town.at(follower, SHANGHAI)
    for column, top in enumerate(town.menu(follower)):
        for row, button in enumerate(top.get("sub_button") or [top]):
            (delivery,) = town.do(follower, "tap", index=[column, row])
            assert delivery["status"] == 200
            if button["type"] == "view":
                page = town.control(f"followers/{follower}/open", url=button["url"])
                assert page["status"] == 200, button
                assert "上海市分行" in page["html"], button
            else:
                assert delivery["reply"], button


def test_four_deliveries_of_a_tap_have_one_answer(town: Town, follower: str) -> None:
    town.do(follower, "subscribe")
    deliveries = town.do(follower, "click", key="svc:lost-card", times=4)
    replies = [delivery["reply"] for delivery in deliveries]
    assert len(replies) == 4
    assert all(reply == replies[0] for reply in replies)


def test_flicker_at_the_border_leaves_the_menu_alone(town: Town, follower: str) -> None:
    in_suzhou, in_shanghai = (31.30, 121.1447), (31.30, 121.1463)
    town.do(follower, "subscribe")
    town.at(follower, SHANGHAI)
    now = int(time.time())
    for second in range(0, 12, 2):
        town.at(follower, in_suzhou, at=now + second + 1, precision=300)
        town.at(follower, in_shanghai, at=now + second + 2, precision=300)
    assert town.columns(follower)[2] == "约惠魔都"


def test_a_followers_menu_survives_leaving_and_coming_back(town: Town, follower: str) -> None:
    town.do(follower, "subscribe")
    town.at(follower, SHANGHAI)
    town.do(follower, "unsubscribe")
    town.settle()
    time.sleep(1.1)
    town.do(follower, "subscribe")
    town.settle()
    town.at(follower, SUZHOU)
    assert "苏州" in town.open(follower, "/s/promotions")["html"]


def test_a_chosen_city_outweighs_the_phone(town: Town, follower: str) -> None:
    town.do(follower, "subscribe")
    town.at(follower, SHANGHAI)
    assert town.open(follower, "/s/my-city")["status"] == 200


def test_whoever_leaves_leaves_nothing_behind(town: Town, follower: str) -> None:
    town.do(follower, "subscribe")
    town.at(follower, SHANGHAI)
    town.do(follower, "click", key="svc:promotions")
    town.open(follower, "/s/outlets")
    town.do(follower, "unsubscribe")
    town.settle()
    with town.wiring.reading() as unit:
        tables = MetaData()
        tables.reflect(unit.db)
        for table in tables.tables.values():
            assert mentions(unit.db, table, follower) == 0, table.name


def mentions(connection: object, table: Table, word: str) -> int:
    """In how many rows of a table the word stands anywhere."""
    from sqlalchemy import Connection, String, cast, or_

    assert isinstance(connection, Connection)
    anywhere = or_(*(cast(column, String).contains(word) for column in table.columns))
    return connection.execute(select(func.count()).select_from(table).where(anywhere)).scalar_one()


@pytest.mark.parametrize("at_once", [20])
def test_many_followers_move_in_few_calls(town: Town, at_once: int) -> None:
    openids = [town.control("followers", name=f"同行{n}")["openid"] for n in range(at_once)]
    for openid in openids:
        town.do(openid, "subscribe")
        town.do(openid, "location", lat=SHANGHAI[0], lng=SHANGHAI[1], precision=30)
    before = calls(town, "batchtagging")
    town.settle()
    assert {town.columns(openid)[2] for openid in openids} == {"约惠魔都"}
    assert calls(town, "batchtagging") - before <= 2
    for openid in openids:
        town.do(openid, "unsubscribe")


def calls(town: Town, name: str) -> int:
    """How often an API was called so far."""
    with town.sandbox.world.lock:
        log = town.control("log")
    entries = log["exchanges"] if isinstance(log, dict) else log
    return sum(name in str(entry.get("path", "")) for entry in entries)
