"""The bank's lists: rates and outlets from CSV, all of a file or nothing of it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select

from lightservices import rates
from lightservices.outlets import imports, nearest
from lightservices.outlets.models import OutletRow
from regions.coordinates import Datum, to_gcj02
from service.sheets import SheetRefused
from service.wiring import Unit

RATES = "table,as_of,code,name,buying,selling\nexchange,2026-11-20,USD,美元,1,2\n"
OUTLETS = (
    "编号,名称,地址,电话,经度,纬度,坐标系,营业时间,服务,分行\n"
    "SH001,人民广场支行,示例路 1 号,,121.4737,31.2304,gcj02,"
    "周一至周五 09:00-17:00,个人业务、自助设备,\n"
    "SZ001,园区支行,示例路 2 号,400-000,120.6170,31.3110,wgs84,,,B320000\n"
)


def sheet(folder: Path, text: str, encoding: str = "utf-8-sig") -> Path:
    path = folder / "list.csv"
    path.write_bytes(text.encode(encoding))
    return path


def refused(folder: Path, text: str) -> list[tuple[int, str]]:
    with pytest.raises(SheetRefused) as caught:
        rates.check(sheet(folder, text))
    return [(fault.row, fault.field) for fault in caught.value.faults]


def test_an_imported_table_replaces_the_sample_and_leaves_the_others(
    bank: Unit, tmp_path: Path
) -> None:
    rates.publish(bank, rates.check(sheet(tmp_path, RATES, "gb18030")))
    found = rates.tables(bank)
    assert [line.selling for line in found["exchange"].lines] == [Decimal(2)]
    assert not found["exchange"].sample
    assert found["deposit"].sample


def test_the_sample_rates_can_be_taken_for_no_price(bank: Unit) -> None:
    for table in rates.tables(bank).values():
        assert table.sample
        assert {line.selling for line in table.lines} <= {Decimal(100), None}


def test_every_faulty_row_is_named(tmp_path: Path) -> None:
    text = RATES + (
        "gold,2026-11-20,AU,黄金,1,2\n"
        "exchange,20.11.2026,EUR,欧元,1,2\n"
        "exchange,2026-11-20,JPY,日元,一,2\n"
        "exchange,2026-11-20,GBP,英镑,1,\n"
        "exchange,2026-11-20,HKD,港币,-1,NaN\n"
    )
    assert refused(tmp_path, text) == [
        (3, "table"), (4, "as_of"), (5, "buying"), (6, "buying"), (7, "buying"), (7, "selling"),
    ]  # fmt: skip


def test_what_no_row_can_see_is_named_too(tmp_path: Path) -> None:
    twice = RATES + "exchange,2026-11-21,USD,美元,1,2\n"
    assert refused(tmp_path, twice) == [(3, "code"), (3, "as_of")]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("", 1), ("table,color\n", 1), ("table,table\n", 1), (RATES.splitlines()[0], 1),
        (RATES + "exchange,2026-11-20,EUR,欧元,1,2,3\n", 3), (RATES + 'exchange,"x\n', 3),
    ],
)  # fmt: skip
def test_a_sheet_that_is_none_is_refused(tmp_path: Path, text: str, row: int) -> None:
    assert refused(tmp_path, text)[0][0] == row


def test_outlets_are_placed_and_put_the_sample_out(bank: Unit, tmp_path: Path) -> None:
    imports.replace(bank, imports.check(bank, sheet(tmp_path, OUTLETS)))
    found = nearest.index(bank)
    assert set(found.by_id) == {"SH001", "SZ001"}
    first, second = found.by_id["SH001"], found.by_id["SZ001"]
    assert (first.division, first.branch_code) == ("310101", "B310000")
    assert first.services == ("个人业务", "自助设备")
    assert (second.lat, second.lng) == to_gcj02(31.3110, 120.6170, Datum.WGS84)
    assert second.branch_code == "B320000"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("SH001", "SYN-1"), "id"), (("SZ001", "SH001"), "id"), (("121.4737", "31.2304"), "lng"),
        (("121.4737", "132.0"), "lng"), (("gcj02", "tencent"), "datum"),
        (("400-000", "打电话"), "phone"),
        (("周一至周五 09:00-17:00", "全年无休"), "hours"), (("B320000", "B999999"), "branch"),
        (("人民广场支行", ""), "name"),
    ],
)  # fmt: skip
def test_one_faulty_outlet_keeps_all_out(
    bank: Unit, tmp_path: Path, change: tuple[str, str], field: str
) -> None:
    with pytest.raises(SheetRefused) as caught:
        imports.check(bank, sheet(tmp_path, OUTLETS.replace(*change)))
    assert [fault.field for fault in caught.value.faults] == [field]
    assert bank.db.execute(select(func.count()).select_from(OutletRow)).scalar_one() == 6


def test_a_refusal_never_repeats_a_position(bank: Unit, tmp_path: Path) -> None:
    with pytest.raises(SheetRefused) as caught:
        imports.check(bank, sheet(tmp_path, OUTLETS.replace("121.4737", "132.4737")))
    assert "132.4737" not in str(caught.value)
