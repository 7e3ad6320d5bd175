"""The browsers in which somebody came in before, so that they are not taken for strangers.

A browser holds, for each of the few people who come in with it, a name nobody can guess and our
signature that this name belongs to that person. It opens nothing: all it is good for is a count of
its own tries, see ``throttle``. Nothing of it is kept with us.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Final

from service import clock
from service.sealing import keyed_digest

#: How long a browser that is not used is remembered.
LIFE: Final = timedelta(days=90)
#: At a branch's shared computer the people who came in last count.
_MOST: Final = 8
_SECONDS_A_DAY: Final = 86_400


def known(secret_key: str, held: str, *, login: str) -> str:
    """The browser's name for this person, if they came in with it before; "" for a stranger's."""
    for one in held.split(":")[:_MOST]:
        if _is_for(secret_key, one, login):
            return one.split(".")[0]
    return ""


def remember(secret_key: str, held: str, *, login: str) -> str:
    """What the browser must hold from now on, as this person just came in with it.

    Whoever was remembered keeps the name, so that signing in again starts no new count.
    """
    name = known(secret_key, held, login=login) or secrets.token_hex(12)
    day = str(_today())
    mine = f"{name}.{day}.{_signature(secret_key, name, day, login)}"
    others = [one for one in held.split(":") if one and not _is_for(secret_key, one, login)]
    return ":".join([mine, *others][:_MOST])


def _is_for(secret_key: str, one: str, login: str) -> bool:
    name, _dot, rest = one.partition(".")
    day, _dot, signature = rest.partition(".")
    if not one.isascii():
        return False
    right = _signature(secret_key, name, day, login)
    if not hmac.compare_digest(right.encode(), signature.encode()):
        return False
    # Ours, so it is a number; a day to come is a clock that was set back.
    return _today() - int(day) <= LIFE.days


def _signature(secret_key: str, name: str, day: str, login: str) -> str:
    return keyed_digest(secret_key, "known browser", f"{name}.{day}\0{login}")[:32]


def _today() -> int:
    return clock.epoch() // _SECONDS_A_DAY
