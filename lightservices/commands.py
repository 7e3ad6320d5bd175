"""``flask services|rates|outlets …``: checking the content, taking in the bank's own lists."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from flask.cli import AppGroup

from lightservices import catalogue, pinyin, rates
from lightservices.outlets import imports
from lightservices.pages.kinds import known, view_of
from lightservices.providers.commands import providers_command
from service.sheets import SheetRefused
from service.wiring import wiring

services_group = AppGroup("services", help="轻服务的内容。")
services_group.add_command(providers_command)
rates_group = AppGroup("rates", help="牌价和利率表。")
outlets_group = AppGroup("outlets", help="网点名单。")

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_CSV = click.Path(exists=True, dir_okay=False, path_type=Path)


@services_group.command("check")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON。")
@click.option("--folder", type=_FOLDER, default=catalogue.PACK, help="检查另一个目录里的文件。")
def check_services(as_json: bool, folder: Path) -> None:
    """检查所有内容文件，列出每一处问题的位置和改法。"""
    read = catalogue.read(folder, known=known())
    faults = sorted((*read.faults, *_without_page(read)))
    told = _told(read, faults)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for fault in faults:
            click.echo(fault, err=True)
        click.echo(
            f"{told['services']} 项服务可用，{told['scenarios']} 个场景，"
            f"{told['placeholders']} 处待填，{len(faults)} 处问题。"
        )
    if faults:
        raise SystemExit(1)


@services_group.command("readings")
def make_readings() -> None:
    """重新生成搜索用的拼音表（字典更新之后才需要）。"""
    pinyin.READINGS.write_text(pinyin.made(), "utf-8")
    click.echo(f"已写入 {pinyin.READINGS.name}。")


def _told(read: catalogue.Catalogue, faults: Sequence[catalogue.Fault]) -> Mapping[str, object]:
    return {
        "services": len(read.services),
        "scenarios": len({one.scenario for one in read.services.values()}),
        "placeholders": read.placeholders,
        "errors": [asdict(fault) for fault in faults],
        "keys": list(read.services),
    }


def _without_page(read: catalogue.Catalogue) -> list[catalogue.Fault]:
    return [
        catalogue.Fault(
            f"{one.key}.yaml", 1, "kind", f"程序里没有 {one.key} 这个页面", "改为 guide 或 link"
        )
        for one in read.services.values()
        if view_of(one) is None
    ]


@rates_group.command("import")
@click.argument("file", type=_CSV)
@click.option("--dry-run", is_flag=True, help="只检查，不写入。")
def import_rates(file: Path, dry_run: bool) -> None:
    """导入 CSV：文件里出现的每张表整张替换，有一行不对就全部不导入。"""
    try:
        checked = rates.check(file)
    except SheetRefused as refused:
        raise click.ClickException(f"没有导入任何数据：\n{refused}") from refused
    if not dry_run:
        with wiring().unit() as unit:
            rates.publish(unit, checked)
    for table, lines in Counter(rate.table for rate in checked).items():
        click.echo(f"{rates.TABLES[table]}：{lines} 行{_done(dry_run)}")


@outlets_group.command("import")
@click.argument("file", type=_CSV)
@click.option("--dry-run", is_flag=True, help="只检查，不写入。")
def import_outlets(file: Path, dry_run: bool) -> None:
    """导入 CSV 作为全部网点：没有列出的网点会被撤下，有一行不对就全部不导入。"""
    try:
        with wiring().reading() as unit:
            checked = imports.check(unit, file)
    except SheetRefused as refused:
        raise click.ClickException(f"没有导入任何数据：\n{refused}") from refused
    if not dry_run:
        with wiring().unit() as unit:
            imports.replace(unit, checked)
    click.echo(f"{len(checked)} 个网点{_done(dry_run)}")


def _done(dry_run: bool) -> str:
    return "检查通过，没有写入" if dry_run else "已导入"
