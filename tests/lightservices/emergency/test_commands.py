"""``flask emergency``: the same operations and rules from a terminal, by people who prove it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import update

from config import Settings
from lightservices.emergency import queries
from lightservices.emergency.states import State
from regions import sample
from service.db import db
from service.staff import cast, second_factor
from service.staff.models import Staff, Throttle
from service.wiring import Wiring
from wsgi import create_app


@dataclass(frozen=True)
class Terminal:
    """A terminal, and the people of the cast at it."""

    app: Flask
    wiring: Wiring

    def run(self, *words: str, typed: str = "") -> Result:
        return self.app.test_cli_runner().invoke(args=["emergency", *words], input=typed)

    def acts(self, login: str, *words: str) -> Result:
        """Somebody runs a command and proves who they are."""
        settings = self.wiring.settings
        with self.wiring.unit() as unit:
            # Half a minute has passed since their last code.
            unit.db.execute(update(Staff).values(totp_step=0))
            unit.db.execute(Throttle.__table__.delete())
        code = second_factor.code_now(cast.secret_of(settings, login))
        typed = f"{cast.password(settings)}\n{code}\n"
        return self.run(*words, "--as", login, typed=typed)

    def key(self) -> str:
        with self.wiring.reading() as unit:
            return queries.unfinished(unit)[0].key


@pytest.fixture(scope="module")
def furnished(
    tmp_path_factory: pytest.TempPathFactory, with_map: Callable[[Path], Path]
) -> Iterator[Terminal]:
    folder = with_map(tmp_path_factory.mktemp("terminal"))
    app = create_app(replace(Settings(), data_dir=folder))
    wiring: Wiring = app.extensions["wiring"]
    with app.app_context():
        db.create_all()
    with wiring.unit() as unit:
        sample.seed(unit)
        cast.seed(unit)
    yield Terminal(app, wiring)
    wiring.hang_up()


@pytest.fixture
def terminal(furnished: Terminal) -> Terminal:
    for _ in range(5):
        with furnished.wiring.reading() as unit:
            left = [one.key for one in queries.unfinished(unit) if one.state is State.OPEN]
        if not left:
            break
        furnished.acts("ops.wang", "close", left[0], "--yes")
    return furnished


def test_propose_open_status_locate_extend_close(terminal: Terminal) -> None:
    done = terminal.acts(
        "ops.wang", "propose", "typhoon", "--divisions", "440400", "--why", "台风将至"
    )
    assert done.exit_code == 0, done.output
    key = terminal.key()
    assert f"open {key}" in done.output
    assert "待开启" in terminal.run("status").output
    refused = terminal.acts("ops.wang", "open", key, "--yes")
    assert refused.exit_code == 1
    assert "不能由您来确认" in refused.output
    done = terminal.acts("ops.li", "open", key, "--yes")
    assert done.exit_code == 0, done.output
    assert "珠海分行" in done.output
    assert key in terminal.run("locate", "22.27", "113.576").output
    assert terminal.run("locate", "31.23", "121.47").exit_code == 1
    assert "申请延长" in terminal.acts("ops.wang", "extend", key, "24", "--why", "未结束").output
    done = terminal.acts("ops.li", "open", key, "--change", "--yes")
    assert done.exit_code == 0, done.output
    assert "已关闭" in terminal.acts("ops.li", "close", key, "--yes").output
    assert terminal.run("locate", "22.27", "113.576").exit_code == 1


def test_breaking_the_glass_and_the_review(terminal: Terminal) -> None:
    words = ("break-glass", "typhoon", "--circle", "22.27,113.57,20", "--why", "一人", "--yes")
    done = terminal.acts("ops.wang", *words)
    assert done.exit_code == 0, done.output
    key = re.search(r"typhoon-\d{4}-\w+", done.output)
    assert key
    assert "欠补审" in terminal.run("status").output
    assert "补审前不能再次紧急开启" in terminal.acts("ops.wang", *words).output
    reviewing = ("review", key[0], "--justified", "--words", "属实")
    assert terminal.acts("ops.wang", *reviewing).exit_code == 1
    assert "已记录" in terminal.acts("ops.li", *reviewing).output
    assert "欠补审" not in terminal.run("status").output


def test_nobody_acts_without_proof(terminal: Terminal) -> None:
    words = ("close", "typhoon-1122-x", "--yes", "--as", "ops.wang")
    wrong = terminal.run(*words, typed="wrong\n000000\n")
    assert wrong.exit_code == 1
    assert "不对" in wrong.output
    unknown = terminal.run(*words[:-1], "nobody", typed="wrong\n000000\n")
    assert "不对" in unknown.output


def test_whoever_has_no_rights_is_refused(terminal: Terminal) -> None:
    words = ("break-glass", "typhoon", "--divisions", "310000", "--why", "试", "--yes")
    refused = terminal.acts("sh.editor", *words)
    assert refused.exit_code == 1
    assert "您的角色不能做这一步" in refused.output


def test_plans_are_listed_shown_and_kept(terminal: Terminal, tmp_path: Path) -> None:
    assert "epidemic" in terminal.run("plan").output
    raw = json.loads(terminal.run("plan", "outage").output)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(raw | {"title": "本行系统故障"}), encoding="utf-8")
    done = terminal.acts("ops.wang", "plan", "--save", str(file))
    assert done.exit_code == 0, done.output
    assert "本行系统故障" in terminal.run("plan").output
    file.write_text(json.dumps(raw | {"default_hours": 999}), encoding="utf-8")
    assert "最长 168 小时" in terminal.acts("ops.wang", "plan", "--save", str(file)).output
    assert terminal.acts("gd.editor", "plan", "--save", str(file)).exit_code == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--circle", "22.2,113.5"), "纬度,经度,公里"),
        (("--divisions", "999999"), "没有代码为 999999"),
        ((), "给出区域"),
        (("--polygon", "22,113;22,114;x,1"), "不是用逗号隔开的数字"),
    ],
)
def test_an_area_that_cannot_be_is_named(
    terminal: Terminal, words: tuple[str, ...], says: str
) -> None:
    refused = terminal.run("propose", "typhoon", *words, "--why", "试", "--as", "ops.wang")
    assert refused.exit_code != 0
    assert says in refused.output
