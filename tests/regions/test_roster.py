"""A bank brings its own branches: checked as a whole, told what changes, all or nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import delete

from regions import branches, roster, sample
from regions.branches import Bank, BranchRow, Directory, ExceptionRow, TerritoryRow
from service.epochs import bump
from service.sheets import SheetRefused
from service.wiring import Wiring

GOOD = """机构代码,机构名称,简称,上级机构,服务区划
HQ,江海银行总行,总行,,
B320000,江苏省分行,江苏,HQ,
B320500,苏州分行,苏州,B320000,320500、320600
B310000,上海分行,上海,,
"""
LAND = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "飞地", "within": "320508", "branch": "B310000"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[120.6, 31.3], [120.7, 31.3], [120.7, 31.4], [120.6, 31.3]]],
            },
        }
    ],
}


def file(folder: Path, text: str, *, encoding: str = "utf-8") -> Path:
    path = folder / "branches.csv"
    path.write_text(text, encoding=encoding)
    return path


def refused(folder: Path, text: str) -> str:
    with pytest.raises(SheetRefused) as fault:
        roster.check(file(folder, text))
    return str(fault.value)


def sheet(bank: Bank) -> str:
    """A bank as a list of the columns people fill in."""
    lines = ["机构代码,机构名称,简称,上级机构,所在区划,服务区划"]
    for one in bank.branches:
        serves = " ".join(place for place, code in bank.territories if code == one.code)
        told = (one.code, one.name, one.short_name, one.parent, one.division, serves)
        lines.append(",".join(str(part or "") for part in told))
    return "\n".join(lines)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_list_becomes_a_tree_with_who_serves_what(tmp_path: Path, encoding: str) -> None:
    directory = Directory(roster.check(file(tmp_path, GOOD, encoding=encoding)))
    assert [one.level for one in directory.all] == [0, 1, 1, 2]
    assert directory.serving("320602").branch.short_name == "苏州"
    assert directory.serving("320102").branch.short_name == "江苏"
    assert directory.serving("110101").branch.code == "HQ"


def test_the_sample_bank_written_as_a_list_is_read_back_as_it_was(tmp_path: Path) -> None:
    bank = sample.bank()
    read = roster.check(file(tmp_path, sheet(bank)))
    assert read.branches == bank.branches
    assert sorted(read.territories) == sorted(bank.territories)


def test_drawn_exceptions_come_as_geojson(tmp_path: Path) -> None:
    land = tmp_path / "land.json"
    land.write_text(json.dumps(LAND), encoding="utf-8")
    (drawn,) = roster.check(file(tmp_path, GOOD), land).exceptions
    assert (drawn.name, drawn.branch, len(drawn.outline)) == ("飞地", "B310000", 3)
    land.write_text('{"features": [{"properties": {}}]}', encoding="utf-8")
    with pytest.raises(SheetRefused, match="FeatureCollection"):
        roster.check(file(tmp_path, GOOD), land)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("X1,某分行,某,,", "第 6 行 code：总行写 HQ"),
        ("B999999,某分行,某,,", "没有代码为 999999 的行政区划"),
        ("B330000,浙江省分行,浙江,,330000 320600", "第 6 行 机构：320600：同时由"),
        ("B330000,浙江省分行,上海,,", "第 6 行 机构：简称 上海：出现了 2 次"),
        ("B330000,浙江省分行,浙江,B340000,", "第 6 行 机构：B330000：上级 B340000 不存在"),
        ("HQ,又一个总行,又,,", "第 6 行 机构：机构代码 HQ：出现了 2 次"),
        ("B330000,,浙江,,", "第 6 行 name：缺少必填内容"),
    ],
)
def test_a_fault_is_told_at_its_row_with_the_way_out(tmp_path: Path, row: str, says: str) -> None:
    assert says in refused(tmp_path, GOOD + row + "\n")


def test_a_ring_of_parents_is_no_tree(tmp_path: Path) -> None:
    text = GOOD + "B330000,浙江省分行,浙江,B340000,\nB340000,安徽省分行,安徽,B330000,\n"
    assert "自己的上级" in refused(tmp_path, text)


def test_a_list_without_head_office_is_refused(tmp_path: Path) -> None:
    text = "".join(line for line in GOOD.splitlines(keepends=True) if not line.startswith("HQ"))
    assert "缺少总行" in refused(tmp_path, text)


@pytest.fixture
def run(app: Flask, wiring: Wiring) -> Iterator[FlaskCliRunner]:
    with wiring.unit() as unit:
        branches.install(unit, sample.bank())
    yield app.test_cli_runner()
    with wiring.unit() as unit:
        for model in (ExceptionRow, TerritoryRow, BranchRow):
            unit.db.execute(delete(model))
        bump(unit, "branches")


def test_an_import_says_what_changes_and_asks_before_branches_go(
    run: FlaskCliRunner, wiring: Wiring, tmp_path: Path
) -> None:
    args = ["regions", "import", str(file(tmp_path, GOOD))]
    told = run.invoke(args=[*args, "--dry-run"])
    assert (told.exit_code, "检查通过，没有写入" in told.output) == (0, True)
    assert "新增 0 家" in told.output
    asked = run.invoke(args=args, input="n\n")
    assert (asked.exit_code, "将没有归属" in asked.output) == (1, True)
    with wiring.reading() as unit:
        assert branches.directory(unit).get("B440000") is not None
    done = run.invoke(args=[*args, "--yes"])
    assert (done.exit_code, "已导入" in done.output) == (0, True)
    with wiring.reading() as unit:
        assert [one.code for one in branches.directory(unit).all] == [
            "HQ", "B310000", "B320000", "B320500",
        ]  # fmt: skip


def test_a_faulty_list_changes_nothing(run: FlaskCliRunner, wiring: Wiring, tmp_path: Path) -> None:
    with wiring.reading() as unit:
        before = branches.directory(unit).all
    told = run.invoke(args=["regions", "import", str(file(tmp_path, GOOD + "X,,,,\n")), "--yes"])
    assert (told.exit_code, "没有导入任何分行" in told.output) == (1, True)
    with wiring.reading() as unit:
        assert branches.directory(unit).all == before
