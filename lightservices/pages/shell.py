"""What every page has around it: branch line, script, large print, share card, footer, headers."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from flask import Response, render_template, request
from markupsafe import Markup, escape

from lightservices.catalogue import placeholders
from lightservices.emergency import snapshot
from lightservices.knowledge.lines import NUMBER_ON_CARD
from lightservices.pages import assets, script
from lightservices.visit import Visitor, own_path
from service import clock
from service.wiring import wiring

CARE_COOKIE: Final = "care"
#: Tools of this account rather than services: nobody is asked whether they were useful.
UNASKED: Final = frozenset(("directory", "my-city"))
_WORTH_PACKING: Final = 1024


@dataclass(frozen=True, slots=True)
class Share:
    """What a card says when the page is sent to somebody."""

    words: str
    address: str


def page(
    template: str, visitor: Visitor | None, *, title: str, status: int = 200, **values: Any
) -> Response:
    """One page. Without a visitor it needs no database, for when there is none to ask."""
    share = _share(values) if status == 200 else None
    html = rendered(
        f"pages/{template}.html", **(frame(visitor, title=title) | {"share": share} | values)
    )
    response = kept_private(Response(html, status, mimetype="text/html"))
    if visitor is not None and snapshot.is_due(wired := wiring()):
        # Once this answer is with the reader: the database has just answered.
        response.call_on_close(lambda: snapshot.refresh(wired))
    return response


def frame(visitor: Visitor | None, *, title: str) -> dict[str, Any]:
    """What the template around every page is given."""
    return {
        "title": title,
        "visitor": visitor,
        "whereabouts": visitor.whereabouts if visitor else None,
        "emergencies": visitor.emergencies if visitor else (),
        "here": own_path(request.path),
        "said": request.args.get("said", ""),
        "share": None,
    }


def rendered(template: str, *, is_kept: bool = True, **values: Any) -> str:
    """A page, or a part of one, in the script that the reader wants.

    Args:
        is_kept: whether the converted page may stay in memory; not one about a customer.
    """
    html = render_template(template, **values)
    if not _reads_traditional():
        return html
    return script.converted(html) if is_kept else script.converted.__wrapped__(html)


def kept_private(response: Response) -> Response:
    """Let the browser keep it but ask first: the next visitor, or minute, may need another page."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("Cookie", "Accept-Encoding", "Accept-Language"))
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


def _share(values: dict[str, Any]) -> Share | None:
    """The card of a service: what it is for, and its address without what this reader asked."""
    service = values.get("service")
    if service is None:
        return None
    return Share(service.summary, wiring().settings.public_base_url + service.path)


def surroundings() -> dict[str, Any]:
    """What every template may use."""
    settings = wiring().settings
    traditional = _reads_traditional()
    return {
        "assets": assets.paths(),
        "bank_name": settings.bank_name,
        "base_url": settings.public_base_url,
        "hotline": settings.hotline,
        "number_on_card": NUMBER_ON_CARD,
        "jssdk_url": settings.jssdk_url,
        "care": request.cookies.get(CARE_COOKIE) == "1",
        "traditional": traditional,
        "language": script.LANGUAGES[traditional],
        "unasked": UNASKED,
    }


def _reads_traditional() -> bool:
    return script.wants_traditional(
        request.cookies.get(script.COOKIE), request.accept_languages.values()
    )


def gaps(text: str) -> Markup:
    """The text with what the bank must still fill in marked, in words and not by colour alone."""
    shown = Markup("")
    done = 0
    for gap in placeholders.PATTERN.finditer(text):
        shown += escape(text[done : gap.start()])
        shown += Markup(
            '<span class="gap">待本行填写：{}<small>（来源：{}）</small></span>'
        ).format(gap["what"], gap["source"])
        done = gap.end()
    return shown + escape(text[done:])


def day(moment: datetime) -> str:
    """The date as people in China read it."""
    local = clock.shanghai(moment)
    return f"{local.year} 年 {local.month} 月 {local.day} 日"


def minute(moment: datetime) -> str:
    """The date and the minute as people in China read it."""
    local = clock.shanghai(moment)
    return f"{local.month} 月 {local.day} 日 {local:%H:%M}"


def yuan(amount: Decimal) -> str:
    """An amount with its thousands apart and its cents."""
    return f"{amount:,.2f}"
