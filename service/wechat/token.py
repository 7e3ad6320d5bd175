"""One access token for all processes: fetched once, shared through the database, renewed in time.

The JS-SDK ticket is shared in the same way. A value is stored encrypted under a key derived from
``SECRET_KEY``. Whoever renews it holds a short lease, taken by compare-and-set, so that processes
and threads that start cold together fetch it once; nobody throws away the old value before the new
one is there, because WeChat honours both for about five minutes.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.fernet import InvalidToken
from sqlalchemy import ColumnElement, String, Text, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from service import clock
from service.db import Model, UtcTime
from service.sealing import CREDENTIALS, vault
from service.wechat.errors import TryLater, Unreachable, WillNever
from service.wiring import Wiring

#: When less than this is left of a value we ask for the next one, at a moment up to two minutes
#: later so that installations do not all ask together. ``stable_token`` gives it out under five.
RENEW_BEFORE: Final = timedelta(minutes=10)
_SPREAD_SECONDS: Final = 120.0
#: When asking brought the same value again, ask again after this time.
_ASK_AGAIN: Final = timedelta(minutes=1)
#: Under this much life left a value is not worth starting a call with.
_TOO_SHORT: Final = timedelta(seconds=10)
#: Longer than a fetch can take; after a fetcher was killed, others take over when it has passed.
_LEASE: Final = timedelta(seconds=5)
#: While one process fetches, the others look this often whether it is there.
_LOOK_SECONDS: Final = 0.05
#: After a failed fetch callers are refused at once this long, if nothing usable is left.
_AFTER_FAILURE_SECONDS: Final = 1.0
#: After a renewal failed or the account was refused, WeChat is left alone this long.
_AFTER_REFUSAL_SECONDS: Final = 15.0
#: WeChat gave out again the value it had refused; asking once more at once would not help.
_DOUBT_SECONDS: Final = 30.0


class Credential(Model):
    """A value WeChat gave the account for a time."""

    __tablename__ = "credentials"

    name: Mapped[str] = mapped_column(String(96), primary_key=True)
    sealed: Mapped[str] = mapped_column(Text, default="")
    renew_at: Mapped[datetime | None] = mapped_column(UtcTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    lease_by: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """A value from WeChat, when to ask for the next and when it ends. It never shows itself."""

    value: str
    renew_at: datetime
    expires_at: datetime

    @property
    def is_fresh(self) -> bool:
        return clock.now() < self.renew_at

    @property
    def is_usable(self) -> bool:
        return self.expires_at - clock.now() > _TOO_SHORT


def granted(value: str, seconds: int) -> Granted:
    """A value WeChat has just given for this many seconds."""
    present, life = clock.now(), timedelta(seconds=seconds)
    spread = timedelta(seconds=random.uniform(0, _SPREAD_SECONDS))  # noqa: S311  # It guards nothing.
    soonest = min(_ASK_AGAIN, life / 2)
    return Granted(value, present + max(life - RENEW_BEFORE + spread, soonest), present + life)


class Deadline:
    """The moment by which a caller must have an answer or a refusal."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - time.monotonic())


class SharedCredential:
    """One process's view of a credential all processes share.

    ``fetch(deadline)`` asks WeChat for the current value. It runs without any transaction open.
    """

    def __init__(self, wiring: Wiring, name: str, fetch: Callable[[Deadline], Granted]) -> None:
        self._wiring = wiring
        self._name = f"{wiring.settings.wechat_appid}:{name}"
        self._fetch = fetch
        self._kept: Granted | None = None
        self._failure: tuple[float, TryLater | WillNever] | None = None
        self._doubted: tuple[str, float] = ("", 0.0)
        self._lock = threading.Lock()
        self._vault = vault(wiring.settings.secret_key, CREDENTIALS)

    def value(self, deadline: Deadline) -> str:
        """The current value.

        Raises:
            TryLater: when there is none by the deadline.
            WillNever: when WeChat refuses to give one to this server or account.
        """
        kept = self._kept
        if kept is not None and kept.is_fresh:
            return kept.value
        with self._alone(deadline):
            self._kept = self._current(deadline)
            return self._kept.value

    def forget(self, failing: str, deadline: Deadline) -> None:
        """Stop using a value WeChat has just refused, unless another has taken its place."""
        with self._alone(deadline):
            doubted, until = self._doubted
            if failing == doubted and time.monotonic() < until:
                return
            self._kept = None
            stored = self._stored()
            if stored.granted is None or stored.granted.value != failing:
                return
            self._doubted = (failing, 0.0)
            # The seal differs each time it is written, even over the same value: when another
            # process has renewed it meanwhile, this finds nothing and changes nothing.
            self._update(Credential.sealed == stored.seal, expires_at=clock.now())

    @contextmanager
    def _alone(self, deadline: Deadline) -> Iterator[None]:
        """One thread of this process at a time; the others need not trouble the database."""
        if not self._lock.acquire(timeout=deadline.left()):
            raise _too_late()
        try:
            yield
        finally:
            self._lock.release()

    def _current(self, deadline: Deadline) -> Granted:
        """What others have stored, or else fetch it, or wait for whoever is fetching it."""
        if self._kept is not None and self._kept.is_fresh:
            return self._kept
        while True:
            stored = self._stored()
            found = stored.granted
            if found is not None and found.is_fresh and found.is_usable:
                return found
            usable = found if found is not None and found.is_usable else None
            if failure := self._recent_failure(usable):
                if usable is not None:
                    return usable
                raise failure.with_traceback(None)
            holder = uuid.uuid4().hex
            if self._lease(stored.seal, holder):
                return self._renew(deadline, usable, holder)
            if usable is not None:
                return usable
            if deadline.left() <= _LOOK_SECONDS:
                raise _too_late()
            time.sleep(_LOOK_SECONDS)

    def _renew(self, deadline: Deadline, usable: Granted | None, holder: str) -> Granted:
        try:
            fresh = self._fetch(deadline)
        except (TryLater, WillNever) as failed:
            self._failure = (time.monotonic(), failed)
            self._update(Credential.lease_by == holder, lease_by=None, lease_until=None)
            if usable is None:
                raise
            return usable
        if fresh.value == self._doubted[0]:
            self._doubted = (fresh.value, time.monotonic() + _DOUBT_SECONDS)
        self._failure = None
        # A fetcher that outlived its lease still stores what it has: it is as good as any other.
        self._update(
            sealed=self._vault.encrypt(fresh.value.encode()).decode(),
            renew_at=fresh.renew_at,
            expires_at=fresh.expires_at,
            lease_by=None,
            lease_until=None,
        )
        return fresh

    def _recent_failure(self, usable: Granted | None) -> TryLater | WillNever | None:
        if self._failure is None:
            return None
        since, failure = self._failure
        calm = usable is not None or isinstance(failure, WillNever)
        window = _AFTER_REFUSAL_SECONDS if calm else _AFTER_FAILURE_SECONDS
        return failure if time.monotonic() - since < window else None

    def _stored(self) -> Stored:
        with self._wiring.reading() as unit:
            row = unit.db.execute(
                select(Credential.sealed, Credential.renew_at, Credential.expires_at).where(
                    Credential.name == self._name
                )
            ).one_or_none()
        if row is None or row.renew_at is None or row.expires_at is None:
            return Stored(row.sealed if row else "", None)
        try:
            value = self._vault.decrypt(row.sealed).decode()
        except InvalidToken:  # SECRET_KEY has changed since; a new value will be written over it.
            return Stored(row.sealed, None)
        return Stored(row.sealed, Granted(value, row.renew_at, row.expires_at))

    def _lease(self, seal: str, holder: str) -> bool:
        """Become the one who fetches, unless somebody is fetching or has just fetched."""
        present = clock.now()
        with self._wiring.unit() as unit:
            unit.db.execute(
                unit.insert(Credential).values(name=self._name, sealed="").on_conflict_do_nothing()
            )
        free = or_(Credential.lease_until.is_(None), Credential.lease_until <= present)
        taken = self._update(
            free, Credential.sealed == seal, lease_by=holder, lease_until=present + _LEASE
        )
        return taken == 1

    def _update(self, *conditions: ColumnElement[bool], **values: object) -> int:
        with self._wiring.unit() as unit:
            done = unit.db.execute(
                update(Credential).where(Credential.name == self._name, *conditions).values(values)
            )
            return done.rowcount


@dataclass(frozen=True, slots=True, repr=False)
class Stored:
    """What the table holds: the seal as it was written, and what is under it if it can be read."""

    seal: str
    granted: Granted | None


def _too_late() -> Unreachable:
    return Unreachable(timedelta(seconds=1), "没有及时得到微信的访问凭证")
