"""The editors' blueprints: their templates and files, and room for a picture in their forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, request

from lightservices import blocks, pictures
from service.console import guard

#: A branch's zone; head office's frame; the venues of campaigns. Each has its own line to the left.
editors = Blueprint("editors", __name__, url_prefix=guard.ROOT, template_folder="templates")
frames = Blueprint("frames", __name__, url_prefix=guard.ROOT)
venues = Blueprint("venues", __name__, url_prefix=guard.ROOT)

_STATIC: Final = Path(__file__).resolve().parent / "static"
#: For ``Tables.console_files``.
FILES: Final[Mapping[str, tuple[Path, str]]] = {
    "editor.css": (_STATIC / "editor.css", "text/css"),
    "editor.js": (_STATIC / "editor.js", "text/javascript"),
    "markdown.js": (_STATIC / "markdown.js", "text/javascript"),
}
#: A whole page with its texts, and one picture with it.
MOST_FORM_BYTES: Final = 256 * 1024 + pictures.MOST_BYTES


@editors.app_template_test("picture")
def _is_picture(digest: object) -> bool:
    """Whether this could be a picture's digest; an editor's form may hold anything."""
    return re.fullmatch(blocks.PICTURE, str(digest)) is not None


@editors.url_value_preprocessor
@frames.url_value_preprocessor
@venues.url_value_preprocessor
def _make_room(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Before the guard reads the form, which it does before any view."""
    request.max_content_length = MOST_FORM_BYTES
