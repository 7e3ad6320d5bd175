"""``flask staff token``: lend a program a part of somebody's rights, take it back, list them."""

from __future__ import annotations

from typing import Final

import click
from flask.cli import AppGroup

from service import clock
from service.api import tokens
from service.staff.operations import StaffRefused
from service.staff.rights import ROLES
from service.wiring import wiring

token_group = AppGroup("token", help="接口令牌：发给程序、收回、列出。")

_WHY: Final = "flask staff token"


@token_group.command("add", help="发一个令牌，只显示一次；权限不超过本人。")
@click.argument("login")
@click.option("--name", required=True, help="给哪个程序使用，例如：内容管理系统")
@click.option("--role", type=click.Choice(list(ROLES)), required=True, help="令牌能做什么")
@click.option("--branch", required=True, help="在哪个机构及其下级，例如 B440000")
@click.option("--days", type=int, default=90, show_default=True, help="有效多少天，最多 365")
def add(login: str, name: str, role: str, branch: str, days: int) -> None:
    try:
        with wiring().unit() as unit:
            number, token = tokens.lend(
                unit, login=login, role=role, branch=branch, name=name, days=days, by=None
            )
    except StaffRefused as refused:
        raise click.ClickException(str(refused)) from None
    click.echo(f"令牌 {number}（只显示这一次，请立即存入密钥库）：{token}")


@token_group.command("revoke", help="收回一个令牌，立即生效。")
@click.argument("number", type=int)
def revoke(number: int) -> None:
    try:
        with wiring().unit() as unit:
            found = tokens.revoke(unit, number=number, by=None, why=_WHY)
    except StaffRefused as refused:
        raise click.ClickException(str(refused)) from None
    click.echo(f"令牌 {number}（{found.login}，{found.name}）已收回")


@token_group.command("list", help="列出令牌；给出登录名就只列这个人的。")
@click.argument("login", required=False, default="")
def list_tokens(login: str) -> None:
    with wiring().reading() as unit:
        found = tokens.lent(unit, login=login)
    for one in found:
        state = "有效" if one.is_good else "已收回" if one.revoked_at else "已过期"
        until = f"{clock.shanghai(one.expires_at):%Y-%m-%d %H:%M}"
        used = f"{one.used_on:%Y-%m-%d}" if one.used_on else "从未"
        title = ROLES[one.role].title if one.role in ROLES else one.role
        click.echo(
            f"{one.id}  {one.login}  {one.name}  {one.branch} {title}  {state}  到 {until}"
            f"  最近使用 {used}"
        )
    if not found:
        click.echo("还没有令牌。发第一个：flask staff token add <登录名> --name … --role …")
