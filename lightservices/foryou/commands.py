"""``flask followers tags …``: the tags the bank gives its followers, from a list of its own."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import click
from flask.cli import AppGroup
from marshmallow import Schema, fields, post_load, validate

from lightservices.foryou import operations
from lightservices.foryou.tags import tags
from service.happenings import OpenId
from service.sheets import RowFault, SheetRefused, read
from service.wiring import wiring
from service.wording import FAULTS

followers_group = AppGroup("followers", help="关注者。")
tags_group = AppGroup("tags", help="关注者的标签。")
followers_group.add_command(tags_group)

HEADINGS: Final = MappingProxyType(
    {"openid": "openid", "粉丝": "openid", "tag": "tag", "标签": "tag"}
)


class RowInput(Schema):
    openid = fields.String(
        required=True, error_messages=FAULTS,
        validate=validate.Regexp(r"^[A-Za-z0-9_-]{10,64}$", error="不是 openid"),
    )  # fmt: skip
    tag = fields.String(required=True, error_messages=FAULTS)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> tuple[OpenId, str]:
        return OpenId(data["openid"]), data["tag"]


@tags_group.command("list")
def list_tags() -> None:
    """列出所有标签。"""
    for tag in tags().values():
        own = "，粉丝可以自己选" if tag.choice else ""
        click.echo(f"{tag.key}  {tag.title}（{'、'.join(tag.scenarios)}{own}）")


@tags_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="只检查，不写入。")
def import_tags(file: Path, dry_run: bool) -> None:
    """导入 CSV 作为本行给的全部标签：没有列出的会被取消，有一行不对就全部不导入。"""
    try:
        pairs = _checked(file)
    except SheetRefused as refused:
        raise click.ClickException(f"没有导入任何数据：\n{refused}") from refused
    if dry_run:
        click.echo(f"{len(pairs)} 行，检查通过，没有写入")
        return
    with wiring().unit() as unit:
        given, left_out = operations.replace_given(unit, pairs)
    click.echo(f"已导入 {given} 个标签；{left_out} 个没有导入（没有关注，或已关闭推荐）")


def _checked(file: Path) -> list[tuple[OpenId, str]]:
    rows = read(file, RowInput(), headings=HEADINGS)
    allowed = "、".join(tags())
    faults = [
        RowFault(number, "tag", f"没有“{pair[1]}”这个标签，可以用 {allowed}")
        for number, pair in rows
        if pair[1] not in tags()
    ]
    if faults:
        raise SheetRefused(faults)
    return [pair for _number, pair in rows]
