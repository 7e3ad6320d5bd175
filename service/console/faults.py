"""What the console says when something cannot be done: plain words, and always a way on."""

from __future__ import annotations

from typing import Final

from flask import Response, current_app, jsonify, request

from service.console import shell

#: What people read, by status. Whatever is missing here reads like its hundred.
WORDS: Final = {
    400: ("这个页面已经过期", "请返回上一页，刷新后重新填写并提交。"),
    403: ("您没有这项权限", "如果工作需要，请联系用户管理员为您申请授权。"),
    404: ("没有找到这个页面", "它可能不存在，或者不在您的管辖范围内。"),
    405: ("这个地址不能这样使用", "请从左侧的导航重新进入。"),
    409: ("内容已经被别人改动", "请刷新页面，核对后再提交。"),
    413: ("提交的内容太大", "请减少内容或压缩图片后再提交。"),
    429: ("操作太频繁", "请稍等一会儿再试。"),
    500: ("系统出了点问题", "我们已经记录下来，请稍后再试；一再出现时请联系科技人员。"),
    503: ("系统正忙", "请过几秒钟刷新页面；您填写的内容还在浏览器里。"),
}


def are_dressed() -> bool:
    """Whether this application has the console's templates at all."""
    return shell.console.name in current_app.blueprints


def answered(status: int) -> Response:
    """The answer for this status, in the console's look, or a sentence for a script."""
    title, way_out = WORDS.get(status) or WORDS[500 if status >= 500 else 400]
    if request.accept_mimetypes.best_match(("text/html", "application/json")) != "text/html":
        answer = jsonify(says=title, way_out=way_out)
        answer.status_code = status
        return answer
    # The page that says the database is away must not ask it anything.
    request.environ["console"] = {"fault"} if status >= 500 else set()
    return shell.page("console/fault.html", title=title, way_out=way_out, status=status)
