"""When each follower last reported a place, for the reports that changed nothing.

Those are nine in ten and are not written to the database, yet a report that WeChat delivers late
must not overtake them. So their times go to a table in shared memory, which all processes of a
machine map: a keyed digest and a second, no place and no name. It may forget (two followers can
share a slot); then only the database's own time protects the order.
"""

from __future__ import annotations

import functools
import hashlib
import mmap
import os
import struct
from datetime import datetime
from pathlib import Path

from config import Settings

_SLOTS = 1 << 20
_SLOT = struct.Struct("<QQ")


class Latest:
    """The table, as this process maps it."""

    def __init__(self, path: Path, *, key: bytes) -> None:
        self._key = key
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(file, _SLOTS * _SLOT.size)
            self._table = mmap.mmap(file, _SLOTS * _SLOT.size)
        finally:
            os.close(file)

    def note(self, openid: str, at: datetime) -> None:
        """Remember a report, unless a later one is remembered already."""
        mark, offset = self._place(openid)
        second = int(at.timestamp())
        known, latest = _SLOT.unpack_from(self._table, offset)
        if known != mark or latest < second:
            _SLOT.pack_into(self._table, offset, mark, second)

    def is_newer(self, openid: str, at: datetime) -> bool:
        """Whether a later report than this is remembered."""
        mark, offset = self._place(openid)
        known, latest = _SLOT.unpack_from(self._table, offset)
        return bool(known == mark and latest > int(at.timestamp()))

    def forget(self, openid: str) -> None:
        """Empty the follower's slot."""
        mark, offset = self._place(openid)
        if _SLOT.unpack_from(self._table, offset)[0] == mark:
            _SLOT.pack_into(self._table, offset, 0, 0)

    def _place(self, openid: str) -> tuple[int, int]:
        digest = hashlib.blake2b(openid.encode(), key=self._key, digest_size=8).digest()
        mark = int.from_bytes(digest, "little")
        return mark, (mark % _SLOTS) * _SLOT.size


@functools.cache
def reports(settings: Settings) -> Latest:
    """This installation's table; created where it is not there yet."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return Latest(settings.data_dir / "latest.bin", key=settings.secret_key.encode()[:64])
