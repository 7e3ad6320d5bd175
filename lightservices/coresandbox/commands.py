"""``flask core sandbox``: the make-believe bank core on a developer's machine."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from lightservices.coresandbox.server import serving
from service.wiring import wiring

core_group = AppGroup("core", help="银行核心接口（docs/bank-core.openapi.yaml）。")


@core_group.command("sandbox")
@click.option("--port", type=int, default=None, help="端口；不填用 CORE_SANDBOX_PORT。")
@click.option("--host", default="127.0.0.1", show_default=True, help="监听的地址。")
def sandbox(port: int | None, host: str) -> None:
    """启动银行核心的沙箱：示例客户、示例金额，验证码是手机号后 6 位。"""
    settings = wiring().settings
    if settings.in_production:
        raise click.ClickException("这是正式环境（ENVIRONMENT=production），不能运行沙箱。")
    server, made = serving(
        settings, port=settings.core_sandbox_port if port is None else port, host=host
    )
    click.echo(f"银行核心沙箱 {made.base_url}/  故障脚本 {made.base_url}/_control/faults")
    try:
        server.serve_forever()
    finally:
        made.world.closing.set()
        server.server_close()
