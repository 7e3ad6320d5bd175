"""The pictures of our pages: ``/i/<digest>``, the same bytes for ever."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, abort

from lightservices import pictures
from service.access import access
from service.wiring import wiring

picture_pages = Blueprint("pictures", __name__)

_HEADERS: Final = {
    # The digest names the bytes, so they never change under it.
    "Cache-Control": "public, max-age=31536000, immutable",
    # Whatever a file may claim to be besides, opened by itself it is a picture and does nothing.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-site",
}


@picture_pages.get("/i/<digest>")
@access("public", why="pictures on public pages; WeChat fetches them without a visitor's cookie")
def picture(digest: str) -> Response:
    """One picture."""
    with wiring().reading() as unit:
        found = pictures.find(unit, digest)
    if found is None:
        abort(404)
    return Response(found.body, mimetype=found.media_type, headers=_HEADERS)
