"""Messages on the page of one emergency: who may start, what they see and tick, stop, words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import OperationalError

from lightservices.console import emergency_showing
from lightservices.emergency import changes, messages, operations, recipients, telling
from lightservices.emergency.message_models import MESSAGES, RUNS
from lightservices.emergency.models import EmergencyRow, Record, ReviewRow, VersionRow
from lightservices.emergency.recipients import SENT
from menus import offers
from regions import areas, coverage
from service import clock
from service.delivery.ledger import Row
from service.epochs import bump
from service.followers import Follower
from service.happenings import OpenId, TextReceived, Unfollowed
from tests.lightservices.conftest import PEOPLES_SQUARE, stand
from tests.lightservices.console.conftest import Bank, Desk, words
from tests.lightservices.emergency.duty import GUANGDONG, IN_ZHUHAI, SHANGHAI, WANG, opened

FEW = "不到 10 人"


@dataclass
class Scene:
    """An open emergency in Zhuhai with three followers inside, two of whom wrote."""

    bank: Bank
    record: Record

    @property
    def path(self) -> str:
        return f"/console/emergency/{self.record.key}"

    def at(self, login: str) -> Desk:
        return self.bank.desk(login)

    def page(self, login: str = "head") -> str:
        answer = self.at(login).get(f"{self.path}?count=1")
        assert answer.status_code == 200
        return words(answer)

    def start(self, login: str = "head", *, channel: str = "service", **form: Any) -> str:
        """What the page says after the button was pressed."""
        desk = self.at(login)
        answer = desk.post(f"{self.path}/messages/opened/{channel}", **form)
        assert answer.status_code == 303, answer.status
        return words(desk.get(answer.location.replace("#", "?count=1#")))

    def stop(self, login: str = "head", *, channel: str = "service") -> str:
        desk = self.at(login)
        answer = desk.post(f"{self.path}/messages/opened/{channel}/stop")
        assert answer.status_code == 303
        return words(desk.get(answer.location.replace("#", "?count=1#")))


def inside(bank: Bank) -> list[OpenId]:
    people = [OpenId(f"oCONSOLEtold{number:016}") for number in range(3)]
    with bank.wiring.unit() as unit:
        for number, openid in enumerate(people):
            stand(unit, IN_ZHUHAI, openid=openid)
            if number < 2:
                unit.announce(TextReceived(openid, clock.now(), "你好"))
    return people


@pytest.fixture
def scene(bank: Bank) -> Iterator[Scene]:
    yield from _scene(bank, drill=False)


@pytest.fixture
def drill(bank: Bank) -> Iterator[Scene]:
    yield from _scene(bank, drill=True)


def _scene(bank: Bank, *, drill: bool) -> Iterator[Scene]:
    people = inside(bank)
    with bank.wiring.unit() as unit:
        record = opened(unit, drill=drill)
    yield Scene(bank, record)
    with bank.wiring.unit() as unit:
        for openid in people:
            unit.announce(Unfollowed(openid, clock.now()))
        for table in (MESSAGES, RUNS):
            unit.db.execute(delete(table))
        for model in (ReviewRow, VersionRow, EmergencyRow, Row):
            unit.db.execute(delete(model))
        unit.db.execute(delete(Follower).where(Follower.openid.like("oCONSOLE%")))
        bump(unit, "emergencies")


def test_each_channel_shows_whom_whom_not_why_and_what_is_left(scene: Scene) -> None:
    page = scene.page()
    assert "开启通知 · 客服消息" in page
    assert f"会发给 {FEW}" in page
    assert f"两天内没有给本号发过消息：{FEW}" in page
    assert "今天还可以发 500000 条（每天最多 500000 条），够发完" in page
    assert "今天还可以发 100 次提交（每天最多 100 次提交，每次最多 10000 人）" in page
    assert "本行还没有配置应急通知的模板" in page
    assert "按名单群发至少要 2 人，现在不够" in page
    assert "不按标签群发" in page
    assert "请不要冒雨出门办业务" in page


def test_it_starts_with_the_ticked_number_and_shows_how_far_it_is(scene: Scene) -> None:
    assert "请先勾选核对过的人数" in scene.start()
    assert "影响范围现在是不到 10 人" in scene.start(ticked="约 4 万人")
    page = scene.start(ticked=FEW)
    assert "已开始：开启通知，客服消息" in page
    assert "正在发送" in page
    assert "停止发送" in page
    assert "正在发送，不会重复发送" in scene.start(ticked=FEW)


def test_a_stop_says_what_it_cannot_take_back_and_the_rest_can_be_told_later(
    scene: Scene,
) -> None:
    scene.start(ticked=FEW)
    with scene.bank.wiring.unit() as unit:
        (progress,) = messages.progress(unit, scene.record)
        told = telling.next_of(unit, progress.id)
        assert told is not None
        telling.settle(unit, told, SENT)
    page = scene.stop()
    assert "已经交给微信的收不回来" in page
    assert "已停止" in page
    assert "由值班人员停止" in page
    assert "已发出 1 人" in page
    assert "继续发给还没有告知的" in page
    assert "已开始" in scene.start(ticked=FEW)


def test_whoever_may_only_look_sees_no_numbers_of_people_and_who_may(scene: Scene) -> None:
    page = scene.page("reader")
    assert "需要“开启应急专区”的权限" in page
    assert "会发给" not in page
    for login, status in (("reader", 403), ("maker", 403), ("outsider", 403)):
        answer = scene.at(login).post(f"{scene.path}/messages/opened/service", ticked=FEW)
        assert answer.status_code == status


@pytest.mark.parametrize("path", ["messages/opened/pigeon", "messages/never/service"])
def test_there_is_no_other_channel_and_no_other_event(scene: Scene, path: str) -> None:
    for end in ("", "/stop"):
        assert scene.at("head").post(f"{scene.path}/{path}{end}", ticked=FEW).status_code == 404


def test_a_drill_offers_nothing_to_send_and_sends_nothing(drill: Scene) -> None:
    page = drill.page()
    assert "演练不发送任何消息" in page
    assert "开始发送" not in page
    for channel in ("service", "template", "mass"):
        assert "演练不发送消息" in drill.start(channel=channel, ticked=FEW)


def test_after_the_end_the_end_can_be_told(scene: Scene) -> None:
    with scene.bank.wiring.unit() as unit:
        operations.close(unit, scene.record.key, by=WANG)
    page = scene.page()
    assert "结束通知 · 客服消息" in page
    answer = scene.at("head").post(f"{scene.path}/messages/ended/service", ticked=FEW)
    assert answer.status_code == 303


def test_what_an_editor_wrote_opens_nothing_on_the_page(scene: Scene) -> None:
    html = scene.at("head").get(scene.path).text
    section = html[html.index('id="messages"') :]
    assert "style=" not in section
    assert "<script" not in section.split("</section>")[0]


def test_where_followers_are_too_many_to_be_counted_one_can_still_close(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_many(*_asked: Any) -> int:
        raise OperationalError("SELECT count(*)", None, Exception("statement timeout"))

    monkeypatch.setattr(recipients, "inside", too_many)
    monkeypatch.setattr(emergency_showing, "to_move", too_many)
    for shown in (
        scene.page(),
        words(scene.at("head").get(f"{scene.path}/messages"))
        + words(scene.at("head").get(f"{scene.path}/moving"))
        + words(scene.at("head").get(scene.path)),
    ):
        assert "区域内的粉丝现在数不出来，所以还不能开始发送" in shown
        assert "还有多少粉丝在等换菜单，现在数不出来" in shown
        assert "再数一次" in shown
        assert "立即看不到它" in shown


def test_neither_the_page_nor_its_layers_count_followers(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted(*_asked: Any) -> int:
        raise AssertionError("nothing counts followers here")

    with scene.bank.wiring.unit() as unit:
        changes.extend(unit, scene.record.key, hours=5, why="台风未停", by=WANG)
    for place, name in ((recipients, "inside"), (offers, "on_the_way"), (coverage, "reach")):
        monkeypatch.setattr(place, name, counted)
    for path in (scene.path, f"{scene.path}/layers", "/console/emergency", "/console/"):
        assert scene.at("head").get(path).status_code == 200


def test_how_many_wait_for_a_menu_is_told_of_ones_own_branches_only(scene: Scene) -> None:
    away = OpenId("oCONSOLEshanghai00000001")
    with scene.bank.wiring.unit() as unit:
        stand(unit, PEOPLES_SQUARE, openid=away)
        unit.db.execute(update(offers.MenuOffer).values(trying_tag_id=1))
        offers.ask(unit, away)
        wide = opened(unit, area=areas.read({"inside": {"divisions": ["440400", "310000"]}}))
    with scene.bank.wiring.reading() as unit:
        found = [emergency_showing.to_move(unit, wide, me) for me in (SHANGHAI, GUANGDONG, WANG)]
    shown = words(scene.at("head").get(f"/console/emergency/{wide.key}/moving"))
    with scene.bank.wiring.unit() as unit:
        unit.announce(Unfollowed(away, clock.now()))
    assert found[0] >= 1
    assert found[1] >= 3
    assert found[2] == found[0] + found[1]
    assert "等待换菜单的粉丝" in shown
    assert FEW in shown
