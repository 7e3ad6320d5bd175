"""The sandbox as a web server on loopback: the API, and what drives it under ``/_control``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from flask import Blueprint, Flask, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from config import Settings
from lightservices.coresandbox import faults
from lightservices.coresandbox.api import api, world
from lightservices.coresandbox.faults import FaultRefused
from lightservices.coresandbox.world import World
from service.access import access

control = Blueprint("core_control", __name__, url_prefix="/_control")
_OURS = "only programs on this machine reach it, and no page in a browser may"


@dataclass(frozen=True, slots=True)
class CoreSandbox:
    """A running sandbox: its address, its state, and the settings that point at it."""

    base_url: str
    world: World
    settings: Settings

    def misbehave(self, *rules: dict[str, object]) -> None:
        """Play these faults from now on; none plays none."""
        made = [faults.rule(sent) for sent in rules]
        with self.world.lock:
            self.world.faults = made


@contextmanager
def running(settings: Settings, *, port: int = 0, host: str = "127.0.0.1") -> Iterator[CoreSandbox]:
    """Serve a fresh core in a thread until the block ends; port 0 takes a free one."""
    server, sandbox = serving(settings, port=port, host=host)
    thread = threading.Thread(target=server.serve_forever, name="core-sandbox", daemon=True)
    thread.start()
    try:
        yield sandbox
    finally:
        sandbox.world.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def serving(settings: Settings, *, port: int, host: str) -> tuple[BaseWSGIServer, CoreSandbox]:
    """A server that listens but does not answer yet, and what it will be."""
    made = World(settings.core_api_key, settings.core_api_secret)
    server = make_server(host, port, application(made), threaded=True, request_handler=_Quiet)
    base_url = f"http://{host}:{server.server_port}"
    here = replace(settings, core_api_base=base_url, core_sandbox_port=server.server_port)
    return server, CoreSandbox(base_url, made, here)


def application(made: World) -> Flask:
    """The sandbox's own Flask application."""
    app = Flask("lightservices.coresandbox", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    app.extensions["core"] = made
    app.register_blueprint(api)
    app.register_blueprint(control)
    app.register_error_handler(HTTPException, _refuse)
    return app


def _refuse(refusal: HTTPException) -> Response:
    """Paths and methods there are not, in the form of every other refusal."""
    answer = jsonify(code="not_here", message=refusal.name)
    answer.status_code = refusal.code or 500
    for name, value in refusal.get_headers():
        if name == "Allow":
            answer.headers[name] = value
    return answer


@control.before_request
def refuse_pages() -> None:
    """A page somebody has open must not drive the sandbox."""
    if request.headers.get("Origin") is not None:
        abort(403)


@control.errorhandler(FaultRefused)
def unusable(refused: FaultRefused) -> tuple[Response, int]:
    return jsonify(error=str(refused)), 400


@control.put("/faults")
@access("public", why=_OURS)
def misbehave() -> Response:
    """``{"rules": [{"path", "do", …}]}`` from now on; an empty list plays none."""
    sent = request.get_json(silent=True)
    rules = sent.get("rules") if isinstance(sent, dict) else None
    if not isinstance(rules, list):
        raise FaultRefused("rules must be a list")
    made = [faults.rule(one) for one in rules]
    here = world()
    with here.lock:
        here.faults = made
    return jsonify(rules=len(made))


@control.get("/state")
@access("public", why=_OURS)
def state() -> Response:
    """How often each path was called, and how many bindings and customers there are."""
    here = world()
    with here.lock:
        return jsonify(
            calls=dict(here.calls), pending=len(here.pending), customers=len(here.customers)
        )


@control.delete("/customers")
@access("public", why=_OURS)
def end_all() -> Response:
    """The bank ends every binding, as it may at any time."""
    here = world()
    with here.lock:
        here.customers.clear()
        here.consents.clear()
    return jsonify(customers=0)


class _Quiet(WSGIRequestHandler):
    """Writes no line per request: nothing of a customer belongs in a log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""
