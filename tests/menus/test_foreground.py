"""Publishing in the foreground beside a worker: nobody waits in vain, and nothing is kept back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from menus import offers, publication
from service.delivery import claims
from service.delivery.ledger import Row
from service.wiring import Unit
from tests.menus.conftest import Bank
from tests.menus.test_drift import draw_by_hand
from wsgi import create_app


@pytest.fixture
def cli(bank: Bank) -> FlaskCliRunner:
    app = create_app(replace(bank.wiring.settings))
    app.extensions["wiring"] = bank.wiring
    return app.test_cli_runner()


@pytest.fixture
def outrun(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker tries, and fails, between the command's wish to begin and its claim."""

    def passed_over(unit: Unit, kind: str | None = None) -> int:
        return 0

    monkeypatch.setattr(claims, "retry", passed_over)


@pytest.mark.usefixtures("outrun")
def test_whoever_waits_for_midnight_is_told_so_at_once(bank: Bank, cli: FlaskCliRunner) -> None:
    bank.play("/cgi-bin/menu/addconditional", "errcode", errcode=45009)
    bank.publish()
    told = cli.invoke(args=["menus", "apply", "--wait"])
    assert told.exit_code == 1
    assert "后台进程会在" in told.output
    assert "00:0" in told.output


@pytest.mark.usefixtures("outrun")
def test_what_the_worker_was_refused_is_no_success(
    bank: Bank, cli: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.publish()
    bank.play("/cgi-bin/menu/get", "errcode", errcode=48001)
    ask = publication.request_publication

    def asked_and_tried(unit: Unit) -> None:
        ask(unit)
        unit.afterwards.append(bank.work)

    monkeypatch.setattr(publication, "request_publication", asked_and_tried)
    told = cli.invoke(args=["menus", "apply", "--wait"])
    assert told.exit_code == 1
    assert "没有这个接口的权限" in told.output


def test_an_interrupted_publication_is_the_workers_at_once(
    bank: Bank, cli: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(publication, "settle", interrupted)
        cli.invoke(args=["menus", "apply", "--wait"])
    with bank.wiring.reading() as unit:
        kept = select(Row.state, Row.claim).where(Row.kind == offers.PUBLISH)
        assert unit.db.execute(kept).all() == [("waiting", None)]
    bank.work()
    assert len(bank.shown()) == 6


def test_an_import_says_what_branches_lose_and_when(bank: Bank, cli: FlaskCliRunner) -> None:
    bank.publish()
    draw_by_hand(bank)
    told = cli.invoke(args=["menus", "import"], input="y\n")
    assert "现在的 6 种分行菜单都会撤下" in told.output
    assert "一分钟内自动发布" in told.output
