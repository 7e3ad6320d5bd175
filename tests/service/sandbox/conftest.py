"""A sandbox with an empty account, somebody who calls it, and a server that hears its pushes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import requests
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from config import Settings
from service.replies import Reply, Text
from service.sandbox import Sandbox, running
from service.sandbox.world import World
from service.wechat.envelope import Envelope, is_signed
from service.wechat.fields import fields_of
from service.wechat.inbound import xml_of

BUTTONS = [{"type": "click", "name": "我的城市", "key": "svc:my-city"}]


@dataclass
class Caller:
    """Speaks to the platform as an account's server does."""

    sandbox: Sandbox
    token: str = ""

    @property
    def world(self) -> World:
        return self.sandbox.world

    def sign_in(self) -> None:
        """Get a token for the calls to come."""
        settings = self.sandbox.settings
        asked = {"appid": settings.wechat_appid, "secret": settings.wechat_secret}
        self.token = self.get("/cgi-bin/token", grant_type="client_credential", **asked)[
            "access_token"
        ]

    def get(self, path: str, **args: str) -> dict[str, Any]:
        answer = requests.get(
            self.sandbox.base_url + path, params={"access_token": self.token, **args}, timeout=10
        )
        found: dict[str, Any] = json.loads(answer.content)
        return found

    def raw(self, path: str, body: bytes, **args: str) -> requests.Response:
        return requests.post(
            self.sandbox.base_url + path,
            params={"access_token": self.token, **args},
            data=body,
            timeout=10,
        )

    def post(self, path: str, body: Any) -> dict[str, Any]:
        answer = self.raw(path, json.dumps(body, ensure_ascii=False).encode())
        found: dict[str, Any] = json.loads(answer.content)
        return found

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(
            method, f"{self.sandbox.base_url}/_control/{path}", json=body, timeout=30
        )
        return answer.json()

    def do(self, openid: str, deed: str, **sent: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.control("POST", f"followers/{openid}/{deed}", sent)
        return found

    def fan(self) -> str:
        return self.world.add_follower(subscribed=True).openid

    def tag(self, name: str) -> int:
        number: int = self.post("/cgi-bin/tags/create", {"tag": {"name": name}})["tag"]["id"]
        return number

    def put_on(self, tag_id: int, *openids: str) -> dict[str, Any]:
        body = {"openid_list": list(openids), "tagid": tag_id}
        return self.post("/cgi-bin/tags/members/batchtagging", body)

    def menu(self, name: str, **rule: str) -> dict[str, Any]:
        """Publish a menu of one button: the default, or with a rule a conditional one."""
        body: dict[str, Any] = {"button": [{"type": "click", "name": name, "key": name}]}
        if not rule:
            return self.post("/cgi-bin/menu/create", body)
        return self.post("/cgi-bin/menu/addconditional", {**body, "matchrule": rule})

    def sees(self, openid: str) -> str:
        """The first button of the menu this follower gets."""
        found = self.post("/cgi-bin/menu/trymatch", {"user_id": openid})
        name: str = found["button"][0]["name"]
        return name


@dataclass
class Receiver:
    """The account's own server, as small as can be: notes what it hears, answers as told.

    Attributes:
        heard: the fields of every push, oldest first.
        queries: the query of every push.
        answer: given the fields, what to say: a reply, or bytes as they are.
        status: the HTTP status of every answer.
        wait: how many seconds every answer takes.
    """

    settings: Settings
    heard: list[dict[str, str]] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    answer: Callable[[dict[str, str]], Reply | bytes] = lambda fields: b"success"
    status: int = 200
    wait: float = 0.0
    echo: str | None = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if request.method == "GET":
            echo = request.args["echostr"] if self.echo is None else self.echo
            return Response(echo)(environ, start_response)
        fields = self._opened(request)
        self.heard.append(fields)
        self.queries.append(request.args.to_dict())
        time.sleep(self.wait)
        said = self.answer(fields)
        body = said if isinstance(said, bytes) else self.sealed(said, fields)
        return Response(body, self.status)(environ, start_response)

    def _opened(self, request: Request) -> dict[str, str]:
        query, settings = request.args, self.settings
        outer = fields_of(request.get_data())
        parts = (settings.wechat_token, query["timestamp"], query["nonce"])
        assert is_signed(query["signature"], *parts)
        if "Encrypt" not in outer:
            return outer
        assert is_signed(query["msg_signature"], *parts, outer["Encrypt"])
        return fields_of(self._envelope.open(outer["Encrypt"]))

    def sealed(self, reply: Reply, fields: dict[str, str]) -> bytes:
        now = str(int(time.time()))
        plain = xml_of(reply, to=fields["FromUserName"], sender=fields["ToUserName"], at=int(now))
        return self._envelope.sealed_reply(plain, timestamp=now, nonce="1234567")

    @property
    def _envelope(self) -> Envelope:
        settings = self.settings
        keys = [settings.wechat_aes_key, settings.wechat_aes_key_previous]
        return Envelope(token=settings.wechat_token, appid=settings.wechat_appid, keys=keys)


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """Any WSGI application on a free port; gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    previous = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
    with running(replace(Settings(), wechat_aes_key_previous=previous)) as found:
        yield found


@pytest.fixture
def caller(sandbox: Sandbox) -> Caller:
    """A fresh account, and its server with a good token."""
    world = sandbox.world
    world.reset()
    world.webhook.url, world.webhook.mode = "http://127.0.0.1:9/wechat", "safe"
    world.webhook.resends, world.webhook.deadline_seconds = 3, 5.0
    world.webhook.reports, world.webhook.previous_key, world.webhook.skew_seconds = False, False, 0
    caller = Caller(sandbox)
    caller.sign_in()
    return caller


@pytest.fixture
def receiver(caller: Caller) -> Iterator[Receiver]:
    """The account's server, listening where the sandbox pushes to."""
    receiver = Receiver(caller.sandbox.settings)
    with listening(receiver) as address:
        caller.world.webhook.url = f"{address}/wechat"
        yield receiver


def greeting(_fields: dict[str, str]) -> Reply:
    return Text("您好，这里是示例银行")
