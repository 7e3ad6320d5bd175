"""Pictures that branches put on their pages: checked by their own bytes, kept under their digest.

Nobody's word is taken for what a file is, neither its name's nor the browser's: the first bytes
say whether it is a JPEG, a PNG or a WebP, and its header how large it is when shown.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ForeignKey, LargeBinary, String, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from lightservices.promotions import PromotionRow
from lightservices.zones import ZoneRow
from regions.branches import BranchRow
from service import clock
from service.approvals.models import VERSIONS
from service.db import Model, UtcTime, table_of
from service.wiring import Unit

MOST_BYTES: Final = 200 * 1024
#: A small file can unfold to an enormous picture; no phone shows more than this anyway.
MOST_PIXELS: Final = 4_096
LEAST_PIXELS: Final = 16
MOST_OF_A_BRANCH: Final = 500
#: How long a picture that nothing shows is kept: somebody may be about to use it.
UNUSED_FOR: Final = timedelta(days=30)

_DIGEST: Final = re.compile(r"[0-9a-f]{32}")
_PNG: Final = b"\x89PNG\r\n\x1a\n"
#: JPEG segments that say how large the picture is, and those that are kept beside them: a camera
#: writes into the others where the picture was taken and by which device.
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_TALKATIVE: Final = frozenset({0xE1, *range(0xE3, 0xEE), 0xEF, 0xFE})


class PictureRow(Model):
    """The table of pictures."""

    __tablename__ = "pictures"

    digest: Mapped[str] = mapped_column(String(32), primary_key=True)
    branch_code: Mapped[str] = mapped_column(ForeignKey(BranchRow.code), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(16))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime] = mapped_column(UtcTime)


class PictureRefused(ValueError):
    """Why a file cannot be used, and what to do instead, in the editor's language."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is sent to a phone."""

    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """What the bytes of a file say about it; width and height are pixels."""

    media_type: str
    width: int
    height: int
    #: The file without what nobody needs to know.
    body: bytes


def add(unit: Unit, *, branch: str, body: bytes) -> str:
    """Keep this picture for the branch, and return the digest that names it.

    Raises:
        PictureRefused: it is too large, or no picture we show.
    """
    seen = looked_at(body)
    digest = hashlib.blake2b(seen.body, digest_size=16).hexdigest()
    pictures = table_of(PictureRow)
    there = select(func.count()).where(pictures.c.branch_code == branch)
    if unit.db.execute(there).scalar_one() >= MOST_OF_A_BRANCH:
        raise PictureRefused(f"本行的图片已有 {MOST_OF_A_BRANCH} 张，先删去不用的再上传")
    unit.db.execute(
        unit.insert(PictureRow)
        .values(
            digest=digest,
            branch_code=branch,
            media_type=seen.media_type,
            body=seen.body,
            added_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["digest", "branch_code"])
    )
    return digest


def find(unit: Unit, digest: str) -> Picture | None:
    """The picture of this digest."""
    pictures = table_of(PictureRow)
    row = unit.db.execute(
        select(pictures.c.media_type, pictures.c.body).where(pictures.c.digest == digest).limit(1)
    ).first()
    return Picture(row.media_type, row.body) if row is not None else None


def is_there(unit: Unit, digest: str) -> bool:
    """Whether there is a picture of this digest."""
    pictures = table_of(PictureRow)
    query = select(pictures.c.digest).where(pictures.c.digest == digest).limit(1)
    return unit.db.execute(query).first() is not None


def tidy(unit: Unit) -> None:
    """Drop what neither a page nor any edition has used for a while."""
    pictures = table_of(PictureRow)
    used = {digest for text in _texts(unit) for digest in _DIGEST.findall(text)}
    old = select(pictures.c.digest).where(pictures.c.added_at < clock.now() - UNUSED_FOR)
    gone = {digest for (digest,) in unit.db.execute(old)} - used
    for digest in sorted(gone):
        unit.db.execute(delete(pictures).where(pictures.c.digest == digest))


def looked_at(body: bytes) -> Seen:
    """What this file is.

    Raises:
        PictureRefused: it is too large, or no picture we show.
    """
    if len(body) > MOST_BYTES:
        rule = f"图片最大 {MOST_BYTES // 1024} KB，这张有 {len(body) // 1024 + 1} KB"
        raise PictureRefused(f"{rule}，请压缩后再上传")
    try:
        seen = _read(body)
    except (IndexError, struct.error):
        seen = None
    if seen is None:
        raise PictureRefused("只能用 JPEG、PNG 或 WebP 图片，请另存为其中一种再上传")
    for pixels in (seen.width, seen.height):
        if not LEAST_PIXELS <= pixels <= MOST_PIXELS:
            rule = f"图片的边长应为 {LEAST_PIXELS} 至 {MOST_PIXELS} 像素"
            raise PictureRefused(f"{rule}，这张是 {seen.width}×{seen.height}，请调整后再上传")
    return seen


def _texts(unit: Unit) -> Iterator[str]:
    yield from (str(blocks) for (blocks,) in unit.db.execute(select(ZoneRow.blocks)))
    yield from (digest for (digest,) in unit.db.execute(select(PromotionRow.picture)))
    yield from (text for (text,) in unit.db.execute(select(VERSIONS.c.text)))


def _read(body: bytes) -> Seen | None:
    if body.startswith(_PNG) and body[12:16] == b"IHDR":
        width, height = struct.unpack(">II", body[16:24])
        return Seen("image/png", width, height, body)
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return _webp(body)
    if body.startswith(b"\xff\xd8\xff"):
        return _jpeg(body)
    return None


def _webp(body: bytes) -> Seen | None:
    kind, data = body[12:16], body[20:]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(data[4:7], "little")
        height = 1 + int.from_bytes(data[7:10], "little")
    elif kind == b"VP8L" and data[0] == 0x2F:
        bits = int.from_bytes(data[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":
        sides = struct.unpack("<HH", data[6:10])
        width, height = sides[0] & 0x3FFF, sides[1] & 0x3FFF
    else:
        return None
    return Seen("image/webp", width, height, body)


def _jpeg(body: bytes) -> Seen | None:
    """Segment by segment up to the picture itself, leaving out what cameras tell about people."""
    at, kept, size = 2, [body[:2]], None
    while body[at] == 0xFF:
        mark = body[at + 1]
        length = 2 + int.from_bytes(body[at + 2 : at + 4], "big")
        segment = body[at : at + length]
        if mark in _FRAMES:
            size = struct.unpack(">HH", segment[5:9])
        if mark not in _TALKATIVE:
            kept.append(segment)
        at += length
        if mark == 0xDA:
            break
    if size is None:
        return None
    return Seen("image/jpeg", size[1], size[0], b"".join([*kept, body[at:]]))
