"""The few files a page loads, by allow-list, under addresses that change with their content."""

from __future__ import annotations

import functools
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from flask import Response, abort, request

from service import journal

log = journal.logger("service.assets")

#: Name in the address → (file, media type). Nothing else is ever served.
Files = Mapping[str, tuple[Path, str]]
_YEAR: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file, whole and compressed, with the digest that names this content."""

    path: str
    media_type: str
    digest: str
    body: bytes

    @functools.cached_property
    def gzipped(self) -> bytes:
        # A fixed time makes equal content equal bytes on every machine.
        return gzip.compress(self.body, 9, mtime=0)


def read(prefix: str, files: Files) -> Mapping[str, Asset]:
    """All assets by name. Pages stay readable without one that is missing."""
    found = {}
    for name, (path, media_type) in files.items():
        try:
            body = path.read_bytes()
        except FileNotFoundError:
            log.error("an asset is missing; run `npm ci --ignore-scripts`", asset=name)
            continue
        digest = hashlib.blake2b(body, digest_size=8).hexdigest()
        found[name] = Asset(f"{prefix}/{digest}/{name}", media_type, digest, body)
    return MappingProxyType(found)


def takes_gzip() -> bool:
    """Whether this browser takes compressed answers; every one of this century does."""
    return request.accept_encodings["gzip"] > 0


def answer(shelf: Mapping[str, Asset], digest: str, name: str) -> Response:
    """The asset; a page from before a release gets today's content, but not for keeps."""
    found = shelf.get(name)
    if found is None:
        abort(404)
    packed = takes_gzip()
    response = Response(found.gzipped if packed else found.body, mimetype=found.media_type)
    if packed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = _YEAR if digest == found.digest else "no-cache"
    return response
