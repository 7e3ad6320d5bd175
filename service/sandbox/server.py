"""The sandbox as one web server: the API, the control API and the phone on one port."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from flask import Flask, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from config import Settings
from service.sandbox import platform
from service.sandbox.calls import WORDS, new_rid
from service.sandbox.control import control
from service.sandbox.phone import pages
from service.sandbox.world import World

#: What the sandbox adds to WeChat's own paths.
_OWN_PATHS: Final = ("/_", "/phone", "/jssdk", "/favicon.ico")

Backdrop = Callable[[Settings], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox.

    Attributes:
        base_url: its address; API, OAuth and JS-SDK stand-in all answer there.
        world: its state, for tests in the same process.
        settings: the settings given, with the API and OAuth addresses pointing here.
    """

    base_url: str
    world: World
    settings: Settings


@contextmanager
def running(
    settings: Settings, *, port: int = 0, host: str = "127.0.0.1", backdrop: Backdrop | None = None
) -> Iterator[Sandbox]:
    """Serve a fresh sandbox in a thread until the block ends.

    Args:
        settings: appid, secret, token and key of the account it plays, and where events go.
        port: where it listens; 0 takes a free one.
        host: loopback, unless you know better.
        backdrop: outlines and cities for the phone's map.
    """
    server, sandbox = serving(settings, port=port, host=host, backdrop=backdrop)
    thread = threading.Thread(target=server.serve_forever, name="sandbox", daemon=True)
    thread.start()
    try:
        yield sandbox
    finally:
        sandbox.world.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def serving(
    settings: Settings, *, port: int, host: str, backdrop: Backdrop | None = None
) -> tuple[BaseWSGIServer, Sandbox]:
    """A server that listens but does not answer yet, and what it will be."""
    world = World(settings, paths=platform.ENDPOINTS)
    app = application(world, backdrop)
    server = make_server(host, port, app, threaded=True, request_handler=_Quiet)
    base_url = f"http://{host}:{server.server_port}"
    world.base_url = base_url
    here = replace(settings, wechat_api_base=base_url, wechat_oauth_base=base_url)
    return server, Sandbox(base_url, world, here)


def application(world: World, backdrop: Backdrop | None = None) -> Flask:
    """The sandbox's own Flask application."""
    app = Flask("service.sandbox", static_url_path="/_static")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask types only the base class.
    app.extensions["world"] = world
    app.extensions["backdrop"] = backdrop
    platform.install(app, world)
    app.register_blueprint(control)
    app.register_blueprint(pages)
    app.register_error_handler(404, _no_such_path)
    return app


def _no_such_path(_missing: Exception) -> tuple[dict[str, Any], int]:
    """A path WeChat does not have is refused like any other wrong call; our own are plain 404."""
    if request.path.startswith(_OWN_PATHS):
        return {"error": "not found"}, 404
    return {"errcode": 40066, "errmsg": f"{WORDS[40066]} rid: {new_rid()}"}, 200


class _Quiet(WSGIRequestHandler):
    """Writes no line per request: WeChat's addresses carry tokens, and we keep our own log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""
