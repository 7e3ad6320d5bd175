"""How a package adds operations to the API: a blueprint whose views say what they take and give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import flask_smorest
from flask import Response, current_app, request
from marshmallow import Schema
from werkzeug.exceptions import NotFound

from service import clock
from service.api import tokens
from service.api.bodies import StrictParser
from service.api.problems import ROOT
from service.api.tokens import Caller
from service.console import guard
from service.wiring import wiring

PREFIX: Final = f"{ROOT}v1"
#: Content of a document may be long; whatever else is said is short.
CONTENT_BYTES: Final = 1024 * 1024

View = TypeVar("View", bound=Callable[..., Any])


class ApiBlueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # the library has no types
    """Operations of one package, under ``/api/v1``."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, module: str, *, title: str) -> None:
        super().__init__(f"api_{name}", module, url_prefix=PREFIX, description=title)
        self.title = title
        self.before_request(_prepare)
        self.after_request(_keep_private)

    def operation(
        self,
        method: str,
        path: str,
        *,
        says: str,
        gives: type[Schema],
        takes: type[Schema] | None = None,
        asks: type[Schema] | None = None,
        etag: bool = False,
        long: bool = False,
    ) -> Callable[[View], View]:
        """Make the stamped view below this an operation.

        Args:
            says: what it does, for the documentation.
            gives: what it answers with.
            takes: what its body holds; what it ``makes`` is the view's first argument.
            asks: the same of its query.
            etag: answered with an ``ETag``; a PUT then needs ``If-Match``.
            long: its body holds content and may be long.
        """

        def put(view: View) -> View:
            made = self.response(200, gives)(view)
            if asks is not None:
                made = self.arguments(asks, location="query")(made)
            if takes is not None:
                made = self.arguments(takes)(made)
            if etag:
                made = self.etag(made)
            made = self.doc(summary=says)(made)
            made.is_long = long
            self.route(path, methods=[method], tags=[self.title])(made)
            return cast(View, made)

        return put


def _prepare() -> None:
    """Before any operation reads what it was sent."""
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "is_long", False):
        request.max_content_length = CONTENT_BYTES
    for value in (request.view_args or {}).values():
        # No database takes a NUL in a text, and half a character is none.
        if isinstance(value, str) and not (value.isprintable() and _is_whole(value)):
            raise NotFound
    caller = guard.known_caller()
    if isinstance(caller, Caller) and caller.used_on != clock.today():
        with wiring().unit() as unit:
            tokens.note_use(unit, caller)


def _keep_private(answer: Response) -> Response:
    answer.headers.setdefault("Cache-Control", "private, no-cache")
    return answer


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
