"""``flask menus``: what operators read before, while and after they publish."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import delete

from service.delivery import claims
from service.delivery.ledger import Row
from tests.lightservices.emergency.duty import opened
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
    assert found["capacity"]["ceiling"] is None
    assert found["capacity"]["tags"] == 90
    assert found["domains"] == ["127.0.0.1"]
    told = (Path(__file__).parents[2] / "docs" / "menu-calls.md").read_text(encoding="utf-8")
    rows = told.partition("## 计划的 JSON")[2].partition("\n## ")[0].splitlines()
    named = [re.findall(r"`(\w+)`", row.split("|")[1]) for row in rows if row.startswith("| `")]
    assert {name for names in named for name in names} == set(found)


def test_publishing_in_the_foreground_shows_each_step(bank: Bank, cli: FlaskCliRunner) -> None:
    output = run(cli, "apply", "--wait")
    assert "发布默认菜单（总行菜单）" in output
    assert output.rstrip().endswith("发布完成")
    assert len(bank.shown()) == 6
    assert "微信上的菜单与应有的一致" in run(cli, "plan")


def test_publishing_leaves_it_to_the_worker_unless_told_to_wait(
    bank: Bank, cli: FlaskCliRunner
) -> None:
    assert "后台进程会完成发布" in run(cli, "apply")
    assert bank.shown() == []
    bank.work()
    assert len(bank.shown()) == 6


def test_a_refusal_ends_the_foreground_with_its_reason_and_stays_on_the_ledger(
    bank: Bank, cli: FlaskCliRunner
) -> None:
    bank.play("/cgi-bin/menu/create", "errcode", errcode=48001)
    result = cli.invoke(args=["menus", "apply", "--wait"])
    assert result.exit_code == 1
    assert "没有这个接口的权限" in result.output
    with bank.wiring.reading() as unit:
        (row,) = unit.session.query(Row).filter_by(kind="menus.settle_menus")
    assert row.state == "failed"


def test_a_busy_wechat_leaves_the_rest_to_the_worker(bank: Bank, cli: FlaskCliRunner) -> None:
    bank.play("/cgi-bin/menu/addconditional", "errcode", nth=2)
    result = cli.invoke(args=["menus", "apply", "--wait"])
    assert result.exit_code == 1
    assert "后台进程会接着做" in result.output
    bank.work()
    assert len(bank.shown()) == 6


def test_a_publication_that_waits_for_followers_says_so(bank: Bank, cli: FlaskCliRunner) -> None:
    bank.open_zone(WUXI)
    bank.follower("B320200")
    bank.publish()
    bank.close_zone(WUXI.key)
    output = run(cli, "apply", "--wait")
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
    assert "后台进程已经接手" in run(cli, "apply", "--wait")


def test_the_plan_says_what_it_costs_and_who_sees_it_before_anybody_starts(
    bank: Bank, cli: FlaskCliRunner
) -> None:
    for _ in range(60):
        bank.follower("B310000")
    output = run(cli, "plan")
    assert "调用 /cgi-bin/menu/addconditional：6 次，今天还剩 2000/2000 次（微信告知）" in output
    assert "要重新打标签的粉丝 60 位：打标签 2 次、取消标签 0 次（每次 50 位）" in output
    assert "看到变化：" in output
    assert "没有菜单 → 服务 / 查询 / 约惠魔都" in output
    found = json.loads(run(cli, "plan", "--json"))
    assert found["retag"]["followers"] == 60
    assert found["tags"]["make"][0]["name"].startswith("菜单 B310000")
    calls = {one["path"]: one for one in found["calls"]}
    assert calls["/cgi-bin/tags/create"]["count"] == 6
    assert calls["/cgi-bin/tags/create"]["source"] == "wechat"


def test_without_an_answer_about_quotas_our_own_count_is_shown(
    bank: Bank, cli: FlaskCliRunner
) -> None:
    bank.play("/cgi-bin/openapi/quota/get", "errcode", errcode=48001)
    assert "（本系统记账）" in run(cli, "plan")


def test_a_change_made_elsewhere_ends_apply_until_it_is_adopted(
    bank: Bank, cli: FlaskCliRunner
) -> None:
    bank.publish()
    bank.gateway.create_menu([{"type": "click", "name": "手工菜单", "key": "handmade"}])
    assert "别处的改动：默认菜单被改成了别的内容（手工菜单）" in run(cli, "plan")
    refused = cli.invoke(args=["menus", "apply", "--wait"])
    assert refused.exit_code == 1
    assert "flask menus import" in refused.output
    output = run(cli, "apply", "--wait", "--adopt")
    assert "允许覆盖：默认菜单被改成了别的内容（手工菜单）" in output
    assert output.rstrip().endswith("发布完成")


def test_a_rollback_shows_its_plan_asks_first_and_is_held_until_resumed(
    bank: Bank, cli: FlaskCliRunner
) -> None:
    assert "还没有存档" in run(cli, "snapshots")
    bank.publish()
    bank.close_zone("yuehui-modu")
    bank.publish()
    latest = run(cli, "snapshots").split("：")[0]
    refused = cli.invoke(args=["menus", "rollback", latest, "--wait"], input="n\n")
    assert refused.exit_code == 1
    assert "发布上海市分行的菜单“约惠魔都”" in refused.output
    assert "约惠魔都" not in bank.shown()
    assert run(cli, "rollback", latest, "--yes", "--wait").rstrip().endswith("发布完成")
    assert "约惠魔都" in bank.shown()
    assert f"停在第 {latest} 号存档" in run(cli, "status")
    assert f"目标：第 {latest} 号存档" in run(cli, "plan")
    assert f"菜单停在第 {latest} 号存档" in run(cli, "apply", "--wait")
    assert "现在停在这里" in run(cli, "snapshots")
    assert run(cli, "resume", "--wait").rstrip().endswith("发布完成")
    assert "约惠魔都" not in bank.shown()
    assert "没有停在存档上" in run(cli, "resume")
    missing = cli.invoke(args=["menus", "rollback", "4711", "--yes"])
    assert "没有第 4711 号存档" in missing.output


def test_a_learned_ceiling_is_shown_and_can_be_found_out_anew(
    bank: Bank, cli: FlaskCliRunner
) -> None:
    bank.sandbox.world.limits.change({"conditional_menus": 3})
    bank.publish()
    assert "上限：3 个（" in run(cli, "ceiling")
    bank.sandbox.world.limits.change({"conditional_menus": 100})
    assert "重新发布" in run(cli, "ceiling", "--forget")
    bank.work()
    assert len(bank.shown()) == 6
    assert run(cli, "ceiling").strip() == "个性化菜单上限：尚不清楚"


def test_a_rollback_says_that_it_hides_the_entry_of_what_is_open(
    bank: Bank, cli: FlaskCliRunner
) -> None:
    bank.publish()
    bank.close_zone("yuehui-modu")
    bank.publish()
    with bank.wiring.unit() as unit:
        opened(unit)
    latest = run(cli, "snapshots").split("：")[0]
    asked = cli.invoke(args=["menus", "rollback", latest], input="n\n")
    assert asked.exit_code == 1
    assert "现在开着应急专区" in asked.output
    assert "台风应急" in asked.output
