"""``flask menus preview``: what a follower at this place and time sees, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click
from flask.cli import with_appcontext

from menus import preview as previews
from menus.buttons import Button, write
from menus.preview import Preview
from regions.coordinates import Datum
from service import clock
from service.wechat.errors import WillNever
from service.wiring import Unit, wiring


class _Moment(click.ParamType[datetime]):
    """A time in ISO 8601; without a zone, as the clocks in China show it."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"“{value}”不是时间，写成 2026-11-11T00:00（北京时间）", param, ctx)
        return found if found.tzinfo is not None else found.replace(tzinfo=clock.SHANGHAI)


@click.command("preview", help="预览某地、某时的粉丝看到的菜单，以及每一项的原因。")
@click.option("--lat", type=click.FloatRange(-90, 90), help="纬度")
@click.option("--lng", type=click.FloatRange(-180, 180), help="经度")
@click.option(
    "--datum",
    type=click.Choice([one.value for one in Datum]),
    default=Datum.GCJ02.value,
    show_default=True,
    help="经纬度的坐标系",
)
@click.option("--branch", help="不给经纬度时：分行代码，例如 B310000")
@click.option("--at", type=_Moment(), help="时间，例如 2026-11-11T00:00（北京时间）；默认现在")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
@with_appcontext
def preview_command(
    lat: float | None,
    lng: float | None,
    datum: str,
    branch: str | None,
    at: datetime | None,
    as_json: bool,
) -> None:
    if (branch is None) == (lat is None or lng is None):
        raise click.UsageError("请给出 --lat 和 --lng，或者只给出 --branch")
    try:
        with wiring().reading() as unit:
            if lat is not None and lng is not None:
                found = previews.preview(
                    unit, latitude=lat, longitude=lng, datum=Datum(datum), at=at
                )
            else:
                found = _of_branch(unit, branch or "", at)
    except WillNever as refused:
        raise click.ClickException(str(refused)) from None
    if as_json:
        click.echo(json.dumps(told(found), ensure_ascii=False, indent=2))
        return
    for line in lines(found):
        click.echo(line)


def told(found: Preview) -> dict[str, Any]:
    """A preview as JSON."""
    return {
        "at": found.at.isoformat(),
        "division": found.division,
        "place": found.place,
        "branch": {"code": found.branch.code, "name": found.branch.name, "why": found.where},
        "effective": {
            "title": found.effective.title,
            "menu": write(found.effective.menu),
            "why": [list(column) for column in found.effective.why],
            "title_why": list(found.effective.title_why),
            "notes": list(found.effective.notes),
        },
        "served": {
            "variant": found.served.variant,
            "tag_id": found.served.tag_id,
            "as_meant": found.served.as_meant,
            "why": found.served.why,
            "menu": write(found.served.menu) if found.served.menu is not None else None,
        },
        "refused": [str(fault) for fault in found.refused],
        "warnings": [str(fault) for fault in found.warnings],
    }


def lines(found: Preview) -> Iterator[str]:
    """A preview as people read it."""
    yield f"时间：{clock.shanghai(found.at):%Y-%m-%d %H:%M}"
    if found.place:
        yield f"位置：{found.place}（{found.division}）"
    yield f"分行：{found.branch.name}（{found.branch.code}），{found.where}"
    yield "应有的菜单："
    effective = found.effective
    for column, why, title_why in zip(
        effective.menu, effective.why, effective.title_why, strict=True
    ):
        yield f"  {column.name}  —— {title_why}"
        for button, reason in zip(column.buttons or (column,), why, strict=True):
            yield f"    {button.name}  {_leads(button)}  —— {reason}"
    yield from (f"  没有显示：{note}" for note in effective.notes)
    served = found.served
    yield f"微信显示的菜单：{'与应有的一致' if served.as_meant else '与应有的不同'}，{served.why}"
    if not served.as_meant:
        yield from (f"  {column.name}：{_names(column)}" for column in served.menu or ())
    yield from (f"不能发布：{fault}" for fault in found.refused)
    yield from (f"请留意：{fault}" for fault in found.warnings)


def _of_branch(unit: Unit, branch: str, at: datetime | None) -> Preview:
    try:
        return previews.preview_branch(unit, branch, at=at)
    except KeyError:
        raise click.ClickException(f"没有分行 {branch}；用 flask regions 查看分行代码") from None


def _leads(button: Button) -> str:
    return " ".join(
        filter(
            None,
            (
                button.key or button.url or button.media_id or button.article_id or button.value,
                button.appid,
                button.pagepath,
            ),
        )
    )


def _names(column: Button) -> str:
    return "、".join(button.name for button in column.buttons) or _leads(column)
