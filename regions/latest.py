"""What each follower last reported, for the nine reports in ten that change nothing.

Those are not written to the database, yet a report that WeChat delivers late must not overtake
them. So their times go to a table in shared memory, which all processes of a machine map, and with
them what was found in the database: until then the same report again need not even look there.

A slot holds a keyed digest, seconds, a county and a branch's checksum: no name and no position. It
may be lost (two followers can share one), and then the database is asked. What another machine
wrote is seen when the trust ends, within a minute.
"""

from __future__ import annotations

import functools
import hashlib
import mmap
import os
import struct
import zlib
from datetime import datetime
from pathlib import Path
from typing import Final

from config import Settings

_SLOTS: Final = 1 << 20
#: Mark of the follower, second of the latest report, county, branch, second until it is trusted.
_SLOT: Final = struct.Struct("<QIIII")
#: How long the database need not be asked again.
TRUST_SECONDS: Final = 60


class Latest:
    """The table, as this process maps it."""

    def __init__(self, path: Path, *, key: bytes) -> None:
        self._hash = hashlib.blake2b(key=key, digest_size=8)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(file, _SLOTS * _SLOT.size)
            self._table = mmap.mmap(file, _SLOTS * _SLOT.size)
        finally:
            os.close(file)

    def repeats(self, openid: str, at: datetime, *, division: str, branch: str) -> bool:
        """Whether this is a later report of what is settled already; then its time is noted."""
        mark, offset = self._place(openid)
        second = int(at.timestamp())
        known, latest, county, crc, until = _SLOT.unpack_from(self._table, offset)
        if known != mark or not latest <= second < until:
            return False
        if county != int(division) or crc != _checksum(branch):
            return False
        _SLOT.pack_into(self._table, offset, mark, second, county, crc, until)
        return True

    def settle(self, openid: str, at: datetime, *, division: str, branch: str) -> None:
        """Remember a report that changed nothing, and that the next ones will not either."""
        mark, offset = self._place(openid)
        second = max(int(at.timestamp()), self._latest(mark, offset))
        entry = (mark, second, int(division), _checksum(branch), second + TRUST_SECONDS)
        _SLOT.pack_into(self._table, offset, *entry)

    def note(self, openid: str, at: datetime) -> None:
        """Remember the time of a report, and nothing of what the database holds."""
        mark, offset = self._place(openid)
        second = max(int(at.timestamp()), self._latest(mark, offset))
        _SLOT.pack_into(self._table, offset, mark, second, 0, 0, 0)

    def is_newer(self, openid: str, at: datetime) -> bool:
        """Whether a later report than this is remembered."""
        mark, offset = self._place(openid)
        return self._latest(mark, offset) > int(at.timestamp())

    def unsettle(self, openid: str) -> None:
        """What the database holds of this follower is changing: ask it again."""
        mark, offset = self._place(openid)
        if latest := self._latest(mark, offset):
            _SLOT.pack_into(self._table, offset, mark, latest, 0, 0, 0)

    def forget(self, openid: str) -> None:
        """Empty the follower's slot."""
        mark, offset = self._place(openid)
        if self._latest(mark, offset):
            _SLOT.pack_into(self._table, offset, 0, 0, 0, 0, 0)

    def _latest(self, mark: int, offset: int) -> int:
        known, latest, *_ = _SLOT.unpack_from(self._table, offset)
        return int(latest) if known == mark else 0

    def _place(self, openid: str) -> tuple[int, int]:
        digest = self._hash.copy()
        digest.update(openid.encode())
        mark = int.from_bytes(digest.digest(), "little")
        return mark, (mark % _SLOTS) * _SLOT.size


@functools.lru_cache(1024)
def _checksum(branch: str) -> int:
    return zlib.crc32(branch.encode())


@functools.lru_cache(16)
def _mapped(folder: Path, secret_key: str) -> Latest:
    folder.mkdir(parents=True, exist_ok=True)
    return Latest(folder / "latest.bin", key=secret_key.encode()[:64])


def reports(settings: Settings) -> Latest:
    """This installation's table; created where it is not there yet."""
    return _mapped(settings.data_dir, settings.secret_key)
