"""What the follower's pages load: WeUI, our own few colours and measures, one small script."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from flask import Blueprint, Response

from config import HOME
from service.access import access
from service.assets import Asset, answer, read, takes_gzip

__all__ = ["FILES", "assets", "paths", "shelf", "takes_gzip"]

_STATIC: Final = Path(__file__).resolve().parents[1] / "static"
#: Name in the address → (file, media type). Nothing else is ever served.
FILES: Final = MappingProxyType(
    {
        "weui.css": (
            HOME / "node_modules" / "weui" / "dist" / "style" / "weui.min.css",
            "text/css",
        ),
        "tokens.css": (_STATIC / "tokens.css", "text/css"),
        # The emergency page's only one: it must be read on any line.
        "emergency.css": (_STATIC / "emergency.css", "text/css"),
        "page.js": (_STATIC / "page.js", "text/javascript"),
        # No page loads it: WeChat fetches it for the card when somebody shares a page.
        "share.png": (_STATIC / "share.png", "image/png"),
    }
)

assets = Blueprint("assets", __name__)


@functools.lru_cache(maxsize=1)
def shelf() -> Mapping[str, Asset]:
    """All assets by name, read once."""
    return read("/assets", FILES)


def paths() -> Mapping[str, str]:
    """Each asset's address, for the templates."""
    return {name: asset.path for name, asset in shelf().items()}


@assets.get("/assets/<digest>/<name>")
@access("public", why="styles and scripts hold nothing about anybody")
def asset(digest: str, name: str) -> Response:
    """One of the files above."""
    return answer(shelf(), digest, name)
