"""``flask menus``: what operators read before, while and after they publish."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import delete

from service.delivery import claims
from service.delivery.ledger import Row
from tests.menus.conftest import WUXI, Bank
from wsgi import create_app


@pytest.fixture
def cli(bank: Bank) -> FlaskCliRunner:
    app: Flask = create_app(replace(bank.wiring.settings))
    app.extensions["wiring"] = bank.wiring
    return app.test_cli_runner()


def run(cli: FlaskCliRunner, *arguments: str) -> str:
    result = cli.invoke(args=["menus", *arguments])
    assert result.exit_code == 0, result.output
    return str(result.stdout)


def test_the_plan_lists_every_step_and_changes_nothing(bank: Bank, cli: FlaskCliRunner) -> None:
    output = run(cli, "plan")
    assert "发布默认菜单（总行菜单）" in output
    assert "建立标签“菜单 B310000 约惠魔都”（上海市分行）" in output
    assert "发布上海市分行的菜单“约惠魔都”" in output
    assert "个性化菜单 6 个（上限尚不清楚），标签最多 90 个，链接域名 1 个（最多 3 个）" in output
    assert bank.calls("menu/create") == []


def test_the_plan_says_who_must_do_without(bank: Bank, cli: FlaskCliRunner) -> None:
    bank.open_zone(WUXI)
    bank.follower("B320200")
    object.__setattr__(bank.wiring.settings, "menu_ceiling", 6)
    for branch in ("B310000", "B320000", "B320500", "B440300", "B510000", "B540000"):
        bank.follower(branch)
        bank.follower(branch)
    output = run(cli, "plan")
    line = "名额不足：无锡分行的“锡享生活”暂不单独显示，1 位粉丝改看江苏省分行的菜单"
    assert line in output


def test_the_plan_as_json_holds_everything_a_program_needs(cli: FlaskCliRunner) -> None:
    found = json.loads(run(cli, "plan", "--json"))
    assert found["steps"][0]["step"] == "CreateDefault"
    assert found["reach"]["B320200"] == "B320000"
    assert found["capacity"] == {"tags": 90, "ceiling": None, "account_tags": 100}
    assert found["domains"] == ["127.0.0.1"]


def test_publishing_in_the_foreground_shows_each_step(bank: Bank, cli: FlaskCliRunner) -> None:
    output = run(cli, "publish", "--wait")
    assert "发布默认菜单（总行菜单）" in output
    assert output.rstrip().endswith("发布完成")
    assert len(bank.shown()) == 6
    assert "微信上的菜单与应有的一致" in run(cli, "plan")


def test_publishing_leaves_it_to_the_worker_unless_told_to_wait(
    bank: Bank, cli: FlaskCliRunner
) -> None:
    assert "后台进程会完成发布" in run(cli, "publish")
    assert bank.shown() == []
    bank.work()
    assert len(bank.shown()) == 6


def test_a_refusal_ends_the_foreground_with_its_reason_and_stays_on_the_ledger(
    bank: Bank, cli: FlaskCliRunner
) -> None:
    bank.play("/cgi-bin/menu/create", "errcode", errcode=48001)
    result = cli.invoke(args=["menus", "publish", "--wait"])
    assert result.exit_code == 1
    assert "没有这个接口的权限" in result.output
    with bank.wiring.reading() as unit:
        (row,) = unit.session.query(Row).filter_by(kind="menus.settle_menus")
    assert row.state == "failed"


def test_a_busy_wechat_leaves_the_rest_to_the_worker(bank: Bank, cli: FlaskCliRunner) -> None:
    bank.play("/cgi-bin/menu/addconditional", "errcode", nth=2)
    result = cli.invoke(args=["menus", "publish", "--wait"])
    assert result.exit_code == 1
    assert "后台进程会接着做" in result.output
    bank.work()
    assert len(bank.shown()) == 6


def test_a_publication_that_waits_for_followers_says_so(bank: Bank, cli: FlaskCliRunner) -> None:
    bank.open_zone(WUXI)
    bank.follower("B320200")
    bank.publish()
    bank.close_zone(WUXI.key)
    output = run(cli, "publish", "--wait")
    assert "等无锡分行的 1 位粉丝换好标签" in output
    assert "其余步骤要等粉丝换好标签" in output
    bank.work()
    assert bank.planned() == []


def test_the_status_before_and_after_the_first_publication(bank: Bank, cli: FlaskCliRunner) -> None:
    assert "还没有从这里发布过菜单" in run(cli, "status")
    bank.follower("B310000")
    bank.publish()
    output = run(cli, "status")
    assert "个性化菜单上限：尚不清楚" in output
    assert "上海市分行：标签" in output
    assert "服务 12 家分行" in output
    assert "等待换菜单的粉丝：0 位" in output
    assert "发布前的存档：1 份" in output


def test_a_worker_that_was_quicker_is_left_to_it(
    bank: Bank, cli: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = claims.claim

    def late(*arguments: Any, **keywords: Any) -> Any:
        monkeypatch.setattr(claims, "claim", claim)
        assert claim(*arguments, **keywords) is not None
        arguments[0].db.execute(delete(Row))

    monkeypatch.setattr(claims, "claim", late)
    assert "后台进程已经接手" in run(cli, "publish", "--wait")
