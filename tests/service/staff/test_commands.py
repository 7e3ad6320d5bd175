"""``flask staff``: the first people of a bank, from the terminal of whoever has the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from config import Settings
from regions import branches
from service import clock
from service.assembly import assemble
from service.db import db
from service.staff import cast, operations, passwords
from service.staff.commands import staff_group
from service.staff.models import StaffGrant
from service.staff.rights import Grant
from service.wiring import Tables, Unit, Wiring
from tests.service.staff.conftest import BANK
from wsgi import TABLES


@pytest.fixture
def own_app(tmp_path: Path) -> Iterator[Flask]:
    settings = replace(Settings(), data_dir=tmp_path)
    app = assemble(settings, TABLES, commands=[staff_group])
    with app.app_context():
        db.create_all()
    with app.extensions["wiring"].unit() as unit:
        branches.install(unit, BANK)
    yield app
    app.extensions["wiring"].hang_up()


def run(app: Flask, *words: str, typed: str = "") -> Result:
    return app.test_cli_runner().invoke(args=["staff", *words], input=typed)


def granted(app: Flask, login: str) -> tuple[Grant, ...]:
    wiring: Wiring = app.extensions["wiring"]
    with wiring.reading() as unit:
        return operations.required(unit, login).grants


def test_the_first_administrator_gets_a_password_once(own_app: Flask) -> None:
    told = run(own_app, "add", "Zhao", "--name", "赵", "--role", "administrator")
    assert told.exit_code == 0, told.output
    password = re.search(r"：(\S{19})$", told.output.strip())
    assert password
    assert not passwords.faults(password[1])
    assert granted(own_app, "zhao") == (Grant("administrator", "HQ"),)
    listed = run(own_app, "list").output
    assert "zhao  赵  未登录过" in listed
    assert password[1] not in listed


def test_a_password_that_is_typed_in_must_be_good(own_app: Flask) -> None:
    words = ("add", "li", "--name", "李", "--ask-password")
    weak = run(own_app, *words, typed="password\npassword\n")
    assert weak.exit_code == 1
    assert "至少 12 位" in weak.output
    assert run(own_app, *words, typed="Eigene-Worte-77\nEigene-Worte-77\n").exit_code == 0
    assert "Eigene" not in run(own_app, "list").output


def test_roles_are_granted_and_revoked(own_app: Flask) -> None:
    run(own_app, "add", "li", "--name", "李")
    assert run(own_app, "grant", "li", "editor", "B440000").exit_code == 0
    assert run(own_app, "grant", "li", "checker", "B440000").exit_code == 0
    assert granted(own_app, "li") == (Grant("checker", "B440000"), Grant("editor", "B440000"))
    assert run(own_app, "revoke", "li", "editor", "B440000").exit_code == 0
    assert granted(own_app, "li") == (Grant("checker", "B440000"),)
    again = run(own_app, "revoke", "li", "editor", "B440000")
    assert (again.exit_code, "无需收回" in again.output) == (1, True)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("grant", "nobody", "editor", "HQ"), "没有登录名为 nobody"),
        (("grant", "li", "editor", "B999999"), "没有代码为 B999999"),
        (("grant", "li", "administrator", "HQ"), "不能兼任"),
        (("add", "LI", "--name", "另一个李"), "已经有人使用"),
        (("add", "李", "--name", "李"), "登录名要用"),
        (("add", "wang", "--name", "王", "--role", "editor", "--branch", "X"), "没有代码为 X"),
        (("reset", "nobody"), "没有登录名为"),
        (("lock", "nobody"), "没有登录名为"),
        (("code", "li"), "还没有绑定动态码"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line_and_changes_nothing(
    own_app: Flask, words: tuple[str, ...], why: str
) -> None:
    run(own_app, "add", "li", "--name", "李", "--role", "editor", "--branch", "B310000")
    before = run(own_app, "list").output
    told = run(own_app, *words)
    assert told.exit_code == 1
    assert why in told.output
    assert "Traceback" not in told.output
    assert run(own_app, "list").output == before


def test_locking_and_resetting(own_app: Flask) -> None:
    run(own_app, "add", "li", "--name", "李")
    assert run(own_app, "lock", "li").exit_code == 0
    assert "已停用" in run(own_app, "list").output
    assert run(own_app, "unlock", "li").exit_code == 0
    assert "未登录过" in run(own_app, "list").output
    assert re.search(r"初始密码.*：\S{19}", run(own_app, "reset", "li").output)


def test_the_cast_is_shown_with_codes_where_one_tries_things_out(own_app: Flask) -> None:
    wiring: Wiring = own_app.extensions["wiring"]
    with wiring.unit() as unit:
        cast.seed(unit)
    card = run(own_app, "demo").output
    assert cast.password(wiring.settings) in card
    assert all(player.login in card for player in cast.CAST)
    assert re.match(r"\d{6}（", run(own_app, "code", "gd.editor").output)


def production(tmp_path: Path) -> Settings:
    return replace(
        Settings(), environment="production", data_dir=tmp_path, secret_key="x" * 40,
        wechat_api_base="https://api.weixin.qq.com", public_base_url="https://bank.example",
    )  # fmt: skip


@pytest.mark.parametrize("verb", [("demo",), ("code", "gd.editor")])
def test_production_shows_neither_cast_nor_codes(tmp_path: Path, verb: tuple[str, ...]) -> None:
    app = assemble(production(tmp_path), Tables(), commands=[staff_group])
    told = run(app, *verb)
    assert told.exit_code == 1
    assert not re.search(r"Demo-|\d{6}", told.output)
    app.extensions["wiring"].hang_up()


def test_production_takes_no_cast_on(unit: Unit, tmp_path: Path) -> None:
    strict = Unit(unit.db, replace(unit.wiring, settings=production(tmp_path)))
    with pytest.raises(RuntimeError, match="production"):
        cast.seed(strict)


def test_a_real_account_with_the_real_wechat_shows_no_codes_either(tmp_path: Path) -> None:
    settings = replace(production(tmp_path), environment="development")
    app = assemble(settings, Tables(), commands=[staff_group])
    told = run(app, "code", "gd.editor")
    assert (told.exit_code, "本人的手机" in told.output) == (1, True)
    app.extensions["wiring"].hang_up()


def test_a_role_that_a_release_dropped_is_listed_and_can_be_taken_back(own_app: Flask) -> None:
    run(own_app, "add", "li", "--name", "李")
    run(own_app, "grant", "li", "editor", "B440000")
    with own_app.extensions["wiring"].unit() as unit:
        staff_id = operations.required(unit, "li").id
        row = {"staff_id": staff_id, "branch_code": "B440000", "role": "curator"}
        unit.db.execute(unit.insert(StaffGrant).values(**row, granted_at=clock.now()))
    listed = run(own_app, "list")
    assert listed.exit_code == 0, listed.output
    assert "B440000 curator（没有这个角色）" in listed.output
    assert run(own_app, "revoke", "li", "editor", "B440000").exit_code == 0
    assert run(own_app, "revoke", "li", "curator", "B440000").exit_code == 0
    assert granted(own_app, "li") == ()
    assert run(own_app, "revoke", "li", "curator", "B440000").exit_code == 1
