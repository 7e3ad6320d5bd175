"""What whoever was signed out by somebody else's act is told, once, by the browser they were in.

Only the value in that browser's cookie asks for it: nobody learns anything by typing a name. Of
a session that had no second factor yet nothing is kept: others may know a password.
"""

from __future__ import annotations

from sqlalchemy import delete, literal, select

from service import clock
from service.sealing import digest_of
from service.staff import sessions
from service.staff.models import StaffEnding, StaffSession
from service.wiring import Unit


def end_all(unit: Unit, staff_id: int) -> None:
    """End every session of this person, and remember which were inside."""
    inside = select(StaffSession.digest, literal(clock.now(), StaffEnding.ended_at.type)).where(
        StaffSession.staff_id == staff_id, StaffSession.stage == sessions.SIGNED_IN
    )
    unit.db.execute(unit.insert(StaffEnding).from_select(["digest", "ended_at"], inside))
    sessions.close_all(unit, staff_id)


def take(unit: Unit, token: str) -> bool:
    """Whether the session behind this cookie was ended so; the second time it is not known."""
    found = unit.db.execute(
        delete(StaffEnding).where(
            StaffEnding.digest == digest_of(token),
            StaffEnding.ended_at > clock.now() - sessions.LONGEST,
        )
    )
    return found.rowcount == 1


def tidy(unit: Unit) -> None:
    """A chore: forget what nobody came back for within the time a session may last."""
    unit.db.execute(
        delete(StaffEnding).where(StaffEnding.ended_at < clock.now() - sessions.LONGEST)
    )
