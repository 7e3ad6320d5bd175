"""What the console's pages load: Tabler, our own colours and measures, and what packages bring."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flask import Blueprint, Response

from config import HOME
from service.access import access
from service.assets import Asset, answer, read
from service.wiring import wiring

_STATIC: Final = Path(__file__).resolve().parent / "static"
_NPM: Final = HOME / "node_modules"
_CSS, _JS, _PNG = "text/css", "text/javascript", "image/png"
#: Name in the address → (file, media type). Only what a page names is ever loaded.
FILES: Final[Mapping[str, tuple[Path, str]]] = {
    "tabler.css": (_NPM / "@tabler" / "core" / "dist" / "css" / "tabler.min.css", _CSS),
    "console.css": (_STATIC / "console.css", _CSS),
    "console.js": (_STATIC / "console.js", _JS),
    "changes.css": (_STATIC / "changes.css", _CSS),
    "htmx.js": (_NPM / "htmx.org" / "dist" / "htmx.min.js", _JS),
    "sortable.js": (_NPM / "sortablejs" / "Sortable.min.js", _JS),
    "leaflet.css": (_NPM / "leaflet" / "dist" / "leaflet.css", _CSS),
    "leaflet.js": (_NPM / "leaflet" / "dist" / "leaflet.js", _JS),
    "geoman.css": (
        _NPM / "@geoman-io" / "leaflet-geoman-free" / "dist" / "leaflet-geoman.css",
        _CSS,
    ),
    "geoman.js": (
        _NPM / "@geoman-io" / "leaflet-geoman-free" / "dist" / "leaflet-geoman.min.js",
        _JS,
    ),
    # Leaflet's stylesheet asks for these beside itself.
    **{
        f"images/{name}": (_NPM / "leaflet" / "dist" / "images" / name, _PNG)
        for name in (
            *("layers.png", "layers-2x.png"),
            *("marker-icon.png", "marker-icon-2x.png", "marker-shadow.png"),
        )
    },
}

assets = Blueprint("console_assets", __name__, url_prefix="/console/assets")


def paths() -> Mapping[str, str]:
    """Each asset's address, for the templates."""
    return {name: asset.path for name, asset in _shelf().items()}


@assets.get("/<digest>/<path:name>")
@access("public", why="styles and scripts hold nothing about anybody; the sign-in page needs them")
def asset(digest: str, name: str) -> Response:
    """One of the files above, or of those packages bring."""
    return answer(_shelf(), digest, name)


def _shelf() -> Mapping[str, Asset]:
    return _read(tuple(wiring().tables.console_files.items()))


@functools.lru_cache(maxsize=4)
def _read(brought: tuple[tuple[str, tuple[Path, str]], ...]) -> Mapping[str, Asset]:
    return read("/console/assets", {**FILES, **dict(brought)})
