"""``flask intake``: what was genuine but could not be dealt with, and trying it again."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from service import clock
from service.webhook import kept
from service.webhook.intake import Intake
from service.wechat.envelope import EnvelopeRefused
from service.wechat.fields import Unreadable
from service.wiring import wiring

intake_group = AppGroup("intake", help="收到但没能处理的微信推送：查看与重放。")


@intake_group.command("list")
def list_kept() -> None:
    """List what waits, oldest first."""
    with wiring().reading() as unit:
        rows = kept.waiting(unit)
    for row in rows:
        received = clock.shanghai(row.received_at).strftime("%Y-%m-%d %H:%M:%S")
        click.echo(f"{row.id}\t{received}\t{row.fault}")
    click.echo(
        f"共 {len(rows)} 条。修好原因后运行 flask intake replay 重放。"
        if rows
        else "没有待处理的推送。"
    )


@intake_group.command("replay")
@click.argument("ids", type=int, nargs=-1)
def replay(ids: tuple[int, ...]) -> None:
    """Deal with what waits, all of it or the numbers given; what still fails stays."""
    intake = Intake(wiring())
    with wiring().reading() as unit:
        rows = [row for row in kept.waiting(unit) if not ids or row.id in ids]
    failed = 0
    for row in rows:
        try:
            intake.replay(row)
        except Unreadable as unreadable:
            failed += 1
            click.echo(f"{row.id}\t仍然读不懂：{unreadable.fault}", err=True)
        except EnvelopeRefused:
            failed += 1
            click.echo(
                f"{row.id}\t用现在的 EncodingAESKey 打不开；"
                "请把当时的密钥设为 WECHAT_AES_KEY_PREVIOUS 再试",
                err=True,
            )
    click.echo(f"已处理 {len(rows) - failed} 条，仍待处理 {failed} 条。")
    if failed:
        raise SystemExit(1)
