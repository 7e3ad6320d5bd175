"""What is taken for a picture, by its own bytes alone; how it is kept and sent."""

from __future__ import annotations

import struct
import zlib
from datetime import timedelta

import pytest
from sqlalchemy import update

from lightservices import pictures, promotions
from lightservices.pictures import PictureRefused, PictureRow
from regions import sample
from regions.branches import BranchCode
from service import clock
from service.wiring import Unit
from tests.lightservices.conftest import Site

BRANCH = "B440000"


def png(width: int, height: int, *, more: bytes = b"") -> bytes:
    """A picture that a browser shows."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x0a\x4f\x9e" * width) * height)
    ends = chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + ends + more


def jpeg(width: int, height: int) -> bytes:
    """The segments of a photograph whose camera tells where it was taken."""
    where = b"Exif\0\0 22.5431 114.0579"
    told = b"\xff\xe1" + struct.pack(">H", 2 + len(where)) + where
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    return b"\xff\xd8\xff\xe0\0\4ab" + told + frame + b"\xff\xda\0\2" + b"light" + b"\xff\xd9"


def webp(kind: bytes, data: bytes) -> bytes:
    body = b"WEBP" + kind + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (png(320, 160), "image/png"),
        (jpeg(320, 160), "image/jpeg"),
        (webp(b"VP8X", b"\0" * 4 + (319).to_bytes(3, "little") + (159).to_bytes(3, "little")),
         "image/webp"),
        (webp(b"VP8L", b"\x2f" + (319 | 159 << 14).to_bytes(4, "little")), "image/webp"),
        (webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 320, 160)), "image/webp"),
    ],
    ids=["png", "jpeg", "webp", "webp lossless", "webp lossy"],
)  # fmt: skip
def test_a_picture_says_itself_what_it_is(body: bytes, media_type: str) -> None:
    seen = pictures.looked_at(body)
    assert (seen.media_type, seen.width, seen.height) == (media_type, 320, 160)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "JPEG"),
        (b"GIF89a" + b"\0" * 40, "JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "JPEG"),
        (b"<html><script>alert(1)</script>", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "JPEG"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"\xff\xd8\xff\xe0\0\0" * 9, "JPEG"),
        (webp(b"VP9 ", b"\0" * 20), "JPEG"),
        (png(8, 8), "像素"),
        (jpeg(9_000, 9_000), "9000×9000"),
        (png(320, 160, more=b"\0" * pictures.MOST_BYTES), "200 KB"),
    ],
    ids=range(11),
)
def test_anything_else_is_refused_with_a_way_out(body: bytes, says: str) -> None:
    with pytest.raises(PictureRefused, match=says) as refused:
        pictures.looked_at(body)
    assert "上传" in str(refused.value)


def test_where_a_photograph_was_taken_is_left_out(unit: Unit) -> None:
    sample.seed(unit)
    digest = pictures.add(unit, branch=BRANCH, body=jpeg(320, 160))
    kept = pictures.find(unit, digest)
    assert kept is not None
    assert b"Exif" not in kept.body
    assert kept.body.endswith(b"light\xff\xd9")
    assert pictures.looked_at(kept.body).width == 320


def test_the_same_picture_has_the_same_name(unit: Unit) -> None:
    sample.seed(unit)
    once = pictures.add(unit, branch=BRANCH, body=png(320, 160))
    assert pictures.add(unit, branch=BRANCH, body=png(320, 160)) == once
    assert pictures.add(unit, branch="B310000", body=png(320, 160)) == once
    assert pictures.add(unit, branch=BRANCH, body=png(320, 161)) != once


def test_only_what_nothing_shows_is_dropped_and_not_at_once(unit: Unit) -> None:
    sample.seed(unit)
    used, unused, new = (
        pictures.add(unit, branch=BRANCH, body=png(320, height)) for height in (20, 21, 22)
    )
    now = clock.now()
    promotions.replace_all(
        unit, BranchCode(BRANCH),
        [{"name": "a", "title": "a", "text": "a", "url": "", "starts_at": now,
          "ends_at": now + timedelta(days=1), "divisions": [], "picture": used}],
    )  # fmt: skip
    old = update(PictureRow).where(PictureRow.digest.in_((used, unused)))
    unit.db.execute(old.values(added_at=now - timedelta(days=31)))
    pictures.tidy(unit)
    assert [pictures.is_there(unit, one) for one in (used, unused, new)] == [True, False, True]


def test_a_picture_is_sent_to_be_kept_and_to_do_nothing(site: Site) -> None:
    with site.wiring.unit() as unit:
        digest = pictures.add(unit, branch="B310000", body=png(320, 160))
    answer = site.visitor().get(f"/i/{digest}")
    assert answer.status_code == 200
    assert answer.data == png(320, 160)
    assert answer.headers["Content-Type"] == "image/png"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert site.visitor().get(f"/i/{'0' * 32}").status_code == 404
