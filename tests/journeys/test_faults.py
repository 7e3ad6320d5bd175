"""The database hangs: WeChat still gets its answer, and nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

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
from tests.journeys.lines import Line
from wsgi import create_app


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
