"""A binding's life: a code is asked for, tried, right; consent is renewed; the binding ends.

None of these asks the core anything: whoever does so stands outside the transaction, before or
after. That a binding ended reaches the core by a delivery, so it is told even when it is down.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.fernet import InvalidToken
from sqlalchemy import delete, func, select, update

from lightservices.binding import consent, limits
from lightservices.binding.models import BindingAttempt, BindingRow
from lightservices.providers.protocol import Customer
from service import clock, followers, sealing
from service.delivery import ledger
from service.happenings import OpenId, Unfollowed
from service.wiring import Unit

#: Wrong codes after which an attempt is over, whatever the core says.
MOST_TRIES: Final = 5
#: Followers one telephone number may be bound to; families share telephones.
MOST_SHARING: Final = 3
END: Final = "binding.end"
AGREE: Final = "binding.agree"
_PURPOSE: Final = "customer bindings"
_PHONES: Final = "telephone numbers"


class NoAttempt(Exception):
    """Nothing waits for a code: it ran out, was used up, or never was."""


class Shared(Exception):
    """Too many followers are bound to this telephone number."""


@dataclass(frozen=True, slots=True, repr=False)
class Binding:
    """What a page may know of a binding."""

    customer: Customer
    phone_tail: str
    consent_version: str
    bound_at: datetime

    @property
    def is_agreed(self) -> bool:
        """Whether the follower agreed to the text as it is today."""
        return self.consent_version == consent.current().version


@dataclass(frozen=True, slots=True, repr=False)
class Attempt:
    """A code that was sent: the core's name for it, and where it went."""

    name: str
    phone_masked: str
    phone_digest: str
    consent_version: str
    tries_left: int


def subject_of(unit: Unit, openid: OpenId) -> str:
    """The name under which the core knows this follower: it tells nothing outside the two of us."""
    return sealing.keyed_digest(unit.settings.secret_key, "core subjects", openid)


def allow_start(unit: Unit, openid: OpenId, *, phone: str) -> str:
    """Count one more code asked for; gives the subject to ask under.

    Raises:
        limits.TooOften: by this follower, or for this telephone number.
        Shared: when enough followers are bound to this number.
    """
    digest = _phone_digest(unit, phone)
    limits.count(unit, "start", openid, most=limits.MOST_STARTS)
    limits.count(unit, "phone", digest, most=limits.MOST_STARTS)
    others = select(func.count()).where(
        BindingRow.phone_digest == digest, BindingRow.openid != openid
    )
    if unit.db.execute(others).scalar_one() >= MOST_SHARING:
        raise Shared
    return subject_of(unit, openid)


def await_code(
    unit: Unit, openid: OpenId, *, name: str, phone: str, phone_masked: str, ends_at: datetime
) -> None:
    """The core has sent a code; an earlier one counts no longer."""
    _end_attempt(unit, openid)
    unit.db.execute(
        unit.insert(BindingAttempt).values(
            openid=openid,
            sealed=_seal(unit, name, phone_masked),
            phone_digest=_phone_digest(unit, phone),
            consent_version=consent.current().version,
            consent_at=clock.now(),
            tries=0,
            ends_at=min(ends_at, clock.now() + timedelta(minutes=10)),
        )
    )


def attempt(unit: Unit, openid: OpenId) -> Attempt | None:
    """The code this follower was sent, while it can still be given."""
    row = unit.db.execute(
        select(BindingAttempt.__table__).where(BindingAttempt.openid == openid)
    ).one_or_none()
    if row is None or row.ends_at <= clock.now() or row.tries >= MOST_TRIES:
        return None
    opened = _open(unit, row.sealed)
    if opened is None:
        return None
    return Attempt(*opened, row.phone_digest, row.consent_version, MOST_TRIES - row.tries)


def allow_try(unit: Unit, openid: OpenId) -> Attempt:
    """Count one more code tried, before anybody learns whether it is right.

    Raises:
        limits.TooOften: too many within the hour.
        NoAttempt: there is none, or it had its tries.
    """
    limits.count(unit, "try", openid, most=limits.MOST_TRIES)
    found = attempt(unit, openid)
    counted = unit.db.execute(
        update(BindingAttempt)
        .where(BindingAttempt.openid == openid, BindingAttempt.tries < MOST_TRIES)
        .values(tries=BindingAttempt.tries + 1)
        .returning(BindingAttempt.tries)
    ).scalar()
    if found is None or counted is None:
        raise NoAttempt
    return Attempt(
        found.name, found.phone_masked, found.phone_digest, found.consent_version,
        MOST_TRIES - counted,
    )  # fmt: skip


def give_up(unit: Unit, openid: OpenId) -> None:
    """The follower wants another code, or another number."""
    _end_attempt(unit, openid)


def bind(unit: Unit, openid: OpenId, *, made: Attempt, customer: str, phone_tail: str) -> bool:
    """The code was right. False when the follower has left meanwhile: then the core is told."""
    followers.alone(unit, openid)
    _end_attempt(unit, openid)
    sealed = _seal(unit, customer, phone_tail)
    if not followers.is_known(unit, openid):
        _tell_end(unit, sealed)
        return False
    present = clock.now()
    values = {
        "sealed": sealed, "phone_digest": made.phone_digest,
        "consent_version": made.consent_version, "consent_at": present, "bound_at": present,
    }  # fmt: skip
    insert = unit.insert(BindingRow).values(openid=openid, **values)
    unit.db.execute(insert.on_conflict_do_update(index_elements=[BindingRow.openid], set_=values))
    return True


def binding(unit: Unit, openid: OpenId) -> Binding | None:
    """This follower's binding; one that can no longer be opened is none."""
    row = unit.db.execute(
        select(BindingRow.__table__).where(BindingRow.openid == openid)
    ).one_or_none()
    opened = _open(unit, row.sealed) if row is not None else None
    if row is None or opened is None:
        return None
    return Binding(Customer(opened[0]), opened[1], row.consent_version, row.bound_at)


def agree(unit: Unit, openid: OpenId) -> None:
    """The follower agrees to today's text; the core is told which."""
    version, present = consent.current().version, clock.now()
    sealed = unit.db.execute(
        update(BindingRow)
        .where(BindingRow.openid == openid)
        .values(consent_version=version, consent_at=present)
        .returning(BindingRow.sealed)
    ).scalar()
    if sealed is not None:
        payload = {"sealed": sealed, "version": version, "at": present.isoformat("T", "seconds")}
        key = sealing.keyed_digest(unit.settings.secret_key, AGREE, openid)
        ledger.request(unit, AGREE, key=key, openid=openid, payload=payload)


def unbind(unit: Unit, openid: OpenId) -> bool:
    """Erase the binding now and have the core told; whether there was one."""
    _end_attempt(unit, openid)
    sealed = unit.db.execute(
        delete(BindingRow).where(BindingRow.openid == openid).returning(BindingRow.sealed)
    ).scalar()
    if sealed is None:
        return False
    _tell_end(unit, sealed)
    return True


def lapse(unit: Unit, openid: OpenId, *, customer: Customer) -> None:
    """The core knows this token no longer: erase it, unless another has taken its place."""
    found = binding(unit, openid)
    if found is None or found.customer.token == customer.token:
        unit.db.execute(delete(BindingRow).where(BindingRow.openid == openid))


def forget(unit: Unit, fact: Unfollowed) -> None:
    """Whoever leaves is unbound, as if they had asked for it."""
    unbind(unit, fact.openid)


def forget_old(unit: Unit) -> None:
    """The chore: codes that ran out, and counts that no longer matter."""
    present = clock.now()
    unit.db.execute(delete(BindingAttempt).where(BindingAttempt.ends_at <= present))
    limits.forget_old(unit, before=present - limits.HOUR)


def opened_token(unit: Unit, sealed: str) -> str | None:
    """The core's token under a seal that a delivery carries."""
    opened = _open(unit, sealed)
    return opened[0] if opened else None


def _tell_end(unit: Unit, sealed: str) -> None:
    # No openid: this must outlive the follower, and the seal tells nobody who it was.
    key = sealing.keyed_digest(unit.settings.secret_key, END, sealed)
    ledger.request(unit, END, key=key, payload={"sealed": sealed})


def _end_attempt(unit: Unit, openid: OpenId) -> None:
    unit.db.execute(delete(BindingAttempt).where(BindingAttempt.openid == openid))


def _phone_digest(unit: Unit, phone: str) -> str:
    return sealing.keyed_digest(unit.settings.secret_key, _PHONES, phone)


def _seal(unit: Unit, *secrets: str) -> str:
    vault = sealing.vault(unit.settings.secret_key, _PURPOSE)
    return vault.encrypt(json.dumps(secrets).encode()).decode()


def _open(unit: Unit, sealed: str) -> tuple[str, str] | None:
    """What was sealed; nothing when ``SECRET_KEY`` has changed since."""
    try:
        opened = sealing.vault(unit.settings.secret_key, _PURPOSE).decrypt(sealed.encode())
    except InvalidToken:
        return None
    first, second = json.loads(opened)
    return first, second
