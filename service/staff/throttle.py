"""How often somebody may try to get in: counted in the database, so that all workers agree.

A try is counted before the password is looked at, and given back when it was right: many tries at
once cannot slip through, and a branch full of people behind one address does not shut itself out.
Whoever goes on trying waits longer and longer, and never for ever.

A browser in which the person came in before (see ``devices``) has a count of its own for the
account, so that a stranger who tries somebody's name does not keep them from their work.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, update

from service import clock
from service.sealing import keyed_digest
from service.staff.models import Throttle
from service.wiring import Unit


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries in so long a time; then a wait that doubles from time to time."""

    kind: str
    tries: int
    window: timedelta
    wait: timedelta


ADDRESS: Final = Limit("address", 5, timedelta(seconds=20), timedelta(seconds=20))
ACCOUNT: Final = Limit("account", 20, timedelta(minutes=5), timedelta(minutes=1))
#: Longer would let a stranger keep somebody from work by trying their name.
LONGEST_WAIT: Final = timedelta(minutes=15)
#: After so long a quiet time the waits begin small again.
FORGIVEN_AFTER: Final = timedelta(hours=1)


def spend(unit: Unit, *, address: str, login: str, device: str = "") -> timedelta:
    """Count one try; zero means go ahead, anything else how long to wait.

    A try that is refused for its address does not count against the account.
    """
    wait = _spend(unit, ADDRESS, address)
    return wait or _spend(unit, ACCOUNT, _account(login, device))


def give_back(unit: Unit, *, address: str, login: str, device: str = "") -> None:
    """The try was a good one: it does not count.

    What was tried before it still does: whoever has the password alone could otherwise wipe out
    their wrong codes by giving the password again.
    """
    account = _account(login, device)
    names = (_name(unit, ADDRESS, address), _name(unit, ACCOUNT, account))
    unit.db.execute(
        update(Throttle)
        .where(Throttle.name.in_(names), Throttle.tries > 0)
        .values(tries=Throttle.tries - 1)
    )


def forgive(unit: Unit, *, login: str, device: str = "") -> None:
    """The person is in, or somebody vouches for them: the account's waits begin small again.

    A browser that has a count of its own forgives that alone: what strangers tried stays counted.
    """
    name = _name(unit, ACCOUNT, _account(login, device))
    unit.db.execute(delete(Throttle).where(Throttle.name == name))


def tidy(unit: Unit) -> None:
    """A chore: forget who has not tried for long."""
    unit.db.execute(delete(Throttle).where(Throttle.free_at < clock.now() - FORGIVEN_AFTER))


def _spend(unit: Unit, limit: Limit, name: str) -> timedelta:
    present = clock.now()
    row = _locked(unit, _name(unit, limit, name), present)
    if row.free_at > present:
        return row.free_at - present
    tries, began, strikes = row.tries, row.began_at, row.strikes
    if present - began >= limit.window:
        tries, began = 0, present
    if present - row.free_at >= FORGIVEN_AFTER:
        strikes = 0
    wait = timedelta(0)
    if tries >= limit.tries:
        wait = min(limit.wait * 2 ** min(strikes, 10), LONGEST_WAIT)
        tries, strikes = 0, strikes + 1
    else:
        tries += 1
    unit.db.execute(
        update(Throttle)
        .where(Throttle.name == row.name)
        .values(tries=tries, began_at=began, strikes=strikes, free_at=present + wait)
    )
    return wait


def _locked(unit: Unit, name: str, present: datetime) -> Throttle:
    """The row, there from now on and this transaction's alone until it ends."""
    insert = unit.insert(Throttle).values(
        name=name, began_at=present, tries=0, strikes=0, free_at=present
    )
    found = unit.db.execute(
        # An update that changes nothing takes the row's lock, and returns the row either way.
        insert.on_conflict_do_update(
            index_elements=[Throttle.name], set_={"name": Throttle.name}
        ).returning(
            Throttle.name, Throttle.began_at, Throttle.tries, Throttle.strikes, Throttle.free_at
        )
    ).one()
    return Throttle(**found._mapping)


def _account(login: str, device: str) -> str:
    return f"{login}\0{device}" if device else login


def _name(unit: Unit, limit: Limit, name: str) -> str:
    return keyed_digest(unit.settings.secret_key, f"throttle {limit.kind}", name)
