"""A follower answers a list with a number; kept is only what was offered, and not for long."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from lightservices import answers
from lightservices.knowledge import choosing
from lightservices.knowledge.choosing import LAST, OfferedRow, number_in
from service import clock
from service.db import table_of
from service.happenings import MediaReceived, OpenId, Unfollowed
from service.wiring import Unit
from tests.lightservices.conftest import PEOPLES_SQUARE, WHO, stand
from tests.lightservices.knowledge.test_dialogue import counted, links, said

pytestmark = pytest.mark.usefixtures("index")

OFFERS = table_of(OfferedRow)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2", 2), ("２", 2), ("②", 2), ("2.", 2), ("2、", 2), (" 2 ", 2), ("二", 2),
        ("第二个", 2), ("第2个", 2), ("第二项吧", 2), ("我选第二个", 2), ("选2", 2), ("选择 3", 3),
        ("我要看第一个。", 1), ("就第三个吧", 3), ("最后一个", LAST), ("我选最后一个吧", LAST),
        ("第一條", 1), ("1号", 1), ("【2】", 2),
    ],
)  # fmt: skip
def test_a_number_is_read_however_people_write_it(text: str, number: int) -> None:
    assert number_in(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "0", "12", "2000", "第二套房贷款", "二手房", "一类卡", "三方存管", "一万块", "2年",
     "选基金", "最后还款日", "个人", "第", "选", "第二代身份证", "5折", "我要贷款", "最", "两"],
)  # fmt: skip
def test_what_asks_for_something_is_no_number(text: str) -> None:
    assert number_in(text) is None


def test_the_number_opens_what_stood_beside_it(bank: Unit) -> None:
    stand(bank, PEOPLES_SQUARE)
    listed = links(said(bank, "限额"))
    for text, place in (("2", 1), ("第一个", 0), ("２", 1)):
        with counted("chosen"):
            content = said(bank, text)
        assert links(content)[0] == listed[place]
    assert "以上是上海市分行的" in content


def test_a_spoken_number_counts_as_a_written_one(bank: Unit) -> None:
    listed = links(said(bank, "限额"))
    spoken = MediaReceived(WHO, clock.now(), kind="voice", said="第二个。")
    reply = answers.media(bank, spoken)
    assert listed[1] in str(reply)


def test_a_number_beyond_the_list_shows_the_list_again(bank: Unit) -> None:
    listed = links(said(bank, "限额"))
    content = said(bank, "9")
    assert content.startswith("没有这个数字")
    assert links(content) == listed
    assert links(said(bank, "1"))[0] == listed[0]


def test_without_a_list_a_number_is_asked_about(bank: Unit) -> None:
    content = said(bank, "2")
    assert content.startswith("您回复的像是选项的数字")
    assert "/s/directory" in links(content)


def test_a_list_means_nothing_after_ten_minutes(bank: Unit) -> None:
    said(bank, "限额")
    _age(bank, timedelta(minutes=11))
    assert said(bank, "1").startswith("您回复的像是选项的数字")


def test_a_list_means_nothing_after_another_answer(bank: Unit) -> None:
    said(bank, "限额")
    _told, *also = links(said(bank, "银行卡丢了怎么办"))
    assert links(said(bank, "1"))[0] == also[0]


def test_what_was_switched_off_meanwhile_is_not_opened(
    bank: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand(bank, PEOPLES_SQUARE)
    first = links(said(bank, "限额"))[0].removeprefix("/s/")
    from lightservices.emergency import in_force

    monkeypatch.setattr(in_force, "hidden", lambda *_: frozenset((first,)))
    assert said(bank, "1").startswith("这一项刚刚停用了")


def test_kept_are_keys_and_a_time_and_nothing_that_was_said(bank: Unit) -> None:
    listed = links(said(bank, "限额多少钱呢辛酉"))[:3]
    (row,) = bank.db.execute(select(OFFERS)).all()
    assert {f"/s/{key}" for key in row.services} <= set(listed)
    assert isinstance(row.offered_at, datetime)
    assert "辛酉" not in str(tuple(row))
    assert set(OFFERS.columns.keys()) == {"openid", "services", "offered_at"}


def test_whoever_leaves_is_forgotten_and_old_lists_go_by_themselves(bank: Unit) -> None:
    other = OpenId("oANOTHERfollower000000000001")
    choosing.offer(bank, other, ["lost-card"])
    said(bank, "限额")
    choosing.forget(bank, Unfollowed(WHO, clock.now()))
    assert not choosing.offered(bank, WHO)
    assert choosing.offered(bank, other) == ["lost-card"]
    _age(bank, timedelta(minutes=11))
    choosing.forget_old(bank)
    assert not bank.db.execute(select(OFFERS)).all()


def _age(bank: Unit, by: timedelta) -> None:
    bank.db.execute(update(OFFERS).values(offered_at=clock.now() - by))
