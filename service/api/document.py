"""The OpenAPI document of every operation, put together from what the blueprints say."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import flask_smorest
from flask import Flask

from service.api.problems import MEDIA_TYPE, ProblemOutput

TITLE: Final = "区域专区服务号接口"
VERSION: Final = "1.0.0"
_SAYS: Final = (
    "与后台页面做同样的事，规则相同：编写和审批必须是两个人，令牌按其所属的人计。"
    "时间一律带时区，返回的时间按北京时间。"
)


class ApiDocument(flask_smorest.Api):  # type: ignore[misc]  # the library has no types
    """The library's document, with our own words for refusals and no pages of its own."""

    ERROR_SCHEMA = ProblemOutput

    def _register_error_handlers(self) -> None:
        """Refusals of the whole program are answered in one place, which is not here."""

    def _register_doc_blueprint(self) -> None:
        """The document is served by a view of ours, which carries a stamp as every view does."""

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            answer: dict[str, Any] = {"description": status.phrase}
            if status >= HTTPStatus.BAD_REQUEST:
                answer["content"] = {MEDIA_TYPE: {"schema": self.ERROR_SCHEMA}}
            self.spec.components.response(status.name, answer, lazy=True)
        default = {
            "description": "没有做成；原因和办法见内容",
            "content": {MEDIA_TYPE: {"schema": self.ERROR_SCHEMA}},
        }
        self.spec.components.response(self.DEFAULT_ERROR_RESPONSE_NAME, default, lazy=True)


def of(app: Flask) -> ApiDocument:
    """A document for this application; its operations come with ``register_blueprint``."""
    app.config.update(API_TITLE=TITLE, API_VERSION=VERSION, OPENAPI_VERSION="3.1.0")
    document = ApiDocument(
        app,
        spec_kwargs={"info": {"description": _SAYS}, "security": [{"token": []}]},
    )
    document.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    return document


def current(app: Flask) -> ApiDocument:
    """The document of an application that was put together."""
    found: ApiDocument = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    return found
