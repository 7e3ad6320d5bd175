"""A whole town for journeys: the program, the sandbox and the worker, talking over real HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import requests
from werkzeug.serving import WSGIRequestHandler, make_server

from config import Settings
from regions import outlines
from service.db import db
from service.delivery.worker import work_off
from service.sandbox.server import Sandbox, running
from service.wiring import Wiring
from wsgi import create_app

#: Places well inside a branch, in WGS-84, which is what the LOCATION event carries by default.
SHANGHAI = (31.2304, 121.4690)
NANJING = (32.0617, 118.7778)
SUZHOU = (31.3010, 120.5810)


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the tests look at what is answered."""


@dataclass
class Town:
    """What a journey can do and see, through HTTP and the worker only."""

    settings: Settings
    wiring: Wiring
    sandbox: Sandbox

    @property
    def web(self) -> str:
        return self.settings.public_base_url

    def control(self, path: str, **sent: Any) -> dict[str, Any]:
        """One call of the sandbox's control API; GET when nothing is sent."""
        url = f"{self.sandbox.base_url}/_control/{path}"
        answer = (
            requests.post(url, json=sent, timeout=30) if sent else requests.get(url, timeout=30)
        )
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def do(self, openid: str, deed: str, **sent: Any) -> list[dict[str, Any]]:
        """The follower does something; what the webhook answered to each delivery."""
        sent = sent or {"times": 1}
        deliveries: list[dict[str, Any]] = self.control(f"followers/{openid}/{deed}", **sent)[
            "deliveries"
        ]
        return deliveries

    def at(self, openid: str, place: tuple[float, float], **more: Any) -> None:
        """The follower's phone reports a place, and WeChat is made to agree."""
        self.do(openid, "location", **{"lat": place[0], "lng": place[1], "precision": 30, **more})
        self.settle()

    def settle(self) -> None:
        """The worker works until there is nothing left to do now."""
        work_off(self.wiring)

    def menu(self, openid: str) -> list[dict[str, Any]]:
        """The buttons WeChat would give this follower now."""
        found: list[dict[str, Any]] = self.control(f"followers/{openid}")["menu"]
        return found

    def columns(self, openid: str) -> list[str]:
        return [button["name"] for button in self.menu(openid)]

    def open(self, openid: str, path: str) -> dict[str, Any]:
        """The follower opens one of our pages inside WeChat."""
        return self.control(f"followers/{openid}/open", url=f"{self.web}{path}")


@contextmanager
def built(folder: Path, settings: Settings) -> Iterator[Town]:
    """A town with the sample bank, its menus published."""
    web_port, sandbox_port = free_port(), free_port()
    settings = replace(
        settings,
        data_dir=folder,
        port=web_port,
        sandbox_port=sandbox_port,
        public_base_url=f"http://127.0.0.1:{web_port}",
        wechat_api_base=f"http://127.0.0.1:{sandbox_port}",
        wechat_oauth_base=f"http://127.0.0.1:{sandbox_port}",
    )
    app = create_app(settings)
    wiring: Wiring = app.extensions["wiring"]
    with app.app_context():
        db.drop_all()
        db.create_all()
    with ExitStack() as stack:
        sandbox = stack.enter_context(
            running(settings, port=sandbox_port, backdrop=outlines.backdrop)
        )
        server = make_server("127.0.0.1", web_port, app, threaded=True, request_handler=_Quiet)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        stack.callback(server.server_close)
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        stack.callback(wiring.hang_up)
        with wiring.unit() as unit:
            for _name, step in wiring.tables.seeds:
                step(unit)
        town = Town(settings, wiring, sandbox)
        town.settle()
        yield town


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
