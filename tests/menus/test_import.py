"""A menu made by hand becomes head office's own, and nothing of it is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskCliRunner

from menus import importing
from menus.buttons import read
from service.wechat.errors import WillNever
from tests.menus.conftest import Bank
from wsgi import create_app

#: As ``get_current_selfmenu_info`` shows a menu made in WeChat's console.
BY_HAND: list[dict[str, Any]] = [
    {
        "name": "我的账户",
        "sub_button": {
            "list": [
                {"type": "view", "name": "网上银行", "url": "http://127.0.0.1:8000/s/mobile-bank"},
                {"type": "click", "name": "挂失", "key": "old-system:loss"},
            ]
        },
    },
    {"type": "view", "name": "官网", "url": "http://127.0.0.1:8000/"},
]


@pytest.fixture
def cli(bank: Bank) -> FlaskCliRunner:
    app = create_app(replace(bank.wiring.settings))
    app.extensions["wiring"] = bank.wiring
    return app.test_cli_runner()


def test_a_menu_made_by_hand_is_taken_over_and_published_as_it_was(
    bank: Bank, cli: FlaskCliRunner
) -> None:
    bank.sandbox.world.menus.by_hand = BY_HAND
    follower = bank.follower("B310000")
    shown = cli.invoke(args=["menus", "import"], input="y\n")
    assert shown.exit_code == 0, shown.output
    assert "第 1 列“我的账户”：网上银行（view" in shown.output
    assert bank.drift() == []
    bank.publish()
    assert bank.sees(follower) == read(BY_HAND)
    assert bank.planned() == []
    listed = cli.invoke(args=["menus", "snapshots"])
    assert "默认菜单 我的账户、官网" in listed.output


def test_nothing_is_taken_over_that_was_not_confirmed(bank: Bank, cli: FlaskCliRunner) -> None:
    bank.sandbox.world.menus.by_hand = BY_HAND
    assert cli.invoke(args=["menus", "import"], input="n\n").exit_code == 1
    assert bank.drift() != []


def test_what_the_api_cannot_publish_is_named_and_nothing_is_changed(
    bank: Bank, cli: FlaskCliRunner
) -> None:
    talk = {"type": "text", "name": "关于我们", "value": "我行成立于……"}
    bank.sandbox.world.menus.by_hand = [*BY_HAND, talk]
    refused = cli.invoke(args=["menus", "import", "--yes"])
    assert refused.exit_code == 1
    assert "关于我们" in refused.output
    assert bank.drift() != []


def test_an_account_without_a_menu_has_nothing_to_import(bank: Bank) -> None:
    with pytest.raises(WillNever, match="没有菜单可以导入"):
        importing.found(bank.desk)
