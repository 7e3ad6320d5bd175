"""What followers read when the database does not answer, or when something else is amiss.

Never a bare number: what happened in plain words, a telephone, and the pages that need no database.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from lightservices.emergency import pages as emergency
from lightservices.pages import rate_pages
from lightservices.pages.shell import page
from service import journal, refusals
from service.wiring import wiring

log = journal.logger("lightservices.pages.outage")

AWAY: Final = (OperationalError, InterfaceError, PoolExhausted)
_BUSY: Final = (
    "系统正忙",
    "请过几秒钟再试。着急请打客服热线；附近网点的名单一般还能查到。",
)
#: Whoever sent something wants to know first whether it arrived.
_NOT_SENT: Final = (
    "刚才的操作没有完成",
    "系统正忙，您刚才提交的内容没有收到。请返回上一页，过几分钟再提交一次；着急请打客服热线。",
)


def cover(blueprint: Blueprint) -> None:
    """Answer followers of this blueprint's pages kindly while the database is away."""
    for away in AWAY:
        blueprint.register_error_handler(away, waiting)


def waiting(_fault: Exception) -> Response:
    """The database does not answer: the page from what was last known, else a page that says so."""
    log.error("the database did not answer", exc_info=True)
    response = _last_known() or fault_page(503)
    response.headers["Retry-After"] = "5"
    return response


def fault_page(status: int) -> Response:
    """The page for this status. It asks the database nothing."""
    if status == 503:
        return _busy_page()
    title, way_out = refusals.WORDS[status]
    return page("fault", None, title=title, way_out=way_out, status=status)


def _busy_page() -> Response:
    is_sent = request.method not in ("GET", "HEAD")
    title, way_out = _NOT_SENT if is_sent else _BUSY
    response = page(
        "fault", None, title=title, way_out=way_out, status=503, is_busy=True,
        emergencies=emergency.last_known(), again="" if is_sent else request.full_path.rstrip("?"),
    )  # fmt: skip
    response.headers["Cache-Control"] = "no-store"
    return response


def _last_known() -> Response | None:
    if request.method not in ("GET", "HEAD"):
        return None
    response = emergency.from_last_good(request.path)
    return response or rate_pages.from_last_heard(wiring(), request.path)


cover(emergency.emergency_pages)
