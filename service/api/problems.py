"""How the API says no: RFC 9457 problems that name the field, the fault and a way out, in Chinese.

Nothing of a fault of ours is shown. What people get at the same statuses is elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from flask import Response, jsonify, request
from marshmallow import Schema, fields
from werkzeug.exceptions import HTTPException

ROOT: Final = "/api/"
MEDIA_TYPE: Final = "application/problem+json"

#: What is read by status. Whatever is missing here reads like its hundred.
WORDS: Final = {
    400: ("请求写法不对", "请对照接口文档检查请求内容。"),
    401: (
        "没有令牌，或令牌无效、已过期、已收回",
        "请检查 Authorization: Bearer 头，或重新申请令牌。",
    ),
    403: ("令牌没有这项权限", "请换用有权限的令牌，或为令牌所属的人申请授权。"),
    404: ("没有找到", "它可能不存在，或者不在令牌的管辖范围内。"),
    405: ("这个地址不支持这种方法", "请对照接口文档选择方法。"),
    409: ("与现有状态冲突", "请重新读取后再操作。"),
    412: ("您读取之后，内容又被改动了", "请重新读取，用新的 ETag 再提交。"),
    413: ("请求内容太大", "请减少内容后再提交。"),
    415: ("请求内容不是 JSON", "请用 Content-Type: application/json 提交。"),
    422: ("请求里有内容不符合要求", "请按 faults 逐项修改后再提交。"),
    428: ("缺少 If-Match 头", "请先读取，把得到的 ETag 放进 If-Match 头再提交。"),
    429: ("操作太频繁", "请稍等一会儿再试。"),
    500: ("系统出了点问题", "我们已经记录下来，请稍后再试。"),
    503: ("系统正忙", "请按 Retry-After 稍后再试。"),
}


@dataclass(frozen=True, slots=True)
class Named:
    """One field that is at fault: where it is, what is asked, what to do."""

    where: str
    rule: str
    way_out: str


class Problem(HTTPException):
    """A refusal that knows more than its status."""

    def __init__(
        self,
        status: int,
        *,
        detail: str = "",
        way_out: str = "",
        faults: Iterable[Named] = (),
        conflicts: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__()
        self.code = int(status)
        self.detail, self.way_out = detail, way_out
        self.faults, self.conflicts = tuple(faults), tuple(conflicts)


class NamedOutput(Schema):
    """A field that is at fault."""

    where = fields.String(required=True, metadata={"description": "出错的位置，用斜线分层"})
    rule = fields.String(required=True, metadata={"description": "哪里不符合要求"})
    way_out = fields.String(required=True, metadata={"description": "怎样改正"})


class ConflictOutput(Schema):
    """A place that two people changed."""

    where = fields.String(required=True)
    base = fields.Raw(allow_none=True, metadata={"description": "开始编写时的内容"})
    mine = fields.Raw(allow_none=True, metadata={"description": "这一版的内容"})
    theirs = fields.Raw(allow_none=True, metadata={"description": "期间上线的内容"})


class ProblemOutput(Schema):
    """What every refusal says."""

    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "为什么没有做"})
    way_out = fields.String(required=True, metadata={"description": "接下来可以怎么做"})
    faults = fields.List(fields.Nested(NamedOutput))
    conflicts = fields.List(fields.Nested(ConflictOutput))


def is_api() -> bool:
    """Whether this request is for the API, by its address alone."""
    return request.path.startswith(ROOT)


def answered(status: int) -> Response:
    """The answer for this status."""
    return _answer(Problem(status))


def told(refusal: HTTPException) -> Response:
    """The answer for a refusal, with all it knows."""
    status = refusal.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status == HTTPStatus.NOT_MODIFIED:
        return _unchanged()
    if isinstance(refusal, Problem):
        return _answer(refusal)
    messages = (getattr(refusal, "data", None) or {}).get("messages")
    return _answer(Problem(status, faults=_named(messages or {})))


def _answer(problem: Problem) -> Response:
    status = problem.code or 500
    says, way_out = WORDS.get(status) or WORDS[500 if status >= 500 else 400]
    said: dict[str, Any] = {
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": problem.detail or says,
        "way_out": problem.way_out or way_out,
    }
    if problem.faults:
        said["faults"] = [
            {"where": one.where, "rule": one.rule, "way_out": one.way_out} for one in problem.faults
        ]
    if problem.conflicts:
        said["conflicts"] = list(problem.conflicts)
    answer = jsonify(said)
    answer.status_code, answer.mimetype = status, MEDIA_TYPE
    if status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return answer


def _unchanged() -> Response:
    answer = Response(status=HTTPStatus.NOT_MODIFIED)
    tags = request.if_none_match.as_set()
    if len(tags) == 1:
        answer.set_etag(tags.pop())
    return answer


def _named(messages: Any, where: str = "") -> Iterator[Named]:
    """What the reading of a request found, each fault under the path of its field."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            # Where a field came from says nothing to whoever mends it.
            outer = not where and name in ("json", "query", "path")
            inside = where if outer or name == "_schema" else f"{where}/{name}".removeprefix("/")
            yield from _named(inner, inside)
        return
    for message in messages if isinstance(messages, list) else [messages]:
        yield Named(where, str(message).rstrip("."), "请对照接口文档改正")
