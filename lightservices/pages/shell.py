"""What every page has around it: branch line, switch to large print, footer, headers."""

from __future__ import annotations

import gzip
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from flask import Response, render_template, request

from lightservices.pages import assets
from lightservices.visit import Visitor, own_path
from service import clock
from service.wiring import wiring

CARE_COOKIE: Final = "care"
#: Where a page shows what only the bank knows.
NO_HOTLINE: Final = "【请填写客服热线】"
_WORTH_PACKING: Final = 1024


def page(
    template: str, visitor: Visitor | None, *, title: str, status: int = 200, **values: Any
) -> Response:
    """One page. Without a visitor it needs no database, for when there is none to ask."""
    html = render_template(
        f"pages/{template}.html",
        title=title,
        visitor=visitor,
        whereabouts=visitor.whereabouts if visitor else None,
        here=own_path(request.path),
        **values,
    )
    return kept_private(Response(html, status, mimetype="text/html"))


def kept_private(response: Response) -> Response:
    """Let the browser keep it but ask first: the next visitor, or minute, may need another page."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("Cookie", "Accept-Encoding"))
    if response.status_code == 200 and request.method in ("GET", "HEAD"):
        response.add_etag(weak=True)
        response.make_conditional(request)
    return _packed(response)


def _packed(response: Response) -> Response:
    body = response.get_data()
    if len(body) < _WORTH_PACKING or not assets.takes_gzip():
        return response
    response.set_data(gzip.compress(body, 5, mtime=0))
    response.content_encoding = "gzip"
    return response


def surroundings() -> dict[str, Any]:
    """What every template may use."""
    settings = wiring().settings
    return {
        "assets": assets.paths(),
        "bank_name": settings.bank_name,
        "hotline": settings.hotline,
        "no_hotline": NO_HOTLINE,
        "jssdk_url": settings.jssdk_url,
        "care": request.cookies.get(CARE_COOKIE) == "1",
    }


def day(moment: datetime) -> str:
    """The date as people in China read it."""
    local = clock.shanghai(moment)
    return f"{local.year} 年 {local.month} 月 {local.day} 日"


def yuan(amount: Decimal) -> str:
    """An amount with its thousands apart and its cents."""
    return f"{amount:,.2f}"
