"""Real workers tell real followers of the sandbox, are stopped, and are killed in the middle."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.exc import OperationalError

from config import Settings
from lightservices.emergency import forgetting, messages
from lightservices.emergency.message_models import MESSAGES, MONTHS
from lightservices.emergency.messages import TELL, Progress
from lightservices.emergency.models import EMERGENCIES, Record
from lightservices.emergency.recipients import Channel
from service import clock
from service.delivery.ledger import WAITING, Row
from service.delivery.worker import Worker
from service.happenings import OpenId, TextReceived
from service.wiring import Unit
from tests.journeys.town import Town, built
from tests.lightservices.conftest import stand
from tests.lightservices.emergency.duty import IN_ZHONGSHAN, IN_ZHUHAI, WANG, ZHUHAI, opened
from tests.service.delivery.wired import wire
from tests.services import own_database

MASS = "/cgi-bin/message/mass/send"
SERVICE = "/cgi-bin/message/custom/send"
TOLD = ("customer-service", "template", "mass")
LEASE = timedelta(seconds=1)


@pytest.fixture(scope="module")
def town(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, with_map: Callable[[Path], Path]
) -> Iterator[Town]:
    folder = with_map(tmp_path_factory.mktemp("telling"))
    server = os.environ.get("TEST_DATABASE_URL", "")
    with (
        own_database(server, "telling") as url,
        built(
            folder,
            replace(
                settings, database_url=url, emergency_template_id="T1",
                emergency_template_fields="thing1=headline,time2=ends_at,thing3=entry",
            ),
        ) as town,
    ):  # fmt: skip
        town.sandbox.world.webhook.reports = True
        yield town


@pytest.fixture
def quiet(town: Town) -> Iterator[Town]:
    """Nothing is told yet, and WeChat is well."""
    yield town
    town.sandbox.world.faults.play({})
    with town.wiring.unit() as unit:
        unit.db.execute(delete(Row).where(Row.kind == TELL))
        unit.db.execute(delete(MESSAGES))
        unit.db.execute(delete(MONTHS))
        for table in ("conversations", "presences"):
            found = Row.metadata.tables.get(table)
            if found is not None:
                unit.db.execute(found.delete().where(found.c.openid.like("oTELLING%")))


def people(
    town: Town, first: int, many: int, *, wrote: bool, place: tuple[float, float] = IN_ZHUHAI
) -> list[OpenId]:
    """So many followers here, with an open window or without any."""
    found = [OpenId(f"oTELLING{number:020}") for number in range(first, first + many)]
    world = town.sandbox.world
    with world.lock:
        for openid in found:
            one = world.followers.get(openid) or world.add_follower(openid, subscribed=True)
            one.chat.clear()
            one.windows.close()
            if wrote:
                one.windows.open("message", world.now(), world.limits)
    with town.wiring.unit() as unit:
        for openid in found:
            stand(unit, place, openid=openid)
            if wrote:
                unit.announce(TextReceived(openid, clock.now(), "你好"))
    return found


def began(town: Town, record: Record, *channels: Channel) -> None:
    with town.wiring.unit() as unit:
        for channel in channels:
            found = messages.estimate(unit, record, channel)
            messages.start(
                unit, record.key, messages.OPENED, ticked=found.ticked, by=WANG, channel=channel
            )


def an_area(town: Town) -> Record:
    with town.wiring.unit() as unit:
        return opened(unit, area=ZHUHAI)


def by_channel(town: Town, record: Record) -> dict[str, Progress]:
    with town.wiring.reading() as unit:
        return {one.channel: one for one in messages.progress(unit, record)}


def read(town: Town, openids: Sequence[OpenId]) -> list[list[str]]:
    """By which ways each of them was told."""
    world = town.sandbox.world
    with world.lock:
        return [
            [one["through"] for one in world.followers[openid].chat if one.get("through") in TOLD]
            for openid in openids
        ]


def is_over(town: Town) -> bool:
    with town.wiring.reading() as unit:
        left = select(func.count()).where(Row.kind == TELL)
        return unit.db.execute(left).scalar_one() == 0


def hurried(town: Town) -> None:
    """Waits are cut short, as if time passed quickly."""
    with contextlib.suppress(OperationalError), town.wiring.unit() as unit:
        waiting = update(Row).where(Row.kind == TELL, Row.state == WAITING)
        unit.db.execute(waiting.values(due_at=clock.now()))


def worked(town: Town, *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_over(town):
        assert time.monotonic() < deadline, "it does not come to an end"
        hurried(town)
        town.settle()
        time.sleep(0.05)


def test_three_channels_tell_everybody_inside_once_and_the_report_is_taken_in(
    quiet: Town,
) -> None:
    with_window = people(quiet, 0, 3, wrote=True)
    without = people(quiet, 10, 4, wrote=False)
    outside = people(quiet, 20, 2, wrote=True, place=IN_ZHONGSHAN)
    # Somebody had four already, of which this program knows nothing.
    world = quiet.sandbox.world
    world.masses.turn(world.now())
    world.masses.got[without[0]] = 4
    record = an_area(quiet)
    began(quiet, record, Channel.SERVICE, Channel.MASS)
    worked(quiet)
    assert read(quiet, with_window) == [["customer-service"]] * 3
    assert read(quiet, without) == [[], ["mass"], ["mass"], ["mass"]]
    assert read(quiet, outside) == [[], []]
    mass = reported(quiet, record)
    assert mass.tally is not None
    assert (mass.sent, mass.tally.sent, mass.tally.filtered) == (4, 3, 1)
    late = people(quiet, 30, 2, wrote=False)
    began(quiet, record, Channel.TEMPLATE)
    worked(quiet)
    assert read(quiet, late) == [["template"]] * 2
    assert read(quiet, with_window) == [["customer-service"]] * 3


def reported(town: Town, record: Record) -> Progress:
    """The mass message, once WeChat has reported on it."""
    for _ in range(100):
        mass = by_channel(town, record)["mass"]
        if mass.tally is not None and mass.tally.reported:
            return mass
        time.sleep(0.05)
    pytest.fail("no report came")


@pytest.mark.parametrize(
    ("errcode", "why"),
    [(45028, "本月的群发次数已用完"), (48003, "管理员还没有在公众平台同意群发协议")],
)
def test_what_wechat_will_never_mass_send_ends_the_run_and_says_why(
    quiet: Town, errcode: int, why: str
) -> None:
    everybody = people(quiet, 0, 3, wrote=False)
    record = an_area(quiet)
    quiet.sandbox.world.faults.play(
        {"rules": [{"path": MASS, "do": "errcode", "errcode": errcode}]}
    )
    began(quiet, record, Channel.MASS)
    worked(quiet)
    mass = by_channel(quiet, record)["mass"]
    assert (mass.state, mass.sent, mass.why) == ("stopped", 0, why)
    quiet.sandbox.world.faults.play({})
    began(quiet, record, Channel.MASS)
    worked(quiet)
    assert read(quiet, everybody) == [["mass"]] * 3


def test_an_answer_that_is_lost_sends_nothing_twice(quiet: Town) -> None:
    listed = people(quiet, 0, 3, wrote=False)
    noticed = people(quiet, 10, 3, wrote=True)
    record = an_area(quiet)
    lost = [{"path": path, "do": "lost", "nth": 1} for path in (
        MASS, "/cgi-bin/message/template/send")]  # fmt: skip
    quiet.sandbox.world.faults.play({"rules": lost})
    began(quiet, record, Channel.MASS)
    quiet.settle()
    assert by_channel(quiet, record)["mass"].state == "running"
    quiet.sandbox.world.offset += 61
    worked(quiet)
    began(quiet, record, Channel.TEMPLATE)
    worked(quiet)
    assert read(quiet, [*listed, *noticed]) == [["mass"]] * 3 + [["template"]] * 3
    assert [one.unsure for one in by_channel(quiet, record).values()] == [0, 0]


def test_while_the_administrator_has_not_confirmed_it_waits_and_says_so(quiet: Town) -> None:
    everybody = people(quiet, 0, 2, wrote=False)
    record, limits = an_area(quiet), quiet.sandbox.world.limits
    limits.mass_waits_for_admin = True
    began(quiet, record, Channel.MASS)
    quiet.settle()
    mass = by_channel(quiet, record)["mass"]
    assert (mass.state, mass.why) == ("running", "等待管理员在微信上确认群发")
    limits.mass_waits_for_admin = False
    worked(quiet)
    assert read(quiet, everybody) == [["mass"]] * 2
    assert by_channel(quiet, record)["mass"].why == ""


def test_after_a_stop_nothing_is_sent_any_more(quiet: Town) -> None:
    everybody = people(quiet, 0, 80, wrote=True)
    record = an_area(quiet)
    quiet.sandbox.world.faults.play({"rules": [{"path": SERVICE, "do": "delay", "seconds": 0.05}]})
    began(quiet, record, Channel.SERVICE)
    worker = Worker(quiet.wiring, threads=2, lease=LEASE)
    running = threading.Thread(target=worker.run)
    running.start()
    try:
        until(lambda: sum(map(len, read(quiet, everybody))) >= 10)
        with quiet.wiring.unit() as unit:
            messages.stop(unit, record.key, messages.OPENED, by=WANG)
        stopped = time.monotonic()
        at_once = sum(map(len, read(quiet, everybody)))
        # Once no delivery is left, nobody is there who could send.
        until(lambda: is_over(quiet))
        assert time.monotonic() - stopped < 5
    finally:
        worker.stop()
        running.join()
    told = sum(map(len, read(quiet, everybody)))
    assert told <= at_once + 1 < 80
    service = by_channel(quiet, record)["service"]
    assert (service.state, service.ended_by) == ("stopped", "王值班")
    assert service.sent + service.unsure == told


def until(holds: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def work(settings: Settings) -> None:
    """A worker in a process of its own, until it is killed."""
    import wsgi

    worker = Worker(wire(settings, wsgi.TABLES), lease=LEASE)
    while True:
        with contextlib.suppress(OperationalError):  # The test writes to the same file.
            worker.work_off()
        time.sleep(0.01)


def test_what_is_old_is_forgotten_a_stride_at_a_time(
    quiet: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "STRIDE", 2)
    monkeypatch.setattr(forgetting, "MOST", 1)
    everybody = people(quiet, 200, 5, wrote=True)
    record = an_area(quiet)
    began(quiet, record, Channel.SERVICE)
    worked(quiet)
    long_ago = clock.now() - timedelta(days=4)
    with quiet.wiring.unit() as unit:
        unit.db.execute(update(EMERGENCIES).values(ended_at=long_ago))
        for openid in everybody:
            unit.db.execute(MONTHS.insert().values(openid=openid, month="2001-01", count=1))
    for left in (3, 1, 0):
        with quiet.wiring.unit() as unit:
            messages.forget_old(unit)
            assert kept(unit, MESSAGES) == kept(unit, MONTHS) == left


def kept(unit: Unit, table: Table) -> int:
    return int(unit.db.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.mark.timeout(120)
def test_workers_killed_in_the_middle_tell_nobody_twice(quiet: Town) -> None:
    with_window = people(quiet, 0, 40, wrote=True)
    without = people(quiet, 100, 30, wrote=False)
    record, world = an_area(quiet), quiet.sandbox.world
    delay = {"path": "/cgi-bin/message/*", "do": "delay", "seconds": 0.03}
    world.faults.play({"rules": [delay]})
    began(quiet, record, Channel.SERVICE, Channel.MASS)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["wsgi"])
    chance, kills, everybody = random.Random(3), 0, [*with_window, *without]
    while not is_over(quiet):
        process = context.Process(target=work, args=(quiet.wiring.settings,), daemon=True)
        process.start()
        before = sum(map(len, read(quiet, everybody)))
        wanted = before + chance.randint(1, 8) if kills < 6 else 10**6
        deadline = time.monotonic() + 30
        while not is_over(quiet) and sum(map(len, read(quiet, everybody))) < wanted:
            assert time.monotonic() < deadline
            hurried(quiet)
            time.sleep(0.005)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        kills += 1
        # WeChat says of a list that was begun only after a minute what became of it.
        world.offset += 61
    assert kills >= 4
    ways = read(quiet, everybody)
    assert max(map(len, ways)) == 1
    found = by_channel(quiet, record)
    assert read(quiet, without) == [["mass"]] * 30
    assert (found["mass"].sent, found["mass"].unsure) == (30, 0)
    service = found["service"]
    assert service.sent + service.unsure == 40
    assert service.unsure <= kills
    told = sum(map(len, read(quiet, with_window)))
    assert service.sent <= told <= 40
