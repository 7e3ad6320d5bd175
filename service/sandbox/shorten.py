"""Short keys for long data, which are not short links."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING, Final

from service.sandbox.calls import OK, Call, Json, Refused, whole

if TYPE_CHECKING:
    from service.sandbox.world import World

_LETTERS: Final = string.ascii_letters + string.digits
_KEY_LENGTH: Final = 15
_DATA_BYTES: Final = 4096
_LONGEST: Final = 2_592_000


class ShortKeys:
    """What stands behind each key: the data, when it was kept, and until when."""

    def __init__(self) -> None:
        self.all: dict[str, tuple[str, float, float]] = {}


def generate(world: World, call: Call) -> Json:
    """``POST /cgi-bin/shorten/gen``."""
    data = call.word("long_data")
    if not data:
        raise Refused(47003, "argument invalid! long_data is empty")
    if len(data.encode()) > _DATA_BYTES:
        raise Refused(9410010)
    seconds = whole(call.body.get("expire_seconds", _LONGEST))
    if seconds is None or seconds > _LONGEST:
        raise Refused(9410011)
    key = "".join(secrets.choice(_LETTERS) for _ in range(_KEY_LENGTH))
    world.short_keys.all[key] = (data, call.at, call.at + seconds)
    return {**OK, "short_key": key}


def fetch(world: World, call: Call) -> Json:
    """``POST /cgi-bin/shorten/fetch``."""
    found = world.short_keys.all.get(call.word("short_key"))
    if found is None or call.at >= found[2]:
        raise Refused(9410012)
    data, made, expires = found
    left = int(expires - call.at)
    return {**OK, "long_data": data, "create_time": int(made), "expire_seconds": left}
