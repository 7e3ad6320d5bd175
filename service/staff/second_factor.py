"""The code from the authenticator app, its set-up, and the codes for the day the phone is lost."""

from __future__ import annotations

import hmac
import secrets
from typing import Final

import pyotp
import segno
from cryptography.fernet import InvalidToken
from sqlalchemy import delete, select, true, update

from service import clock
from service.sealing import SECOND_FACTOR, keyed_digest, vault
from service.staff.models import RecoveryCode, Staff
from service.wiring import Unit

STEP_SECONDS: Final = 30
#: A phone's clock may be one step off, either way.
_STEPS_AROUND: Final = (0, -1, 1)
RECOVERY_CODES: Final = 10
#: RFC 4648's base 32: ten of its signs are 50 bits.
_SIGNS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def new_secret() -> str:
    """A secret for an authenticator app, 160 bits in base 32."""
    return pyotp.random_base32()


def sealed(unit: Unit, secret: str) -> str:
    return vault(unit.settings.secret_key, SECOND_FACTOR).encrypt(secret.encode()).decode()


def opened(unit: Unit, seal: str | None) -> str | None:
    """The secret under the seal; None without one, and when ``SECRET_KEY`` has changed since."""
    try:
        box = vault(unit.settings.secret_key, SECOND_FACTOR)
        return box.decrypt(seal).decode() if seal else None
    except InvalidToken:
        return None


def code_now(secret: str) -> str:
    return pyotp.TOTP(secret).at(clock.epoch())


def step_of(secret: str, code: str) -> int | None:
    """Which half minute this is the code of, of those that count now; None of none of them."""
    given = "".join(code.split())
    if not (given.isascii() and given.isdigit()):
        return None
    totp, present = pyotp.TOTP(secret), clock.epoch()
    found = None
    for around in _STEPS_AROUND:
        moment = present + around * STEP_SECONDS
        if hmac.compare_digest(totp.at(moment), given):
            found = moment // STEP_SECONDS
    return found


def use_code(unit: Unit, staff_id: int, code: str) -> bool:
    """Whether the code is right and was not used before; from now on it was."""
    seal = unit.db.execute(select(Staff.totp_sealed).where(Staff.id == staff_id)).scalar()
    secret = opened(unit, seal)
    step = step_of(secret, code) if secret else None
    if step is None:
        return False
    # Compared in the database: of two requests with the same code only one finds it unused.
    used = unit.db.execute(
        update(Staff)
        .where(Staff.id == staff_id, Staff.totp_step < step, Staff.totp_sealed == seal)
        .values(totp_step=step)
    )
    return used.rowcount == 1


def use_recovery_code(unit: Unit, staff_id: int, code: str) -> bool:
    """Whether this is one of the person's unused recovery codes; from now on it is used."""
    used = unit.db.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.staff_id == staff_id,
            RecoveryCode.digest == _digest(unit, staff_id, code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
    )
    return used.rowcount == 1


def settle(
    unit: Unit, staff_id: int, *, seal: str, code: str, replacing: bool = False
) -> list[str] | None:
    """Make the secret under the seal the person's, as a right code of it shows that they have it.

    Returns the recovery codes, which nobody can read again; None when the code is wrong, or when
    the person has a second factor already that this one is not ``replacing``.
    """
    secret = opened(unit, seal)
    step = step_of(secret, code) if secret else None
    if step is None:
        return None
    done = unit.db.execute(
        update(Staff)
        .where(Staff.id == staff_id, true() if replacing else Staff.totp_sealed.is_(None))
        .values(totp_sealed=seal, totp_step=step)
    )
    return new_recovery_codes(unit, staff_id) if done.rowcount == 1 else None


def new_recovery_codes(unit: Unit, staff_id: int) -> list[str]:
    """New codes in place of all there were."""
    unit.db.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    codes = ["-".join(_random(5) for _ in range(2)) for _ in range(RECOVERY_CODES)]
    rows = [{"staff_id": staff_id, "digest": _digest(unit, staff_id, code)} for code in codes]
    unit.db.execute(unit.insert(RecoveryCode), rows)
    return codes


def forget(unit: Unit, staff_id: int) -> None:
    """The phone is lost: the next sign-in sets up another."""
    unit.db.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    unit.db.execute(update(Staff).where(Staff.id == staff_id).values(totp_sealed=None, totp_step=0))


def picture(secret: str, *, login: str, bank: str) -> str:
    """The square that an authenticator app reads, as a ``data:`` address for an image."""
    address = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=bank)
    return segno.make(address, error="m").svg_data_uri(scale=5, border=3, light="#ffffff")


def _random(signs: int) -> str:
    return "".join(secrets.choice(_SIGNS) for _ in range(signs))


def _digest(unit: Unit, staff_id: int, code: str) -> str:
    plain = "".join(sign for sign in code.upper() if sign in _SIGNS)
    return keyed_digest(unit.settings.secret_key, f"recovery code of {staff_id}", plain)
