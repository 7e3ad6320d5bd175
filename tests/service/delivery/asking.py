"""Asking for deliveries and claiming them, as tests of the ledger do all the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from service import clock
from service.delivery import claims
from service.delivery.claims import Claim
from service.delivery.ledger import RUNNING, Lane, Row, request
from service.wiring import Wiring

SOON = timedelta(seconds=30)


def ask(wired: Wiring, key: str = "a", *, kind: str = "tell", **how: object) -> None:
    with wired.unit() as unit:
        request(unit, kind, key=key, **how)  # type: ignore[arg-type]


def claim(wired: Wiring, kind: str = "tell", *, batch: int = 1) -> Claim | None:
    """What a worker does: look which lanes are open, then try to take from one."""
    with wired.reading() as unit:
        lanes = claims.open_lanes(unit)
    for lane in sorted(lane for found, lane in lanes if found == kind):
        with wired.unit() as unit:
            if held := claims.claim(unit, kind, lane, batch=batch):
                return held
    return None


def claimed(wired: Wiring, kind: str = "tell", *, batch: int = 1) -> Claim:
    found = claim(wired, kind, batch=batch)
    assert found is not None
    return found


def rows(wired: Wiring) -> Sequence[Any]:
    with wired.reading() as unit:
        return unit.db.execute(select(*Row.__table__.columns).order_by(Row.id)).all()


def states(wired: Wiring) -> list[str]:
    return [row.state for row in rows(wired)]


def kill_the_holder_of(wired: Wiring, _held: Claim) -> None:
    """What a killed worker leaves: leases that nobody renews."""
    past = clock.now() - timedelta(seconds=1)
    with wired.unit() as unit:
        unit.db.execute(update(Row).where(Row.state == RUNNING).values(lease_until=past))
        unit.db.execute(update(Lane).values(lease_until=past))
