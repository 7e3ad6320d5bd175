"""The database is gone: every page a follower may open says so plainly and has a way on."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from flask import Flask

from config import Settings
from lightservices.providers import last_heard
from lightservices.providers.published import Published
from lightservices.rates import Rate
from service import clock
from wsgi import create_app

#: What stands for the parts of an address, by the name of the part.
NAMED = {
    "key": "lost-card", "number": "T2611220001", "promotion_id": "1", "outlet_id": "SYN-1",
    "name": "x", "digest": "0" * 40, "person_id": "1", "manager_id": "1",
}  # fmt: skip


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The program before a database that refuses every connection."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("outage"),
        database_url="postgresql://127.0.0.1:1/gone",
        public_base_url="http://localhost",
    )
    app = create_app(settings)
    yield app
    app.extensions["wiring"].hang_up()


def follower_rules(app: Flask, method: str) -> list[str]:
    """The addresses of pages for followers, their parts filled in."""
    found = []
    for rule in app.url_map.iter_rules():
        stamp = str(getattr(app.view_functions[rule.endpoint], "authentication", ""))
        if stamp.startswith("follower") and method in (rule.methods or ()):
            address = rule.rule
            for name in rule.arguments:
                address = address.replace(f"<{name}>", NAMED[name])
                address = address.replace(f"<int:{name}>", NAMED[name])
            found.append(address)
    return found


def test_every_page_says_so_plainly_and_has_a_way_on(bare: Flask) -> None:
    paths = follower_rules(bare, "GET")
    assert {"/t/T2611220001", "/t/new", "/s/lost-card", "/z/lost-card"} <= set(paths)
    for path in paths:
        answer = bare.test_client().get(path)
        if answer.status_code in (301, 302):
            continue
        assert answer.status_code == 503, path
        assert answer.headers["Retry-After"] == "5"
        assert answer.headers["Cache-Control"] == "no-store", path
        assert "系统正忙" in answer.text, path
        assert f'href="{path}"' in answer.text, path
        assert "再试一次" in answer.text
        assert "客服热线" in answer.text
        assert 'href="/s/outlets"' in answer.text
        # What asks the database cannot be a way on.
        assert "查看全部服务" not in answer.text
        assert "Traceback" not in answer.text
        assert "OperationalError" not in answer.text


def test_whoever_sent_something_reads_that_it_did_not_arrive(bare: Flask) -> None:
    for path in follower_rules(bare, "POST"):
        answer = bare.test_client().post(path, data={"division": "320500", "answer": "yes"})
        if answer.status_code in (302, 303, 400, 403, 405, 415):
            continue
        assert answer.status_code == 503, path
        assert "您刚才提交的内容没有收到" in answer.text, path
        assert "再试一次" not in answer.text
        assert "客服热线" in answer.text


def test_a_form_that_was_filled_in_is_among_them(bare: Flask) -> None:
    for path in ("/t/new", "/s/complaint", "/t/T2611220001/say", "/visit/city"):
        answer = bare.test_client().post(path, data={"division": "320500"})
        assert (answer.status_code, "没有收到" in answer.text) == (503, True), path


def test_rates_stay_with_their_age_as_long_as_they_are_of_use(bare: Flask) -> None:
    wiring = bare.extensions["wiring"]
    line = Rate("loan", clock.today(), "home", "住房贷款", annual_percent=Decimal("3.1"))
    last_heard.keep(wiring, "loan", Published((), clock.now(), "银行核心系统", lines=(line,)))
    answer = bare.test_client().get("/s/loan-rates")
    assert answer.status_code == 200
    assert "住房贷款" in answer.text
    assert "系统暂时没有回应，下面是最后查到的数据（刚刚）" in answer.text
    assert bare.test_client().get("/s/deposit-rates").status_code == 503
