"""The one map from what went wrong to what is answered: JSON for programs, a page for people.

Nothing of the fault itself is shown, since its text may hold what nobody else should read. Floors
above may give people a kinder page for a status by an error handler of their own for that status.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from flask import Flask, Response, jsonify, render_template_string, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from werkzeug.exceptions import HTTPException

from service import journal
from service.api import problems
from service.console import faults, guard

log = journal.logger("service.refusals")

#: What people read, by status. Whatever is missing here reads like its hundred.
WORDS: Final = {
    400: ("这个请求我们没看懂", "请返回上一页重试。"),
    403: ("这里不能直接打开", "请从微信服务号的菜单进入。"),
    404: ("没有找到这个页面", "它可能已经下线，请从微信服务号的菜单重新进入。"),
    405: ("这个地址不能这样使用", "请返回上一页重试。"),
    413: ("提交的内容太大了", "请减少内容后再提交。"),
    429: ("操作太频繁了", "请稍等一分钟再试。"),
    500: ("系统出了点问题", "我们已经记录下来，请稍后再试。"),
    503: ("系统正忙", "请过几秒钟再试。"),
}

#: A database that does not answer is a matter of seconds, not a fault of the page.
PASSING: Final = (OperationalError, InterfaceError, PoolExhausted)

_PAGE: Final = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<h1>{{ title }}</h1>
<p>{{ way_out }}</p>
</html>
"""


def register(app: Flask) -> None:
    """Answer every refusal and fault of this application from the map above."""
    app.register_error_handler(HTTPException, _refuse)
    for passing in PASSING:
        app.register_error_handler(passing, _wait)


def _refuse(refusal: HTTPException) -> ResponseReturnValue:
    if refusal.response is not None:
        return refusal
    status = refusal.code or HTTPStatus.INTERNAL_SERVER_ERROR
    answer = problems.told(refusal) if problems.is_api() else answered(status)
    for name, value in refusal.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            answer.headers[name] = value
    return answer


def _wait(_fault: Exception) -> Response:
    log.error("the database did not answer", exc_info=True)
    answer = answered(HTTPStatus.SERVICE_UNAVAILABLE)
    answer.headers["Retry-After"] = "5"
    return answer


def answered(status: int) -> Response:
    """The answer for this status, in the form the caller asked for."""
    if problems.is_api():
        return problems.answered(status)
    if guard.is_console() and faults.are_dressed():
        return faults.answered(status)
    title, way_out = WORDS.get(status) or WORDS[500 if status >= 500 else 400]
    if _is_a_program():
        answer = jsonify(error=HTTPStatus(status).phrase, says=title, way_out=way_out)
    else:
        answer = Response(render_template_string(_PAGE, title=title, way_out=way_out))
        answer.mimetype = "text/html"
    answer.status_code = status
    return answer


def _is_a_program() -> bool:
    accepted = request.accept_mimetypes
    return accepted.best_match(("text/html", "application/json")) == "application/json"
