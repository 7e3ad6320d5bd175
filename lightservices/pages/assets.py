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

from flask import Blueprint, Response, abort, request

from config import HOME
from service import journal
from service.access import access

log = journal.logger("lightservices.assets")

_STATIC: Final = Path(__file__).resolve().parents[1] / "static"
#: Name in the address → (file, media type). Nothing else is ever served.
FILES: Final = MappingProxyType(
    {
        "weui.css": (
            HOME / "node_modules" / "weui" / "dist" / "style" / "weui.min.css",
            "text/css",
        ),
        "tokens.css": (_STATIC / "tokens.css", "text/css"),
        "page.js": (_STATIC / "page.js", "text/javascript"),
    }
)
_YEAR: Final = "public, max-age=31536000, immutable"

assets = Blueprint("assets", __name__)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, whole and compressed, with the digest that names this content."""

    name: str
    media_type: str
    digest: str
    body: bytes
    gzipped: bytes

    @property
    def path(self) -> str:
        return f"/assets/{self.digest}/{self.name}"


@functools.lru_cache(maxsize=1)
def shelf() -> Mapping[str, Asset]:
    """All assets by name, read once. Pages stay readable without one that is missing."""
    found = {}
    for name, (path, media_type) in FILES.items():
        try:
            body = path.read_bytes()
        except FileNotFoundError:
            log.error("an asset is missing; run `npm ci --ignore-scripts`", asset=name)
            continue
        digest = hashlib.blake2b(body, digest_size=8).hexdigest()
        # A fixed time makes equal content equal bytes on every machine.
        found[name] = Asset(name, media_type, digest, body, gzip.compress(body, 9, mtime=0))
    return MappingProxyType(found)


def paths() -> Mapping[str, str]:
    """Each asset's address, for the templates."""
    return {name: asset.path for name, asset in shelf().items()}


def takes_gzip() -> bool:
    """Whether this browser takes compressed answers; every one of this century does."""
    return request.accept_encodings["gzip"] > 0


@assets.get("/assets/<digest>/<name>")
@access("public", why="styles and scripts hold nothing about anybody")
def asset(digest: str, name: str) -> Response:
    """The asset; a page from before a release gets today's content, but not for keeps."""
    found = shelf().get(name)
    if found is None:
        abort(404)
    packed = takes_gzip()
    response = Response(found.gzipped if packed else found.body, mimetype=found.media_type)
    if packed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = _YEAR if digest == found.digest else "no-cache"
    return response
