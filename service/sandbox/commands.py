"""``flask sandbox serve``: the make-believe WeChat on a developer's machine."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from service.sandbox.server import serving
from service.wiring import wiring

sandbox_group = AppGroup("sandbox", help="A stand-in for WeChat, with a phone to play followers.")


@sandbox_group.command("serve")
@click.option("--port", type=int, default=None, help="Port; the setting SANDBOX_PORT if not given.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def serve(port: int | None, host: str) -> None:
    """Answer as WeChat does, and show a phone at the address printed."""
    settings = wiring().settings
    if settings.in_production:
        raise click.ClickException("a sandbox has no place in production")
    server, sandbox = serving(
        settings,
        port=settings.sandbox_port if port is None else port,
        host=host,
        backdrop=wiring().tables.backdrop,
    )
    sandbox.world.webhook.reports = True
    click.echo(f"沙箱手机 {sandbox.base_url}/  推送地址 {sandbox.world.webhook.url}")
    try:
        server.serve_forever()
    finally:
        sandbox.world.closing.set()
        server.server_close()
