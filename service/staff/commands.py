"""``flask staff``: the first people, and whatever no page may do for safety's sake.

Whoever runs these has the machine; each act is in the audit all the same, as the program's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click
from flask.cli import AppGroup
from sqlalchemy import select

from service import clock
from service.api.commands import token_group
from service.staff import cast, operations, passwords, second_factor
from service.staff.models import Staff
from service.staff.operations import Person, StaffRefused
from service.staff.rights import ROLES
from service.wiring import Unit, wiring

staff_group = AppGroup("staff", help="后台的人员：添加、授权、重置、停用。")

staff_group.add_command(token_group)

_WHY: Final = "flask staff"
_ROLES: Final = click.Choice(list(ROLES))


@contextmanager
def _unit() -> Iterator[Unit]:
    """One transaction; a refusal ends it and is told in one line."""
    try:
        with wiring().unit() as unit:
            yield unit
    except StaffRefused as refused:
        raise click.ClickException(str(refused)) from None


@staff_group.command("add", help="添加一个人；不给 --ask-password 就生成密码并显示一次。")
@click.argument("login")
@click.option("--name", required=True, help="姓名")
@click.option("--email", default="", help="邮箱")
@click.option("--role", type=_ROLES, help="同时授予的角色")
@click.option("--branch", default="HQ", show_default=True, help="角色所在机构的代码")
@click.option("--subject", default="", help="统一认证标识；给了就不设密码")
@click.option("--ask-password", is_flag=True, help="由您输入初始密码")
def add(
    login: str, name: str, email: str, role: str | None, branch: str, subject: str,
    ask_password: bool,
) -> None:  # fmt: skip
    password = "" if subject else _password(login, asked=ask_password)
    hashed = passwords.hashed(password) if password else None
    with _unit() as unit:
        staff_id = operations.add(
            unit, login=login, name=name, by=None, password_hash=hashed, email=email,
            oidc_subject=subject,
        )  # fmt: skip
        if role:
            _require_branch(unit, branch)
            operations.set_grants(
                unit, staff_id=staff_id, branch=branch, roles=[role], by=None, why=_WHY
            )
    click.echo(f"已添加 {operations.login_of(login)}（{name}）")
    _tell(password, asked=ask_password)


@staff_group.command("grant", help="授予一个角色，例如：flask staff grant li.wei editor B440000")
@click.argument("login")
@click.argument("role", type=_ROLES)
@click.argument("branch")
def grant(login: str, role: str, branch: str) -> None:
    with _unit() as unit:
        _require_branch(unit, branch)
        person = operations.required(unit, login)
        _set(unit, person, branch, {*_roles_at(person, branch), role})
    click.echo(f"{person.login} 在 {branch} 及下级有了「{ROLES[role].title}」")


@staff_group.command("revoke", help="收回一个角色，也可以是已经取消的角色。")
@click.argument("login")
@click.argument("role")
@click.argument("branch")
def revoke(login: str, role: str, branch: str) -> None:
    with _unit() as unit:
        person = operations.required(unit, login)
        if role not in _roles_at(person, branch):
            raise StaffRefused(f"{person.login} 在 {branch} 没有「{_title(role)}」，无需收回")
        _set(unit, person, branch, _roles_at(person, branch) - {role})
    click.echo(f"{person.login} 在 {branch} 不再有「{_title(role)}」")


@staff_group.command("reset", help="核实本人后使用：换一个初始密码，重新绑定动态码。")
@click.argument("login")
@click.option("--ask-password", is_flag=True, help="由您输入初始密码")
def reset(login: str, ask_password: bool) -> None:
    password = _password(login, asked=ask_password)
    with _unit() as unit:
        operations.reset(
            unit, login=login, password_hash=passwords.hashed(password), by=None, why=_WHY
        )
    click.echo(
        f"{operations.login_of(login)} 已重置，所有登录都已退出；下次登录要绑定动态码并改密码"
    )
    _tell(password, asked=ask_password)


@staff_group.command("lock", help="停用一个账号，立即生效。")
@click.argument("login")
def lock(login: str) -> None:
    with _unit() as unit:
        operations.lock(unit, login=login, by=None, why=_WHY)
    click.echo(f"{operations.login_of(login)} 已停用，所有登录都已退出")


@staff_group.command("unlock", help="启用一个停用的账号。")
@click.argument("login")
def unlock(login: str) -> None:
    with _unit() as unit:
        operations.unlock(unit, login=login, by=None, why=_WHY)
    click.echo(f"{operations.login_of(login)} 已启用")


@staff_group.command("list", help="列出所有人和他们的权限。")
def list_people() -> None:
    with wiring().reading() as unit:
        found = operations.everybody(unit)
    for one in found:
        seen = f"{clock.shanghai(one.signed_in_at):%Y-%m-%d %H:%M}" if one.signed_in_at else "从未"
        roles = "，".join(f"{grant.branch} {_title(grant.role)}" for grant in one.grants)
        marks = "（示范账号）" if one.is_demo else ""
        click.echo(
            f"{one.login}  {one.name}{marks}  {operations.STATES[one.state]}  最近登录 {seen}"
            f"  {roles or '没有权限'}"
        )
    if not found:
        click.echo(
            "还没有人。添加第一个：flask staff add <登录名> --name <姓名> --role administrator"
        )


@staff_group.command("code", help="显示一个账号现在的动态码；只在连着沙箱的试用环境可用。")
@click.argument("login")
def code(login: str) -> None:
    settings = wiring().settings
    if settings.in_production or not settings.uses_sandbox:
        raise click.ClickException("这不是试用环境，动态码只能在本人的手机上看")
    with _unit() as unit:
        person = operations.required(unit, login)
        seal = unit.db.execute(select(Staff.totp_sealed).where(Staff.id == person.id)).scalar()
        secret = second_factor.opened(unit, seal)
    if secret is None:
        raise click.ClickException("还没有绑定动态码，请先在网页上登录一次")
    left = second_factor.STEP_SECONDS - clock.epoch() % second_factor.STEP_SECONDS
    click.echo(f"{second_factor.code_now(secret)}（还有 {left} 秒有效）")


@staff_group.command("demo", help="显示示范账号；只在试用环境可用。")
def demo() -> None:
    if wiring().settings.in_production:
        raise click.ClickException("这是正式环境，没有示范账号")
    click.echo(cast.card(wiring().settings))


def _password(login: str, *, asked: bool) -> str:
    if not asked:
        return passwords.generated()
    given: str = click.prompt("初始密码", hide_input=True, confirmation_prompt="再输入一次")
    if found := passwords.faults(given, login=operations.login_of(login)):
        raise click.ClickException("这个密码不能用：" + "；".join(found))
    return given


def _tell(password: str, *, asked: bool) -> None:
    """A generated password goes to the terminal, once, and nowhere else."""
    if password and not asked:
        click.echo(f"初始密码（只显示这一次，首次登录要更换）：{password}")


def _title(role: str) -> str:
    """A role that a release dropped is shown as it is written, so that it can be taken back."""
    return ROLES[role].title if role in ROLES else f"{role}（没有这个角色）"


def _set(unit: Unit, person: Person, branch: str, roles: set[str]) -> None:
    operations.set_grants(
        unit, staff_id=person.id, branch=branch, roles=sorted(roles), by=None, why=_WHY
    )


def _roles_at(person: Person, branch: str) -> set[str]:
    return {grant.role for grant in person.grants if grant.branch == branch}


def _require_branch(unit: Unit, code: str) -> None:
    if not unit.wiring.tables.lineage(unit, code):
        raise StaffRefused(f"没有代码为 {code} 的机构，请用 flask regions branches 查看")
