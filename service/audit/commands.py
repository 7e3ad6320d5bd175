"""``flask audit``: prove the chain, read it out, and print its end for the bank's own keeping."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, TextIO

import click
from flask.cli import AppGroup

from service import clock
from service.audit.chain import Head, head
from service.audit.export import FORMATS
from service.audit.reading import Filters, between, verify
from service.wiring import wiring

audit_group = AppGroup("audit", help="审计记录：校验、导出、留存链尾。")

_DAY: Final = click.DateTime(["%Y-%m-%d"])


class _Anchor(click.ParamType[Head]):
    """An end of the chain as ``flask audit head`` prints it."""

    name = "编号:校验值"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Head:
        seq, colon, digest = value.strip().partition(":")
        if not (colon and seq.isdigit() and len(digest) == 64):
            self.fail("请原样填写 flask audit head 打印的“编号:校验值”", param, ctx)
        return Head(int(seq), digest)


@audit_group.command("verify", help="从头到尾校验审计链。")
@click.option("--anchor", type=_Anchor(), help="以前留存的链尾，校验它是否还在链上")
def verify_chain(anchor: Head | None) -> None:
    with wiring().reading() as unit:
        found = verify(unit, anchor=anchor)
    if found.broken:
        click.echo(
            f"前 {found.sound} 条完好；第 {found.broken.seq} 条：{found.broken.why}", err=True
        )
        raise SystemExit(1)
    click.echo(f"审计链完好，共 {found.sound} 条，链尾 {found.head.hash}")


@audit_group.command("head", help="打印链尾的编号和校验值，供本行另行留存。")
def print_head() -> None:
    with wiring().reading() as unit:
        end = head(unit)
    click.echo(f"{end.seq}:{end.hash}")


@audit_group.command("export", help="导出一段时间的审计记录（北京时间，含首尾两天）。")
@click.option("--from", "first", type=_DAY, help="从哪一天")
@click.option("--to", "last", type=_DAY, help="到哪一天")
@click.option("--format", "form", type=click.Choice(sorted(FORMATS)), default="csv")
@click.option("--output", type=click.File("w", encoding="utf-8", lazy=False), default="-")
def export_entries(
    first: datetime | None, last: datetime | None, form: str, output: TextIO
) -> None:
    since = first.replace(tzinfo=clock.SHANGHAI) if first else None
    until = (last + timedelta(days=1)).replace(tzinfo=clock.SHANGHAI) if last else None
    _media_type, told = FORMATS[form]
    with wiring().reading() as unit:
        for line in told(between(unit, Filters(since=since, until=until))):
            output.write(line)
