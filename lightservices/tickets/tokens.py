"""What only a form of ours can send back, from the browser it was made for, and not for ever."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import MutableMapping
from typing import Any, Final

from config import Settings
from service import clock, sealing
from service.happenings import OpenId

#: The field in which a form gives its token back.
FIELD: Final = "_token"
#: How long a form may lie open; whoever comes later gets it anew, with what was typed.
LASTS_SECONDS: Final = 24 * 3600
_GUEST: Final = "guest"
_PURPOSE: Final = "ticket forms"
_SHAPE: Final = re.compile(r"([0-9a-f]{32})\.(\d{10,11})\.([0-9a-f]{64})", re.ASCII)

Cookie = MutableMapping[str, Any]


def whose(cookie: Cookie, openid: OpenId | None) -> str:
    """Who fills in forms: the follower, or this browser under a name of chance."""
    if openid is not None:
        return f"follower {openid}"
    kept = cookie.get(_GUEST)
    if not isinstance(kept, str):
        kept = cookie[_GUEST] = secrets.token_hex(16)
    return f"guest {kept}"


def made(settings: Settings, *, form: str, who: str) -> str:
    """A token for one filling in of this form by this person."""
    nonce, at = secrets.token_hex(16), str(clock.epoch())
    return f"{nonce}.{at}.{_sign(settings, nonce, at, form, who)}"


def accepted(settings: Settings, token: str, *, form: str, who: str) -> str | None:
    """The name of this one filling in; None when the token is not ours, not theirs, or too old."""
    found = _SHAPE.fullmatch(token)
    if found is None:
        return None
    nonce, at, signature = found.groups()
    if not hmac.compare_digest(_sign(settings, nonce, at, form, who), signature):
        return None
    if not -60 <= clock.epoch() - int(at) <= LASTS_SECONDS:
        return None
    return sealing.keyed_digest(settings.secret_key, _PURPOSE, nonce)


def _sign(settings: Settings, *parts: str) -> str:
    return sealing.keyed_digest(settings.secret_key, _PURPOSE, "\0".join(parts))
