"""An emergency at a large bank: what takes how long, and which single statement takes longest.

    python -m benchmarks.emergency_at_size [--followers 3000000]

On PostgreSQL, in a database of its own that is dropped in the end. Four followers of ten live in
Guangdong, 300,000 of them in one county, and one of twenty wrote within two days. A statement that
takes longer than two seconds is cut off by the program, so this is what each of them is held to.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url

from benchmarks.emergency import LI, WANG, bank
from config import Settings
from lightservices.emergency import (
    batches,
    holding,
    messages,
    operations,
    packs,
    queries,
    reach,
    telling,
)
from lightservices.emergency.models import EMERGENCIES, Record
from lightservices.emergency.recipients import Channel
from menus import publication, regrouping
from regions import areas, branches, divisions
from regions.divisions import DivisionCode
from service import clock
from service.db import STATEMENT_SECONDS, db
from service.wiring import Wiring
from tests.services import POSTGRESQL, own_database

#: All of Guangdong but a corner of Shenzhen, so that one branch is inside only in part.
AREA = areas.read(
    {
        "inside": {"divisions": ["440000"]},
        "outside": {"circles": [{"latitude": 22.54, "longitude": 114.06, "radius_m": 9000}]},
    }
)
#: Where the most live: 宝安 in Shenzhen.
CROWDED, CROWD = "440306", 300_000
_HEARD = 20
_TOLD = 500_000
#: The seconds that single statements took, since last asked.
_TOOK: list[float] = []


@contextmanager
def furnished(followers: int) -> Iterator[tuple[Wiring, Engine]]:
    """The sample bank with so many followers, and lines that wait for whatever takes long."""
    with own_database(POSTGRESQL, "size") as url, tempfile.TemporaryDirectory() as folder:
        app = bank(replace(Settings(), data_dir=Path(folder), database_url=url))
        wiring: Wiring = app.extensions["wiring"]
        with wiring.reading() as unit:
            branch = branches.directory(unit).serving(DivisionCode(CROWDED)).branch.code
        # The program's own lines give up after two seconds, and this takes longer.
        patient = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
        with patient.begin() as line:
            _people(line, followers, branch)
        with patient.connect().execution_options(isolation_level="AUTOCOMMIT") as line:
            line.execute(text("VACUUM ANALYZE"))
        for engine in (wiring.engine, wiring.reader):
            _watched(engine)
        yield wiring, patient
        patient.dispose()
        with app.app_context():
            db.engine.dispose()
        wiring.hang_up()


def _people(line: Connection, followers: int, branch: str) -> None:
    everywhere = [one.code for one in divisions.table() if one.level == "county"]
    here = [code for code in everywhere if code.startswith("44")]
    there = [code for code in everywhere if not code.startswith("44")]
    line.execute(
        text(
            "INSERT INTO followers (openid, followed_at) SELECT 'oSIZE' || lpad(n::text, 23, '0'),"
            " now() FROM generate_series(1, :many) n"
        ),
        {"many": followers},
    )
    line.execute(
        text(
            "INSERT INTO presences (openid, branch, division, cell_south, cell_west, source,"
            " seen_at) SELECT openid, CASE WHEN n <= :crowd THEN :branch END,"
            " CASE WHEN n <= :crowd THEN :crowded"
            " WHEN n % 10 < 4 THEN (CAST(:here AS text[]))[1 + n % :heres]"
            " ELSE (CAST(:there AS text[]))[1 + n % :theres] END,"
            " CASE WHEN n % 7 > 0 THEN 2255 + n % 40 END,"
            " CASE WHEN n % 7 > 0 THEN 11380 + n % 60 END, 'event', now()"
            " FROM (SELECT openid, substr(openid, 6)::int n FROM followers) f"
        ),
        {"crowd": CROWD, "crowded": CROWDED, "branch": branch, "here": here, "heres": len(here),
         "there": there, "theres": len(there)},
    )  # fmt: skip
    line.execute(
        text(
            "INSERT INTO conversations (openid, heard_at, waits) SELECT openid, now(), false"
            " FROM followers WHERE substr(openid, 6)::int % :each = 0"
        ),
        {"each": _HEARD},
    )
    line.execute(
        text(
            "INSERT INTO menu_offers (openid, branch, inside, wanted_at) SELECT openid, branch, '',"
            " now() FROM presences WHERE branch IS NOT NULL"
        )
    )


def _watched(engine: Engine) -> None:
    """Note how long each statement takes."""

    @event.listens_for(engine, "before_cursor_execute")
    def _begin(connection: Any, *_rest: Any) -> None:
        connection.info["began"] = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def _end(connection: Any, *_rest: Any) -> None:
        _TOOK.append(time.perf_counter() - connection.info["began"])


def told(title: str, act: Callable[[], Any], *, times: int = 1) -> Any:
    """Do it, and say what it took."""
    _TOOK.clear()
    spent, found = list[float](), None
    for _ in range(times):
        began = time.perf_counter()
        found = act()
        spent.append(time.perf_counter() - began)
    longest = max(_TOOK, default=0.0)
    print(
        f"{title:<58} median {statistics.median(spent):7.3f} s  worst {max(spent):7.3f} s  "
        f"longest statement {longest:6.3f} s  {'ok' if longest < STATEMENT_SECONDS else 'MISSED'}",
        flush=True,
    )
    return found


def run(wiring: Wiring, patient: Engine) -> None:
    with wiring.reading() as unit:
        told("the area's reach, first time in a process", lambda: reach.assess(unit, AREA))
        told("the area's reach, again", lambda: reach.assess(unit, AREA), times=3)
    record = _opened(wiring)
    with wiring.reading() as unit:
        told("how many each channel would tell", lambda: messages.estimates(unit, record), times=3)
    _closing_meanwhile(wiring, record)
    record = _opened(wiring)
    _service(wiring, record)
    _mass(wiring, record)
    _walking(wiring)
    _forgetting(wiring, patient, record)


def _opened(wiring: Wiring) -> Record:
    content = replace(packs.shipped()["typhoon"], area=AREA)
    with wiring.unit() as unit:
        asked = operations.propose(unit, content=content, drill=False, why="测", by=WANG)
        key = next(one.key for one in queries.unfinished(unit) if one.id == asked.emergency_id)
    with wiring.reading() as unit:
        weighed = holding.weighed(unit, key, 1)

    def open_() -> Record:
        with wiring.unit() as unit:
            return operations.open_(
                unit, key, seen=asked.seal, ticked=weighed.ticked, by=LI, weighed=weighed
            )

    found: Record = told("opening it, its row held", open_)
    return found


def _closing_meanwhile(wiring: Wiring, record: Record) -> None:
    """Somebody counts for a telling while another closes."""

    def weigh() -> None:
        with wiring.reading() as unit:
            ticked = messages.estimate(unit, record, Channel.TEMPLATE).ticked
        print(f"  … to be told by a template: {ticked}")

    def close() -> None:
        with wiring.unit() as unit:
            operations.close(unit, record.key, by=WANG)

    counting = threading.Thread(target=weigh)
    counting.start()
    time.sleep(0.3)
    told("closing it while somebody counts for a telling", close)
    counting.join()


def _service(wiring: Wiring, record: Record) -> None:
    with wiring.reading() as unit:
        ticked = messages.estimate(unit, record).ticked
        weighed = messages.weigh(unit, record.key, messages.OPENED, ticked=ticked, by=WANG)

    def begin() -> int:
        with wiring.unit() as unit:
            return messages.begin(unit, weighed, by=WANG)

    run = told("starting a telling after it was counted", begin)
    with wiring.reading() as unit:
        queue = telling.queue_of(unit, run)

    def next_() -> None:
        with wiring.unit() as unit:
            found = telling.next_of(unit, run, queue)
        assert found is not None
        with wiring.unit() as unit:
            telling.settle(unit, found, "sent")

    told("one follower told, WeChat's own time aside", next_, times=1_000)


def _mass(wiring: Wiring, record: Record) -> None:
    with wiring.reading() as unit:
        ticked = messages.estimate(unit, record, Channel.MASS).ticked
    with wiring.unit() as unit:
        run = messages.start(
            unit, record.key, messages.OPENED, ticked=ticked, by=WANG, channel=Channel.MASS
        )

    def list_() -> None:
        with wiring.reading() as unit:
            chosen = batches.choose(unit, run)
        with wiring.unit() as unit:
            batch = batches.next_of(unit, run, chosen)
        assert batch is not None
        with wiring.unit() as unit:
            batches.settle(unit, batch, f"{batch.id}")

    told("one list of a mass message", list_, times=10)


def _walking(wiring: Wiring) -> None:
    """Through the crowded county, a step after the other as the worker takes them."""
    with wiring.unit() as unit:
        publication.request_publication(unit)
    queue = [CROWDED]

    def step() -> None:
        if queue:
            with wiring.unit() as unit:
                here = regrouping._where(queue.pop())
                there = regrouping._step(unit, here)
            if there is not None:
                queue.append(there.key)

    told("one step of the walk through a county of 300,000", step, times=300)


def _forgetting(wiring: Wiring, patient: Engine, record: Record) -> None:
    with patient.begin() as line:
        line.execute(
            text(
                "INSERT INTO emergency_messages (emergency_id, event, openid, run_id, state, at)"
                " SELECT :id, 'ended', openid, (SELECT min(id) FROM emergency_runs), 'sent', now()"
                " FROM followers LIMIT :many"
            ),
            {"id": record.id, "many": _TOLD},
        )
        line.execute(EMERGENCIES.update().values(ends_at=clock.now() - 2 * messages.NEWS))

    def forget() -> None:
        with wiring.unit() as unit:
            messages.forget_old(unit)

    told("forgetting whom a telling concerned, a stride", forget, times=10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--followers", type=int, default=3_000_000)
    given = parser.parse_args()
    print(f"{given.followers:,} followers on PostgreSQL")
    with furnished(given.followers) as (wiring, patient):
        run(wiring, patient)


if __name__ == "__main__":
    main()
