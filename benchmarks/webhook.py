"""The webhook against echoes that do nothing, and against the same job put together from libraries.

Every contender runs one process on one core, the load generator on the other, and all take turns
within each round, so that a slow minute of the machine falls on all of them. Figures are medians
over the rounds; CPU time is what the kernel charged the server's processes.

    python -m benchmarks.webhook [--rounds 5] [--pushes 3000] [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from flask_migrate import upgrade

from benchmarks import load
from config import HOME, Settings
from regions import atlas, presence
from regions.branches import directory
from regions.coordinates import Datum, to_gcj02
from service import clock, followers
from service.happenings import Fact, OpenId
from service.readiness import MIGRATIONS
from service.wiring import Wiring
from tests import pushes
from tests.journeys.town import free_port
from wsgi import create_app

FOLLOWERS = 20_000
#: City centres in WGS-84, each well inside another branch.
CITIES = [
    (31.2304, 121.4737),
    (32.0603, 118.7969),
    (31.2990, 120.5853),
    (22.5431, 114.0579),
    (39.9042, 116.4074),
    (30.5728, 104.0668),
    (23.1291, 113.2644),
    (34.3416, 108.9398),
]
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Contender:
    """One server: how it is started, where it listens, what it did."""

    name: str
    command: list[str]
    port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    failed: int = 0

    def start(self) -> None:
        log = Path(self.environment["LOGS"]) / f"{self.port}.log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                ["taskset", "-c", "0", *self.command],
                cwd=HOME,
                env=os.environ | self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), 60) as probe,
            ):
                probe.sendall(b"GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                if probe.recv(16).startswith(b"HTTP"):
                    return
            time.sleep(0.2)
        raise RuntimeError(f"{self.name} did not start:\n{log.read_text()[-2000:]}")

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def cpu_seconds(self) -> float:
        """User and system time of the server and its children so far."""
        assert self.process is not None
        total = 0.0
        for pid in _family(self.process.pid):
            with contextlib.suppress(OSError):
                parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                total += (int(parts[11]) + int(parts[12])) / CLOCK_TICKS
        return total

    def take(self, requests: list[bytes]) -> None:
        before = self.cpu_seconds()
        outcome = load.run(self.port, requests)
        self.failed += len(requests) - outcome.statuses.get("200", 0)
        self.rates.append(outcome.rate)
        self.cpu_us.append((self.cpu_seconds() - before) / len(requests) * 1e6)


def _family(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _family(int(child))


class Stream:
    """A mixed stream of pushes in which most followers stay where they are."""

    def __init__(self, settings: Settings, *, seed: int = 20_260) -> None:
        self.settings = settings
        self.random = random.Random(seed)
        self.at = [i % len(CITIES) for i in range(FOLLOWERS)]
        self.number = 0

    def openid(self, follower: int) -> str:
        return f"oBENCHfollower{follower:014d}"

    def batch(self, count: int, mode: str) -> list[bytes]:
        """Requests without their port, signed now."""
        seal = pushes.sealed if mode == "safe" else pushes.plain
        return [load.post(0, *seal(self.settings, self._document())) for _ in range(count)]

    def everybody(self, mode: str) -> list[bytes]:
        """One report from where each follower is, as their phones send every few seconds."""
        seal = pushes.sealed if mode == "safe" else pushes.plain
        return [
            load.post(0, *seal(self.settings, pushes.location(*CITIES[at], openid=self.openid(f))))
            for f, at in enumerate(self.at)
        ]

    def _document(self) -> bytes:
        self.number += 1
        follower = self.random.randrange(FOLLOWERS)
        openid, dice = self.openid(follower), self.random.random()
        if dice < 0.94:
            if dice >= 0.90:
                self.at[follower] = (self.at[follower] + 1) % len(CITIES)
            north, east = CITIES[self.at[follower]]
            jitter = self.random.uniform(-0.01, 0.01)
            return pushes.location(north + jitter, east - jitter, openid=openid)
        if dice < 0.98:
            return pushes.event("CLICK", openid=openid, EventKey="svc:promotions", No=self.number)
        if dice < 0.99:
            return pushes.event("subscribe", openid=f"oNEW{self.number:024d}", EventKey="")
        return pushes.message("text", openid=openid, Content="利率", MsgId=self.number)


def _place_everybody(wiring: Wiring, stream: Stream) -> None:
    """Twenty thousand followers, each already known in a city."""
    places = [to_gcj02(*city, Datum.WGS84) for city in CITIES]
    counties = [atlas.current(wiring.settings).county_at(*place) for place in places]
    with wiring.unit() as unit:
        codes = [
            directory(unit).serving(county, latitude=p[0], longitude=p[1]).branch.code
            for county, p in zip(counties, places, strict=True)
        ]
        at = clock.now()
        for follower in range(FOLLOWERS):
            followers.meet(unit, Fact(OpenId(stream.openid(follower)), at))
        unit.db.execute(
            unit.insert(presence.Presence),
            [
                {
                    "openid": stream.openid(f),
                    "branch": codes[stream.at[f]],
                    "division": counties[stream.at[f]],
                    "source": "event",
                    "seen_at": at,
                    "cell_south": int(places[stream.at[f]][0] * 100),
                    "cell_west": int(places[stream.at[f]][1] * 100),
                }
                for f in range(FOLLOWERS)
            ],
        )


def _gunicorn(app: str, port: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "--no-control-socket",
        "-k",
        "gthread",
        "-w",
        "1",
        "--threads",
        "4",
        "--keep-alive",
        "60",
        "-b",
        f"127.0.0.1:{port}",
        app,
    ]


def _granian(app: str, port: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--workers",
        "1",
        "--blocking-threads",
        "1",
        "--no-access-log",
        "--log-level",
        "warning",
        "--factory",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        app,
    ]


def _set_up(settings: Settings, stream: Stream) -> None:
    app = create_app(settings)
    with app.app_context():
        upgrade(str(MIGRATIONS))
    for _name, seed in app.extensions["wiring"].tables.seeds:
        with app.extensions["wiring"].unit() as unit:
            seed(unit)
    _place_everybody(app.extensions["wiring"], stream)


def contenders(folder: Path, settings: Settings, database: str) -> list[Contender]:
    account = {
        "WECHAT_TOKEN": settings.wechat_token,
        "WECHAT_AES_KEY": settings.wechat_aes_key,
        "WECHAT_APPID": settings.wechat_appid,
        "WECHAT_MODE": settings.wechat_mode,
        "DATA_DIR": str(settings.data_dir),
        "LOGS": str(folder),
        "DATABASE_URL": database,
        "LIBRARIES_DATABASE_URL": f"sqlite:///{folder / 'libraries.sqlite3'}",
    }
    ours, echo = "wsgi:create_app()", "benchmarks.peers.echo_wechatpy:create_app()"
    libraries = "benchmarks.peers.job_from_libraries:create_app()"
    found = []
    for name, app in (("ours", ours), ("echo wechatpy", echo), ("job from libraries", libraries)):
        if name == "job from libraries" and settings.wechat_mode != "safe":
            continue
        for server, command in (("gunicorn", _gunicorn), ("granian", _granian)):
            port = free_port()
            target = app if server == "gunicorn" else app.removesuffix("()")
            found.append(Contender(f"{name} / {server}", command(target, port), port, account))
    if shutil.which("node") and (HOME / "node_modules" / "co-wechat").exists():
        port = free_port()
        found.append(
            Contender(
                "echo co-wechat / node",
                ["node", str(HOME / "benchmarks/peers/echo_koa.mjs")],
                port,
                account | {"PORT": str(port)},
            )
        )
    return found


def measure(mode: str, rounds: int, count: int, database: str = "") -> dict[str, dict[str, float]]:
    """Requests per second and CPU microseconds per request, by contender."""
    os.sched_setaffinity(0, {1})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = replace(
            Settings(),
            wechat_mode=mode,
            data_dir=folder / "data",
            database_url=database,  # type: ignore[arg-type]
        )
        stream = Stream(settings)
        (HOME / "instance").mkdir(exist_ok=True)
        settings.data_dir.mkdir()
        for built in (HOME / "instance").glob("atlas*"):
            shutil.copy(built, settings.data_dir / built.name)
        _set_up(settings, stream)
        running = contenders(folder, settings, settings.database)
        try:
            for contender in running:
                contender.start()
                contender.take(_addressed(stream.batch(300, mode), contender))
                contender.rates.clear()
                contender.cpu_us.clear()
            # What is measured is a working day, not its first minute.
            load.run(running[0].port, _addressed(stream.everybody(mode), running[0]))
            for _ in range(rounds):
                for contender in running:
                    # Each gets pushes of its own: ours would recognise those another one took.
                    contender.take(_addressed(stream.batch(count, mode), contender))
        finally:
            for contender in running:
                contender.stop()
    return {
        c.name: {
            "requests_per_second": round(statistics.median(c.rates), 1),
            "cpu_us_per_request": round(statistics.median(c.cpu_us), 1),
            "not_answered_200": c.failed,
        }
        for c in running
    }


def _addressed(batch: list[bytes], contender: Contender) -> list[bytes]:
    host = f"Host: 127.0.0.1:{contender.port}".encode()
    return [request.replace(b"Host: 127.0.0.1:0", host, 1) for request in batch]


#: Ours, the yardstick, and how many times faster ours is meant to be.
BARS = [
    ("ours / granian", "echo wechatpy / granian", 2.2),
    ("ours / gunicorn", "echo wechatpy / gunicorn", 1.5),
    ("ours / granian", "echo wechatpy / gunicorn", 4.5),
    ("ours / granian", "echo co-wechat / node", 1.4),
    ("ours / granian", "job from libraries / granian", 6.0),
    ("ours / gunicorn", "job from libraries / gunicorn", 6.0),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pushes", type=int, default=3000)
    parser.add_argument("--modes", default="safe,plain")
    parser.add_argument(
        "--database", default="", help="SQLAlchemy URL of an empty database for ours"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    results = {
        mode: measure(mode, arguments.rounds, arguments.pushes, arguments.database)
        for mode in arguments.modes.split(",")
    }
    if arguments.json:
        print(json.dumps(results, ensure_ascii=False, indent=2))
        return
    for mode, table in results.items():
        _print(mode, table, f"{arguments.rounds} rounds of {arguments.pushes} pushes")


def _print(mode: str, table: dict[str, dict[str, float]], extent: str) -> None:
    print(f"\nwebhook, {mode} mode, {extent}, one core")
    print(f"{'':30}{'requests/s':>12}{'CPU µs/request':>16}{'not 200':>9}")
    for contender, figures in table.items():
        rate, cpu = figures["requests_per_second"], figures["cpu_us_per_request"]
        print(f"{contender:30}{rate:12}{cpu:16}{figures['not_answered_200']:9}")
    for ours, other, bar in BARS:
        if other in table:
            ratio = table[ours]["requests_per_second"] / table[other]["requests_per_second"]
            print(f"{ours} ÷ {other}: {ratio:.2f} (aim {bar})")


if __name__ == "__main__":
    main()
