"""Pages about one customer: kept by no browser, proxy or process, their forms only from us."""

from __future__ import annotations

import hmac
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, abort, request

from lightservices.pages.shell import frame, rendered
from lightservices.visit import Visitor
from service import sealing
from service.happenings import OpenId
from service.wiring import wiring

#: The field in which a form gives its token back.
FIELD: Final = "form"


def private_page(
    template: str, visitor: Visitor, *, title: str, status: int = 200, **values: Any
) -> Response:
    """One page that nobody stores. It has no share card: what is on it is not for others."""
    around = frame(visitor, title=title)
    if "service" in values:
        # A form that is shown again was sent to another address than that of its page.
        around["here"] = values["service"].path
    form_token = token(visitor.openid) if visitor.openid else ""
    html = rendered(
        f"pages/{template}.html", is_kept=False, form_token=form_token, **(around | values)
    )
    response = Response(html, status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    response.vary.update(("Cookie", "Accept-Language"))
    return response


def token(openid: OpenId) -> str:
    """What only a page we made for this follower can send back."""
    return sealing.keyed_digest(wiring().settings.secret_key, "binding forms", openid)


def require_own_form(openid: OpenId) -> None:
    """Only a form of ours, filled in by the follower it was made for, may change anything."""
    origin = request.headers.get("Origin")
    ours = (_origin(wiring().settings.public_base_url), _origin(request.host_url))
    if origin is not None and origin not in ours:
        abort(403)
    if not hmac.compare_digest(request.form.get(FIELD, "").encode(), token(openid).encode()):
        abort(403)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
