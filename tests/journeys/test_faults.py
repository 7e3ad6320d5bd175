"""The database hangs: WeChat still gets its answer, and nothing is lost."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from select import select as wait_for

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from config import Settings
from service import followers
from service.db import db
from service.delivery.ledger import Desk
from service.happenings import OpenId
from service.webhook.door import Webhook
from service.webhook.intake import REST_SECONDS, replay_kept
from service.wiring import Wiring
from tests import pushes
from wsgi import create_app


class Line:
    """A line to the database that can freeze: bytes stop, the connection stays."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._frozen = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._closing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        self._frozen.set()

    def thaw(self) -> None:
        self._frozen.clear()

    def close(self) -> None:
        self._closing = True
        self._server.close()

    def _accept(self) -> None:
        while not self._closing:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._target) as far:
            while not self._closing:
                ready, _, _ = wait_for([near, far], [], [], 0.05)
                if self._frozen.is_set():
                    time.sleep(0.05)
                    continue
                for one in ready:
                    if not (data := one.recv(65536)):
                        return
                    (far if one is near else near).sendall(data)


@contextmanager
def behind(line: Line, settings: Settings) -> Iterator[Wiring]:
    app = create_app(settings)
    wiring: Wiring = app.extensions["wiring"]
    with app.app_context():
        db.create_all()
    yield wiring
    line.thaw()
    with app.app_context():
        db.drop_all()
    wiring.hang_up()


@pytest.mark.postgresql
def test_while_the_database_hangs_every_push_is_answered_and_none_is_lost(
    postgresql_url: str, settings: Settings, tmp_path: Path
) -> None:
    url = make_url(postgresql_url)
    line = Line(url.host or "127.0.0.1", url.port or 5432)
    through = url.set(host="127.0.0.1", port=line.port).render_as_string(hide_password=False)
    hanging = replace(settings, database_url=through, data_dir=tmp_path)
    with behind(line, hanging) as wiring:
        webhook = Webhook(wiring)
        openids = [f"oHANGING{number:020d}" for number in range(6)]
        deliver(webhook, hanging, "oBEFORE00000000000000000001")
        line.freeze()
        slowest = max(deliver(webhook, hanging, openid) for openid in openids)
        assert slowest < 4
        line.thaw()
        time.sleep(REST_SECONDS)
        replay_kept(Desk(wiring), [])
        with wiring.reading() as unit:
            assert all(followers.is_known(unit, OpenId(openid)) for openid in openids)
            known = unit.db.execute(select(func.count()).select_from(followers.Follower)).scalar()
            assert known == len(openids) + 1
    line.close()


def deliver(webhook: Webhook, settings: Settings, openid: str) -> float:
    """One subscription; how long its answer took, in seconds."""
    began = time.monotonic()
    answer = webhook.answer(
        "POST", *pushes.sealed(settings, pushes.event("subscribe", openid=openid))
    )
    assert answer.status == "200 OK"
    return time.monotonic() - began
