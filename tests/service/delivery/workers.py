"""A worker process that tests start and kill, and what it performs: one service notice each."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from multiprocessing.context import ForkServerContext

from sqlalchemy import func, select

from config import Settings
from service.delivery.ledger import Delivery, Desk, Outcomes, Performer, Row
from service.delivery.worker import Worker
from service.wechat.errors import TryLater, WillNever
from service.wiring import Tables, Wiring
from tests.service.delivery.wired import wire

#: Short, so that what a killed worker held comes back within the test.
LEASE = timedelta(seconds=1)


def notify(desk: Desk, deliveries: Sequence[Delivery]) -> Outcomes:
    """Send each its notice; the idempotency key makes a repeat harmless."""
    undone: dict[int, TryLater | WillNever] = {}
    for delivery in deliveries:
        assert delivery.openid is not None
        try:
            desk.gateway.send_template(
                delivery.openid,
                "t-1",
                {"thing1": delivery.key},
                client_msg_id=delivery.idempotency_key,
            )
        except (TryLater, WillNever) as refused:
            undone[delivery.id] = refused
    return undone


NOTIFYING = Tables(deliveries={"notify": Performer(notify, batch=5)})


def work(settings: Settings) -> None:
    """What the process does until it is killed."""
    Worker(wire(settings, NOTIFYING), threads=2, lease=LEASE).run()


def processes() -> ForkServerContext:
    """Real processes that share nothing with the test, and start at once all the same."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def unsettled(wired: Wiring) -> int:
    """How many deliveries the ledger holds."""
    with wired.reading() as unit:
        return unit.db.execute(select(func.count()).select_from(Row)).scalar_one()


def kill_while_working(
    wired: Wiring, *, kills: int, every: int, seen: Callable[[], int], seconds: float = 90
) -> int:
    """Keep two workers at it until nothing waits; kill one after ``every`` calls that were seen.

    Returns:
        How many were killed with SIGKILL.
    """
    context, chance = processes(), random.Random(7)
    workers = [context.Process(target=work, args=(wired.settings,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    done, last, deadline = 0, 0, time.monotonic() + seconds
    while unsettled(wired) and time.monotonic() < deadline:
        time.sleep(0.02)
        if done < kills and seen() > last + every:
            last, victim = seen(), chance.randrange(2)
            workers[victim].kill()
            workers[victim].join()
            done += 1
            workers[victim] = context.Process(target=work, args=(wired.settings,))
            workers[victim].start()
    for worker in workers:
        worker.kill()
        worker.join()
    return done
