"""While an emergency is on, the database, Redis and WeChat go away one by one and come back."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from config import Settings
from lightservices.emergency import messages, operations
from lightservices.emergency.models import Record
from regions import areas, presence
from service import clock
from service.delivery.ledger import RUNNING, WAITING, Row
from service.delivery.worker import Worker
from service.epochs import LOOK_SECONDS
from service.happenings import OpenId
from service.webhook.intake import REST_SECONDS
from service.wiring import Wiring
from tests.journeys.lines import Line
from tests.journeys.town import Town, built
from tests.lightservices.emergency.conftest import with_map
from tests.lightservices.emergency.duty import IN_ZHONGSHAN, IN_ZHUHAI, LI, WANG, ZHUHAI, opened
from tests.services import REDIS, own_database

pytestmark = [pytest.mark.postgresql, pytest.mark.timeout(180)]
__all__ = ["with_map"]

INSIDE, OUTSIDE = (f"oEMERGENCYoutages{number:011}" for number in range(2))
#: They live where the second emergency opens, and are told of it.
NEIGHBOURS = tuple(f"oEMERGENCYoutages{number:011}" for number in range(2, 8))
ZHONGSHAN = areas.read({"inside": {"divisions": ["442000"]}})
#: What WeChat waits for an answer, and a bank's bars say of one whatever is broken.
WEBHOOK_SECONDS = 4.0
ENTRY = "台风应急"
#: Seconds in which whatever was put off is done, and in which nothing must be done any more.
PATIENCE, QUIET = 60.0, 3.0
ADD = "/cgi-bin/menu/addconditional"
TAGGING = ("/cgi-bin/tags/members/batchtagging", "/cgi-bin/tags/members/batchuntagging")


@dataclass(frozen=True)
class Outages:
    """A town whose lines to the database and to Redis a test can cut, with an open emergency."""

    town: Town
    database: Line
    redis: Line
    record: Record
    cookies: Mapping[str, str]

    def get(self, path: str) -> requests.Response:
        """A guest who picked Zhuhai looks."""
        with requests.Session() as guest:
            guest.cookies.update(self.cookies)
            return guest.get(f"{self.town.web}{path}", timeout=30)

    def wait_for(self, holds: Callable[[], bool]) -> None:
        """The worker, alive all the time, comes to it by itself."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, "it never came to it"
            time.sleep(0.25)

    def entries(self, openid: str) -> list[str]:
        tops = self.town.menu(openid)
        return [one["name"] for top in tops for one in (top.get("sub_button") or [top])]

    def calls(self, *paths: str) -> list[str]:
        """What WeChat was asked, in order, of these paths."""
        found = self.town.sandbox.world.exchanges.after()
        return [one["path"] for one in found if one["path"] in paths]


@pytest.fixture(scope="module")
def outages(
    tmp_path_factory: pytest.TempPathFactory,
    settings: Settings,
    with_map: Callable[[Path], Path],
    postgresql_url: str,
) -> Iterator[Outages]:
    with own_database(postgresql_url, "outages") as url:
        yield from _furnished(with_map(tmp_path_factory.mktemp("outages")), settings, url)


def _furnished(folder: Path, settings: Settings, url: str) -> Iterator[Outages]:
    server = make_url(url)
    database = Line(server.host or "127.0.0.1", server.port or 5432)
    redis = Line(*_redis())
    through = server.set(host="127.0.0.1", port=database.port)
    behind = replace(
        settings,
        database_url=through.render_as_string(hide_password=False),
        redis_url=f"redis://127.0.0.1:{redis.port}/15",
    )
    with built(folder, behind) as town, working(town.wiring):
        places = {INSIDE: IN_ZHUHAI} | dict.fromkeys((OUTSIDE, *NEIGHBOURS), IN_ZHONGSHAN)
        for openid, place in places.items():
            town.control("followers", openid=openid)
            town.do(openid, "subscribe")
            town.at(openid, place)
            town.do(openid, "message", content="你好")
        with town.wiring.unit() as unit:
            record = opened(unit, area=ZHUHAI)
        with requests.Session() as guest:
            guest.post(f"{town.web}/visit/city", data={"division": "440400"}, timeout=30)
            cookies = dict(guest.cookies)
        found = Outages(town, database, redis, record, cookies)
        found.wait_for(lambda: ENTRY in found.entries(INSIDE))
        yield found
    database.close()
    redis.close()


@contextmanager
def working(wiring: Wiring) -> Iterator[None]:
    """A worker, as the bank's runs."""
    worker = Worker(wiring)
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield
    worker.stop()
    thread.join()


def _redis() -> tuple[str, int]:
    address = urlsplit(os.environ.get("TEST_REDIS_URL", REDIS))
    return address.hostname or "127.0.0.1", address.port or 6379


def _push(outages: Outages, openid: str, deed: str, **sent: Any) -> list[dict[str, Any]]:
    """What the webhook answered; every answer comes in time and is no error WeChat would tell."""
    began = time.monotonic()
    answers = outages.town.do(openid, deed, **sent)
    assert time.monotonic() - began < WEBHOOK_SECONDS
    assert [one["status"] for one in answers] == [200] * len(answers)
    return answers


def _county(outages: Outages, openid: str) -> str:
    """Where the program has them; "" while it cannot be asked."""
    with suppress(OperationalError), outages.town.wiring.reading() as unit:
        return str(presence.where(unit, OpenId(openid)).division)
    return ""


def _is_at_rest(outages: Outages) -> bool:
    """Whether nothing is left to be done for the menus, but at a moment that is yet to come."""
    soon = clock.now() + timedelta(seconds=PATIENCE)
    ours = (Row.kind.startswith("menus."), Row.state.in_((WAITING, RUNNING)), Row.due_at < soon)
    with outages.town.wiring.reading() as unit:
        return unit.db.execute(select(Row.id).where(*ours).limit(1)).first() is None


def _can_write(outages: Outages) -> bool:
    """Whether whoever acts now reaches the database; what was cut is found out once by each."""
    try:
        with outages.town.wiring.unit() as unit:
            unit.db.execute(select(1))
    except OperationalError:
        return False
    return True


@pytest.mark.parametrize("fault", ["frozen", "cut"])
def test_without_the_database_pages_stay_the_webhook_answers_and_what_came_in_is_done_once(
    outages: Outages, fault: str
) -> None:
    town, line = outages.town, outages.database
    assert "截至" not in outages.get(outages.record.path).text
    (line.freeze if fault == "frozen" else line.cut)()
    try:
        # The follower drives into Zhuhai while nobody can write it down.
        _push(outages, OUTSIDE, "location", lat=IN_ZHUHAI[0], lng=IN_ZHUHAI[1], precision=30)
        _push(outages, INSIDE, "message", content="挂失")
        # For a second more a process may answer from what it keeps, without asking anybody.
        time.sleep(LOOK_SECONDS)
        for path in (outages.record.path, "/s/outlets"):
            shown = outages.get(path)
            assert (shown.status_code, "截至" in shown.text) == (200, True), path
    finally:
        (line.thaw if fault == "frozen" else line.mend)()
    time.sleep(REST_SECONDS)
    outages.wait_for(lambda: _county(outages, OUTSIDE).startswith("4404"))
    outages.wait_for(lambda: _can_write(outages))
    outages.wait_for(lambda: ENTRY in outages.entries(OUTSIDE))
    tagged = len(outages.calls(*TAGGING))
    time.sleep(QUIET)
    assert len(outages.calls(*TAGGING)) == tagged
    assert "截至" not in outages.get(outages.record.path).text
    town.at(OUTSIDE, IN_ZHONGSHAN)
    outages.wait_for(lambda: ENTRY not in outages.entries(OUTSIDE))


@pytest.mark.parametrize("fault", ["frozen", "cut"])
def test_without_redis_an_emergency_is_seen_and_gone_within_five_seconds(
    outages: Outages, fault: str
) -> None:
    line = outages.redis
    (line.freeze if fault == "frozen" else line.cut)()
    try:
        with outages.town.wiring.unit() as unit:
            other = opened(unit, area=ZHUHAI, pack="outage")
        _seen(outages, other.path, True)
        _push(outages, INSIDE, "message", content="挂失")
        with outages.town.wiring.unit() as unit:
            operations.close(unit, other.key, by=WANG)
        _seen(outages, other.path, False)
    finally:
        (line.thaw if fault == "frozen" else line.mend)()


def test_without_wechat_pages_change_at_once_and_menus_and_messages_follow_once(
    outages: Outages,
) -> None:
    town = outages.town
    # What earlier emergencies left to be done would be counted as this one's.
    outages.wait_for(lambda: _is_at_rest(outages))
    before = outages.entries(OUTSIDE)
    town.sandbox.world.faults.play(
        {"rules": [{"path": "/cgi-bin/*", "do": "status", "status": 503}]}
    )
    try:
        with town.wiring.unit() as unit:
            other = opened(unit, area=ZHONGSHAN)
        with town.wiring.unit() as unit:
            told = messages.estimate(unit, other)
            messages.start(unit, other.key, messages.OPENED, ticked=told.ticked, by=LI)
        (answer,) = _push(outages, OUTSIDE, "message", content="挂失")
        assert other.path in str(answer["reply"])
        time.sleep(QUIET)
        assert outages.entries(OUTSIDE) == before
    finally:
        town.sandbox.world.faults.play({})
    added = len(outages.calls(ADD))
    outages.wait_for(lambda: ENTRY in outages.entries(OUTSIDE))
    assert len(outages.calls(ADD)) - added == 1
    outages.wait_for(lambda: [one.state for one in _told(outages, other)] == ["done"])
    time.sleep(QUIET)
    (run,) = _told(outages, other)
    # A call that met the outage may have arrived; nobody else was given up to it.
    assert run.sent + run.unsure == 1 + len(NEIGHBOURS)
    assert run.unsure <= 4
    read = [str(town.control(f"followers/{openid}")) for openid in (OUTSIDE, *NEIGHBOURS)]
    assert sum(text.count(told_words(other)) for text in read) == run.sent
    with town.wiring.unit() as unit:
        operations.close(unit, other.key, by=WANG)
    outages.wait_for(lambda: ENTRY not in outages.entries(OUTSIDE))


def _seen(outages: Outages, path: str, is_there: bool) -> None:
    deadline = time.monotonic() + 5
    while (path in outages.get("/s/lost-card").text) is not is_there:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _told(outages: Outages, record: Record) -> list[messages.Progress]:
    with outages.town.wiring.reading() as unit:
        return messages.progress(unit, record)


def told_words(_record: Record) -> str:
    """What the pack tells followers when it opens, as they read it."""
    return "请不要冒雨出门办业务"
