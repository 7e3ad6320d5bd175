"""A branch's figures: counted by the way, shown by day, taken away as a file, about nobody."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import inspect, select

from lightservices import answers, counts, deliveries, figures, taps
from lightservices.console import charts
from lightservices.counts import today
from lightservices.pages import tally
from lightservices.pages.tally import Tally
from regions import population, presence
from regions.presence import Presence
from service import clock, followers
from service.audit.models import AuditEntry
from service.db import Base, table_of
from service.delivery.ledger import Desk
from service.happenings import Clicked, Fact, LocationReported, OpenId, Surface, Viewed
from service.wiring import Unit
from tests.lightservices.console.conftest import BELOW, ELSEWHERE, HERE, TIANHE, Bank, words

PATH = f"/console/branches/{HERE}/figures"
WHO = OpenId("oTAPPER000000000000000000001")


@pytest.fixture
def there(bank: Bank) -> Iterator[Bank]:
    """Somebody follows the account and stands in 天河."""
    bank.wiring.shelf.pop(Tally, None)
    with bank.wiring.unit() as unit:
        followers.meet(unit, Fact(WHO, clock.now()))
        fix = LocationReported(WHO, clock.now(), *TIANHE, 30.0, Surface.PAGE)
        presence.follow_to(unit, fix)
    yield bank
    with bank.wiring.unit() as unit:
        unit.db.execute(table_of(Presence).delete())
        unit.db.execute(table_of(followers.Follower).delete())


def tapped(bank: Bank) -> dict[tuple[str, str], int]:
    with bank.wiring.reading() as unit:
        rows = unit.db.execute(select(*table_of(counts.TapRow).c))
        return {(row.branch_code, row.button): row.total for row in rows}


def fill(bank: Bank, *, people: int = 500) -> None:
    """A fortnight of figures for the branch, one below it and one elsewhere."""
    with bank.wiring.unit() as unit:
        for back in range(14):
            day = today() - timedelta(days=back)
            for branch, times in ((HERE, 10), (BELOW, 7), (ELSEWHERE, 99)):
                counts.add_taps(unit, {(day, branch, "svc:lost-card"): times})
                counts.add_opens(unit, {(day, branch, "outlets"): 2 * times})
            counts.put_followers(unit, day, {HERE: people, BELOW: 3, ELSEWHERE: 900})
        counts.add_feedback(unit, branch=HERE, page="outlets", is_useful=True)
        counts.add_feedback(unit, branch=HERE, page="outlets", is_useful=False)


def test_taps_are_counted_in_the_process_and_written_now_and_then(
    there: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = there.wiring.settings.public_base_url
    with there.wiring.reading() as unit:
        for _ in range(3):
            answers.clicked(unit, Clicked(WHO, clock.now(), key="svc:lost-card"))
        answers.clicked(unit, Clicked(WHO, clock.now(), key="svc:nothing"))
        taps.viewed(unit, Viewed(WHO, clock.now(), url=f"{base}/z/local?from=menu"))
    assert tapped(there) == {}
    monkeypatch.setattr(tally, "EVERY_SECONDS", 0)
    with there.wiring.reading() as unit:
        taps.viewed(unit, Viewed(WHO, clock.now(), url="https://mall.example.com/a?id=7"))
        assert tapped(there) == {}, "a look-up writes nothing while it lasts"
    assert tapped(there) == {
        (HERE, "svc:lost-card"): 3, (HERE, "/z/local"): 1, (HERE, "mall.example.com"): 1,
    }  # fmt: skip


def test_a_tap_in_a_transaction_is_written_after_it(
    there: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "EVERY_SECONDS", 0)
    with there.wiring.unit() as unit:
        answers.clicked(unit, Clicked(WHO, clock.now(), key="svc:lost-card"))
    assert tapped(there) == {(HERE, "svc:lost-card"): 1}


@pytest.mark.parametrize(
    ("url", "button"),
    [
        ("http://bank/s/outlets?q=1#x", "/s/outlets"), ("http://bank.evil/s/x", "bank.evil"),
        ("http://bank/" + "a" * 99, "/" + "a" * 63), ("", "（小程序或其他）"),
    ],
)  # fmt: skip
def test_a_links_button_is_its_path_without_what_follows(url: str, button: str) -> None:
    assert taps.button_of(url, "http://bank") == button


def test_followers_are_counted_once_a_day_in_strides(
    there: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "STRIDE", 2)
    with there.wiring.unit() as unit:
        for number in range(5):
            followers.meet(unit, Fact(OpenId(f"oSTRIDE{number}"), clock.now()))
    deliveries.count(Desk(there.wiring), [])
    with there.wiring.reading() as unit:
        table = table_of(counts.FollowerCountRow)
        rows = unit.db.execute(select(table.c.branch_code, table.c.total).where(table.c.total > 0))
        assert {row.branch_code: row.total for row in rows} == {"HQ": 5, HERE: 1}
        assert counts.has_followers(unit, today())
        assert not counts.has_followers(unit, today() - timedelta(days=1))


def test_a_branch_with_those_below_it_or_alone(bank: Bank) -> None:
    fill(bank)
    desk = bank.desk("maker")
    whole, own = words(desk.get(PATH)), words(desk.get(f"{PATH}?scope=own&days=7"))
    assert "菜单点击 238 次 打开页面 476 次 本地粉丝 503" in whole
    assert "菜单点击 70 次 打开页面 140 次 本地粉丝 500" in own
    assert "卡片挂失" in whole
    assert "觉得有用 1 没用 1" in whole
    assert "菜单点击：按机构 机构 次数 广东省分行 140 汕头分行 98" in whole
    assert "上海" not in whole
    page = desk.get(PATH).text
    assert "style=" not in page
    assert page.count("<svg") == 5 == page.count('role="img"')


def test_few_followers_are_told_of_in_fives(bank: Bank) -> None:
    fill(bank, people=20)
    page = words(bank.desk("maker").get(f"{PATH}?scope=own&days=7"))
    assert "菜单点击 约 70 次 打开页面 约 140 次 本地粉丝 约 20" in page
    assert "觉得有用 不足 5 没用 不足 5" in page
    assert "数量以 5 为单位显示" in page


def test_nothing_counted_yet_is_a_page_as_well(bank: Bank) -> None:
    page = words(bank.desk("reader").get(PATH))
    assert "菜单点击 0 次" in page
    assert "今天稍后点数" in page


def test_the_file_says_what_the_page_says_and_is_in_the_audit(bank: Bank) -> None:
    fill(bank)
    with bank.wiring.unit() as unit:
        counts.add_taps(unit, {(today(), HERE, "=cmd()"): 1})
    answer = bank.desk("maker").post(f"{PATH}/export", days="7", scope="own")
    told = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert told[0] == ["指标", "日期或项目", "数量"]
    assert ["菜单点击（按日）", today().isoformat(), "11"] in told
    assert ["菜单点击（按项目）", "'=cmd()", "1"] in told
    table = table_of(AuditEntry)
    with bank.wiring.reading() as unit:
        last = unit.db.execute(select(table.c.act).order_by(table.c.seq.desc()).limit(1)).scalar()
    assert last == "figures.export"


def test_who_may_see_and_take_away(bank: Bank) -> None:
    assert bank.desk("reader").get(PATH).status_code == 200
    assert bank.desk("reader").post(f"{PATH}/export").status_code == 403
    assert bank.desk("outsider").get(PATH).status_code == 404
    assert bank.desk("outsider").post(f"{PATH}/export").status_code == 404
    assert bank.desk("maker").get(f"/console/branches/{BELOW}/figures").status_code == 200


def test_tickets_are_counted_by_chinas_day(bank: Bank) -> None:
    """A ticket of one in the morning in Shanghai was opened the day before by UTC."""
    from lightservices.tickets.models import TicketRow

    table = table_of(TicketRow)
    one = clock.shanghai(clock.now()).replace(hour=1, minute=0) - timedelta(days=1)
    with bank.wiring.unit() as unit:
        unit.db.execute(table.delete())
        unit.db.execute(
            table.insert().values(
                number="T1", token="t", category="建议", branch_code=HERE, sealed="",
                state="open", opened_at=one, due_at=one, service="", holder="",
            )
        )  # fmt: skip
        found = figures.figures(unit, [HERE], days=7)
        unit.db.execute(table.delete())
    assert dict(found.opened_tickets.by_day) == {one.date(): 1}
    assert dict(found.opened_tickets.by_item) == {"建议": 1}


def test_no_table_of_figures_has_room_for_a_person(unit: Unit) -> None:
    mine = {"tap_counts", "service_opens", "feedback_counts", "follower_counts", "outlet_uploads"}
    assert mine <= set(Base.metadata.tables)
    for table in mine:
        columns = {column["name"] for column in inspect(unit.db).get_columns(table)}
        assert not columns & {"openid", "follower", "follower_id", "unionid"}
    kept = {"day", "branch_code", "button", "service", "page", "answer", "total"}
    for table in mine - {"outlet_uploads"}:
        assert {column["name"] for column in inspect(unit.db).get_columns(table)} <= kept


def test_a_chart_stays_in_its_frame() -> None:
    days = [today() - timedelta(days=back) for back in reversed(range(90))]
    drawn = charts.bars(days, dict.fromkeys(days, 7), {days[3]: 123_456})
    assert all(bar.y >= 0 and bar.y + bar.height <= charts.HEIGHT for bar in drawn.bars)
    assert all(bar.x >= 0 and bar.x + bar.width <= charts.WIDTH for bar in drawn.bars)
    assert len(drawn.days) <= 7
    assert drawn.scale[-1].text == "160,000"
    assert charts.line(days, {}).line == ""
