"""A token is a part of its owner's rights, for a while, until somebody takes it back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from service import clock
from service.api import tokens
from service.api.models import ApiToken
from service.audit import Filters, search, verify
from service.staff import operations
from service.staff.operations import StaffRefused
from tests.service.api.programs import HERE, Bank, Program


def lend(bank: Bank, login: str, role: str, branch: str, days: int = 30) -> tuple[int, str]:
    with bank.wiring.unit() as unit:
        return tokens.lend(
            unit, login=login, role=role, branch=branch, name="测试", days=days, by=None
        )


def test_a_program_is_its_owner_with_the_tokens_rights(editor: Program) -> None:
    told = editor.get("/me")
    assert told["login"] == "gd.editor"
    assert [(one["role"], one["branch"]) for one in told["grants"]] == [("editor", "B440000")]
    codes = [one["code"] for one in editor.get("/branches")["items"]]
    assert codes[0] == "B440000"
    assert "B440200" in codes
    assert not {"HQ", "B310000"} & set(codes)


def test_a_list_of_branches_comes_in_pages(editor: Program) -> None:
    whole = [one["code"] for one in editor.get("/branches")["items"]]
    found: list[str] = []
    after = ""
    while after is not None:
        page = editor.get("/branches", limit=7, after=after)
        found += [one["code"] for one in page["items"]]
        after = page["after"]
    assert found == whole


def test_a_token_may_be_less_than_its_owner(bank: Bank) -> None:
    narrow = bank.program("gd.editor", role="reader", branch="B440200")
    assert [one["code"] for one in narrow.get("/branches")["items"]] == ["B440200"]
    there = "/branches/B440200/documents/zone/-"
    assert narrow.call("GET", there).status_code == 200
    assert narrow.call("POST", f"{there}/drafts", json={}).status_code == 403
    assert narrow.call("GET", HERE).status_code == 404


@pytest.mark.parametrize(
    ("login", "role", "branch"),
    [
        ("gd.editor", "checker", "B440000"),
        ("gd.editor", "editor", "HQ"),
        ("gd.editor", "editor", "B310000"),
        ("gd.editor", "operations", "B440000"),
        ("gd.editor", "editor", "B999999"),
        ("gd.editor", "nonsense", "B440000"),
        ("nobody", "editor", "B440000"),
    ],
)
def test_a_token_is_never_more_than_its_owner(
    bank: Bank, login: str, role: str, branch: str
) -> None:
    with pytest.raises(StaffRefused, match="请"):
        lend(bank, login, role, branch)


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_token_lasts_a_year_at_most(bank: Bank, days: int) -> None:
    with pytest.raises(StaffRefused, match="365"):
        lend(bank, "gd.editor", "editor", "B440000", days)


def test_a_token_ends_by_itself(bank: Bank) -> None:
    program = bank.program("gd.editor", days=365)
    ends = clock.now() + timedelta(days=365)
    with time_machine.travel(ends - timedelta(minutes=1), tick=False):
        assert program.call("GET", "/me").status_code == 200
    with time_machine.travel(ends + timedelta(minutes=1), tick=False):
        assert program.call("GET", "/me").status_code == 401


def test_a_token_taken_back_is_refused_at_once(bank: Bank) -> None:
    number, token = lend(bank, "gd.editor", "editor", "B440000")
    program = Program(bank.app.test_client(), token)
    assert program.call("GET", "/me").status_code == 200
    with bank.wiring.unit() as unit:
        tokens.revoke(unit, number=number, by=None)
    assert program.call("GET", "/me").status_code == 401
    with bank.wiring.unit() as unit, pytest.raises(StaffRefused, match="已经收回"):
        tokens.revoke(unit, number=number, by=None)


def test_a_token_shrinks_to_nothing_with_its_owners_rights(bank: Bank, editor: Program) -> None:
    assert editor.call("GET", "/me").status_code == 200
    with bank.wiring.unit() as unit:
        person = operations.required(unit, "gd.editor")
        operations.set_grants(unit, staff_id=person.id, branch="B440000", roles=["reader"], by=None)
    assert editor.call("GET", "/me").status_code == 401
    with bank.wiring.unit() as unit:
        operations.set_grants(unit, staff_id=person.id, branch="B440000", roles=["editor"], by=None)
    assert editor.call("GET", "/me").status_code == 200


def test_a_locked_owners_token_is_refused(bank: Bank, editor: Program) -> None:
    with bank.wiring.unit() as unit:
        operations.lock(unit, login="gd.editor", by=None)
    assert editor.call("GET", "/me").status_code == 401


def test_the_sample_banks_tokens_are_refused_in_production(bank: Bank, editor: Program) -> None:
    from dataclasses import replace

    from service.wiring import Unit

    production = replace(bank.wiring.settings, environment="production")
    with bank.wiring.reading() as unit:
        there = Unit(unit.db, replace(bank.wiring, settings=production))
        assert tokens.bearer(unit, editor.token) is not None
        assert tokens.bearer(there, editor.token) is None


def test_a_token_is_nowhere_but_with_its_program(bank: Bank) -> None:
    _number, token = lend(bank, "gd.editor", "editor", "B440000")
    assert len(token) >= len(tokens.PREFIX) + 43
    with bank.wiring.reading() as unit:
        rows = str(unit.db.execute(select(*ApiToken.__table__.columns)).all())
        told = str(search(unit, Filters(act="api")))
    assert token not in rows
    assert token not in told
    assert token.removeprefix(tokens.PREFIX) not in rows + told


def test_lending_and_taking_back_are_in_the_audit(bank: Bank) -> None:
    number, _token = lend(bank, "gd.editor", "editor", "B440000")
    with bank.wiring.unit() as unit:
        tokens.revoke(unit, number=number, by=None, why="程序下线")
    with bank.wiring.reading() as unit:
        last, first = search(unit, Filters(subject=f"api:{number}"))[:2]
        assert verify(unit).broken is None
    assert (first.act, last.act, last.why) == ("api.lent", "api.revoked", "程序下线")


def test_what_a_program_did_is_told_from_what_its_owner_did(bank: Bank, editor: Program) -> None:
    editor.post(f"{HERE}/drafts")
    with bank.wiring.reading() as unit:
        number = tokens.lent(unit)[0].id
        entry = search(unit, Filters(act="approvals.draft"))[0]
    assert entry.actor == "gd.editor"
    assert entry.source.endswith(f"/t{number}")


def test_the_day_of_the_last_use_is_known(bank: Bank, editor: Program) -> None:
    with bank.wiring.reading() as unit:
        assert tokens.lent(unit)[0].used_on is None
    editor.get("/me")
    with bank.wiring.reading() as unit:
        assert tokens.lent(unit)[0].used_on == clock.today()


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer wxsa_", "Bearer wxsa_\udcff", "Basic x", "wxsa_x",
     "Bearer " + "x" * 9000, "Bearer wxsa_%00"],
)  # fmt: skip
def test_what_is_no_token_is_refused(bank: Bank, header: str) -> None:
    environ = {"HTTP_AUTHORIZATION": header.encode("utf-8", "surrogateescape").decode("latin-1")}
    answer = bank.app.test_client().get("/api/v1/me", environ_overrides=environ)
    assert answer.status_code == 401
    assert answer.json is not None
    assert "令牌" in answer.json["detail"]


def test_the_commands_lend_list_and_take_back(bank: Bank) -> None:
    shell = bank.app.test_cli_runner()

    def run(*words: str) -> str:
        return shell.invoke(args=["staff", "token", *words]).output

    told = run("add", "gd.editor", "--name", "内容系统", "--role", "editor", "--branch", "B440000")
    found = re.search(r"令牌 (\d+)（只显示这一次.*）：(wxsa_\S+)", told)
    assert found, told
    program = Program(bank.app.test_client(), found[2])
    assert program.call("GET", "/me").status_code == 200
    listed = run("list")
    assert "内容系统" in listed
    assert "有效" in listed
    assert found[2] not in listed
    assert "已收回" in run("revoke", found[1])
    assert program.call("GET", "/me").status_code == 401
    assert "没有编号为 999" in run("revoke", "999")
    refused = run("add", "gd.editor", "--name", "x", "--role", "checker", "--branch", "B440000")
    assert "自己没有" in refused
