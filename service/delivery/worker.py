"""The process that settles deliveries and does the chores: several threads, one ledger.

Threads look for work four times a second while there is none. That costs one read each, keeps the
webhook free of any message broker, and is well within what a menu or a message needs.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from service import journal
from service.delivery import claims
from service.delivery.claims import LEASE, Again, Broken, Claim
from service.delivery.ledger import (
    RUNNING,
    WAITING,
    Delivery,
    Desk,
    Outcomes,
    Performer,
    Row,
    request,
)
from service.wechat.errors import TryLater, WillNever
from service.wiring import Unit, Wiring

log = journal.logger("delivery.worker")

#: How long a thread that found nothing waits before it looks again.
IDLE_SECONDS: Final = 0.25
#: How long to leave things alone when claiming or settling itself went wrong.
_TROUBLE_SECONDS: Final = 1.0
#: A batch that is still being performed after this long is stuck, and its lease is let go.
_STUCK_SECONDS: Final = 600.0
#: How often a running worker makes sure that every chore is on the ledger.
_CHORES_SECONDS: Final = 60.0
#: The kind under which chores stand in the ledger.
CHORE: Final = "chore"


def perform_chore(desk: Desk, deliveries: Sequence[Delivery]) -> Outcomes | None:
    """Do one of the chores of ``wsgi.py``, and ask for it again after its period.

    One that breaks is tried again after its period too: nobody would ask for it anew.
    """
    [delivery] = deliveries
    chore = desk.wiring.tables.chores.get(delivery.key)
    if chore is None:
        return None
    seconds, step = chore
    try:
        with desk.unit() as unit:
            step(unit)
    except Exception as fault:
        log.exception("a chore broke", chore=delivery.key)
        why = f"定时任务出错：{type(fault).__name__}"
        return {delivery.id: TryLater(timedelta(seconds=seconds), why)}
    return {delivery.id: Again(timedelta(seconds=seconds))}


def schedule_chores(unit: Unit) -> None:
    """Put on the ledger each chore that is not there; one that is keeps its time."""
    chores = unit.wiring.tables.chores
    there = set(
        unit.db.execute(
            select(Row.key).where(Row.kind == CHORE, Row.state.in_((WAITING, RUNNING)))
        ).scalars()
    )
    for name in chores.keys() - there:
        request(unit, CHORE, key=name)


class Worker:
    """Performs what is due, in this process."""

    def __init__(self, wiring: Wiring, *, threads: int = 4, lease: timedelta = LEASE) -> None:
        self._wiring = wiring
        self._threads = threads
        self._lease = lease
        self._performers = {**wiring.tables.deliveries, CHORE: Performer(perform_chore)}
        self._held: dict[str, float] = {}
        self._chores_at = 0.0
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until :meth:`stop` is called, finishing what has been begun."""
        threads = [
            threading.Thread(target=self._work, name=f"worker-{number}")
            for number in range(self._threads)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self._keep_house()
            if not self._stopping.wait(self._lease.total_seconds() / 4):
                continue
            # What is being performed still needs its lease until it is settled.
            time.sleep(IDLE_SECONDS)

    def stop(self) -> None:
        """Begin nothing more; may be called by a signal handler."""
        self._stopping.set()

    def work_off(self) -> int:
        """Perform all that is due now in the calling thread; how many deliveries that were."""
        count = 0
        while (held := self._next()) is not None:
            self._perform(held)
            count += len(held.deliveries)
        return count

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                held = self._next()
                if held is not None:
                    self._perform(held)
                else:
                    self._stopping.wait(IDLE_SECONDS)
            except Exception:
                # Mostly a database that does not answer. Nothing is lost: what could not be
                # settled comes back when its lease ends.
                log.exception("nothing could be claimed or settled")
                self._stopping.wait(_TROUBLE_SECONDS)

    def _keep_house(self) -> None:
        """Renew leases, and see to it that the chores are on the ledger."""
        oldest = time.monotonic() - _STUCK_SECONDS
        tokens = [token for token, since in list(self._held.items()) if since > oldest]
        try:
            with self._wiring.unit() as unit:
                if tokens:
                    claims.renew(unit, tokens, lease=self._lease)
                if time.monotonic() >= self._chores_at:
                    schedule_chores(unit)
                    self._chores_at = time.monotonic() + _CHORES_SECONDS
        except SQLAlchemyError as fault:
            log.warning("leases could not be renewed", fault=type(fault).__name__)

    def _next(self) -> Claim | None:
        """One batch of whatever is due, in no order, so that no kind can starve another."""
        with self._wiring.reading() as unit:
            lanes = claims.open_lanes(unit)
        for kind, lane in random.sample(lanes, len(lanes)):
            performer = self._performers.get(kind)
            if performer is None:
                continue
            with self._wiring.unit() as unit:
                held = claims.claim(unit, kind, lane, batch=performer.batch, lease=self._lease)
            if held is not None:
                return held
        return None

    def _perform(self, held: Claim) -> None:
        self._held[held.token] = time.monotonic()
        try:
            outcomes = self._outcomes(self._performers[held.kind], held.deliveries)
            claims.settle(self._wiring, held, outcomes)
        finally:
            del self._held[held.token]

    def _outcomes(self, performer: Performer, deliveries: Sequence[Delivery]) -> Outcomes:
        try:
            return performer.perform(Desk(self._wiring), deliveries) or {}
        except (TryLater, WillNever) as refused:
            return {delivery.id: refused for delivery in deliveries}
        except Exception as fault:
            log.exception("a performer broke", kind=deliveries[0].kind)
            broken = Broken(timedelta(seconds=1), f"程序出错：{type(fault).__name__}")
        if len(deliveries) == 1:
            return {deliveries[0].id: broken}
        # One of them may have broken it for all: alone, the others get through.
        found: dict[int, TryLater | WillNever] = {}
        for delivery in deliveries:
            found |= self._outcomes(performer, [delivery])
        return found


def work_off(wiring: Wiring) -> int:
    """Perform all that is due now, in this thread; how many deliveries that were."""
    return Worker(wiring).work_off()
