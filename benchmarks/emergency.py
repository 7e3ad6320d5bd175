"""An emergency opens and closes: how soon every worker process shows it, and when it is gone.

    python -m benchmarks.emergency [--rounds 10] [--only messages]

Four web processes share one database; none of them, and no worker, is told anything but by what the
program itself does. Then an emergency reaches its end with no worker and no scheduler alive. Once
without Redis, once with one started for it. At last followers are being told by a worker process,
and somebody stops it: when the last message leaves.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import requests
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import insert, update
from werkzeug.serving import WSGIRequestHandler, make_server

from config import Settings
from lightservices.emergency import messages, operations, packs, queries, reach
from lightservices.emergency.holding import EPOCH
from lightservices.emergency.models import EMERGENCIES
from lightservices.emergency.recipients import Channel
from lightservices.tickets.models import ConversationRow
from regions import areas, atlas, sample
from regions.presence import Presence
from service import clock
from service.db import db
from service.delivery.worker import Worker
from service.epochs import bump
from service.followers import Follower
from service.sandbox import Sandbox, running
from service.staff import Grant, Me
from service.wiring import Unit, Wiring
from tests.journeys.town import free_port
from wsgi import create_app

PROCESSES = 4
ZHUHAI = areas.read({"inside": {"divisions": ["440400"]}})
WANG = Me(1, "ops.wang", "王值班", (Grant("operations", "HQ"),))
LI = Me(2, "ops.li", "李值班", (Grant("operations", "HQ"),))
_POLL = 0.01


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


def serve(settings: Settings, port: int) -> None:
    """One web process."""
    make_server("127.0.0.1", port, create_app(settings), threaded=True,
                request_handler=_Quiet).serve_forever()  # fmt: skip


@contextmanager
def redis_server() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    time.sleep(0.5)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait()


def bank(settings: Settings) -> Flask:
    """The program over a database of its own, with the sample bank's branches."""
    app = create_app(settings)
    with app.app_context():
        db.create_all()
    with app.extensions["wiring"].unit() as unit:
        sample.seed(unit)
    # The map is built once, as in a bank, and not while a transaction keeps the worker waiting.
    atlas.current(settings)
    return app


def opened(wiring: Wiring) -> str:
    """The key of an emergency over Zhuhai that one person proposed and another opened."""
    content = replace(packs.shipped()["typhoon"], area=ZHUHAI)
    with wiring.unit() as unit:
        asked = operations.propose(unit, content=content, drill=False, why="测", by=WANG)
        key = next(one.key for one in queries.unfinished(unit) if one.id == asked.emergency_id)
    with wiring.unit() as unit:
        ticked = reach.assess(unit, ZHUHAI).ticked
        operations.open_(unit, key, seen=asked.seal, ticked=ticked, by=LI)
    return key


class Bench:
    """The processes and a guest in Zhuhai who looks at each of them."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.settings = replace(
            Settings(), data_dir=folder, redis_url=redis_url,
            database_url=f"sqlite:///{folder / f'bench{bool(redis_url)}.sqlite3'}",
        )  # fmt: skip
        app = bank(self.settings)
        self.wiring: Wiring = app.extensions["wiring"]
        signer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert signer is not None
        self.cookies = {"visit": str(signer.dumps({"city": "440402"}))}
        self.ports = [free_port() for _ in range(PROCESSES)]
        self.processes = [
            multiprocessing.Process(target=serve, args=(self.settings, port), daemon=True)
            for port in self.ports
        ]
        self.lines = [requests.Session() for _ in self.ports]
        for process in self.processes:
            process.start()
        for number in range(PROCESSES):
            self.until(number, lambda text: "珠海" in text, patience=60)

    def look(self, number: int) -> str:
        url = f"http://127.0.0.1:{self.ports[number]}/s/lost-card"
        try:
            return self.lines[number].get(url, cookies=self.cookies, timeout=5).text
        except requests.ConnectionError:
            return ""

    def until(self, number: int, holds: Callable[[str], bool], *, patience: float = 15) -> float:
        """When this process shows it."""
        for _ in range(int(patience / _POLL)):
            if holds(self.look(number)):
                return time.monotonic()
            time.sleep(_POLL)
        raise SystemExit(f"process {number} never came to it")

    def everywhere(self, since: float, holds: Callable[[str], bool]) -> list[float]:
        """How long after ``since`` each process shows it; all are asked in turn."""
        waiting, seen = set(range(PROCESSES)), list[float]()
        while waiting:
            for number in sorted(waiting):
                if holds(self.look(number)):
                    waiting.discard(number)
                    seen.append(time.monotonic() - since)
            time.sleep(_POLL)
            if time.monotonic() - since > 20:
                raise SystemExit(f"processes {waiting} never came to it")
        return seen

    def toggles(self, rounds: int) -> list[float]:
        found: list[float] = []
        for _ in range(rounds):
            key = opened(self.wiring)
            found += self.everywhere(time.monotonic(), lambda text, key=key: key in text)
            with self.wiring.unit() as unit:
                operations.close(unit, key, by=WANG)
            found += self.everywhere(time.monotonic(), lambda text, key=key: key not in text)
        return found

    def end(self) -> list[float]:
        """How long after its end each process still showed it; nothing but the clock ends it."""
        key, ends_at = opened(self.wiring), clock.now() + timedelta(seconds=4)
        with self.wiring.unit() as unit:
            unit.db.execute(
                update(EMERGENCIES).where(EMERGENCIES.c.key == key).values(ends_at=ends_at)
            )
            bump(unit, EPOCH)
        self.everywhere(time.monotonic(), lambda text: key in text)
        rest = (ends_at - clock.now()).total_seconds()
        time.sleep(max(rest - 0.2, 0))
        assert all(key in self.look(number) for number in range(PROCESSES)), "it ended early"
        end = time.monotonic() + (ends_at - clock.now()).total_seconds()
        return self.everywhere(end, lambda text: key not in text)

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
            process.join()
        self.wiring.hang_up()


def work(settings: Settings) -> None:
    """One worker process."""
    Worker(create_app(settings).extensions["wiring"]).run()


class Telling:
    """Followers inside with an open window and without, the sandbox, and one worker process."""

    WITH_WINDOW, WITHOUT = 600, 4_000

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.sandbox, base = sandbox, sandbox.base_url
        self.settings = replace(
            Settings(), data_dir=folder, wechat_api_base=base, wechat_oauth_base=base,
            database_url=f"sqlite:///{folder / 'telling.sqlite3'}",
        )  # fmt: skip
        app = bank(self.settings)
        self.wiring: Wiring = app.extensions["wiring"]
        with self.wiring.unit() as unit:
            self.furnish(unit)
        with self.wiring.reading() as unit:
            reach.assess(unit, ZHUHAI)

    def furnish(self, unit: Unit) -> None:
        """Everybody in 香洲, Zhuhai, whose whole county is inside."""
        world, present = self.sandbox.world, clock.now()
        everybody = [f"oBENCH{number:022}" for number in range(self.WITH_WINDOW + self.WITHOUT)]
        for openid in everybody:
            one = world.add_follower(openid, subscribed=True)
            one.windows.open("message", world.now(), world.limits)
        row = {"division": "440402", "source": "event", "seen_at": present}
        unit.db.execute(
            insert(Follower), [{"openid": one, "followed_at": present} for one in everybody]
        )
        unit.db.execute(insert(Presence), [{"openid": one, **row} for one in everybody])
        heard = {"heard_at": present, "waits": False}
        unit.db.execute(
            insert(ConversationRow),
            [{"openid": one, **heard} for one in everybody[: self.WITH_WINDOW]],
        )

    def sends(self, path: str) -> list[float]:
        """When each message left, in the sandbox's seconds."""
        return [one["at"] for one in self.sandbox.world.exchanges.after() if one["path"] == path]

    def stopped(self, channel: Channel, path: str, *, after: int) -> float:
        """How long after the stop the last message left; below zero if none left after it."""
        key = opened(self.wiring)
        with self.wiring.reading() as unit:
            record = queries.find(unit, key)
            assert record is not None
            told = messages.estimate(unit, record, channel).ticked
        with self.wiring.unit() as unit:
            messages.start(unit, key, messages.OPENED, ticked=told, by=WANG, channel=channel)
        before = len(self.sends(path))
        while len(self.sends(path)) < before + after:
            time.sleep(_POLL)
        with self.wiring.unit() as unit:
            messages.stop(unit, key, messages.OPENED, by=WANG, channel=channel)
        stop = self.sandbox.world.now()
        time.sleep(6)
        with self.wiring.unit() as unit:
            operations.close(unit, key, by=WANG)
        return max(self.sends(path)) - stop

    def run(self, rounds: int) -> None:
        worker = multiprocessing.Process(target=work, args=(self.settings,), daemon=True)
        worker.start()
        for channel, path, after in (
            (Channel.SERVICE, "/cgi-bin/message/custom/send", 25),
            (Channel.MASS, "/cgi-bin/message/mass/send", 1),
        ):
            # A month's four mass messages end the rounds of that channel.
            count = rounds if channel is Channel.SERVICE else min(rounds, 3)
            found = [self.stopped(channel, path, after=after) for _ in range(count)]
            told(f"stop → last send, {messages.CHANNELS[channel]}", found, 5)
        worker.terminate()
        worker.join()
        self.wiring.hang_up()


def told(title: str, seconds: list[float], bar: float) -> None:
    worst = max(seconds)
    print(
        f"{title:<34} median {statistics.median(seconds):6.3f} s   worst {worst:6.3f} s   "
        f"bar {bar:.0f} s   {'ok' if worst <= bar else 'MISSED'}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", choices=["messages"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running(Settings()) as sandbox:
        Telling(Path(name), sandbox).run(given.rounds)
    if given.only is None:
        visibility(given.rounds)


def visibility(rounds: int) -> None:
    """How soon every process shows what was opened, and no longer what is over."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench = Bench(folder, "")
        told("toggle → every process, no Redis", bench.toggles(rounds), 5)
        told("past its end, nothing alive", bench.end(), 1)
        bench.stop()
        if shutil.which("redis-server") is None:
            print("no redis-server here")
            return
        with redis_server() as url:
            bench = Bench(folder, url)
            told("toggle → every process, Redis", bench.toggles(rounds), 2)
            told("past its end, nothing alive", bench.end(), 1)
            bench.stop()


if __name__ == "__main__":
    main()
